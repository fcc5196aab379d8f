"""The exact strategy: LP prices prove a bound over all arcs, then CP-SAT searches what can still be better, in widening rings.

A ring of width w holds the arcs that can be in a plan of cost ≤ L + w (L plus the arc's own slack); everything outside is
ruled out by the bound, so a ring that is searched to its end is a proof: either its best plan is optimal, or no plan costs
so little and the next ring is wider. Strict order does this stage by stage, each held at its value by the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from matcher.bounds import Bound, Pair, Prices, link_forest, price_scale, prove
from matcher.evaluate import broken, cost_by_stage, plan_of
from matcher.layers import Bools
from matcher.problem import Arcs, Problem
from matcher.result import Plan
from matcher.strategies import cpsat, highs
from matcher.strategies.base import Limits, Outcome, StageEnd, Watch
from matcher.strategies.greedy import greedy_plan
from matcher.strategies.program import Program
from matcher.strategies.relaxation import relax

MOST_PAIRS = 3_000_000
FIRST_RING = 2e-5
NEXT_RING = 4.0
FIRST_SHARE, HIGHS_SHARE, LAST_SHARE = 0.04, 0.5, 0.3
MOST_COST = 1 << 62


@dataclass
class _Progress:
    """The plan in hand and the work left; the only thing that changes while the strategy runs."""

    problem: Problem
    limits: Limits
    watch: Watch
    work: float = 0.0
    plan: Plan | None = None
    cost: tuple[int, ...] = ()

    def take(self, plan: Plan) -> None:
        """Keep the plan if it is better in the order of the stages; it must hold every promise."""
        cost = tuple(cost_by_stage(self.problem, plan))
        if (self.plan is None or cost < self.cost) and not broken(self.problem, plan):
            self.plan, self.cost = plan, cost
            self.watch.on_plan(plan, cost)

    @property
    def cut_by(self) -> str | None:
        if self.limits.seconds_left() <= 0:
            return "time"
        return "effort" if self.work >= self.limits.work else None


class Exact:
    """See the module."""

    name = "exact"

    def refuses(self, problem: Problem) -> str | None:
        """All arcs are written out, so it serves small problems only."""
        pairs = len(problem.parties) * problem.offers
        if pairs > MOST_PAIRS:
            return f"{pairs:,} pairs of households and offers are more than the {MOST_PAIRS:,} that it writes out"
        return None

    def solve(self, problem: Problem, limits: Limits, watch: Watch) -> Outcome:
        """Every stage to its optimum, or as far as the limits allow."""
        arcs = problem.arcs()
        forest = link_forest(problem)
        progress = _Progress(problem, limits, watch)
        first = greedy_plan(problem, arcs)
        if first is not None:
            progress.take(first)
        if limits.start is not None:
            progress.take(plan_of(problem, limits.start.offers.tolist(), list(limits.start.rooms)))
        ends: list[StageEnd] = []
        cut_by = None
        for stage in range(len(problem.stages)):
            held = progress.cost[:stage]
            end, cut_by, infeasible = _run_stage(problem, arcs, forest, stage, held, progress)
            if infeasible:
                return Outcome(None, tuple(ends), forest, progress.work, None, infeasible=True)
            if end is not None:
                ends.append(end)
            if cut_by is not None or progress.plan is None:
                break
        return Outcome(progress.plan, tuple(ends), forest, progress.work, cut_by)


def _run_stage(
    problem: Problem, arcs: Arcs, forest: Sequence[Pair], stage: int, held: Sequence[int], progress: _Progress
) -> tuple[StageEnd | None, str | None, bool]:
    """(how the stage ended, what cut it, no plan exists at all)."""
    prices = relax(problem, arcs, stage, held, forest) or no_prices(problem, stage, held)
    bound = prove(problem, prices, forest)
    if bound.impossible:
        return None, None, True
    least = bound.rounded(prices.scale)
    progress.watch.on_proof(stage, prices, least)
    closed, infeasible = _rings(problem, arcs, stage, held, bound, prices.scale, progress)
    if infeasible:
        return None, None, True
    cut_by = None if closed or _near_enough(progress, stage, least) else progress.cut_by or "effort"
    return StageEnd(prices, least, closed), cut_by, False


def no_prices(problem: Problem, stage: int, held: Sequence[int]) -> Prices:
    """Prices of nothing: a valid, weak bound."""
    zeros = np.zeros(len(problem.resources), dtype=np.int64)
    floors = np.zeros(len(problem.floors), dtype=np.int64)
    return Prices(price_scale(problem), stage, zeros, floors, (0,) * stage, tuple(held))


def _near_enough(progress: _Progress, stage: int, least: int) -> bool:
    if progress.plan is None:
        return False
    value = progress.cost[stage]
    return value - least <= progress.limits.gap * max(1, abs(value))


def _rings(
    problem: Problem, arcs: Arcs, stage: int, held: Sequence[int], bound: Bound, scale: int, progress: _Progress
) -> tuple[bool, bool]:
    """Search ring after ring. Returns (optimum of this stage proved, no plan exists at all)."""
    least = bound.rounded(scale)
    width = max(2.0, FIRST_RING * abs(least), float(progress.limits.ring))
    while True:
        value = progress.cost[stage] if progress.plan is not None else None
        if value is not None and value <= least:
            return True, False
        if progress.cut_by is not None or _near_enough(progress, stage, least):
            return False, False
        top = least + int(width) if value is None else min(least + int(width), value - 1)
        keep, keep_out = _ring(arcs, bound, top, scale)
        whole = value is not None and top == value - 1
        if keep.all() and keep_out.all():  # the ring rules nothing out, so look for any better plan at once
            top, whole = value - 1 if value is not None else MOST_COST, True
        closed = _search(problem, arcs, stage, held, keep, keep_out, top, whole, progress)
        reached = progress.cost[stage] if progress.plan is not None else None
        if closed and (whole or (reached is not None and reached <= top)):
            return progress.plan is not None, progress.plan is None
        if not closed and whole and reached == value:
            return False, False
        width *= NEXT_RING


def _ring(arcs: Arcs, bound: Bound, top: int, scale: int) -> tuple[Bools, Bools]:
    """Arcs, and parties left out, that can be in a plan of cost ≤ top."""
    room = top * scale - bound.scaled
    keep: Bools = bound.slack[arcs.party, arcs.offer] <= room
    return keep, bound.out <= room


def _search(
    problem: Problem,
    arcs: Arcs,
    stage: int,
    held: Sequence[int],
    keep: Bools,
    keep_out: Bools,
    top: int,
    whole: bool,
    progress: _Progress,
) -> bool:
    """Search one ring for plans of cost ≤ top; True if it was searched to its end.

    CP-SAT first, for a little: it is exact and closes most rings. Then HiGHS, which proves more where the LP is nearly
    tight; CP-SAT again has what work is left.
    """
    served = keep_out.copy()
    served[arcs.party[keep]] = True
    if not served.all():
        return True  # some party has no choice left within the ring
    program = Program(problem, arcs, stage, held, keep, keep_out)
    below = None if top >= MOST_COST else top + 1
    for share, engine in ((FIRST_SHARE, "cpsat"), (HIGHS_SHARE, "highs"), (LAST_SHARE, "cpsat")):
        left, seconds = progress.limits.work - progress.work, progress.limits.seconds_left()
        if left <= 0 or seconds <= 0:
            return False
        if engine == "cpsat":
            found = cpsat.search(program, below, share * left, seconds, progress.limits.seed, progress.take)
        else:
            found = highs.search(program, share * left, seconds, progress.limits.seed)
            if found.plan is None and whole:
                # "There is no better plan" would end the search on the word of floating point alone.
                found = replace(found, closed=False)
        progress.work += found.work
        if found.plan is not None:
            progress.take(found.plan)
        if found.closed:
            return True
    return False
