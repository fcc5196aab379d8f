"""The task of a process apart that searches: ships plans, proofs and the end. See `isolated`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from matcher.apart import Send
from matcher.bounds import Prices
from matcher.errors import InputError, MatcherError
from matcher.problem import Problem
from matcher.result import Plan
from matcher.strategies.base import Limits
from matcher.strategies.registry import strategy


class Ships:
    """A watch that ships what it sees."""

    def __init__(self, send: Send) -> None:
        self.send = send

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
        self.send("plan", (plan, tuple(cost)))

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:
        self.send("proof", (stage, prices, bound))


def search(send: Send, name: str, problem: Problem, limits: Limits) -> None:
    """Solve with the strategy of that name. The deadline is in seconds from now: the clocks of two processes may differ."""
    limits = replace(limits, deadline=time.monotonic() + limits.deadline)
    try:
        outcome = strategy(name).solve(problem, limits, Ships(send))
    except InputError as error:
        send("faults", error.faults)
    except MatcherError as error:
        send("error", str(error))
    else:
        send("end", outcome)


__all__ = ["Ships", "search"]
