"""Why here, why not: one household's placement by term with what else there was, or its funnel of rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matcher.compile import compile_instance
from matcher.errors import UsageError
from matcher.model import Instance
from matcher.policy import Policy
from matcher.reasons import Funnel, funnel
from matcher.result import LEFT_OUT_REASONS, Alternative, Cost, PlacementRow, Result, UnplacedRow

TERM_WORDS = {
    "travel": "the journey",
    "ties": "distance from its ties",
    "home": "distance from home, for the way back",
    "wants": "wishes not met",
    "risk": "danger at the destination",
    "short": "the offer ends early",
    "spare": "beds left empty",
    "move": "change of an earlier proposal",
    "rent": "rent",
    "linked": "distance from households it is tied to",
}


@dataclass(frozen=True)
class Explanation:
    """What became of one household. Placed: accommodation_id, place, km10, its ties, cost, alternatives; else
    reason and funnel.

    hidden: a protected household; its destination stands in placements_protected.csv only, so nothing is told here.
    """

    household_id: str
    persons: int | None
    placed: bool
    hidden: bool = False
    accommodation_id: str | None = None
    place: str | None = None
    status: str | None = None
    km10: int | None = None
    tie_km10: int | None = None
    ties_kept: int = 0
    cost: Cost | None = None
    alternatives: tuple[Alternative, ...] = ()
    reason: str | None = None
    sentence: str | None = None
    funnel: Funnel | None = None

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """The explanation as lines of plain text."""
        size = "" if self.persons is None else f" ({self.persons} {'person' if self.persons == 1 else 'persons'})"
        if self.hidden:
            return [f"{self.household_id}{size} is placed. It is protected: see placements_protected.csv."]
        if not self.placed:
            return [f"{self.household_id}{size} has no place: {self.reason}", self.sentence or ""]
        assert self.cost is not None and self.km10 is not None
        head = f"{self.household_id}{size}: {self.accommodation_id} in {self.place}, {self.km10 / 10:,.1f} km away ({self.status})"
        lines = [head]
        if self.tie_km10 is not None:
            kept = "1 tie is kept" if self.ties_kept == 1 else f"{self.ties_kept} ties are kept"
            lines.append(f"  {kept}; its nearest tie is {self.tie_km10 / 10:,.1f} km from there")
        lines += [f"  cost {self.cost.total / 10:,.1f} person-km, {_each(self.cost.total, self.persons)} km per person:"]
        for term, words in TERM_WORDS.items():
            if self.cost[term]:
                lines.append(f"    {self.cost[term] / 10:>12,.1f}  {words} ({term})")
        if not self.alternatives:
            return [*lines, "  No other offer is open to it as things are."]
        lines.append("  Next best offers, all else as it is:")
        for other in self.alternatives:
            more = f"{abs(other.added_cost) / 10:,.1f} person-km {'more' if other.added_cost >= 0 else 'less'}"
            lines.append(f"    {other.accommodation_id}: {more}, {_each(other.added_cost, self.persons)} km per person")
        return lines


def _each(cost: int, persons: int | None) -> str:
    return f"{cost / 10 / max(1, persons or 1):,.1f}"


def explain(result: Result, household_id: str) -> Explanation:
    """Why a household of the result is where it is, or why it has no place. Raises UsageError for an unknown id."""
    if result.instance is None or result.policy is None or result.options is None or result.options.date is None:
        raise UsageError("only a result of an instance can be explained")
    rows = (result.placements, result.unplaced)
    return explain_rows(result.instance, result.policy, result.options.date, *rows, household_id)


def explain_rows(
    instance: Instance,
    policy: Policy,
    date: dt.date,
    placements: Iterable[PlacementRow],
    unplaced: Sequence[UnplacedRow],
    household_id: str,
) -> Explanation:
    """The same from the rows of a run, as read back from its folder."""
    for row in placements:
        if row.household_id == household_id:
            return _placed(row)
    for out in unplaced:
        if out.household_id == household_id:
            return _left(instance, policy, date, out)
    raise UsageError(f"there is no household {household_id!r} in this run")


def _placed(row: PlacementRow) -> Explanation:
    if row.protected:
        return Explanation(row.household_id, row.persons, placed=True, hidden=True)
    return Explanation(
        household_id=row.household_id,
        persons=row.persons,
        placed=True,
        accommodation_id=row.accommodation_id,
        place=row.place,
        status=row.status,
        km10=row.km10,
        tie_km10=row.tie_km10,
        ties_kept=row.ties_kept,
        cost=row.terms,
        alternatives=row.alternatives,
    )


def _left(instance: Instance, policy: Policy, date: dt.date, row: UnplacedRow) -> Explanation:
    seen = None
    if row.reason not in LEFT_OUT_REASONS:
        compiled = compile_instance(instance, policy, date)
        if row.household_id in compiled.positions:  # else the instance has changed since, and the row's own words must do
            seen = funnel(compiled, row.household_id)
    return Explanation(row.household_id, row.persons, False, reason=row.reason, sentence=row.explanation, funnel=seen)
