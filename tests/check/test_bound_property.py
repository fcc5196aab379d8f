"""No price makes the bound exceed a right plan: random tiny instances, every plan written out."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from matcher.check import check_bound
from matcher.model import Accommodation, Instance, Tie
from matcher.policy import Policy
from matcher.result import STAGES
from tests.check import plain
from tests.check.build import (
    DAY,
    Plan,
    certificate,
    codes,
    day,
    decided,
    household,
    instance,
    member,
    offer,
    plan,
    policy,
    road,
    stands,
    tie,
)

G, LIFT = frozenset({"g"}), frozenset({"lift"})


def random_instance(rng: random.Random) -> Instance:
    """3 or 4 households, one of them perhaps a fact, and 2 offers 1 to 40 km apart, with some of everything."""
    names = "ABCD"[: rng.choice([3, 3, 4])]
    timed = rng.random() < 0.4
    rows: list[Any] = [
        household(
            i,
            rng.randint(1, 3),
            rng.choice("AE"),
            priority=rng.randint(1, 5),
            groups=rng.choice([frozenset(), G]),
            needs=rng.choice([frozenset(), frozenset(), LIFT]),
            arrives=day(5) if timed and rng.random() < 0.4 else None,
            leaves=day(5) if timed and rng.random() < 0.3 else None,
        )
        for i in names
    ]
    for n, at in enumerate("BC"):
        rooms = rng.choice([None, (2, 2), (1, 3)])
        have = rng.choice([{"features": LIFT}, {"need_capacity": (("lift", rng.randint(1, 4)),)}])
        rows.append(offer(f"X{n}", rng.randint(2, 6), at, shared=rng.random() < 0.7, rooms=rooms, site_id=rng.choice([None, "S"]), **have))
    rows += [road(one, other, rng.randint(1, 40)) for one, other in ("AB", "AC", "EB", "EC", "BC")]
    rows += [random_tie(rng, names) for _ in range(rng.choice([0, 1, 2, 3]))]
    rows += rng.choice([[], [], [stands(names[-1], "X0", rng.choice(["moved_in", "proposed"]))]])
    rows += rng.choice([[], [], [], [decided("A", rng.choice(["pin", "forbid"]), "X1")]])
    rows += rng.choice([[], [member("M", "B", "head", 40), member("N", "B", "child", 3)]])
    return instance(*rows)


def random_tie(rng: random.Random, names: str) -> Tie:
    """A tie between two households, sometimes required."""
    one, other = rng.sample(names, 2)
    kind = rng.choice(["near", "same_place", "same_site", "same_accommodation", "apart"])
    limit = Decimal(rng.randint(5, 40)) if kind in ("near", "apart") else None
    required = rng.random() < 0.5
    return tie(one, other, kind=kind, max_km=limit, required=required, agreed=rng.random() < 0.7)


def random_policy(rng: random.Random, order: str) -> Policy:
    """Weights small enough that staying out, the ties and the road quarrel."""
    return policy(
        order=order,
        unplaced={"km": [rng.randint(5, 90) for _ in range(5)]},
        risk={"km": 0},
        ties={"cap_km": 30, "weight": rng.choice([1, 3])},
        floors={"km": rng.choice([0.5, 20]), "share": {"g": rng.choice([0.5, 1])}},
        rules={"room_rule": rng.choice(["family", "separate"])},
    )


def every_plan(world: Instance, rules: Policy) -> Iterator[Plan]:
    """All plans that the plain checker accepts, by trying every offer and every set of rooms for everybody."""
    rooms = {a.accommodation_id: set_choices(a) for a in world.accommodations}
    choices: list[tuple[str, tuple[int, ...]] | None] = [None, *((a, taken) for a, sets in rooms.items() for taken in sets)]
    fixed = {row.household_id: row.accommodation_id for row in world.standing if row.status == "moved_in"}
    free = [h.household_id for h in world.households if h.household_id not in fixed]
    for pick in itertools.product(choices, repeat=len(free)):
        where = fixed | {i: place[0] for i, place in zip(free, pick, strict=True) if place}
        taken = {i: place[1] for i, place in zip(free, pick, strict=True) if place}
        proposal = plan(world, rules, where, taken)
        if not plain.check_plan(world, rules, DAY, *proposal):
            yield proposal


def set_choices(a: Accommodation) -> list[tuple[int, ...]]:
    """Every set of rooms, the empty one too: the members of a party take none."""
    rooms = a.rooms or ()
    if not a.shared:
        return [tuple(sorted(rooms)), ()] if rooms else [()]
    return sorted({tuple(sorted(c)) for n in range(len(rooms) + 1) for c in itertools.combinations(rooms, n)})


def random_prices(rng: random.Random, world: Instance, scale: int, highest: int = 900) -> dict[str, Any]:
    """Any prices, night by night where not everybody comes at once and stays."""
    days = sorted({(h.arrives or DAY).isoformat() for h in world.households})
    nights = days if len(days) > 1 or any(h.leaves for h in world.households) else [""]
    prices: dict[str, Any] = {}
    for a in world.accommodations:
        resources = [
            "persons",
            *(["unit"] if not a.shared else []),
            *(f"rooms:{r}" for r in a.rooms or ()),
            *(f"need:{w}" for w, _ in a.need_capacity),
        ]
        prices[a.accommodation_id] = {
            r: {night: rng.choice([0, rng.randint(0, highest * scale)]) for night in nights} for r in resources if rng.random() < 0.6
        }
    return prices


def random_forest(rng: random.Random, world: Instance, share: float = 0.7) -> list[list[str]]:
    """Some pairs of linked free households that close no circle, the parties counted as one."""
    tree = {h.household_id: {h.household_id} for h in world.households}
    fixed = {row.household_id for row in world.standing if row.status == "moved_in"}

    def join(one: str, other: str) -> None:
        both = tree[one] | tree[other]
        tree.update(dict.fromkeys(both, both))

    pairs = sorted({(min(ends), max(ends)) for t in world.ties for ends in ((t.household_id, t.other_household_id or ""),)})
    pairs = [pair for pair in pairs if not fixed & set(pair)]
    for t in world.ties:
        if t.binds and t.kind == "same_accommodation" and not fixed & {t.household_id, t.other_household_id}:
            join(t.household_id, t.other_household_id or "")
    merged = []
    for one, other in pairs:
        if other not in tree[one] and rng.random() < share:
            merged.append([one, other])
            join(one, other)
    return merged


def cost(proposal: Plan) -> int:
    return sum(proposal[2].values())


@pytest.mark.parametrize("seed", range(4))
def test_bound_is_below_the_best_plan(seed: int) -> None:
    rng = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(10):
        world, rules = random_instance(rng), random_policy(rng, "weighted")
        plans = list(every_plan(world, rules))
        if not plans:
            seen["no plan"] += 1
            continue
        best = min(plans, key=cost)
        for _ in range(12):
            scale = rng.choice([1, 7])
            floor_prices = {"g": rng.randint(0, scale * int(rules.floors.km * 10))}
            paper = certificate(
                {"all": 0}, {"all": cost(best)}, scale=scale, prices={"all": random_prices(rng, world, scale)},
                floor_prices={"all": floor_prices}, merged=random_forest(rng, world),
            )  # fmt: skip
            faults, bound = check_bound(world, rules, DAY, paper, *best[:2])
            if bound is None:
                assert codes(faults) == {"nights", *(codes(faults) & {"bound"})}, faults
                seen["refused"] += 1
                continue
            assert bound <= cost(best), (seed, paper)
            seen["bounds"] += 1
            seen["merged"] += bool(paper["merged_links"])
            seen["tight"] += bound > 0
    assert seen["bounds"] >= 20 and seen["merged"] >= 5 and seen["tight"] >= 5, seen


@pytest.mark.parametrize("seed", range(100, 104))
def test_every_plan_is_above_every_stage(seed: int) -> None:
    """Whatever the multipliers: a plan is never better than what is proved of the plans that are no worse in earlier stages."""
    rng = random.Random(seed)
    seen: Counter[str] = Counter()
    for _ in range(6):
        world, rules = random_instance(rng), random_policy(rng, "strict")
        plans = list(every_plan(world, rules))
        for proposal in rng.sample(plans, min(len(plans), 6)):
            multipliers = {name: [rng.choice([0, rng.randint(0, 9)]) for _ in range(k)] for k, name in enumerate(STAGES)}
            floors = {"floors": rng.randint(0, 2), **dict.fromkeys(("ties", "rest"), 0)}
            for name, k in (("ties", 6), ("rest", 7)):
                floors[name] = rng.randint(0, multipliers[name][5])
                assert len(multipliers[name]) == k
            paper = certificate(
                dict.fromkeys(STAGES, 0), dict.fromkeys(STAGES, 0), scale=2, multipliers=multipliers,
                prices={name: random_prices(rng, world, 2, rng.choice([0, 20, 200])) for name in STAGES},
                floor_prices={name: {"g": weight * int(rules.floors.km * 10)} for name, weight in floors.items()},
                merged=random_forest(rng, world),
            )  # fmt: skip
            faults, bound = check_bound(world, rules, DAY, paper, *proposal[:2])
            assert not any("above the plan's" in fault for fault in faults), (seed, faults)
            seen["bounds"] += bound is not None
            seen["positive"] += bound is not None and bound > 0
            assert "floor_prices" not in codes(faults)
    assert seen["bounds"] >= 8, seen


@pytest.mark.parametrize("seed", range(200, 203))
def test_with_room_for_all_and_every_link_merged_the_bound_is_the_best_plan(seed: int) -> None:
    """Nothing is relaxed then, so the tree's dynamic programme must find the optimum itself."""
    rng = random.Random(seed)
    seen = 0
    for _ in range(40):
        drawn = random_instance(rng)
        ties = [t for t in drawn.ties if not (t.binds and t.kind == "same_accommodation")]
        roomy = [
            a.model_copy(update={"capacity": 99, "shared": True, "rooms": None, "features": LIFT, "need_capacity": ()})
            for a in drawn.accommodations
        ]
        world = instance(*drawn.households, *roomy, *drawn.travel, *ties, *drawn.standing, *drawn.overrides)
        fixed = {row.household_id for row in drawn.standing if row.status == "moved_in"}
        linked = {frozenset((t.household_id, t.other_household_id)) for t in ties if not fixed & {t.household_id, t.other_household_id}}
        merged = random_forest(rng, world, share=1)
        if not merged or len(merged) < len(linked):
            continue
        rules = random_policy(rng, "weighted").model_copy(update={"floors": Policy().floors})
        plans = list(every_plan(world, rules))
        paper = certificate({"all": 0}, {"all": 0}, merged=merged)
        if not plans:
            continue
        best = min(plans, key=cost)
        faults, bound = check_bound(world, rules, DAY, paper, *best[:2])
        assert bound == cost(best), (seed, faults)
        seen += 1
    assert seen >= 5
