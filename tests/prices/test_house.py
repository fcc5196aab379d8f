"""What searches promise: nobody in two places, no row overfull, and a cost that is the plan's cost, whatever was done."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from matcher.evaluate import broken, cost_by_stage, plan_of
from matcher.problem import BLOCKED, Problem
from matcher.strategies.prices.anneal import anneal
from matcher.strategies.prices.field import make_field
from matcher.strategies.prices.flows import Flow
from matcher.strategies.prices.house import House, Standing, cost_of, settle, standing_of
from matcher.strategies.prices.pairs import place_pairs, waiting
from matcher.strategies.prices.repair import keep_promises
from matcher.strategies.prices.room import make_guide, make_room, to_what_is_free
from tests.prices.houses import LINKS, Scene, check_house, rooms_of, scene, scenes
from tests.prices.problems import problems


def check_cost(s: Scene, house: House, standing: Standing, seen: Counter[str]) -> None:
    """`cost_of` is the plan's cost, where no link that binds is broken and everybody who must be placed is."""
    plan = plan_of(s.problem, standing.offer.tolist(), rooms_of(s.field, standing))
    whole_rates = all(floor.rate[1] == 1 for floor in s.problem.floors)
    if whole_rates and not broken(s.problem, plan):
        assert cost_of(house, s.bonds, s.choices) + sum(s.problem.fixed_cost) == sum(cost_by_stage(s.problem, plan))
        seen["same cost"] += 1
        seen["same cost with links"] += any(not link.binds for link in s.problem.links)
        seen["same cost with floors"] += bool(s.problem.floors)


def test_annealing_and_flows_keep_what_the_house_promises() -> None:
    seen: Counter[str] = Counter()
    for number, s in enumerate(scenes()):
        house = s.house(Standing.nobody(s.field.parties))
        check_house(s, house)
        settle(house, s.choices, s.chance.permutation(s.field.parties), s.out)
        check_house(s, house)
        state = np.array([number + 1], dtype=np.uint64)
        flow = Flow(s.field.core.uses, s.choices, s.held, near=6, drawn=6)
        for hot, cold, depth in ((100_000.0, 5_000.0, 6), (3_000.0, 30.0, 6), (300.0, 3.0, 2), (10.0, 1.0, 1), (1e5, 1e5, 8)):
            before = cost_of(house, s.bonds, s.choices)
            change = anneal(house, s.choices, s.bonds, state, 6 * s.field.parties + 30, hot, cold, 3.0, depth, 0.2, 24)
            standing = check_house(s, house)
            assert cost_of(house, s.bonds, s.choices) - before == change, (number, hot)
            check_cost(s, house, standing, seen)
            seen["changed"] += change != 0
            for size in (1, 2, 3):
                arcs = int(house.cost.sum())
                change = flow.run(house, size, s.chance)
                assert change == int(house.cost.sum()) - arcs <= 0
                check_house(s, house)
                seen["flowed"] += change < 0
        again = s.house(standing_of(house, s.choices))
        assert again.arc.tolist() == house.arc.tolist() and again.load.tolist() == house.load.tolist()
    assert min(seen.values()) >= 10 and len(seen) == 5, seen


def priced(s: Scene, scale: float) -> np.ndarray:
    """Cost and price of every arc, at prices drawn at random."""
    prices = s.chance.random(len(s.problem.resources)) * scale
    c = s.choices
    paid = np.array([prices[c.use_row[i:j]] @ c.use_amount[i:j] for i, j in zip(c.use_start[:-1], c.use_start[1:], strict=True)])
    return c.cost + paid[c.bundle] if len(c.cost) else np.zeros(0)


def test_making_room_lets_people_in_and_leaves_the_house_in_order() -> None:
    seen: Counter[str] = Counter()
    for s in scenes():
        house = s.house(Standing.nobody(s.field.parties))
        order = s.chance.permutation(s.field.parties)
        settle(house, s.choices, order, s.out)
        outside = int(s.out[house.arc < 0].sum())
        for most in (0, 7, 40 * s.field.parties):
            guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
            assert make_room(house, s.choices, s.bonds, guide, order, 50.0, most, np.zeros(s.field.parties)) <= most
            check_house(s, house)
        again = s.house(standing_of(house, s.choices))
        assert again.arc.tolist() == house.arc.tolist()
        seen["fewer out"] += int(s.out[house.arc < 0].sum()) < outside
        seen["more out"] += int(s.out[house.arc < 0].sum()) > outside
        seen["all"] += 1
    assert seen["fewer out"] >= 10 and seen["fewer out"] > 2 * seen["more out"], seen


def test_who_has_to_leave_is_the_one_who_loses_least() -> None:
    """A large household that fits one offer only gets it from the one who has another place to go to."""
    cost = np.array([[0, 900], [0, 20], [0, 30]])
    problem = Problem.from_matrix(cost, np.ones((3, 2), dtype=np.int64), np.array([1, 1]), np.array([1000, 1000, 1000]))
    s = scene(problem, 1)
    house = s.house(Standing.nobody(3))
    settle(house, s.choices, np.array([1, 2, 0]), s.out)
    assert (house.arc < 0).tolist() == [True, False, False]
    guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
    make_room(house, s.choices, s.bonds, guide, np.array([0]), 1.0, 100, np.zeros(3))
    at = standing_of(house, s.choices).offer.tolist()
    assert at[0] == 0 and at.count(-1) == 1, "two places for three: the one for whom there is one place has it"


