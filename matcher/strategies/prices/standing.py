"""A plan that stands while parts of the problem are solved anew: who is where, and what that leaves for others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from matcher.evaluate import arcs_allowed, link_value
from matcher.layers import Bools, Ints
from matcher.parts import BLOCKED, UNPLACED, Link
from matcher.problem import Problem
from matcher.strategies.prices.joining import join_nodes
from matcher.usage import Stock, uses


@dataclass
class Stands:
    """offers: of each party, or UNPLACED. rooms: the set that each takes."""

    offers: Ints
    rooms: list[tuple[int, ...]]

    @classmethod
    def nobody(cls, problem: Problem) -> Stands:
        """Everybody out."""
        return cls(np.full(len(problem.parties), UNPLACED, dtype=np.int64), [()] * len(problem.parties))

    @property
    def placed(self) -> Bools:
        """By party."""
        return np.asarray(self.offers != UNPLACED)

    def rooms_of(self, there: Ints) -> list[tuple[int, ...]]:
        """The room sets of some parties."""
        return [self.rooms[q] for q in there.tolist()]

    def uses(self, problem: Problem, there: Ints) -> tuple[Ints, Ints, Ints]:
        """(position in `there`, resource, amount) of all that some placed parties take."""
        return uses(problem, Stock.of(problem), there, self.offers[there], self.rooms_of(there))

    def without(self, problem: Problem, some: Bools) -> Problem:
        """The problem with what some of the parties take gone from its resources."""
        there = np.flatnonzero(some & self.placed)
        if not len(there):
            return problem
        _, row, amount = self.uses(problem, there)
        taken = np.zeros(len(problem.resources), dtype=np.int64)
        np.add.at(taken, row, amount)
        resources = list(problem.resources)
        for r in np.flatnonzero(taken).tolist():
            resources[r] = replace(resources[r], capacity=resources[r].capacity - int(taken[r]))
        return replace(problem, resources=tuple(resources))


def held_by_links(links: Sequence[Link], placed: Bools) -> Bools:
    """Parties with a place that are linked to others, and all those that hang on them by links, placed or not."""
    joined = np.arange(len(placed))
    ends = np.array([(x.first, x.second) for x in links], dtype=np.int64).reshape(-1, 2)
    join_nodes(ends[:, 0], ends[:, 1], len(placed), np.ones_like(joined), joined)
    linked = np.zeros(len(placed), dtype=np.bool_)
    linked[ends] = True
    some = np.zeros(len(placed), dtype=np.bool_)
    np.logical_or.at(some, joined, placed)
    return np.asarray(linked & some[joined])


def still_holds(problem: Problem, offers: Ints, rooms: Sequence[tuple[int, ...]]) -> Stands:
    """What of an earlier plan can stand now: rules, room sets, capacities in the order of the parties, and binding links."""
    stands = Stands(np.where((offers >= 0) & (offers < problem.offers), offers, UNPLACED), list(rooms))
    persons = problem.party_persons()
    there = np.flatnonzero(stands.placed)
    allowed = arcs_allowed(problem, there, stands.offers[there])
    stands.offers[there[~allowed]] = UNPLACED
    known: dict[tuple[int, int, int], frozenset[tuple[int, ...]]] = {}
    for q in np.flatnonzero(stands.placed).tolist():
        a = int(stands.offers[q])
        key = (int(persons[q]), int(problem.room_need[q]), a)
        if key not in known:
            known[key] = frozenset(problem.choices(*key))
        if stands.rooms[q] not in known[key]:
            stands.offers[q] = UNPLACED
    _drop_overfull(problem, stands)
    changed = True
    while changed:
        changed = False
        for link in problem.links:
            a, b = int(stands.offers[link.first]), int(stands.offers[link.second])
            split = link.both_or_neither and (a == UNPLACED) != (b == UNPLACED)
            if split or (link.binds and UNPLACED not in (a, b) and link_value(problem, link, a, b) >= BLOCKED):
                stands.offers[[link.first, link.second]] = UNPLACED
                changed = True
    for q in np.flatnonzero(~stands.placed).tolist():
        stands.rooms[q] = ()
    return stands


def _drop_overfull(problem: Problem, stands: Stands) -> None:
    """Who comes last where more is taken than there is, is out."""
    there = np.flatnonzero(stands.placed)
    arc, row, amount = stands.uses(problem, there)
    left = problem.capacity
    load = np.zeros(len(left), dtype=np.int64)
    np.add.at(load, row, amount)
    over = np.flatnonzero((load > left)[row])
    suspects = np.unique(arc[over])
    by_arc: dict[int, list[tuple[int, int]]] = {int(i): [] for i in suspects}
    concerned = np.isin(arc, suspects)
    for i, r, n in zip(arc[concerned].tolist(), row[concerned].tolist(), amount[concerned].tolist(), strict=True):
        by_arc[i].append((r, n))
    for i in reversed(suspects.tolist()):
        if any(load[r] > left[r] for r, _ in by_arc[i]):
            stands.offers[there[i]] = UNPLACED
            for r, n in by_arc[i]:
                load[r] -= n
