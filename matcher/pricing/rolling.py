"""Lists of arcs that follow the prices: new good ones are added, what has become dear goes off.

To write all lists anew costs as much as hundred steps over them. Here the nearest offers of each party that are not listed yet are
written out and joined to what there is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.arcs import Choices, Lists, arc_prices, nearest_with_worth, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import jit
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
        offers, costs, best = nearest_with_worth(board, near, self.parties)
        old = self.arcs
        if old is not None:
            self._seen.fill(-1)
            _take_off_known(old.start, old.offer, offers, costs, self._seen)
        nobody = np.full(count, -1, dtype=np.int32)  # no home that has to be listed, no room set that has to be kept
        offers = np.column_stack([nobody, offers])
        costs = np.column_stack([np.zeros(count, dtype=np.int64), costs])
        new = write_out(board, Lists(self.parties, offers, costs, nobody), MOST_SETS)
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
def _take_off_known(start, offer, offers, costs, seen):
    """Offers that the arcs have already go off the lists."""
    for i in range(len(start) - 1):
        for e in range(start[i], start[i + 1]):
            seen[offer[e]] = i
        n = 0
        for j in range(offers.shape[1]):
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
            if worth[k] <= limit[i]:
                b, u = _carry(
                    base, k, offer, chosen, cost, bundle, use_start, row, amount, fill, e, b, u,
                    to_offer, to_chosen, to_cost, to_bundle, to_use_start, to_row, to_amount,
                )  # fmt: skip
                e += 1
        for k in range(start2[i], start2[i + 1]):
            b, u = _carry(
                base, k, offer2, chosen2, cost2, bundle2, use_start2, row2, amount2, fill, e, b, u,
                to_offer, to_chosen, to_cost, to_bundle, to_use_start, to_row, to_amount,
            )  # fmt: skip
            e += 1
        if not fill:
            arcs[i + 1], own[i + 1], uses[i + 1] = e, b, u


@jit
def _carry(
    base, k, offer, chosen, cost, bundle, use_start, row, amount, fill, e, b, u,
    to_offer, to_chosen, to_cost, to_bundle, to_use_start, to_row, to_amount,
):  # fmt: skip
    """Write arc k as arc e, with its bundle as b and what that takes from u on if it is one of its own; returns the next (b, u)."""
    number = np.int64(bundle[k])
    if number >= base:
        low, high = use_start[number], use_start[number + 1]
        number = b
        if fill:
            for t in range(low, high):
                to_row[u + t - low], to_amount[u + t - low] = row[t], amount[t]
            to_use_start[b + 1] = u + high - low
        b += 1
        u += high - low
    if fill:
        to_offer[e], to_chosen[e], to_cost[e], to_bundle[e] = offer[k], chosen[k], cost[k], number
    return b, u


__all__ = ["RollingLists"]
