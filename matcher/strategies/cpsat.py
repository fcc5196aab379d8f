"""CP-SAT on a `Program`: exact in integers.

Guards against what is known of OR-Tools 9.15: values are read through one gate only (`Program.plan_from`); no row is
enforced by a literal; the cut-off row is coarsened until Σ |coefficient · bound| is below 2^31; rows with larger
coefficients than 2^27 (held stages) are solved without presolve, which gets them wrong; rows that could overflow are
refused; the limit is deterministic time; one worker.
"""

from __future__ import annotations

from collections.abc import Callable

from ortools.sat.python import cp_model

from matcher.errors import InternalError
from matcher.result import Plan
from matcher.strategies.program import Found, Program, Terms, fits

SAFE_ROW = 1 << 31
SAFE_COEFFICIENT = 1 << 27
OnPlan = Callable[[Plan], None]


def search(program: Program, below: int | None, work: float, time_limit_s: float, seed: int, on_plan: OnPlan) -> Found:
    """Search for plans that cost less than `below` (None: any), within `work` units of deterministic time and
    `time_limit_s` of the clock. Every better plan goes to `on_plan`."""
    model = cp_model.CpModel()
    variables = [model.new_int_var(0, upper, "") for upper in program.upper]
    rows = list(program.rows)
    if below is not None:
        limit = below - 1 - program.base
        if limit < 0:
            return Found(None, closed=True, work=0.0)
        rows += _cut_off(program, limit)
    for terms, low, high in rows:
        _add(model, variables, program.upper, terms, low, high)
    model.minimize(_sum(variables, program.goal))
    solver = cp_model.CpSolver()
    parameters = solver.parameters
    parameters.num_workers = 1
    parameters.random_seed = seed % (1 << 31)
    parameters.max_deterministic_time = work
    parameters.max_time_in_seconds = max(0.01, time_limit_s)
    parameters.linearization_level = 2
    if any(abs(n) >= SAFE_COEFFICIENT for terms, _, _ in rows for n, _ in terms):
        parameters.cp_model_presolve = False  # presolve gives wrong answers on such rows (tests/test_cpsat.py)
    parameters.catch_sigint_signal = False  # it would take the caller's own handler away for good
    status = solver.solve(model, _Callback(program, variables, on_plan))
    if status == cp_model.MODEL_INVALID:
        raise InternalError("the search model is invalid: " + model.validate())
    plan = None
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        plan = program.plan_from(lambda v: solver.value(variables[v]) > 0)
    return Found(plan, status in (cp_model.OPTIMAL, cp_model.INFEASIBLE), solver.deterministic_time)


def _cut_off(program: Program, limit: int) -> list[tuple[Terms, int | None, int | None]]:
    """goal ≤ limit, as rows that presolve can be trusted with: what costs more alone is ruled out, the rest is one row in
    coarser units (rounded down, so that it never rules out more than it should)."""
    rows: list[tuple[Terms, int | None, int | None]] = [([(1, v)], None, 0) for n, v in program.goal if n > limit and program.upper[v] == 1]
    left = [(n, v) for n, v in program.goal if n <= limit or program.upper[v] > 1]
    unit = 1 + _size(left, program.upper) // SAFE_ROW
    coarse = [(n // unit, v) for n, v in left if n // unit]
    if coarse and fits(coarse, program.upper) > limit // unit:
        rows.append((coarse, None, limit // unit))
    return rows


def _size(terms: Terms, upper: list[int]) -> int:
    """Σ |coefficient · bound| of a row."""
    return sum(abs(n) * upper[v] for n, v in terms)


def _add(
    model: cp_model.CpModel, variables: list[cp_model.IntVar], upper: list[int], terms: Terms, low: int | None, high: int | None
) -> None:
    plain = all(n == 1 and upper[v] == 1 for n, v in terms)
    if plain and high == 1 and low == 1:
        model.add_exactly_one(variables[v] for _, v in terms)
    elif plain and high == 1 and low is None:
        model.add_at_most_one(variables[v] for _, v in terms)
    elif low == high and low is not None:
        model.add(_sum(variables, terms) == low)
    else:
        if low is not None:
            model.add(_sum(variables, terms) >= low)
        if high is not None:
            model.add(_sum(variables, terms) <= high)


def _sum(variables: list[cp_model.IntVar], terms: Terms) -> cp_model.LinearExprT:
    return cp_model.LinearExpr.weighted_sum([variables[v] for _, v in terms], [n for n, _ in terms])


class _Callback(cp_model.CpSolverSolutionCallback):
    """Ships every better plan."""

    def __init__(self, program: Program, variables: list[cp_model.IntVar], on_plan: OnPlan) -> None:
        super().__init__()
        self.program, self.variables, self.on_plan = program, variables, on_plan

    def on_solution_callback(self) -> None:
        self.on_plan(self.program.plan_from(lambda v: self.value(self.variables[v]) > 0))
