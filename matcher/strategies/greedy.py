"""Greedy by priority: a first plan that is feasible, and what a tired person would do with a spreadsheet."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from matcher.evaluate import plan_of
from matcher.problem import BLOCKED, UNPLACED, Arcs, Problem
from matcher.result import Plan


def greedy_plan(problem: Problem, arcs: Arcs) -> Plan | None:
    """Serve parties in order (pinned first, then dearest to leave out, then lottery); each takes its cheapest arc that fits.

    Parties that must be placed both or neither are served together: if one of them finds nothing, none is placed. None if
    a pinned party finds nothing.
    """
    return _Greedy(problem, arcs).run()


class _Greedy:
    def __init__(self, problem: Problem, arcs: Arcs) -> None:
        self.problem, self.arcs = problem, arcs
        self.left = problem.capacity.copy()
        self.homes = [UNPLACED] * len(problem.parties)
        self.rooms: list[tuple[int, ...]] = [()] * len(problem.parties)
        self.first = np.searchsorted(arcs.party, np.arange(len(problem.parties) + 1))
        total = arcs.cost.sum(axis=1)
        self.order = [
            [int(e) for e in self.first[q] + np.argsort(total[self.first[q] : self.first[q + 1]], kind="stable")]
            for q in range(len(problem.parties))
        ]
        self.links = defaultdict(list)
        for link in problem.links:
            if link.binds:
                self.links[link.first].append(link)
                self.links[link.second].append(link)

    def run(self) -> Plan | None:
        problem = self.problem
        out = problem.unplaced_by_stage().sum(axis=1)
        persons = problem.party_persons()
        rank = [min(problem.lottery[h] for h in party) for party in problem.parties]
        queue = sorted(range(len(problem.parties)), key=lambda q: (not problem.must[q], -out[q] / persons[q], -persons[q], rank[q]))
        for q in queue:
            if self.homes[q] == UNPLACED:
                group = self._bound_to(q)
                if not self._place(group) and any(problem.must[p] for p in group):
                    return None
        return plan_of(problem, self.homes, self.rooms)

    def _bound_to(self, q: int) -> list[int]:
        """The party and all that must be placed with it."""
        group = [q]
        for p in group:
            for link in self.links[p]:
                other = link.second if link.first == p else link.first
                if link.both_or_neither and other not in group:
                    group.append(other)
        return group

    def _place(self, group: list[int]) -> bool:
        """Place a whole group by depth-first search, a few steps deep at the most; or nobody of it."""
        self.tries = 2000
        if self._extend(group, 0):
            return True
        for q in group:
            self.homes[q] = UNPLACED
            self.rooms[q] = ()
        return False

    def _extend(self, group: list[int], position: int) -> bool:
        if position == len(group):
            return True
        q = group[position]
        for e in self.order[q]:
            self.tries -= 1
            if self.tries < 0:
                return False
            if not self._fits(q, e):
                continue
            self._take(e, 1)
            self.homes[q], self.rooms[q] = int(self.arcs.offer[e]), self.arcs.rooms[e]
            if self._extend(group, position + 1):
                return True
            self._take(e, -1)
            self.homes[q], self.rooms[q] = UNPLACED, ()
        return False

    def _take(self, e: int, sign: int) -> None:
        span = slice(self.arcs.start[e], self.arcs.start[e + 1])
        np.subtract.at(self.left, self.arcs.resource[span], sign * self.arcs.amount[span])

    def _fits(self, q: int, e: int) -> bool:
        span = slice(self.arcs.start[e], self.arcs.start[e + 1])
        if (self.left[self.arcs.resource[span]] < self.arcs.amount[span]).any():
            return False
        offer = np.array([self.arcs.offer[e]])
        for link in self.links[q]:
            other = self.homes[link.second if link.first == q else link.first]
            if other == UNPLACED:
                continue
            there = np.array([other])
            ends = (offer, there) if link.first == q else (there, offer)
            if self.problem.link_matrix(link, *ends)[0, 0] >= BLOCKED:
                return False
        return True
