"""Who solves what, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from matcher.compile import compile_instance
from matcher.errors import UsageError
from matcher.layers import LARGEST
from matcher.problem import Problem
from matcher.solver import solve
from matcher.strategies import registry
from matcher.strategies.registry import NAMES, choose, strategy
from tests.oracle.tiny import tiny_case


def of_pairs(households: int, offers: int) -> Problem:
    ones = np.ones((households, offers), dtype=np.int64)
    return Problem.from_matrix(ones, ones, [1] * offers, [5] * households)


def strict(problem: Problem) -> Problem:
    """The same with a second stage."""
    return replace(problem, stages=("first", "second"), fixed_cost=(0, 0))


def test_auto_takes_the_exact_strategy_up_to_its_size_and_prices_beyond() -> None:
    assert registry.EXACT_UP_TO == 100_000
    for pairs, expected in (((500, 200), "exact"), ((501, 200), "prices"), ((1, 1), "exact"), ((0, 5), "exact")):
        chosen, why = choose("auto", replace(of_pairs(*pairs), in_use=None))
        assert chosen.name == expected
        assert ("small enough" in why) == (expected == "exact")
        assert (f"{pairs[0] * pairs[1]:,} pairs" in why) == (expected == "prices")


def test_auto_takes_the_exact_strategy_for_what_prices_refuse_and_says_so() -> None:
    chosen, why = choose("auto", replace(strict(of_pairs(501, 200)), in_use=None))
    assert chosen.name == "exact" and "strict" in why and "cannot serve" in why
    huge = of_pairs(501, 200)
    huge = replace(huge, in_use=np.full((501, 200), LARGEST))
    assert choose("auto", huge)[0].name == "exact"
    chosen, why = choose("auto", of_pairs(501, 200))
    assert chosen.name == "exact" and "from pair to pair" in why


def test_a_strategy_that_was_asked_for_runs_or_says_why_not() -> None:
    for name in ("exact", "prices"):
        chosen, why = choose(name, of_pairs(2, 2))
        assert (chosen.name, why) == (name, "chosen by the user")
    with pytest.raises(UsageError, match=r"prices cannot serve this instance: .*strict"):
        choose("prices", strict(of_pairs(2, 2)))
    with pytest.raises(UsageError, match="no households or no offers"):
        choose("prices", of_pairs(0, 2))
    with pytest.raises(UsageError, match="too large"):
        choose("prices", replace(of_pairs(2, 2), unplaced_cost=np.array([1 << 54, 1])))


@pytest.mark.parametrize("name", ["", "EXACT", "price", "best", "auto "])
def test_a_name_that_does_not_exist_lists_the_choices(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose(name, of_pairs(2, 2))
    assert all(choice in str(caught.value) for choice in NAMES) and repr(name) in str(caught.value)
    with pytest.raises(UsageError, match="choose one of"):
        solve(of_pairs(2, 2), strategy=name)


def test_there_is_a_strategy_of_every_name() -> None:
    assert [strategy(name).name for name in NAMES if name != "auto"] == ["exact", "prices"]


def test_the_result_says_who_ran_and_why() -> None:
    case = next(c for c in (tiny_case(seed, order="weighted") for seed in range(600_000, 600_100))
                if strategy("prices").refuses(compile_instance(c.instance, c.policy, c.date).problem) is None)  # fmt: skip
    by_prices = solve(case.instance, case.policy, date=case.date, strategy="prices", effort=0.05)
    assert (by_prices.strategy, by_prices.why) == ("prices", "chosen by the user")
    by_auto = solve(case.instance, case.policy, date=case.date)
    assert by_auto.strategy == "exact" and "small enough" in by_auto.why
    with pytest.raises(UsageError, match="strict"):
        solve(case.instance, case.policy.model_copy(update={"order": "strict"}), date=case.date, strategy="prices")


def test_what_solves_sections_of_a_large_problem_is_not_for_users_to_choose() -> None:
    assert strategy("section").name == "section" not in NAMES
    with pytest.raises(UsageError, match="there is no strategy 'section'"):
        choose("section", of_pairs(3, 3))
