"""An instance from a folder of CSV or Parquet files, or from a workbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.doors import PATH, takes
from matcher.errors import Fault, InputError
from matcher.i18n import mark
from matcher.io.columns import REQUIRED_SHEETS, SHEETS
from matcher.io.tokens import Undecodable, check_encoding, decode
from matcher.model import Instance, Notice

if TYPE_CHECKING:
    from matcher.io.codebook import Codebooks
    from matcher.io.tables import Table

SUFFIX = ".csv"
PARQUET = ".parquet"


@takes(source=PATH, encoding=str, today=date | None, mapping=(*PATH, type(None)), others=(*PATH, type(None)), day=date | None)
def read_instance(
    source: Path | str,
    *,
    quarantine: bool = False,
    encoding: str = "utf-8",
    today: date | None = None,
    mapping: Path | str | None = None,
    others: Path | str | None = None,
    day: date | None = None,
) -> Instance:
    """The instance in a folder of CSV or Parquet files, or in a workbook `*.xlsx` (docs/format.md).

    quarantine: set faulty rows aside instead of refusing the whole. encoding: of all CSV files, as Python names it. today: also name
    what seems wrong on that day though no cell is faulty: likely doubles, stale offers and the like (matcher/suspicions.py).
    mapping: a mapping file, or the name of one that comes with the program: the source is then an export in another form
    (docs/howto/kobo.md). others: a folder or workbook in the format, for tables that the source lacks. day: by which a mapping
    counts ages.
    Raises InputError with all faults of all files, and UsageError for an encoding that does not exist or a kind of file that this
    build does not read.
    """
    from matcher.io.assemble import build_instance  # numpy takes longer to import than most instances take to read
    from matcher.io.codebook import Codebooks

    check_encoding(encoding)
    books = Codebooks(guarded=True)
    if mapping is not None:
        from matcher.io.mapping.read import mapped_source

        found = mapped_source(Path(source), mapping, encoding, books, others=others, day=day)
        tables, notices = found.tables, list(found.notices)
    else:
        tables, notices = format_tables(Path(source), encoding, books)
        if others is not None:
            tables, notices = with_others(tables, notices, Path(others), encoding, books)
    return build_instance({**_missing(tables, str(source)), **tables}, quarantine=quarantine, notices=notices, today=today)


def format_tables(source: Path, encoding: str, books: Codebooks) -> tuple[dict[str, Table], list[Notice]]:
    """The tables of a folder or workbook in the format, and what is worth a notice."""
    from matcher.io.sources import is_workbook, workbook_tables

    if is_workbook(source) and not source.is_dir():
        return workbook_tables(source, books)
    names = _listing(source)
    return _tables(source, names, encoding, books), _strangers(names)


def with_others(
    tables: Mapping[str, Table], notices: Iterable[Notice], others: Path, encoding: str, books: Codebooks
) -> tuple[dict[str, Table], list[Notice]]:
    """The tables and those that they lack from another folder or workbook. One that both have is a fault, not a choice."""
    from matcher.io.tables import failed_table

    more, noticed = format_tables(others, encoding, books)
    found = dict(tables)
    for name, table in more.items():
        found[name] = table
        if name in tables:
            found[name] = failed_table(
                table.sheet.name, table.file, 0, "file_name", f"{tables[name].file} has these rows too: keep one of them"
            )
    return found, [*notices, *noticed]


def _missing(tables: Mapping[str, Table], source: str) -> dict[str, Table]:
    """What every instance needs and is not there."""
    from matcher.io.sources import is_workbook
    from matcher.io.tables import failed_table

    missing = {}
    for name in REQUIRED_SHEETS:
        if name not in tables:
            book = is_workbook(Path(source)) and not Path(source).is_dir()
            file = f"{Path(source).name}#{name}" if book else name + SUFFIX
            missing[name] = failed_table(name, file, 0, "file_missing", f"every instance needs this {'sheet' if book else 'file'}")
    return missing


def _tables(folder: Path, names: frozenset[str], encoding: str, books: Codebooks) -> dict[str, Table]:
    """All files of the format that are there, under whatever capital letters."""
    from matcher.io.tables import failed_table

    alike = {other.casefold() for other in names}
    wanted = [name for name in SHEETS if {name + SUFFIX, name + PARQUET} & names or (name in REQUIRED_SHEETS and name + SUFFIX in alike)]
    tables = {name: _table(folder, name, names, encoding, books) for name in wanted}
    for name, wrong in _misnamed(names):
        message = f"call it {wrong.lower()}: names of files are in small letters"
        tables[wrong] = failed_table(name, wrong, 0, "file_name", message)
    return tables


def _listing(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir() if not path.name.startswith((".", "~")))
    except OSError as error:
        message = f"this folder cannot be read: {error.strerror}"
        code = "file_missing" if isinstance(error, FileNotFoundError | NotADirectoryError) else "file_unreadable"
        raise InputError([Fault(str(folder), 0, "", code, message)]) from error


def _table(folder: Path, name: str, names: frozenset[str], encoding: str, books: Codebooks) -> Table:
    """One file of the folder, or what is wrong with it as a whole."""
    from matcher.io.tables import failed_table, table_from_text

    file = name + SUFFIX
    if name + PARQUET in names:
        if file in names:
            return failed_table(name, file, 0, "file_name", f"there is {name + PARQUET} too: keep one of them")
        from matcher.io.sources import parquet_table

        return parquet_table(name, folder / (name + PARQUET), books)
    if file not in names:
        alike = sorted(other for other in names if other.casefold() == file)
        hint = f"; there is {alike[0]!r}, call it {file}" if alike else ""
        return failed_table(name, file, 0, "file_missing", f"every instance needs this file{hint}")
    try:
        text = decode((folder / file).read_bytes(), encoding)
    except OSError as error:
        return failed_table(name, file, 0, "file_unreadable", f"the file cannot be read: {error.strerror}")
    except Undecodable as error:
        return failed_table(name, file, error.line, "bad_encoding", error.message)
    return table_from_text(name, file, text, books)


def _misnamed(names: Iterable[str]) -> list[tuple[str, str]]:
    """Files of the format under names with capital letters: overlooking ties or overrides would drop what they protect."""
    wrong = [(other.casefold().removesuffix(suffix), other, suffix) for other in sorted(names) for suffix in (SUFFIX, PARQUET)]
    return [
        (name, other)
        for name, other, suffix in wrong
        if name in SHEETS and other.casefold() == name + suffix != other and (name not in REQUIRED_SHEETS or name + SUFFIX in names)
    ]


def _strangers(names: Iterable[str]) -> list[Notice]:
    """CSV and Parquet files that are not read: one of them may be a misspelt `ties.csv`."""
    expected = {name + suffix for name in SHEETS for suffix in (SUFFIX, PARQUET)}
    expected.add("decisions.csv")  # the nightly run reads it
    strangers = sorted(name for name in names if name.casefold().endswith((SUFFIX, PARQUET)) and name.casefold() not in expected)
    said, known = mark("not a file of the format, and not read; the names are {names}"), ", ".join(sorted(name + SUFFIX for name in SHEETS))
    return [Notice.of(name, "unknown_file", said, names=known) for name in strangers]
