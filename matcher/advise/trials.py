"""One change after another tried on a night, within a budget: does it place a household, and whom does it cost a place?"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from matcher.advise.trial import Budget, Night, Tried, trial_units
from matcher.changes import Change
from matcher.compile import Compiled
from matcher.errors import MatcherError
from matcher.parts import Parties
from matcher.strategies.feasible import can_place

log = logging.getLogger(__name__)

CHECK = 0.2
"""What it counts as to see whether there is a plan at all, of what solving counts as."""
CHECK_WORK = 0.5
"""Units of deterministic effort for that at most."""
CHECK_SECONDS = 60.0


class Trials:
    """Tries changes of a night. Whatever solves raises OutOfBudget where there is too little left for it."""

    def __init__(self, night: Night, budget: Budget) -> None:
        self.night, self.budget = night, budget

    def helps(self, household_id: str, change: Change) -> Tried | None:
        """Solve the changed instance; the outcome if it places the household and unplaces nobody."""
        tried = self.placed_by(household_id, change)
        return None if tried is None or self.unplaced_by(tried) else tried

    def could(self, household_id: str, change: Change) -> bool:
        """Might it place the household and unplace nobody, by what can be told without solving?"""
        changed = self.compiled([change])
        return changed is not None and self.promises(household_id, changed) and self.possible(household_id, changed)

    def possible(self, household_id: str, changed: Compiled) -> bool:
        """Is there a plan of the changed instance that places the household and everybody who has a place, and costs no more than the
        plan that stands as far as the prices tell? True where that is not settled within a little work.

        Whoever may do less because of a smaller change of the same kind can do no more than this.
        """
        self.budget.check(changed)
        self.budget.left -= CHECK * trial_units(changed)
        problem = changed.problem
        wanted = self.night.homes.keys() | {household_id}
        if not wanted <= changed.positions.keys():
            return False
        held = Parties.of(problem.parties)
        owner = dict(zip(held.member.tolist(), held.owner.tolist(), strict=True))
        parties = {owner[changed.positions[i]] for i in wanted if changed.positions[i] in owner}
        arcs = problem.arcs()
        allowed = np.ones(len(arcs), dtype=np.bool_)
        market = self.night.market
        if market is not None:
            bound = market.bound(changed)
            room = self.night.cost * market.scale - bound.scaled
            allowed = bound.slack[arcs.party, arcs.offer] <= room
        return can_place(problem, arcs, parties, allowed, CHECK_SECONDS, CHECK_WORK) is not False

    def placed_by(self, household_id: str, change: Change) -> Tried | None:
        """The outcome if it places the household, whoever may lose a place by it."""
        changed = self.compiled([change])
        if changed is None or not self.promises(household_id, changed):
            return None
        return self.solve(household_id, changed)

    def unplaced_by(self, tried: Tried) -> list[str]:
        """Who has a place as things are, and has none then."""
        return sorted(self.night.homes.keys() - tried.homes.keys())

    def compiled(self, changes: Sequence[Change]) -> Compiled | None:
        """The changed instance; None where it contradicts itself."""
        try:
            return self.night.changed(changes)
        except MatcherError as error:  # decisions that contradict each other once something has changed
            log.debug("a change cannot be tried: %s", type(error).__name__)
            return None

    def promises(self, household_id: str, changed: Compiled) -> bool:
        """Quick tests that weed out what cannot help."""
        if household_id not in changed.positions:
            return False
        before = self.night.party_at[household_id]
        h = changed.positions[household_id]
        after = next((q for q, party in enumerate(changed.problem.parties) if h in party), None)
        if after is None or changed.problem.barred[after]:
            return False
        every = np.arange(changed.problem.offers)
        if not changed.problem.eligible(np.array([after]), every).any():
            return False
        market = self.night.market
        return market is None or market.may_help(changed, before, after)

    def solve(self, household_id: str, changed: Compiled) -> Tried | None:
        """The outcome if the household has a place in it."""
        self.budget.check(changed)
        self.budget.take(changed)
        tried = self.night.solve(changed)
        return None if tried is None or household_id not in tried.homes else tried
