"""The least priced value of every party in exact integers, over all pairs: what a proof needs of a large problem."""

from __future__ import annotations

import numpy as np

from matcher.layers import Ints
from matcher.pricing.board import Board
from matcher.pricing.core import make_core
from matcher.pricing.menus import make_menus
from matcher.pricing.shelves import make_shelves
from matcher.problem import BLOCKED, Problem
from matcher.section import portions

MOST_AT_ONCE = 150_000
"""Up to so many parties are laid out as arrays together; more are taken in portions, which needs far less memory."""


def least_values(problem: Problem, prices: Ints, weights: Ints) -> Ints:
    """min over the arcs of each party of Σ weights·cost + Σ prices·use, BLOCKED where it has none; length Q.

    The caller has made sure that costs stay below HALF and that no such sum overflows (`bounds`).
    """
    if len(problem.parties) <= MOST_AT_ONCE:
        return _least_values(problem, prices, weights)
    return np.concatenate([_least_values(part, prices, weights) for _, part in portions(problem, np.arange(len(problem.parties)))])


def _least_values(problem: Problem, prices: Ints, weights: Ints) -> Ints:
    scale = int(weights[0]) if len(weights) == 1 else 1
    core, tables = make_core(problem, [1] if len(weights) == 1 else [int(w) for w in weights])
    board = Board(core, make_menus(core), make_shelves(core, tables), np.int64)
    board.set_prices(np.asarray(prices, dtype=np.int64), max(1, scale))
    best, offer = board.find_best()
    return np.where(offer >= 0, best, BLOCKED)
