"""One stage's search as an integer program over a subset of arcs: plain rows, which any exact solver can take."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from matcher.bounds import link_costs
from matcher.errors import Fault, InputError
from matcher.evaluate import broken, cost_by_stage, plan_of
from matcher.layers import Bools, Ints
from matcher.problem import BLOCKED, UNPLACED, Arcs, Problem
from matcher.result import Plan

LARGEST_ROW = 1 << 60
Terms = list[tuple[int, int]]  # (coefficient, variable)
Classes = list[tuple[int, list[int]]]  # (a position that stands for the class, its variables)


@dataclass(frozen=True)
class Found:
    """How a search ended. plan: the best it found, None if none. closed: the program was searched to its end. work: units of
    deterministic effort."""

    plan: Plan | None
    closed: bool
    work: float


def fits(row: Terms, upper: Sequence[int]) -> int:
    """The largest value the row can take. Raises InputError if it could overflow in a solver."""
    if sum(abs(n) * upper[v] for n, v in row) >= LARGEST_ROW:
        raise InputError([Fault("policy.toml", 0, "", "numbers_too_large", "the weights make costs too large for exact arithmetic")])
    return sum(n * upper[v] for n, v in row if n > 0)


class Program:
    """minimise goal + base over 0/1 variables (and a few integers), subject to lo ≤ row ≤ hi (None: open).

    keep: which arcs, length E. keep_out: which parties may stay out, length Q. held: values of the stages before, which may
    not be exceeded. costs: False asks only whether there is a plan at all.
    """

    def __init__(
        self, problem: Problem, arcs: Arcs, stage: int, held: Sequence[int], keep: Bools, keep_out: Bools, *, costs: bool = True
    ) -> None:
        self.problem, self.arcs, self.stage = problem, arcs, stage
        self.upper: list[int] = []
        self.rows: list[tuple[Terms, int | None, int | None]] = []
        self.arc_of = {int(e): self._variable() for e in np.flatnonzero(keep)}
        self.out = [self._variable() if keep_out[q] else None for q in range(len(problem.parties))]
        self.arcs_of_party: dict[int, list[int]] = defaultdict(list)
        self.by_offer: dict[tuple[int, int], list[int]] = defaultdict(list)
        for e, variable in self.arc_of.items():
            self.arcs_of_party[int(arcs.party[e])].append(e)
            self.by_offer[int(arcs.party[e]), int(arcs.offer[e])].append(variable)
        self.costs: list[Terms] = [[] for _ in problem.stages]
        self._parties()
        self._resources()
        self._floors()
        for pair in sorted({(min(x.first, x.second), max(x.first, x.second)) for x in problem.links}):
            self._pair(pair)
        for s, value in enumerate(held):
            self.at_most(self.costs[s], value - problem.fixed_cost[s])
        self.goal, self.base = self._goal() if costs else ([], 0)

    def _variable(self, upper: int = 1) -> int:
        self.upper.append(upper)
        return len(self.upper) - 1

    def _parties(self) -> None:
        """Each party takes one arc or stays out."""
        for q, out in enumerate(self.out):
            choices = [self.arc_of[e] for e in self.arcs_of_party[q]] + ([] if out is None else [out])
            self.rows.append(([(1, v) for v in choices], 1, 1))
            if out is not None:
                for s, value in enumerate(self.problem.unplaced_by_stage_of(q)):
                    if value:
                        self.costs[s].append((value, out))
        for e, variable in self.arc_of.items():
            for s, value in enumerate(self.arcs.cost[e].tolist()):
                if value:
                    self.costs[s].append((value, variable))

    def _resources(self) -> None:
        arcs = self.arcs
        rows: dict[int, Terms] = defaultdict(list)
        for e, variable in self.arc_of.items():
            for t in range(arcs.start[e], arcs.start[e + 1]):
                rows[int(arcs.resource[t])].append((int(arcs.amount[t]), variable))
        for r, row in sorted(rows.items()):
            self.at_most(row, self.problem.resources[r].capacity)

    def _floors(self) -> None:
        problem = self.problem
        party_of = {h: q for q, party in enumerate(problem.parties) for h in party}
        for floor in problem.floors:
            lost: dict[int, int] = defaultdict(int)
            for h in floor.households:
                lost[party_of[int(h)]] += int(problem.persons[h])
            may_miss = floor.fixed + sum(lost.values()) - floor.wanted  # persons who may be left out at no cost
            row = [(n, out) for q, n in sorted(lost.items()) if (out := self.out[q]) is not None]
            most = max(0, floor.wanted - floor.fixed)
            if floor.rate[1] == 1:
                steps = [(floor.rate[0], self._variable(most))]
            else:  # rounding makes the cost uneven from one missing person to the next
                steps = [(floor.cost(n + 1) - floor.cost(n), self._variable()) for n in range(most)]
                self.rows += [([(1, b), (-1, a)], None, 0) for (_, a), (_, b) in pairwise(steps)]
            self.rows.append(([*row, *((-1, v) for _, v in steps)], None, may_miss))
            self.costs[problem.floor_stage] += [(n, v) for n, v in steps if n]

    def _pair(self, pair: tuple[int, int]) -> None:
        """All links between two parties: joint choices over classes of offers that are alike for them."""
        a, b = pair
        links = [x for x in self.problem.links if {x.first, x.second} == {a, b}]
        offers = [np.unique([self.arcs.offer[e] for e in self.arcs_of_party[q]]).astype(np.int64) for q in pair]
        cost = link_costs(self.problem, links, a, b, 1, offers[0], offers[1])
        mine, theirs = self._classes(a, offers[0], cost[:-1]), self._classes(b, offers[1], cost[:, :-1].T)
        if all(x.binds for x in links):
            self._compatible(mine, theirs, cost)
            self._compatible(theirs, mine, cost.T)
        else:
            self._joint(mine, theirs, cost)

    def _classes(self, q: int, offers: Ints, body: Ints) -> Classes:
        """Classes of offers with equal rows in `body`; last the one for being left out."""
        members: dict[bytes, list[int]] = defaultdict(list)
        for i in range(len(offers)):
            members[np.ascontiguousarray(body[i]).tobytes()].append(i)
        found = [(group[0], [v for i in group for v in self.by_offer[q, int(offers[i])]]) for group in members.values()]
        out = self.out[q]
        return [*found, (len(offers), [] if out is None else [out])]

    def _compatible(self, mine: Classes, theirs: Classes, cost: Ints) -> None:
        """What one party chooses, the other must choose something compatible with."""
        everything = sum(len(others) for _, others in theirs)
        for i, variables in mine:
            friends = [v for j, others in theirs if cost[i, j] < BLOCKED for v in others]
            if variables and len(friends) < everything:
                self.rows.append(([(1, v) for v in variables] + [(-1, v) for v in friends], None, 0))

    def _joint(self, mine: Classes, theirs: Classes, cost: Ints) -> None:
        """One variable a joint choice; their sums are the parties' own choices."""
        row_of: dict[int, list[int]] = defaultdict(list)
        column_of: dict[int, list[int]] = defaultdict(list)
        for i, variables in mine:
            for j, others in theirs:
                if cost[i, j] < BLOCKED and variables and others:
                    both = self._variable()
                    row_of[i].append(both)
                    column_of[j].append(both)
                    if cost[i, j]:
                        self.costs[self.problem.party_cost_stage].append((int(cost[i, j]), both))
        for groups, joint in ((mine, row_of), (theirs, column_of)):
            for i, variables in groups:
                if variables:
                    self.rows.append(([(1, v) for v in variables] + [(-1, v) for v in joint[i]], 0, 0))

    def at_most(self, row: Terms, value: int) -> None:
        """row ≤ value, divided by what all coefficients share so that numbers stay small."""
        if fits(row, self.upper) > value:
            divisor = int(np.gcd.reduce([abs(n) for n, _ in row]))
            self.rows.append(([(n // divisor, v) for n, v in row], None, value // divisor))

    def _goal(self) -> tuple[Terms, int]:
        """This stage's costs, each party's cheapest choice taken off, and what that leaves to add."""
        cost = dict.fromkeys(range(len(self.upper)), 0)
        for n, v in self.costs[self.stage]:
            cost[v] += n
        base = self.problem.fixed_cost[self.stage]
        for q, out in enumerate(self.out):
            choices = [self.arc_of[e] for e in self.arcs_of_party[q]] + ([] if out is None else [out])
            least = min((cost[v] for v in choices), default=0)
            base += least
            for v in choices:
                cost[v] -= least
        goal = [(n, v) for v, n in cost.items() if n]
        fits(goal, self.upper)
        return goal, base

    def value_of(self, plan: Plan) -> int | None:
        """The goal of a plan, base apart, counted in integers; None if the plan does not hold."""
        if broken(self.problem, plan):
            return None
        return cost_by_stage(self.problem, plan)[self.stage] - self.base

    def plan_from(self, value: Callable[[int], bool]) -> Plan:
        """The plan that the variables' values say; `value` must be asked only of a solver that says it has some."""
        homes = [UNPLACED] * len(self.out)
        rooms: list[tuple[int, ...]] = [()] * len(self.out)
        for e, variable in self.arc_of.items():
            if value(variable):
                homes[int(self.arcs.party[e])] = int(self.arcs.offer[e])
                rooms[int(self.arcs.party[e])] = self.arcs.rooms[e]
        return plan_of(self.problem, homes, rooms)