def test_what_is_at_stake_keeps_a_party_where_it_is() -> None:
    cost = np.array([[0, 900], [0, 20], [0, 30]])
    problem = Problem.from_matrix(cost, np.ones((3, 2), dtype=np.int64), np.array([1, 1]), np.array([1000, 1000, 1000]))
    s = scene(problem, 1)
    guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
    for stake, out in ((0.0, 1), (1e6, 0)):
        house = s.house(Standing(np.array([-1, 0, 1]), np.full(3, -1)))
        make_room(house, s.choices, s.bonds, guide, np.array([0]), 1.0, 100, np.array([0.0, stake, stake]))
        assert (house.arc[0] < 0) == (out == 0), stake


def test_who_leaves_first_is_the_one_who_has_something_free_to_go_on_to() -> None:
    """The next best of party 1 is 5 worse, but party 2 has it; party 2 can go on to what is free, for 40; party 3 may as well stay out."""
    far = 90_000
    cost = np.array([[0, 2, far, far], [0, 5, far, far], [far, 0, 40, far], [far, far, far, 0]])
    problem = Problem.from_matrix(
        cost, np.ones((4, 4), dtype=np.int64), np.ones(4, dtype=np.int64), np.array([50_000, 50_000, 50_000, 300])
    )
    s = scene(problem, 1)
    guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
    house = s.house(Standing(np.array([-1, 0, 1, 3]), np.full(4, -1)))
    free = to_what_is_free(house, s.choices, guide)
    assert free.tolist() == [0.0, np.inf, 40.0, 300.0]
    steps = make_room(house, s.choices, s.bonds, guide, np.array([0]), 1e12, 100, free)
    assert standing_of(house, s.choices).offer.tolist() == [1, 0, 2, 3]
    assert steps == 2, "one comes in, one goes on"


def test_pairs_that_are_out_are_placed_together_where_their_link_holds() -> None:
    seen: Counter[str] = Counter()
    for number, s in enumerate(scenes()):
        problem = s.problem
        house = s.house(Standing.nobody(s.field.parties))
        free = np.array([q for q in range(s.field.parties) if s.bonds.start[q] == s.bonds.start[q + 1]], dtype=np.int64)
        settle(house, s.choices, free, s.out)
        guide = make_guide(s.choices, s.choices.cost.astype(np.float64), s.out)
        stake, before = np.zeros(s.field.parties), house.arc.copy()
        placed = place_pairs(house, s.choices, s.bonds, guide, stake)
        check_house(s, house)
        new = np.flatnonzero((before < 0) & (house.arc >= 0))
        assert len(new) == 2 * placed and set(new.tolist()) == set(np.flatnonzero(stake).tolist())
        at = standing_of(house, s.choices).offer
        for link in problem.links:
            both = at[link.first] >= 0 and at[link.second] >= 0
            if link.binds and both:
                assert problem.link_matrix(link, at[[link.first]], at[[link.second]])[0, 0] < BLOCKED, number
        seen["pairs"] += placed
        seen["had to leave"] += int(((before >= 0) & (house.arc < 0)).sum())
        assert {q for q in free.tolist() if before[q] < 0 <= house.arc[q]} == set()
        waits = waiting(house, guide)
        assert (house.arc[waits] < 0).all() and (house.out[waits] > guide.best[waits]).all()
    assert seen["pairs"] >= 10 and seen["had to leave"] >= 3, seen


def arcs_cost(s: Scene, standing: Standing) -> int:
    """Cost of placements and of who is out, without links and floors, as the plain door counts it."""
    total = 0
    rooms = rooms_of(s.field, standing)
    for q, a in enumerate(standing.offer.tolist()):
        if a < 0:
            total += int(s.out[q])
            continue
        total += int(s.problem.base_cost(np.array([q]), np.array([a]))[0, 0].sum())
        if rooms[q]:
            total += s.problem.spare(sum(rooms[q]) - int(s.problem.party_persons()[q]))
    return total


def test_who_breaks_a_promise_is_taken_out_with_all_who_are_bound_to_them() -> None:
    """Any standing plan at all, however many links it breaks, becomes one that breaks none."""
    seen: Counter[str] = Counter()
    for i, problem in enumerate(problems(90, 15_000)):
        if not any(link.binds for link in problem.links):
            continue
        field, rng = make_field(problem), np.random.default_rng(i)
        for _ in range(5):
            offer = np.where(rng.random(field.parties) < 0.8, rng.integers(0, problem.offers, field.parties), -1)
            standing = Standing(offer.astype(np.int64), np.full(field.parties, -1, dtype=np.int64))
            kept = keep_promises(field, standing)
            plan = plan_of(problem, kept.offer.tolist(), [()] * field.parties)
            assert [fault for fault in broken(problem, plan) if fault.endswith(LINKS)] == []
            assert all(a in (-1, b) for a, b in zip(kept.offer.tolist(), offer.tolist(), strict=True))
            seen["kept"] += int((kept.offer >= 0).sum())
            seen["taken out"] += int((kept.offer != offer).sum())
    assert min(seen.values()) >= 10 and len(seen) == 2, seen


@pytest.mark.parametrize("depth", [1, 8])
def test_annealing_with_nothing_to_do(depth: int) -> None:
    """Nobody has an arc."""
    zeros = np.zeros((4, 2), dtype=np.int64)
    s = scene(Problem.from_matrix(zeros, zeros, [1, 1], [5] * 4, allowed=zeros.astype(np.bool_)), 0)
    house = s.house(Standing.nobody(4))
    assert anneal(house, s.choices, s.bonds, np.array([1], dtype=np.uint64), 50, 10.0, 1.0, 3.0, depth, 0.1, 24) == 0
    assert Flow(s.field.core.uses, s.choices, s.held).run(house, 1, s.chance) == 0
    assert (check_house(s, house).offer == -1).all()
