"""`matcher validate DIR`"""

from __future__ import annotations

from typing import Any

import typer

from matcher.cli.console import Encoding, Instance, Json, Quiet, folder_of, guard, plain_faults, print_json
from matcher.errors import ExitCode, InputError


def validate(folder: Instance, encoding: Encoding = "utf-8", json: Json = False, quiet: Quiet = False) -> None:
    """Check an instance folder: every fault of every file at once, each with file, line, column and what to do."""
    with guard(json):
        from matcher.io import read_instance
        from matcher.policy import read_policy

        path = folder_of(folder)
        faults: list[dict[str, Any]] = []
        notices: list[str] = []
        counts: list[Any] = []
        try:
            instance = read_instance(path, encoding=encoding)
            notices, counts = [str(notice) for notice in instance.notices], list(instance.counts)
        except InputError as error:
            faults += plain_faults(error)
            notices = list(error.notices)
        try:
            if (path / "policy.toml").exists():
                read_policy(path / "policy.toml")
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
                for notice in notices:
                    typer.echo(notice, err=True)
                _report(len(faults), [(c.file, c.accepted) for c in counts])
        if faults:
            raise typer.Exit(int(ExitCode.INPUT))


def _report(faults: int, counts: list[tuple[str, int]]) -> None:
    if faults:
        typer.echo(f"{faults} fault{'' if faults == 1 else 's'} found; nothing can be solved until the rows are mended.")
        return
    for file, rows in counts:
        typer.echo(f"{file:<22}{rows:>8} rows")
    typer.echo("No faults.")
