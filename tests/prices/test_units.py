"""Dealing flats and rooms for all at once: the least level at which beds suffice, nobody overfull, more people in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np

from matcher.compile import compile_instance
from matcher.io import read_instance
from matcher.policy import policy_from_plain
from matcher.strategies.prices.entry import Entry, Lists
from matcher.strategies.prices.flows import assign, make_lanes
from matcher.strategies.prices.house import OUT, House, Standing, cost_of, set_costs, settle, standing_of
from matcher.strategies.prices.room import make_guide
from matcher.strategies.prices.units import LEVELS, Units
from tests.io.sample import write
from tests.prices.houses import Scene, check_house, scene, scenes
from tests.runs import DATE


def settled(s: Scene) -> House:
    house = s.house(Standing.nobody(s.field.parties))
    settle(house, s.choices, s.chance.permutation(s.field.parties), s.out)
    return house


def with_arcs() -> Iterator[Scene]:
    return (s for s in scenes() if len(s.choices.offer))


def units_of(s: Scene, house: House) -> Units:
    guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
    uses = s.field.core.uses
    return Units(house, s.choices, guide, make_lanes(uses, s.choices), uses.party_persons, s.held)


def ways(pairs: dict[tuple[int, int], int], out: list[int], free: list[int]) -> Iterator[int]:
    """Cost of every way to give movers units of rows."""
    for way in product(range(-1, len(free)), repeat=len(out)):
        taken = Counter(r for r in way if r >= 0)
        if all(n <= free[r] for r, n in taken.items()) and all(r < 0 or (i, r) in pairs for i, r in enumerate(way)):
            yield sum(out[i] if r < 0 else pairs[i, r] for i, r in enumerate(way))


def test_assigning_is_the_best_of_all_ways() -> None:
    rng = np.random.default_rng(5)
    placed = 0
    for _ in range(200):
        movers, rows = int(rng.integers(1, 6)), int(rng.integers(1, 4))
        pairs = {(i, r): int(rng.integers(-20, 90)) for i in range(movers) for r in range(rows) if rng.random() < 0.7}
        owner, column = (np.array([pair[k] for pair in pairs], dtype=np.int64) for k in (0, 1))
        costs, out, free = np.array(list(pairs.values()), dtype=np.int64), rng.integers(0, 90, movers), rng.integers(-1, 3, rows)
        chosen = assign(costs, out, owner, column, free).tolist()
        assert all(e < 0 or owner[e] == i for i, e in enumerate(chosen))
        taken = Counter(int(column[e]) for e in chosen if e >= 0)
        assert all(n <= free[r] for r, n in taken.items())
        cost = sum(int(out[i]) if e < 0 else int(costs[e]) for i, e in enumerate(chosen))
        assert cost == min(ways(pairs, out.tolist(), free.tolist()))
        placed += sum(taken.values())
    assert placed >= 60


def test_the_dearer_a_bed_the_fewer_are_asked_for() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        house = settled(s)
        units = units_of(s, house)
        asked = [units.at(level).beds for level in (0.0, 50.0, 500.0, 5_000.0, 50_000.0)]
        assert asked == sorted(asked, reverse=True)
        seen["fewer"] += asked[-1] < asked[0]
        check_house(s, house)
    assert seen["fewer"] >= 5, seen


def test_a_deal_is_at_the_least_level_found_and_can_be_moved_into() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        house = settled(s)
        units = units_of(s, house)
        deal = units.deal()
        if deal is None:
            assert units.at(float(LEVELS[-1])).beds > units.supply
            seen["none"] += 1
            continue
        assert deal.beds <= units.supply
        seen["above nothing"] += deal.level > 0
        seen["at nothing"] += deal.level == 0
        if deal.level > 0:
            assert units.at(0.0).beds > units.supply
        before = house.arc.copy()
        units.move(house, deal)
        check_house(s, house)
        held = np.flatnonzero(~units.moves)
        assert (house.arc[held] == before[held]).all()
        placed = deal.arc != OUT
        assert (house.arc[placed] == deal.arc[placed]).all()
        stays = deal.bed & units.in_bed
        assert (house.arc[stays] == before[stays]).all()
    assert seen["at nothing"] >= 5 and seen["above nothing"] >= 1, seen


def entry_of(s: Scene, house: House) -> Entry:
    guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
    return Entry(
        s.field.core.uses, s.bonds, s.held, np.arange(s.field.parties), Lists(s.choices, s.choices, guide), s.house, lambda: 1e6, house
    )  # fmt: skip


def test_larger_households_get_the_flats_so_that_everybody_has_a_place(tmp_path: Path) -> None:
    """Two families fill the hotel, singles have all flats, and two singles are out; nobody is better off for any single leaving."""
    households = "household_id,persons,place\n" + "".join(f"H{i},{3 if i < 2 else 1},Lviv\n" for i in range(8))
    offers = "accommodation_id,place,capacity,kind\nA0,Lviv,6,hotel\n" + "".join(f"A{i},Lviv,3,apartment\n" for i in range(1, 5))
    instance = read_instance(write(tmp_path / "in", {"households": households, "accommodations": offers}))
    problem = compile_instance(instance, policy_from_plain({}), DATE).problem
    s = scene(problem, 3)
    hotel = next(row.offer for row in problem.resources if row.kind == "persons")
    persons = s.field.core.uses.party_persons
    families, singles = np.flatnonzero(persons == 3), np.flatnonzero(persons == 1)
    standing = Standing.nobody(8)
    standing.offer[families] = hotel
    standing.offer[singles[:4]] = [a for a in range(problem.offers) if a != hotel]
    house = s.house(standing)
    assert (house.arc < 0).sum() == 2
    deal = units_of(s, house).deal()
    assert deal is not None and deal.beds <= 6
    assert (deal.arc[families] != OUT).all() and (deal.arc != OUT).sum() == 4
    house = entry_of(s, house).run(3000.0)
    check_house(s, house)
    assert (house.arc >= 0).all()


def test_entering_leaves_a_house_in_order_and_no_plan_much_dearer() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        first = settled(s)
        set_costs(first, s.choices)
        before = cost_of(first, s.bonds, s.choices)
        house = entry_of(s, first).run(1000.0)
        check_house(s, house)
        set_costs(house, s.choices)
        seen["cheaper"] += cost_of(house, s.bonds, s.choices) < before
        assert standing_of(house, s.choices).offer.shape == (s.field.parties,)
    assert seen["cheaper"] >= 10, seen
