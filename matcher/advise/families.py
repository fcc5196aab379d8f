"""Which changes may be proposed for a household without a place, kind by kind, from the smallest to the largest of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from matcher.advise.trial import Night
from matcher.changes import Change, ChangeHousehold, ChangeTie
from matcher.model import KINDS, Tie
from matcher.places.travel import Travel

DAYS = 30
"""A date is moved by no more days than this."""


@dataclass(frozen=True)
class Family:
    """Changes of one kind, from the smallest to the largest. nested: each allows all that the ones before it allow."""

    kind: str
    changes: Sequence[Change]
    before: Any = None
    nested: bool = True
    question: bool = False


class Families:
    """The families of changes of a night's households; one more offer apart (`offers.offer_ladder`).

    reason: why each has no place. places: would it have one by such a change? Asked where a whole kind may be passed over.
    """

    def __init__(self, night: Night, reason: Mapping[str, str], places: Callable[[str, Change], bool]) -> None:
        self.night, self.reason, self.places = night, reason, places

    def of(self, household_id: str) -> Iterator[Family]:
        """The families of one household, in the order in which they are tried."""
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
        """Each kind alone, if all of them together would place it."""
        household = self.night.compiled.household_of[household_id]
        open_kinds = {a.kind for a in self.night.instance.accommodations if a.status == "open"}
        more = [kind for kind in KINDS if kind in open_kinds - household.accepts]
        if more and self.places(household_id, ChangeHousehold(household_id, {"accepts": household.accepts | set(more)})):
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
        if household.avoids and self.places(household_id, ChangeHousehold(household_id, {"avoids": frozenset()})):
            for code in sorted(household.avoids):
                yield with_("avoids", [household.avoids - {code}], question=True)

    def _ours(self, tie: Tie) -> bool:
        """May the tie be spoken of: nobody protected at either end?"""
        return self.night.compiled.roles.protected.isdisjoint({tie.household_id, tie.other_household_id or ""})

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


def _up(km10: int) -> Decimal:
    """Tenths of a km as whole km, rounded up."""
    return Decimal(-(-km10 // 10))


def _blocked(travel: Travel, household: Any, offer: Any) -> bool:
    return bool(travel.leg(household.spot, offer.spot).blocked)
