"""What would help a household without a place: the smallest single change that places it and takes no place from anybody.

Tried in this order: its own date, its longest journey, the kinds it accepts, a wish (a wanted feature or a soft tie where the policy
leaves it out, a required tie, an avoided oblast as a question to the family); one more offer only if none of them works. Never a need,
vetting, consent, `apart`, `groups_only`, risk, or anything of a protected household. Each is verified by solving the changed instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from matcher.advise.families import Families, Family
from matcher.advise.larger import one_more_offer
from matcher.advise.trial import Budget, Night, OutOfBudget, Tried, too_large
from matcher.advise.trials import Trials
from matcher.changes import Change, Remedies, Remedy
from matcher.doors import NUMBER, takes
from matcher.i18n import translator
from matcher.result import LEFT_OUT_REASONS, Result, UnplacedRow
from matcher.wording.remedies import remedy_sentence

UNITS = 250.0
"""Units of trials at effort 1."""
FEWEST = 4
"""A search for everybody is begun only where it can make so many trials: one or two of a large night take long and tell nothing."""
TRIES = 6
"""Changes tried of a family in which a larger one need not do what a smaller one does: dates."""


Found = tuple[str, Remedy | None, bool]
"""(household, remedy, whether all kinds were examined)."""


@takes(result=Result, effort=NUMBER)
def find_remedies(result: Result, effort: float = 1.0) -> Remedies:
    """Remedies of all households without a place, the most urgent and longest waiting first, as far as the effort goes.

    Raises UsageError for a result of a bare problem.
    """
    return gathered(result, search_remedies(result, effort))


def out_of_reach(result: Result, effort: float) -> bool:
    """Would so few trials fit into the effort that hardly anybody could be looked at? Then nobody is."""
    return too_large(result, UNITS * effort / FEWEST)


def search_remedies(result: Result, effort: float) -> Iterator[Found]:
    """The same one by one, as they are found."""
    if out_of_reach(result, effort):
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
        self.trials = Trials(night, budget)
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
        return Families(self.night, reason, self.trials.could)

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
        if len(family.changes) > 1 and not self.trials.could(household_id, family.changes[-1]):
            return None  # what allows less cannot place it either
        low = self._least(family.changes, lambda change: self.trials.could(household_id, change))
        tried = self.trials.helps(household_id, family.changes[low])
        if tried is not None:
            return self._remedy(household_id, family, family.changes[low], tried)
        larger = family.changes[low + 1 :]
        if not larger or (best := self.trials.helps(household_id, larger[-1])) is None:
            return self._first_of(household_id, replace(family, changes=larger[:-1]))
        known = {len(larger) - 1: best}

        def helps(change: Change) -> bool:
            found = self.trials.helps(household_id, change)
            if found is not None:
                known[larger.index(change)] = found
            return found is not None

        least = self._least(larger, helps)
        return self._remedy(household_id, family, larger[least], known[least])

    @staticmethod
    def _least(changes: Sequence[Change], serves: Callable[[Change], bool]) -> int:
        """The smallest that serves, if larger ones do wherever smaller ones do; the last one is known to."""
        low, high = 0, len(changes) - 1
        while low < high:
            middle = (low + high) // 2
            if serves(changes[middle]):
                high = middle
            else:
                low = middle + 1
        return high

    def _first_of(self, household_id: str, family: Family) -> Remedy | None:
        """The first change of a family that helps, of as many as are tried."""
        tries = 0
        for change in family.changes:
            compiled = self.trials.compiled([change])
            if compiled is None or not self.trials.promises(household_id, compiled):
                continue
            if tries and not self.trials.possible(household_id, compiled):
                continue  # the first is solved at once: it helps more often than not
            tried = self.trials.solve(household_id, compiled)
            if tried is not None and not self.trials.unplaced_by(tried):
                return self._remedy(household_id, family, change, tried)
            tries += 1
            if tries == TRIES:
                break
        return None

    def _one_more_offer(self, household_id: str) -> Remedy | None:
        if self.night.compiled.problem.barred[self.night.party_at[household_id]]:
            return None  # whom it must be placed with is left out
        found = one_more_offer(self.trials, self.bound(household_id))
        return None if found is None else self._remedy(household_id, Family("offer", [found[0]]), *found)

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


def unexamined(result: Result) -> Remedies:
    """What stands before anybody has looked: nothing was examined. Protected households are left out where the instance is small enough
    to be looked at at all."""
    if too_large(result, UNITS):
        return Remedies(not_examined=frozenset(row.household_id for row in result.unplaced if row.reason not in LEFT_OUT_REASONS))
    search = _Search(Night(result), Budget(0))
    return Remedies(not_examined=frozenset(search.wanted(result.unplaced)))


@takes(result=Result, effort=NUMBER)
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
