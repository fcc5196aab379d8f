"""`matcher simulate --days 30 --seed S`"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from matcher.cli.console import Json, Quiet, guard, print_json

if TYPE_CHECKING:
    from matcher.simulate import Month, NightTold

HEAD = (
    f"{'night':<11}{'homes':>6}{'proposed':>9}{'accepted':>9}{'moved in':>9}{'waiting':>8}{'new':>5}{'changed':>8}{'dropped':>8}{'kept':>6}"
)
HEAD += f"{'decided':>8}{'placed':>8}{'waited':>8}{'sec':>6}"


def simulate(
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Nights to play.")] = 30,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same month.")] = 0,
    households: Annotated[int, typer.Option("--households", min=1, help="Households that arrive in the course of it.")] = 300,
    beds_per_person: Annotated[float, typer.Option("--beds-per-person", min=0.01, help="Usable beds for each person.")] = 0.9,
    effort: Annotated[float, typer.Option("--effort", min=0.01, help="Amount of work of each night's search.")] = 0.2,
    remedies: Annotated[
        bool, typer.Option("--remedies/--no-remedies", help="Let every night look for what would help the unplaced, or not (default).")
    ] = False,
    replay: Annotated[bool, typer.Option("--replay", help="Make every night again from the history, and compare the bytes.")] = False,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Keep the service in this new or empty folder.")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Play a month of nights on a made-up world: people arrive, accept, decline, move in and leave, hosts withdraw."""
    with guard(json):
        from matcher.simulate import simulate as play

        def tell(night: NightTold) -> None:
            if not json and not quiet:
                typer.echo(_line(night))

        def run(folder: Path) -> Month:
            if not json and not quiet:
                typer.echo(HEAD)
            choices = {"days": days, "seed": seed, "households": households, "beds_per_person": beds_per_person, "effort": effort}
            choices["remedies"] = remedies
            return play(folder, **choices, again=replay, on_night=tell)  # type: ignore[arg-type]

        if out is not None:
            month = run(out)
        else:
            with tempfile.TemporaryDirectory(prefix="matcher-simulate-") as name:
                month = run(Path(name) / "service")
        if json:
            print_json({key: value for key, value in month.plain().items() if key != "folder" or out is not None})
        elif not quiet:
            _end(month)


def _line(n: NightTold) -> str:
    waited = "" if n.waited is None else f"{n.waited:g} d"
    numbers = (
        f"{n.households:>6}{n.proposed:>9}{n.accepted:>9}{n.moved_in:>9}{n.waiting:>8}{n.new:>5}{n.changed:>8}{n.dropped:>8}{n.kept:>6}"
    )
    return f"{n.date:<11}{numbers}{n.decisions:>8}{n.placed_share:>8.1%}{waited:>8}{n.seconds:>6.1f}"


def _end(month: Month) -> None:
    told = month.plain()["summary"]
    typer.echo(f"{told['nights']} nights: everybody was accounted for every night, nobody who had accepted was moved,")
    typer.echo("and nothing that had been declined was proposed again.")
    if told["waited"] is not None:
        typer.echo(f"Half of those who accepted had waited {told['waited']:g} days or less since they arrived.")
    if month.replayed or month.cut:
        cut = f"; {month.cut} were cut by the clock and not compared" if month.cut else ""
        typer.echo(f"{month.replayed} nights, made again from the history, gave the same bytes{cut}.")
