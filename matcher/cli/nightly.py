"""`matcher nightly --config nightly.toml`"""

from __future__ import annotations

import datetime as dt
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.cli.console import Json, Quiet, guard, print_json, stopping
from matcher.errors import MatcherError, UsageError

if TYPE_CHECKING:
    from matcher.nightly.night import Night

Config = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="Where things are, and how the night is run.")]


def nightly(
    config: Config,
    date: Annotated[str | None, typer.Option("--date", help="Service date, YYYY-MM-DD; default today in the service's time zone.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run one night unattended: newest delivery, decisions, plan, check, publication, record. The same night twice changes nothing."""
    with guard(json):
        from matcher.nightly.config import read_config
        from matcher.nightly.log import STDERR

        day = _day(date)
        settings = read_config(config)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        from matcher.nightly.night import run_night

        try:
            night = run_night(settings, day)
        except MatcherError as error:
            if settings.log.file == STDERR and not json:
                raise typer.Exit(int(error.exit_code)) from None  # it stands there already, as a line of JSON
            raise
        if json:
            print_json(night.plain())
        elif not quiet:
            _show(night)


def _interrupt(_number: int, _frame: object) -> None:
    """Stop once: nothing is published then. Asking again must not disturb what is put right."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopping)
    raise KeyboardInterrupt


def _day(date: str | None) -> dt.date | None:
    if date is None:
        return None
    try:
        day = dt.date.fromisoformat(date)
        if date != day.isoformat():
            raise ValueError(date)
    except ValueError:
        raise UsageError(f"--date {date!r} is not a date like 2026-11-22") from None
    return day


def _show(night: Night) -> None:
    told = night.plain()
    persons, households = told["persons"], told["households"]
    if night.outcome == "unchanged":
        typer.echo(f"Nothing is new since {told['name']} (delivery, decisions, policy, options), so nothing was changed.")
    else:
        typer.echo(f"Published {told['name']} in {night.seconds:.0f} s, from delivery {told['delivery']}")
    typer.echo(f"{'Folder':<12}{told['folder']}")
    typer.echo(f"{'Placed':<12}{persons['placed']:,} persons in {households['placed']:,} households")
    typer.echo(f"{'Unplaced':<12}{persons['unplaced']:,} persons in {households['unplaced']:,} households")
    if told["status"] == "fallback":
        typer.echo("The search died or found nothing better in time: this plan keeps what stood and fills up with what was cheapest.")
