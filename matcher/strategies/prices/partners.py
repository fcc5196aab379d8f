"""Linked parties among others: of each link one end may move while the other stands, so that what the link costs is a cost of arcs.

Searches that know arcs only (flows, exact pieces) can then move linked parties too; from round to round it is others that move.
"""

from __future__ import annotations

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.kernels import jit
from matcher.strategies.prices.house import OUT, Bonds, House, links_at


def movable(bonds: Bonds, order: Ints) -> Bools:
    """Parties of which no two are linked; those first in `order` come first, and who has no link is always one of them."""
    free: Bools = np.diff(bonds.start) == 0
    _add_unlinked(bonds.start, bonds.of, bonds.first, bonds.second, order, free)
    return free


@jit
def _add_unlinked(start, of, first, second, order, free):
    for n in range(len(order)):
        q = order[n]
        alone = True
        for j in range(start[q], start[q + 1]):
            i = of[j]
            alone = alone and not free[second[i] if first[i] == q else first[i]]
        free[q] = alone


def with_links(bonds: Bonds, house: House, choices: Choices, free: Bools, out: Ints) -> tuple[Choices, Ints]:
    """(arcs, cost of being out) with what their links cost in the costs of those who are free to move, the others where they are."""
    cost, out = choices.cost.copy(), out.copy()
    _add_links(bonds, house, choices, np.flatnonzero(free & (np.diff(bonds.start) > 0)), cost, out)
    return choices._replace(cost=cost), out


@jit
def _add_links(bonds, house, choices, parties, cost, out):
    for n in range(len(parties)):
        q = parties[n]
        out[q] += links_at(bonds, house, choices, q, OUT)
        for e in range(choices.start[q], choices.start[q + 1]):
            cost[e] += links_at(bonds, house, choices, q, choices.offer[e])


__all__ = ["movable", "with_links"]
