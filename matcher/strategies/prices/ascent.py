"""Capacity prices by ascent on the dual: every party takes its best arc, and rows that too many want become dearer.

Steps are those of Adam (Kingma and Ba, 2015) on the relative excess of each row, with a length that shrinks over the run and
that is in proportion for prices that are high. The first steps look at all pairs; then, when prices move little, at short
lists of each party's best arcs, which are written anew from time to time. What the prices prove is always counted over all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.arcs import Choices, joined, nearest_offers, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import HALF, jit, pay, use_of
from matcher.pricing.menus import price_bundles
from matcher.pricing.threads import in_ranges
from matcher.pricing.uses import ROOMS, UNIT

Floats = NDArray[np.float64]
UNIT_BEDS = 2.3
"""Beds that a unit counts as when steps are measured per bed."""


@dataclass(frozen=True)
class Schedule:
    """full, short: steps over all pairs and over short lists. first, middle, last: step in cost units a bed at the start, between the
    two parts, and at the end. steep: the same as a share of the price. keep: offers on a short list. lists: how often they are written."""

    full: int
    short: int
    first: float = 1500.0
    middle: float = 150.0
    last: float = 8.0
    steep: tuple[float, float, float] = (0.15, 0.02, 0.0005)
    keep: int = 24
    lists: int = 6


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
def best_listed(choices, out, bundle_paid, load, arc, first, last):
    """Best listed arc of the parties first to last (-1: left out), added to `load`; returns the sum of their values."""
    total = 0.0
    for q in range(first, last):
        least, best = out[q], -1
        for e in range(choices.start[q], choices.start[q + 1]):
            value = choices.cost[e] + bundle_paid[choices.bundle[e]]
            if value < least:
                least, best = value, e
        arc[q] = best
        total += least
        if best >= 0:
            b = choices.bundle[best]
            for t in range(choices.use_start[b], choices.use_start[b + 1]):
                load[choices.use_row[t]] += choices.use_amount[t]
    return total


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
    state = _Steps(market, prices, floors, schedule)
    for i in range(schedule.full):
        bound = market.bound(prices, floors)
        if bound > best.bound:
            best = Found(bound, prices.copy(), floors.copy())
        if i % 10 == 9 and not on_bound(best):
            return best
        state.step(market.load, market.missing, i / max(1, schedule.full), 0)
    if schedule.short:
        best = _short_lists(market, state, schedule, on_bound, best)
    return best


class _Steps:
    """Prices and the memory of their steps."""

    def __init__(self, market: Market, prices: Floats, floors: Floats, schedule: Schedule) -> None:
        self.market, self.prices, self.floors, self.schedule = market, prices, floors, schedule
        self.mean, self.spread = np.zeros(len(prices)), np.zeros(len(prices))
        self.floor_mean, self.floor_spread = np.zeros(len(floors)), np.zeros(len(floors))
        self.count = 0

    def step(self, load: Floats, missing: Floats, done: float, part: int) -> None:
        """One step; done: share of the part (0: over all pairs, 1: over short lists) that lies behind."""
        schedule, self.count = self.schedule, self.count + 1
        first, last = ((schedule.first, schedule.middle), (schedule.middle, schedule.last))[part]
        steep, flat = schedule.steep[part], schedule.steep[part + 1]
        length, share = first * (last / first) ** done, steep * (flat / steep) ** done
        market = self.market
        step_prices(self.prices, load, market.capacity, market.beds, self.mean, self.spread, length, share, self.count)
        if len(self.floors):
            ones = np.ones(len(self.floors))
            demand = np.maximum(1.0, np.abs(market.wanted))
            step_prices(
                self.floors, missing + demand, demand, ones, self.floor_mean, self.floor_spread, length, share, self.count
            )  # fmt: skip
            np.minimum(self.floors, market.most, out=self.floors)


def _short_lists(market: Market, state: _Steps, schedule: Schedule, on_bound: Callable[[Found], bool], best: Found) -> Found:
    board = market.board
    parties = board.core.parties
    arc = np.empty(parties, dtype=np.int64)
    every = max(1, schedule.short // max(1, schedule.lists))
    parts = 2 if parties > 3000 else 1
    edges = [parties * p // parts for p in range(parts + 1)]
    choices: Choices | None = None
    bundle_paid = np.zeros(0)
    for i in range(schedule.short):
        if i % every == 0:
            bound = market.bound(state.prices, state.floors)
            if bound > best.bound:
                best = Found(bound, state.prices.copy(), state.floors.copy())
            if not on_bound(best):
                return best
            choices = list_arcs(board, schedule.keep, 2)
            bundle_paid = np.zeros(max(1, len(choices.use_start) - 1))
        assert choices is not None
        price_bundles(choices.use_start, choices.use_row, choices.use_amount, state.prices, bundle_paid, 0, len(choices.use_start) - 1)
        out = market.out_costs(state.floors)
        loads = np.zeros((parts, len(state.prices)))
        lists = choices

        def look(first: int, last: int) -> None:
            for p in range(first, last):
                best_listed(lists, out, bundle_paid, loads[p], arc, edges[p], edges[p + 1])  # noqa: B023  (called at once)

        in_ranges(look, parts, least=2)
        missing = market.wanted + market.group[arc < 0].sum(axis=0) if len(state.floors) else market.wanted
        state.step(loads.sum(axis=0), missing, i / schedule.short, 1)
    bound = market.bound(state.prices, state.floors)
    if bound > best.bound:
        best = Found(bound, state.prices.copy(), state.floors.copy())
    on_bound(best)
    return best


def list_arcs(board: Board, keep: int, sets: int) -> Choices:
    """The best arcs of every party at the board's prices."""
    everybody = np.arange(board.core.parties)
    nobody = np.full(len(everybody), -1, dtype=np.int64)
    return write_out(board, joined(board.core, everybody, [nearest_offers(board, keep)], nobody, nobody), sets)


__all__ = ["HALF", "Found", "Market", "Schedule", "ascend", "list_arcs"]
