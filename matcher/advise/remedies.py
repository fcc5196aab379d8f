"""What would help a household without a place: the smallest single change that places it and takes no place from anybody.

Tried in this order: its own date, its longest journey, the kinds it accepts, a wish (a wanted feature or a soft tie where the policy
leaves it out, a required tie, an avoided oblast as a question to the family); one more offer only if none of them works. Never a need,
vetting, consent, `apart`, `groups_only`, risk, or anything of a protected household. Each is verified by solving the changed instance.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from matcher.advise.families import Families, Family
from matcher.advise.offers import offer_ladder
from matcher.advise.trial import Budget, Night, OutOfBudget, Tried, too_large
from matcher.changes import AddOffer, Change, Remedies, Remedy
from matcher.compile import Compiled
from matcher.errors import MatcherError
from matcher.i18n import translator
from matcher.result import LEFT_OUT_REASONS, Result, UnplacedRow
from matcher.wording.remedies import remedy_sentence

UNITS = 250.0
"""Units of trials at effort 1."""
TRIES = 6
"""Changes tried of a family in which a larger one need not do what a smaller one does: dates."""
STEP = 2
"""A shared offer that does not help is tried again with a half more beds."""
COARSE = 4
"""The beds of a large shared offer are found to a quarter, the cost of a finer search being what it is."""
log = logging.getLogger(__name__)


Found = tuple[str, Remedy | None, bool]
"""(household, remedy, whether all kinds were examined)."""


def find_remedies(result: Result, effort: float = 1.0) -> Remedies:
    """Remedies of all households without a place, the most urgent and longest waiting first, as far as the effort goes.

    Raises UsageError for a result of a bare problem.
    """
    return gathered(result, search_remedies(result, effort))


def search_remedies(result: Result, effort: float) -> Iterator[Found]:
    """The same one by one, as they are found."""
    if too_large(result, UNITS * effort):
        return
    search = _Search(Night(result), Budget(UNITS * effort))
    for household_id in search.wanted(result.unplaced):
        yield household_id, *search.find(household_id)


def gathered(result: Result, found: Iterable[Found]) -> Remedies:
    """What was found of each, and who else is without a place, unexamined."""
    known = {household_id: (remedy, examined) for household_id, remedy, examined in found}
    nobody = unexamined(result).not_examined
    return Remedies(
        {i: remedy for i, (remedy, _) in sorted(known.items()) if remedy is not None},
        frozenset(i for i, (remedy, examined) in known.items() if remedy is None and examined),
        frozenset(i for i in nobody if i not in known or known[i] == (None, False)),
    )


def find_remedy(result: Result, household_id: str, effort: float = 1.0) -> tuple[Remedy | None, bool]:
    """(what would help one household, whether all kinds of change were examined)."""
    if too_large(result, UNITS * effort):
        return None, False
    search = _Search(Night(result), Budget(UNITS * effort))
    return search.find(household_id) if household_id in search.wanted(result.unplaced) else (None, False)


def bound_search(night: Night, effort: float) -> _Search:
    """A search for remedies with so much work to spend."""
    return _Search(night, Budget(UNITS * effort))


class _Search:
    """Looks for remedies of one run."""

    def __init__(self, night: Night, budget: Budget) -> None:
        self.night, self.budget = night, budget
        self.roles = night.compiled.roles

    def wanted(self, unplaced: Sequence[UnplacedRow]) -> list[str]:
        """Households for which a remedy is looked for, the most urgent and longest waiting first."""
        out = [row.household_id for row in unplaced if row.reason not in LEFT_OUT_REASONS and row.household_id in self.night.party_at]
        out = [i for i in out if self.roles.protected.isdisjoint(self.bound(i))]
        households = self.night.compiled.household_of
        return sorted(out, key=lambda i: (households[i].priority, households[i].waiting_since or self.night.date, i))

    @cached_property
    def _families(self) -> Families:
        reason = {row.household_id: row.reason for row in self.night.result.unplaced}
        return Families(self.night, reason, lambda household_id, change: self._placed_by(household_id, change) is not None)

    def bound(self, household_id: str) -> list[str]:
        """Everybody who must be placed with the household, itself first."""
        problem, names = self.night.compiled.problem, self.night.compiled.households
        group = [self.night.party_at[household_id]]
        for p in group:
            for link in self._binding.get(p, ()):
                other = link.second if link.first == p else link.first
                if other not in group:
                    group.append(other)
        members = [names[h] for q in group for h in problem.parties[q]]
        return sorted(members, key=lambda i: (i != household_id, i))

    @cached_property
    def _binding(self) -> dict[int, list[Any]]:
        out: dict[int, list[Any]] = {}
        for link in self.night.compiled.problem.links:
            if link.both_or_neither:
                out.setdefault(link.first, []).append(link)
                out.setdefault(link.second, []).append(link)
        return out

    def find(self, household_id: str) -> tuple[Remedy | None, bool]:
        """(remedy, whether all kinds were examined)."""
        try:
            self.budget.check(self.night.compiled)
            for family in self._families.of(household_id):
                remedy = self._best_of(household_id, family)
                if remedy is not None:
                    return remedy, True
            return self._one_more_offer(household_id), True
        except OutOfBudget:
            return None, False

    def _best_of(self, household_id: str, family: Family) -> Remedy | None:
        """The smallest change of a family that helps."""
        if not family.changes:
            return None
        if not family.nested:
            return self._first_of(household_id, family)
        largest = self._placed_by(household_id, family.changes[-1])
        if largest is None:
            return None  # what allows less cannot place it either
        if self._unplaces(largest):
            return self._first_of(household_id, family)
        best, low, high = largest, 0, len(family.changes) - 1
        while low < high:  # the smallest that helps, if larger ones help wherever smaller ones do; it is verified in any case
            middle = (low + high) // 2
            tried = self._helps(household_id, family.changes[middle])
            if tried is None:
                low = middle + 1
            else:
                best, high = tried, middle
        return self._remedy(household_id, family, family.changes[high], best)

    def _first_of(self, household_id: str, family: Family) -> Remedy | None:
        """The first change of a family that helps, of as many as are tried."""
        tries = 0
        for change in family.changes:
            compiled = self._compiled([change])
            if compiled is None or not self._promises(household_id, compiled):
                continue
            if (tried := self._verified(household_id, compiled)) is not None:
                return self._remedy(household_id, family, change, tried)
            tries += 1
            if tries == TRIES:
                break
        return None

    def _compiled(self, changes: Sequence[Change]) -> Compiled | None:
        try:
            return self.night.changed(changes)
        except MatcherError as error:  # decisions that contradict each other once something has changed
            log.debug("a change cannot be tried: %s", type(error).__name__)
            return None

    def _promises(self, household_id: str, changed: Compiled | None) -> bool:
        """Quick tests that weed out what cannot help."""
        if changed is None or household_id not in changed.positions:
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

    def _helps(self, household_id: str, change: Change) -> Tried | None:
        """Solve the changed instance; the outcome if it places the household and unplaces nobody. Raises OutOfBudget."""
        tried = self._placed_by(household_id, change)
        return None if tried is None or self._unplaces(tried) else tried

    def _placed_by(self, household_id: str, change: Change) -> Tried | None:
        """The outcome if it places the household, whoever may lose a place by it. Raises OutOfBudget."""
        changed = self._compiled([change])
        if changed is None or not self._promises(household_id, changed):
            return None
        return self._tried(household_id, changed)

    def _unplaces(self, tried: Tried) -> bool:
        return not self.night.homes.keys() <= tried.homes.keys()

    def _verified(self, household_id: str, changed: Compiled) -> Tried | None:
        tried = self._tried(household_id, changed)
        return None if tried is None or self._unplaces(tried) else tried

    def _tried(self, household_id: str, changed: Compiled) -> Tried | None:
        self.budget.check(changed)
        self.budget.take(changed)
        tried = self.night.solve(changed)
        return None if tried is None or household_id not in tried.homes else tried

    def _one_more_offer(self, household_id: str) -> Remedy | None:
        """An offer of their own, else one shared with those whom the policy puts first, with as few beds as help."""
        if self.night.compiled.problem.barred[self.night.party_at[household_id]]:
            return None  # whom it must be placed with is left out
        ladder = offer_ladder(self.night, self.bound(household_id))
        if ladder.own is not None and (tried := self._helps_with(household_id, ladder.own)) is not None:
            return self._remedy(household_id, Family("offer", [ladder.own]), ladder.own, tried)
        if ladder.shared is None:
            return None
        least, first, second, most = ladder.beds
        low, beds = least - 1, first
        while (best := self._helps_with(household_id, ladder.with_beds(beds))) is None:
            if beds >= most:
                return None
            low, beds = beds, min(most, max(second, beds + 1) if beds == first else beds + max(1, beds // STEP))
        while beds - low > max(1, beds // COARSE):
            taken = _beds_taken(best)
            fewer = taken if low < taken < beds else (low + beds) // 2
            tried = self._helps_with(household_id, ladder.with_beds(fewer))
            if tried is None:
                low = fewer
            else:
                best, beds = tried, fewer
        change = ladder.with_beds(beds)
        return self._remedy(household_id, Family("offer", [change]), change, best)

    def _helps_with(self, household_id: str, change: AddOffer) -> Tried | None:
        changed = self._compiled([change])
        return None if changed is None else self._verified(household_id, changed)

    def _remedy(self, household_id: str, family: Family, change: Change, tried: Tried) -> Remedy:
        night = self.night
        household_of = tried.compiled.household_of
        own = set(self.bound(household_id))
        gained = [i for i in tried.homes if i not in night.homes and i not in own]
        moved = sum(tried.homes[i] != home for i, home in night.homes.items())
        home: str | None = tried.homes[household_id]
        secret = {tried.homes[i] for i in tried.homes.keys() & self.roles.protected}
        secret |= {a.accommodation_id for i, a in self.roles.fixed.items() if i in self.roles.protected}
        if home in secret or self._shy(household_id):
            home = None
        return Remedy(
            household_id, family.kind, change, family.before, family.question, home, sum(household_of[i].persons for i in gained), moved,
            tried.proved,
        )  # fmt: skip

    def _shy(self, household_id: str) -> bool:
        ties = self.night.instance.ties
        pairs = [(t.household_id, t.other_household_id) for t in ties if t.other_household_id is not None]
        return any(household_id in pair and not self.roles.protected.isdisjoint(pair) for pair in pairs)


def _beds_taken(tried: Tried) -> int:
    """Persons in the offer that is new in this instance, the last one."""
    new = tried.compiled.instance.accommodations[-1].accommodation_id
    return sum(tried.compiled.household_of[i].persons for i, home in tried.homes.items() if home == new)


def unexamined(result: Result) -> Remedies:
    """What stands before anybody has looked: nothing was examined. Protected households are left out where the instance is small enough
    to be looked at at all."""
    if too_large(result, UNITS):
        return Remedies(not_examined=frozenset(row.household_id for row in result.unplaced if row.reason not in LEFT_OUT_REASONS))
    search = _Search(Night(result), Budget(0))
    return Remedies(not_examined=frozenset(search.wanted(result.unplaced)))


def with_remedies(result: Result, effort: float = 1.0) -> Result:
    """The result with what would help the unplaced, in words in the language of its options."""
    return told(result, find_remedies(result, effort))


def told(result: Result, remedies: Remedies) -> Result:
    """The result with these remedies in its rows."""
    t = translator("en" if result.options is None else result.options.lang)
    rows = tuple(
        replace(row, remedy=remedy_sentence(remedies.found[row.household_id], t)) if row.household_id in remedies.found else row
        for row in result.unplaced
    )
    return replace(result, unplaced=rows, remedies=remedies)
