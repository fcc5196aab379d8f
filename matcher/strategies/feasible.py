"""Can all of these parties be placed together? And the smallest set of positions that meets a list of sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from ortools.sat.python import cp_model

from matcher.errors import InternalError
from matcher.layers import Bools
from matcher.problem import Arcs, Problem
from matcher.strategies import cpsat
from matcher.strategies.program import Program

WORK = 60.0


def can_place(
    problem: Problem, arcs: Arcs, parties: Iterable[int], allowed: Bools, seconds: float = 60.0, work: float = WORK
) -> bool | None:
    """Is there a plan that places all of `parties` by `allowed` arcs (length E)? Everybody else may stay out.

    None: not settled within the limits.
    """
    wanted = set(parties)
    must = np.array([q in wanted for q in range(len(problem.parties))], dtype=np.bool_)
    group = _bound_to(problem, wanted)
    keep = np.isin(arcs.party, sorted(group)) & allowed
    served = ~must
    served[arcs.party[keep]] = True
    if not served.all():
        return False
    free = replace(problem, must=must, floors=(), links=tuple(x for x in problem.links if x.binds))
    program = Program(free, arcs, 0, (), keep, ~must, costs=False)
    found = cpsat.search(program, None, work, seconds, 0, lambda _: None)
    if found.plan is not None:
        return True
    return False if found.closed else None


def _bound_to(problem: Problem, parties: set[int]) -> set[int]:
    """The parties and all that must be placed with them."""
    group, queue = set(parties), sorted(parties)
    for p in queue:
        for link in problem.links:
            if link.both_or_neither and p in (link.first, link.second):
                other = link.second if link.first == p else link.first
                if other not in group:
                    group.add(other)
                    queue.append(other)
    return group


def smallest_hitting_set(elements: Sequence[int], sets: Sequence[frozenset[int]]) -> frozenset[int]:
    """A smallest set of elements that has one in common with each of `sets`."""
    model = cp_model.CpModel()
    chosen = {e: model.new_bool_var("") for e in elements}
    for group in sets:
        model.add_bool_or([chosen[e] for e in sorted(group)])
    model.minimize(sum(chosen.values()))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.catch_sigint_signal = False
    if solver.solve(model) != cp_model.OPTIMAL:
        raise InternalError("a covering problem that always has an answer got none")
    return frozenset(e for e, var in chosen.items() if solver.boolean_value(var))
