"""The exact strategy against the oracle: the same best cost, stage by stage, on some thousand random tiny instances.

`make test` runs a slice of each family; `make campaign` runs many more seeds. A failing case prints itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from matcher import solve
from matcher.errors import ContradictionError, MatcherError
from matcher.result import LEFT_OUT_REASONS, STAGES
from tests.oracle.brute import BruteResult, Plan, Reading, Stay, brute_force
from tests.oracle.tiny import TinyCase, tiny_case

BLOCK = 25


@dataclass(frozen=True)
class Family:
    """Cases of one sort: how many blocks of seeds, and what is switched on."""

    name: str
    first_seed: int
    blocks: int
    options: dict[str, Any]


QUIET = {"density": 0.05}
FAMILIES = (
    Family("anything_weighted", 0, 10, {"order": "weighted"}),
    Family("anything_strict", 10_000, 8, {"order": "strict"}),
    Family(
        "links", 20_000, 5, {**QUIET, "links": True, "sites": True, "travel_rows": True, "roomy": True, "weights": True, "households": 4}
    ),
    Family("parties", 30_000, 4, {**QUIET, "parties": True, "links": True, "rooms": True, "nights": True, "roomy": True}),
    Family("nights", 40_000, 4, {**QUIET, "nights": True, "rooms": True, "needs": True}),
    Family(
        "standing", 50_000, 4, {**QUIET, "standing": True, "rooms": True, "links": True, "parties": True, "consent": True, "roomy": True}
    ),
    Family("floors", 60_000, 3, {**QUIET, "floors": True, "groups": True, "priorities": True, "cheap_unplaced": True}),
    Family("ties", 70_000, 3, {**QUIET, "place_ties": True, "weights": True, "home": True, "travel_rows": True}),
    Family("pins", 80_000, 3, {**QUIET, "overrides": True, "links": True, "parties": True, "roomy": True, "pins": "any"}),
    Family("rooms_apart", 90_000, 3, {**QUIET, "separate": True, "rooms": True, "adults": True, "parties": True, "roomy": True}),
)
SLOW_BLOCKS = 40
# Seeds beyond the everyday slices that have found something once.
FOUND = (
    ("anything_weighted", 609),
    ("anything_weighted", 917),
    ("anything_weighted", 4484),
    ("anything_strict", 12248),
    ("parties", 33316),
    ("links", 20215),
    ("links", 20350),
    ("floors", 60652),
    ("floors", 62383),
)


def cases(family: Family, block: int) -> Iterator[TinyCase]:
    for seed in range(family.first_seed + block * BLOCK, family.first_seed + (block + 1) * BLOCK):
        yield tiny_case(seed, **family.options)


def plan_of(result: Any, reading: Reading) -> Plan:
    """The plan in the oracle's words: the rooms of a party, which stand on the row of its first household, for each of it."""
    rows = {row.household_id: row for row in result.placements}
    plan: dict[str, Stay | None] = dict.fromkeys(reading.households)
    for party in [*reading.parties, *reading.fixed_parties]:
        if party.ids[0] in rows:
            rooms = rows[party.ids[0]].rooms
            plan.update({h: (rows[h].accommodation_id, rooms) for h in party.ids if h in rows})
    return plan


def differences(case: TinyCase, best: BruteResult, result: Any) -> list[str]:
    """What a result says that the oracle does not."""
    reading = Reading(case)
    found = []
    plan = plan_of(result, reading)
    found += reading.faults(plan)
    terms = {term: value for term, value in result.cost.terms.items() if value}
    if reading.terms(plan) != terms:
        found.append(f"its plan costs {reading.terms(plan)}, it says {terms}")
    if sum(best.stages) != result.cost.total and case.policy.order == "weighted":
        found.append(f"cost {result.cost.total}, best {best.cost}: {best.placements}")
    if result.status != "optimal":
        found.append(f"status {result.status}")
    stages = result.certificate.stages
    values = tuple(stage.value for stage in stages)
    expected = best.stages if case.policy.order == "strict" else (sum(best.stages),)
    if values != expected:
        found.append(f"stages {values}, best {expected}: {best.placements}")
    if case.policy.order == "strict" and tuple(stage.name for stage in stages) != STAGES:
        found.append(f"stages are named {[stage.name for stage in stages]}")
    found += [f"bound {stage.bound} of {stage.name} above {stage.value}" for stage in stages if stage.bound > stage.value]
    if case.policy.order == "weighted" and result.certificate.bound > result.cost.total:
        found.append(f"bound {result.certificate.bound} above cost {result.cost.total}")
    left_out = {row.household_id: row.reason for row in result.unplaced if row.reason in LEFT_OUT_REASONS}
    if left_out != best.left_out:
        found.append(f"left out {left_out}, oracle {best.left_out}")
    fixed = {h: stay for h, stay in reading.fixed_plan().items() if plan.get(h) != stay}
    found += [f"{h} stands in {plan.get(h)}, oracle {stay}" for h, stay in fixed.items()]
    by_row = sum(row.terms.total for row in result.placements)
    unplaced = sum(reading.unplaced(h) for h in reading.free if plan.get(h) is None)
    if by_row + unplaced + terms.get("floors", 0) != result.cost.total:
        found.append(f"rows {by_row}, unplaced {unplaced} and floors {terms.get('floors', 0)} do not add up to {result.cost.total}")
    return found


def check(case: TinyCase) -> None:
    best = brute_force(case)
    if not best.feasible:
        with pytest.raises(ContradictionError):
            solve(case.instance, case.policy, date=case.date, strategy="exact")
        return
    try:
        result = solve(case.instance, case.policy, date=case.date, strategy="exact")
    except ContradictionError as error:
        pytest.fail(f"contradiction {error} where the oracle has a plan: {best.placements}\n{case}")
    except MatcherError as error:
        pytest.fail(f"{type(error).__name__} {error}\n{case}")
    found = differences(case, best, result)
    if found:
        pytest.fail("\n".join([*found, str(case)]))


@pytest.mark.parametrize(("family", "block"), [pytest.param(f, b, id=f"{f.name}-{b}") for f in FAMILIES for b in range(f.blocks)])
def test_exact_finds_what_brute_force_finds(family: Family, block: int) -> None:
    for case in cases(family, block):
        check(case)


@pytest.mark.parametrize(("name", "seed"), FOUND)
def test_what_was_found_once(name: str, seed: int) -> None:
    options = next(family.options for family in FAMILIES if family.name == name)
    check(tiny_case(seed, **options))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "block"),
    [pytest.param(f, b, id=f"{f.name}-{b}") for f in FAMILIES for b in range(f.blocks, SLOW_BLOCKS)],
)
def test_exact_finds_what_brute_force_finds_on_many_more(family: Family, block: int) -> None:
    for case in cases(family, block):
        check(case)


def test_there_are_enough_cases_and_they_are_not_idle() -> None:
    """How many cases the tests above see, of both orders, and that most of them leave something to decide."""
    seen = [case for family in FAMILIES for block in range(family.blocks) for case in cases(family, block)]
    orders = [case.policy.order for case in seen]
    decided = sum(any(stay is not None for h, stay in brute_force(case).placements.items() if h in Reading(case).free) for case in seen)
    assert len(seen) == BLOCK * sum(family.blocks for family in FAMILIES) >= 1000
    assert orders.count("weighted") >= 400
    assert orders.count("strict") >= 400
    assert decided >= 0.6 * len(seen)
