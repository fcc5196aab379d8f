"""The proved bound is never above the best plan: the oracle's optimum on random tiny cases, with the solver's prices and with any others.

And the two sides that compute it, `bounds.prove` (compiled tables) and `check_bound` (the rows), give the same number for any prices.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pytest

from matcher.bounds import Pair, Prices, link_forest, prove
from matcher.check import check_bound
from matcher.compile import Compiled, compile_instance
from matcher.errors import MatcherError
from matcher.problem import BLOCKED
from matcher.result import Result
from matcher.solver import solve
from tests.oracle.brute import BruteResult, Reading, brute_force
from tests.oracle.tiny import TinyCase, tiny_case

ROUNDS = 2


@dataclass(frozen=True)
class Family:
    """Seeds of one sort of cases."""

    name: str
    first_seed: int
    count: int
    options: dict[str, Any]


QUIET = {"density": 0.05}
FAMILIES = (
    Family("anything weighted", 500_000, 55, {"order": "weighted"}),
    Family("anything strict", 510_000, 50, {"order": "strict"}),
    Family("floors", 520_000, 35, {**QUIET, "floors": True, "groups": True, "cheap_unplaced": True, "priorities": True}),
    Family("facts that overfill", 530_000, 45, {**QUIET, "standing": True, "rooms": True, "households": 5, "offers": 2, "links": True}),
    Family("holds and pins", 540_000, 35, {**QUIET, "overrides": True, "links": True, "roomy": True}),
    Family("links", 550_000, 50, {**QUIET, "links": True, "parties": True, "sites": True, "roomy": True, "weights": True}),
    Family("nights", 560_000, 35, {**QUIET, "nights": True, "rooms": True, "needs": True}),
)


def cases(family: Family) -> list[tuple[TinyCase, BruteResult, Result]]:
    return list(_cases(family.name))


@cache
def _cases(name: str) -> tuple[tuple[TinyCase, BruteResult, Result], ...]:
    family = next(family for family in FAMILIES if family.name == name)
    found = []
    for seed in range(family.first_seed, family.first_seed + family.count):
        case = tiny_case(seed, **family.options)
        best = brute_force(case)
        assert best.feasible, case  # pins agree by construction
        try:
            found.append((case, best, solve(case.instance, case.policy, date=case.date)))
        except MatcherError as error:
            pytest.fail(f"{error}\n{case}")
    return tuple(found)


def optimum(case: TinyCase, best: BruteResult) -> tuple[int, ...]:
    """The oracle's best value of every stage."""
    return tuple(best.stages) if case.policy.order == "strict" else (sum(best.stages),)


def traits(case: TinyCase) -> set[str]:
    """What is in a case that a bound could go wrong on."""
    reading = Reading(case)
    found = {f"order {case.policy.order}"}
    found |= {f"link {tie.kind} {'required' if tie.binds else 'soft'}" for tie in reading.links}
    found |= {"floors"} if case.policy.floors.share else set()
    found |= {"held"} if "held" in reading.left_out.values() else set()
    found |= {"pinned"} if reading.pinned & set(reading.free) else set()
    persons: Counter[str] = Counter()
    for h, a in reading.fixed.items():
        persons[a] += case.instance.households[int(h[1:]) - 1].persons
    overfilled = any(persons[a.accommodation_id] > a.capacity for a in case.instance.accommodations)
    return found | ({"overfilled"} if overfilled else set()) | ({"fixed"} if reading.fixed else set())


def plain(compiled: Compiled, stages: list[tuple[Prices, int, int]], forest: list[Pair], scale: int) -> dict[str, Any]:
    """A certificate.json of any prices. stages: (prices, stated value, stated bound)."""
    problem, told = compiled.problem, []
    for prices, value, bound in stages:
        table: dict[str, Any] = {}
        for r, price in enumerate(prices.capacity):
            a, resource, night = compiled.resource_name(r)
            table.setdefault(a, {}).setdefault(resource, {})[night] = int(price)
        told.append({
            "name": problem.stages[prices.stage], "value": value, "bound": bound, "multipliers": list(prices.multipliers), "prices": table,
            "floor_prices": {f.group: int(m) for f, m in zip(problem.floors, prices.floors, strict=True) if m},
        })  # fmt: skip
    pairs = [sorted(min(compiled.households[h] for h in problem.parties[q]) for q in pair) for pair in forest]
    return {"scale": scale, "bound": sum(bound for _, _, bound in stages), "merged_links": pairs, "stages": told}


