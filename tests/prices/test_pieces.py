"""Which parties and arcs an exact piece is made of, which solvers are asked, and that the clock is told where it cuts."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from matcher.layers import Ints
from matcher.pricing.arcs import Choices
from matcher.problem import Problem
from matcher.strategies.base import Limits, Silent
from matcher.strategies.prices import blocks, strategy
from matcher.strategies.prices.blocks import Ground, Sweep, improve, make_ground
from matcher.strategies.prices.field import make_field, search_lists
from matcher.strategies.prices.house import Standing, settle, standing_of
from matcher.strategies.prices.linear import make_program, solve_program
from matcher.strategies.prices.room import make_guide
from tests.prices.test_house import Scene, priced, scenes

WIDE = Sweep(1, 1, 60, 5.0, 20, 1.0, relaxed=False, narrow=np.inf)


def grounds() -> list[tuple[Scene, Ground]]:
    out = []
    for s in scenes():
        house = s.house(Standing.nobody(s.field.parties))
        settle(house, s.choices, s.chance.permutation(s.field.parties), s.out)
        guide = make_guide(s.choices, priced(s, 300.0), s.out)
        prices = s.chance.random(len(s.problem.resources)) * 300
        out.append((s, make_ground(s.field, s.choices, guide, standing_of(house, s.choices), s.out, s.held, prices)))
    return out


def test_arcs_of_a_narrow_piece_are_little_worse_than_best_but_for_those_that_stand() -> None:
    narrow, worse, pieces = 150.0, 0, 0
    for _, ground in grounds():
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
    for _, ground in grounds()[-3:]:
        improve(ground, replace(WIDE, relaxed=relaxed), lambda _: True)
    assert True in asked and (False in asked) == relaxed


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
