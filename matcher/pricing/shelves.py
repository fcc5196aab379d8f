"""Offers on shelves: for each coarse kind of party, the offers of each place in ascending order of a value that no party of the
kind can go below. What a party has to look at is then the first few offers of a few places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Bools, Ints
from matcher.pricing.core import BIG, Core, Numbers, Wide
from matcher.pricing.kernels import FAR, HALF, jit, pair_cost, pay, special

LEAST_ENTRIES, MOST_ENTRIES, ENTRIES_A_PARTY = 2_000_000, 30_000_000, 500
PARTIES_LOOKED_AT = 64
"""From so many parties, dealt out, it is told how much of the offers a kind may have."""
BLOCK = 64
"""Places that are looked at together."""


class Shelves(NamedTuple):
    """K kinds of parties. kind: of each party. example: one party of each kind.

    Shelf of kind k at place p: entries start[k * P + p] … +1; offer: which, cost: what the tables that the kind knows add.
    """

    kind: Numbers
    example: Numbers
    start: Numbers
    offer: NDArray[np.int32]
    cost: Numbers


def make_shelves(core: Core, tables: Sequence[Wide], most_kinds: int | None = None) -> Shelves:
    """Refine the kinds by one table after another while the shelves stay short enough; most telling tables first."""
    budget = min(max(ENTRIES_A_PARTY * core.parties, LEAST_ENTRIES), MOST_ENTRIES)
    usable = core.open
    kind = core.uses.claim
    chosen: list[Wide] = []
    some = np.linspace(0, max(0, core.parties - 1), min(core.parties, PARTIES_LOOKED_AT)).astype(np.int64)
    fit = np.ones((len(some), int(usable.sum())), dtype=np.bool_)
    left = [(_telling(table, usable), t) for t, table in enumerate(tables)]
    for _, t in sorted(left, key=lambda pair: (-pair[0], pair[1])):
        joined, count = _joint(kind, tables[t].row)
        better = fit & (tables[t].value[tables[t].row[some]][:, tables[t].column[usable]] < HALF)
        if count <= most_kinds if most_kinds is not None else count * better.sum() <= budget * len(some):
            kind, fit = joined, better
            chosen.append(tables[t])
    example = np.unique(kind, return_index=True)[1].astype(np.int64)
    order = np.argsort(core.place, kind="stable")
    order = order[usable[order]]
    rows = [table.row[example] for table in chosen]
    start, offer, cost = [], [], []
    at = core.place[order]
    edges = np.searchsorted(at, np.arange(core.at_place.shape[1]))
    size = 0
    for k in range(len(example)):
        value = np.zeros(len(order), dtype=np.int64)
        for table, row in zip(chosen, rows, strict=True):
            value += table.value[row[k]][table.column[order]]
        fit = value < HALF
        place_starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(fit)])[edges]
        start.append(place_starts + size)
        offer.append(order[fit].astype(np.int32))
        cost.append(value[fit])
        size += len(offer[-1])
    start.append(np.array([size]))
    return Shelves(kind, example, np.concatenate(start), _join(offer, np.int32), _join(cost, np.int64))


def _join(parts: list[NDArray[Any]], kind: type) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)


def _telling(table: Wide, usable: Bools) -> float:
    """How much of the offers a table rules out, or how much it costs, for the average party, against its number of rows."""
    value = table.value[:, table.column[usable]] if table.value.size < 1_000_000 else table.value
    blocked = (value >= HALF).mean(axis=1) if value.size else np.zeros(len(table.value))
    counts = np.bincount(table.row, minlength=len(table.value))
    allowed = np.where(value >= HALF, 0, value)
    spread = allowed.std(axis=1) / (1000 + allowed.std(axis=1)) if value.size else blocked
    gain = (blocked**2 + spread) @ counts / max(1, counts.sum())
    return float(gain / np.log2(1 + len(table.value)))


def _joint(kind: Ints, row: Ints) -> tuple[Ints, int]:
    distinct, joined = np.unique(kind * (int(row.max(initial=0)) + 1) + row, return_inverse=True)
    return joined.ravel(), len(distinct)


@jit
def price_shelves(core, shelves, paid, scale, lowest, order, value, first, last):
    """Sort the shelves of kinds first to last by cost and price.

    order: positions of entries, sorted within each shelf; value: in that order. lowest: shape (K, P), the first value of
    each shelf, FAR where it is empty. `order` may come from earlier prices.
    """
    places = core.at_place.shape[1]
    far = paid.dtype.type(FAR)
    for k in range(first, last):
        claim = core.uses.claim[shelves.example[k]]
        for p in range(places):
            low, high = shelves.start[k * places + p], shelves.start[k * places + p + 1]
            for i in range(low, high):
                e = order[i]
                worth = scale * shelves.cost[e] + paid[shelves.offer[e], claim]
                j = i
                while j > low and (value[j - 1] > worth or (value[j - 1] == worth and order[j - 1] > e)):
                    value[j], order[j] = value[j - 1], order[j - 1]
                    j -= 1
                value[j], order[j] = worth, e
            lowest[k, p] = value[low] if high > low else far


@jit
def lay_board(core, q, scale, board):
    """board[p]: what tables over places add for a party, with what it adds everywhere; FAR where a rule is broken."""
    places = core.at_place.shape[1]
    for p in range(places):
        board[p] = core.usual[q]
    for t in range(core.place_row.shape[1]):
        row = core.place_row[q, t]
        if row < 0:
            break
        for p in range(places):
            value = core.at_place[row, p]
            board[p] += BIG if value == core.closed else value
    far = FAR + 0 * scale
    for p in range(places):
        board[p] = far if board[p] >= HALF else scale * board[p]


@jit
def worth_of(core, plain, prices, scale, paid, base, q, a):
    """Value of an offer without exceptions for the party; FAR where it is not allowed."""
    cost = 0
    for t in range(core.row.shape[1]):
        cost += core.value[core.row[q, t] + core.column[a, t]]
    if cost >= HALF or (core.special_start[q + 1] > core.special_start[q] and special(core, q, a) != core.usual[q]):
        return prices.dtype.type(FAR)
    if plain[a]:
        return base + scale * cost + paid[a, core.uses.claim[q]]
    return base + scale * cost + pay(core.uses, q, a, prices, scale)[0]


@jit
def best_of(core, shelves, plain, prices, scale, paid, lowest, order, value, q, board):
    """(value, offer) of a party's best pair, over all; offer -1 where there is none. board: scratch of length P."""
    places = core.at_place.shape[1]
    far = prices.dtype.type(FAR)
    best, offer = far, -1
    k = shelves.kind[q]
    for i in range(core.special_start[q], core.special_start[q + 1]):
        a = core.special_offer[i]
        if not core.open[a] or core.special_add[i] >= HALF:
            continue
        cost = pair_cost(core, q, a)
        if cost < HALF:
            worth = scale * cost + pay(core.uses, q, a, prices, scale)[0]
            if worth < best or (worth == best and a < offer):
                best, offer = worth, a
    if core.usual[q] >= HALF:
        return best, offer
    lay_board(core, q, scale, board)
    least, at = far, -1
    for p in range(places):
        bound = board[p] + lowest[k, p]
        if bound < least:
            least, at = bound, p
    if at < 0:
        return best, offer
    for turn in range(-1, places):
        p = at if turn < 0 else turn
        if turn == at or board[p] + lowest[k, p] > best:
            continue
        base = board[p]
        for i in range(shelves.start[k * places + p], shelves.start[k * places + p + 1]):
            if base + value[i] > best:
                break
            a = np.int64(shelves.offer[order[i]])
            worth = worth_of(core, plain, prices, scale, paid, base, q, a)
            if worth < best or (worth == best and a < offer):
                best, offer = worth, a
    return best, offer


