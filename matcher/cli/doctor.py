"""`matcher doctor`"""

from __future__ import annotations

from typing import Annotated

import typer

from matcher.cli.console import Json, Quiet, guard, print_json
from matcher.cli.where import Config, HistoryAt, config_of
from matcher.errors import ExitCode


def doctor(
    config: Config = None,
    history: HistoryAt = None,
    late_after: Annotated[
        float, typer.Option("--late-after", metavar="HOURS", min=0.0, help="A night is late when the last result is older than this.")
    ] = 26.0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look whether everything is right: database, rights, last run, clock, folders, disk. Exit code 1 if anything is not."""
    with guard(json):
        from matcher.doctor import examine

        if history is not None and config is None:
            findings = examine(history, late_h=late_after)
        else:
            night = config_of(config)
            address = history if history is not None else night.history_address
            findings = examine(address, inbox=night.inbox_path, outbox=night.outbox_path, late_h=late_after)
        right = all(finding.right for finding in findings)
        if json:
            plain = [{"what": f.what, "right": f.right, "message": f.message} for f in findings]
            print_json({"right": right, "findings": plain})
        else:
            for finding in findings:
                if not finding.right or not quiet:
                    typer.echo(f"{'right' if finding.right else 'WRONG':<6}{finding.what:<16}{finding.message}", err=quiet)
        if not right:
            raise typer.Exit(int(ExitCode.INTERNAL))
