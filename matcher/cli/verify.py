"""`matcher verify DIR OUT`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matcher.cli.console import Encoding, Instance, Json, Mapping, Others, Quiet, folder_of, guard, print_json, source_of
from matcher.errors import ExitCode

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]


def verify(
    folder: Instance,
    out: Out,
    mapping: Mapping = None,
    others: Others = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Re-check a written plan and its certificate from the CSV files alone, without the solver."""
    with guard(json):
        from matcher.verify import verify as check

        source = source_of(folder, mapping, others)
        verdict = check(source.pop("source"), folder_of(out), encoding=encoding, **source)
        if json:
            body = {"right": verdict.right, "violations": list(verdict.violations), "notes": list(verdict.notes)}
            print_json({**body, "unit": "0.1 person-km", "cost": verdict.cost, "bound": verdict.bound})
        else:
            for sentence in verdict.violations:
                typer.echo(sentence, err=True)
            if not quiet:
                _report(verdict.right, verdict.cost, verdict.bound, verdict.notes, len(verdict.violations))
        if not verdict.right:
            raise typer.Exit(int(ExitCode.INTERNAL))


def _report(right: bool, cost: int, bound: int | None, notes: tuple[str, ...], count: int) -> None:
    for note in notes:
        typer.echo(f"Note: {note}.")
    if not right:
        typer.echo(f"WRONG: {count} violation{'' if count == 1 else 's'}; do not use this plan.")
        return
    typer.echo("The plan is right: every rule, bed, room, tie and cost was counted again.")
    if bound is not None:
        gap = (cost - bound) / max(1, abs(cost))
        typer.echo(f"It costs {cost / 10:,.1f} person-km. The certificate alone proves, without trusting any search,")
        typer.echo(f"that no plan costs less than {bound / 10:,.1f} ({gap:.3%} less).")
