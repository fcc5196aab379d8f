"""A plan in the making: who holds which arc, what is left of every row, who lives where. It is feasible at every moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.pricing.arcs import Choices
from matcher.pricing.core import Numbers
from matcher.pricing.kernels import jit
from matcher.problem import BLOCKED, Problem

OUT = -1
NEAR, APART, SAME_PLACE, SAME_SITE, SAME_OFFER = 0, 1, 2, 3, 4
KINDS = {"near": NEAR, "apart": APART, "same_place": SAME_PLACE, "same_site": SAME_SITE, "same_accommodation": SAME_OFFER}


class Bonds(NamedTuple):
    """Links between parties. Links of party q: of[start[q]:start[q+1]]; each is listed for both of its parties.

    By link: first, second, kind, binds, cost at the cap, amount as a fraction of units per tenth of a km, cap and limit in whole tenths.
    place, site: by offer; km10, same_place: between places. penalty: what a broken link that binds counts while searching.
    """

    start: Numbers
    of: Numbers
    first: Numbers
    second: Numbers
    kind: Numbers
    binds: NDArray[np.bool_]
    full: Numbers
    times: Numbers
    over: Numbers
    cap: Numbers
    limit: Numbers
    place: Numbers
    site: Numbers
    km10: Numbers
    same_place: NDArray[np.bool_]
    penalty: int


class House(NamedTuple):
    """arc: of each party, OUT where it has none. cost: of that arc, or of being out. load, capacity: by row.

    Occupants of offer a: member[slot[a]] … member[slot[a] + occupants[a] - 1]; place_of: each party's position there. waiting: those
    who are out, waiting[0:1][0] of them; spot: position there. out: cost of being out, floors not counted.
    group: persons by floor, shape (Q, G); lacking: persons still wanted by each floor (may be negative); rate: units a person.
    """

    arc: Numbers
    cost: Numbers
    load: Numbers
    capacity: Numbers
    slot: Numbers
    member: NDArray[np.int32]
    occupants: NDArray[np.int32]
    place_of: NDArray[np.int32]
    queue: NDArray[np.int32]
    spot: NDArray[np.int32]
    waiting: Numbers
    out: Numbers
    group: Numbers
    lacking: Numbers
    rate: Numbers


@dataclass
class Standing:
    """Where every party is: offer (OUT: nowhere) and room set (-1: none counts). What searches hand from one to the next."""

    offer: Numbers
    set: Numbers

    @classmethod
    def nobody(cls, parties: int) -> Standing:
        """Everybody out."""
        return cls(np.full(parties, OUT, dtype=np.int64), np.full(parties, -1, dtype=np.int64))


def make_house(problem: Problem, out: Numbers, group: Numbers, choices: Choices, standing: Standing) -> House:
    """The house of a standing plan; `choices` holds the arcs of all parties, the ones that stand among them.

    Who does not fit where they are said to stand is out.
    """
    slots = np.zeros(problem.offers + 1, dtype=np.int64)
    np.add.at(slots, _slot_offers(problem) + 1, np.minimum(problem.capacity, len(out))[_slot_rows(problem)])
    parties = len(out)
    house = House(
        arc=np.full(parties, OUT, dtype=np.int64),
        cost=out.copy(),
        load=np.zeros(len(problem.resources), dtype=np.int64),
        capacity=problem.capacity,
        slot=np.cumsum(slots),
        member=np.zeros(int(slots.sum()) + 1, dtype=np.int32),
        occupants=np.zeros(problem.offers, dtype=np.int32),
        place_of=np.full(parties, -1, dtype=np.int32),
        queue=np.arange(parties, dtype=np.int32),
        spot=np.arange(parties, dtype=np.int32),
        waiting=np.array([parties], dtype=np.int64),
        out=out,
        group=group,
        lacking=np.array([f.wanted - f.fixed for f in problem.floors], dtype=np.int64),
        rate=np.array([f.least_rate for f in problem.floors], dtype=np.int64),
    )
    _move_in(house, choices, standing.offer, standing.set)
    return house


def _slot_rows(problem: Problem) -> Numbers:
    return np.array([r for r, row in enumerate(problem.resources) if row.kind in ("persons", "unit")], dtype=np.int64)


def _slot_offers(problem: Problem) -> Numbers:
    return np.array([row.offer for row in problem.resources if row.kind in ("persons", "unit")], dtype=np.int64)


@jit
def _move_in(house, choices, offer, chosen):
    for q in range(len(offer)):
        if offer[q] < 0:
            continue
        for e in range(choices.start[q], choices.start[q + 1]):
            if choices.offer[e] == offer[q] and choices.set[e] == chosen[q] and fits(house, choices, e):
                leave(house, choices, q)
                enter(house, choices, q, e)
                break


def standing_of(house: House, choices: Choices) -> Standing:
    """Where everybody is now."""
    placed = house.arc >= 0
    arc = np.maximum(house.arc, 0)
    if not len(choices.offer):
        return Standing.nobody(len(placed))
    return Standing(np.where(placed, choices.offer[arc], OUT).astype(np.int64), np.where(placed, choices.set[arc], -1).astype(np.int64))


def set_costs(house: House, choices: Choices) -> None:
    """What everybody costs where they are, by the costs of these arcs."""
    house.cost[:] = np.where(house.arc >= 0, choices.cost[np.maximum(house.arc, 0)] if len(choices.cost) else 0, house.out)


def make_bonds(problem: Problem, weight: int) -> Bonds:
    """The links of a problem; `weight`: of the stage that their costs belong to."""
    links = problem.links
    ends = [(q, i) for i, link in enumerate(links) for q in (link.first, link.second)]
    ends.sort()
    count = np.zeros(len(problem.parties) + 1, dtype=np.int64)
    for q, _ in ends:
        count[q + 1] += 1
    largest = int(problem.unplaced_cost.max(initial=1))

    def whole(fraction: tuple[int, int] | None, missing: int) -> int:
        return missing if fraction is None else min(fraction[0] // fraction[1], BLOCKED)

    def column(values: list[int]) -> Numbers:
        return np.array(values, dtype=np.int64)

    return Bonds(
        start=np.cumsum(count),
        of=column([i for _, i in ends]),
        first=column([x.first for x in links]),
        second=column([x.second for x in links]),
        kind=column([KINDS[x.kind] for x in links]),
        binds=np.array([x.binds for x in links], dtype=np.bool_),
        full=column([weight * x.cost(None) for x in links]),
        times=column([weight * x.amount[0] for x in links]),
        over=column([x.amount[1] for x in links]),
        cap=column([whole(x.cap_km10, 0) for x in links]),
        limit=column([whole(x.limit_km10, -1) for x in links]),
        place=problem.place.astype(np.int64),
        site=problem.site.astype(np.int64),
        km10=problem.km10,
        same_place=problem.same_place,
        penalty=4 * largest,
    )


@jit
def link_cost(bonds, i, a, b):
    """What a link costs with its first party at offer a and its second at offer b (OUT: left out); `penalty` where it breaks."""
    kind = bonds.kind[i]
    if a < 0 or b < 0:
        if bonds.binds[i] and kind != APART and (a < 0) != (b < 0):
            return bonds.penalty
        return 0
    p, r = bonds.place[a], bonds.place[b]
    if kind == NEAR:
        km10 = bonds.km10[p, r]
        if bonds.binds[i]:
            return 0 if km10 <= bonds.limit[i] else bonds.penalty
        if km10 > bonds.cap[i]:
            return bonds.full[i]
        return (2 * bonds.times[i] * km10 + bonds.over[i]) // (2 * bonds.over[i])
    if kind == APART:
        kept = bonds.site[a] != bonds.site[b]
        if kept and bonds.limit[i] >= 0:
            kept = bonds.km10[p, r] >= bonds.limit[i]
    elif kind == SAME_PLACE:
        kept = bonds.same_place[p, r]
    elif kind == SAME_SITE:
        kept = bonds.site[a] == bonds.site[b]
    else:
        kept = a == b
    if kept:
        return 0
    return bonds.penalty if bonds.binds[i] else bonds.full[i]


@jit
def offer_at(house, choices, q):
    """Where a party is."""
    return np.int64(choices.offer[house.arc[q]]) if house.arc[q] >= 0 else -1


@jit
def links_at(bonds, house, choices, q, a):
    """Cost of a party's links were it at offer a (-1: out), everybody else where they are."""
    total = 0
    for j in range(bonds.start[q], bonds.start[q + 1]):
        i = bonds.of[j]
        if bonds.first[i] == q:
            total += link_cost(bonds, i, a, offer_at(house, choices, bonds.second[i]))
        else:
            total += link_cost(bonds, i, offer_at(house, choices, bonds.first[i]), a)
    return total


