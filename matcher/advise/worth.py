"""What the page tells beyond the plan, found by solving again within a small share of the effort."""

from __future__ import annotations

from dataclasses import replace

from matcher.advise.fair import floor_prices
from matcher.advise.leads import look_for
from matcher.advise.trial import Budget, Night, too_large
from matcher.alternatives import Room
from matcher.others import Ways
from matcher.placed import Placements
from matcher.resolved import resolved
from matcher.result import Result
from matcher.worth import Worth

UNITS = 16.0
"""Units of trials at effort 1, for the offers to look for; the same again for the prices of floors."""
UNITS_AGAIN = 100.0
"""The same for next best offers, where somebody asks for them: they are many, and one household's are a `matcher explain` away."""


def find_worth(result: Result, effort: float = 1.0) -> Worth:
    """Offers worth finding and the prices of floors, each as far as the effort goes. Raises UsageError for a result of a bare problem."""
    if too_large(result, UNITS * effort):
        return Worth()
    night = Night(result)
    return Worth(look_for(night, Budget(UNITS * effort)), floor_prices(night, Budget(UNITS * effort)))


def with_worth(result: Result, effort: float = 1.0, *, alternatives: bool = False) -> Result:
    """The result with what `find_worth` finds. alternatives: also with what the next best offers of the most urgent would cost."""
    found = find_worth(result, effort)
    return replace(result, worth=replace(found, again=solved_again(result, effort)) if alternatives else found)


def solved_again(result: Result, effort: float) -> dict[str, dict[str, int]]:
    """By household and offer, what each next best offer would cost if others may move too; the most urgent households first, those of
    protected ones and of who is tied to one left out."""
    if too_large(result, UNITS_AGAIN * effort):
        return {}
    night, budget = Night(result), Budget(UNITS_AGAIN * effort)
    compiled = night.compiled
    ways = Ways(compiled, Room(compiled.problem, night.plan), result.placements)
    households = compiled.household_of
    rows = [
        row for row in Placements.of(result.placements) if row.alternatives and not row.protected and row.household_id in night.party_at
    ]
    out: dict[str, dict[str, int]] = {}
    for row in sorted(rows, key=lambda row: (households[row.household_id].priority, row.household_id)):
        if row.household_id in ways.shy:
            continue
        if not all(budget.take(compiled) for _ in row.alternatives):
            break
        party = night.party_at[row.household_id]
        found = resolved(compiled, night.plan, party, row.alternatives, effort, night.options.seed)
        out[row.household_id] = {one.accommodation_id: one.resolved_cost for one in found if one.resolved_cost is not None}
    return out