def any_prices(compiled: Compiled, rng: random.Random, stage: int, scale: int, held: tuple[int, ...]) -> Prices:
    """Prices from nothing to far too high, and any multipliers; floor prices up to what a missing person costs."""
    problem = compiled.problem
    top = scale * rng.choice((3, 300, 30_000, 1_000_000))
    capacity = [rng.choice((0, rng.randint(0, top))) for _ in problem.resources]
    multipliers = tuple(rng.choice((0, rng.randint(0, 3 * scale))) for _ in range(stage))
    weights = [*multipliers, scale]
    weight = weights[problem.floor_stage] if problem.floor_stage <= stage else 0
    floors = [rng.choice((0, f.least_rate * weight, rng.randint(0, f.least_rate * weight))) for f in problem.floors]
    return Prices(scale, stage, np.array(capacity, dtype=np.int64), np.array(floors, dtype=np.int64), multipliers, held)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_certificate_proves_what_it_says_and_no_more_than_the_best_plan(family: Family) -> None:
    seen = 0
    for case, best, result in cases(family):
        assert result.certificate is not None
        faults, bound = check_bound(
            case.instance, case.policy, case.date, result.certificate.plain(), result.placements, result.unplaced
        )  # fmt: skip
        assert faults == [] and bound == result.bound, f"{faults} {bound} {result.bound}\n{case}"
        assert bound is not None and bound <= result.cost.total, case
        for stage, value in zip(result.stages, optimum(case, best), strict=True):
            assert stage.bound <= value <= stage.value, f"{stage.name}: {stage.bound} ≤ {value} ≤ {stage.value}\n{case}"
        seen += 1
    assert seen == family.count


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_no_prices_prove_more_than_the_best_plan(family: Family) -> None:
    """Any prices, any part of the forest of links: L ≤ the optimum; and the checker's L is the same number."""
    seen: Counter[str] = Counter()
    for case, best, result in cases(family):
        rng = random.Random(case.seed)
        compiled = compile_instance(case.instance, case.policy, case.date)
        values, stages = optimum(case, best), len(compiled.problem.stages)
        for _ in range(ROUNDS):
            scale = rng.choice((1, 7, 1000))
            forest = [pair for pair in link_forest(compiled.problem) if rng.random() < 0.7]
            claimed = []
            for stage in range(stages):
                prices = any_prices(compiled, rng, stage, scale, values[:stage])
                bound = prove(compiled.problem, prices, forest)
                assert bound.scaled < BLOCKED // 2, case
                assert bound.rounded(scale) <= values[stage], (
                    f"stage {stage}: {bound.rounded(scale)} above {values[stage]}\n{case}\n{prices}"
                )
                claimed.append((prices, result.stages[stage].value, bound.rounded(scale)))
                seen["tight"] += bound.rounded(scale) == values[stage]
                seen["bounds"] += 1
            told = plain(compiled, claimed, forest, scale)
            faults, theirs = check_bound(case.instance, case.policy, case.date, told, result.placements, result.unplaced)
            assert faults == [] and theirs == told["bound"], f"{faults}\nchecker {theirs}, solver's side {told['bound']}\n{case}"
            seen["checked"] += 1
            seen["merged"] += bool(forest)
    assert seen["bounds"] >= ROUNDS * family.count and seen["checked"] == ROUNDS * family.count, seen
    assert seen["tight"] >= 1, seen


def test_a_bound_claimed_one_higher_is_refused() -> None:
    refused = 0
    for case, _, result in cases(FAMILIES[0])[:40]:
        assert result.certificate is not None
        told = result.certificate.plain()
        for change in (1, -1):
            stages = [{**told["stages"][0], "bound": told["stages"][0]["bound"] + change}]
            false = {**told, "bound": told["bound"] + change, "stages": stages}
            faults, _ = check_bound(case.instance, case.policy, case.date, false, result.placements, result.unplaced)
            assert any(fault.startswith("[bound]") for fault in faults), case
            refused += 1
    assert refused == 80


def test_the_cases_hold_what_bounds_go_wrong_on() -> None:
    seen: Counter[str] = Counter()
    for family in FAMILIES:
        for seed in range(family.first_seed, family.first_seed + family.count):
            seen.update(traits(tiny_case(seed, **family.options)))
    assert sum(family.count for family in FAMILIES) >= 300
    kinds = ("near", "same_place", "same_site", "same_accommodation", "apart")
    wanted = [*(f"link {kind} {how}" for kind in kinds for how in ("required", "soft"))]
    wanted += ["floors", "held", "pinned", "overfilled", "fixed", "order weighted", "order strict"]
    assert {name: seen[name] for name in wanted if seen[name] < 10} == {}, seen
