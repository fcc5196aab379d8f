"""HiGHS on a `Program`, through OR-Tools' MathOpt: a branch-and-bound on the LP, much quicker where CP-SAT's bound crawls.

It works in floating point, so nothing it says is taken on trust: a plan is recounted in integers, and a search counts as
closed only if its bound is within half a unit of that count. Its limits are numbers of nodes, so that the same work is
done on every machine.
"""

from __future__ import annotations

import datetime as dt

from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from matcher.strategies.program import Found, Program

NODES_PER_WORK = 40
WORK_PER_NONZERO = 2e-5
HALF = 0.49


def search(program: Program, work: float, time_limit_s: float, seed: int) -> Found:
    """The best plan of the program, within `work` units (counted in nodes) and `time_limit_s` of the clock."""
    model = mathopt.Model()
    variables = [model.add_integer_variable(lb=0, ub=upper) for upper in program.upper]
    for terms, low, high in program.rows:
        row = model.add_linear_constraint(lb=float("-inf") if low is None else low, ub=float("inf") if high is None else high)
        for n, v in terms:
            row.set_coefficient(variables[v], n)
    for n, v in program.goal:
        model.objective.set_linear_coefficient(variables[v], n)
    parameters = mathopt.SolveParameters(
        time_limit=dt.timedelta(seconds=max(0.01, time_limit_s)),
        relative_gap_tolerance=0.0,
        absolute_gap_tolerance=HALF,
        random_seed=seed % (1 << 31),
    )
    parameters.highs.int_options["mip_max_nodes"] = max(1, int(work * NODES_PER_WORK))
    result = mathopt.solve(model, mathopt.SolverType.HIGHS, params=parameters)
    reason = result.termination.reason
    spent = min(work, 0.1 + WORK_PER_NONZERO * sum(len(terms) for terms, _, _ in program.rows))
    if reason == mathopt.TerminationReason.INFEASIBLE:
        return Found(None, closed=True, work=spent)
    if reason not in (mathopt.TerminationReason.OPTIMAL, mathopt.TerminationReason.FEASIBLE):
        return Found(None, closed=False, work=work)
    values = result.variable_values(variables)
    plan = program.plan_from(lambda v: values[v] > 0.5)
    count = program.value_of(plan)
    closed = reason == mathopt.TerminationReason.OPTIMAL and count is not None and _reached(result, count)
    return Found(None if count is None else plan, closed, spent if closed else work)


def _reached(result: mathopt.SolveResult, count: int) -> bool:
    """Is the solver's bound within half a unit of the exact count of its plan?"""
    return bool(count - result.termination.objective_bounds.dual_bound <= HALF + 1e-6 * max(1.0, abs(count) * 1e-3))
