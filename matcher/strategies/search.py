"""The exact search: CP-SAT over the arcs that can still be in a better plan.

Guards against what is known of OR-Tools 9.15: values are read through one gate only; no row is enforced by a literal, and
a problem whose rows could overflow is refused; the limit is deterministic time; arcs come in canonical order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from matcher.bounds import pair_matrix
from matcher.errors import InternalError
from matcher.evaluate import plan_of
from matcher.layers import Bools, Ints
from matcher.problem import BLOCKED, UNPLACED, Arcs, Link, Problem
from matcher.result import Plan

LARGEST_ROW = 1 << 60
OnPlan = Callable[[Plan], None]


@dataclass(frozen=True)
class Found:
    """How a search ended. plan: the best better plan, None if there was none. closed: the search space was exhausted."""

    plan: Plan | None
    closed: bool
    work: float


Classes = list[tuple[int, list[cp_model.IntVar]]]


class Search:
    """One stage's model over a subset of arcs.

    keep: which arcs, length E. keep_out: which parties may stay out, length Q. held: values of the stages before, which
    may not be exceeded. below: only plans whose stage cost is smaller count (None: any). costs: False asks only whether
    there is a plan at all.
    """

    def __init__(
        self,
        problem: Problem,
        arcs: Arcs,
        stage: int,
        held: Sequence[int],
        keep: Bools,
        keep_out: Bools,
        below: int | None,
        costs: bool = True,
    ) -> None:
        self.problem, self.arcs, self.stage = problem, arcs, stage
        self.model = cp_model.CpModel()
        self.arc_of = {int(e): self.model.new_bool_var("") for e in np.flatnonzero(keep)}
        self.out = [self.model.new_bool_var("") if keep_out[q] else None for q in range(len(problem.parties))]
        self.by_party: dict[int, list[int]] = defaultdict(list)
        for e in self.arc_of:
            self.by_party[int(arcs.party[e])].append(e)
        self.by_offer: dict[tuple[int, int], list[cp_model.IntVar]] = defaultdict(list)
        for e, var in self.arc_of.items():
            self.by_offer[int(arcs.party[e]), int(arcs.offer[e])].append(var)
        self.costs: list[list[tuple[int, cp_model.IntVar]]] = [[] for _ in problem.stages]
        self.widest = max([1, *(floor.wanted for floor in problem.floors)])  # largest value of any variable
        self._parties()
        self._resources()
        self._floors()
        for pair in sorted({(min(x.first, x.second), max(x.first, x.second)) for x in problem.links}):
            self._pair(pair)
        if costs:
            self._stages(held, below)

    def _parties(self) -> None:
        """Each party takes one arc or stays out."""
        for q, out in enumerate(self.out):
            choices = [self.arc_of[e] for e in self.by_party[q]] + ([out] if out is not None else [])
            self.model.add_exactly_one(choices)
            if out is not None:
                for s, value in enumerate(self.problem.unplaced_by_stage_of(q)):
                    if value:
                        self.costs[s].append((value, out))
        for e, var in self.arc_of.items():
            for s, value in enumerate(self.arcs.cost[e].tolist()):
                if value:
                    self.costs[s].append((value, var))

    def _resources(self) -> None:
        arcs = self.arcs
        rows: dict[int, list[tuple[int, cp_model.IntVar]]] = defaultdict(list)
        for e, var in self.arc_of.items():
            for t in range(arcs.start[e], arcs.start[e + 1]):
                rows[int(arcs.resource[t])].append((int(arcs.amount[t]), var))
        for r, row in sorted(rows.items()):
            capacity = self.problem.resources[r].capacity
            if sum(n for n, _ in row) > capacity:
                if all(n == 1 for n, _ in row) and capacity == 1:
                    self.model.add_at_most_one([var for _, var in row])
                else:
                    self.model.add(_sum(row) <= capacity)

    def _floors(self) -> None:
        problem = self.problem
        party_of = {h: q for q, party in enumerate(problem.parties) for h in party}
        for floor in problem.floors:
            lost: dict[int, int] = defaultdict(int)
            for h in floor.households:
                lost[party_of[int(h)]] += int(problem.persons[h])
            spare = floor.fixed + sum(lost.values()) - floor.wanted  # persons who may be left out at no cost
            short = self.model.new_int_var(0, max(0, floor.wanted - floor.fixed), "")
            row = [(n, out) for q, n in sorted(lost.items()) if (out := self.out[q]) is not None]
            self.model.add(_sum([*row, (-1, short)]) <= spare)
            if floor.rate:
                self.costs[problem.floor_stage].append((floor.rate, short))

    def _pair(self, pair: tuple[int, int]) -> None:
        """All links between two parties: joint choices over classes of offers that are alike for them."""
        a, b = pair
        links = [x for x in self.problem.links if {x.first, x.second} == {a, b}]
        offers = [np.unique([self.arcs.offer[e] for e in self.by_party[q]]).astype(np.int64) for q in pair]
        cost = pair_matrix(self.problem, links, a, b, 1, offers[0], offers[1])
        rows, columns = self._classes(a, offers[0], cost, 0), self._classes(b, offers[1], cost, 1)
        if all(x.binds for x in links):
            self._compatible(rows, columns, cost)
            self._compatible(columns, rows, cost.T)
        else:
            self._joint(rows, columns, cost)

    def _classes(self, q: int, offers: Ints, cost: Ints, axis: int) -> Classes:
        """(a position that stands for the class, its variables) of each class; last the one for being left out."""
        body = cost[:-1] if axis == 0 else cost[:, :-1].T
        members: dict[bytes, list[int]] = defaultdict(list)
        for i in range(len(offers)):
            members[np.ascontiguousarray(body[i]).tobytes()].append(i)
        found = [(group[0], [v for i in group for v in self.by_offer[q, int(offers[i])]]) for group in members.values()]
        out = self.out[q]
        return [*found, (len(offers), [out] if out is not None else [])]

    def _compatible(self, mine: Classes, theirs: Classes, cost: Ints) -> None:
        """What one party chooses, the other must choose something compatible with."""
        for i, variables in mine:
            friends = [v for j, others in theirs if cost[i, j] < BLOCKED for v in others]
            if variables and len(friends) < sum(len(others) for _, others in theirs):
                self.model.add(sum(variables) <= sum(friends))

    def _joint(self, mine: Classes, theirs: Classes, cost: Ints) -> None:
        """One variable a joint choice; their sums are the parties' own choices."""
        row_of: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        column_of: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        for i, variables in mine:
            for j, others in theirs:
                if cost[i, j] < BLOCKED and variables and others:
                    both = self.model.new_bool_var("")
                    row_of[i].append(both)
                    column_of[j].append(both)
                    if cost[i, j]:
                        self.costs[self.problem.party_cost_stage].append((int(cost[i, j]), both))
        for groups, joint in ((mine, row_of), (theirs, column_of)):
            for i, variables in groups:
                if variables:
                    self.model.add(sum(variables) == sum(joint[i]))

    def _stages(self, held: Sequence[int], below: int | None) -> None:
        """Hold the stages before, minimise this one; divided by what all coefficients share, so that numbers stay small."""
        for s, value in enumerate(held):
            self._at_most(self.costs[s], value - self.problem.fixed_cost[s])
        goal = self.costs[self.stage]
        self.base = self.problem.fixed_cost[self.stage]
        if below is not None:
            self._at_most(goal, below - 1 - self.base)
        self.model.minimize(_sum(goal) if goal else 0)

    def _at_most(self, row: list[tuple[int, cp_model.IntVar]], value: int) -> None:
        if not row:
            if value < 0:
                self.model.add_bool_or([])
            return
        if sum(abs(n) for n, _ in row) * self.widest >= LARGEST_ROW:
            raise InternalError("the costs of this problem are too large for an exact search")
        divisor = int(np.gcd.reduce([abs(n) for n, _ in row]))
        self.model.add(_sum([(n // divisor, var) for n, var in row]) <= value // divisor)

    def run(self, effort: float, time_limit_s: float, seed: int, hint: Plan | None, on_plan: OnPlan) -> Found:
        """Search within `effort` units of deterministic time and `time_limit_s` of the clock."""
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = seed % (1 << 31)
        parameters.max_deterministic_time = effort
        parameters.max_time_in_seconds = max(0.01, time_limit_s)
        parameters.linearization_level = 2
        self._hint(hint)
        callback = _Callback(self, on_plan)
        status = solver.solve(self.model, callback)
        if status == cp_model.MODEL_INVALID:
            raise InternalError("the search model is invalid: " + self.model.validate())
        plan = self.plan_from(solver.boolean_value) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
        return Found(plan, status in (cp_model.OPTIMAL, cp_model.INFEASIBLE), solver.deterministic_time)

    def _hint(self, plan: Plan | None) -> None:
        if plan is None:
            return
        for e, var in self.arc_of.items():
            q = int(self.arcs.party[e])
            self.model.add_hint(var, plan.home[self.problem.parties[q][0]] == self.arcs.offer[e] and plan.rooms[q] == self.arcs.rooms[e])

    def plan_from(self, value: Callable[[cp_model.IntVar], bool]) -> Plan:
        """The only place where values of the solver are read; called only when it says that it has some."""
        homes = [UNPLACED] * len(self.out)
        rooms: list[tuple[int, ...]] = [()] * len(self.out)
        for e, var in self.arc_of.items():
            if value(var):
                homes[int(self.arcs.party[e])] = int(self.arcs.offer[e])
                rooms[int(self.arcs.party[e])] = self.arcs.rooms[e]
        return plan_of(self.problem, homes, rooms)


class _Callback(cp_model.CpSolverSolutionCallback):
    """Ships every better plan."""

    def __init__(self, search: Search, on_plan: OnPlan) -> None:
        super().__init__()
        self.search, self.on_plan = search, on_plan

    def on_solution_callback(self) -> None:
        self.on_plan(self.search.plan_from(self.boolean_value))


def _sum(row: list[tuple[int, cp_model.IntVar]]) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.weighted_sum([var for _, var in row], [n for n, _ in row])


__all__ = ["Found", "Link", "Search"]
