"""The checker against a plain one that asks every rule of every pair in turn (`tests/check/plain`): the same sentences, the same bound."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest

from matcher.check import check_bound, check_plan
from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import STAGES, PlacementRow, UnplacedRow
from tests.check import plain
from tests.check.build import Plan, certificate, codes
from tests.check.build import plan as honest_rows
from tests.check.plain.bound import check_bound as plain_bound
from tests.check.plain.rules import Pair, passes, room_sets
from tests.check.plain.seats import capacities
from tests.check.plain.world import World, read_world
from tests.oracle.tiny import DATE, tiny_case
from tests.runs import generated, instance_of

MANY = 30
LARGE = [(40, 1, 0.8, 0.6), (300, 2, 1.0, 0.3)]


def some_plan(rng: random.Random, world: World) -> Plan:
    """Rows that say what is so, of a plan that is right here and wrong there."""
    where = dict(world.fixed)
    rooms: dict[str, tuple[int, ...]] = {}
    offers = list(world.offers.values())
    for party in world.parties:
        good = [a for a in offers if all(passes(Pair(world, party, h, a)) for h in party.households)]
        a = rng.choice(good if good and rng.random() < 0.9 else offers) if offers and rng.random() < 0.85 else None
        for i in party.ids if a is not None else ():
            where[i] = a.accommodation_id if rng.random() < 0.95 else rng.choice(offers).accommodation_id
        if a is not None and (sets := room_sets(party, a)):
            rooms[party.ids[0]] = rng.choice(sets) if rng.random() < 0.95 else rng.choice([(), (2,), (1, 2)])
    for i in world.left_out:
        if rng.random() < 0.05 and offers:
            where[i] = rng.choice(offers).accommodation_id
    return honest_rows(world.instance, world.policy, {i: a for i, a in where.items() if a in world.offers}, rooms)


def some_certificate(rng: random.Random, world: World, values: dict[str, int]) -> dict[str, Any]:
    """Any prices, some by night, some where there is no such night; sometimes beyond 64 bits; some pairs merged."""
    names = STAGES if world.policy.order == "strict" else ("all",)
    scale = rng.choice([1, 7, 1_000_000])
    high = rng.choice([0, 500, 60_000, 10**6, 10**6, 10**30]) * scale
    days = sorted({stay.arrival.isoformat() for stay in world.stays.values()})
    return certificate(
        dict.fromkeys(names, 0),
        values,
        scale=scale,
        prices={name: {i: some_prices(rng, a, days, high) for i, a in world.offers.items() if rng.random() < 0.7} for name in names},
        floor_prices={name: {g: rng.randint(0, scale) for g in world.policy.floors.share if rng.random() < 0.5} for name in names},
        multipliers={name: [rng.choice([0, rng.randint(0, 3 * scale)]) for _ in range(k)] for k, name in enumerate(names) if k},
        merged=some_forest(rng, world),
    )


def some_prices(rng: random.Random, a: Any, days: list[str], high: int) -> dict[str, Any]:
    nights = rng.choice([[""], days, days, ["", *days], [*days, "2031-01-01"]])
    return {r: {n: rng.randint(0, high) for n in nights if rng.random() < 0.9} for r in capacities(a) if rng.random() < 0.8}


def some_forest(rng: random.Random, world: World) -> list[list[str]]:
    """Pairs of free households, tied or not, that close no circle."""
    tree = {i: frozenset(party.ids) for party in world.parties for i in party.ids}
    tied = [(t.household_id, t.other_household_id or "") for t in world.links]
    strangers = [tuple(rng.sample(sorted(tree), 2)) for _ in range(2) if len(tree) > 1]
    merged = []
    for one, other in [*tied, *strangers]:
        if one in tree and other in tree and other not in tree[one] and rng.random() < 0.8:
            merged.append([one, other])
            both = tree[one] | tree[other]
            tree.update(dict.fromkeys(both, both))
    return merged


def shuffled(rng: random.Random, world: Instance) -> Instance:
    """The same rows in another order."""
    tables = ("households", "accommodations", "members", "ties", "travel", "standing", "overrides")
    return world.model_copy(update={name: tuple(rng.sample(getattr(world, name), len(getattr(world, name)))) for name in tables})


def compare(rng: random.Random, instance: Instance, policy: Policy, seen: Counter[str], plans: int = 3) -> None:
    """Several plans and certificates of one instance."""
    world = read_world(instance, policy, DATE)
    for _ in range(plans):
        right_rows = some_plan(rng, world)
        placed, unplaced, terms = some_slips(rng, *right_rows)
        wanted = plain.check_plan(instance, policy, DATE, placed, unplaced, terms)
        assert sorted(check_plan(instance, policy, DATE, placed, unplaced, terms)) == sorted(wanted)
        assert sorted(check_plan(shuffled(rng, instance), policy, DATE, placed, unplaced, terms)) == sorted(wanted)
        seen.update(f"[{code}]" for code in codes(wanted))
        paper = some_certificate(rng, world, dict.fromkeys(STAGES if policy.order == "strict" else ("all",), 0))
        right = plain_bound(instance, policy, DATE, paper, *right_rows[:2])
        for rows in (instance, shuffled(rng, instance)):
            faults, bound = check_bound(rows, policy, DATE, paper, *right_rows[:2])
            assert (sorted(faults), bound) == (sorted(right[0]), right[1])
        seen["proved"] += right[1] is not None
        seen["bounds"] += any("the prices prove" in fault for fault in right[0])
        seen["merged"] += bool(paper["merged_links"])


def some_slips(rng: random.Random, placed: list[PlacementRow], unplaced: list[UnplacedRow], terms: dict[str, int]) -> Plan:
    """Rows left out, doubled, or with another's reason."""
    if placed and rng.random() < 0.2:
        placed = placed[1:] if rng.random() < 0.5 else [*placed, placed[0]]
    if unplaced and rng.random() < 0.3:
        unplaced = [UnplacedRow(unplaced[0].household_id, 1, 2, "no_eligible", "why"), *unplaced[1:]]
    return placed, unplaced, terms


@pytest.mark.parametrize("block", range(8))
def test_tiny_instances_of_every_sort(block: int) -> None:
    rng = random.Random(block)
    seen: Counter[str] = Counter()
    for seed in range(MANY * block, MANY * (block + 1)):
        case = tiny_case(
            seed, pins="any", households=rng.choice([1, 3, 5, 8]), offers=rng.choice([1, 3, 6]), density=rng.choice([0.1, 0.3, 0.6])
        )
        seen["strict"] += case.policy.order == "strict"
        compare(rng, case.instance, case.policy, seen)
    assert seen["bounds"] > MANY and seen["proved"] >= 3 and seen["merged"] > MANY // 3 and seen["strict"] > MANY // 6, seen
    assert len([code for code in seen if code.startswith("[")]) > 12, seen


@pytest.mark.parametrize("arguments", LARGE)
def test_generated_instances(arguments: tuple[int, int, float, float]) -> None:
    rng = random.Random(arguments[1])
    seen: Counter[str] = Counter()
    for sections in ({}, {"order": "strict", "rules": {"room_rule": "separate"}, "floors": {"share": {"older_person": 0.9}}}):
        compare(rng, instance_of(generated(*arguments)), Policy.model_validate(sections), seen, plans=2)
    assert seen["merged"] == 4, seen
