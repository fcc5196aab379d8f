"""`matcher map SOURCE --mapping M --out DIR`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Encoding, Json, Others, Quiet, day_of, guard, print_json, source_of
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.io.mapping.read import MappedSource

Source = Annotated[
    Path, typer.Argument(metavar="SOURCE", help="Export in another form: a workbook .xlsx, a CSV file, or a folder of them.")
]
Target = Annotated[Path, typer.Option("--out", "-o", metavar="OUT", help="Folder for CSV files, or a workbook NAME.xlsx.")]
MARK = ".mapped"


def map_(
    source: Source,
    mapping: Annotated[
        str, typer.Option("--mapping", metavar="M", help="Mapping file, or the name of a shipped one (kobo, progres, hmis …).")
    ],
    out: Target,
    others: Others = None,
    date: Annotated[str | None, typer.Option("--date", help="Day by which ages are counted, YYYY-MM-DD; default today.")] = None,
    parquet: Annotated[bool, typer.Option("--parquet", help="Write Parquet files instead of CSV.")] = False,
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn an export into the format, and say what became of every column. Nothing is written where a cell is faulty."""
    with guard(json):
        from matcher.io.assemble import build_instance
        from matcher.io.codebook import Codebooks
        from matcher.io.mapping.read import mapped_source

        found = source_of(source, mapping, others)
        _check_target(out)
        mapped = mapped_source(source, mapping, encoding, Codebooks(guarded=True), others=found["others"], day=day_of(date), complete=False)
        instance = build_instance(mapped.tables, notices=mapped.notices)
        _write(out, _contents(out, mapped, parquet))
        rows = {count.file: count.accepted for count in instance.counts}
        if json:
            print_json(_plain(mapped, rows, [str(notice) for notice in instance.notices]))
        elif not quiet:
            _show(mapped, out)
            for notice in instance.notices:
                typer.echo(str(notice), err=True)


def _check_target(out: Path) -> None:
    """Raise UsageError where nothing could be written."""
    if out.suffix.lower() == ".xlsx" and out.exists():
        raise UsageError(f"{out} is there already; name another file")
    if out.suffix.lower() != ".xlsx" and out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; name a folder")


def _before(out: Path) -> set[str]:
    """The files that an earlier run of this command wrote there."""
    return set(filter(None, (out / MARK).read_text(encoding="utf-8").split("\n"))) if (out / MARK).is_file() else set()


def _contents(out: Path, mapped: MappedSource, parquet: bool) -> dict[str, bytes]:
    from matcher.io.instance_out import csv_files, instance_workbook, parquet_files

    if out.suffix.lower() == ".xlsx":
        return {"": instance_workbook(mapped.tables)}
    files = parquet_files(mapped.tables) if parquet else csv_files(mapped.tables)
    return {**files, MARK: ("\n".join([*sorted(files), ""])).encode("utf-8")}


def _write(out: Path, contents: dict[str, bytes]) -> None:
    """Write the files beside what else is there. An earlier outcome of this command is replaced, and nothing else."""
    others = sorted(name for name in set(contents) - {MARK} - _before(out) if name and (out / name).exists())
    if others:
        raise UsageError(f"{out} has a {others[0]} that this command did not write; name another folder")
    try:
        if "" in contents:
            out.write_bytes(contents[""])
            return
        out.mkdir(parents=True, exist_ok=True)
        for name in _before(out) - set(contents):
            (out / Path(name).name).unlink(missing_ok=True)
        for name, content in contents.items():
            (out / name).write_bytes(content)
    except OSError as error:
        raise UsageError(f"{out} could not be written: {error.strerror}") from error


def _plain(mapped: MappedSource, rows: dict[str, int], notices: list[str]) -> dict[str, Any]:
    from matcher.io.mapping.report import fates, unread_tables

    columns = [
        {
            "table": fate.table,
            "column": fate.column,
            "filled": fate.filled,
            "became": list(fate.became),
            "unknown_codes": {word: list(lines) for word, lines in fate.aside.items()},
        }
        for fate in fates(mapped.mapped)
    ]
    missing = {target: list(names) for target, names in mapped.mapped.missing.items()}
    return {
        "mapping": mapped.mapping.name,
        "columns": columns,
        "not_read": unread_tables(mapped.mapped),
        "made_without": missing,
        "as_they_are": list(mapped.as_they_are),
        "rows": rows,
        "notices": notices,
    }


def _show(mapped: MappedSource, out: Path) -> None:
    from matcher.io.cells import shown
    from matcher.io.mapping.report import fates, unread_tables

    table, became = "", fates(mapped.mapped)
    width = max((len(fate.column) for fate in became), default=0)
    for fate in became:
        if fate.table != table:
            table = fate.table
            typer.echo(f"{table}")
        typer.echo(f"  {fate.column:<{width}} {fate.filled:>7} filled   {', '.join(fate.became) or 'not read'}")
        for word, lines in fate.aside.items():
            typer.echo(f"  {'':<{width}} {len(lines):>7} rows     {shown(word)} in no list of codes: nothing follows from it")
    for name in unread_tables(mapped.mapped):
        typer.echo(f"{name}: not read")
    for name, made in mapped.tables.items():
        typer.echo(f"{out}: {name}, {len(made.lines)} rows of {', '.join(made.columns)}")
    if "accommodations" not in mapped.tables and not any(out.glob("accommodations.*")):
        typer.echo("There are no accommodations yet: put accommodations.csv there, or name a folder that has it with --with.")
