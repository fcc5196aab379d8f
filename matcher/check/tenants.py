"""Who lives or could live in each offer, as far as certificates must know: whether all stays meet, and on which days somebody arrives."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from matcher.check.certificate import StageClaim
from matcher.check.exact import Bools, Ints
from matcher.check.market import Market
from matcher.check.roles import FOREVER
from matcher.check.seats import Seat
from matcher.check.world import World

Time = tuple[int, int]


class Tenants:
    """By offer of the instance: the last arrival and the first departure, empty stays aside, and every day of an arrival."""

    def __init__(self, world: World, market: Market, fixed: Mapping[str, Sequence[Seat]], stages: Iterable[StageClaim]) -> None:
        self.world = world
        self.market = market
        count = len(world.offers.rows)
        self._last: Ints = np.full(count, -1, dtype=np.int64)
        self._first: Ints = np.full(count, FOREVER + 1, dtype=np.int64)
        self._days: dict[int, Bools] = {}
        self._time: Time | None = None
        self._reached = np.zeros(len(market.at), dtype=bool)
        self.asked = not self._all_meet() or any(
            night is not None for stage in stages for prices in stage.prices.values() for nights in prices.values() for night in nights
        )
        if self.asked:
            for accommodation_id, seats in fixed.items():
                offer = np.array([world.offers.position[accommodation_id]])
                for time in {self._stay(i) for seat in seats for i in seat.party.ids}:
                    self._note(offer, time)

    def add(self, passes: Bools, household_ids: Iterable[str]) -> None:
        """These households could live in these offers of the market."""
        for i in household_ids if self.asked else ():
            time = self._stay(i)
            if time != self._time:
                self._flush()
                self._time = time
            self._reached |= passes

    def meet(self, accommodation_id: str) -> bool:
        """Whether every stay overlaps every other: the last to arrive comes before the first to leave."""
        self._flush()
        offer = self.world.offers.position[accommodation_id]
        return bool(self._last[offer] < self._first[offer])

    def arrives(self, accommodation_id: str, night: dt.date) -> bool:
        """Whether somebody arrives that day."""
        self._flush()
        day = self._days.get(night.toordinal())
        return day is not None and bool(day[self.world.offers.position[accommodation_id]])

    def _stay(self, household_id: str) -> Time:
        k = self.world.households.position[household_id]
        return int(self.world.arrivals[k]), int(self.world.leaves[k])

    def _all_meet(self) -> bool:
        """Whether all stays there are overlap each other, wherever they are."""
        real = self.world.arrivals < self.world.leaves
        return int(self.world.arrivals[real].max(initial=-1)) < int(self.world.leaves[real].min(initial=FOREVER + 1))

    def _flush(self) -> None:
        """Note who could live where in the time of the last ones that were told."""
        if self._time is not None:
            self._note(self.market.at[self._reached], self._time)
            self._reached[:] = False
            self._time = None

    def _note(self, offers: Ints, time: Time) -> None:
        day = self._days.setdefault(time[0], np.zeros(len(self._last), dtype=bool))
        day[offers] = True
        if time[0] < time[1]:
            self._last[offers] = np.maximum(self._last[offers], time[0])
            self._first[offers] = np.minimum(self._first[offers], time[1])


def check_nights(stage: StageClaim, tenants: Tenants) -> list[str]:
    """A price for every night only where all stays meet; every other night a day of arrival."""
    faults: list[str] = []
    for accommodation_id, prices in stage.prices.items() if tenants.asked else ():
        nights = {night for by_night in prices.values() for night in by_night}
        if None in nights and not tenants.meet(accommodation_id):
            faults.append(f"[nights] stage {stage.name}: {accommodation_id} needs prices by night, its stays do not all meet")
        strange = sorted(n for n in nights if n is not None and not tenants.arrives(accommodation_id, n))
        faults += [f"[nights] stage {stage.name}: nobody arrives in {accommodation_id} on {night}" for night in strange]
    return faults
