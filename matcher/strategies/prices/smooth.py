"""Sharper prices: ascent on a smoothed dual over lists of good arcs.

A party does not take its best arc alone but all of its good ones, each with a weight that falls with what it is worse (the soft
minimum; Nesterov, 2005). What the rows then hold changes smoothly with the prices, so that a few hundred steps come closer than
thousands of steps on the plain dual; and a step over lists costs a hundredth of one over all pairs. Lists are made anew at the
prices reached, and only what all pairs prove counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.pricing.arcs import Choices, arc_prices, joined, nearest_offers, write_out
from matcher.pricing.kernels import jit
from matcher.pricing.menus import price_bundles
from matcher.pricing.threads import in_ranges
from matcher.strategies.prices.ascent import Floats, Found, Market, Schedule, Steps
from matcher.strategies.prices.field import Field

HALVES = 2
FAR_OFF = 8.0
"""Arcs worse than the best by so many times the warmth have no weight."""
MOST_SETS = 4
CLOSE, LOST = 0.01, 0.5
"""Lists are good when they prove at most that share more than all pairs do; a climb that loses so much is not gone on from."""
OUT_OF_REACH = 100.0
"""Arcs worse than the best by so many times the warmth are left away for a round."""


@dataclass(frozen=True)
class Round:
    """schedule: of the steps. warmth: cost difference at which an arc's weight has fallen to 1/e, at the start and at the end."""

    schedule: Schedule
    warmth: tuple[float, float]


@dataclass(frozen=True)
class Course:
    """How to climb: `near` best offers of each of the last `kept` prices on the lists; rounds of the kind `feel` until what the lists
    prove nearly holds for all pairs, then of each kind of `runs` in turn until one gains less than `gain` of the bound, at most `most`
    in all; then `last`. Warm runs find the level of prices where every bed is short, cool ones the differences."""

    near: int
    kept: int
    feel: Round
    runs: tuple[Round, ...]
    last: Round
    most: int
    gain: float = 0.003


def sharpen(
    field: Field, market: Market, start: Found, plan: Course, on_round: Callable[[Found], bool], in_time: Callable[[], bool]
) -> Found:
    """Climb from `start`. on_round: told after each look at all pairs; it returns False to stop. in_time: asked between steps; False ends
    a round early."""
    best, at = start, start
    lists = _Rolling(field, plan)
    kinds = iter(plan.runs)
    run, turn, settled = next(kinds), plan.feel, -np.inf
    good, good_lists = start, lists.parts  # where a failed run is taken back to
    for _ in range(plan.most):
        at, close = _round(market, lists, at, turn, in_time)
        best = max(best, at, key=lambda found: found.bound)
        if not on_round(best):
            return best
        if turn is run and at.bound - settled < plan.gain * abs(at.bound):
            following = next(kinds, None)
            if following is None:
                break
            run, turn, at, lists.parts = following, following, good, good_lists
            continue
        if close:
            if at.bound > settled:
                settled, good, good_lists = at.bound, at, lists.parts
        elif at.bound < best.bound - LOST * abs(best.bound):
            at = best
        turn = run if close else plan.feel
    at, _ = _round(market, lists, best, plan.last, in_time)
    best = max(best, at, key=lambda found: found.bound)
    on_round(best)
    return best


class _Rolling:
    """Lists of arcs that remember the prices of the last rounds."""

    def __init__(self, field: Field, plan: Course) -> None:
        self.field, self.plan, self.parts = field, plan, list[tuple[NDArray[np.int32], Ints]]()

    def at(self, prices: Floats) -> Choices:
        """Arcs to the best offers at some prices and at those before."""
        field, nobody = self.field, np.full(self.field.parties, -1, dtype=np.int64)
        field.board.set_prices(prices)
        self.parts = [*self.parts, nearest_offers(field.board, self.plan.near)][-self.plan.kept :]
        return write_out(field.board, joined(field.core, np.arange(field.parties), self.parts, nobody, nobody), MOST_SETS)


def _round(market: Market, lists: _Rolling, at: Found, turn: Round, in_time: Callable[[], bool]) -> tuple[Found, bool]:
    """(prices after a climb over lists, does what the lists prove nearly hold for all pairs)."""
    over_lists = _climb(market, lists.at(at.prices), at.prices, at.floors, turn, in_time)
    bound = market.bound(over_lists.prices, over_lists.floors)
    return Found(bound, over_lists.prices, over_lists.floors), over_lists.bound - bound < CLOSE * abs(over_lists.bound)


