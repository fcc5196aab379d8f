"""`matcher explain DIR OUT ID`"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from matcher.cli.console import Encoding, Instance, Json, Lang, Mapping, Others, folder_of, guard, language, print_json, source_of
from matcher.errors import UsageError

if TYPE_CHECKING:
    from matcher.answers import Explained, Other
    from matcher.changes import Remedy

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder that `matcher solve` wrote.")]
HouseholdId = Annotated[str, typer.Argument(metavar="ID", help="The household_id.")]
Effort = Annotated[
    float, typer.Option("--effort", help="Of solving again with the household pinned to each next best offer, and for a remedy; 0: not.")
]


def explain(
    folder: Instance,
    out: Out,
    household_id: HouseholdId,
    effort: Effort = 1.0,
    lang: Lang = "en",
    mapping: Mapping = None,
    others: Others = None,
    encoding: Encoding = "utf-8",
    json: Json = False,
) -> None:
    """Say why a household is where it is and what else there was, or why it has no place and what would help."""
    with guard(json):
        from matcher.explain import Explainer
        from matcher.explain import explain as why
        from matcher.io import read_instance
        from matcher.published import read_published, result_of, with_distances
        from matcher.verify import settings_of

        chosen = language(lang)
        if not math.isfinite(effort) or effort < 0:
            raise UsageError("--effort must be a number, 0 or more")
        published = read_published(folder_of(out))
        date, quarantine, policy = settings_of(published.summary)
        instance = with_distances(
            read_instance(**source_of(folder, mapping, others), quarantine=quarantine, encoding=encoding, day=date), policy, out
        )
        result = result_of(published, instance, policy, date)
        if instance.sha256 == published.summary.get("input_sha256"):
            found = why(result, household_id, effort=effort)
        else:
            typer.echo("Note: the instance has changed since this run; run `matcher solve` again.", err=True)
            found = Explainer.of(result, same=False).explain(household_id)
        if json:
            print_json(plain(found))
            return
        typer.echo("\n".join(found.lines(chosen)))
        if effort > 0 and (any(one.resolved_cost is None for one in found.alternatives) or _unexamined(found)):
            typer.echo("Note: not all was solved again, for lack of effort; allow more with --effort.", err=True)


def _unexamined(found: Explained) -> bool:
    from matcher.result import LEFT_OUT_REASONS

    return not found.placed and not found.examined and found.reason not in LEFT_OUT_REASONS


def plain(found: Explained) -> dict[str, Any]:
    """An explanation as JSON data; costs in person-km, distances in km."""
    body: dict[str, Any] = {"household_id": found.household_id, "persons": found.persons, "placed": found.placed}
    if found.hidden:
        return {**body, "protected": True}
    return {**body, "protected": False, **(_placed(found) if found.placed else _left(found))}


def _placed(found: Explained) -> dict[str, Any]:
    assert found.cost is not None and found.km10 is not None
    return {
        "accommodation_id": found.accommodation_id,
        "place": found.place,
        "status": found.status,
        "km": found.km10 / 10,
        "tie_km": None if found.tie_km10 is None else found.tie_km10 / 10,
        "ties_kept": found.ties_kept,
        "ties": [
            {"target": t.target, "kind": t.kind, "relation": t.relation, "required": t.required,
             "km": None if t.km10 is None else t.km10 / 10, "kept": t.kept}
            for t in found.ties
        ],
        "cost": found.cost.total / 10,
        "cost_terms": {term: value / 10 for term, value in found.cost.terms.items()},
        "alternatives": [
            {"accommodation_id": a.accommodation_id, "added_cost": a.added_cost / 10,
             "resolved_cost": None if a.resolved_cost is None else a.resolved_cost / 10, "resolved_proved": a.resolved_proved}
            for a in found.alternatives
        ],
        "others": [_other(one) for one in found.others],
    }  # fmt: skip


def _other(one: Other) -> dict[str, Any]:
    full = None
    if one.full is not None:
        full = {**asdict(one.full), "least_loss": None if one.full.least_loss is None else one.full.least_loss / 10}
    values = {"accommodation_id": one.accommodation_id, "place": one.place, "added_cost": one.added_cost / 10}
    return {**values, "rules": list(one.rules), "full": full}


def _left(found: Explained) -> dict[str, Any]:
    funnel = None
    if found.funnel is not None:
        seen = found.funnel
        funnel = {"offers": seen.offers, "struck_out": dict(seen.struck), "left": seen.left, "opens": dict(seen.opens)}
    preferred = [{**asdict(one), "margin": None if one.margin is None else one.margin / 10} for one in found.preferred]
    body = {"reason": found.reason, "explanation": found.sentence, "funnel": funnel, "preferred": preferred}
    return {**body, "remedy": None if found.remedy is None else plain_remedy(found.remedy), "remedy_examined": found.examined}


def plain_remedy(remedy: Remedy) -> dict[str, Any]:
    """A remedy as JSON data. option: what to give `matcher whatif` to see it."""
    from matcher.i18n import translator
    from matcher.wording.remedies import remedy_sentence

    return {
        "kind": remedy.kind,
        "sentence": remedy_sentence(remedy, translator("en")),
        "option": list(remedy.option),
        "question": remedy.question,
        "accommodation_id": remedy.accommodation_id,
        "also_placed": remedy.also_placed,
        "moved": remedy.moved,
        "proved": remedy.proved,
    }
