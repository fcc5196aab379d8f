"""Parties merged by their links into trees, and the least cost of a tree by dynamic programming from leaves to root."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matcher.model import Accommodation, Tie
from tests.check.plain.arcs import Arcs, Exact
from tests.check.plain.costs import link_cost
from tests.check.plain.ties import offers_hold, same_site
from tests.check.plain.world import Stay, World

# Stands for "cannot be": above every sum of real costs, and still an exact integer.
NEVER = 1 << 4000


@dataclass(frozen=True)
class Branch:
    """A party above which another hangs, as positions in the list of arcs. State 0 is unplaced, 1 + k the k-th offer.

    cost: linked cost for each state of the child (rows) and of the parent (columns). ban: what cannot be together.
    """

    child: int
    parent: int
    cost: Exact
    ban: NDArray[np.bool_]


@dataclass(frozen=True)
class Forest:
    """roots: one party of each tree. branches: every child before its parent is a child itself."""

    roots: tuple[int, ...]
    branches: tuple[Branch, ...]

    def least(self, values: Sequence[Exact], ties_weight: int) -> int:
        """Σ over trees of the least Σ values of its parties + links. values: for each party, one for each state."""
        values = list(values)
        for branch in self.branches:
            joint = values[branch.child][:, None] + branch.cost * ties_weight
            joint[branch.ban] = NEVER
            values[branch.parent] = values[branch.parent] + joint.min(axis=0)
        return sum(int(values[root].min()) for root in self.roots)


def check_merged(world: World, merged: Sequence[tuple[str, str]]) -> list[str]:
    """Pairs of free households, of two parties, that close no circle."""
    faults: list[str] = []
    boss = {party.ids[0]: party.ids[0] for party in world.parties}

    def find(i: str) -> str:
        while boss[i] != i:
            i = boss[i]
        return i

    for one, other in merged:
        if one not in world.party_of or other not in world.party_of:
            faults.append(f"[merged] {one} and {other} are not both free")
            continue
        top, bottom = find(world.party_of[one].ids[0]), find(world.party_of[other].ids[0])
        if top == bottom:
            faults.append(f"[merged] {one} and {other} close a circle")
        boss[bottom] = top
    return faults


def plant(world: World, arcs: Sequence[Arcs], merged: Sequence[tuple[str, str]]) -> Forest:
    """Trees of the parties, hung up by the first of each."""
    position = {i: n for n, each in enumerate(arcs) for i in each.party.ids}
    near: list[set[int]] = [set() for _ in arcs]
    for one, other in merged:
        near[position[one]].add(position[other])
        near[position[other]].add(position[one])
    links: dict[tuple[int, int], list[Tie]] = {}
    for tie in world.links:
        if tie.household_id in position and tie.other_household_id in position:
            ends = sorted((position[tie.household_id], position[tie.other_household_id]))
            links.setdefault((ends[0], ends[1]), []).append(tie)
    roots: list[int] = []
    downward: list[tuple[int, int]] = []
    seen: set[int] = set()
    for root in range(len(arcs)):
        if root in seen:
            continue
        roots.append(root)
        todo = [(root, root)]
        while todo:
            node, parent = todo.pop()
            seen.add(node)
            if node != parent:
                downward.append((node, parent))
            todo += [(child, node) for child in sorted(near[node]) if child != parent]
    branches = [_branch(world, arcs, c, p, links.get((min(c, p), max(c, p)), [])) for c, p in reversed(downward)]
    return Forest(tuple(roots), tuple(branches))


def _branch(world: World, arcs: Sequence[Arcs], child: int, parent: int, ties: Sequence[Tie]) -> Branch:
    """All links between two parties, for every joint placement."""
    rows, columns = arcs[child].offers, arcs[parent].offers
    cost = np.zeros((1 + len(rows), 1 + len(columns)), dtype=object)
    ban = np.zeros(cost.shape, dtype=np.bool_)
    for tie in ties:
        turned = tie.household_id not in arcs[child].party.ids
        one, other = (columns, rows) if turned else (rows, columns)
        if tie.binds:
            broken = np.equal(_every_pair(partial(offers_hold, world, tie), one, other), False)
            ban[1:, 1:] |= broken.T if turned else broken
            if tie.kind != "apart":
                ban[0, 1:] = ban[1:, 0] = True
        else:
            costs = _every_pair(partial(link_cost, world, tie), one, other)
            cost[1:, 1:] += costs.T if turned else costs
    if any(_meet(world.stays[g], world.stays[h]) for g in arcs[child].party.ids for h in arcs[parent].party.ids):
        # Two parties at a time in an offer that is not shared: no plan holds that, so it is no joint placement.
        for i, a in enumerate(rows):
            for j, b in enumerate(columns):
                if a is b and not a.shared:
                    ban[1 + i, 1 + j] = True
    return Branch(child, parent, cost, ban)


def _meet(one: Stay, other: Stay) -> bool:
    """Is there a night that both are there?"""
    return one.present(max(one.arrival, other.arrival)) and other.present(max(one.arrival, other.arrival))


def _every_pair(of: Callable[[Accommodation, Accommodation], int], one: Sequence[Accommodation], other: Sequence[Accommodation]) -> Exact:
    """A function of two offers over all pairs; it depends on their spots and on whether they are one site or one offer."""
    known: dict[tuple[object, object, bool, bool], int] = {}
    answers = np.zeros((len(one), len(other)), dtype=object)
    spots_one = [(a.spot.lat, a.spot.lon, a.spot.key) for a in one]
    spots_other = [(b.spot.lat, b.spot.lon, b.spot.key) for b in other]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            key = (spots_one[i], spots_other[j], same_site(a, b), a is b)
            if key not in known:
                known[key] = of(a, b)
            answers[i, j] = known[key]
    return answers
