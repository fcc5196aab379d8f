"""Prices of an earlier run: what has changed since gets the prices of its kind, a market that is another is begun from nothing. And what a
search does that is given little work."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.evaluate import broken
from matcher.policy import Policy
from matcher.pricing.uses import UNIT, offer_of_row
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan
from matcher.strategies.base import Limits, Silent
from matcher.strategies.fallback import fallback_plan
from matcher.strategies.prices import strategy
from matcher.strategies.prices.ascent import Floats, Found
from matcher.strategies.prices.known import FAR, LOOKS, mended
from matcher.strategies.prices.smooth import LEAST_STEPS, shortened
from matcher.strategies.prices.strategy import ROWS, _Run
from matcher.strategies.start import Start
from matcher.usage import homes_of
from tests.runs import DATE, generated, instance_of


@cache
def short_of_beds() -> Problem:
    return compile_instance(instance_of(generated(700, 12, 0.85, 0.0)), Policy(), DATE).problem


def run_of(start: Start | None = None, anew: float = 20.0) -> _Run:
    return _Run(short_of_beds(), Limits(20.0, time.monotonic() + 600, start=start), Silent(), anew)


@cache
def known() -> Found:
    return run_of()._prices(None)


@cache
def cold_plan() -> Plan:
    plan = run_of().run().plan
    assert plan is not None
    return plan


def spoil(change: Callable[[Floats], Floats]) -> tuple[_Run, Floats, np.ndarray]:
    """Of the dear flats a few get another price."""
    run, prices = run_of(), known().prices.copy()
    core = run.field.core
    flats = np.flatnonzero((core.uses.kind == UNIT) & core.open[offer_of_row(core.uses)] & (prices > 5 * FAR))[::15]
    prices[flats] = change(prices[flats])
    return run, prices, flats


@pytest.mark.parametrize("change", [np.zeros_like, lambda price: 0.6 * price, lambda price: 1.7 * price], ids=["new", "larger", "smaller"])
def test_what_has_changed_gets_a_price_of_its_kind(change: Callable[[Floats], Floats]) -> None:
    run, spoilt, flats = spoil(change)
    good = known()
    assert len(flats) >= 5
    before = run.market.bound(spoilt, good.floors)
    prices, looks = mended(run.market, run.field.core, spoilt, good.floors, 0, lambda: True)
    after = run.market.bound(prices, good.floors)
    assert 1 <= looks <= LOOKS
    assert good.bound - after < 0.1 * (good.bound - before)
    others = np.setdiff1d(np.arange(len(prices)), flats)
    assert (prices[others] == spoilt[others]).mean() > 0.98


def test_what_is_right_is_left_alone_and_what_is_closed_costs_nothing() -> None:
    run, good = run_of(), known()
    opened = run.field.core.open[offer_of_row(run.field.core.uses)]
    assert (~opened).sum() >= 3
    prices, _ = mended(run.market, run.field.core, np.where(opened, good.prices, 900_000.0), good.floors, 0, lambda: True)
    assert not prices[~opened].any()
    assert run.market.bound(prices, good.floors) >= good.bound
    assert (prices == good.prices)[opened].mean() > 0.98


def test_links_that_the_proof_does_not_know_are_not_taken_for_bad_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "MOST_PARTIES", 0)
    problem = compile_instance(instance_of(generated(400, 12, 1.0, 0.2)), Policy(), DATE).problem
    cold = strategy.PriceStrategy().solve(problem, Limits(20.0, time.monotonic() + 600), Silent())
    assert cold.plan is not None
    prices = cold.stages[0].prices
    start = Start(prices.capacity / prices.scale, prices.floors / prices.scale, homes_of(problem, cold.plan), cold.plan.rooms)
    asked: list[Start | None] = []
    prices_of = _Run._prices
    monkeypatch.setattr(_Run, "_prices", lambda self, given: [asked.append(given), prices_of(self, given)][1])
    warm = strategy.PriceStrategy().solve(problem, Limits(20.0, time.monotonic() + 600, start=start), Silent())
    assert asked == [start] and warm.plan is not None and not broken(problem, warm.plan)


@pytest.mark.parametrize("times", [0.0, 0.4])
def test_prices_of_another_market_are_given_up(times: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "MOST_PARTIES", 0)  # no linear program puts them right
    cold = run_of().run()
    assert cold.plan is not None
    homes = homes_of(short_of_beds(), cold.plan)
    prices = cold.stages[0].prices
    start = Start(prices.capacity / prices.scale, prices.floors / prices.scale, homes, cold.plan.rooms)
    asked: list[Start | None] = []
    prices_of = _Run._prices

    def keep(self: _Run, given: Start | None) -> Found:
        asked.append(given)
        return prices_of(self, given)

    monkeypatch.setattr(_Run, "_prices", keep)
    warm = run_of(start).run()
    assert asked == [start]
    other = replace(start, prices=times * start.prices)
    astray = run_of(other).run()
    assert asked == [start, other, None]
    run_of(other, 0.0).run()  # a section has no work for it
    monkeypatch.setattr(strategy, "MOST_PARTIES", 1500)
    run_of(other).run()  # nor need prices of a linear program be doubted
    assert asked == [start, other, None, other, other]
    for outcome in (warm, astray):
        assert outcome.plan is not None and not broken(short_of_beds(), outcome.plan)
        assert outcome.stages[0].bound > 0.995 * cold.stages[0].bound


def test_a_course_has_fewer_steps_only_where_there_is_not_the_work_for_all() -> None:
    assert shortened(ROWS, 10_000, 50.0) == ROWS
    half = shortened(ROWS, 10_000, 4.0)
    assert 0.3 * ROWS.steps < half.steps < 0.7 * ROWS.steps and replace(half, steps=ROWS.steps) == ROWS
    assert shortened(ROWS, 10_000, 1e-9).steps == LEAST_STEPS
    assert shortened(replace(ROWS, steps=7), 10_000, 1e-9).steps == 7


def test_who_is_out_has_what_is_free_where_work_ends_early() -> None:
    problem, filled = short_of_beds(), 0
    for work in (0.2, 0.6, 1.2):
        run = _Run(problem, Limits(work, time.monotonic() + 600), Silent())
        outcome = run.run()
        assert outcome.plan is not None and outcome.cut_by == "effort"
        homes = homes_of(problem, outcome.plan)
        nothing = Start(np.zeros(len(problem.resources)), np.zeros(len(problem.floors)), homes, outcome.plan.rooms)
        more = fallback_plan(problem, nothing)
        assert more is not None
        filled += int((homes_of(problem, more) >= 0).sum() - (homes >= 0).sum())
    assert filled <= 3  # by what costs more than to stay out


def test_keeping_what_stands_goes_on_when_there_is_no_time_for_others() -> None:
    problem = short_of_beds()
    homes = homes_of(problem, cold_plan())
    homes[::3] = UNPLACED
    start = Start(
        np.zeros(len(problem.resources)),
        np.zeros(len(problem.floors)),
        homes,
        tuple(() if h < 0 else r for h, r in zip(homes, cold_plan().rooms, strict=True)),
    )
    kept, all_of_them = fallback_plan(problem, start, 0.0), fallback_plan(problem, start)
    assert kept is not None and all_of_them is not None and not broken(problem, kept)
    after = homes_of(problem, kept)
    assert (after[homes >= 0] == homes[homes >= 0]).all()
    assert (after >= 0).sum() < 0.9 * (homes_of(problem, all_of_them) >= 0).sum()
