"""What a plan costs and whether it holds, on a `Problem`'s positions: exact integers, used by strategies and by `solve`."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matcher.layers import Ints
from matcher.problem import BLOCKED, UNPLACED, Problem
from matcher.result import Plan


def party_homes(problem: Problem, plan: Plan) -> list[int]:
    """Offer of each party, or UNPLACED."""
    return [plan.home[party[0]] for party in problem.parties]


def plan_of(problem: Problem, homes: list[int], rooms: list[tuple[int, ...]]) -> Plan:
    """A plan from each party's offer and room set."""
    home = [UNPLACED] * len(problem.persons)
    for party, offer in zip(problem.parties, homes, strict=True):
        for h in party:
            home[h] = offer
    return Plan(tuple(home), tuple(rooms))


def arc_cost(problem: Problem, party: int, offer: int, rooms: tuple[int, ...]) -> Ints:
    """Cost by stage of one arc, links to other parties apart. Shape (S,)."""
    cost = problem.base_cost(np.array([party]), np.array([offer]))[0, 0].copy()
    if rooms:
        persons = sum(int(problem.persons[h]) for h in problem.parties[party])
        cost[problem.spare_stage] += problem.spare(sum(rooms) - persons)
    return np.asarray(cost, dtype=np.int64)


def cost_by_stage(problem: Problem, plan: Plan) -> list[int]:
    """Exact cost of a plan by stage: fixed placements, arcs, unplaced households, links and floors."""
    total = list(problem.fixed_cost)
    homes = party_homes(problem, plan)
    out = problem.unplaced_by_stage()
    for q, offer in enumerate(homes):
        value = out[q] if offer == UNPLACED else arc_cost(problem, q, offer, plan.rooms[q])
        for s, v in enumerate(value):
            total[s] += int(v)
    for link in problem.links:
        a, b = homes[link.first], homes[link.second]
        if not link.binds and UNPLACED not in (a, b):
            total[problem.party_cost_stage] += int(problem.link_matrix(link, np.array([a]), np.array([b]))[0, 0])
    for floor in problem.floors:
        total[problem.floor_stage] += floor.cost(missing(problem, plan, floor.wanted - floor.fixed, floor.households))
    return total


def missing(problem: Problem, plan: Plan, wanted: int, households: Ints) -> int:
    """Persons missing under a floor, of which `wanted` are to be found among the free `households`."""
    placed = sum(int(problem.persons[h]) for h in households if plan.home[h] != UNPLACED)
    return max(0, wanted - placed)


def broken(problem: Problem, plan: Plan) -> list[str]:
    """Every promise of the problem that the plan breaks, by position; empty if it is feasible."""
    faults: list[str] = []
    homes = party_homes(problem, plan)
    used: Counter[int] = Counter()
    for q, offer in enumerate(homes):
        if any(plan.home[h] != offer for h in problem.parties[q]):
            faults.append(f"party {q} is split")
        if offer == UNPLACED:
            if problem.must[q]:
                faults.append(f"party {q} is pinned and not placed")
            continue
        if not problem.eligible(np.array([q]), np.array([offer]))[0, 0]:
            faults.append(f"party {q} is not eligible for offer {offer}")
        persons = sum(int(problem.persons[h]) for h in problem.parties[q])
        if plan.rooms[q] not in problem.choices(persons, int(problem.room_need[q]), offer):
            faults.append(f"party {q} takes rooms {plan.rooms[q]} of offer {offer}")
        for r, amount in problem.use(q, offer, plan.rooms[q]):
            used[r] += amount
    for r, amount in used.items():
        if amount > problem.resources[r].capacity:
            faults.append(f"resource {r} is used {amount} times, capacity {problem.resources[r].capacity}")
    for link in problem.links:
        a, b = homes[link.first], homes[link.second]
        if link.both_or_neither and (a == UNPLACED) != (b == UNPLACED):
            faults.append(f"parties {link.first} and {link.second} must be placed both or neither")
        if link.binds and UNPLACED not in (a, b) and problem.link_matrix(link, np.array([a]), np.array([b]))[0, 0] >= BLOCKED:
            faults.append(f"parties {link.first} and {link.second} break a required tie")
    return faults
