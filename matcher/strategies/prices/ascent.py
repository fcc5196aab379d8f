"""Capacity prices by ascent on the dual: every party takes its best arc, and rows that too many want become dearer.

Steps are those of Adam (Kingma and Ba, 2015) on the relative excess of each row, with a length that shrinks over the run and
that is in proportion for prices that are high. Every step looks at all pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.board import Board
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import jit, pay, use_of
from matcher.pricing.threads import in_ranges
from matcher.pricing.uses import ROOMS, UNIT

Floats = NDArray[np.float64]
UNIT_BEDS = 2.3
"""Beds that a unit counts as when steps are measured per bed."""


@dataclass(frozen=True)
class Schedule:
    """steps: how many. first, last: length of a step in cost units a bed at the start and at the end. steep: the same as a share of
    the price."""

    steps: int
    first: float
    last: float
    steep: tuple[float, float]


@dataclass
class Market:
    """Rows and floors that have prices. capacity: of each row, then minus the persons wanted of each floor.

    group: persons of each party in each floor's group, shape (Q, G); price of a floor is at most most[g].
    """

    board: Board
    fixed: float
    capacity: Floats
    wanted: Floats
    group: Numbers
    most: Floats

    def __post_init__(self) -> None:
        uses = self.board.core.uses
        self.beds = np.where(uses.kind == UNIT, UNIT_BEDS, np.where(uses.kind == ROOMS, uses.number, 1)).astype(np.float64)
        self.load = np.zeros(len(self.capacity))
        self.out = self.board.core.out.astype(np.float64)

    def out_costs(self, floors: Floats) -> Floats:
        """Cost of leaving each party out at prices of the floors."""
        return self.out + self.group @ floors if len(floors) else self.out

    def bound(self, prices: Floats, floors: Floats) -> float:
        """L at these prices over all pairs, and the load of each row (self.load) and the missing of each floor (self.missing)."""
        board = self.board
        board.set_prices(prices)
        best, offer = board.find_best()
        out = self.out_costs(floors)
        stays = (best >= out) | (offer < 0)
        self.taken = np.where(stays, -1, offer)
        loads = np.zeros((2, len(self.capacity)))
        half = len(out) // 2

        def add(first: int, last: int) -> None:
            for b in range(first, last):
                to = len(out) if b else half
                _add_loads(board.core, board.menus, board.bundle, board.prices, self.taken, loads[b], half * b, to)

        in_ranges(add, 2, least=2 if len(out) > 3000 else 3)
        self.load = loads.sum(axis=0)
        self.missing = self.wanted + self.group[stays].sum(axis=0) if len(floors) else self.wanted
        values = np.where(stays, out, best)
        return float(self.fixed + values.sum() - prices @ self.capacity + floors @ self.wanted)


@jit
def _add_loads(core, menus, bundle, prices, offer, load, first, last):
    widest = 1
    for a in range(len(core.place)):
        widest = max(widest, core.uses.row_start[a + 1] - core.uses.row_start[a])
    rows, amounts = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
    for q in range(first, last):
        a = offer[q]
        if a < 0:
            continue
        if menus.plain[a]:
            b = bundle[a, core.uses.claim[q]]
            for t in range(menus.start[b], menus.start[b + 1]):
                load[menus.row[t]] += menus.amount[t]
        else:
            _, s = pay(core.uses, q, a, prices, 1.0)
            n = use_of(core.uses, q, a, s, rows, amounts)
            for t in range(n):
                load[rows[t]] += amounts[t]


@jit
def step_prices(prices, load, capacity, beds, mean, spread, length, share, count):
    """One step of Adam: prices up where rows are overfull, down where they are not, never below 0."""
    less, least = 1 - 0.8**count, 1 - 0.95**count
    for r in range(len(prices)):
        excess = (load[r] - capacity[r]) / max(1.0, capacity[r])
        if prices[r] <= 0 and excess < 0:
            excess = 0.0
        mean[r] = 0.8 * mean[r] + 0.2 * excess
        spread[r] = 0.95 * spread[r] + 0.05 * excess * excess
        if mean[r] != 0:
            step = (length * beds[r] + share * prices[r]) * (mean[r] / less) / (np.sqrt(spread[r] / least) + 1e-3)
            prices[r] = max(0.0, prices[r] + step)


@dataclass
class Found:
    """The best prices so far, with the bound that they prove, as a float: what is published is counted anew in integers."""

    bound: float
    prices: Floats
    floors: Floats


def ascend(
    market: Market, start: Floats, floors: Floats, schedule: Schedule, on_bound: Callable[[Found], bool], known: Found | None = None
) -> Found:
    """Climb from `start`. on_bound: told whenever all pairs were looked at; it returns False to stop early."""
    prices, floors = start.copy(), floors.copy()
    best = known or Found(-np.inf, prices.copy(), floors.copy())
    state = Steps(market, prices, floors, schedule)
    for i in range(schedule.steps):
        bound = market.bound(prices, floors)
        if bound > best.bound:
            best = Found(bound, prices.copy(), floors.copy())
        if i % 10 == 9 and not on_bound(best):
            return best
        state.step(market.load, market.missing, i / schedule.steps)
    return best


class Steps:
    """Prices and the memory of their steps."""

    def __init__(self, market: Market, prices: Floats, floors: Floats, schedule: Schedule) -> None:
        self.market, self.prices, self.floors, self.schedule = market, prices, floors, schedule
        self.mean, self.spread = np.zeros(len(prices)), np.zeros(len(prices))
        self.floor_mean, self.floor_spread = np.zeros(len(floors)), np.zeros(len(floors))
        self.count = 0

    def step(self, load: Floats, missing: Floats, done: float) -> None:
        """One step; done: share of the run that lies behind."""
        schedule, self.count = self.schedule, self.count + 1
        length = schedule.first * (schedule.last / schedule.first) ** done
        share = schedule.steep[0] * (schedule.steep[1] / schedule.steep[0]) ** done
        market = self.market
        step_prices(self.prices, load, market.capacity, market.beds, self.mean, self.spread, length, share, self.count)
        if len(self.floors):
            ones = np.ones(len(self.floors))
            demand = np.maximum(1.0, np.abs(market.wanted))
            step_prices(
                self.floors, missing + demand, demand, ones, self.floor_mean, self.floor_spread, length, share, self.count
            )  # fmt: skip
            np.minimum(self.floors, market.most, out=self.floors)
