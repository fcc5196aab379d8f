"""Lists of arcs that follow the prices: new good ones are added, what has become dear goes off.

To write all lists anew costs as much as hundred steps over them. Here the nearest offers of each party that are not listed yet are
written out and joined to what there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.arcs import Choices, Lists, arc_prices, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import FAR, jit
from matcher.pricing.shelves import nearest
from matcher.pricing.threads import in_ranges

Floats = NDArray[np.float64]
MOST_SETS = 4
MOST_ARCS = 4096


class RollingLists:
    """Arcs of some parties of a board. parties: which, ascending, length n."""

    def __init__(self, board: Board, parties: Numbers) -> None:
        self.board, self.parties = board, parties
        self.arcs: Choices | None = None
        self._seen = np.full(board.core.offers, -1, dtype=np.int64)

    def renew(self, prices: Floats, out: Floats, near: int, reach: float, most: int) -> tuple[Choices, Floats]:
        """(arcs, value of each party's best offer of all, FAR where there is none) at some prices.

        The `near` best offers of every party are among them. Of the others those stay that are worse than the party's best, or than
        staying out (`out`, length n), by at most `reach`, and no more than `most` of them.
        """
        board, count = self.board, len(self.parties)
        board.set_prices(prices)
        most_offers = max(1, min(near, int(board.core.open.sum())))
        offers = np.full((count, most_offers + 1), -1, dtype=np.int32)
        costs = np.zeros((count, most_offers + 1), dtype=np.int64)
        best = np.empty(count)
        in_ranges(
            lambda i, j: _nearest_and_best(
                board.core, board.at_place, board.shelves, board.menus.plain, board.prices, board.paid, board.lowest, board.order,
                board.value, self.parties, offers, costs, best, i, j,
            ),
            count, least=200,
        )  # fmt: skip
        old = self.arcs
        if old is not None:
            self._seen.fill(-1)
            _take_off_known(old.start, old.offer, offers, costs, self._seen)
        new = write_out(board, Lists(self.parties, offers, costs, np.full(count, -1, dtype=np.int32)), MOST_SETS)
        if old is not None:
            worth = old.cost + arc_prices(old, prices)
            limit = np.empty(count)
            in_ranges(lambda i, j: _limits(old.start, worth, out, reach, most, limit, i, j), count)
            new = self._joined(old, worth, limit, new)
        self.arcs = new
        return new, best

    def _joined(self, old: Choices, worth: Floats, limit: Floats, new: Choices) -> Choices:
        """What stays of the old arcs, and the new ones. Bundles that menus hold stand first in both, and stay where they are."""
        base, entries = len(self.board.menus.set), len(self.board.menus.row)
        arcs, own, uses = (np.zeros(len(limit) + 1, dtype=np.int64) for _ in range(3))
        small, large = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)

        def run(*out: NDArray[Any]) -> None:
            def part(first: int, last: int) -> None:
                arguments = (base, *old, worth, limit, *new, arcs, own, uses, *out, first, last)
                _join(*arguments)

            in_ranges(part, len(limit), least=500)

        run(small, small, large, small, large, small, small)
        for counts in (arcs, own, uses):
            np.cumsum(counts, out=counts)
        offer, chosen, bundle = (np.empty(arcs[-1], dtype=np.int32) for _ in range(3))
        cost = np.empty(arcs[-1], dtype=np.int64)
        use_start = np.concatenate([new.use_start[: base + 1], np.zeros(own[-1], dtype=np.int64)])
        row = np.concatenate([new.use_row[:entries], np.empty(uses[-1], dtype=np.int32)])
        amount = np.concatenate([new.use_amount[:entries], np.empty(uses[-1], dtype=np.int32)])
        own += base
        uses += entries
        run(offer, chosen, cost, bundle, use_start, row, amount)
        return Choices(arcs, offer, chosen, cost, bundle, use_start, row, amount)


@jit
def _nearest_and_best(core, at_place, shelves, plain, prices, paid, lowest, order, value, parties, offers, costs, best, first, last):
    """The nearest offers into columns 1 and on, and the value of the first of them."""
    places = core.at_place.shape[1]
    most = offers.shape[1] - 1
    board = np.empty(places)
    heap, heap_key = np.empty(places + 1, dtype=np.int64), np.empty(places + 1)
    some_offers, some_costs, some_worths = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64), np.empty(most)
    for i in range(first, last):
        n = nearest(
            core, at_place, shelves, plain, prices, paid, lowest, order, value, parties[i], board, heap, heap_key, some_offers, some_costs,
            some_worths,
        )  # fmt: skip
        best[i] = some_worths[0] if n else FAR
        for j in range(n):
            offers[i, j + 1], costs[i, j + 1] = some_offers[j], some_costs[j]


@jit
def _take_off_known(start, offer, offers, costs, seen):
    """Offers that the arcs have already go off the lists."""
    for i in range(len(start) - 1):
        for e in range(start[i], start[i + 1]):
            seen[offer[e]] = i
        n = 1
        for j in range(1, offers.shape[1]):
            a = offers[i, j]
            if a >= 0 and seen[a] != i:
                offers[i, n], costs[i, n] = a, costs[i, j]
                n += 1
        for j in range(n, offers.shape[1]):
            offers[i, j] = -1


@jit
def _limits(start, worth, out, reach, most, limit, first, last):
    """The worth up to which each party's arcs stay."""
    for i in range(first, last):
        least = out[i]
        for e in range(start[i], start[i + 1]):
            least = min(least, worth[e])
        limit[i] = least + reach
        count = min(start[i + 1] - start[i], MOST_ARCS)
        if count > most:
            limit[i] = min(limit[i], np.sort(worth[start[i] : start[i] + count])[most - 1])


@jit
def _join(
    base, start, offer, chosen, cost, bundle, use_start, row, amount, worth, limit, start2, offer2, chosen2, cost2, bundle2, use_start2,
    row2, amount2, arcs, own, uses, to_offer, to_chosen, to_cost, to_bundle, to_use_start, to_row, to_amount, first, last,
):  # fmt: skip
    """Count arcs, bundles of one's own and their entries into [i + 1], or write them where these are sums already."""
    fill = len(to_use_start) > 0
    for i in range(first, last):
        e, b, u = 0, 0, 0
        if fill:
            e, b, u = arcs[i], own[i], uses[i]
        for k in range(start[i], start[i + 1]):
            if worth[k] > limit[i]:
                continue
            n = np.int64(bundle[k])
            number = n
            if n >= base:
                number = b
                if fill:
                    for t in range(use_start[n], use_start[n + 1]):
                        to_row[u + t - use_start[n]], to_amount[u + t - use_start[n]] = row[t], amount[t]
                    to_use_start[b + 1] = u + use_start[n + 1] - use_start[n]
                b += 1
                u += use_start[n + 1] - use_start[n]
            if fill:
                to_offer[e], to_chosen[e], to_cost[e], to_bundle[e] = offer[k], chosen[k], cost[k], number
            e += 1
        for k in range(start2[i], start2[i + 1]):
            n = np.int64(bundle2[k])
            number = n
            if n >= base:
                number = b
                if fill:
                    for t in range(use_start2[n], use_start2[n + 1]):
                        to_row[u + t - use_start2[n]], to_amount[u + t - use_start2[n]] = row2[t], amount2[t]
                    to_use_start[b + 1] = u + use_start2[n + 1] - use_start2[n]
                b += 1
                u += use_start2[n + 1] - use_start2[n]
            if fill:
                to_offer[e], to_chosen[e], to_cost[e], to_bundle[e] = offer2[k], chosen2[k], cost2[k], number
            e += 1
        if not fill:
            arcs[i + 1], own[i + 1], uses[i + 1] = e, b, u


__all__ = ["RollingLists"]
