"""Offers that could take somebody at all, ordered by place, so that what depends on places is counted once for each of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matcher.check.exact import Bools, Exact, Ints
from matcher.check.rules import RULES, pair_at
from matcher.check.ways import Ways
from matcher.check.world import World
from matcher.model import Spot


@dataclass(frozen=True)
class Market:
    """M offers at K places. at: position of each in the instance, places ascending; index: the other way round, -1 for others.

    place: of each offer; starts: the first offer of each place. sites: number of all offers' addresses, by position in the
    instance; an offer without one is its own.
    """

    world: World
    at: Ints
    index: Ints
    place: Ints
    starts: Ints
    spots: tuple[Spot, ...]
    sites: Ints

    @cached_property
    def ways(self) -> Ways:
        """Distances to the places."""
        return Ways(self.world.travel, self.world.instance.travel, self.spots)

    @cached_property
    def shared(self) -> Bools:
        """Which of the offers take several parties."""
        classes = self.world.lodgings.classes("shared")
        return np.array([self.world.offers.rows[k].shared for k in classes.first], dtype=bool)[classes.code[self.at]]

    def least_by_place(self, values: Exact) -> Exact:
        """The least of M values at each place."""
        least: Exact = np.minimum.reduceat(values, self.starts) if len(self.at) else values
        return least

    def any_by_place(self, values: Bools) -> Bools:
        """Whether any of M holds at each place."""
        some: Bools = np.logical_or.reduceat(values, self.starts) if len(self.at) else values
        return some


def open_market(world: World) -> Market:
    """The offers that pass the rules which ask nothing of a household."""
    count = len(world.offers.rows)
    good = np.full(count, len(world.households) > 0)
    for code, columns in (("status", ("status", "closed")), ("vetted", ("kind", "vetted")), ("risk", ("risk", "adm1"))):
        if good.any():
            classes = world.lodgings.classes(*columns)
            good &= np.array([RULES[code](pair_at(world, 0, int(k))) for k in classes.first], dtype=bool)[classes.code]
    by_spot = world.lodgings.classes("spot")
    names: dict[tuple[float, float, str | None], int] = {}
    spots = [world.offers.rows[k].spot for k in by_spot.first]
    place = np.array([names.setdefault((s.lat, s.lon, s.key), len(names)) for s in spots], dtype=np.int64)[by_spot.code]
    at = np.flatnonzero(good)
    at = at[np.argsort(place[at], kind="stable")]
    index = np.full(count, -1, dtype=np.int64)
    index[at] = np.arange(len(at))
    _, starts, here = np.unique(place[at], return_index=True, return_inverse=True)
    by_site = world.lodgings.classes("site_id")
    named = np.array([bool(world.offers.rows[k].site_id) for k in by_site.first], dtype=bool)[by_site.code]
    return Market(
        world=world,
        at=at,
        index=index,
        place=here.astype(np.int64),
        starts=starts,
        spots=tuple(world.offers.rows[k].spot for k in at[starts]),
        sites=np.where(named, by_site.code, len(by_site.first) + np.arange(count)),
    )
