"""Parties merged by their links into trees, and the least cost of a tree by dynamic programming from leaves to root.

What links cost depends on places, but for whether two offers are one, or at one address. So what a child costs its parent is
counted between places, and pair by pair only within addresses. Before that, choices that are too dear to be part of the least
are struck out: links cost nothing less than 0, so a choice that with the least of all others in the tree is above what some joint
placement costs is in no better one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.check.arcs import Arcs
from matcher.check.exact import Exact, Ints
from matcher.check.local import BY_ADDRESS
from matcher.check.market import Market
from matcher.check.meeting import Meeting, States
from matcher.check.tenants import Tenants
from matcher.check.world import Party, World

NEAREST = 16  # places and addresses of each sort that the first joint placement is looked for in
EACH = 3  # offers of each of them
CELL_DEGREES = 2.0


@dataclass(frozen=True)
class Tree:
    """parties: the root first. above: of each other party the one that it hangs from, which stands before it."""

    parties: tuple[Party, ...]
    above: tuple[int, ...]


def check_merged(world: World, merged: Sequence[tuple[str, str]]) -> list[str]:
    """Pairs of free households, of two parties, that close no circle."""
    faults: list[str] = []
    boss: dict[str, str] = {}

    def find(i: str) -> str:
        while boss.setdefault(i, i) != i:
            boss[i] = boss[boss[i]]
            i = boss[i]
        return i

    for one, other in merged:
        if not world.is_free(one) or not world.is_free(other):
            faults.append(f"[merged] {one} and {other} are not both free")
            continue
        top, bottom = find(world.party_of(one).ids[0]), find(world.party_of(other).ids[0])
        if top == bottom:
            faults.append(f"[merged] {one} and {other} close a circle")
        boss[bottom] = top
    return faults


def plant(world: World, merged: Sequence[tuple[str, str]]) -> list[Tree]:
    """Trees of the parties, hung up by the first of each."""
    parties = {party.ids[0]: party for pair in merged for party in map(world.party_of, pair)}
    near: dict[str, set[str]] = defaultdict(set)
    for one, other in merged:
        ends = world.party_of(one).ids[0], world.party_of(other).ids[0]
        near[ends[0]].add(ends[1])
        near[ends[1]].add(ends[0])
    trees: list[Tree] = []
    seen: set[str] = set()
    for root in sorted(parties):
        if root in seen:
            continue
        order, above = [root], [0]
        seen.add(root)
        for position, node in enumerate(order):
            children = sorted(near[node] - seen)
            seen.update(children)
            order += children
            above += [position] * len(children)
        trees.append(Tree(tuple(parties[i] for i in order), tuple(above)))
    return trees


class Forest:
    """All trees, counted one after the other."""

    def __init__(self, arcs: Arcs) -> None:
        self.arcs = arcs
        self.market = arcs.market
        self.numbers = arcs.numbers
        self.meeting = Meeting(arcs.world, arcs.market, arcs.local, arcs.numbers)
        site = self.market.sites[self.market.at]
        self._by_site = np.argsort(site, kind="stable")
        self._site_starts = np.append(np.flatnonzero(np.diff(site[self._by_site], prepend=-1)), len(site))
        self._place_starts = np.append(self.market.starts, len(site))
        self._regions = _regions(self.market)

    def sum_of_least(self, trees: Iterable[Tree], tenants: Tenants) -> list[int | None]:
        """By stage, Σ over the trees of the least joint cost; None where a tree has no joint placement."""
        sums: list[int | None] = [0] * len(self.arcs.stages)
        for tree in sorted(trees, key=self._likeness):  # who is alike pays alike: what is remembered serves the next
            found = [self.arcs.by_offer(party) for party in tree.parties]
            for party, (passes, _) in zip(tree.parties, found, strict=True):
                tenants.add(passes, party.ids)
            for stage, before in enumerate(sums):
                outs = [self.arcs.out(stage, party.ids) for party in tree.parties]
                least = self._least(tree, [values[stage] for _, values in found], outs, self.arcs.stages[stage].weights["ties"])
                sums[stage] = None if before is None or least >= self.numbers.never else before + least
        return sums

    def _likeness(self, tree: Tree) -> list[tuple[int, int, int]]:
        """Stays and sizes of a tree's parties."""
        world = self.arcs.world
        rows = [world.households.position[i] for party in tree.parties for i in party.ids]
        return [(int(world.arrivals[k]), int(world.leaves[k]), int(world.persons[k])) for k in rows]

    def _least(self, tree: Tree, values: Sequence[Exact], outs: Sequence[int], weight: int) -> int:
        """The least joint cost of a tree. values: by party, of each offer of the market; weight: of a cost unit of links."""
        never = self.numbers.never
        lows = [min(out, int(own.min(initial=never))) for own, out in zip(values, outs, strict=True)]
        if max(lows) >= never:
            return never
        likely = self._likely(tree, values) if len(self.market.at) else [np.zeros(0, dtype=np.int64)] * len(values)
        slack = self._joint(tree, _states(values, likely, outs), weight) - sum(lows)
        near = [np.flatnonzero((own <= low + slack) & (own < never)) for own, low in zip(values, lows, strict=True)]
        return self._joint(tree, _states(values, near, outs), weight)

    def _joint(self, tree: Tree, states: Sequence[States], weight: int) -> int:
        """The least joint cost among these states, from the leaves up."""
        never = self.numbers.never
        values, outs = [s.values for s in states], [s.out for s in states]
        for child in range(len(states) - 1, 0, -1):
            parent = tree.above[child]
            below = States(states[child].offers, values[child], outs[child])
            more, out = self.meeting.least(tree.parties[child], tree.parties[parent], below, states[parent].offers, weight)
            values[parent] = np.minimum(values[parent] + more, never)
            outs[parent] = min(outs[parent] + out, never)
        return min(outs[0], int(values[0].min(initial=never)))

    def _likely(self, tree: Tree, values: Sequence[Exact]) -> list[Ints]:
        """Few offers for each party: the cheapest at its own best places, where all together are cheapest, and in every region."""
        everywhere = np.arange(len(self.market.at))
        by_place = [self.market.least_by_place(own) for own in values]
        together = _smallest(self._sum(by_place))
        places = [{*together, *_smallest(least), *self._best_of_regions(least)} for least in by_place]
        picked = [[everywhere[a:b] for a, b in ((self._place_starts[p], self._place_starts[p + 1]) for p in sorted(own))] for own in places]
        if any(row.kind in BY_ADDRESS for party in tree.parties for i in party.ids for row in self.arcs.world.links_of.get(i, ())):
            by_site = [np.minimum.reduceat(own[self._by_site], self._site_starts[:-1]) for own in values]
            sites = _smallest(self._sum(by_site))
            for parts in picked:
                parts += [self._by_site[self._site_starts[n] : self._site_starts[n + 1]] for n in sites]
        return [self._cheapest(own, parts) for own, parts in zip(values, picked, strict=True)]

    def _sum(self, values: Sequence[Exact]) -> Exact:
        """What all of them cost together."""
        total = values[0]
        for more in values[1:]:
            total = np.minimum(total + more, self.numbers.never)
        return total

    def _best_of_regions(self, least: Exact) -> list[int]:
        """The cheapest place of each region."""
        order, starts = self._regions
        sorted_least = least[order]
        lows = np.repeat(np.minimum.reduceat(sorted_least, starts), np.diff(np.append(starts, len(order))))
        hits = np.flatnonzero(sorted_least == lows)
        region = np.searchsorted(starts, hits, "right")
        best: list[int] = order[hits[np.unique(region, return_index=True)[1]]].tolist()
        return best

    def _cheapest(self, values: Exact, parts: Sequence[Ints]) -> Ints:
        """The few cheapest offers of each part, if they are possible at all."""
        best = [part[np.argsort(values[part], kind="stable")[:EACH]] for part in parts]
        found = np.unique(np.concatenate(best))
        return found[values[found] < self.numbers.never]


def _states(values: Sequence[Exact], offers: Sequence[Ints], outs: Sequence[int]) -> list[States]:
    return [States(k, own[k], out) for own, k, out in zip(values, offers, outs, strict=True)]


def _smallest(values: Exact) -> list[int]:
    """Where the smallest few values stand."""
    few = np.argpartition(values, NEAREST)[:NEAREST] if values.dtype != object and len(values) > NEAREST else np.argsort(values)[:NEAREST]
    found: list[int] = few.tolist()
    return found


def _regions(market: Market) -> tuple[Ints, Ints]:
    """(places by region, where each region starts)."""
    cell = np.array([(s.lat + 90) // CELL_DEGREES * 1000 + (s.lon + 180) // CELL_DEGREES for s in market.spots], dtype=np.int64)
    order = np.argsort(cell, kind="stable")
    return order, np.flatnonzero(np.diff(cell[order], prepend=-1))
