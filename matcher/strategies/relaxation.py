"""Capacity prices from the LP relaxation over all eligible arcs, by column generation with OR-Tools' GLOP.

The LP's duals are turned into integers; the bound that counts is then recomputed exactly from those (matcher.bounds), so
nothing here has to be trusted. Links along the forest enter as joint choices of two parties, which is the tightest linear
description of a tree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from ortools.linear_solver import pywraplp  # type: ignore[import-untyped]

from matcher.bounds import Pair, Prices, crowded, highest_price, largest_costs, link_costs, price_scale, share_of
from matcher.layers import Ints
from matcher.problem import BLOCKED, Arcs, Problem

FIRST_COLUMNS = 6
MORE_COLUMNS = 6
MOST_ROUNDS = 60


def relax(problem: Problem, arcs: Arcs, stage: int, held: Sequence[int], forest: Sequence[Pair]) -> Prices | None:
    """Solve the LP of a stage, the stages before held at their values. None if GLOP finds it has no solution.

    held: value of each stage before. Raises nothing: an LP that GLOP does not finish still gives valid prices, 0 at worst.
    """
    master = _Master(problem, arcs, stage, held, forest)
    return master.run()


class _Master:
    """The restricted LP and its columns. Costs are those of one stage; each stage before is one row."""

    def __init__(self, problem: Problem, arcs: Arcs, stage: int, held: Sequence[int], forest: Sequence[Pair]) -> None:
        self.problem, self.arcs, self.stage, self.held, self.forest = problem, arcs, stage, tuple(held), forest
        self.solver = pywraplp.Solver("prices", pywraplp.Solver.GLOP_LINEAR_PROGRAMMING)
        infinity = self.solver.infinity()
        self.infinity = infinity
        count = len(problem.parties)
        self.choose = [self.solver.Constraint(1, 1) for _ in range(count)]
        self.rows = [self.solver.Constraint(-infinity, r.capacity) for r in problem.resources]
        self.hold = [
            self.solver.Constraint(-infinity, float(v - f)) for v, f in zip(held, problem.fixed_cost[:stage], strict=True)
        ]  # fmt: skip
        free = [int(problem.persons[f.households].sum()) for f in problem.floors]
        self.floor_rows = [
            self.solver.Constraint(float(f.wanted - f.fixed - n), infinity) for f, n in zip(problem.floors, free, strict=True)
        ]  # fmt: skip
        self.goal = self.solver.Objective()
        self.goal.SetMinimization()
        self.columns: dict[int, pywraplp.Variable] = {}
        self.link_rows: dict[tuple[int, Pair], dict[int, pywraplp.Constraint]] = {}
        self.out = [self._out_column(q) for q in range(count)]
        self._floor_columns()
        in_trees = {q for pair in forest for q in pair}
        self.always = np.isin(arcs.party, sorted(in_trees))
        for pair in forest:
            self._joint_columns(pair)

    def _out_column(self, q: int) -> pywraplp.Variable:
        problem = self.problem
        cost = problem.unplaced_by_stage_of(q)
        column = self.solver.NumVar(0, 0 if problem.must[q] else self.infinity, "")
        self.choose[q].SetCoefficient(column, 1)
        self.goal.SetCoefficient(column, float(cost[self.stage]))
        for j, row in enumerate(self.hold):
            if cost[j]:
                row.SetCoefficient(column, float(cost[j]))
        return column

    def _floor_columns(self) -> None:
        problem = self.problem
        party_of = {h: q for q, party in enumerate(problem.parties) for h in party}
        for floor, row in zip(problem.floors, self.floor_rows, strict=True):
            short = self.solver.NumVar(0, self.infinity, "")
            row.SetCoefficient(short, 1)
            if self.stage == problem.floor_stage:
                self.goal.SetCoefficient(short, float(floor.least_rate))
            elif self.stage > problem.floor_stage:
                self.hold[problem.floor_stage].SetCoefficient(short, float(floor.least_rate))
            lost: dict[int, int] = defaultdict(int)
            for h in floor.households:
                lost[party_of[int(h)]] -= int(problem.persons[h])
            for q, n in lost.items():
                row.SetCoefficient(self.out[q], float(n))

    def _add(self, e: int) -> None:
        if e in self.columns:
            return
        arcs = self.arcs
        column = self.solver.NumVar(0, self.infinity, "")
        self.columns[e] = column
        q = int(arcs.party[e])
        self.choose[q].SetCoefficient(column, 1)
        self.goal.SetCoefficient(column, float(arcs.cost[e, self.stage]))
        for j, row in enumerate(self.hold):
            if arcs.cost[e, j]:
                row.SetCoefficient(column, float(arcs.cost[e, j]))
        for t in range(arcs.start[e], arcs.start[e + 1]):
            self.rows[arcs.resource[t]].SetCoefficient(column, float(arcs.amount[t]))

    def _joint_columns(self, pair: Pair) -> None:
        """Joint choices of two linked parties, over classes of offers that are alike for their links."""
        problem, arcs = self.problem, self.arcs
        a, b = pair
        offers = [np.unique(arcs.offer[arcs.party == q]) for q in pair]
        cost = link_costs(problem, problem.links, a, b, 1, offers[0], offers[1])
        self._crowded_rows(pair, offers, cost)
        _, row_class = np.unique(cost[:-1], axis=0, return_inverse=True)
        _, column_class = np.unique(cost[:, :-1], axis=1, return_inverse=True)
        row_class = np.append(row_class.ravel(), row_class.max(initial=-1) + 1)
        column_class = np.append(column_class.ravel(), column_class.max(initial=-1) + 1)
        rows = {}
        for side, (q, groups) in enumerate(((a, row_class), (b, column_class))):
            rows[side] = self._class_rows(q, offers[side], groups)
        weighs = problem.party_cost_stage
        for r in range(int(row_class.max()) + 1):
            for c in range(int(column_class.max()) + 1):
                i, j = int(np.argmax(row_class == r)), int(np.argmax(column_class == c))
                if cost[i, j] >= BLOCKED:
                    continue
                column = self.solver.NumVar(0, self.infinity, "")
                rows[0][r].SetCoefficient(column, -1)
                rows[1][c].SetCoefficient(column, -1)
                if self.stage == weighs:
                    self.goal.SetCoefficient(column, float(cost[i, j]))
                elif self.stage > weighs and cost[i, j]:
                    self.hold[weighs].SetCoefficient(column, float(cost[i, j]))

    def _crowded_rows(self, pair: Pair, offers: Sequence[Ints], cost: Ints) -> None:
        """In an offer that is not shared one of the two can be only if the other is elsewhere, in a place that suits both, or
        is left out. Without these rows both would be half in one flat and half left out."""
        a, b = pair
        for i, j in crowded(self.problem, a, b, offers[0], offers[1]):
            for q, other, at, friends in ((a, b, offers[0][i], cost[i]), (b, a, offers[1][j], cost[:, j])):
                there = offers[1] if other == b else offers[0]
                suits = {int(o) for o, c in zip(there, friends[:-1], strict=True) if c < BLOCKED and o != at}
                row = self.solver.Constraint(-self.infinity, 0)
                for e in np.flatnonzero(self.arcs.party == q):
                    if self.arcs.offer[e] == at:
                        self._add(int(e))
                        row.SetCoefficient(self.columns[int(e)], 1)
                for e in np.flatnonzero(self.arcs.party == other):
                    if int(self.arcs.offer[e]) in suits:
                        self._add(int(e))
                        row.SetCoefficient(self.columns[int(e)], -1)
                if friends[-1] < BLOCKED:
                    row.SetCoefficient(self.out[other], -1)

    def _class_rows(self, q: int, offers: Ints, groups: Ints) -> dict[int, pywraplp.Constraint]:
        """One row a class: what the party chooses in the class is what its joint choices say."""
        rows = {int(k): self.solver.Constraint(0, 0) for k in range(int(groups.max()) + 1)}
        rows[int(groups[-1])].SetCoefficient(self.out[q], 1)
        class_of = dict(zip(offers.tolist(), groups[:-1].tolist(), strict=True))
        for e in np.flatnonzero(self.arcs.party == q):
            self._add(int(e))
            rows[class_of[int(self.arcs.offer[e])]].SetCoefficient(self.columns[int(e)], 1)
        return rows

    def run(self) -> Prices | None:
        self._first_columns()
        every = np.arange(len(self.arcs))
        prices = np.zeros(len(self.rows))
        for _ in range(MOST_ROUNDS):
            status = self.solver.Solve()
            if status == pywraplp.Solver.INFEASIBLE and len(self.columns) < len(self.arcs):
                for e in every:
                    self._add(int(e))
                continue
            if status != pywraplp.Solver.OPTIMAL:
                nothing = [0.0] * len(self.floor_rows), [0.0] * len(self.hold)
                return None if status == pywraplp.Solver.INFEASIBLE else self._end(prices, *nothing)
            prices = np.array([-row.dual_value() for row in self.rows])
            if not self._more_columns(prices):
                break
        return self._end(prices, [row.dual_value() for row in self.floor_rows], [-row.dual_value() for row in self.hold])

    def _first_columns(self) -> None:
        """The cheapest arcs of every party, and all arcs of linked ones."""
        total = self.arcs.cost.sum(axis=1)
        for e in _cheapest(self.arcs.party, total, FIRST_COLUMNS):
            self._add(int(e))

    def _more_columns(self, prices: NDArray[np.float64]) -> bool:
        arcs = self.arcs
        reduced = arcs.cost[:, self.stage].astype(float)
        for j, row in enumerate(self.hold):
            reduced -= row.dual_value() * arcs.cost[:, j]
        reduced += np.bincount(arcs.of(), weights=prices[arcs.resource] * arcs.amount, minlength=len(arcs))
        reduced -= np.array([row.dual_value() for row in self.choose])[arcs.party]
        negative = np.flatnonzero((reduced < -1e-6 * (1 + np.abs(arcs.cost[:, self.stage]))) & ~self.always)
        fresh = [int(negative[i]) for i in _cheapest(arcs.party[negative], reduced[negative], MORE_COLUMNS)]
        fresh = [e for e in fresh if e not in self.columns]
        for e in fresh:
            self._add(e)
        return bool(fresh)

    def _end(self, prices: NDArray[np.float64], floors: list[float], hold: list[float]) -> Prices:
        """Any prices ≥ 0 prove a bound, so rounding them, and cutting off what would overflow, costs tightness at most."""
        problem = self.problem
        most, share, scale = largest_costs(problem), share_of(problem), price_scale(problem)
        multipliers = tuple(min(_whole(v * scale), share // max(1, most[j])) for j, v in enumerate(hold))
        top_rate = scale if self.stage == problem.floor_stage else 0
        if self.stage > problem.floor_stage:
            top_rate = multipliers[problem.floor_stage]
        highest = highest_price(problem)
        return Prices(
            scale=scale,
            stage=self.stage,
            capacity=np.array([min(_whole(v * scale), highest) for v in prices], dtype=np.int64),
            floors=np.array(
                [min(_whole(v * scale), top_rate * f.least_rate) for v, f in zip(floors, problem.floors, strict=True)], dtype=np.int64
            ),
            multipliers=multipliers,
            held=self.held,
        )


def _whole(value: float) -> int:
    """The nearest whole number, never below 0."""
    return max(0, round(value))


def _cheapest(group: Ints, value: NDArray[np.generic], most: int) -> Ints:
    """Positions of the `most` smallest values of each group."""
    order = np.lexsort((np.arange(len(group)), value, group))
    ranked = group[order]
    first = np.searchsorted(ranked, ranked)
    return order[np.arange(len(order)) - first < most]
