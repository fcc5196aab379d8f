"""The next best offers with room for many parties at once: compiled, over all pairs, none written out.

Only offers where somebody would still fit stand on the shelves, each with what is left there as the price of getting in: none.
"""

from __future__ import annotations

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.board import Board
from matcher.pricing.core import Core, make_core
from matcher.pricing.kernels import HALF, amount, best_set, jit, pair_cost, set_count, special
from matcher.pricing.menus import make_menus
from matcher.pricing.shelves import Shelves, lay_board, make_shelves, price_shelves, sift
from matcher.pricing.threads import in_ranges
from matcher.pricing.uses import ROOMS
from matcher.problem import Problem

ENTRIES, MOST_KINDS = 4_000_000, 2048


class Openings:
    """What is open under a plan. left: what it leaves of each resource. open_offers: where there may be room for anybody."""

    def __init__(self, problem: Problem, left: Ints, open_offers: Bools) -> None:
        core, tables = make_core(problem, [1] * len(problem.stages))
        core = core._replace(open=core.open & open_offers)
        self.left, self.menus = left, make_menus(core)
        self.paid = np.full(self.menus.first.shape, HALF, dtype=np.int64)
        _price_fitting(self.menus, left, self.paid)
        self.core = core._replace(open=core.open & (self.paid < HALF).any(axis=1))
        count = max(1, int(self.core.open.sum()))
        shelves = make_shelves(self.core, tables, most_kinds=min(max(1, ENTRIES // count), MOST_KINDS))
        self.shelves = _only_fitting(self.core, shelves, self.paid)
        self._sort()

    def _sort(self) -> None:
        """Offers of each shelf by what no party of its kind can go below."""
        core, shelves = self.core, self.shelves
        shelf = np.repeat(np.arange(len(shelves.start) - 1), np.diff(shelves.start))
        claim = core.uses.claim[shelves.example][shelf // max(1, core.at_place.shape[1])]
        worth = shelves.cost + self.paid[shelves.offer, claim]
        self.order = np.lexsort((shelves.offer, worth, shelf)).astype(np.int32)
        self.value = np.empty(len(shelves.offer), dtype=np.int64)
        self.lowest = np.empty((len(shelves.example), core.at_place.shape[1]), dtype=np.int64)
        price_shelves(core, shelves, self.paid, 1, self.lowest, self.order, self.value, 0, len(shelves.example))

    def nearest(self, parties: Ints, homes: Ints, most: int, extra: Ints) -> tuple[Ints, Ints]:
        """(offers, costs) of the `most` cheapest offers where each party fits besides its own, equal ones by position.

        parties, homes: of one length n. extra: what links add for each party at each offer, shape (n, A), BLOCKED where they
        forbid it, or (0, 0) if none has any. Both results have the shape (n, most); offers are -1 where there are no more.
        """
        offers = np.full((len(parties), most), -1, dtype=np.int64)
        costs = np.zeros((len(parties), most), dtype=np.int64)
        in_ranges(
            lambda i, j: _nearest_of_many(
                self.core, self.shelves, self.menus.plain, self.paid, self.left, self.lowest, self.order, self.value, parties, homes, extra,
                offers, costs, i, j,
            ),
            len(parties), least=200,
        )  # fmt: skip
        return offers, costs


def dearer(problem: Problem, parties: Ints, limit: Ints) -> list[int]:
    """See `evaluate.dearer_somewhere`."""
    core, _ = make_core(problem, [1] * len(problem.stages))
    found = np.zeros(len(parties), dtype=np.bool_)
    prices = np.zeros(max(1, len(problem.resources)), dtype=np.int64)
    in_ranges(lambda i, j: _dearer(core, prices, parties, limit, found, i, j), len(parties), least=200)
    out: list[int] = parties[found].tolist()
    return out


def cheapest(problem: Problem) -> Ints:
    """Cost of every party's cheapest arc, summed over stages; above all costs where it has none."""
    core, tables = make_core(problem, [1] * len(problem.stages))
    board = Board(core, make_menus(core), make_shelves(core, tables), np.int64)
    board.set_prices(np.zeros(max(1, len(problem.resources)), dtype=np.int64))
    return board.find_best()[0]


@jit
def _dearer(core, prices, parties, limit, found, first, last):
    for i in range(first, last):
        q = parties[i]
        for a in range(len(core.place)):
            if not core.open[a]:
                continue
            cost = pair_cost(core, q, a)
            if cost < HALF and cost + best_set(core.uses, q, a, prices, 1)[0] > limit[q]:
                found[i] = True
                break


def _only_fitting(core: Core, shelves: Shelves, paid: Ints) -> Shelves:
    """The shelves without offers where no party of the kind fits."""
    places = max(1, core.at_place.shape[1])
    kind = np.repeat(np.arange(len(shelves.start) - 1), np.diff(shelves.start)) // places
    fits = paid[shelves.offer, core.uses.claim[shelves.example][kind]] < HALF
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(fits)])[shelves.start]
    return shelves._replace(start=start, offer=shelves.offer[fits], cost=shelves.cost[fits])


@jit
def _price_fitting(menus, left, paid):
    """paid[a, c]: empty beds of the cheapest bundle for which enough is left, as far as bundles tell."""
    for a in range(menus.first.shape[0]):
        for c in range(menus.first.shape[1]):
            for b in range(menus.first[a, c], menus.first[a, c] + menus.bundles[a, c]):
                fits = True
                for t in range(menus.start[b], menus.start[b + 1]):
                    if menus.amount[t] > left[menus.row[t]]:
                        fits = False
                        break
                if fits and menus.spare[b] < paid[a, c]:
                    paid[a, c] = menus.spare[b]


@jit
def _fitting(uses, left, q, a):
    """Cost of the empty beds of the cheapest room set of a party for which enough is left; HALF if there is none."""
    low, high = 0, 1
    if uses.beds[a] >= 0:
        k = uses.beds[a] * uses.claims + uses.claim[q]
        low, high = uses.set_start[k], uses.set_start[k + 1]
    least = HALF
    for s in range(low, high):
        spare = uses.set_spare[s] if uses.beds[a] >= 0 else 0
        if spare >= least:
            continue
        fits = True
        for i in range(uses.row_start[a], uses.row_start[a + 1]):
            r = uses.offer_rows[i]
            taken = 1
            if uses.kind[r] == ROOMS:
                taken = set_count(uses, s, uses.number[r]) if uses.beds[a] >= 0 else 0
            if taken:
                taken *= amount(uses, q, a, r)
            if taken > 0 and taken > left[r]:
                fits = False
                break
        if fits:
            least = spare
    return least


@jit
def _nearest_of_many(core, shelves, plain, paid, left, lowest, order, value, parties, homes, extra, offers, costs, first, last):
    places = core.at_place.shape[1]
    most = offers.shape[1]
    board = np.empty(places, dtype=np.int64)
    heap, key = np.empty(places + 1, dtype=np.int64), np.empty(places + 1, dtype=np.int64)
    for i in range(first, last):
        q, home = parties[i], homes[i]
        linked = extra.shape[0] > 0
        count = 0
        for s in range(core.special_start[q], core.special_start[q + 1]):
            a = core.special_offer[s]
            if not core.open[a] or a == home or core.special_add[s] >= HALF:
                continue
            cost = pair_cost(core, q, a)
            if linked:
                cost += min(extra[i, a], HALF)
            if cost < HALF:
                cost += _fitting(core.uses, left, q, a)
            if cost < HALF:
                count = _keep(offers, costs, i, count, most, a, cost)
        if core.usual[q] >= HALF:
            continue
        lay_board(core, q, 1, board)
        kind, claim = shelves.kind[q], core.uses.claim[q]
        size = 0
        for p in range(places):
            bound = board[p] + lowest[kind, p]
            if bound < HALF and (count < most or bound <= costs[i, most - 1]):
                heap[size], key[size] = p, bound
                size += 1
        for t in range(size // 2 - 1, -1, -1):
            sift(heap, key, t, size)
        single = core.special_start[q + 1] > core.special_start[q]
        while size > 0:
            if count == most and key[0] > costs[i, most - 1]:
                break
            p = heap[0]
            size -= 1
            heap[0], key[0] = heap[size], key[size]
            sift(heap, key, 0, size)
            for e in range(shelves.start[kind * places + p], shelves.start[kind * places + p + 1]):
                if count == most and board[p] + value[e] > costs[i, most - 1]:
                    break
                a = np.int64(shelves.offer[order[e]])
                if a == home:
                    continue
                cost = board[p]
                for t in range(core.row.shape[1]):
                    cost += core.value[core.row[q, t] + core.column[a, t]]
                if cost >= HALF or (single and special(core, q, a) != core.usual[q]):
                    continue
                if linked:
                    cost += min(extra[i, a], HALF)
                if cost < HALF:
                    cost += paid[a, claim] if plain[a] else _fitting(core.uses, left, q, a)
                if cost < HALF:
                    count = _keep(offers, costs, i, count, most, a, cost)


@jit
def _keep(offers, costs, i, count, most, a, cost):
    """Put an offer among the best of row i if it is one of them; returns how many there are."""
    if count == most:
        if cost > costs[i, most - 1] or (cost == costs[i, most - 1] and a > offers[i, most - 1]):
            return count
        count -= 1
    j = count
    while j > 0 and (costs[i, j - 1] > cost or (costs[i, j - 1] == cost and offers[i, j - 1] > a)):
        offers[i, j], costs[i, j] = offers[i, j - 1], costs[i, j - 1]
        j -= 1
    offers[i, j], costs[i, j] = a, cost
    return count + 1
