"""What would help a household without a place: the smallest single change that places it and takes no place from anybody.

Tried in this order: its own date, its longest journey, the kinds it accepts, a wish (a wanted feature or a soft tie where the policy
leaves it out, a required tie, an avoided oblast as a question to the family); one more offer only if none of them works. Never a need,
vetting, consent, `apart`, `groups_only`, risk, or anything of a protected household. Each is verified by solving the changed instance.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from matcher.advise.offers import offer_ladder
from matcher.advise.trial import Budget, Night, OutOfBudget, Tried, too_large
from matcher.changes import AddOffer, Change, ChangeHousehold, ChangeTie, Remedies, Remedy
from matcher.compile import Compiled
from matcher.errors import MatcherError
from matcher.i18n import translator
from matcher.model import KINDS, Tie
from matcher.places.travel import Travel
from matcher.result import LEFT_OUT_REASONS, Result, UnplacedRow
from matcher.wording.remedies import remedy_sentence

UNITS = 250.0
"""Units of trials at effort 1."""
DAYS = 30
"""A date is moved by no more days than this."""
DATES = 6
"""Dates tried of each sort."""
COARSE = 6
"""The beds of a large shared offer are found to a sixth, the cost of a finer search being what it is."""
log = logging.getLogger(__name__)


Found = tuple[str, Remedy | None, bool]
"""(household, remedy, whether all kinds were examined)."""


@dataclass(frozen=True)
class Family:
    """Changes of one kind, from the smallest to the largest. nested: each allows all that the ones before it allow."""

    kind: str
    changes: Sequence[Change]
    before: Any = None
    nested: bool = True
    question: bool = False


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
    def reason(self) -> dict[str, str]:
        return {row.household_id: row.reason for row in self.night.result.unplaced}

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
            for family in self._families(household_id):
                remedy = self._best_of(household_id, family)
                if remedy is not None:
                    return remedy, True
            return self._one_more_offer(household_id), True
        except OutOfBudget:
            return None, False

    def _families(self, household_id: str) -> Iterator[Family]:
        household = self.night.compiled.household_of[household_id]

        def with_(kind: str, values: Sequence[Any], **more: Any) -> Family:
            changes = [ChangeHousehold(household_id, {kind: value}) for value in values]
            return Family(kind, changes, getattr(household, kind), **more)

        yield with_("arrives", self._arrivals(household_id), nested=False)
        yield with_("leaves", self._leavings(household_id), nested=False)
        if household.max_km is not None:
            yield with_("max_km", self._distances(household_id))
        if household.accepts:
            yield from self._kinds(household_id, with_)
        yield from self._wishes(household_id, with_)

    def _kinds(self, household_id: str, with_: Callable[..., Family]) -> Iterator[Family]:
        """Each kind alone, if all of them together would help."""
        household = self.night.compiled.household_of[household_id]
        open_kinds = {a.kind for a in self.night.instance.accommodations if a.status == "open"}
        more = [kind for kind in KINDS if kind in open_kinds - household.accepts]
        if more and self._helps(household_id, ChangeHousehold(household_id, {"accepts": household.accepts | set(more)})):
            for kind in more:
                yield with_("accepts", [household.accepts | {kind}])

    def _wishes(self, household_id: str, with_: Callable[..., Family]) -> Iterator[Family]:
        household = self.night.compiled.household_of[household_id]
        weighed = self.reason[household_id] == "policy"
        for word in sorted(household.wants) if weighed else ():
            yield with_("wants", [household.wants - {word}])
        for tie in self.night.instance.ties:
            ends = (tie.household_id, tie.other_household_id)
            if household_id in ends and tie.kind != "apart" and self._ours(tie):
                family = self._loosened(tie, weighed)
                if family is not None:
                    yield family
        if household.avoids and self._helps(household_id, ChangeHousehold(household_id, {"avoids": frozenset()})):
            for code in sorted(household.avoids):
                yield with_("avoids", [household.avoids - {code}], question=True)

    def _ours(self, tie: Tie) -> bool:
        """May the tie be spoken of: nobody protected at either end?"""
        return self.roles.protected.isdisjoint({tie.household_id, tie.other_household_id or ""})

    def _loosened(self, tie: Tie, weighed: bool) -> Family | None:
        if not tie.binds:
            return Family("tie", [ChangeTie(tie, {"weight": Decimal(0)})]) if weighed else None
        changes: list[Change] = []
        if tie.kind == "near" and tie.other_household_id is None:
            changes += [ChangeTie(tie, {"max_km": km}) for km in self._tie_distances(tie)]
        return Family("tie", [*changes, ChangeTie(tie, {"required": False})])

    def _tie_distances(self, tie: Tie) -> list[Decimal]:
        """Distances of the offers from the tie's end that are beyond its limit, in whole km."""
        compiled = self.night.compiled
        target = tie.spot or compiled.offer_of[tie.accommodation_id or ""].spot
        found = {_up(compiled.travel.km10(target, offer.spot)) for offer in self.night.instance.accommodations}
        return sorted(km for km in found if tie.max_km is not None and km > tie.max_km)

    def _distances(self, household_id: str) -> list[Decimal]:
        """Journeys beyond the longest one that it can make, in whole km."""
        household, travel = self.night.compiled.household_of[household_id], self.night.compiled.travel
        most = household.max_km
        assert most is not None
        found = {_up(travel.km10(household.spot, a.spot)) for a in self.night.instance.accommodations if not _blocked(travel, household, a)}
        return sorted(km for km in found if km > most)

    def _arrivals(self, household_id: str) -> list[dt.date]:
        """Other first nights within DAYS, the nearest first: when offers begin, somebody leaves, or a short offer lasts long enough."""
        household, date = self.night.compiled.household_of[household_id], self.night.date
        now = max(household.arrives or date, date)
        days: set[dt.date | None] = {a.available_from for a in self.night.instance.accommodations}
        days |= {h.leaves for h in self.night.instance.households}
        least = dt.timedelta(days=self.night.policy.short.min_nights)
        if household.leaves is None:
            days |= {a.available_until - least for a in self.night.instance.accommodations if a.available_until is not None}
        return self._near(days, now, lambda day: day >= date and (household.leaves is None or day < household.leaves))

    def _leavings(self, household_id: str) -> list[dt.date]:
        """Earlier last nights within DAYS, the nearest first: when offers end, when somebody arrives."""
        household, date = self.night.compiled.household_of[household_id], self.night.date
        if household.leaves is None:
            return []
        now, arrival = household.leaves, max(household.arrives or date, date)
        days: set[dt.date | None] = {a.available_until for a in self.night.instance.accommodations}
        days |= {h.arrives for h in self.night.instance.households}
        return self._near(days, now, lambda day: arrival < day < now)

    def _near(self, days: set[dt.date | None], now: dt.date, allowed: Callable[[dt.date], bool]) -> list[dt.date]:
        near = [day for day in days if day is not None and day != now and abs((day - now).days) <= DAYS and allowed(day)]
        return sorted(near, key=lambda day: (abs((day - now).days), day))

    def _best_of(self, household_id: str, family: Family) -> Remedy | None:
        """The smallest change of a family that helps."""
        if not family.changes:
            return None
        if not family.nested:
            tries = 0
            for change in family.changes:
                compiled = self._compiled([change])
                if compiled is None or not self._promises(household_id, compiled):
                    continue
                if (tried := self._verified(household_id, compiled)) is not None:
                    return self._remedy(household_id, family, change, tried)
                tries += 1
                if tries == DATES:
                    break
            return None
        largest = self._helps(household_id, family.changes[-1])
        if largest is None:
            return None
        best, low, high = largest, 0, len(family.changes) - 1
        while low < high:  # the smallest that helps, if larger ones help wherever smaller ones do; it is verified in any case
            middle = (low + high) // 2
            tried = self._helps(household_id, family.changes[middle])
            if tried is None:
                low = middle + 1
            else:
                best, high = tried, middle
        return self._remedy(household_id, family, family.changes[high], best)

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
        changed = self._compiled([change])
        if changed is None or not self._promises(household_id, changed):
            return None
        return self._verified(household_id, changed)

    def _verified(self, household_id: str, changed: Compiled) -> Tried | None:
        self.budget.check(changed)
        self.budget.take(changed)
        tried = self.night.solve(changed)
        if tried is None or household_id not in tried.homes or not self.night.homes.keys() <= tried.homes.keys():
            return None
        return tried

    def _one_more_offer(self, household_id: str) -> Remedy | None:
        """The first rung of a ladder of offers that helps; each is at least as large as the one before."""
        if self.night.compiled.problem.barred[self.night.party_at[household_id]]:
            return None  # whom it must be placed with is left out
        low, offers = None, offer_ladder(self.night, self.bound(household_id))
        for rung in offers:
            tried = self._helps_with(household_id, rung)
            if tried is None:
                low = rung
                continue
            family = Family("offer", [rung])
            best, change = tried, rung
            while low is not None and low.offer.shared and _apart(low, change):
                middle = (low.offer.capacity + change.offer.capacity) // 2
                between = AddOffer(change.offer.model_copy(update={"capacity": middle}))
                tried = self._helps_with(household_id, between)
                if tried is None:
                    low = between
                else:
                    best, change = tried, between
            return self._remedy(household_id, family, change, best)
        return None

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


def _apart(smaller: AddOffer, larger: AddOffer) -> bool:
    """Is an offer between the two worth a try?"""
    return larger.offer.capacity - smaller.offer.capacity > max(1, larger.offer.capacity // COARSE)


def _up(km10: int) -> Decimal:
    """Tenths of a km as whole km, rounded up."""
    return Decimal(-(-km10 // 10))


def _blocked(travel: Travel, household: Any, offer: Any) -> bool:
    return bool(travel.leg(household.spot, offer.spot).blocked)


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
