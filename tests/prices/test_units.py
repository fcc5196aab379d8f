"""Dealing flats and rooms for all at once: the least level at which beds suffice, nobody overfull, more people in."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.io import read_instance
from matcher.policy import policy_from_plain
from matcher.pricing.arcs import Choices
from matcher.pricing.uses import ANY_DATE, PERSONS, UNIT
from matcher.strategies.base import Limits, Silent
from matcher.strategies.prices import strategy
from matcher.strategies.prices.classes import beds_of_rows
from matcher.strategies.prices.entry import MUCH, Entry, Lists
from matcher.strategies.prices.flows import assign, make_lanes
from matcher.strategies.prices.house import OUT, House, Standing, cost_of, enter, leave, set_costs, settle, standing_of
from matcher.strategies.prices.pairs import waiting
from matcher.strategies.prices.room import make_guide
from matcher.strategies.prices.strategy import _Run
from matcher.strategies.prices.units import BETWEEN, TRIED, Deal, Units
from tests.io.sample import write
from tests.prices.houses import Scene, check_house, rooms_of, scene, scenes
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
    return Units(house, s.choices, guide, make_lanes(uses, s.choices), s.held)


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


def least_level(units: Units) -> float | None:
    """The levels in their order, then halves between the last that did not suffice and the first that did."""
    enough = [units.at(level).beds <= units.supply for level in TRIED]
    if not any(enough):
        return None
    first = enough.index(True)
    if first == 0:
        return TRIED[0]
    low, high = TRIED[first - 1], TRIED[first]
    for _ in range(BETWEEN):
        middle = (low + high) / 2
        low, high = (low, middle) if units.at(middle).beds <= units.supply else (middle, high)
    return high


def test_a_deal_is_at_the_least_level_found_and_can_be_moved_into() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        house = settled(s)
        units = units_of(s, house)
        deal = units.deal(lambda: True)
        assert (None if deal is None else deal.level) == least_level(units)
        if deal is None:
            continue
        seen["above nothing" if deal.level > 0 else "at nothing"] += 1
        before = house.arc.copy()
        units.move(house, deal)
        check_house(s, house)
        assert (house.arc[~units.moves] == before[~units.moves]).all()
        placed, stays = deal.arc != OUT, deal.bed & units.in_bed
        assert (house.arc[placed] == deal.arc[placed]).all() and (house.arc[stays] == before[stays]).all()
        assert (house.arc[units.moves & ~placed & ~stays] == OUT).all()
        seen["moved"] += bool((house.arc != before).any())
    assert seen["at nothing"] >= 5 and seen["above nothing"] >= 1 and seen["moved"] >= 5, seen


def test_the_supply_is_what_is_left_without_those_who_may_move() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        house = settled(s)
        units = units_of(s, house)
        lanes = make_lanes(s.field.core.uses, s.choices)
        owner = np.repeat(np.arange(s.field.parties), np.diff(s.choices.start))
        rows = {r for r, beds, q in zip(lanes.row.tolist(), lanes.beds.tolist(), owner.tolist(), strict=True) if beds and units.moves[q]}
        for q in np.flatnonzero(units.in_bed):
            leave(house, s.choices, q)
        assert units.supply == sum(int(house.capacity[r] - house.load[r]) for r in rows)
        seen["beds"] += units.supply > 0
        seen["uses by pair"] += bool(s.field.core.uses.in_use.shape[0])
    assert min(seen.values()) >= 5 and len(seen) == 2, seen


def test_without_time_there_is_no_deal() -> None:
    s = next(s for s in with_arcs() if len(units_of(s, settled(s)).arc))
    units = units_of(s, settled(s))
    assert units.deal(lambda: False) is None and units.flows == 0
    entry = entry_of(s, s.house(Standing.nobody(s.field.parties)), seconds=0.0)
    entry.run(3000.0)
    assert entry.hurried


def entry_of(s: Scene, house: House, seconds: float = 1e6) -> Entry:
    lists = Lists(s.choices, s.choices, make_guide(s.choices, s.choices.cost.astype(np.float64), s.out))
    order, nobody = np.arange(s.field.parties), np.zeros(0, dtype=np.int64)
    return Entry(s.field.core.uses, s.bonds, s.held, order, lists, s.house, lambda: seconds, house, nobody)


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
    deal = units_of(s, house).deal(lambda: True)
    assert deal is not None and deal.beds <= 6
    assert (deal.arc[families] != OUT).all() and (deal.arc != OUT).sum() == 4
    house = entry_of(s, house).run(3000.0)
    check_house(s, house)
    assert (house.arc >= 0).all()


def cost_now(s: Scene, house: House) -> int:
    set_costs(house, s.choices)
    return cost_of(house, s.bonds, s.choices)


def test_entering_leaves_a_house_in_order_and_no_plan_much_dearer() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        house = settled(s)
        before = cost_now(s, house)
        house = entry_of(s, house).run(1000.0)
        check_house(s, house)
        after = cost_now(s, house)
        assert s.problem.links or after <= before + MUCH * abs(before)
        seen["cheaper"] += after < before
    assert seen["cheaper"] >= 10, seen


def test_a_deal_that_does_not_help_is_taken_back_with_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def everybody_out(units: Units, _: object) -> Deal:
        return Deal(np.full_like(units.here, OUT), np.zeros_like(units.moves), 0, 250.0)

    seen = 0
    for s in with_arcs():
        house = settled(s)
        entry = entry_of(s, house)
        if s.problem.links or not len(waiting(house, entry.lists.guide)) or not len(units_of(s, house).arc):
            continue
        monkeypatch.setattr(Units, "deal", everybody_out)
        monkeypatch.setattr("matcher.strategies.prices.entry.make_room", lambda *_: 1)  # nobody finds a way in
        before = standing_of(house, s.choices)
        after = standing_of(entry.run(1000.0), s.choices)
        monkeypatch.undo()
        assert after.offer.tolist() == before.offer.tolist() and after.set.tolist() == before.set.tolist()
        assert (entry.level, entry.steps) == (250.0, 2)  # one before and one after, none of the two that were taken back
        wait = waiting(entry.house, entry.lists.guide)
        assert entry.in_vain.tolist() == sorted(wait.tolist())
        assert entry.lost() == pytest.approx(float((s.out - entry.lists.guide.best)[wait].sum())) and entry.lost() > 0
        again = replace(entry, level=0.0, work=0.0)  # it is the same who wait: not tried once more
        again._deal()
        assert (again.level, again.work) == (0.0, 0.0)
        again = replace(entry, level=0.0, work=0.0, in_vain=entry.in_vain[1:])
        again._deal()
        assert again.work > 0
        seen += 1
    assert seen >= 3


def test_room_that_made_a_plan_much_dearer_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_leave(house: House, choices: Choices, *_: object) -> int:
        for q in np.flatnonzero(house.arc >= 0):
            leave(house, choices, q)
            enter(house, choices, q, OUT)
        return 0

    seen = 0
    for s in with_arcs():
        house = settled(s)
        before, dearest = cost_now(s, house), cost_now(s, s.house(Standing.nobody(s.field.parties)))
        if s.problem.links or dearest <= before + MUCH * abs(before):
            continue
        entry = entry_of(s, house)
        monkeypatch.setattr(Entry, "_deal", lambda _: monkeypatch.setattr("matcher.strategies.prices.entry.make_room", all_leave))
        after = cost_now(s, entry.run(1000.0))
        monkeypatch.undo()
        assert after <= before + MUCH * abs(before)
        seen += 1
    assert seen >= 5


def test_prices_climb_again_only_where_those_who_are_out_lose_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first round of a large problem tells at which level beds suffice; it counts if who is out loses a share of what is proved."""
    told: list[float] = []
    lost = Entry.lost

    def keep(self: Entry) -> float:
        told.append(lost(self))
        return told[-1]

    monkeypatch.setattr(Entry, "lost", keep)
    monkeypatch.setattr(Entry, "_deal", lambda self: setattr(self, "level", 5000.0))
    monkeypatch.setattr(strategy, "MOST_PARTIES", 0)
    seen: Counter[tuple[float, bool]] = Counter()
    for s in with_arcs():
        for share in (0.0, 0.5):
            monkeypatch.setattr(strategy, "LOST", share)
            run = _Run(s.problem, Limits(50.0, time.monotonic() + 600), Silent())
            found = run._prices(None)
            run._round(run._first_plan(found), found, 0, 0)
            counts = told[-1] > share * abs(found.bound)
            assert run.level == (5000.0 if counts else 0.0)
            seen[share, counts] += 1
    assert seen[0.0, True] >= 3 and seen[0.0, False] >= 3 and seen[0.5, False] > seen[0.0, False], seen


