"""`matcher explain DIR OUT ID`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from matcher.cli.console import Encoding, Instance, Json, folder_of, guard, print_json

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]
HouseholdId = Annotated[str, typer.Argument(metavar="ID", help="The household_id.")]


def explain(folder: Instance, out: Out, household_id: HouseholdId, encoding: Encoding = "utf-8", json: Json = False) -> None:
    """Say why a household is where it is and what else there was, or why it has no place."""
    with guard(json):
        from matcher.explain import explain_rows
        from matcher.io import read_instance
        from matcher.published import read_published
        from matcher.verify import settings_of

        published = read_published(folder_of(out))
        date, quarantine, policy = settings_of(published.summary)
        instance = read_instance(folder_of(folder), quarantine=quarantine, encoding=encoding)
        if instance.sha256 != published.summary.get("input_sha256"):
            typer.echo("Note: the instance has changed since this run; run `matcher solve` again.", err=True)
        found = explain_rows(instance, policy, date, published.placements, published.unplaced, household_id)
        if json:
            print_json(_plain(found))
        else:
            typer.echo(str(found))


def _plain(found: Any) -> dict[str, Any]:
    if found.hidden or not found.placed:
        body = {"household_id": found.household_id, "persons": found.persons, "placed": found.placed, "protected": found.hidden}
        if found.placed:
            return body
        funnel = None
        if found.funnel is not None:
            funnel = {"offers": found.funnel.offers, "struck_out": dict(found.funnel.struck), "left": found.funnel.left}
        return {**body, "reason": found.reason, "explanation": found.sentence, "funnel": funnel}
    return {
        "household_id": found.household_id,
        "persons": found.persons,
        "placed": True,
        "protected": False,
        "accommodation_id": found.accommodation_id,
        "place": found.place,
        "status": found.status,
        "km": found.km10 / 10,
        "tie_km": None if found.tie_km10 is None else found.tie_km10 / 10,
        "ties_kept": found.ties_kept,
        "cost": found.cost.total / 10,
        "cost_terms": {term: value / 10 for term, value in found.cost.terms.items()},
        "alternatives": [{"accommodation_id": a.accommodation_id, "added_cost": a.added_cost / 10} for a in found.alternatives],
    }
