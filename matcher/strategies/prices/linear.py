"""Arcs as a linear or integer program for OR-Tools' MathOpt, built by column, and what its solvers say about it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2  # type: ignore[import-untyped]
from ortools.math_opt.python import mathopt  # type: ignore[import-untyped]

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices

Floats = NDArray[np.float64]


def uses_of(choices: Choices, arcs: Ints) -> tuple[Ints, Ints, Ints]:
    """(position of the arc, row, amount) of all uses of some arcs."""
    bundle = choices.bundle[arcs]
    count = choices.use_start[bundle + 1] - choices.use_start[bundle]
    at = np.repeat(choices.use_start[bundle], count) + np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(np.arange(len(arcs)), count), choices.use_row[at].astype(np.int64), choices.use_amount[at].astype(np.int64)


@dataclass(frozen=True)
class Program:
    """proto: the model, with a row for each of `people` parties first and then one for each of `rows`, the resources. here: the variables
    that are 1 where everybody stands, if that is known."""

    proto: model_pb2.ModelProto
    people: int
    rows: Ints
    here: Bools | None


def make_program(
    choices: Choices, chosen: Ints, out: Ints, free: Ints, *, integer: bool, now: Ints | None = None, stays: float = 0.0
) -> Program:
    """One variable for each arc of the chosen parties (positions in the choices); out: cost of leaving each of them out. now: the arc that
    each of them has, -1 for none: costs count from there, and it is `stays` cheaper."""
    arcs, position = arcs_of(choices, chosen)
    people, variables = len(chosen), len(arcs)
    arc, row, amount = uses_of(choices, arcs)
    rows, row = np.unique(row, return_inverse=True)
    gain = (choices.cost[arcs] - out[position]).astype(np.float64)
    here = np.zeros(variables, dtype=np.bool_) if now is None else arcs == now[position]
    gain[here] -= stays
    model = model_pb2.ModelProto()
    model.variables.ids.extend(range(variables))
    model.variables.lower_bounds.extend([0.0] * variables)
    model.variables.upper_bounds.extend([1.0 if integer else np.inf] * variables)
    model.variables.integers.extend([integer] * variables)
    model.objective.linear_coefficients.ids.extend(range(variables))
    model.objective.linear_coefficients.values.extend(gain.tolist())
    model.objective.offset = -float(gain[here].sum())
    model.linear_constraints.ids.extend(range(people + len(rows)))
    model.linear_constraints.lower_bounds.extend([-np.inf] * (people + len(rows)))
    limits = np.maximum(free[rows], 0).astype(np.float64)
    model.linear_constraints.upper_bounds.extend([1.0] * people + limits.tolist())
    row_ids = np.concatenate([position, people + row.ravel()])
    column_ids = np.concatenate([np.arange(variables), arc])
    values = np.concatenate([np.ones(variables), amount.astype(np.float64)])
    order = np.lexsort((column_ids, row_ids))
    matrix = model.linear_constraint_matrix
    matrix.row_ids.extend(row_ids[order].tolist())
    matrix.column_ids.extend(column_ids[order].tolist())
    matrix.coefficients.extend(values[order].tolist())
    return Program(model, people, rows, None if now is None else here)


def arcs_of(choices: Choices, parties: Ints) -> tuple[Ints, Ints]:
    """(arcs of some parties, position of the party of each)."""
    size = choices.start[parties + 1] - choices.start[parties]
    position = np.repeat(np.arange(len(parties)), size)
    at = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    return choices.start[parties][position] + at, position


@dataclass(frozen=True)
class Answer:
    """values: of the variables, None if nothing was found. prices: of the resources (LP only, else empty), by position in the program's
    rows, ≥ 0. cost: objective, from what stands where that is known. hurried: the clock cut the search."""

    values: Floats | None
    prices: Floats
    cost: float
    hurried: bool = False


def solve_program(program: Program, *, integer: bool, seconds: float, nodes: int | None = None, within: float = 0.0) -> Answer:
    """By GLOP; or by SCIP where whole arcs are asked for, from what stands and to that much from the best."""
    if not len(program.proto.variables.ids):
        return Answer(np.zeros(0), np.zeros(len(program.rows)), 0.0)
    parameters = mathopt.SolveParameters(time_limit=dt.timedelta(seconds=max(0.1, seconds)))
    if integer:
        parameters.relative_gap_tolerance, parameters.absolute_gap_tolerance = 0.0, within
        if nodes is not None:
            parameters.node_limit = nodes
        parameters.gscip.bool_params["misc/catchctrlc"] = False  # Ctrl-C is ours
    solver = mathopt.SolverType.GSCIP if integer else mathopt.SolverType.GLOP
    model = mathopt.Model.from_model_proto(program.proto)
    start = mathopt.ModelSolveParameters()
    if integer and program.here is not None:
        stands = zip(model.variables(), program.here.tolist(), strict=True)
        start.solution_hints.append(mathopt.SolutionHint(variable_values={x: float(here) for x, here in stands}))
    result = mathopt.solve(model, solver, params=parameters, model_params=start)
    limit = result.termination.limit  # time is the only one that GLOP is given, and it does not call it so
    hurried = limit == mathopt.Limit.TIME if integer else limit is not None
    if not result.has_primal_feasible_solution():
        return Answer(None, np.zeros(len(program.rows)), 0.0, hurried)
    values = np.array([x for _, x in sorted((v.id, x) for v, x in result.variable_values().items())])
    prices = np.zeros(len(program.rows))
    if not integer and result.has_dual_feasible_solution():
        duals = np.array([x for _, x in sorted((row.id, x) for row, x in result.dual_values().items())])
        prices = np.maximum(0.0, -duals[program.people :])
    return Answer(values, prices, float(result.objective_value()), hurried)
