"""Making room: who has no place goes where it costs least, whoever has to leave for it goes on in turn.

Each time somebody has to leave, it becomes dearer to move them again, so that in the end those move who have somewhere to go
(ejection pools with counters: Nagata and Bräysy, "A powerful route minimization heuristic for the vehicle routing problem with
time windows", 2009). All is measured at the capacity prices: what an arc is worse than a party's best.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import jit
from matcher.strategies.prices.house import APART, Bonds, House, enter, fits, leave, link_cost, offer_at

MOST_LEAVE = 6
LOOKED = 40
LITTLE = 5000.0
"""Who would lose no more than so much by staying out may make room for others and stay out."""
ROWS = 64


class Guide(NamedTuple):
    """By arc: rank (arcs of each party, best at the prices first) and worth (cost and price). By party: best worth, the offer where it
    is, and the best at any other offer (or of staying out)."""

    rank: Numbers
    worth: NDArray[np.float64]
    best: NDArray[np.float64]
    first: Numbers
    other: NDArray[np.float64]


def make_guide(choices: Choices, worth: NDArray[np.float64], out: Ints) -> Guide:
    """Arcs put in order of worth."""
    parties = len(out)
    owner = np.repeat(np.arange(parties), np.diff(choices.start))
    rank = np.lexsort((worth, owner))
    best, first, other = out.astype(np.float64), np.full(parties, -1, dtype=np.int64), out.astype(np.float64)
    _look_ahead(choices.start, choices.offer, rank, worth, best, first, other)
    return Guide(rank, worth, best, first, other)


@jit
def _look_ahead(start, offer, rank, worth, best, first, other):
    for q in range(len(best)):
        stay = best[q]
        for i in range(start[q], start[q + 1]):
            e = rank[i]
            if worth[e] >= stay:
                break
            if first[q] < 0:
                first[q], best[q] = offer[e], worth[e]
            elif offer[e] != first[q]:
                other[q] = worth[e]
                break


def make_room(
    house: House, choices: Choices, bonds: Bonds, guide: Guide, order: Ints, dearer: float, most: int, stake: NDArray[np.float64]
) -> int:
    """Let everybody in `order` in who is out; returns the steps made, at most `most`. dearer: added whenever somebody has to leave.

    stake: by party, what it costs at the least if it has to leave the place that it has at the start, whatever its other arcs tell.
    """
    return int(_let_in(house, choices, bonds, guide, order, dearer, most, stake))


@jit
def _let_in(house, choices, bonds, guide, order, dearer, most, stake):
    parties = len(house.arc)
    count = np.zeros(parties)
    loss = np.empty(parties)  # what it counts to make a party leave: its next best, less what it has
    for q in range(parties):
        loss[q] = max(stake[q], loss_at(choices, guide, q, house.arc[q]))
    stack, on_stack = np.empty(parties + 1, dtype=np.int64), np.zeros(parties, dtype=np.bool_)
    found, keep = np.empty(2 * MOST_LEAVE, dtype=np.int64), np.empty(MOST_LEAVE, dtype=np.int64)
    rows, lack = np.empty(ROWS, dtype=np.int64), np.empty(ROWS, dtype=np.int64)
    some, ratio = np.empty(LOOKED, dtype=np.int64), np.empty(LOOKED)
    linked = len(bonds.first) > 0
    used = 0
    for x in order:
        if house.arc[x] >= 0 or used >= most:
            continue
        stack[0], top = x, 1
        on_stack[x] = True
        while top > 0 and used < most:
            top -= 1
            used += 1
            y = stack[top]
            on_stack[y] = False
            if house.arc[y] >= 0:
                continue
            tied = linked and bonds.start[y + 1] > bonds.start[y]
            score, chosen, leavers = np.float64(house.out[y] - guide.best[y]), -1, 0
            for i in range(choices.start[y], choices.start[y + 1]):
                e = guide.rank[i]
                worse = guide.worth[e] - guide.best[y]
                if worse >= score:
                    break
                if tied:
                    worse += _links_ask(bonds, house, choices, loss, dearer, y, np.int64(choices.offer[e]))
                    if worse >= score:
                        continue
                if fits(house, choices, e):
                    score, chosen, leavers = worse, e, 0
                    continue
                asked, n = who_leaves(
                    choices.offer, choices.bundle, choices.use_start, choices.use_row, choices.use_amount, house.load, house.capacity,
                    house.slot, house.member, house.occupants, house.arc, loss, e, score - worse, count[y], found, rows, lack, some, ratio,
                )  # fmt: skip
                if n > 0 and worse + asked < score:
                    score, chosen, leavers = worse + asked, e, n
                    keep[:n] = found[:n]
            if chosen < 0:
                if tied:
                    _leave_together(bonds, house, choices, y)
                continue
            for j in range(leavers):
                z = keep[j]
                count[z] += 1
                leave(house, choices, z)
                enter(house, choices, z, -1)
                stack[top] = z
                top += 1
                on_stack[z] = True
            if leavers > 0:
                count[y] += 1
            leave(house, choices, y)
            enter(house, choices, y, chosen)
            loss[y] = loss_at(choices, guide, y, chosen) + dearer * count[y]
            if tied:
                top = _call_partners(bonds, house, choices, y, count, stack, on_stack, top)
    return used


def to_what_is_free(house: House, choices: Choices, guide: Guide) -> NDArray[np.float64]:
    """By party that has a place, what it would lose by going on to the best of its arcs that fits as things are, or by staying out;
    infinite where nothing fits and staying out costs more than a little."""
    loss = np.zeros(len(house.arc))
    _to_what_is_free(house, choices, guide, loss)
    return loss


@jit
def _to_what_is_free(house, choices, guide, loss):
    for q in range(len(loss)):
        here = house.arc[q]
        if here < 0:
            continue
        least = max(0.0, house.out[q] - guide.worth[here])
        loss[q] = least if least <= LITTLE else np.inf
        for i in range(choices.start[q], choices.start[q + 1]):
            e = guide.rank[i]
            if guide.worth[e] >= house.out[q]:  # it would rather stay out
                break
            if e != here and fits(house, choices, e):
                loss[q] = max(0.0, guide.worth[e] - guide.worth[here])
                break


@jit
def loss_at(choices, guide, q, e):
    if e < 0:
        return 0.0
    return (guide.other[q] if choices.offer[e] == guide.first[q] else guide.best[q]) - guide.worth[e]


@jit
def who_leaves(
    offer, bundle, use_start, use_row, use_amount, load, capacity, slot, member, occupants, arc, loss, e, limit, turn,
    found, rows, lack, some, ratio,
):  # fmt: skip
    """(what is asked, how many): whose leaving makes room for arc e at the least loss, into `found`; none where it is not below the
    limit, and (0, 0) where there is room. One party that is large enough, or several by loss a unit of what is lacking, less those who
    turn out not to be needed."""
    a, b, kinds, need = offer[e], bundle[e], 0, 0
    for t in range(use_start[b], use_start[b + 1]):
        r = use_row[t]
        short = load[r] + use_amount[t] - capacity[r]
        if short > 0:
            if kinds == ROWS:
                return limit, 0
            rows[kinds], lack[kinds] = r, short
            kinds += 1
            need += short
    if need == 0:
        return 0.0, 0
    n, base = occupants[a], slot[a]
    best, one, count = limit, -1, 0
    at = (7 * np.int64(turn)) % max(1, n)  # large centres are looked at in part, from another place each time
    for i in range(min(n, LOOKED)):
        z = np.int64(member[base + (at + i) % n])
        if loss[z] >= best:
            continue
        own, gives = bundle[arc[z]], 0
        for t in range(use_start[own], use_start[own + 1]):
            for k in range(kinds):
                if rows[k] == use_row[t]:
                    gives += min(lack[k], use_amount[t])
        if gives >= need:
            best, one = loss[z], z
        elif gives > 0:
            some[count], ratio[count] = z, loss[z] / gives
            count += 1
    if one >= 0:
        found[0] = one
    alone = 1 if one >= 0 else 0
    asked, k = 0.0, 0
    while need > 0:
        least = -1
        for i in range(count):
            if some[i] >= 0 and (least < 0 or ratio[i] < ratio[least]):
                least = i
        if least < 0 or k == MOST_LEAVE:
            return best, alone
        z = some[least]
        some[least] = -1
        own, gives = bundle[arc[z]], 0
        for t in range(use_start[own], use_start[own + 1]):
            for i in range(kinds):
                if rows[i] == use_row[t]:
                    gives += max(0, min(lack[i], use_amount[t]))
                    lack[i] -= use_amount[t]
        if gives == 0:
            for t in range(use_start[own], use_start[own + 1]):
                for i in range(kinds):
                    if rows[i] == use_row[t]:
                        lack[i] += use_amount[t]
            continue
        need -= gives
        asked += loss[z]
        if asked >= best:
            return best, alone
        found[MOST_LEAVE + k] = z
        k += 1
    j = 0
    while j < k:
        z = found[MOST_LEAVE + j]
        own, spare = bundle[arc[z]], True
        for t in range(use_start[own], use_start[own + 1]):
            for i in range(kinds):
                if rows[i] == use_row[t] and lack[i] + use_amount[t] > 0:
                    spare = False
        if spare:
            for t in range(use_start[own], use_start[own + 1]):
                for i in range(kinds):
                    if rows[i] == use_row[t]:
                        lack[i] += use_amount[t]
            asked -= loss[z]
            k -= 1
            found[MOST_LEAVE + j] = found[MOST_LEAVE + k]
        else:
            j += 1
    found[:k] = found[MOST_LEAVE : MOST_LEAVE + k]
    return asked, k


@jit
def _links_ask(bonds, house, choices, loss, dearer, y, a):
    """What the links of a party ask of it at offer a: their cost; where one would bind and break, that the other follows."""
    total = 0.0
    for j in range(bonds.start[y], bonds.start[y + 1]):
        i = bonds.of[j]
        other = bonds.second[i] if bonds.first[i] == y else bonds.first[i]
        b = offer_at(house, choices, other)
        if b < 0:
            continue
        cost = link_cost(bonds, i, a, b) if bonds.first[i] == y else link_cost(bonds, i, b, a)
        total += max(0.0, loss[other]) + dearer if bonds.binds[i] and cost >= bonds.penalty else cost
    return total


@jit
def _call_partners(bonds, house, choices, y, count, stack, on_stack, top):
    """Those whose link with a party binds and is broken now that it has a place have to come along."""
    for j in range(bonds.start[y], bonds.start[y + 1]):
        i = bonds.of[j]
        if not bonds.binds[i]:
            continue
        other = bonds.second[i] if bonds.first[i] == y else bonds.first[i]
        a, b = offer_at(house, choices, bonds.first[i]), offer_at(house, choices, bonds.second[i])
        if on_stack[other] or link_cost(bonds, i, a, b) < bonds.penalty:
            continue
        if house.arc[other] >= 0:
            leave(house, choices, other)
            enter(house, choices, other, -1)
        count[other] += 1
        stack[top] = other
        top += 1
        on_stack[other] = True
    return top


@jit
def _leave_together(bonds, house, choices, y):
    """Who stays out takes those along who may only be placed with it."""
    for j in range(bonds.start[y], bonds.start[y + 1]):
        i = bonds.of[j]
        other = bonds.second[i] if bonds.first[i] == y else bonds.first[i]
        if bonds.binds[i] and bonds.kind[i] != APART and house.arc[other] >= 0:
            leave(house, choices, other)
            enter(house, choices, other, -1)


__all__ = ["LOOKED", "MOST_LEAVE", "ROWS", "Guide", "loss_at", "make_guide", "make_room", "to_what_is_free", "who_leaves"]