@jit
def best_of_many(core, shelves, plain, prices, scale, paid, lowest, order, value, best, offer, first, last):
    """`best_of` for the parties first to last."""
    board = np.empty(core.at_place.shape[1], dtype=prices.dtype)
    for q in range(first, last):
        best[q], offer[q] = best_of(core, shelves, plain, prices, scale, paid, lowest, order, value, q, board)


@jit
def nearest(core, shelves, plain, prices, paid, lowest, order, value, q, board, key, heap, heap_key, offers, costs, worths):
    """The best offers of a party, at most len(offers), ascending in `worths`; returns how many.

    costs: of the pair, room sets apart. board, key: scratch of length P. heap, heap_key: of a length of P / BLOCK, rounded up.
    """
    places = core.at_place.shape[1]
    most = len(offers)
    count = 0
    k = shelves.kind[q]
    for i in range(core.special_start[q], core.special_start[q + 1]):
        a = core.special_offer[i]
        if not core.open[a] or core.special_add[i] >= HALF:
            continue
        cost = pair_cost(core, q, a)
        if cost < HALF:
            price, _ = pay(core.uses, q, a, prices, 1.0)
            if price < FAR:
                count = _insert(offers, costs, worths, count, most, a, cost, cost + price)
    if core.usual[q] >= HALF:
        return count
    lay_board(core, q, 1.0, board)
    for p in range(places):
        key[p] = board[p] + lowest[k, p]
    size = 0
    for b in range(0, places, BLOCK):  # few places are ever looked at, so that a heap of all would be more work than it saves
        least = _least(key, b, min(b + BLOCK, places))
        if least < FAR:
            heap[size], heap_key[size] = b, least
            size += 1
    for i in range(size // 2 - 1, -1, -1):
        sift(heap, heap_key, i, size)
    claim = core.uses.claim[q]
    while size > 0:
        if count == most and heap_key[0] >= worths[count - 1]:
            break
        p = heap[0]
        end = min(p + BLOCK, places)
        while key[p] != heap_key[0]:
            p += 1
        key[p] = FAR
        heap_key[0] = _least(key, heap[0], end)
        if heap_key[0] >= FAR:
            size -= 1
            heap[0], heap_key[0] = heap[size], heap_key[size]
        sift(heap, heap_key, 0, size)
        base = board[p]
        for i in range(shelves.start[k * places + p], shelves.start[k * places + p + 1]):
            if base + value[i] >= FAR or (count == most and base + value[i] >= worths[count - 1]):
                break
            a = np.int64(shelves.offer[order[i]])
            cost = np.int64(base)
            for t in range(core.row.shape[1]):
                cost += core.value[core.row[q, t] + core.column[a, t]]
            if cost >= HALF or (core.special_start[q + 1] > core.special_start[q] and special(core, q, a) != core.usual[q]):
                continue
            if plain[a]:
                price = paid[a, claim]
            else:
                price, _ = pay(core.uses, q, a, prices, 1.0)
            if price >= FAR:
                continue
            if count < most or cost + price < worths[count - 1]:
                count = _insert(offers, costs, worths, count, most, a, cost, cost + price)
    return count


@jit
def _least(key, first, last):
    """The least of some keys; two at a time, for one would wait for the other."""
    one = two = key[first]
    for p in range(first + 1, last - 1, 2):
        one, two = min(one, key[p]), min(two, key[p + 1])
    return min(one, two, key[last - 1])


@jit
def _insert(offers, costs, worths, count, most, a, cost, worth):
    if count == most:
        if worth >= worths[count - 1]:
            return count
        count -= 1
    i = count
    while i > 0 and (worths[i - 1] > worth or (worths[i - 1] == worth and offers[i - 1] > a)):
        offers[i], costs[i], worths[i] = offers[i - 1], costs[i - 1], worths[i - 1]
        i -= 1
    offers[i], costs[i], worths[i] = a, cost, worth
    return count + 1


@jit
def sift(heap, key, i, size):
    while True:
        least = i
        for child in (2 * i + 1, 2 * i + 2):
            if child < size and (key[child] < key[least] or (key[child] == key[least] and heap[child] < heap[least])):
                least = child
        if least == i:
            return
        heap[i], heap[least] = heap[least], heap[i]
        key[i], key[least] = key[least], key[i]
        i = least