@jit
def fits(house, choices, e):
    """Is there room for an arc as things are?"""
    b = choices.bundle[e]
    for t in range(choices.use_start[b], choices.use_start[b + 1]):
        r = choices.use_row[t]
        if house.load[r] + choices.use_amount[t] > house.capacity[r]:
            return False
    return True


@jit
def leave(house, choices, q):
    """Take a party out of where it is; nothing is said yet about where it goes."""
    e = house.arc[q]
    if e < 0:
        last = house.waiting[0] - 1
        other = house.queue[last]
        house.queue[house.spot[q]], house.spot[other] = other, house.spot[q]
        house.waiting[0] = last
        house.spot[q] = -1
        return
    house.arc[q] = -1
    b = choices.bundle[e]
    for t in range(choices.use_start[b], choices.use_start[b + 1]):
        house.load[choices.use_row[t]] -= choices.use_amount[t]
    for g in range(len(house.lacking)):
        house.lacking[g] += house.group[q, g]
    if house.place_of[q] >= 0:
        a = choices.offer[e]
        last = house.occupants[a] - 1
        other = house.member[house.slot[a] + last]
        house.member[house.slot[a] + house.place_of[q]] = other
        house.place_of[other] = house.place_of[q]
        house.occupants[a] = last
        house.place_of[q] = -1


