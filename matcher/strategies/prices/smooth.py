"""Sharper prices: ascent on a smoothed dual over lists of good arcs.

A party does not take its best arc alone but all of its good ones, each with a weight that falls with what it is worse (the soft
minimum; Nesterov, 2005). What the rows then hold changes smoothly with the prices, so that a few hundred steps come closer than
thousands of steps on the plain dual; and a step over lists costs a hundredth of one over all pairs. Lists are made anew at the
prices reached, and only what all pairs prove counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.layers import Ints
from matcher.pricing.arcs import Choices, joined, nearest_offers, write_out
from matcher.pricing.kernels import jit
from matcher.pricing.menus import price_bundles
from matcher.pricing.threads import in_ranges
from matcher.strategies.prices.ascent import Floats, Found, Market, Schedule, Steps
from matcher.strategies.prices.field import Field

HALVES = 2
FAR_OFF = 8.0
"""Arcs worse than the best by so many times the warmth have no weight."""
ALL_SETS = 99


@dataclass(frozen=True)
class Round:
    """schedule: of the steps. warmth: cost difference at which an arc's weight has fallen to 1/e, at the start and at the end."""

    schedule: Schedule
    warmth: tuple[float, float]


def sharpen(field: Field, market: Market, start: Found, near: int, kept: int, rounds: Sequence[Round], on_round: Callable[[Found], bool]) -> Found:
    """Climb from `start`; each round looks at the `near` best offers of this and of up to kept - 1 earlier rounds.

    on_round: told after each look at all pairs; it returns False to stop.
    """
    best, prices, floors = start, start.prices, start.floors
    everybody, nobody = np.arange(field.parties), np.full(field.parties, -1, dtype=np.int64)
    parts = []
    for turn in rounds:
        field.board.set_prices(prices)
        parts = [*parts, nearest_offers(field.board, near)][-kept:]
        choices = write_out(field.board, joined(field.core, everybody, parts, nobody, nobody), ALL_SETS)
        prices, floors = _climb(market, choices, prices, floors, turn)
        bound = market.bound(prices, floors)
        if bound > best.bound:
            best = Found(bound, prices, floors)
        if not on_round(best):
            break
    return best


def _climb(market: Market, choices: Choices, prices: Floats, floors: Floats, turn: Round) -> tuple[Floats, Floats]:
    """The best prices over the lists, by their smoothed dual."""
    prices, floors = prices.copy(), floors.copy()
    best, chosen = -np.inf, (prices, floors)
    look = _Look(market, choices)
    steps = Steps(market, prices, floors, turn.schedule)
    count = turn.schedule.steps
    for i in range(count):
        bound = look.bound(prices, floors, turn.warmth[0] * (turn.warmth[1] / turn.warmth[0]) ** (i / count))
        if bound > best:
            best, chosen = bound, (prices.copy(), floors.copy())
        steps.step(look.load, look.missing, i / count)
    return chosen


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
            lambda i, j: price_bundles(choices.use_start, choices.use_row, choices.use_amount, prices, self.paid, i, j), bundles, least=50_000
        )
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
