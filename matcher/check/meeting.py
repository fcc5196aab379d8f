"""What two parties cost together: the least over all choices of the one, for every choice of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.check.exact import Bools, Exact, Ints
from matcher.check.local import Local
from matcher.check.market import Market
from matcher.check.numbers import Numbers
from matcher.check.world import Party, Stay, World
from matcher.model import Tie

BLOCK = 4_000_000  # pairs looked at in one go


@dataclass(frozen=True)
class States:
    """What a party may do: offers of the market, ascending, with what each costs; out: what leaving it unplaced costs."""

    offers: Ints
    values: Exact
    out: int


@dataclass(frozen=True)
class _Link:
    """Two parties and all ties between them. weight: of a cost unit. together: both are placed or neither is.

    crowd: there is a night that both are there, so they cannot both have an offer that is not shared.
    """

    child: Party
    ties: Sequence[Tie]
    weight: int
    together: bool
    crowd: bool


class Meeting:
    """Joint costs of two parties, by the ties between them."""

    def __init__(self, world: World, market: Market, local: Local, numbers: Numbers) -> None:
        self.world = world
        self.market = market
        self.local = local
        self.numbers = numbers
        self.site = market.sites[market.at]

    def ties(self, one: Party, other: Party) -> list[Tie]:
        """All ties between households of the two."""
        rows = {id(row): row for i in one.ids for row in self.world.links_of.get(i, ())}
        return [row for row in rows.values() if not {row.household_id, row.other_household_id}.isdisjoint(other.ids)]

    def least(self, child: Party, parent: Party, below: States, offers: Ints, weight: int) -> tuple[Exact, int]:
        """What the best choice of the child costs with its ties, for the parent in each of `offers`, and for the parent unplaced."""
        ties = self.ties(child, parent)
        together = any(tie.binds and tie.kind != "apart" for tie in ties)
        crowd = any(_meet(self.world.stay(i), self.world.stay(j)) for i in child.ids for j in parent.ids)
        link = _Link(child, ties, weight, together, crowd)
        out = below.out if together else min(below.out, int(below.values.min(initial=self.numbers.never)))
        best = self.numbers.full(len(offers), self.numbers.never if together else below.out)
        if len(offers) and len(below.offers):
            best = np.minimum(best, self._elsewhere(link, below, offers))
            self._at_one_address(link, below, offers, best)
        return best, out

    def _elsewhere(self, link: _Link, below: States, offers: Ints) -> Exact:
        """The least with the two at different addresses: the best of each place, and the best of another address than that one's."""
        never, site = self.numbers.never, self.site[below.offers]
        places, starts, at = np.unique(self.market.place[below.offers], return_index=True, return_inverse=True)
        first = np.minimum.reduceat(below.values, starts)
        hits = np.flatnonzero(below.values == first[at])
        address = site[hits[np.unique(at[hits], return_index=True)[1]]]
        others = below.values.copy()
        others[site == address[at]] = never
        second = np.minimum.reduceat(others, starts)
        targets, to = np.unique(self.market.place[offers], return_inverse=True)
        best, runner_up = self.numbers.full(len(targets)), self.numbers.full(len(targets))
        winner = np.zeros(len(targets), dtype=np.int64)
        step = max(1, BLOCK // len(places))
        for low in range(0, len(targets), step):
            block = targets[low : low + step]
            cost = self._between(link, places, block)
            joint = np.minimum(cost + first[:, None], never)
            which = joint.argmin(axis=0)
            best[low : low + step] = joint[which, np.arange(len(block))]
            winner[low : low + step] = address[which]
            joint = cost + np.where(address[:, None] == address[which][None, :], second[:, None], first[:, None])
            runner_up[low : low + step] = np.minimum(joint.min(axis=0), never)
        return np.where(self.site[offers] == winner[to], runner_up[to], best[to])

    def _between(self, link: _Link, places: Ints, targets: Ints) -> Exact:
        """Costs of the ties with the child at each of `places` and the parent at each of `targets`, at different addresses."""
        ways, kinds = self.market.ways, {tie.kind for tie in link.ties}
        no = np.zeros((len(places), len(targets)), dtype=bool)
        same = ways.same_among(places, targets) if "same_place" in kinds else no
        turned = [tie.household_id not in link.child.ids for tie in link.ties]
        there = ways.among(places, targets) if not all(turned) else no
        back = ways.among(targets, places).T if any(turned) else no
        return self._count(link, (there, back), same, no, no)

    def _at_one_address(self, link: _Link, below: States, offers: Ints, best: Exact) -> None:
        """Improve `best` by choices in which the two are at one address."""
        order = np.argsort(self.site[below.offers], kind="stable")
        sites = self.site[below.offers][order]
        low, high = (np.searchsorted(sites, self.site[offers], side) for side in ("left", "right"))
        count = high - low
        ends = np.cumsum(count)
        start = 0
        while start < len(offers):
            before = int(ends[start - 1]) if start else 0
            stop = max(start + 1, int(np.searchsorted(ends, before + BLOCK, "right")))
            many = count[start:stop]
            parent = np.repeat(np.arange(start, stop), many)
            child = order[np.arange(len(parent)) - np.repeat(ends[start:stop] - many - before, many) + np.repeat(low[start:stop], many)]
            if len(parent):
                one, other = below.offers[child], offers[parent]
                cost = self._pairs(link, one, other)
                np.minimum.at(best, parent, np.minimum(below.values[child] + cost, self.numbers.never))
            start = stop

    def _pairs(self, link: _Link, ones: Ints, others: Ints) -> Exact:
        """Costs of the ties with the child in `ones` and the parent in `others`, pair by pair, at one address."""
        ways, here, there = self.market.ways, self.market.place[ones], self.market.place[others]
        same_offer = ones == others
        same_place = here == there
        for k in np.flatnonzero(~same_place).tolist():
            same_place[k] = ways.same_place(ways.spots[here[k]])[there[k]]
        distances = (ways.pairs(here, there), ways.pairs(there, here)) if link.ties else (here, here)
        cost = self._count(link, distances, same_place, np.ones(len(ones), dtype=bool), same_offer)
        if link.crowd:
            cost[same_offer & ~self.market.shared[ones]] = self.numbers.never
        return cost

    def _count(self, link: _Link, ways: tuple[Exact, Exact], same_place: Bools, same_site: Bools, same_offer: Bools) -> Exact:
        """Costs of all ties; never, where one that binds does not hold. ways: from child to parent, and back."""
        cost = self.numbers.full(same_place.size).reshape(same_place.shape)
        for tie in link.ties:
            way = ways[tie.household_id not in link.child.ids]
            holds = self.local.within(tie, way, same_place, same_site, same_offer)
            if tie.binds:
                cost[~holds] = self.numbers.never
            elif link.weight:
                cost += self.numbers.cast(self.local.link_cost(tie, way, holds)) * link.weight
        return np.minimum(cost, self.numbers.never)


def _meet(one: Stay, other: Stay) -> bool:
    """Is there a night that both are there?"""
    return one.present(max(one.arrival, other.arrival)) and other.present(max(one.arrival, other.arrival))
