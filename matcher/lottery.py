"""Equal cases: households that could stand for one another are served in the order of the published lottery (MODEL.md)."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np

from matcher.columns import combined
from matcher.evaluate import arc_costs, plan_of
from matcher.layers import Bools, Exceptions, Ints, Layer
from matcher.lookup import classes
from matcher.parts import Parties
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan
from matcher.usage import homes_of

Slot = tuple[int, tuple[int, ...]]
"""An offer and a room set."""


def settle_equals(problem: Problem, plan: Plan) -> Plan:
    """The same plan with equal households exchanged so that a better lot never gets less: placed before left out, then
    the cheaper arc, then the offer that comes first. Costs nothing, by construction."""
    homes, rooms = homes_of(problem, plan).tolist(), list(plan.rooms)
    groups = [group for group in equal_parties(problem) if len({(homes[q], rooms[q]) for q in group}) > 1]
    if not groups:
        return plan
    members = np.array([q for group in groups for q in group if homes[q] != UNPLACED], dtype=np.int64)
    at = np.array([homes[q] for q in members.tolist()], dtype=np.int64)
    costs = arc_costs(problem, members, at, [rooms[q] for q in members.tolist()]).sum(axis=1)
    cost_of = dict(zip(members.tolist(), costs.tolist(), strict=True))  # equal parties' costs are one another's
    for group in groups:
        ranked = sorted((_worth(cost_of.get(q), homes[q], rooms[q]), (homes[q], rooms[q])) for q in group)
        served = sorted(group, key=lambda q: problem.lottery[problem.parties[q][0]])
        for q, (_, (home, taken)) in zip(served, ranked, strict=True):
            homes[q], rooms[q] = home, taken
    return plan_of(problem, homes, rooms)


def _worth(cost: int | None, home: int, rooms: tuple[int, ...]) -> tuple[int, int, int, tuple[int, ...]]:
    return (1, 0, 0, ()) if cost is None else (0, cost, home, rooms)


def equal_parties(problem: Problem) -> list[list[int]]:
    """Groups of two or more parties of one household each that differ in nothing a plan could depend on."""
    held = Parties.of(problem.parties)
    alone = (np.diff(held.start) == 1) & ~problem.must & ~problem.barred
    alone[[q for link in problem.links for q in (link.first, link.second)]] = False
    alone[list(problem.party_cost)] = False
    parties = np.flatnonzero(alone)
    households = held.member[held.start[parties]]
    features = list(_features(problem, parties, households))
    if not len(parties) or not features:
        return []
    number, _ = combined([code for code, _ in features], [size for _, size in features])
    order = np.argsort(number, kind="stable")
    edges = np.flatnonzero(np.diff(number[order], prepend=-1, append=-1))
    large = np.flatnonzero(np.diff(edges) > 1).tolist()
    return [parties[order[edges[i] : edges[i + 1]]].tolist() for i in large]


def _features(problem: Problem, parties: Ints, households: Ints) -> Iterable[tuple[Ints, int]]:
    """(number, how many numbers) of each party in everything that a plan could depend on."""
    yield _numbered(problem.room_need[parties])
    for numbers in (problem.persons, problem.unplaced_cost, problem.unplaced_stage, problem.arrival, problem.leaves):
        yield _numbered(numbers[households])
    for layer in (*problem.rules, *problem.terms):
        yield _numbered(_canonical(layer, layer.row[households]))
    for word in range(problem.has_need.shape[1]):
        yield _numbered(problem.has_need[households, word].astype(np.int64))
    for floor in problem.floors:
        inside: Bools = np.zeros(len(problem.persons), dtype=np.bool_)
        inside[floor.households] = True
        yield _numbered(inside[households].astype(np.int64))
    if problem.in_use is not None:
        yield _numbered(classes(uses.tobytes() for uses in problem.in_use[households])[0])


def _numbered(values: Ints) -> tuple[Ints, int]:
    distinct, number = np.unique(values, return_inverse=True)
    return number.ravel(), len(distinct)


def _canonical(layer: Layer, rows: Ints) -> Ints:
    """A number for each of these rows of a layer, equal for rows of equal values; -1 for no exceptions (row -1)."""
    used = np.unique(rows[rows >= 0]).tolist()
    number = np.full(max(used, default=-1) + 2, -1, dtype=np.int64)  # its last entry stands for row -1
    number[used] = classes(_digest(layer, k) for k in used)[0]
    return number[rows]


def _digest(layer: Layer, row: int) -> tuple[object, ...]:
    """What the row is, in few bytes: tables may have hundreds of MB."""
    if isinstance(layer, Exceptions):
        span = slice(layer.start[row], layer.start[row + 1])
        return int(layer.default[row]), layer.offers[span].tobytes(), layer.value[span].tobytes()
    return (blake2b(layer.value[row].tobytes(), digest_size=16).digest(),)