@jit
def enter(house, choices, q, e):
    """Put a party that is nowhere on an arc, or on the waiting list (e = OUT)."""
    house.arc[q] = e
    if e < 0:
        house.cost[q] = house.out[q]
        n = house.waiting[0]
        house.queue[n], house.spot[q] = q, n
        house.waiting[0] = n + 1
        return
    house.cost[q] = choices.cost[e]
    b = choices.bundle[e]
    for t in range(choices.use_start[b], choices.use_start[b + 1]):
        house.load[choices.use_row[t]] += choices.use_amount[t]
    for g in range(len(house.lacking)):
        house.lacking[g] -= house.group[q, g]
    if choices.use_start[b + 1] > choices.use_start[b]:
        a = choices.offer[e]
        house.member[house.slot[a] + house.occupants[a]] = q
        house.place_of[q] = house.occupants[a]
        house.occupants[a] += 1


@jit
def shortfall(house):
    """What the floors cost now."""
    total = 0
    for g in range(len(house.lacking)):
        if house.lacking[g] > 0:
            total += house.rate[g] * house.lacking[g]
    return total


@jit
def broken_partner(bonds, house, choices, q):
    """Somebody whose link with the party binds and is broken as things are, or -1."""
    for j in range(bonds.start[q], bonds.start[q + 1]):
        i = bonds.of[j]
        if bonds.binds[i]:
            a, b = offer_at(house, choices, bonds.first[i]), offer_at(house, choices, bonds.second[i])
            if link_cost(bonds, i, a, b) >= bonds.penalty:
                return bonds.second[i] if bonds.first[i] == q else bonds.first[i]
    return -1


@jit
def settle(house, choices, order, value):
    """Place everybody who is out, in the given order, on the cheapest of their arcs that has room; the rest stay out."""
    for i in range(len(order)):
        q = order[i]
        if house.arc[q] >= 0:
            continue
        best, least = -1, value[q]
        for e in range(choices.start[q], choices.start[q + 1]):
            if choices.cost[e] < least and fits(house, choices, e):
                best, least = e, choices.cost[e]
        if best >= 0:
            leave(house, choices, q)
            enter(house, choices, q, best)


def cost_of(house: House, bonds: Bonds, choices: Choices) -> int:
    """Cost of what stands: arcs, those who are out, floors and links (broken ones at their penalty)."""
    return int(house.cost.sum()) + int(shortfall(house)) + int(_links_cost(house, bonds, choices))


@jit
def _links_cost(house, bonds, choices):
    total = 0
    for i in range(len(bonds.first)):
        total += link_cost(bonds, i, offer_at(house, choices, bonds.first[i]), offer_at(house, choices, bonds.second[i]))
    return total
