"""Chosen pairs written out as arcs, with all that they take: what searches walk through."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.board import Board
from matcher.pricing.core import Core, Numbers
from matcher.pricing.kernels import jit, use_of
from matcher.pricing.menus import Menus
from matcher.pricing.shelves import nearest
from matcher.pricing.threads import in_ranges

WIDEST = 4096


class Choices(NamedTuple):
    """Arcs of party q: start[q] … start[q+1], best offer first at the prices they were made at.

    offer, set (-1: no rooms counted), cost (whole units, empty beds among it) and bundle by arc; bundle b takes row, amount at
    use_start[b] … use_start[b+1].
    """

    start: Numbers
    offer: NDArray[np.int32]
    set: NDArray[np.int32]
    cost: Numbers
    bundle: NDArray[np.int32]
    use_start: Numbers
    use_row: NDArray[np.int32]
    use_amount: NDArray[np.int32]


def nearest_offers(board: Board, most: int, parties: Numbers | None = None) -> tuple[NDArray[np.int32], Numbers]:
    """The `most` best offers of each party at the board's prices: (offers, shape (Q, most), -1 where there are fewer; costs)."""
    core = board.core
    chosen = np.arange(core.parties) if parties is None else parties
    most = max(1, min(most, int(core.open.sum())))
    offers = np.full((len(chosen), most), -1, dtype=np.int32)
    costs = np.zeros((len(chosen), most), dtype=np.int64)
    in_ranges(
        lambda i, j: _nearest_of_many(
            core, board.shelves, board.menus.plain, board.prices, board.paid, board.lowest, board.order, board.value, chosen, offers, costs,
            i, j,
        ),
        len(chosen), least=200,
    )  # fmt: skip
    return offers, costs


@jit
def _nearest_of_many(core, shelves, plain, prices, paid, lowest, order, value, parties, offers, costs, first, last):
    places = core.at_place.shape[1]
    most = offers.shape[1]
    board = np.empty(places)
    heap, heap_key = np.empty(places + 1, dtype=np.int64), np.empty(places + 1)
    some_offers, some_costs, some_worths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64), np.empty(most)
    for i in range(first, last):
        n = nearest(
            core, shelves, plain, prices, paid, lowest, order, value, parties[i], board, heap, heap_key, some_offers, some_costs, some_worths
        )  # fmt: skip
        for j in range(n):
            offers[i, j], costs[i, j] = some_offers[j], some_costs[j]


def write_out(board: Board, offers: NDArray[np.int32], costs: Numbers, sets: int) -> Choices:
    """Arcs of every party to its offers (shape (Q, K), -1: none), with at most `sets` room sets each, cheapest first."""
    core, menus = board.core, board.menus
    arcs, own, uses = (np.zeros(core.parties + 1, dtype=np.int64) for _ in range(3))
    small, large = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)

    def run(*out: NDArray[np.generic]) -> None:
        in_ranges(
            lambda i, j: _write(core, menus, board.bundle_paid, offers, costs, sets, arcs, own, uses, *out, i, j), core.parties, least=200
        )  # fmt: skip

    run(small, small, large, small, large, small, small)
    for counts in (arcs, own, uses):
        np.cumsum(counts, out=counts)
    base, entries = len(menus.set), len(menus.row)
    offer, chosen, bundle = (np.empty(arcs[-1], dtype=np.int32) for _ in range(3))
    cost = np.empty(arcs[-1], dtype=np.int64)
    use_start = np.concatenate([menus.start, np.zeros(own[-1], dtype=np.int64)])
    row = np.concatenate([menus.row, np.empty(uses[-1], dtype=np.int32)])
    amount = np.concatenate([menus.amount, np.empty(uses[-1], dtype=np.int32)])
    own += base
    uses += entries
    run(offer, chosen, cost, bundle, use_start, row, amount)
    return Choices(arcs, offer, chosen, cost, bundle, use_start, row, amount)


@jit
def _write(core, menus, bundle_paid, offers, costs, most, arcs, own, uses, offer, chosen, cost, bundle, use_start, row, amount, first, last):
    """Count arcs, bundles of one's own and their entries into [q + 1], or write them where these are sums already."""
    fill = len(offer) > 0
    rows, amounts = np.empty(WIDEST, dtype=np.int64), np.empty(WIDEST, dtype=np.int64)
    some, worths = np.empty(most, dtype=np.int64), np.empty(most)
    for q in range(first, last):
        c = core.uses.claim[q]
        e, b, u = 0, 0, 0
        if fill:
            e, b, u = arcs[q], own[q], uses[q]
        for i in range(offers.shape[1]):
            a = np.int64(offers[q, i])
            if a < 0:
                break
            n = cheapest(menus, bundle_paid, a, c, some, worths)
            for j in range(n):
                s = menus.set[some[j]]
                number = some[j]
                if not menus.plain[a]:
                    count = use_of(core.uses, q, a, s, rows, amounts)
                    number = b
                    if fill:
                        for t in range(count):
                            row[u + t], amount[u + t] = rows[t], amounts[t]
                        use_start[b + 1] = u + count
                    b += 1
                    u += count
                if fill:
                    offer[e], chosen[e], bundle[e] = a, s, number
                    cost[e] = costs[q, i] + menus.spare[some[j]]
                e += 1
        if not fill:
            arcs[q + 1], own[q + 1], uses[q + 1] = e, b, u


@jit
def cheapest(menus, bundle_paid, a, c, bundles, worths):
    """Write the cheapest bundles of a claim at an offer, as many as `bundles` holds; returns how many."""
    count = 0
    for b in range(menus.first[a, c], menus.first[a, c] + menus.count[a, c]):
        worth = bundle_paid[b] + menus.spare[b]
        if count == len(bundles):
            if worth >= worths[count - 1]:
                continue
            count -= 1
        i = count
        while i > 0 and worths[i - 1] > worth:
            bundles[i], worths[i] = bundles[i - 1], worths[i - 1]
            i -= 1
        bundles[i], worths[i] = b, worth
        count += 1
    return count


__all__ = ["Choices", "cheapest", "nearest_offers", "write_out"]
