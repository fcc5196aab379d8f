"""Prices in common: what is alike and near costs alike, and becomes dearer together."""

from __future__ import annotations

import time
from functools import partial

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.evaluate import cost_by_stage
from matcher.policy import Policy
from matcher.problem import Problem
from matcher.strategies.base import Limits, Silent
from matcher.strategies.prices.alike import Alike, StepsOfAlike
from matcher.strategies.prices.ascent import Found
from matcher.strategies.prices.classes import each_alone
from matcher.strategies.prices.dealing import kinds_of_rows
from matcher.strategies.prices.field import make_field
from matcher.strategies.prices.smooth import Course, climb
from matcher.strategies.registry import strategy
from matcher.usage import Stock
from tests.prices.problems import problems
from tests.runs import DATE, generated, instance_of


@pytest.fixture(scope="module")
def problem() -> Problem:
    return compile_instance(instance_of(generated(600, 83, 0.9, 0.1)), Policy(), DATE).problem


def alike_of(problem: Problem) -> Alike:
    return Alike.of(problem, each_alone(make_field(problem).core).implied, 0)


def test_means_are_taken_within_a_kind_only(problem: Problem) -> None:
    kind, alike = kinds_of_rows(problem, Stock.of(problem)), alike_of(problem)
    values = np.random.default_rng(1).random(len(kind)) * 1000
    means = alike.means(values)
    for k in range(kind.max() + 1):
        of_kind = kind == k
        assert values[of_kind].min() - 1e-9 <= means[of_kind].min() and means[of_kind].max() <= values[of_kind].max() + 1e-9
        others = np.where(of_kind, values, -1.0)
        assert np.array_equal(alike.means(others)[of_kind], means[of_kind]), "rows of other kinds do not count"
    assert np.allclose(alike.means(np.full(len(kind), 7.0)), 7.0)
    assert (np.abs(means - values) > 1).any(), "some are alike"


def test_what_is_more_alike_counts_more() -> None:
    """Two offers of one place are the same, the third is dearer for all: its price moves theirs less than they do each other."""
    cost = np.zeros((40, 3), dtype=np.int64)
    cost[:, 2] = 500
    problem = Problem.from_matrix(cost, np.ones((40, 3), dtype=np.int64), np.array([2, 2, 2]), np.full(40, 100_000))
    alike = alike_of(problem)
    assert len(set(kinds_of_rows(problem, Stock.of(problem)).tolist())) == 1
    means = alike.means(np.array([90.0, 30.0, 0.0]))
    assert means[0] == pytest.approx(means[1]), "the same price for the same"
    assert 40 < means[0] <= 60
    assert means[2] < means[0]


def test_what_is_alike_becomes_dearer_together() -> None:
    cost = np.array([[0, 0], [0, 0], [0, 0]])
    problem = Problem.from_matrix(cost, np.ones((3, 2), dtype=np.int64), np.array([1, 1]), np.full(3, 1000))
    field = make_field(problem)
    market = field.market()
    prices = np.zeros(2)
    steps = StepsOfAlike(alike_of(problem), market, each_alone(field.core), prices, np.zeros(0))
    steps.step(np.array([3.0, 0.0]), market.wanted, 10.0, 0.0)
    assert prices[0] == prices[1] > 0, "both are full one and a half times"


def test_a_row_without_room_becomes_dearer_too() -> None:
    problem = Problem.from_matrix(np.zeros((3, 2), dtype=np.int64), np.ones((3, 2), dtype=np.int64), np.array([1, 0]), np.full(3, 1000))
    field = make_field(problem)
    market, prices = field.market(), np.zeros(2)
    steps = StepsOfAlike(alike_of(problem), market, each_alone(field.core), prices, np.zeros(0))
    steps.step(np.array([0.0, 3.0]), market.wanted, 10.0, 0.0)
    assert (prices > 0).all()


def test_prices_in_common_prove_no_more_than_the_best_plan_costs() -> None:
    better = 0
    for problem in problems(60, 41_000):
        if not problem.offers or not len(problem.parties):
            continue
        outcome = strategy("exact").solve(problem, Limits(50.0, time.monotonic() + 60.0), Silent())
        if outcome.plan is None:
            continue
        (best,) = cost_by_stage(problem, outcome.plan)
        field = make_field(problem)
        market, floors = field.market(), np.zeros(len(problem.floors))
        start = Found(-np.inf, np.zeros(len(problem.resources)), floors)
        steps, course = partial(StepsOfAlike, alike_of(problem)), Course(30, 5, 6, 16, (300.0, 50.0), (100.0, 10.0))
        found = climb(market, each_alone(field.core), np.arange(field.parties), start, course, lambda *_: True, steps)
        assert found.bound <= best + 1e-6
        better += found.bound > market.bound(start.prices, floors) + 1
    assert better >= 5


def test_the_nearest_places_of_each_begin_with_itself(problem: Problem) -> None:
    alike = alike_of(problem)
    assert (alike.near[:, 0] == np.arange(len(alike.near))).all() and (alike.far[:, 0] == 0).all(), "itself first"
    assert (np.diff(alike.far, axis=1) >= 0).all()
