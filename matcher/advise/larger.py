"""One more offer for a household: of its own, else shared, with as few beds as help; verified by solving with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matcher.advise.offers import Ladder, offer_ladder
from matcher.advise.trial import Tried
from matcher.advise.trials import Trials
from matcher.changes import AddOffer

STEP = 2
"""A shared offer that does not help is tried again with a half more beds."""
WIDER = 3
"""How often one more offer is made to suit more people."""
COARSE = 4
"""The beds of a large shared offer are found to a quarter, the cost of a finer search being what it is."""

Found = tuple[AddOffer, Tried]


def one_more_offer(trials: Trials, group: Sequence[str]) -> Found | None:
    """An offer of their own, else one shared with those whom the policy puts first. group: the household, then all who must be placed
    with it.

    Where it would cost somebody a place who could not live in it (beds that others leave are filled by those who gain most by them),
    it has to suit them, too.
    """
    also: list[str] = []
    start = 0
    for _ in range(WIDER + 1):
        ladder = offer_ladder(trials.night, group, also)
        if ladder.own is not None and (tried := trials.helps(group[0], ladder.own)) is not None:
            return ladder.own, tried
        if ladder.shared is None:
            return None
        found, unable, start = _shared(trials, group[0], ladder, start)
        if found is not None or not unable or not trials.night.compiled.roles.protected.isdisjoint(unable):
            return found  # an offer that suits protected households would tell what they need
        also += unable
    return None


def _shared(trials: Trials, household_id: str, ladder: Ladder, start: int) -> tuple[Found | None, list[str], int]:
    """(what helps; else who lost a place by an offer that they could not live in, and the beds that it had)."""
    least, first, second, most = ladder.beds
    low, beds = least - 1, max(first, min(start, most))
    while True:
        best = trials.placed_by(household_id, ladder.with_beds(beds))
        if best is not None:
            lost = trials.unplaced_by(best)
            if not lost:
                break
            if unable := [i for i in lost if not _suits(best, ladder, i)]:
                return None, unable, beds
        if beds >= most:
            return None, [], beds
        low, beds = beds, min(most, max(second, beds + 1) if beds == first else beds + max(1, beds // STEP))
    while beds - low > max(1, beds // COARSE):
        taken = _beds_taken(best, ladder)
        fewer = taken if low < taken < beds else (low + beds) // 2
        tried = trials.helps(household_id, ladder.with_beds(fewer))
        if tried is None:
            low = fewer
        else:
            best, beds = tried, fewer
    return (ladder.with_beds(beds), best), [], beds


def _suits(tried: Tried, ladder: Ladder, household_id: str) -> bool:
    """Do the rules let a household live in the new offer?"""
    problem, h = tried.compiled.problem, tried.compiled.positions[household_id]
    new = tried.compiled.offer_positions[ladder.new]
    party = next(q for q, members in enumerate(problem.parties) if h in members)
    return bool(problem.eligible(np.array([party]), np.array([new]))[0, 0])


def _beds_taken(tried: Tried, ladder: Ladder) -> int:
    """Persons in the new offer."""
    return sum(tried.compiled.household_of[i].persons for i, home in tried.homes.items() if home == ladder.new)
