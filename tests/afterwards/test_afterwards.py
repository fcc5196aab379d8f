"""What follows a plan, made by column, against the same made household by household (`plain`), on random instances.

Tiny ones have every feature of the model; generated ones have many households. Both the ways with compiled code and those
without it are asked.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from matcher import alternatives, evaluate
from matcher.alternatives import Room
from matcher.compile import Compiled, compile_instance
from matcher.errors import ContradictionError
from matcher.evaluate import broken, cost_by_stage
from matcher.lottery import equal_parties, settle_equals
from matcher.placed import Placements
from matcher.policy import SolveOptions
from matcher.problem import UNPLACED, Problem
from matcher.publish import files
from matcher.result import Certificate, Effort, Plan, Result, StageProof
from matcher.rows import Rows, plan_cost
from matcher.warnings import plan_warnings
from tests.afterwards import plain
from tests.oracle.tiny import TinyCase, tiny_case
from tests.runs import DATE, generated, instance_of, policy_of

COMPILED = pytest.mark.parametrize("compiled_from", [0, 1 << 60], ids=["compiled", "not compiled"])


def greedy(problem: Problem, seed: int, full: float = 1.0) -> Plan:
    """Some plan: parties in a random order, each to a random offer among the cheapest that have room. full: share of those tried."""
    dice = random.Random(seed)
    home, rooms = [UNPLACED] * len(problem.persons), [()] * len(problem.parties)
    parties = sorted(range(len(problem.parties)), key=lambda q: (not problem.must[q], dice.random()))
    arcs = problem.arcs()
    left = problem.capacity.tolist()
    of: dict[int, list[int]] = {}
    for e, q in enumerate(arcs.party.tolist()):
        of.setdefault(q, []).append(e)
    for q in parties:
        if not problem.must[q] and dice.random() > full:
            continue
        for e in sorted(of.get(q, ()), key=lambda e: (int(arcs.cost[e].sum()) // 4000, dice.random())):
            span = slice(arcs.start[e], arcs.start[e + 1])
            uses = list(zip(arcs.resource[span].tolist(), arcs.amount[span].tolist(), strict=True))
            if all(n <= left[r] for r, n in uses):
                for r, n in uses:
                    left[r] -= n
                for h in problem.parties[q]:
                    home[h] = int(arcs.offer[e])
                rooms[q] = arcs.rooms[e]
                break
    return Plan(tuple(home), tuple(rooms))


def without_broken_links(problem: Problem, plan: Plan) -> Plan:
    """The plan less the parties whose ties it breaks."""
    homes, rooms = list(plan.home), list(plan.rooms)
    again = True
    while again:
        again = False
        at = [homes[party[0]] for party in problem.parties]
        for link in problem.links:
            a, b = at[link.first], at[link.second]
            lonely = link.both_or_neither and (a == UNPLACED) != (b == UNPLACED)
            if lonely or (link.binds and UNPLACED not in (a, b) and evaluate.link_value(problem, link, a, b) > 0):
                for q in (link.first, link.second):
                    again |= at[q] != UNPLACED
                    at[q], rooms[q] = UNPLACED, ()
                    for h in problem.parties[q]:
                        homes[h] = UNPLACED
    return Plan(tuple(homes), tuple(rooms))


def compiled_case(case: TinyCase) -> Compiled | None:
    try:
        return compile_instance(case.instance, case.policy, case.date, 7)
    except ContradictionError:
        return None


def compare(compiled: Compiled, seed: int, every: int = 1) -> Plan | None:
    """All of it for one plan; returns the plan, or None where the greedy way leaves a pinned party out."""
    problem = compiled.problem
    plan = without_broken_links(problem, greedy(problem, seed, 0.9 if seed % 3 else 1.0))
    messed = Plan(tuple((h + 1) % problem.offers if i % 3 == 1 else h for i, h in enumerate(plan.home)), plan.rooms)
    for one in (plan, messed):
        assert sorted(broken(problem, one)) == sorted(plain.evaluate.broken(problem, one))
        assert cost_by_stage(problem, one) == plain.evaluate.cost_by_stage(problem, one)
    if any("resource" in fault or "eligible" in fault or "tie" in fault for fault in broken(problem, plan)):
        raise AssertionError(broken(problem, plan))
    assert sorted(equal_parties(problem)) == sorted(plain.lottery.equal_parties(problem))
    settled = settle_equals(problem, plan)
    assert settled == plain.lottery.settle_equals(problem, plan)
    plan = settled
    new, old = Rows(compiled, plan), plain.rows.Rows(compiled, plan, every == 1)
    placements = new.placements()
    if every > 1:
        room, slow = Room(problem, plan), plain.alternatives.Room(problem, plan)
        parties = [q for q in range(0, len(problem.parties), every) if slow.homes[q] != UNPLACED]
        offers, added = room.next_best(evaluate.np.array(parties))
        for q, a, c in zip(parties, offers.tolist(), added.tolist(), strict=True):
            assert slow.next_best(q) == [(cost, offer) for offer, cost in zip(a, c, strict=True) if offer >= 0]
    else:
        before = old.placements()
        assert list(placements) == list(before)
        assert placements == before == Placements.of(before)
        assert placements[:2] == before[:2]
        assert plan_cost(compiled, plan, placements) == plain.rows.plan_cost(compiled, plan, before)
    unplaced = new.unplaced()
    assert unplaced == old.unplaced()
    warnings = plan_warnings(compiled)
    assert warnings == plain.warnings.plan_warnings(compiled)
    stages = tuple(
        StageProof(name, value, 0, False, None, (), {}, {})
        for name, value in zip(problem.stages, cost_by_stage(problem, plan), strict=True)
    )
    result = Result(
        "feasible", None, "none", "none", plan, plan_cost(compiled, plan, placements), 0, stages, Certificate(1, stages, (), 0),
        placements, unplaced, warnings, Effort(), compiled.instance, compiled.policy, SolveOptions(date=compiled.roles.date),
    )  # fmt: skip
    written, expected = files(result), plain.publish.files(result)
    del written["run.json"], expected["run.json"], written["report.html"]  # the page has tests of its own
    assert written == expected
    return plan


@COMPILED
@pytest.mark.parametrize("block", range(4))
def test_tiny_instances_with_every_feature(block: int, compiled_from: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternatives, "COMPILED_FROM", compiled_from)
    monkeypatch.setattr(evaluate, "COMPILED_FROM", compiled_from)
    for seed in range(30 * block, 30 * block + 30):
        wide = {"households": 9, "offers": 7, "overrides": False} if seed % 2 else {}
        compiled = compiled_case(tiny_case(seed, **wide))  # type: ignore[arg-type]
        if compiled is not None:
            compare(compiled, seed)


@COMPILED
@pytest.mark.parametrize(("households", "seed", "beds", "links"), [(150, 3, 0.7, 0.5), (150, 4, 1.4, 0.2)])
def test_generated_instances(
    households: int, seed: int, beds: float, links: float, compiled_from: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alternatives, "COMPILED_FROM", compiled_from)
    monkeypatch.setattr(evaluate, "COMPILED_FROM", compiled_from)
    folder: Path = generated(households, seed, beds, links)
    compare(compile_instance(instance_of(folder), policy_of(folder), DATE, 1), seed)
