"""Prices in common: what is alike and near costs alike, and becomes dearer together."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.policy import Policy
from matcher.problem import Problem
from matcher.strategies.prices import alike as alike_module
from matcher.strategies.prices.alike import Alike, StepsOfAlike
from matcher.strategies.prices.ascent import Found
from matcher.strategies.prices.classes import each_alone
from matcher.strategies.prices.dealing import kinds_of_rows
from matcher.strategies.prices.field import make_field
from matcher.strategies.prices.smooth import Course, climb
from tests.prices.problems import problems
from tests.runs import DATE, generated, instance_of


@pytest.fixture(scope="module")
def problem() -> Problem:
    return compile_instance(instance_of(generated(600, 83, 0.9, 0.1)), Policy(), DATE).problem


def test_means_are_taken_within_a_kind_only(problem: Problem) -> None:
    kind, alike = kinds_of_rows(problem), Alike.of(problem, 0)
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
    """Two offers of one place are the same, the third is open to half as many: its price moves theirs less than they do each other."""
    cost = np.zeros((40, 3), dtype=np.int64)
    cost[:, 2] = 500
    problem = Problem.from_matrix(cost, np.ones((40, 3), dtype=np.int64), np.array([2, 2, 2]), np.full(40, 100_000))
    alike = Alike.of(problem, 0)
    assert len(set(kinds_of_rows(problem).tolist())) == 1
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
    steps = StepsOfAlike(Alike.of(problem, 0), market, each_alone(field.core), prices, np.zeros(0))
    steps.step(np.array([3.0, 0.0]), market.wanted, 10.0, 0.0)
    assert prices[0] == prices[1] > 0, "both are full one and a half times"


def test_prices_in_common_prove_no_more_than_there_is() -> None:
    """Whatever the prices, they prove less than a plan costs; and these prove more than nothing."""
    better = 0
    for problem in problems(40, 41_000):
        if not problem.offers or not len(problem.parties):
            continue
        field = make_field(problem)
        market, everybody = field.market(), np.arange(field.parties)
        floors = np.zeros(len(problem.floors))
        start = Found(-np.inf, np.zeros(len(problem.resources)), floors)
        nothing = market.bound(start.prices, floors)
        steps = partial(StepsOfAlike, Alike.of(problem, 0))
        course = Course(30, 5, 6, 16, (300.0, 50.0), (100.0, 10.0))
        found = climb(market, each_alone(field.core), everybody, start, course, lambda *_: True, steps)
        assert found.bound == pytest.approx(market.bound(found.prices, found.floors), rel=1e-9)
        assert found.bound >= nothing - 1e-6
        better += found.bound > nothing + 1
    assert better >= 10


def test_where_there_are_too_many_places_each_is_alone(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Alike.of(problem, 0).near.shape[1] > 1
    monkeypatch.setattr(alike_module, "MOST_PLACES", 3)
    alone = Alike.of(problem, 0)
    assert alone.near.tolist() == [[p] for p in range(len(np.unique(problem.place)))]
    values = np.random.default_rng(1).random(len(problem.resources))
    means, kind = alone.means(values), kinds_of_rows(problem)
    here = problem.place[[row.offer for row in problem.resources]]
    for r in range(len(values)):
        like = (kind == kind[r]) & (here == here[r])
        assert values[like].min() - 1e-12 <= means[r] <= values[like].max() + 1e-12
