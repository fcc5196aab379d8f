"""Letting in two at once whom a required link binds: one alone goes where it is best off, and the other may find nothing there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.kernels import jit
from matcher.strategies.prices.house import APART, Bonds, House, enter, leave, link_cost, offer_at
from matcher.strategies.prices.room import LOOKED, MOST_LEAVE, ROWS, Guide, loss_at, who_leaves

NOT = 1e300


def place_pairs(house: House, choices: Choices, bonds: Bonds, guide: Guide, stake: NDArray[np.float64]) -> int:
    """Put both of every bound pair that is out where the two are best off together, whoever has to leave for it; returns how many.

    Nobody with a link has to leave. Those who did are out and wait to be let in again. stake: takes in what the two of a pair would
    lose together if one had to leave again.
    """
    return int(_place_pairs(house, choices, bonds, guide, np.empty(len(house.arc)), stake))


@jit
def _place_pairs(house, choices, bonds, guide, loss, stake):
    for q in range(len(loss)):
        tied = bonds.start[q + 1] > bonds.start[q]
        loss[q] = np.inf if tied else loss_at(choices, guide, q, house.arc[q])
    found, keep = np.empty(2 * MOST_LEAVE, dtype=np.int64), np.empty((2, MOST_LEAVE), dtype=np.int64)
    rows, lack = np.empty(ROWS, dtype=np.int64), np.empty(ROWS, dtype=np.int64)
    some, ratio = np.empty(LOOKED, dtype=np.int64), np.empty(LOOKED)
    old = np.empty(MOST_LEAVE, dtype=np.int64)
    placed = 0
    for i in range(len(bonds.first)):
        x, y = bonds.first[i], bonds.second[i]
        if not bonds.binds[i] or bonds.kind[i] == APART or house.arc[x] >= 0 or house.arc[y] >= 0:
            continue
        limit = np.float64(house.out[x] + house.out[y])
        one = _values(house, choices, bonds, guide, loss, x, i, limit, found, rows, lack, some, ratio)
        two = _values(house, choices, bonds, guide, loss, y, i, limit, found, rows, lack, some, ratio)
        for _ in range(LOOKED):
            best, e, f = limit, -1, -1
            for j in range(len(one)):
                for k in range(len(two)):
                    if one[j] + two[k] < best:
                        a, b = choices.offer[choices.start[x] + j], choices.offer[choices.start[y] + k]
                        if link_cost(bonds, i, np.int64(a), np.int64(b)) < bonds.penalty:
                            best, e, f = one[j] + two[k], choices.start[x] + j, choices.start[y] + k
            if e < 0:
                break
            asked, n = who_leaves(
                choices.offer, choices.bundle, choices.use_start, choices.use_row, choices.use_amount, house.load, house.capacity,
                house.slot, house.member, house.occupants, house.arc, loss, e, np.inf, 0, found, rows, lack, some, ratio,
            )  # fmt: skip
            keep[0, :n] = found[:n]
            for j in range(n):
                old[j] = house.arc[keep[0, j]]
                leave(house, choices, keep[0, j])
                enter(house, choices, keep[0, j], -1)
            leave(house, choices, x)
            enter(house, choices, x, e)
            asked, m = who_leaves(
                choices.offer, choices.bundle, choices.use_start, choices.use_row, choices.use_amount, house.load, house.capacity,
                house.slot, house.member, house.occupants, house.arc, loss, f, np.inf, 0, found, rows, lack, some, ratio,
            )  # fmt: skip
            if asked == np.inf:  # in one offer there is no room for both: as it was, and another way
                leave(house, choices, x)
                enter(house, choices, x, -1)
                for j in range(n):
                    leave(house, choices, keep[0, j])
                    enter(house, choices, keep[0, j], old[j])
                one[e - choices.start[x]] = NOT
                continue
            keep[1, :m] = found[:m]
            for j in range(m):
                leave(house, choices, keep[1, j])
                enter(house, choices, keep[1, j], -1)
            leave(house, choices, y)
            enter(house, choices, y, f)
            stake[x] = stake[y] = limit - guide.worth[e] - guide.worth[f]
            placed += 1
            break
    return placed


@jit
def _values(house, choices, bonds, guide, loss, q, own, limit, found, rows, lack, some, ratio):
    """By arc of a party: its worth and what is asked of those who leave for it; NOT where it breaks a link that binds, but for link
    `own`, or is worse than the limit."""
    first = choices.start[q]
    values = np.full(choices.start[q + 1] - first, NOT)
    for e in range(first, choices.start[q + 1]):
        if guide.worth[e] >= limit:
            continue
        a, good = np.int64(choices.offer[e]), True
        for j in range(bonds.start[q], bonds.start[q + 1]):
            i = bonds.of[j]
            if i == own or not bonds.binds[i]:
                continue
            other = bonds.second[i] if bonds.first[i] == q else bonds.first[i]
            b = offer_at(house, choices, other)
            if b >= 0:
                cost = link_cost(bonds, i, a, b) if bonds.first[i] == q else link_cost(bonds, i, b, a)
                good = good and cost < bonds.penalty
        if not good:
            continue
        asked, _ = who_leaves(
            choices.offer, choices.bundle, choices.use_start, choices.use_row, choices.use_amount, house.load, house.capacity,
            house.slot, house.member, house.occupants, house.arc, loss, e, np.inf, 0, found, rows, lack, some, ratio,
        )  # fmt: skip
        if asked < np.inf:
            values[e - first] = guide.worth[e] + asked
    return values


def waiting(house: House, guide: Guide, lots: Ints | None = None) -> Ints:
    """Who is out and loses by it, those first who lose most; equal ones by their lots, or as they are numbered."""
    lose = np.where(house.arc < 0, house.out - guide.best, 0)
    order = np.argsort(-lose, kind="stable") if lots is None else np.lexsort((lots, -lose))
    return order[lose[order] > 0]
