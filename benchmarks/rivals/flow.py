"""Min-cost flow of single persons (households may be split, rooms, needs and links are not seen), then a naive repair."""

from __future__ import annotations

import numpy as np
from ortools.graph.python import min_cost_flow  # type: ignore[import-untyped]

from benchmarks.rivals.offered import OFFERS
from benchmarks.rivals.serve import Serve
from matcher.layers import Ints
from matcher.problem import Problem

EXACT = 2520
"""Divisible by 1 to 10, so that the cost of most households divides by their persons."""


def flow(problem: Problem, offers: OFFERS, costs: Ints) -> Ints | None:
    """The offer of each party that the flow sends there as a whole, else -1; None if there is no flow.

    Rows of one resource by date count as one, the largest; what is not shared holds as many as its largest candidate.
    """
    persons = problem.party_persons()
    parties, sink = len(persons), len(persons) + problem.offers
    q, k = np.nonzero(offers >= 0)
    a = offers[q, k].astype(np.int64)
    model = min_cost_flow.SimpleMinCostFlow()
    moves = model.add_arcs_with_capacity_and_unit_cost(q, parties + a, persons[q], _each(costs[q, k], persons[q]))
    ends = np.arange(problem.offers)
    model.add_arcs_with_capacity_and_unit_cost(parties + ends, np.full(len(ends), sink), _beds(problem, q, a, persons), np.zeros_like(ends))
    free = np.flatnonzero(~problem.must)
    out = problem.unplaced_by_stage().sum(axis=1)[free]
    model.add_arcs_with_capacity_and_unit_cost(free, np.full(len(free), sink), persons[free], _each(out, persons[free]))
    model.set_nodes_supplies(np.append(np.arange(parties), sink), np.append(persons, -persons.sum()))
    if model.solve() != model.OPTIMAL:
        return None
    whole = model.flows(moves) == persons[q]
    home = np.full(parties, -1, dtype=np.int64)
    home[q[whole]] = a[whole]
    return home


def _each(cost: Ints, persons: Ints) -> Ints:
    """Cost of each person of a household, in units of 1/EXACT."""
    return (cost * EXACT + persons // 2) // np.maximum(1, persons)


def _beds(problem: Problem, q: Ints, a: Ints, persons: Ints) -> Ints:
    largest = np.zeros(problem.offers, dtype=np.int64)
    np.maximum.at(largest, a, persons[q])
    beds = np.full(problem.offers, -1, dtype=np.int64)
    closed = np.zeros(problem.offers, dtype=np.bool_)
    for row in problem.resources:
        if row.kind == "persons":
            beds[row.offer] = max(beds[row.offer], row.capacity)
        elif row.kind == "unit":
            closed[row.offer] |= row.capacity == 0
    return np.where(closed, 0, np.where(beds >= 0, beds, largest))


def repair(serve: Serve, home: Ints) -> None:
    """In the order of greedy: whom the flow kept whole goes where it says, if there is room; then the rest as greedy does it."""
    order = serve.order()
    kept = order[(home[order] >= 0) & ~np.isin(order, list(serve.links))]
    serve.serve(kept, home[kept].astype(np.int32)[:, None])
    serve.all(order)
