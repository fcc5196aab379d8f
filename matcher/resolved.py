"""What a next best offer would cost if everybody else might move too: the plan solved again with the household pinned there."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from matcher.alternatives import Room
from matcher.compile import Compiled
from matcher.evaluate import broken, cost_by_stage, plan_of
from matcher.layers import exceptions
from matcher.problem import UNPLACED, Problem
from matcher.result import Alternative, Plan
from matcher.strategies.base import Limits, Outcome, Silent
from matcher.strategies.registry import EXACT_UP_TO, choose
from matcher.strategies.start import Start
from matcher.usage import homes_of

WORK = 10.0
"""Units of deterministic effort for each offer, at effort 1."""
SECONDS = 120.0


def resolved(
    compiled: Compiled, plan: Plan, party: int, alternatives: tuple[Alternative, ...], effort: float, seed: int
) -> tuple[Alternative, ...]:
    """The alternatives with what each would cost if others may move. Where there are more pairs than effort · EXACT_UP_TO, they are as
    they were: not examined. In strict order plans are compared stage by stage, so the figure may be above added_cost."""
    problem = compiled.problem
    if len(problem.parties) * problem.offers > effort * EXACT_UP_TO:
        return alternatives
    before = sum(cost_by_stage(problem, plan))
    out = []
    for one in alternatives:
        offer = compiled.offer_positions[one.accommodation_id]
        found = _best_with(problem, plan, party, offer, effort, seed)
        if found is None:
            out.append(one)
            continue
        cost, proved = found
        out.append(replace(one, resolved_cost=cost - before, resolved_proved=proved))
    return tuple(out)


def pinned(problem: Problem, party: int, offer: int) -> Problem:
    """The problem with a party that must be placed, and in that offer alone."""
    must = problem.must.copy()
    must[party] = True
    member = problem.parties[party][0]
    only = exceptions("override", len(problem.rules[0].row), {member: (0, {offer: 1})}, 1)
    return replace(problem, rules=(*problem.rules, only), must=must)


def _best_with(problem: Problem, plan: Plan, party: int, offer: int, effort: float, seed: int) -> tuple[int, bool] | None:
    """(cost of the best plan found with the party there, whether none can cost less); None if the limits gave none."""
    changed = pinned(problem, party, offer)
    start = moved(changed, plan, party, offer)
    outcome = run(changed, start, effort, seed)
    plans = [p for p in (outcome.plan, start) if p is not None and not broken(changed, p)]
    if not plans:
        return None
    cost = min(cost_by_stage(changed, p) for p in plans)
    return sum(cost), closed(changed, outcome, cost)


def moved(problem: Problem, plan: Plan, party: int, offer: int) -> Plan | None:
    """The plan with one party in another offer, all else as it is; None where it does not fit."""
    homes, rooms = homes_of(problem, plan).tolist(), list(plan.rooms)
    homes[party], rooms[party] = UNPLACED, ()
    without = Room(problem, plan_of(problem, homes, rooms))
    claim = int(without.persons[party]), int(problem.room_need[party]), offer
    sets = sorted(problem.choices(*claim), key=lambda taken: (sum(taken), taken))
    homes[party] = offer
    for taken in sets:
        rooms[party] = taken
        found = plan_of(problem, homes, rooms)
        if not broken(problem, found):
            return found
    return None


def run(problem: Problem, start: Plan | None, effort: float, seed: int) -> Outcome:
    """Solve again, beginning from a plan."""
    begin = None
    if start is not None:
        zeros = np.zeros(len(problem.resources)), np.zeros(len(problem.floors))
        begin = Start(*zeros, homes_of(problem, start), start.rooms)
    chosen, _ = choose("auto", problem)
    limits = Limits(WORK * effort, time.monotonic() + SECONDS * max(1.0, effort), 0.0, seed, begin)
    return chosen.solve(problem, limits, Silent())


def closed(problem: Problem, outcome: Outcome, cost: list[int]) -> bool:
    """Was it proved that no plan is better?"""
    if outcome.plan is None or len(outcome.stages) < len(problem.stages):
        return False
    own = cost_by_stage(problem, outcome.plan) == cost
    return own and all(end.searched or cost[s] <= end.bound for s, end in enumerate(outcome.stages))
