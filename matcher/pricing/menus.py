"""What parties of one claim take at one offer: written once for all of them, and priced once for all of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Bools
from matcher.pricing.core import Core, Numbers
from matcher.pricing.kernels import FAR, jit, set_count
from matcher.pricing.uses import ANY_DATE, NEED, PERSONS, ROOMS, UNIT, offer_of_row


class Menus(NamedTuple):
    """Bundles of claim c at offer a: first[a, c] … first[a, c] + bundles[a, c].

    By bundle: room set (-1: none counts), cost of its empty beds, and what it takes: row, amount at start[b] … start[b+1].
    plain: offers where a party takes just its claim's bundle; elsewhere (rows by date, by need, or uses by pair) the
    bundles hold only what is common to the claim, and a party's own has to be written for it.
    claimant: one party of each claim.
    """

    first: NDArray[np.int32]
    bundles: NDArray[np.int32]
    set: NDArray[np.int32]
    spare: Numbers
    start: Numbers
    row: NDArray[np.int32]
    amount: NDArray[np.int32]
    plain: Bools
    claimant: Numbers


def make_menus(core: Core) -> Menus:
    """All bundles of all claims at all offers that are open."""
    claimant = np.unique(core.uses.claim, return_index=True)[1].astype(np.int64)
    shape = (core.offers, len(claimant))
    first, count = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)
    small, large = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64)
    bundles, entries = _bundles(core, claimant, first, count, False, small, large, large, small, small)
    chosen, spare = np.empty(bundles, dtype=np.int32), np.empty(bundles, dtype=np.int64)
    start = np.zeros(bundles + 1, dtype=np.int64)
    row, amount = np.empty(entries, dtype=np.int32), np.empty(entries, dtype=np.int32)
    _bundles(core, claimant, first, count, True, chosen, spare, start, row, amount)
    return Menus(first, count, chosen, spare, start, row, amount, _plain(core), claimant)


def _plain(core: Core) -> Bools:
    uses = core.uses
    odd = (uses.kind == NEED) | (uses.date != ANY_DATE)
    plain = np.full(core.offers, uses.in_use.shape[0] == 0)
    plain[offer_of_row(uses)[odd]] = False
    return plain


@jit
def _bundles(core, claimant, first, count, fill, chosen, spare, start, row, amount):
    """Count bundles and their entries, or write them."""
    uses = core.uses
    bundles, entries = 0, 0
    for a in range(len(core.place)):
        if not core.open[a]:
            continue
        alone = uses.beds[a] < 0
        for i in range(uses.row_start[a], uses.row_start[a + 1]):
            if uses.kind[uses.offer_rows[i]] != UNIT:
                alone = False
        for c in range(len(claimant)):
            q = claimant[c]
            if alone and c > 0:  # a unit is a unit, whoever takes it
                first[a, c], count[a, c] = first[a, 0], count[a, 0]
                continue
            low, high = 0, 1
            if uses.beds[a] >= 0:
                k = uses.beds[a] * uses.claims + uses.claim[q]
                low, high = uses.set_start[k], uses.set_start[k + 1]
            first[a, c], count[a, c] = bundles, high - low
            for s in range(low, high):
                if fill:
                    chosen[bundles] = s if uses.beds[a] >= 0 else -1
                    spare[bundles] = uses.set_spare[s] if uses.beds[a] >= 0 else 0
                for i in range(uses.row_start[a], uses.row_start[a + 1]):
                    r = uses.offer_rows[i]
                    n = 0
                    if uses.date[r] == ANY_DATE and uses.in_use.shape[0] == 0:
                        if uses.kind[r] == PERSONS:
                            n = uses.party_persons[q]
                        elif uses.kind[r] == UNIT:
                            n = 1
                        elif uses.kind[r] == ROOMS:
                            n = set_count(uses, s, uses.number[r])
                    if n:
                        if fill:
                            row[entries], amount[entries] = r, n
                        entries += 1
                bundles += 1
                if fill:
                    start[bundles] = entries
    return bundles, entries


@jit
def price_bundles(start, row, amount, prices, paid, first, last):
    """paid[b] = Σ price · amount of the bundles first to last."""
    for b in range(first, last):
        total = prices.dtype.type(0)
        for t in range(start[b], start[b + 1]):
            total += prices[row[t]] * amount[t]
        paid[b] = total


@jit
def bar_bundles(start, row, amount, left, paid, first, last):
    """paid[b] = FAR of the bundles first to last that take more of a row than is left."""
    for b in range(first, last):
        for t in range(start[b], start[b + 1]):
            if amount[t] > left[row[t]]:
                paid[b] = FAR


@jit
def cheapest_bundles(menus, bundle_paid, scale, paid, best, first, last):
    """paid[a, c], best[a, c]: price with empty beds, and number, of the cheapest bundle; best -1 where there is none."""
    for a in range(first, last):
        for c in range(menus.first.shape[1]):
            chosen = -1
            least = bundle_paid.dtype.type(0)
            for b in range(menus.first[a, c], menus.first[a, c] + menus.bundles[a, c]):
                value = bundle_paid[b] + scale * menus.spare[b]
                if chosen < 0 or value < least:
                    least, chosen = value, b
            paid[a, c], best[a, c] = least, chosen


__all__ = ["Menus", "bar_bundles", "cheapest_bundles", "make_menus", "price_bundles"]
