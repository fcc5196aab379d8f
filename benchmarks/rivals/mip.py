"""HiGHS and SCIP through MathOpt, on the rows that the program's own exact search is given."""

from __future__ import annotations

import datetime as dt

import numpy as np
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from benchmarks.rivals.end import End
from matcher.problem import Arcs, Problem
from matcher.strategies.program import Program

SOLVERS = {"highs": mathopt.SolverType.HIGHS, "scip": mathopt.SolverType.GSCIP}


class MipModel:
    """The weighted problem as a mixed-integer program; parameters as they come."""

    def __init__(self, problem: Problem, arcs: Arcs) -> None:
        every = np.ones(len(arcs), dtype=np.bool_)
        self.program = Program(problem, arcs, 0, (), every, ~problem.must)
        self.model = model = mathopt.Model()
        self.variables = [model.add_integer_variable(lb=0, ub=upper) for upper in self.program.upper]
        for terms, low, high in self.program.rows:
            row = model.add_linear_constraint(lb=float("-inf") if low is None else low, ub=float("inf") if high is None else high)
            for n, v in terms:
                row.set_coefficient(self.variables[v], n)
        for n, v in self.program.goal:
            model.objective.set_linear_coefficient(self.variables[v], n)
        model.objective.offset = self.program.base

    def solve(self, solver: str, seconds: float) -> End:
        """Let it run for `seconds`."""
        parameters = mathopt.SolveParameters(time_limit=dt.timedelta(seconds=seconds))
        result = mathopt.solve(self.model, SOLVERS[solver], params=parameters)
        reason = result.termination.reason
        bound = result.termination.objective_bounds.dual_bound
        if reason not in (mathopt.TerminationReason.OPTIMAL, mathopt.TerminationReason.FEASIBLE):
            return End(None, bound, reason.name)
        values = result.variable_values(self.variables)
        return End(self.program.plan_from(lambda v: values[v] > 0.5), bound, reason.name)