def _climb(market: Market, choices: Choices, prices: Floats, floors: Floats, turn: Round, in_time: Callable[[], bool]) -> Found:
    """The best prices over the lists, by their smoothed dual, with what the lists prove."""
    prices, floors = prices.copy(), floors.copy()
    best = Found(-np.inf, prices, floors)
    look = _Look(market, _within_reach(market, choices, prices, floors, OUT_OF_REACH * turn.warmth[0]))
    steps = Steps(market, prices, floors, turn.schedule)
    count = turn.schedule.steps
    for i in range(count):
        if not in_time():
            break
        bound = look.bound(prices, floors, turn.warmth[0] * (turn.warmth[1] / turn.warmth[0]) ** (i / count))
        if bound > best.bound:
            best = Found(bound, prices.copy(), floors.copy())
        steps.step(look.load, look.missing, i / count)
    return best


def _within_reach(market: Market, choices: Choices, prices: Floats, floors: Floats, reach: float) -> Choices:
    """The arcs that are worse than their party's best by less than `reach`."""
    worth = choices.cost + arc_prices(choices, prices)
    keep = np.zeros(len(choices.cost), dtype=np.bool_)
    count = np.zeros(len(market.out) + 1, dtype=np.int64)
    _near(choices.start, worth, market.out_costs(floors), reach, keep, count)
    used = np.zeros(len(choices.use_start) - 1, dtype=np.bool_)
    used[choices.bundle[keep]] = True
    number = np.cumsum(used, dtype=np.int32) - 1
    length = np.where(used, np.diff(choices.use_start), 0)
    entry = np.repeat(used, np.diff(choices.use_start))
    return Choices(
        np.cumsum(count), choices.offer[keep], choices.set[keep], choices.cost[keep], number[choices.bundle[keep]],
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(length[used])]),
        choices.use_row[: len(entry)][entry], choices.use_amount[: len(entry)][entry],
    )  # fmt: skip


@jit
def _near(start, worth, out, reach, keep, count):
    for q in range(len(out)):
        best = out[q]
        for e in range(start[q], start[q + 1]):
            best = min(best, worth[e])
        for e in range(start[q], start[q + 1]):
            if worth[e] < best + reach:
                keep[e] = True
                count[q + 1] += 1


class _Look:
    """Scratch memory for looking at lists."""

    def __init__(self, market: Market, choices: Choices) -> None:
        self.market, self.choices = market, choices
        self.paid = np.zeros(max(1, len(choices.use_start) - 1))
        self.value = np.empty(len(choices.cost))
        self.least = np.empty(len(market.out))
        self.stays = np.empty(len(market.out))
        self.load = np.zeros(len(market.capacity))
        self.missing = market.wanted

    def bound(self, prices: Floats, floors: Floats, warmth: float) -> float:
        """The plain dual over the lists; self.load and self.missing: what the smoothed one takes."""
        market, choices = self.market, self.choices
        bundles = len(choices.use_start) - 1
        in_ranges(
            lambda i, j: price_bundles(choices.use_start, choices.use_row, choices.use_amount, prices, self.paid, i, j),
            bundles, least=50_000,
        )  # fmt: skip
        out = market.out_costs(floors)
        loads = np.zeros((HALVES, len(prices)))
        edges = [len(out) * b // HALVES for b in range(HALVES + 1)]

        def look(first: int, last: int) -> None:
            for b in range(first, last):
                _soften(
                    choices.start, choices.cost, choices.bundle, choices.use_start, choices.use_row, choices.use_amount,
                    self.paid, out, warmth, self.value, self.least, self.stays, loads[b], edges[b], edges[b + 1],
                )  # fmt: skip

        in_ranges(look, HALVES, least=2 if len(out) > 500 else 3)
        self.load = loads.sum(axis=0)
        if len(floors):
            self.missing = market.wanted + self.stays @ market.group
        return float(market.fixed + self.least.sum() - prices @ market.capacity + floors @ market.wanted)


@jit
def _soften(start, cost, bundle, use_start, use_row, use_amount, paid, out, warmth, value, least, stays, load, first, last):
    """Best value of each party, share of it that stays out, and what all take of the rows, by weights exp(-worse / warmth)."""
    for q in range(first, last):
        best = out[q]
        for e in range(start[q], start[q + 1]):
            value[e] = cost[e] + paid[bundle[e]]
            best = min(best, value[e])
        least[q] = best
        far = best + FAR_OFF * warmth
        stays[q] = np.exp((best - out[q]) / warmth)
        total = stays[q]
        for e in range(start[q], start[q + 1]):
            if value[e] < far:
                value[e] = np.exp((best - value[e]) / warmth)
                total += value[e]
            else:
                value[e] = 0.0
        stays[q] /= total
        for e in range(start[q], start[q + 1]):
            if value[e] > 0.0:
                b = bundle[e]
                for t in range(use_start[b], use_start[b + 1]):
                    load[use_row[t]] += value[e] / total * use_amount[t]
