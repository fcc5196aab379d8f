"""Exact pieces: what they are made of, that they make it cheaper and hold, in which order they land, and that the clock is told where it
cuts; and when rounds of them are over."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from matcher.bounds import Prices
from matcher.compile import compile_instance
from matcher.evaluate import cost_by_stage
from matcher.layers import Ints
from matcher.policy import policy_from_plain
from matcher.pricing.arcs import Choices
from matcher.problem import UNPLACED, Problem
from matcher.strategies.base import WORK_PER_EFFORT, Limits, Outcome, Silent, StageEnd
from matcher.strategies.prices import blocks, strategy
from matcher.strategies.prices.blocks import Ground, Sweep, improve, make_ground
from matcher.strategies.prices.field import loads_of, make_field, search_lists
from matcher.strategies.prices.hand import Hand
from matcher.strategies.prices.house import Standing, settle, standing_of
from matcher.strategies.prices.levels import LEVELS
from matcher.strategies.prices.linear import make_program, solve_program
from matcher.strategies.prices.repair import keep_promises
from matcher.strategies.prices.room import make_guide
from tests.prices.houses import LINKS, Scene, faults_of, scene, scenes
from tests.prices.test_house import arcs_cost, priced
from tests.runs import DATE, generated, instance_of

RELAXED, INTEGER = (True, np.inf), (False, 400.0)
"""Pieces where the linear program may settle who stays, and where nobody is settled and arcs are few."""
WIDE = Sweep(1, 1, 60, lambda: 5.0, 20, 1.0, relaxed=False, narrow=np.inf)


def settled(s: Scene) -> tuple[Standing, Callable[[], Ground]]:
    """A first plan of a scene, and what makes the same ground of it each time."""
    house = s.house(Standing.nobody(s.field.parties))
    settle(house, s.choices, s.chance.permutation(s.field.parties), s.out)
    before, guide = standing_of(house, s.choices), make_guide(s.choices, priced(s, 300.0), s.out)
    prices = s.chance.random(len(s.problem.resources)) * 300
    return before, lambda: make_ground(s.field, s.choices, guide, before, s.out, s.held, prices)


def test_exact_pieces_only_make_it_cheaper_and_hold() -> None:
    seen: Counter[object] = Counter()
    for i, s in enumerate(scenes()):
        before, make = settled(s)
        ground = make()
        assert ground.offers().tolist() == before.offer.tolist() and ground.room_sets().tolist() == before.set.tolist()
        change = improve(
            ground, Sweep(4, 2, int(s.chance.integers(3, 60)), lambda: 5.0, 20, 1.0, *(RELAXED, INTEGER)[i % 2]), lambda _: True
        )
        after = Standing(ground.offers(), ground.room_sets())
        assert change == arcs_cost(s, after) - arcs_cost(s, before) <= 0
        assert (loads_of(s.field, after) <= s.problem.capacity).all()
        assert ground.load.tolist() == loads_of(s.field, after).tolist()
        assert ground.loss == pytest.approx(worse_than_best(s, ground))
        assert [fault for fault in faults_of(s, after) if not fault.endswith(LINKS)] == []
        assert after.offer[s.held].tolist() == before.offer[s.held].tolist()
        kept = keep_promises(s.field, after)
        assert faults_of(s, kept) == []
        seen["cheaper", i % 2] += change < 0
        assert not ground.hurried
        seen["taken out"] += bool((kept.offer != after.offer).any())
    assert min(seen["cheaper", 0], seen["cheaper", 1]) >= 5 and seen["taken out"] >= 3, seen


def test_pieces_land_in_the_order_in_which_they_began(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four on their way at once, on one thread or on four of which the later are the quicker; and what fails in one is told."""
    solve_one, together = blocks._solve, [0]
    lock = threading.Lock()

    def late(piece: blocks.Piece, out: np.ndarray, plan: Sweep) -> blocks.Found:
        with lock:
            together[0] += 1
            together.append(together[0])
        time.sleep(0.05 / together[0])
        try:
            return solve_one(piece, out, plan)
        finally:
            with lock:
                together[0] -= 1

    policy = policy_from_plain({})
    s = scene(compile_instance(instance_of(generated(200, 35, 1.0, 0.0)), policy, DATE).problem, 35)
    _, make = settled(s)
    found = []
    for threads in (1, 4):
        monkeypatch.setattr(blocks, "processors", lambda threads=threads: threads)
        monkeypatch.setattr(blocks, "_solve", late if threads > 1 else solve_one)
        ground = make()
        assert improve(ground, Sweep(12, 4, 12, lambda: 5.0, 20, 1.0, *RELAXED), lambda _: True) < 0
        found.append((ground.offers().tolist(), ground.room_sets().tolist()))
    assert found[0] == found[1] and max(together) > 1

    monkeypatch.setattr(blocks, "_solve", lambda *_: (None, True))
    ground = make()
    assert improve(ground, Sweep(12, 4, 12, lambda: 5.0, 20, 1.0, *RELAXED), lambda _: True) == 0 and ground.hurried

    def broken_piece(*_: object) -> None:
        raise ValueError("this piece is broken")

    monkeypatch.setattr(blocks, "_solve", broken_piece)
    ground = make()
    with pytest.raises(ValueError, match="this piece is broken"):
        improve(ground, Sweep(12, 4, 12, lambda: 5.0, 20, 1.0, *RELAXED), lambda _: True)


