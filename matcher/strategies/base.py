"""What a strategy is: it sees a `Problem` and nothing else, and returns a plan as positions with its proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from matcher.bounds import Pair, Prices
from matcher.problem import Problem
from matcher.result import Plan
from matcher.strategies.start import Start

WORK_PER_EFFORT = 50.0
"""Units of work of `effort` 1: about so many seconds of one core for the searches that count it."""


@dataclass(frozen=True)
class Limits:
    """How long a strategy may go on. work: units of deterministic effort, the default stop. deadline: on
    `time.monotonic()`, the safety net. gap: good enough when proved that near. seed: of every random choice.
    start: where an earlier run ended. last: on `time.monotonic()`, when no second try may go on either; None: the deadline.
    memory_mib: of a child; None: no limit. effort: what was asked of the whole search, whatever share of its work this is.
    ring: how far above the bound (whole units) an optimum may be looked for at once, where a
    problem much like this one had it there."""

    work: float
    deadline: float
    gap: float = 0.0
    seed: int = 0
    start: Start | None = None
    last: float | None = None
    memory_mib: int | None = None
    ring: int = 0
    effort: float = 1.0

    def seconds_left(self) -> float:
        """Seconds to the deadline, never below 0."""
        return max(0.0, self.deadline - time.monotonic())


class Watch(Protocol):
    """Who looks on while a strategy works: progress for people, and the plan in hand should the process die."""

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
        """A better plan than all before, and its cost by stage."""

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:
        """Prices of a stage and the bound (whole units) that they prove."""


class Silent:
    """A watch that does nothing."""

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
        """Nothing."""

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:
        """Nothing."""


@dataclass(frozen=True)
class StageEnd:
    """How one stage ended. bound: L of the prices, whole units. searched: an exact search was closed at the value."""

    prices: Prices
    bound: int
    searched: bool


@dataclass(frozen=True)
class Outcome:
    """What a strategy found. plan None: there is none (proved if `infeasible`, else within the limits).

    stages: one a stage that was reached. forest: pairs of parties whose links the bounds keep. work: deterministic effort
    spent. cut_by: "effort", "time" or None.
    """

    plan: Plan | None
    stages: tuple[StageEnd, ...] = ()
    forest: tuple[Pair, ...] = ()
    work: float = 0.0
    cut_by: str | None = None
    infeasible: bool = False


class Strategy(Protocol):
    """A way to find a plan and to prove how good it is."""

    @property
    def name(self) -> str:
        """As users choose it."""

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot serve this problem, or None."""

    def solve(self, problem: Problem, limits: Limits, watch: Watch) -> Outcome:
        """Find a plan. Never raises for lack of time: it returns what it has."""
