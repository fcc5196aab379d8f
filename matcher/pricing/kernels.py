"""Compiled kernels over a `Core`: what one pair costs, takes and pays, and every party's best offer at given prices.

Prices and values are of one kind, int64 for proofs and float64 for searches; kernels are compiled once for each and cached.
"""

from __future__ import annotations

import numba

from matcher.pricing.core import BIG
from matcher.pricing.uses import NEED, PERSONS, ROOMS

HALF = BIG // 2
FAR = 1 << 60
"""Stands for no value among priced ones; no priced value reaches it, and two of them do not overflow."""
ANY = -1
jit = numba.njit(cache=True, nogil=True)


@jit
def pair_cost(core, q, a):
    """Cost of a pair, room sets apart; at least HALF where it is not allowed."""
    p = core.place[a]
    total = 0
    for t in range(core.place_row.shape[1]):
        row = core.place_row[q, t]
        if row < 0:
            break
        value = core.at_place[row, p]
        total += BIG if value == core.closed else value
    for t in range(core.row.shape[1]):
        total += core.value[core.row[q, t] + core.column[a, t]]
    return total + special(core, q, a)


@jit
def special(core, q, a):
    """What the exceptions of a party add at an offer."""
    low, high = core.special_start[q], core.special_start[q + 1]
    while low < high:
        middle = (low + high) // 2
        if core.special_offer[middle] < a:
            low = middle + 1
        else:
            high = middle
    if low < core.special_start[q + 1] and core.special_offer[low] == a:
        return core.special_add[low]
    return core.usual[q]


@jit
def amount(uses, q, a, r):
    """What a party at an offer takes of one of its rows; for rows of rooms: 1 if anybody is there, else 0."""
    kind, date = uses.kind[r], uses.date[r]
    total = 0
    for m in range(uses.member_start[q], uses.member_start[q + 1]):
        if date != ANY and not (uses.arrival[m] <= date < uses.leaves[m]):
            continue
        if kind == PERSONS:
            total += uses.in_use[q, a] if uses.in_use.shape[0] else uses.persons[m]
        elif kind == NEED:
            if uses.has_need[m, uses.number[r]]:
                total += uses.persons[m]
        else:
            return 1
    return total


@jit
def set_count(uses, s, size):
    """Rooms of a size in a room set."""
    for t in range(uses.set_ptr[s], uses.set_ptr[s + 1]):
        if uses.set_size[t] == size:
            return uses.set_count[t]
    return 0


@jit
def set_price(uses, q, a, s, prices, scale):
    """What a room set costs a party: empty beds and prices of its rooms."""
    total = scale * uses.set_spare[s] + prices.dtype.type(0)
    for i in range(uses.row_start[a], uses.row_start[a + 1]):
        r = uses.offer_rows[i]
        if uses.kind[r] == ROOMS and prices[r] > 0:
            n = set_count(uses, s, uses.number[r])
            if n and (uses.date[r] == ANY or amount(uses, q, a, r)):
                total += n * prices[r]
    return total


@jit
def best_set(uses, q, a, prices, scale):
    """(price, set) of the cheapest room set of a party; (0, -1) where rooms are not counted."""
    if uses.beds[a] < 0:
        return prices.dtype.type(0), -1
    k = uses.beds[a] * uses.claims + uses.claim[q]
    chosen = -1
    least = prices.dtype.type(0)
    for s in range(uses.set_start[k], uses.set_start[k + 1]):
        value = set_price(uses, q, a, s, prices, scale)
        if chosen < 0 or value < least:
            least, chosen = value, s
    return least, chosen


@jit
def pay(uses, q, a, prices, scale):
    """(price, set): what a party pays at an offer at given prices, with its cheapest room set."""
    total, chosen = best_set(uses, q, a, prices, scale)
    for i in range(uses.row_start[a], uses.row_start[a + 1]):
        r = uses.offer_rows[i]
        if uses.kind[r] != ROOMS and prices[r] > 0:
            total += prices[r] * amount(uses, q, a, r)
    return total, chosen


@jit
def use_of(uses, q, a, s, rows, amounts):
    """Write what an arc takes into `rows` and `amounts`; returns how many rows."""
    n = 0
    for i in range(uses.row_start[a], uses.row_start[a + 1]):
        r = uses.offer_rows[i]
        if uses.kind[r] == ROOMS:
            taken = set_count(uses, s, uses.number[r]) if s >= 0 else 0
            if taken:
                taken *= amount(uses, q, a, r)
        else:
            taken = amount(uses, q, a, r)
        if taken:
            rows[n], amounts[n] = r, taken
            n += 1
    return n


__all__ = ["FAR", "HALF", "amount", "best_set", "jit", "pair_cost", "pay", "set_count", "set_price", "special", "use_of"]