def worse_than_best(s: Scene, ground: Ground) -> list[float]:
    """What each has is worse than its best, from scratch."""
    worth, found = ground.guide.worth, []
    for q, arc in enumerate(ground.arc.tolist()):
        own = worth[s.choices.start[q] : s.choices.start[q + 1]]
        best = min([float(s.out[q]), *own.tolist()])
        found.append((worth[arc] if arc >= 0 else float(s.out[q])) - best)
    return found


def test_arcs_of_a_narrow_piece_are_little_worse_than_best_but_for_those_that_stand() -> None:
    narrow, worse, pieces = 150.0, 0, 0
    for s in scenes():
        ground = settled(s)[1]()
        tried = ground.tried.copy()
        for plan in (WIDE, replace(WIDE, narrow=narrow)):
            ground.tried[:] = tried
            piece = blocks._next_piece(ground, plan, np.zeros(len(ground.tried_offer), dtype=np.bool_), ground.held.copy())
            if piece is None:
                continue
            owner = np.repeat(piece.parties, np.diff(piece.choices.start))
            stands = piece.arcs == ground.arc[owner]
            loss = (ground.guide.worth[piece.arcs] - ground.guide.best[owner])[~stands]
            assert (loss <= plan.narrow).all() and not ground.held[piece.parties].any()
            assert (ground.arc[piece.parties[piece.now < 0]] == -1).all()
            worse += int((loss > narrow).sum())
            pieces += 1
    assert worse >= 50 and pieces >= 50


