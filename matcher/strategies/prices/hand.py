"""The best plan and the best proof so far of a problem of one stage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.bounds import Floats, Pair, lower_bound, whole_prices
from matcher.evaluate import broken, cost_by_stage
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan
from matcher.strategies.base import StageEnd, Watch


@dataclass
class Hand:
    """plan, cost: the best that holds every promise, and None where there is none. end: the best bound and its prices."""

    problem: Problem
    watch: Watch
    gap: float
    plan: Plan | None = None
    cost: tuple[int, ...] = ()
    end: StageEnd | None = None

    @property
    def near_enough(self) -> bool:
        """Has the gap that was asked for been proved?"""
        if self.plan is None or self.end is None:
            return False
        return self.cost[0] - self.end.bound <= self.gap * max(1, abs(self.cost[0]))

    def nearly(self, share: float) -> bool:
        """Has it been proved that no plan is better by more than that share of what those cost who are placed?"""
        if self.plan is None or self.end is None:
            return False
        out = np.array([home == UNPLACED for home in self.plan.home], dtype=np.bool_)
        left_out = int(self.problem.unplaced_cost[out].sum())
        return self.cost[0] - self.end.bound <= share * max(1, self.cost[0] - left_out)

    @property
    def ends(self) -> tuple[StageEnd, ...]:
        """What an outcome says of the stage."""
        return () if self.end is None else (self.end,)

    def take(self, plan: Plan) -> None:
        """Keep a plan if it is the best so far and holds every promise."""
        cost = tuple(cost_by_stage(self.problem, plan))
        if (self.plan is None or cost < self.cost) and not broken(self.problem, plan):
            self.plan, self.cost = plan, cost
            self.watch.on_plan(plan, cost)

    def prove(self, prices: Floats, floors: Floats, forest: Sequence[Pair]) -> None:
        """Count what prices prove over all pairs, and keep them if that is the most so far."""
        whole = whole_prices(self.problem, prices, floors)
        bound = lower_bound(self.problem, whole, forest).rounded(whole.scale)
        if self.end is None or bound > self.end.bound:
            self.end = StageEnd(whole, bound, searched=False)
            self.watch.on_proof(0, whole, bound)
