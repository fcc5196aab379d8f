"""A thousand strange problems: each ends in a checked plan or a clear refusal, never in another error and never in a hang."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from matcher.errors import ContradictionError, InputError, NoPlanError, UsageError
from matcher.evaluate import broken, cost_by_stage
from matcher.layers import LARGEST
from matcher.model import Override
from matcher.policy import policy_from_plain
from matcher.problem import UNPLACED, Problem
from matcher.solver import solve
from tests.oracle.tiny import TinyCase, tiny_case
from tests.prices.problems import compiled

REFUSALS = (UsageError, NoPlanError, InputError, ContradictionError)
SECONDS = 20.0
BLOCK, BLOCKS, SLOW_BLOCKS = 50, 5, 20
Fields = dict[str, Any]
Dice = np.random.Generator


def solved(what: Any, **more: Any) -> Any:
    """The result, or the refusal."""
    started = time.monotonic()
    try:
        return solve(what, strategy="prices", effort=0.05, time_limit_s=SECONDS, **more)
    except REFUSALS as error:
        return error
    finally:
        assert time.monotonic() - started < 2 * SECONDS


# --- bare matrices --------------------------------------------------------------------------------------------------------


def base(dice: Dice) -> Fields:
    h, a = int(dice.integers(1, 13)), int(dice.integers(1, 7))
    return {
        "cost": dice.integers(0, 5000, (h, a)), "use": dice.integers(1, 6, (h, a)), "capacity": dice.integers(0, 14, a),
        "unplaced_cost": dice.integers(0, 9000, h), "allowed": dice.random((h, a)) < 0.9,
    }  # fmt: skip


def resized(m: Fields, h: int, a: int) -> Fields:
    """More or fewer households and offers, by repeating rows and columns."""
    h, a = h if len(m["cost"]) else 0, a if len(m["capacity"]) else 0
    rows, columns = np.arange(h) % max(1, len(m["cost"])), np.arange(a) % max(1, len(m["capacity"]))
    out = m["unplaced_cost"]
    return {
        **{k: m[k][np.ix_(rows, columns)] for k in ("cost", "use", "allowed")},
        "capacity": m["capacity"][columns], "unplaced_cost": out if out is None else out[rows],
    }  # fmt: skip


def huge_household(m: Fields, d: Dice) -> Fields:
    use = m["use"].copy()
    use[: 1 + int(d.integers(0, 2))] = d.choice([50, 10**6, 2**31 - 1, 2**31, LARGEST])
    return {**m, "use": use}


def of_costs(m: Fields, d: Dice, values: list[int]) -> Fields:
    return {**m, "cost": d.choice(values, m["cost"].shape)}


MATRICES: dict[str, Callable[[Fields, Dice], Fields]] = {
    "no offers": lambda m, d: resized(m, len(m["cost"]), 0),
    "no households": lambda m, d: resized(m, 0, len(m["capacity"])),
    "one offer": lambda m, d: resized(m, len(m["cost"]), 1),
    "one household": lambda m, d: resized(m, 1, len(m["capacity"])),
    "all must be placed": lambda m, d: {**m, "unplaced_cost": None},
    "no capacity": lambda m, d: {**m, "capacity": m["capacity"] * 0},
    "huge capacity": lambda m, d: {**m, "capacity": m["capacity"] * 0 + LARGEST},
    "one huge household": huge_household,
    "equal costs": lambda m, d: {**m, "cost": m["cost"] * 0 + int(d.choice([0, 7, 10**6]))},
    "all equal": lambda m, d: {**m, "cost": m["cost"] * 0 + 5, "use": m["use"] * 0 + 1, "capacity": m["capacity"] * 0 + 2},
    "costs at the extremes": lambda m, d: of_costs(m, d, [0, 1, LARGEST - 1, LARGEST]),
    "costs beyond": lambda m, d: of_costs(m, d, [0, LARGEST + 1]),
    "negative costs": lambda m, d: of_costs(m, d, [-LARGEST, -5000, 0, 3]),
    "unplaced for nothing": lambda m, d: {**m, "unplaced_cost": np.zeros(len(m["cost"]), dtype=np.int64)},
    "unplaced at the extremes": lambda m, d: {**m, "unplaced_cost": d.choice([-LARGEST, 0, LARGEST], len(m["cost"]))},
    "forbidden everywhere": lambda m, d: {**m, "allowed": m["allowed"] & False},
    "uses of nothing": lambda m, d: {**m, "use": m["use"] * 0},
    "large uses": lambda m, d: {**m, "use": m["use"] * 10**8, "capacity": m["capacity"] * 10**8},
}


def problem_of(m: Fields) -> Problem | UsageError:
    try:
        return Problem.from_matrix(m["cost"], m["use"], m["capacity"], m["unplaced_cost"], allowed=m["allowed"])
    except UsageError as error:
        return error


# --- compiled problems ------------------------------------------------------------------------------------------------------


def without_rows(p: Problem, d: Dice) -> Problem:
    return replace(p, resources=(), resources_of=((),) * p.offers, sizes=(None,) * p.offers)


def with_a_huge_one(p: Problem, persons: int) -> Problem:
    """The first household is that large, where there is one; floors count them all."""
    more = persons - int(p.persons[0]) if len(p.persons) else 0
    floors = tuple(replace(f, persons=f.persons + more) if 0 in f.households else f for f in p.floors)
    return replace(p, persons=np.where(np.arange(len(p.persons)) == 0, persons, p.persons), floors=floors)


def with_capacity(p: Problem, value: int) -> Problem:
    return replace(p, resources=tuple(replace(r, capacity=value) for r in p.resources))


COMPILED: dict[str, Callable[[Problem, Dice], Problem]] = {
    "no rows": without_rows,
    "no capacity": lambda p, d: with_capacity(p, 0),
    "huge capacity": lambda p, d: with_capacity(p, 1 << 40),
    "all must be placed": lambda p, d: replace(p, must=np.ones(len(p.parties), dtype=np.bool_) & ~p.barred),
    "all barred": lambda p, d: replace(p, barred=np.ones(len(p.parties), dtype=np.bool_), must=p.must & False),
    "one huge household": lambda p, d: with_a_huge_one(p, int(d.choice([50, 10**4]))),
    "no costs": lambda p, d: replace(p, terms=(), term_stage=()),
    "unplaced for nothing": lambda p, d: replace(p, unplaced_cost=p.unplaced_cost * 0),
    "unplaced at the extremes": lambda p, d: replace(p, unplaced_cost=p.unplaced_cost * 0 + (1 << int(d.choice([40, 45, 50, 57])))),
    "no links": lambda p, d: replace(p, links=()),
    "every link binds": lambda p, d: replace(p, links=tuple(replace(x, binds=x.kind != "near" or bool(x.limit_km10)) for x in p.links)),
    "all in one place": lambda p, d: replace(p, site=p.site * 0),
    "floors of all": lambda p, d: replace(p, floors=tuple(replace(f, wanted=f.persons + 5) for f in p.floors)),
    "empty beds dear": lambda p, d: replace(p, spare_units=(int(d.choice([1, 10**6, 10**12])), 3)),
    "all equal": lambda p, d: replace(p, terms=(), term_stage=(), unplaced_cost=p.unplaced_cost * 0 + 1),
    "as it is": lambda p, d: p,
}  # fmt: skip


def check(problem: Problem, names: list[str], seen: Counter[str]) -> None:
    found = solved(problem)
    exact = exactly(problem)
    if isinstance(found, Exception):
        assert len(str(found)) > 20, names
        seen[type(found).__name__] += 1
        seen["lost"] += isinstance(found, NoPlanError) and not isinstance(exact, Exception)
        return
    assert broken(problem, found.plan) == [], names
    total = sum(cost_by_stage(problem, found.plan))
    assert found.bound <= found.cost.total == total, names
    assert not any(found.plan.home[party[0]] == UNPLACED for party, must in zip(problem.parties, problem.must, strict=True) if must), names
    if not isinstance(exact, Exception):
        assert found.bound <= exact.cost.total and exact.bound <= total, names
        assert exact.status != "optimal" or exact.cost.total <= total, names
    seen["solved"] += 1


def exactly(problem: Problem) -> Any:
    try:
        return solve(problem, strategy="exact", effort=0.05, time_limit_s=SECONDS)
    except REFUSALS as error:
        return error


def block_of_mutations(block: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        dice, rng = np.random.default_rng(seed), random.Random(seed)
        how_many = rng.choice((1, 1, 2, 3))
        if seed % 2:
            names = rng.sample(sorted(COMPILED), how_many)
            problem: Problem | UsageError = compiled(710_000 + seed)
            assert isinstance(problem, Problem)
            for name in names:
                problem = COMPILED[name](problem, dice)
        else:
            names = rng.sample(sorted(MATRICES), how_many)
            m = base(dice)
            for name in names:
                if not (m["unplaced_cost"] is None and "unplaced" in name):
                    m = MATRICES[name](m, dice)
            problem = problem_of(m)
        if isinstance(problem, UsageError):
            seen["no problem at all"] += 1
            continue
        check(problem, names, seen)
    return seen


@pytest.mark.parametrize("block", range(BLOCKS))
def test_strange_problems_end_in_a_plan_or_a_refusal(block: int) -> None:
    seen = block_of_mutations(block)
    assert seen["solved"] >= 10 and seen["lost"] <= 3, seen


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS, BLOCKS + SLOW_BLOCKS))
def test_a_thousand_more_end_in_a_plan_or_a_refusal(block: int) -> None:
    seen = block_of_mutations(block)
    assert seen["lost"] <= 4, seen


@pytest.mark.parametrize("name", sorted(MATRICES))
def test_each_strange_matrix(name: str) -> None:
    for seed in range(6):
        dice = np.random.default_rng(seed)
        problem = problem_of(MATRICES[name](base(dice), dice))
        assert isinstance(problem, Problem) or name == "costs beyond"
        if isinstance(problem, Problem):
            check(problem, [name], Counter())


# --- instances --------------------------------------------------------------------------------------------------------------


def every_offer(case: TinyCase, **fields: Any) -> TinyCase:
    offers = tuple(a.model_copy(update=fields) for a in case.instance.accommodations)
    return replace(case, instance=case.instance.model_copy(update={"accommodations": offers}))


def every_household(case: TinyCase, **fields: Any) -> TinyCase:
    households = tuple(h.model_copy(update=fields) for h in case.instance.households)
    return replace(case, instance=case.instance.model_copy(update={"households": households}))


def all_overridden(case: TinyCase, action: Any) -> TinyCase:
    first = case.instance.accommodations[0].accommodation_id
    rows = tuple(Override(household_id=h.household_id, accommodation_id=first, action=action) for h in case.instance.households)
    return replace(case, instance=case.instance.model_copy(update={"overrides": rows, "standing": ()}))


def dear(case: TinyCase, **weights: Any) -> TinyCase:
    return replace(case, policy=policy_from_plain({**case.policy.model_dump(mode="json", exclude_defaults=True), **weights}))


INSTANCES: dict[str, Callable[[TinyCase], TinyCase]] = {
    "no beds": lambda c: every_offer(c, capacity=0, rooms=None),
    "all closed": lambda c: every_offer(c, status="closed"),
    "one small room": lambda c: every_offer(c, rooms=(1,), shared=True),
    "one spot": lambda c: every_household(every_offer(c, spot=c.instance.accommodations[0].spot), spot=c.instance.accommodations[0].spot),
    "fifty persons each": lambda c: every_household(c, persons=50),
    "nobody wants": lambda c: every_household(c, consent="no"),
    "all pinned to one": lambda c: all_overridden(c, "pin"),
    "all forbidden one": lambda c: all_overridden(c, "forbid"),
    "no households": lambda c: replace(c, instance=c.instance.model_copy(update={
        "households": (), "members": (), "ties": (), "standing": (), "overrides": (), "left_out": frozenset()})),
    "no offers": lambda c: replace(c, instance=c.instance.model_copy(update={
        "accommodations": (), "standing": (), "overrides": (), "closed": frozenset(),
        "ties": tuple(t for t in c.instance.ties if t.accommodation_id is None)})),
    "dear ways": lambda c: dear(c, travel={"weight": Decimal("1000000000")}),
    "dear risk": lambda c: dear(c, risk={"km": Decimal("1000000000000")}),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(INSTANCES))
def test_each_strange_instance(name: str) -> None:
    for seed in range(720_000, 720_008):
        try:
            case = INSTANCES[name](tiny_case(seed, order="weighted", pins="any"))
        except InputError:
            continue  # a policy that is refused when it is read
        found = solved(case.instance, policy=case.policy, date=case.date)
        if not isinstance(found, Exception):
            assert found.bound <= found.cost.total, case  # the plan itself was checked by `solve`
