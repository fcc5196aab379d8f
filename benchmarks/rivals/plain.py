"""CP-SAT as a user would write it: every arc that it is given a bool, a row for every rule, links by nested loops, default parameters."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from ortools.sat.python import cp_model

from benchmarks.rivals.end import End
from matcher.evaluate import plan_of
from matcher.problem import BLOCKED, UNPLACED, Arcs, Problem


class PlainModel:
    """The whole problem, weighted order, written down once."""

    def __init__(self, problem: Problem, arcs: Arcs) -> None:
        self.problem, self.arcs = problem, arcs
        self.model = model = cp_model.CpModel()
        self.take = [model.new_bool_var(f"take_{e}") for e in range(len(arcs))]
        self.out = [model.new_bool_var(f"out_{q}") for q in range(len(problem.parties))]
        self.cost: list[Any] = [sum(problem.fixed_cost)]
        self._parties()
        self._capacities()
        self._links()
        self._floors()
        model.minimize(sum(self.cost))

    def _parties(self) -> None:
        arcs_of: dict[int, list[int]] = defaultdict(list)
        for e in range(len(self.arcs)):
            arcs_of[int(self.arcs.party[e])].append(e)
            self.cost.append(int(self.arcs.cost[e].sum()) * self.take[e])
        for q, out in enumerate(self.out):
            self.model.add_exactly_one([*(self.take[e] for e in arcs_of[q]), out])
            self.cost.append(sum(self.problem.unplaced_by_stage_of(q)) * out)
            if self.problem.must[q]:
                self.model.add(out == 0)

    def _capacities(self) -> None:
        used: dict[int, list[Any]] = defaultdict(list)
        for e in range(len(self.arcs)):
            for t in range(self.arcs.start[e], self.arcs.start[e + 1]):
                used[int(self.arcs.resource[t])].append(int(self.arcs.amount[t]) * self.take[e])
        for r, terms in used.items():
            self.model.add(sum(terms) <= self.problem.resources[r].capacity)

    def _links(self) -> None:
        at: dict[int, dict[int, Any]] = defaultdict(dict)
        for e in range(len(self.arcs)):
            here = at[int(self.arcs.party[e])]
            offer = int(self.arcs.offer[e])
            here[offer] = here.get(offer, 0) + self.take[e]
        for link in self.problem.links:
            if link.both_or_neither:
                self.model.add(self.out[link.first] == self.out[link.second])
            mine, theirs = at[link.first], at[link.second]
            cost = self.problem.link_matrix(link, np.array([*mine], dtype=np.int64), np.array([*theirs], dtype=np.int64))
            dearest = int(np.where(cost < BLOCKED, cost, 0).max(initial=0))
            pays = self.model.new_int_var(0, dearest, "")
            for i, first in enumerate(mine.values()):
                for j, second in enumerate(theirs.values()):
                    if cost[i, j] >= BLOCKED:
                        self.model.add(first + second <= 1)
                    elif cost[i, j] > 0:
                        self.model.add(pays >= int(cost[i, j]) * (first + second - 1))
            self.cost.append(pays)

    def _floors(self) -> None:
        party_of = {h: q for q, party in enumerate(self.problem.parties) for h in party}
        for floor in self.problem.floors:
            missing = self.model.new_int_var(0, max(0, floor.wanted - floor.fixed), "")
            placed = sum(int(self.problem.persons[h]) * (1 - self.out[party_of[int(h)]]) for h in floor.households)
            self.model.add(placed + missing >= floor.wanted - floor.fixed)
            numerator, denominator = floor.rate
            pays = self.model.new_int_var(0, floor.cost(max(0, floor.wanted - floor.fixed)), "")
            self.model.add(2 * denominator * pays >= 2 * numerator * missing - denominator + 1)  # rounded half up
            self.cost.append(pays)

    def solve(self, seconds: float) -> End:
        """Let it run for `seconds`, with everything else as CP-SAT comes."""
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = seconds
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return End(None, solver.best_objective_bound, solver.status_name(status))
        homes = [UNPLACED] * len(self.out)
        rooms: list[tuple[int, ...]] = [()] * len(self.out)
        for e, take in enumerate(self.take):
            if solver.boolean_value(take):
                homes[int(self.arcs.party[e])] = int(self.arcs.offer[e])
                rooms[int(self.arcs.party[e])] = self.arcs.rooms[e]
        return End(plan_of(self.problem, homes, rooms), solver.best_objective_bound, solver.status_name(status))
