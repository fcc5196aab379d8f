"""A strategy in a process of its own: native code that crashes, hangs or is deaf to signals cannot take the caller along.

The child ships every better plan and every proof as it finds them; whatever happens to it, the plan in hand is kept.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matcher.apart import CLOSED, Apart, apart
from matcher.bounds import MOST_PAIRS, Prices, link_forest
from matcher.errors import InputError, InternalError
from matcher.problem import Problem
from matcher.result import Plan
from matcher.strategies.base import Limits, Outcome, StageEnd, Watch

SEARCH = "matcher.strategies.child:search"
GRACE_S = 5.0
CANCEL_S = 0.2  # between two looks whether the caller still wants a plan
log = logging.getLogger(__name__)


class _Cancelled(Exception):
    """The caller does not want to wait any longer."""


def solve_isolated(name: str, problem: Problem, limits: Limits, watch: Watch, cancel: Callable[[], bool] | None = None) -> Outcome:
    """Run the strategy `name` in a child until it ends or the deadline (plus a grace) has passed.

    A crash is answered by one retry with a quarter of the work; after that the plan in hand is returned with
    cut_by "crash". A child that is still silent at the deadline is ended, and where `limits.last` leaves time for it tried once
    more in the same way. KeyboardInterrupt kills the child and returns the plan in hand with cut_by "interrupt"; so does `cancel`, asked
    several times a second, once it says True.
    """
    hand = _Hand(problem, watch)
    ended = "crash"
    for attempt in (limits, _again(limits)):
        try:
            outcome, ended = _attempt(name, problem, attempt, hand, cancel)
        except (KeyboardInterrupt, _Cancelled):
            return hand.outcome("interrupt")
        if outcome is not None:
            return outcome
        log.warning("the search ended without a result: %s", ENDS[ended])
        if ended == "time" and (hand.plan is not None or limits.last is None or limits.last - time.monotonic() < 1):
            break
    return hand.outcome(ended)


ENDS = {"time": "it did not stop at its deadline and was ended", "crash": "its process died (a crash, or too much memory)"}


def _again(limits: Limits) -> Limits:
    """A second try: a quarter of the work, and what time is left."""
    deadline = limits.deadline if limits.last is None else max(limits.deadline, limits.last - GRACE_S)
    return replace(limits, work=limits.work / 4, deadline=deadline)


@dataclass
class _Hand:
    """The best plan and the proofs that have arrived."""

    problem: Problem
    watch: Watch
    plan: Plan | None = None
    cost: Sequence[int] = ()

    def __post_init__(self) -> None:
        self.proofs: dict[int, tuple[Prices, int]] = {}

    def take(self, kind: str, message: Any) -> None:
        """Keep what is better than what is here: a second try starts from nothing."""
        if kind == "plan":
            plan, cost = message
            if self.plan is None or tuple(cost) < tuple(self.cost):
                self.plan, self.cost = plan, cost
                self.watch.on_plan(plan, cost)
        else:
            stage, prices, bound = message
            if stage not in self.proofs or bound > self.proofs[stage][1]:
                self.proofs[stage] = (prices, bound)
                self.watch.on_proof(stage, prices, bound)

    def outcome(self, cut_by: str) -> Outcome:
        ends: list[StageEnd] = []
        for stage in sorted(self.proofs):
            if stage != len(ends):
                break
            prices, bound = self.proofs[stage]
            ends.append(StageEnd(prices, bound, searched=False))
        few = len(self.problem.parties) * self.problem.offers <= MOST_PAIRS
        # Of more pairs a bound that keeps links takes many minutes and GB; the price strategy leaves them out there as well.
        return Outcome(self.plan, tuple(ends), link_forest(self.problem) if few else (), cut_by=cut_by)


def _attempt(name: str, problem: Problem, limits: Limits, hand: _Hand, cancel: Callable[[], bool] | None) -> tuple[Outcome | None, str]:
    """One child. Returns (its outcome or None, "done" | "time" | "crash")."""
    seconds = limits.seconds_left()
    with apart(limits.memory_mib) as child:
        child.begin(SEARCH, name, problem, replace(limits, deadline=seconds, last=None))
        end = time.monotonic() + seconds + GRACE_S
        return _listen(child, end if limits.last is None else min(end, limits.last), hand, cancel)


def _listen(child: Apart, deadline: float, hand: _Hand, cancel: Callable[[], bool] | None) -> tuple[Outcome | None, str]:
    while True:
        wait = deadline - time.monotonic()
        if wait <= 0:
            return None, "time"
        if cancel is not None and cancel():
            raise _Cancelled
        message = child.next(wait if cancel is None else min(wait, CANCEL_S))
        if message is None:
            continue
        kind, body = message
        if kind == "end":
            child.done()
            return body, "done"
        if kind == CLOSED:
            return None, "crash"
        if kind == "faults":
            raise InputError(body)
        if kind == "error":
            raise InternalError(f"the search failed: {body}")
        hand.take(kind, body)
