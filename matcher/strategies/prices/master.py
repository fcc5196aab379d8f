"""Prices from the linear program itself, where the problem is small enough: arcs are added until no other would be better."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matcher.layers import Ints
from matcher.pricing.arcs import Lists, joined, nearest_offers, write_out
from matcher.strategies.prices.ascent import Found, Market
from matcher.strategies.prices.field import Field
from matcher.strategies.prices.linear import make_program, solve_program

MOST_PARTIES = 1_500
FIRST, MORE, ROUNDS, SETS = 16, 8, 8, 3
CLOSE = 1e-7


def refine(field: Field, market: Market, start: Found, out: Ints, seconds: Callable[[], float]) -> Found:
    """The best prices that column generation finds from `start`; floors keep the prices they have there."""
    parties = np.arange(field.parties)
    nobody = np.full(len(parties), -1, dtype=np.int64)
    best, prices = start, start.prices
    costs = (out + field.group @ start.floors).astype(np.int64) if len(start.floors) else out
    parts = []
    for turn in range(ROUNDS):
        field.board.set_prices(prices)
        parts.append(nearest_offers(field.board, FIRST if turn == 0 else MORE))
        lists: Lists = joined(field.core, parties, parts, nobody, nobody)
        choices = write_out(field.board, lists, SETS)
        program = make_program(choices, parties, costs, field.problem.capacity, integer=False)
        answer = solve_program(program, integer=False, seconds=seconds())
        if answer.values is None:
            break
        prices = np.zeros(len(market.capacity))
        prices[program.rows] = answer.prices
        bound = market.bound(prices, start.floors)
        if bound > best.bound:
            best = Found(bound, prices.copy(), start.floors.copy())
        value = answer.cost + float(costs.sum()) + market.fixed + float(start.floors @ market.wanted)
        if value - bound <= CLOSE * max(1.0, abs(value)) or seconds() <= 0:
            break
    return best
