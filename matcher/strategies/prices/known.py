"""Prices of an earlier run, where what had them is not what it was: a flat with a bed more, an offer that is new, or closed.

Where beds are short, a bed is worth a hundred times what travel costs. A single flat that is a bed too cheap is then what everybody of
that size wants, and hardly anything is proved; steps that suit all other rows would take thousands to mend it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matcher.layers import Ints
from matcher.pricing.core import Core
from matcher.pricing.uses import offer_of_row
from matcher.strategies.prices.ascent import Floats, Found, Market
from matcher.strategies.prices.classes import classes_of

FAR = 15_000.0
"""A price that is further from those of its kind is doubted (cost units a bed); from there on steps are too short for it."""
LOOKS = 6
"""At all pairs, at the most."""


def mended(
    market: Market, core: Core, prices: Floats, floors: Floats, seed: int, in_time: Callable[[], bool]
) -> tuple[Floats, int]:  # fmt: skip
    """(prices of rows, looks at all pairs). What nobody may have costs nothing. A doubted price of a row that more want than there is
    room for, or that is dear and nobody wants, becomes the usual one of its kind; where nobody wants it then, one below. Of all prices
    looked at those that prove most.

    prices, floors: of the earlier run, in cost units, 0 where there was none. in_time: is there time for another look?
    """
    ties, _ = classes_of(core, seed)
    opened = core.open[offer_of_row(core.uses)]
    prices = np.where(opened, prices, 0.0)
    usual = _medians(prices, ties.of)
    cheap = prices < usual
    doubted = opened & ~ties.implied[ties.of] & (np.abs(prices - usual) > FAR * ties.beds[ties.of])
    if not doubted.any():
        return prices, 0
    best = Found(market.bound(prices, floors), prices, floors)
    crowded, unwanted = market.load > market.capacity, market.load == 0
    wrong = doubted & np.where(cheap, crowded, unwanted)
    low, high, looks = np.where(cheap, prices, 0.0), usual, 1
    price = usual
    while wrong.any() and looks < LOOKS and in_time():
        prices = np.where(wrong, price, prices)
        bound = market.bound(prices, floors)
        if bound > best.bound:
            best = Found(bound, prices, floors)
        crowded, unwanted = market.load > market.capacity, market.load == 0
        low, high, looks = np.where(crowded, prices, low), np.where(unwanted, prices, high), looks + 1
        price, wrong = (low + high) / 2, wrong & (crowded | unwanted) & (low < high)
    return best.prices, looks


def _medians(prices: Floats, of: Ints) -> Floats:
    """Of the prices above 0 of each row's kind, NaN where there are none."""
    some = np.flatnonzero(prices > 0)
    some = some[np.lexsort((prices[some], of[some]))]
    kinds, first, count = np.unique(of[some], return_index=True, return_counts=True)
    medians = np.full(int(of.max(initial=-1)) + 1, np.nan)
    medians[kinds] = prices[some[first + count // 2]]
    return medians[of]
