"""Rows and floors that have prices, what these prove, and steps: rows that too many want become dearer.

Steps are those of Adam (Kingma and Ba, 2015) on the relative excess of each row, with a length that shrinks over the run.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.board import Board
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import jit, pay, use_of
from matcher.pricing.threads import in_ranges
from matcher.strategies.prices.classes import Ties

Floats = NDArray[np.float64]
KEEPS, KEEPS_SQUARES = 0.5, 0.95
"""Share of the memory of excesses, and of their squares, that stays from step to step."""


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
    less, least = 1 - KEEPS**count, 1 - KEEPS_SQUARES**count
    for r in range(len(prices)):
        excess = (load[r] - capacity[r]) / max(1.0, capacity[r])
        if prices[r] <= 0 and excess < 0:
            excess = 0.0
        mean[r] = KEEPS * mean[r] + (1 - KEEPS) * excess
        spread[r] = KEEPS_SQUARES * spread[r] + (1 - KEEPS_SQUARES) * excess * excess
        if mean[r] != 0:
            step = (length * beds[r] + share * prices[r]) * (mean[r] / less) / (np.sqrt(spread[r] / least) + 1e-3)
            prices[r] = max(0.0, prices[r] + step)


@dataclass
class Found:
    """The best prices so far, with the bound that they prove, as a float: what is published is counted anew in integers."""

    bound: float
    prices: Floats
    floors: Floats


class Steps:
    """The memory of steps over prices of classes of rows, and of floors; both are changed in place."""

    def __init__(self, market: Market, ties: Ties, prices: Floats, floors: Floats) -> None:
        self.market, self.ties, self.prices, self.floors = market, ties, prices, floors
        self.capacity = ties.sums(market.capacity)
        self.mean, self.spread = np.zeros(len(prices)), np.zeros(len(prices))
        self.floor_mean, self.floor_spread = np.zeros(len(floors)), np.zeros(len(floors))
        self.count = 0

    def held(self, load: Floats) -> Floats:
        """What the rows of each class hold together."""
        return self.ties.sums(load)

    def step(self, load: Floats, missing: Floats, length: float, share: float) -> None:
        """One step of that length. load: of every row; missing: persons of every floor."""
        market, ties, self.count = self.market, self.ties, self.count + 1
        step_prices(
            self.prices, self.held(load), self.capacity, ties.beds, self.mean, self.spread, length, share, self.count
        )  # fmt: skip
        self.prices[ties.implied] = 0.0
        if len(self.floors):
            ones = np.ones(len(self.floors))
            demand = np.maximum(1.0, np.abs(market.wanted))
            step_prices(
                self.floors, missing + demand, demand, ones, self.floor_mean, self.floor_spread, length, share, self.count
            )  # fmt: skip
            np.minimum(self.floors, market.most, out=self.floors)
