"""`matcher validate DIR`"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from matcher.cli.console import (
    Encoding,
    Instance,
    Json,
    Mapping,
    Others,
    Quiet,
    day_of,
    guard,
    plain_faults,
    policy_beside,
    print_json,
    source_of,
)
from matcher.errors import ExitCode, InputError

_SHOWN = 20


def validate(
    folder: Instance,
    date: Annotated[str | None, typer.Option("--date", help="Day by which offers are stale or ended, YYYY-MM-DD; default today.")] = None,
    mapping: Mapping = None,
    others: Others = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check an instance folder: every fault of every file at once, each with file, line, column and what to do."""
    with guard(json):
        from matcher.io import read_instance
        from matcher.policy import read_policy

        source = source_of(folder, mapping, others)
        faults: list[dict[str, Any]] = []
        notices: list[str] = []
        counts: list[Any] = []
        try:
            instance = read_instance(**source, encoding=encoding, today=day_of(date), day=day_of(date))
            notices, counts = [str(notice) for notice in instance.notices], list(instance.counts)
        except InputError as error:
            faults += plain_faults(error)
            notices = list(error.notices)
        try:
            policy = policy_beside(source["source"])
            if policy is not None:
                read_policy(policy)
        except InputError as error:
            faults += plain_faults(error)
        if json:
            print_json({
                "valid": not faults,
                "faults": faults,
                "notices": notices,
                "rows": [c.model_dump() for c in counts],
            })  # fmt: skip
        else:
            for fault in faults:
                column = f" {fault['column']}" if fault["column"] else ""
                typer.echo(f"{fault['file']}:{fault['line']}{column} {fault['code']} {fault['message']}", err=True)
            if not quiet:
                for line in _shortened(notices):
                    typer.echo(line, err=True)
                _report(len(faults), [(c.file, c.accepted) for c in counts])
        if faults:
            raise typer.Exit(int(ExitCode.INPUT))


def _shortened(notices: list[str]) -> list[str]:
    """The first of many notices of one kind, and how many more there are."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for notice in notices:
        place, code = notice.split(" ")[:2]
        kinds.setdefault((place.partition(":")[0], code), []).append(notice)
    out = []
    for (file, code), found in kinds.items():
        out += found[:_SHOWN]
        if len(found) > _SHOWN:
            out.append(f"{file} {code} … and {len(found) - _SHOWN} more; --json has all")
    return out


def _report(faults: int, counts: list[tuple[str, int]]) -> None:
    if faults:
        typer.echo(f"{faults} fault{'' if faults == 1 else 's'} found; nothing can be solved until the rows are mended.")
        return
    width = max((len(file) for file, _ in counts), default=0) + 2
    for file, rows in counts:
        typer.echo(f"{file:<{width}}{rows:>8} rows")
    typer.echo("No faults.")
