"""`matcher decide ACTION --household H … --reason CODE --by ROLE`, or `matcher decide --file decisions.csv`"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Encoding, Json, Quiet, guard, print_json
from matcher.cli.where import Config, HistoryAt, history_of
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.asked import Asked
    from matcher.decisions import Recorded
    from matcher.history import Decision

Action = Annotated[str | None, typer.Argument(metavar="ACTION", help="accept, decline, move-in, move-out, withdraw or park.")]


def decide(
    action: Action = None,
    household: Annotated[str | None, typer.Option("--household", help="The household_id.")] = None,
    accommodation: Annotated[
        str | None, typer.Option("--accommodation", help="The accommodation_id; default: what the household was proposed or has.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", metavar="CODE", help="Why; `matcher decide --reasons` lists all codes.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="ROLE", help="Who decided: a role or a code, not a name.")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="DATE", help="Valid through that day; default: for good.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="Record the rows of a decisions.csv, all or none.")] = None,
    reasons: Annotated[bool, typer.Option("--reasons", help="List the reason codes of every action and stop.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List what was decided (of one --household), and stop.")] = False,
    config: Config = None,
    history: HistoryAt = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Record what a person decided about a proposal, a placement or an offer; the next run starts from there."""
    with guard(json):
        if reasons:
            _list_reasons(json)
            return
        if listing:
            with history_of(config, history) as opened:
                _list_decisions(opened.decisions(household_id=_id(household)), json)
            return
        today = _today(config, history)
        rows, source = _rows(action, household, accommodation, reason, by, until, file, encoding, today)
        from matcher.decisions import record

        with history_of(config, history) as opened:
            done = record(opened, rows, today=today, source=source)
        if json:
            print_json(_plain(done))
        elif not quiet:
            _tell(done)


def _rows(
    action: str | None, household: str | None, accommodation: str | None, reason: str | None, by: str | None, until: str | None,
    file: Path | None, encoding: str, today: dt.date,
) -> tuple[tuple[Asked, ...], str]:  # fmt: skip
    """(what is to be recorded, where it comes from)."""
    from matcher.asked import asked

    if file is not None:
        if any(one is not None for one in (action, household, accommodation, reason, by, until)):
            raise UsageError("give either --file or one decision, not both")
        return _of_file(file, encoding), file.name
    if action is None or reason is None or by is None:
        raise UsageError("say what was decided: matcher decide ACTION --household H --reason CODE --by ROLE, or --file decisions.csv")
    day = None if until is None else _day(until)
    return (asked(action, _id(household), _id(accommodation), reason, by, day, today),), "command"


def _id(text: str | None) -> str | None:
    return (text or "").strip() or None


def _of_file(file: Path, encoding: str) -> tuple[Asked, ...]:
    from matcher.asked import read_decisions
    from matcher.errors import Fault, InputError
    from matcher.io.tokens import Undecodable, check_encoding, decode

    check_encoding(encoding)
    try:
        return read_decisions(decode(file.read_bytes(), encoding), file.name)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except Undecodable as error:
        raise InputError([Fault(file.name, error.line, "", "bad_encoding", error.message)]) from None


def _day(text: str) -> dt.date:
    from matcher.io.cells import CellError, iso_date

    try:
        return iso_date(text.strip())
    except CellError as error:
        raise UsageError(f"--until: {error.message}") from None


def _today(config: Path | None, history: str | None) -> dt.date:
    """The date in the service's time zone, where there is a configuration; else here."""
    if history is not None and config is None:
        return dt.datetime.now().astimezone().date()
    from matcher.cli.where import config_of

    today: dt.date = config_of(config).service_date()
    return today


def _list_reasons(json: bool) -> None:
    from matcher.history.records import ACTIONS, reasons_of

    if json:
        print_json({action: dict(reasons_of(action)) for action in ACTIONS})
        return
    for action in ACTIONS:
        typer.echo(action)
        sides: dict[str, list[str]] = {}
        for code, side in reasons_of(action).items():
            sides.setdefault(side, []).append(code)
        for who, codes in sides.items():
            typer.echo(f"  {'by the ' + who:<18}{', '.join(codes)}")


def _list_decisions(found: Sequence[Decision], json: bool) -> None:
    """Who decided what, when and why. Where a household is to go is not told: it may be protected."""
    if json:
        print_json([_of(one) for one in found])
        return
    for one in found:
        whom = one.household_id if one.household_id is not None else f"offer {one.accommodation_id}"
        until = "" if one.until is None else f"through {one.until.isoformat()}"
        told = f"{one.number:>6}  {one.decided_at.isoformat()}  {one.action:<9} {whom:<16} {one.reason:<20} by {one.by}  {until}"
        typer.echo(told.rstrip())
    if not found:
        typer.echo("Nothing has been decided yet.")


def _of(one: Decision) -> dict[str, Any]:
    return {
        "number": one.number, "action": one.action, "household_id": one.household_id, "reason": one.reason, "side": one.side,
        "by": one.by, "decided_at": one.decided_at.isoformat(), "until": None if one.until is None else one.until.isoformat(),
        "recorded_at": None if one.recorded_at is None else one.recorded_at.isoformat().replace("+00:00", "Z"), "source": one.source,
    }  # fmt: skip


def _plain(done: Recorded) -> dict[str, Any]:
    new = [_of(one) for one in done.new]
    return {"recorded": new, "repeated": [{"line": row.line, "number": number} for row, number in done.repeated]}


def _tell(done: Recorded) -> None:
    for one in done.new:
        whom = one.household_id if one.household_id is not None else one.accommodation_id
        through = "" if one.until is None else f", through {one.until.isoformat()}"
        typer.echo(f"Recorded as number {one.number}: {one.action} of {whom} ({one.reason}{through})")
    for row, number in done.repeated:
        whom = row.household_id if row.household_id is not None else row.accommodation_id
        where = f" as number {number}" if number else " in this file"
        typer.echo(f"{row.action} of {whom}: recorded before{where}, nothing added", err=True)
    if not done.new and not done.repeated:
        typer.echo("The file has no rows; nothing was recorded.", err=True)
