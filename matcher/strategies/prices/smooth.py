"""Sharper prices: ascent on a smoothed dual over lists of good arcs that follow the prices.

A party does not take its best arc alone but all of its good ones, each with a weight that falls with what it is worse (the soft
minimum; Nesterov, 2005). What the rows then hold changes smoothly with the prices, so that a few hundred steps come closer than
thousands of steps on the plain dual; and a step over lists costs a hundredth of one over all pairs. Every few steps the lists are
renewed, which looks at all pairs: only what these prove counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from matcher.layers import Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.kernels import jit
from matcher.pricing.menus import price_bundles
from matcher.pricing.rolling import RollingLists
from matcher.pricing.threads import in_ranges
from matcher.strategies.prices.ascent import Floats, Found, Market, Steps
from matcher.strategies.prices.classes import Ties

HALVES = 2
FAR_OFF = 8.0
"""Arcs worse than the best by so many times the warmth have no weight."""
REACH, LEAST_REACH = 12.0, 20_000.0
"""Arcs stay on the lists while they are worse than the best by less than so many times the warmth, or than this."""
LOOSE, OFTEN = 0.005, 5
"""Lists that prove more than all pairs do, by that share, are renewed after so few steps."""

LOOK, ARC = 3e-5, 3e-8
"""Units of work (about a second of one core each): a party looked at over all offers, an arc in a step of the climb."""
ARCS, LEAST_STEPS = 2.0, 20
"""Arcs of a party that a climb looks at in a step, for each that its lists keep at the most (several sets of rooms of an offer); no climb
is planned shorter."""


def work_of(looked: int, arcs: float) -> float:
    """Work of looking at so many parties once, and at so many arcs in steps."""
    return LOOK * looked + ARC * arcs


@dataclass(frozen=True)
class Course:
    """How to climb. warmth: cost difference at which an arc's weight has fallen to 1/e; length: of a step, in cost units a bed; share:
    the same as a share of the price; each at the start and at the end. Every `every` steps the `near` best offers of all are put on the
    lists, which keep `most` arcs a party."""

    steps: int
    every: int
    near: int
    most: int
    warmth: tuple[float, float]
    length: tuple[float, float]
    share: float = 0.0

    def at(self, done: float) -> tuple[float, float, float]:
        """(warmth, length, share) when that part of the steps is done."""
        (warm, cool), (long, short) = self.warmth, self.length
        return warm * (cool / warm) ** done, long * (short / long) ** done, self.share * (1 - done)


def shortened(course: Course, parties: int, work: float) -> Course:
    """With fewer steps, where all of them would take more work: prices that are cut on their way have not cooled down."""
    needed = work_of(round(parties * course.steps / course.every), ARCS * course.most * parties * course.steps)
    return replace(course, steps=max(min(course.steps, LEAST_STEPS), int(min(1.0, work / needed) * course.steps)))


def climb(
    market: Market, ties: Ties, parties: Ints, start: Found, course: Course, on_look: Callable[[Found, float], bool],
    make_steps: Callable[[Market, Ties, Floats, Floats], Steps] = Steps,
) -> Found:  # fmt: skip
    """The best prices found by the steps of a course, and what they prove for these parties.

    parties: of whom the rows are filled, each of them standing for as many others. start: its prices and floors; of tied rows the highest
    price counts. on_look: told at every renewal of the best so far and the work since the last (arcs looked at); False ends the climb.
    make_steps: how prices move.
    """
    look = _Look(market, parties)
    prices, floors = np.zeros(len(ties.beds)), start.floors.copy()
    np.maximum.at(prices, ties.of, start.prices)
    prices[ties.implied] = 0.0
    steps = make_steps(market, ties, prices, floors)
    best = Found(-np.inf, prices[ties.of], floors.copy())
    since, work, every = 0, 0.0, course.every
    for i in range(course.steps + 1):
        warmth, length, share = course.at(i / course.steps)
        if i == course.steps or look.choices is None or since == every:
            listed = look.value_of_lists
            bound = look.renew(prices[ties.of], floors, course, warmth)
            if bound > best.bound:
                best = Found(bound, prices[ties.of], floors.copy())
            if not on_look(best, work) or i == course.steps:
                break
            every = OFTEN if listed - bound > LOOSE * abs(bound) else course.every
            since, work = 0, 0.0
        look.soften(prices[ties.of], floors, warmth)
        steps.step(look.load, look.missing, length, share)
        since += 1
        work += len(look.choices.cost) if look.choices is not None else 0.0
    return best


class _Look:
    """Scratch memory for looking at lists."""

    def __init__(self, market: Market, parties: Ints) -> None:
        self.market, self.parties = market, parties
        self.lists = RollingLists(market.board, parties)
        self.choices: Choices | None = None
        self.times = len(market.out) / max(1, len(parties))
        self.out, self.group = market.out[parties], market.group[parties]
        self.least, self.stays = np.empty(len(parties)), np.empty(len(parties))
        self.load, self.missing = np.zeros(len(market.capacity)), market.wanted
        self.value_of_lists = np.inf

    def out_costs(self, floors: Floats) -> Floats:
        return self.out + self.group @ floors if len(floors) else self.out

    def total(self, least: Floats, prices: Floats, floors: Floats) -> float:
        market = self.market
        return float(market.fixed + self.times * least.sum() - prices @ market.capacity + floors @ market.wanted)

    def renew(self, prices: Floats, floors: Floats, course: Course, warmth: float) -> float:
        """Lists at these prices; returns the plain dual over all pairs."""
        out = self.out_costs(floors)
        reach = max(REACH * warmth, LEAST_REACH)
        self.choices, best = self.lists.renew(prices, out, course.near, reach, course.most)
        self.paid = np.zeros(max(1, len(self.choices.use_start) - 1))
        self.value = np.empty(len(self.choices.cost))
        return self.total(np.minimum(best, out), prices, floors)

    def soften(self, prices: Floats, floors: Floats, warmth: float) -> None:
        """self.load and self.missing: what the smoothed dual takes; self.value_of_lists: the plain dual over the lists."""
        market, choices = self.market, self.choices
        assert choices is not None, "lists are made first"
        in_ranges(
            lambda i, j: price_bundles(choices.use_start, choices.use_row, choices.use_amount, prices, self.paid, i, j),
            len(choices.use_start) - 1, least=50_000,
        )  # fmt: skip
        out = self.out_costs(floors)
        loads = np.zeros((HALVES, len(prices)))
        edges = [len(out) * b // HALVES for b in range(HALVES + 1)]

        def look(first: int, last: int) -> None:
            for b in range(first, last):
                _soften(
                    choices.start, choices.cost, choices.bundle, choices.use_start, choices.use_row, choices.use_amount,
                    self.paid, out, warmth, self.value, self.least, self.stays, loads[b], edges[b], edges[b + 1],
                )  # fmt: skip

        in_ranges(look, HALVES, least=2 if len(out) > 500 else 3)
        self.load = self.times * loads.sum(axis=0)
        if len(floors):
            self.missing = market.wanted + self.times * (self.stays @ self.group)
        self.value_of_lists = self.total(self.least, prices, floors)


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
