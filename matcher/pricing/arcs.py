"""Chosen pairs written out as arcs, with all that they take: what searches walk through."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.board import Board
from matcher.pricing.core import Core, Numbers
from matcher.pricing.kernels import FAR, jit, pair_cost, use_of
from matcher.pricing.menus import price_bundles
from matcher.pricing.shelves import BLOCK, nearest
from matcher.pricing.threads import in_ranges


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


def arc_prices(choices: Choices, prices: NDArray[np.float64]) -> NDArray[np.float64]:
    """What every arc pays at the prices of the resources."""
    paid = np.zeros(max(1, len(choices.use_start) - 1))
    price_bundles(choices.use_start, choices.use_row, choices.use_amount, prices, paid, 0, len(choices.use_start) - 1)
    return paid[choices.bundle] if len(choices.bundle) else np.zeros(0)


def nearest_offers(board: Board, most: int, parties: Numbers | None = None) -> tuple[NDArray[np.int32], Numbers]:
    """The `most` best offers of each party at the board's prices: (offers, shape (Q, most), -1 where there are fewer; costs)."""
    return nearest_with_worth(board, most, parties)[:2]


def nearest_with_worth(board: Board, most: int, parties: Numbers | None = None) -> tuple[NDArray[np.int32], Numbers, NDArray[np.float64]]:
    """`nearest_offers`, with the value of each party's best one; FAR where it has none."""
    core = board.core
    chosen = np.arange(core.parties) if parties is None else parties
    most = max(1, min(most, int(core.open.sum())))
    offers = np.full((len(chosen), most), -1, dtype=np.int32)
    costs = np.zeros((len(chosen), most), dtype=np.int64)
    best = np.empty(len(chosen))
    in_ranges(
        lambda i, j: _nearest_of_many(
            core, board.shelves, board.menus.plain, board.prices, board.paid, board.lowest,
            board.order, board.value, chosen, offers, costs, best,
            i, j,
        ),
        len(chosen), least=200,
    )  # fmt: skip
    return offers, costs, best


@jit
def _nearest_of_many(core, shelves, plain, prices, paid, lowest, order, value, parties, offers, costs, best, first, last):
    places = core.at_place.shape[1]
    most = offers.shape[1]
    board = np.empty(places)
    key, blocks = np.empty(places), places // BLOCK + 1
    heap, heap_key = np.empty(blocks, dtype=np.int64), np.empty(blocks)
    some_offers, some_costs, some_worths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64), np.empty(most)
    for i in range(first, last):
        n = nearest(
            core, shelves, plain, prices, paid, lowest, order, value, parties[i], board, key, heap, heap_key, some_offers,
            some_costs, some_worths,
        )  # fmt: skip
        best[i] = some_worths[0] if n else FAR
        for j in range(n):
            offers[i, j], costs[i, j] = some_offers[j], some_costs[j]


class Lists(NamedTuple):
    """Offers of some parties, to be written out: parties, length n; offers and costs (room sets apart), shape (n, K), -1: none.

    kept: room set that has to be among those of the first offer, -1: any.
    """

    parties: Numbers
    offers: NDArray[np.int32]
    costs: Numbers
    kept: NDArray[np.int32]


def joined(core: Core, parties: Numbers, parts: list[tuple[NDArray[np.int32], Numbers]], home: Numbers, kept: Numbers) -> Lists:
    """Lists one after the other, each offer once, the offer `home` (-1: none) of each party before all others."""
    offers = np.concatenate([home[:, None].astype(np.int32), *(offers for offers, _ in parts)], axis=1)
    costs = np.concatenate([np.zeros((len(parties), 1), dtype=np.int64), *(costs for _, costs in parts)], axis=1)
    _tidy(core, parties, offers, costs, np.full(core.offers, -1, dtype=np.int64))
    return Lists(parties, offers, costs, kept.astype(np.int32))


@jit
def _tidy(core, parties, offers, costs, seen):
    for i in range(len(parties)):
        if offers[i, 0] >= 0:
            costs[i, 0] = pair_cost(core, parties[i], np.int64(offers[i, 0]))
            seen[offers[i, 0]] = i
        n = 1
        for j in range(1, offers.shape[1]):
            a = offers[i, j]
            if a >= 0 and seen[a] != i:
                seen[a] = i
                offers[i, n], costs[i, n] = a, costs[i, j]
                n += 1
        for j in range(n, offers.shape[1]):
            offers[i, j] = -1


def write_out(board: Board, lists: Lists, sets: int) -> Choices:
    """Arcs of parties to their listed offers, with at most `sets` room sets each, cheapest first."""
    core, menus = board.core, board.menus
    count = len(lists.parties)
    arcs, own, uses = (np.zeros(count + 1, dtype=np.int64) for _ in range(3))
    small, large = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)

    def run(*out: NDArray[Any]) -> None:
        def part(first: int, last: int) -> None:
            arguments = (core, menus, board.bundle_paid, lists, sets, arcs, own, uses, *out, first, last)
            _write(*arguments)

        in_ranges(part, count, least=500)

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
def _write(core, menus, bundle_paid, lists, most, arcs, own, uses, offer, chosen, cost, bundle, use_start, row, amount, first, last):
    """Count arcs, bundles of one's own and their entries into [i + 1], or write them where these are sums already."""
    fill = len(use_start) > 0
    widest = 1
    for a in range(len(core.place)):
        widest = max(widest, core.uses.row_start[a + 1] - core.uses.row_start[a])
    rows, amounts = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
    some, worths = np.empty(most + 1, dtype=np.int64), np.empty(most + 1)
    for i in range(first, last):
        q = lists.parties[i]
        c = core.uses.claim[q]
        e, b, u = 0, 0, 0
        if fill:
            e, b, u = arcs[i], own[i], uses[i]
        for j in range(lists.offers.shape[1]):
            a = np.int64(lists.offers[i, j])
            if a < 0:
                if j == 0:
                    continue
                break
            n = cheapest(menus, bundle_paid, a, c, some, worths, most)
            if j == 0 and lists.kept[i] >= 0:
                n = with_set(menus, a, c, lists.kept[i], some, n)
            for k in range(n):
                s = menus.set[some[k]]
                number = some[k]
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
                    cost[e] = lists.costs[i, j] + menus.spare[some[k]]
                e += 1
        if not fill:
            arcs[i + 1], own[i + 1], uses[i + 1] = e, b, u


@jit
def with_set(menus, a, c, kept, bundles, count):
    """Add the bundle of a room set that is to be kept, if it is not there."""
    for i in range(count):
        if menus.set[bundles[i]] == kept:
            return count
    for b in range(menus.first[a, c], menus.first[a, c] + menus.bundles[a, c]):
        if menus.set[b] == kept:
            bundles[count] = b
            return count + 1
    return count


@jit
def cheapest(menus, bundle_paid, a, c, bundles, worths, most):
    """Write the cheapest bundles of a claim at an offer, at most `most`; returns how many."""
    count = 0
    for b in range(menus.first[a, c], menus.first[a, c] + menus.bundles[a, c]):
        worth = bundle_paid[b] + menus.spare[b]
        if count == most:
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


__all__ = ["Choices", "Lists", "arc_prices", "cheapest", "joined", "nearest_offers", "nearest_with_worth", "write_out"]
