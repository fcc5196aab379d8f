"""Equal cases: households that could stand for one another are served in the order of the published lottery (MODEL.md)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from matcher.layers import Exceptions, Ints, Table
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan
from tests.afterwards.plain.evaluate import arc_cost, party_homes, plan_of


def settle_equals(problem: Problem, plan: Plan) -> Plan:
    """The same plan with equal households exchanged so that a better lot never gets less: placed before left out, then
    the cheaper arc, then the offer that comes first. Costs nothing, by construction."""
    homes, rooms = party_homes(problem, plan), list(plan.rooms)
    for group in equal_parties(problem):
        slots = [(homes[q], rooms[q]) for q in group]
        ranked = sorted(slots, key=lambda slot: _worth(problem, group[0], *slot))
        for q, (home, taken) in zip(sorted(group, key=lambda p: problem.lottery[problem.parties[p][0]]), ranked, strict=True):
            homes[q], rooms[q] = home, taken
    return plan_of(problem, homes, rooms)


def _worth(problem: Problem, party: int, home: int, rooms: tuple[int, ...]) -> tuple[object, ...]:
    if home == UNPLACED:
        return (1, 0, 0, ())
    return (0, int(arc_cost(problem, party, home, rooms).sum()), home, rooms)


def equal_parties(problem: Problem) -> list[list[int]]:
    """Groups of two or more parties of one household each that differ in nothing a plan could depend on."""
    count = len(problem.persons)
    features: list[Ints] = [
        problem.persons, problem.unplaced_cost, problem.unplaced_stage, problem.arrival[:count], problem.leaves[:count],
    ]  # fmt: skip
    features += [_canonical(layer)[layer.row[:count]] for layer in (*problem.rules, *problem.terms)]
    features += [problem.has_need[:count, i].astype(np.int64) for i in range(problem.has_need.shape[1])]
    for floor in problem.floors:
        inside = np.zeros(count, dtype=np.int64)
        inside[floor.households] = 1
        features.append(inside)
    if problem.in_use is not None:
        features += list(problem.in_use.T)
    table = np.stack(features, axis=1) if features else np.zeros((count, 0), dtype=np.int64)
    linked = {q for link in problem.links for q in (link.first, link.second)}
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for q, party in enumerate(problem.parties):
        if len(party) == 1 and q not in linked and not problem.must[q] and not problem.barred[q]:
            groups[(table[party[0]].tobytes(), int(problem.room_need[q]), q in problem.party_cost)].append(q)
    return [group for key, group in groups.items() if len(group) > 1 and not key[2]]


def _canonical(layer: Table | Exceptions) -> Ints:
    """A number for each row of a layer, equal for rows of equal values; row -1 (no exceptions) comes last."""
    if isinstance(layer, Table):
        return (
            np.unique(layer.value, axis=0, return_inverse=True)[1].ravel()
            if layer.value.size
            else np.zeros(len(layer.value), dtype=np.int64)
        )
    keys: dict[tuple[object, ...], int] = {}
    numbers = []
    for k in range(len(layer.default)):
        span = slice(layer.start[k], layer.start[k + 1])
        key = (int(layer.default[k]), layer.offers[span].tobytes(), layer.value[span].tobytes())
        numbers.append(keys.setdefault(key, len(keys)))
    return np.array([*numbers, -1], dtype=np.int64)
