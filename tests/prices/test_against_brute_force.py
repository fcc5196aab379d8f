"""The price strategy against the oracle: bound ≤ optimum ≤ cost, on hundreds of random tiny instances with every feature on.

`make test` runs a slice of each family; `make campaign` runs many more seeds. A failing case prints itself.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

from matcher import solve
from matcher.check import check_bound
from matcher.compile import compile_instance
from matcher.errors import ContradictionError, NoPlanError
from matcher.evaluate import broken
from matcher.result import Result
from matcher.strategies.registry import strategy
from tests.oracle.brute import Reading, brute_force
from tests.oracle.tiny import TinyCase, tiny_case

EFFORT = 0.1
SLOW_TIMES = 12


@dataclass(frozen=True)
class Family:
    """Cases of one sort."""

    name: str
    first_seed: int
    count: int
    options: dict[str, Any]


QUIET = {"density": 0.05, "order": "weighted"}
LINKED = {**QUIET, "links": True, "sites": True, "travel_rows": True, "roomy": True, "weights": True, "households": 4}
FAMILIES = (
    Family("anything", 600_000, 90, {"order": "weighted"}),
    Family("everything", 605_000, 50, {"order": "weighted", "density": 0.45, "pins": "any"}),
    Family("links", 610_000, 60, {**QUIET, "links": True, "sites": True, "travel_rows": True, "roomy": True, "weights": True}),
    Family("parties", 620_000, 40, {**QUIET, "parties": True, "links": True, "rooms": True, "nights": True, "roomy": True}),
    Family("pins", 630_000, 60, {**QUIET, "overrides": True, "links": True, "parties": True, "roomy": True, "pins": "any"}),
    Family("floors", 640_000, 40, {**QUIET, "floors": True, "groups": True, "priorities": True, "cheap_unplaced": True}),
    Family("standing", 650_000, 40, {**QUIET, "standing": True, "rooms": True, "links": True, "parties": True, "roomy": True}),
    Family("nights and needs", 660_000, 40, {**QUIET, "nights": True, "rooms": True, "needs": True}),
)  # fmt: skip


def features(case: TinyCase, reading: Reading) -> set[str]:
    """What of the model really is in a case."""
    here = case.instance
    found = {f"tie {t.kind} {'required' if t.required else 'soft'} {'link' if t.other_household_id else 'place'}" for t in here.ties}
    found |= {"rooms"} if any(a.rooms for a in here.accommodations) else set()
    found |= {"need rows"} if any(a.need_capacity for a in here.accommodations) else set()
    found |= {"nights"} if any(h.leaves for h in here.households) else set()
    found |= {"travel rows"} if here.travel else set()
    found |= {f"override {o.action}" for o in here.overrides}
    found |= {f"standing {s.status}" for s in here.standing}
    found |= {"floors"} if case.policy.floors.share else set()
    found |= {"parties"} if any(len(party.ids) > 1 for party in reading.parties) else set()
    return found


def check(case: TinyCase, seen: Counter[str]) -> None:
    best = brute_force(case)
    reading = Reading(case)
    problem = compile_instance(case.instance, case.policy, case.date).problem
    refusal = strategy("prices").refuses(problem)
    if refusal is not None:
        assert "no households or no offers" in refusal and not reading.parties, f"{refusal}\n{case}"
        seen["refused"] += 1
        return
    try:
        result = solve(case.instance, case.policy, date=case.date, strategy="prices", effort=EFFORT)
    except (ContradictionError, NoPlanError) as error:
        if best.feasible:
            pytest.fail(f"{type(error).__name__} {error}, best {best.cost}\n{case}")
        seen["no plan"] += 1
        return
    except Exception as error:
        raise AssertionError(f"{type(error).__name__} {error}\n{case}") from error
    optimum = sum(best.stages)
    assert best.feasible, f"it has a plan, the oracle has none: {result.placements}\n{case}"
    assert result.bound <= optimum <= result.cost.total, f"{result.bound} ≤ {optimum} ≤ {result.cost.total}\n{case}"
    assert broken(problem, result.plan) == [], case
    placed = {row.household_id for row in result.placements}
    assert reading.pinned & set(reading.free) <= placed, case
    assert result.certificate is not None
    faults, theirs = check_bound(case.instance, case.policy, case.date, result.certificate.plain(), result.placements, result.unplaced)
    assert faults == [] and theirs == result.bound, f"{faults} {theirs} {result.bound}\n{case}"
    seen["solved"] += 1
    seen["optimal"] += result.cost.total == optimum
    seen["tight"] += result.bound == optimum
    seen["pinned"] += bool(reading.pinned & set(reading.free))
    seen.update(features(case, reading))


def run(family: Family, first: int, count: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in range(family.first_seed + first, family.first_seed + first + count):
        check(tiny_case(seed, **family.options), seen)
    return seen


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_bound_optimum_and_cost_are_in_this_order(family: Family) -> None:
    seen = run(family, 0, family.count)
    assert seen["solved"] >= 0.4 * family.count, seen
    assert seen["optimal"] >= 0.8 * seen["solved"], seen  # none of this is hard
    assert seen["tight"] >= 0.4 * seen["solved"], seen


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_bound_optimum_and_cost_are_in_this_order_on_many_more(family: Family) -> None:
    run(family, family.count, SLOW_TIMES * family.count)


def test_the_cases_are_many_and_hold_every_feature() -> None:
    seen: Counter[str] = Counter()
    for family in FAMILIES:
        for seed in range(family.first_seed, family.first_seed + family.count):
            case = tiny_case(seed, **family.options)
            seen.update(features(case, Reading(case)))
    assert sum(family.count for family in FAMILIES) >= 400
    ties = [
        f"tie {kind} {how} link"
        for kind in ("near", "same_place", "same_site", "same_accommodation", "apart")
        for how in ("required", "soft")
    ]
    ties += [f"tie {kind} {how} place" for kind in ("near", "same_place", "apart") for how in ("required", "soft")]
    wanted = [*ties, "rooms", "need rows", "nights", "travel rows", "override pin", "override forbid", "override hold", "standing proposed",
              "standing accepted", "standing moved_in", "floors", "parties"]  # fmt: skip
    assert {name: seen[name] for name in wanted if seen[name] < 5} == {}, seen


def same_result(one: Result, other: Result) -> bool:
    """Plan, cost, certificate and rows."""
    return (one.plan, one.cost, one.bound, one.certificate, one.placements, one.unplaced) == (
        other.plan, other.cost, other.bound, other.certificate, other.placements, other.unplaced
    )  # fmt: skip


def test_two_runs_in_a_row_say_the_same() -> None:
    for seed in range(600_000, 600_012):
        case = tiny_case(seed, order="weighted")
        if strategy("prices").refuses(compile_instance(case.instance, case.policy, case.date).problem) is None:
            one, two = (solve(case.instance, case.policy, date=case.date, strategy="prices", effort=EFFORT) for _ in range(2))
            assert same_result(one, two), case