@pytest.mark.parametrize("relaxed", [True, False])
def test_nothing_is_settled_by_the_linear_program_where_that_is_not_wanted(relaxed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def ask(*arguments: object, integer: bool, **others: object) -> object:
        asked.append(integer)
        return solve_program(*arguments, integer=integer, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(blocks, "solve_program", ask)
    for s in list(scenes())[-3:]:
        ground = settled(s)[1]()
        improve(ground, replace(WIDE, relaxed=relaxed), lambda _: True)
    assert True in asked and (False in asked) == relaxed


def test_a_program_counts_from_what_stands_and_moves_nobody_for_nothing() -> None:
    """Two parties, two offers of one bed each, all at the same cost but for one arc that is 30 cheaper for each of them."""
    costs, whole, offer = np.array([100, 70, 100, 70]), np.array([0, 2, 4]), np.array([0, 1, 0, 1])
    choices = Choices(
        whole, offer.astype(np.int32), np.full(4, -1, np.int32), costs, offer.astype(np.int32), np.arange(3), np.arange(2, dtype=np.int32),
        np.ones(2, dtype=np.int32),
    )  # fmt: skip
    both, out, free = np.arange(2), np.full(2, 500), np.ones(2, dtype=np.int64)
    for integer in (True, False):
        for stands in ([0, 3], [1, 2]):
            program = make_program(choices, both, out, free, integer=integer, now=np.array(stands), stays=0.0 if integer else 20.0)
            answer = solve_program(program, integer=integer, seconds=60.0, nodes=20)
            assert answer.cost == pytest.approx(0) and answer.values is not None
            assert np.flatnonzero(answer.values > 0.5).tolist() == stands or integer
        for stop in ({"nodes": 0}, {"nodes": 20, "within": 1e9}):  # an integer search begins from what stands
            program = make_program(choices, both, out, free, integer=True, now=np.array([0, -1]))
            answer = solve_program(program, integer=True, seconds=60.0, **stop)  # type: ignore[arg-type]
            assert answer.cost == pytest.approx(0) and answer.values is not None and answer.values.tolist() == [1, 0, 0, 0]
        program = make_program(choices, both, out, free, integer=integer, now=np.array([0, -1]))
        assert solve_program(program, integer=integer, seconds=60.0, nodes=20).cost == pytest.approx(70 - 500)


def test_who_stays_in_the_linear_program_does_not_move_unless_somebody_in_two_minds_shares_the_offer() -> None:
    """Six parties, two arcs each: own arc whole; own arc whole where the next party wants half; that party; out; half in; moved."""
    offer = np.array([0, 1, 2, 1, 2, 3, 4, 5, 4, 5, 6, 7])
    choices = Choices(
        np.arange(7) * 2, offer.astype(np.int32), np.full(12, -1, np.int32), np.ones(12, dtype=np.int64), offer.astype(np.int32),
        np.arange(9), np.arange(8, dtype=np.int32), np.ones(8, dtype=np.int32),
    )  # fmt: skip
    now = np.array([0, 2, 5, -1, -1, 10])
    piece = blocks.Piece(np.arange(6), choices, np.arange(12), now, np.full(8, 9), np.arange(8))
    values = np.array([1, 0, 1, 0, 0.5, 0.5, 0, 0, 0, 0.5, 0, 1.0])
    assert blocks._settled(piece, values).tolist() == [True, False, False, True, False, False]


def test_larger_problems_have_larger_pieces() -> None:
    for level in LEVELS:
        sizes = [level.sweep(parties, lambda: 1.0).parties for parties in (300, 10_000, 40_000, 1_000_000)]
        assert sizes == sorted(sizes) and sizes[0] == level.least and sizes[-1] == level.most
        assert 1.9 * level.work(500) < level.work(1000) < 4 * level.work(500) and level.work(0) > 0


def test_who_waits_comes_in_if_a_piece_has_reached_what_they_may_have() -> None:
    """Also who loses nothing by being out, however many others are out and may have nothing."""
    parties, last = 400, 8
    allowed = np.zeros((parties, 3), dtype=bool)
    allowed[-last:, 1] = True
    problem = Problem.from_matrix(np.full((parties, 3), 50), np.ones((parties, 3), int), [0, 1, 1], np.full(parties, 40), allowed=allowed)
    field = make_field(problem)
    choices = search_lists(field, Standing.nobody(parties), np.zeros(len(problem.resources)), 4, 0, 2)
    guide = make_guide(choices, choices.cost.astype(np.float64), field.core.out)
    nobody = np.zeros(parties, dtype=np.bool_)
    ground = make_ground(field, choices, guide, Standing.nobody(parties), field.core.out, nobody, np.zeros(len(problem.resources)))
    assert not ground.loss.any()
    for most, found in ((5, 5), (20, last)):
        inside = np.flatnonzero(blocks._waiting(ground, np.array([False, True, False]), 100.0, nobody, most))
        assert len(inside) == found and (inside >= parties - last).all()
    assert not blocks._waiting(ground, np.array([True, False, True]), 100.0, nobody, 20).any()


@pytest.mark.parametrize("integer", [True, False])
def test_a_search_that_the_clock_cuts_says_so(integer: bool) -> None:
    chance, parties, offers, each = np.random.default_rng(3), 6000, 900, 60
    offer = chance.integers(0, offers, parties * each)
    amount = chance.integers(1, 9, offers)
    whole: Ints = np.arange(parties + 1) * each
    choices = Choices(
        whole, offer.astype(np.int32), np.full(len(offer), -1, np.int32), chance.integers(0, 100_000, len(offer)), offer.astype(np.int32),
        np.arange(offers + 1), np.arange(offers, dtype=np.int32), amount.astype(np.int32),
    )  # fmt: skip
    some = np.arange(parties)
    program = make_program(choices, some, np.full(parties, 500_000), np.full(offers, 20), integer=integer)
    assert solve_program(program, integer=integer, seconds=0.0, nodes=20).hurried
    few = make_program(choices, some[:20], np.full(20, 500_000), np.full(offers, 20), integer=integer)
    answer = solve_program(few, integer=integer, seconds=60.0, nodes=20)
    assert answer.values is not None and not answer.hurried


def test_a_run_says_that_the_clock_has_cut_a_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = next(s.problem for s in reversed(list(scenes())) if not s.problem.links or len(s.problem.parties) > 100)
    for hurried in (False, True):

        def cut(ground: Ground, *_: object, hurried: bool = hurried) -> int:
            ground.hurried = hurried
            return 0

        monkeypatch.setattr(strategy, "improve", cut)
        outcome = strategy.PriceStrategy().solve(problem, Limits(20.0, time.monotonic() + 100, 0.0, 0), Silent())
        assert outcome.plan is not None and (outcome.cut_by == "time") == hurried


def solved(problem: Problem, effort: float, gap: float = 0.0) -> tuple[Outcome, int, float]:
    """(outcome, cost, proved share of what those cost who are placed)."""
    limits = Limits(effort * WORK_PER_EFFORT, time.monotonic() + 1000, gap, effort=effort)
    outcome = strategy.PriceStrategy().solve(problem, limits, Silent())
    assert outcome.plan is not None and outcome.cut_by is None and outcome.work < limits.work
    cost = cost_by_stage(problem, outcome.plan)[0]
    out = sum(int(problem.unplaced_cost[h]) for h, home in enumerate(outcome.plan.home) if home == UNPLACED)
    return outcome, cost, (cost - outcome.stages[0].bound) / (cost - out)


def test_a_small_search_is_done_where_its_plan_is_proved_near_enough_and_more_effort_goes_further() -> None:
    """How near it comes differs; near enough is nearer with more effort, or with a smaller gap that was asked for."""
    further = 0
    for seed in (31, 36):
        problem = compile_instance(instance_of(generated(200, seed, 1.0, 0.0)), policy_from_plain({}), DATE).problem
        usual, cost, gap = solved(problem, 1.0)
        assert gap <= strategy.SMALL_DONE_WITHIN
        for effort, asked in ((20.0, 0.0), (1.0, 1e-7)):
            more, less, _ = solved(problem, effort, asked)
            assert less <= cost and more.work >= usual.work
            further += more.work > usual.work
    assert further


def test_what_the_unplaced_cost_does_not_make_a_plan_good_enough() -> None:
    """With half the beds most of the cost is that of who is out."""
    problem = compile_instance(instance_of(generated(200, 3, 0.5, 0.0)), policy_from_plain({}), DATE).problem
    hand, nothing = Hand(problem, Silent(), 0.0), np.zeros(0, dtype=np.int64)
    plan = solved(problem, 1.0)[0].plan
    assert plan is not None
    hand.take(plan)
    out = sum(int(problem.unplaced_cost[h]) for h, home in enumerate(plan.home) if home == UNPLACED)
    placed = hand.cost[0] - out
    assert out > placed
    for gap, nearly in ((0.0009, True), (0.0011, False)):
        hand.end = StageEnd(Prices(1, 0, nothing, nothing, (), ()), hand.cost[0] - int(gap * placed), searched=False)
        assert hand.nearly(0.001) == nearly


@pytest.mark.parametrize(
    ("linked", "small", "levels"), [(True, 1500, [1, 1, 2, 2, 3, 3]), (True, 0, [0, 1, 1, 2, 2, 3, 3]), (False, 0, [0, 1, 2, 3])]
)
def test_rounds_go_on_while_there_is_no_plan(linked: bool, small: int, levels: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Who must be placed may need all levels, though in small problems the first is enough for a good plan."""
    problem = next(s.problem for s in scenes() if bool(s.problem.links) == linked)
    monkeypatch.setattr(strategy, "MOST_PARTIES", small)
    seen: list[int] = []

    def nothing(self: strategy._Run, standing: Standing, found: object, turn: int, level: int) -> Standing:
        seen.append(level)
        return standing

    monkeypatch.setattr(strategy._Run, "_round", nothing)
    monkeypatch.setattr(strategy._Run, "_take", lambda self, standing: standing)
    outcome = strategy.PriceStrategy().solve(problem, Limits(WORK_PER_EFFORT, time.monotonic() + 1000), Silent())
    assert outcome.plan is None and seen == levels


def test_a_round_has_found_something_where_it_saves_more_than_a_trifle() -> None:
    cheaper = strategy._cheaper
    assert cheaper((100,), ()) and cheaper((99_998_000,), (100_000_000,))
    assert not cheaper((99_999_500,), (100_000_000,)) and not cheaper((100,), (100,)) and not cheaper((), ())
