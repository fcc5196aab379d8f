"""Instances of 60 to 300 households: against the exact strategy, in any order of rows, on one thread or two, twice in a row."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matcher.check import check_bound
from matcher.compile import compile_instance
from matcher.evaluate import broken
from matcher.io import read_instance
from matcher.policy import Policy, policy_from_plain
from matcher.pricing import arcs, board
from matcher.pricing.threads import in_ranges
from matcher.publish import publish
from matcher.result import Result
from matcher.solver import solve
from matcher.strategies.prices import ascent, blocks, smooth
from matcher.strategies.prices import strategy as strategy_module
from tests.runs import DATE, files_of, generated, instance_of, shuffled

WORTH_A_LOOK = 0.02
"""Gaps beyond this on an instance of this size would be a fault and not bad luck."""


def by_prices(folder: Path, effort: float = 0.1, policy: Policy | None = None) -> Result:
    return solve(instance_of(folder), policy or Policy(), date=DATE, strategy="prices", effort=effort)


def check(folder: Path, result: Result, policy: Policy) -> None:
    """The plan holds, and the checker finds the same bound."""
    instance = instance_of(folder)
    problem = compile_instance(instance, policy, DATE).problem
    assert broken(problem, result.plan) == []
    assert result.certificate is not None
    faults, theirs = check_bound(instance, policy, DATE, result.certificate.plain(), result.placements, result.unplaced)
    assert faults == [] and theirs == result.bound
    assert result.bound <= result.cost.total


def against_exact(folder: Path, policy: Policy, effort: float) -> tuple[float, float]:
    """(how far above the exact strategy's bound the cost is, and how far below its cost the bound), as shares."""
    prices = by_prices(folder, effort, policy)
    check(folder, prices, policy)
    exact = solve(instance_of(folder), policy, date=DATE, strategy="exact", effort=0.5)
    assert prices.bound <= exact.cost.total and exact.bound <= prices.cost.total
    top = max(1, exact.cost.total)
    return (prices.cost.total - exact.bound) / top, (exact.cost.total - prices.bound) / top


FLOORS = policy_from_plain({"floors": {"km": 1234.56, "share": {"older_person": "0.9", "disability": "1", "women": "0.333"}}})
CASES = [(60, 41, 0.9, 0.0), (60, 42, 0.7, 0.3), (100, 43, 1.1, 0.1)]
SLOW = [
    (n, 50 + i, beds, links) for n in (60, 150, 300) for i, (beds, links) in enumerate([(0.8, 0.0), (0.9, 0.3), (1.0, 0.6), (1.15, 0.05)])
]


@pytest.mark.parametrize(("households", "seed", "beds", "links"), CASES)
def test_generated_instances_against_the_exact_strategy(households: int, seed: int, beds: float, links: float) -> None:
    above, below = against_exact(generated(households, seed, beds, links), Policy(), 0.1)
    assert above <= WORTH_A_LOOK
    assert links > 0 or below <= WORTH_A_LOOK  # what links cost is not in the bound of each


@pytest.mark.slow
@pytest.mark.parametrize("policy", [Policy(), FLOORS], ids=["plain", "floors"])
@pytest.mark.parametrize(("households", "seed", "beds", "links"), SLOW)
def test_more_generated_instances_against_the_exact_strategy(households: int, seed: int, beds: float, links: float, policy: Policy) -> None:
    above, _ = against_exact(generated(households, seed, beds, links), policy, 0.5)
    assert above <= 3 * WORTH_A_LOOK


def serial(work: Callable[[int, int], None], count: int, *, least: int = 0) -> None:
    """All of it in one piece on one thread."""
    work(0, count)


def spread(work: Callable[[int, int], None], count: int, *, least: int = 0) -> None:
    """On two threads however little there is to do."""
    in_ranges(work, count, least=0)


def same(one: Result, other: Result) -> bool:
    return (one.plan, one.cost, one.certificate, one.placements, one.unplaced) == (
        other.plan, other.cost, other.certificate, other.placements, other.unplaced
    )  # fmt: skip


@pytest.mark.parametrize("seed", [61, pytest.param(62, marks=pytest.mark.slow)])
def test_one_thread_and_two_say_the_same(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with several exact pieces of thirty."""
    folder = generated(120, seed, 0.9, 0.2)
    monkeypatch.setattr(strategy_module, "LEVELS", tuple(replace(level, least=30, most=60) for level in strategy_module.LEVELS))
    found = []
    for run, workers in ((serial, 1), (spread, 3), (spread, 3)):
        monkeypatch.setattr(blocks, "processors", lambda workers=workers: workers)
        for module in (arcs, board, ascent, smooth):
            monkeypatch.setattr(module, "in_ranges", run)
        found.append(by_prices(folder))
    assert same(found[0], found[1]), "the number of threads can be seen"
    assert same(found[1], found[2]), "two runs in a row differ"


def test_threads_cover_everything_once_and_pass_errors_on() -> None:
    for count in (0, 1, 2, 15, 16, 17, 1000, 5000):
        for run in (serial, spread):
            seen = np.zeros(count, dtype=np.int64)

            def work(first: int, last: int, seen: np.ndarray = seen) -> None:
                seen[first:last] += 1

            run(work, count)
            assert (seen == 1).all()

    def fail(first: int, last: int) -> None:
        if first <= 900 < last:
            raise ValueError("900")

    for run in (serial, spread):
        with pytest.raises(ValueError, match="900"):
            run(fail, 1000)


@pytest.mark.parametrize("seed", [71, 72])
def test_rows_in_any_order_give_the_same_files(seed: int, tmp_path: Path) -> None:
    folder = generated(80, seed, 0.9, 0.4)
    expected = files_of(publish(by_prices(folder), tmp_path / "out"))
    assert {"placements.csv", "unplaced.csv", "certificate.json"} <= set(expected)
    other = shuffled(folder, tmp_path / "shuffled", random.Random(seed))
    result = solve(read_instance(other), Policy(), date=DATE, strategy="prices", effort=0.1)
    found = files_of(publish(result, tmp_path / "out-2"))
    assert [file for file in expected if found.get(file) != expected[file]] == []


def test_the_clock_stops_it_with_a_checked_plan() -> None:
    """A limit that is over before it starts still gives the plan in hand, or says that there is none."""
    folder = generated(150, 81, 0.9, 0.2)
    result = solve(instance_of(folder), date=DATE, strategy="prices", effort=100, time_limit_s=2)
    assert result.effort.cut_by in ("time", None)
    check(folder, result, Policy())


def test_a_gap_that_is_near_enough_stops_it() -> None:
    folder = generated(150, 82, 0.9, 0.0)
    result = solve(instance_of(folder), date=DATE, strategy="prices", gap=0.5)
    assert result.gap <= 0.5 and result.effort.cut_by is None and result.effort.work < 5
    check(folder, result, Policy())
