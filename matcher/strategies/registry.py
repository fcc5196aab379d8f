"""The strategies by name."""

from __future__ import annotations

from matcher.errors import UsageError
from matcher.problem import Problem
from matcher.strategies.base import Strategy
from matcher.strategies.exact import Exact

NAMES: tuple[str, ...] = ("auto", "exact")


def strategy(name: str) -> Strategy:
    """The strategy of that name. Raises UsageError with the choices."""
    if name == "exact":
        return Exact()
    raise UsageError(f"there is no strategy {name!r}; choose one of: {', '.join(NAMES)}")


def choose(name: str, problem: Problem) -> tuple[Strategy, str]:
    """(strategy, why) for a name or `auto`. Raises UsageError where the chosen one cannot serve the problem."""
    chosen = strategy("exact" if name == "auto" else name)
    refusal = chosen.refuses(problem)
    if refusal is not None:
        raise UsageError(f"strategy {chosen.name} cannot serve this instance: {refusal}")
    return chosen, "the instance is small enough to be solved exactly" if name == "auto" else "chosen by the user"
