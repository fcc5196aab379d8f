"""`matcher history backup FILE`, `matcher history restore FILE`, `matcher history purge --older-than DATE`"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Json, Quiet, guard, print_json
from matcher.cli.where import Config, HistoryAt, address_of, history_of
from matcher.errors import UsageError

app = typer.Typer(no_args_is_help=True, help="Back up, restore and purge the history of runs and decisions.")
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup: one file.")]


@app.command("backup")
def backup(file: File, config: Config = None, history: HistoryAt = None, json: Json = False, quiet: Quiet = False) -> None:
    """Write the whole history to one new file; works while other programs use it."""
    with guard(json):
        from matcher.history.backup import back_up

        with history_of(config, history) as opened:
            written = back_up(opened, file)
        if json:
            print_json({"backup": str(written), "bytes": written.stat().st_size})
        elif not quiet:
            typer.echo(f"Backed up to {written} ({written.stat().st_size:,} bytes). Keep it as safe as the history itself.")


@app.command("restore")
def restore(file: File, config: Config = None, history: HistoryAt = None, json: Json = False, quiet: Quiet = False) -> None:
    """Make the history what a backup says; what was there stays beside it as NAME.before-restore."""
    with guard(json):
        from matcher.history.backup import restore as put_back

        address = address_of(config, history)
        put_back(address, file)
        if json:
            print_json({"restored": str(file)})
        elif not quiet:
            typer.echo(f"Restored from {file}.")


@app.command("purge")
def purge(
    older_than: Annotated[
        str,
        typer.Option("--older-than", metavar="DATE", help="Forget what is older than this day, or than so many days (180)."),
    ],
    config: Config = None,
    history: HistoryAt = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Delete what is old and not in force any more, so that nothing leads back to those households, in free pages of the file neither."""
    with guard(json):
        from matcher.history.purge import purge as forget

        day = _day(older_than)
        with history_of(config, history) as opened:
            done = forget(opened, day)
        if json:
            counts = {name: getattr(done, name) for name in done.__dataclass_fields__}
            print_json({"older_than": day.isoformat(), **counts})
        elif not quiet:
            typer.echo(
                f"Purged what is older than {day.isoformat()}: {done.households} households altogether, {done.proposals} placements, "
                f"{done.decisions} decisions. Backups made before still have them."
            )


def _day(text: str) -> dt.date:
    """A date, or a number of days before today: `180`, `180d`."""
    from matcher.io.cells import CellError, iso_date

    number = text.strip().casefold().removesuffix("days").removesuffix("d").strip()
    if number.isascii() and number.isdecimal() and len(number) < 6:
        return dt.datetime.now().astimezone().date() - dt.timedelta(days=int(number))
    try:
        return iso_date(text.strip())
    except CellError as error:
        raise UsageError(f"--older-than: {error.message}, nor a number of days like 180") from None
