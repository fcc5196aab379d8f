"""The strategies by name."""

from __future__ import annotations

from matcher.errors import UsageError
from matcher.problem import Problem
from matcher.strategies.base import Strategy
from matcher.strategies.exact import Exact

NAMES: tuple[str, ...] = ("auto", "exact", "prices")
EXACT_UP_TO = 100_000
"""Pairs of parties and offers up to which `auto` takes the exact strategy."""


def strategy(name: str) -> Strategy:
    """The strategy of that name, one of NAMES but `auto`, or "section". Raises UsageError with the choices."""
    if name == "exact":
        return Exact()
    if name == "prices":
        from matcher.strategies.prices.strategy import PriceStrategy  # compiled kernels are loaded where they are needed

        return PriceStrategy()
    if name == "section":  # a part of what "prices" does with a large problem, not for users to choose
        from matcher.strategies.prices.strategy import SectionStrategy

        return SectionStrategy()
    raise _unknown(name)


def _unknown(name: str) -> UsageError:
    return UsageError(f"there is no strategy {name!r}; choose one of: {', '.join(NAMES)}")


def choose(name: str, problem: Problem) -> tuple[Strategy, str]:
    """(strategy, why) for a name or `auto`. Raises UsageError where the chosen one, or each of them, cannot serve the problem."""
    if name not in NAMES:
        raise _unknown(name)
    if name != "auto":
        chosen = strategy(name)
        refusal = chosen.refuses(problem)
        if refusal is not None:
            raise UsageError(f"strategy {chosen.name} cannot serve this instance: {refusal}")
        return chosen, "chosen by the user"
    pairs = len(problem.parties) * problem.offers
    exact = Exact()
    if pairs <= EXACT_UP_TO:
        return exact, "the instance is small enough to be solved exactly"
    if problem.in_use is not None and exact.refuses(problem) is None:
        return exact, "what a household takes differs from pair to pair, which the exact strategy is better at"
    prices = strategy("prices")
    unfit = prices.refuses(problem)
    if unfit is None:
        return prices, f"{pairs:,} pairs of households and offers are too many to be searched exactly in a short time"
    refusal = exact.refuses(problem)
    if refusal is not None:
        raise UsageError(f"no strategy can serve this instance: exact: {refusal}; prices: {unfit}")
    return exact, f"the large-scale strategy cannot serve it: {unfit}"
