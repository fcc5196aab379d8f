"""JSON Schema of what is said of a household (`matcher explain --json`, the service's `/explain`)."""

from __future__ import annotations

from matcher.result import REASONS, TERMS
from matcher.schema.parts import COUNT, NUMBER, TEXT, WHOLE, YES_NO, Schema, an_object, by_key, many, or_none


def explanation() -> Schema:
    """One household: placed, without a place, or protected, of which nothing is said but that. Costs in person-km, distances in km."""
    known = {"household_id": TEXT, "persons": COUNT}
    return {
        "description": "Why a household goes where it goes, or has no place. Costs in person-km, distances in km.",
        "oneOf": [
            an_object("A protected household.", {**known, "placed": YES_NO, "protected": {"const": True}}, additionalProperties=False),
            an_object("A household with a place.", {**known, "placed": {"const": True}, "protected": {"const": False}, **_placed()}),
            an_object("A household without one.", {**known, "placed": {"const": False}, "protected": {"const": False}, **_left()}),
        ],
    }


def _placed() -> dict[str, Schema]:
    tie = an_object(
        "A tie, and whether it is kept.",
        {"target": TEXT, "kind": TEXT, "relation": or_none(TEXT), "required": YES_NO, "km": or_none(NUMBER), "kept": or_none(YES_NO)},
    )
    alternative = an_object(
        "An offer that was to be had: what it costs more, all else as it is, and once all is solved again.",
        {"accommodation_id": TEXT, "added_cost": NUMBER, "resolved_cost": or_none(NUMBER), "resolved_proved": or_none(YES_NO)},
    )
    other = an_object(
        "An offer that was not to be had: the rules that strike it out, or who has it.",
        {"accommodation_id": TEXT, "place": or_none(TEXT), "added_cost": NUMBER, "rules": many(TEXT), "full": or_none({"type": "object"})},
    )
    return {
        "accommodation_id": TEXT, "place": or_none(TEXT), "status": {"enum": ["proposed", "accepted", "moved_in"]}, "km": NUMBER,
        "tie_km": or_none(NUMBER), "ties_kept": COUNT, "ties": many(tie), "cost": NUMBER,
        "cost_terms": an_object("The cost by term; what is 0 is left out.", dict.fromkeys(TERMS, NUMBER), (), additionalProperties=False),
        "alternatives": many(alternative), "others": many(other),
    }  # fmt: skip


def _left() -> dict[str, Schema]:
    funnel = an_object(
        "How many offers each rule strikes out, and how many each alone would open.",
        {"offers": COUNT, "struck_out": by_key(COUNT), "left": WHOLE, "opens": by_key(COUNT)},
    )
    return {
        "reason": {"enum": list(REASONS)}, "explanation": TEXT, "funnel": or_none(funnel), "preferred": many({"type": "object"}),
        "remedy": or_none({"type": "object"}), "remedy_examined": YES_NO,
    }  # fmt: skip