def test_a_level_counts_once_for_each_bed() -> None:
    """Of a room all its beds, of a flat as many as live there, of a stay by nights no more than its persons."""
    seen: Counter[str] = Counter()
    for s in with_arcs():
        uses, c = s.field.core.uses, s.choices
        house = settled(s)
        beds = beds_of_rows(s.field.core, standing_of(house, c).offer)
        if uses.in_use.shape[0]:
            continue
        owner = np.repeat(np.arange(s.field.parties), np.diff(c.start))
        rooms = [sum(sizes) for sizes in rooms_of(s.field, Standing(c.offer, c.set))]
        for e, b in enumerate(c.bundle.tolist()):
            span = slice(c.use_start[b], c.use_start[b + 1])
            rows = c.use_row[span]
            paid = float(beds[rows] @ c.use_amount[span])
            kinds, dated = set(uses.kind[rows].tolist()), bool((uses.date[rows] != ANY_DATE).any())
            if UNIT in kinds:
                seen["flat"] += 1
                assert paid <= 20
            elif rooms[e]:
                seen["rooms"] += 1
                assert paid <= rooms[e] + 1e-9
            elif kinds:
                seen["beds"] += 1
                assert paid <= uses.party_persons[owner[e]] + 1e-9
                assert dated or PERSONS not in kinds or paid in (0.0, float(uses.party_persons[owner[e]]))
            seen["by night"] += dated
    assert min(seen.values()) >= 5 and len(seen) == 4, seen


def test_lifted_prices_are_kept_only_where_they_prove_more() -> None:
    seen: Counter[str] = Counter()
    for s in with_arcs():
        run = _Run(s.problem, Limits(50.0, time.monotonic() + 600), Silent())
        found = run._prices(None)
        standing = run._first_plan(found)
        for level in (40.0, 5000.0):
            run.level, most = level, run.most_work
            lifted = run._lift(found, standing)
            assert lifted is found or lifted.bound > found.bound
            assert lifted.prices.min(initial=0.0) >= 0.0 and run.most_work >= most
            seen["kept" if lifted is found else "lifted"] += 1
    assert seen["kept"] >= 5, seen
