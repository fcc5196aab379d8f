"""Explanations as JSON data, as the command line prints them and the service answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from matcher.answers import Explained, Other
from matcher.changes import Remedy


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
