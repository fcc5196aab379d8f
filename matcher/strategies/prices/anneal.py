"""Simulated annealing by ejection chains: somebody moves in, somebody has to leave and moves on, until all have a place.

The plan stays feasible at every step. Candidates are drawn with a bias to the front of each party's list, which is sorted by
what an arc is worth at the capacity prices.
"""

from __future__ import annotations

import numpy as np

from matcher.pricing.kernels import HALF, jit
from matcher.strategies.prices.house import broken_partner, enter, fits, leave, links_at, offer_at, shortfall

DEEPEST = 8
LOOKED = 8


@jit
def draw(state):
    """A random number in [0, 1) (splitmix64; Steele, Lea and Flood, 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@jit
def find_loser(house, choices, e, a, moved, n, state):
    """An occupant of offer a, not in the chain, whose leaving makes room for arc e; -1 if a few tries find none."""
    for _ in range(4):
        if house.occupants[a] == 0:
            return -1
        z = np.int64(house.member[house.slot[a] + int(draw(state) * house.occupants[a])])
        known = False
        for i in range(n):
            if moved[i] == z:
                known = True
        if not known and fits_without(house, choices, e, z):
            return z
    return -1


@jit
def fits_without(house, choices, e, z):
    """Would there be room for an arc without party z?"""
    b, own = choices.bundle[e], choices.bundle[house.arc[z]]
    for t in range(choices.use_start[b], choices.use_start[b + 1]):
        r = choices.use_row[t]
        left = house.capacity[r] - house.load[r] - choices.use_amount[t]
        if left < 0:
            for u in range(choices.use_start[own], choices.use_start[own + 1]):
                if choices.use_row[u] == r:
                    left += choices.use_amount[u]
            if left < 0:
                return False
    return True


@jit
def pick(house, choices, bonds, x, skew, linked, state):
    """An arc for a party: from the front of its list more often than not; the best of several for one with links."""
    first, size = choices.start[x], choices.start[x + 1] - choices.start[x]
    e = first + int(size * draw(state) ** skew)
    if linked and bonds.start[x + 1] > bonds.start[x] and draw(state) < 0.8:
        value = choices.cost[e] + links_at(bonds, house, choices, x, np.int64(choices.offer[e]))
        for _ in range(LOOKED):
            f = first + int(size * draw(state))
            other = choices.cost[f] + links_at(bonds, house, choices, x, np.int64(choices.offer[f]))
            if other < value:
                e, value = f, other
    return e


@jit
def best_left(house, choices, bonds, z, look, linked):
    """(arc, value) of the cheapest way for a party that is nowhere: an arc with room, or being out."""
    best, least = -1, house.out[z]
    links = linked and bonds.start[z + 1] > bonds.start[z]
    if links:
        least += links_at(bonds, house, choices, z, -1)
        look *= 4
    for f in range(choices.start[z], min(choices.start[z + 1], choices.start[z] + look)):
        if choices.cost[f] >= least or not fits(house, choices, f):
            continue
        value = choices.cost[f]
        if links:
            value += links_at(bonds, house, choices, z, np.int64(choices.offer[f]))
        if value < least:
            best, least = f, value
    return best, least


@jit
def take_out(house, choices, bonds, z, moved, before, n, linked):
    """Take a party into the chain: it is nowhere from now on. Returns what it cost where it was."""
    moved[n], before[n] = z, house.arc[z]
    value = house.cost[z]
    if linked:
        value += links_at(bonds, house, choices, z, offer_at(house, choices, z))
    leave(house, choices, z)
    return value


@jit
def anneal(house, choices, bonds, state, moves, hot, cold, skew, depth, unplaced_share, look):
    """`moves` attempts while the temperature falls from hot to cold (cost units); returns the change of cost.

    skew: candidate number n·uˢᵏᵉʷ for u drawn from [0, 1). depth: parties in a chain at the most. look: arcs looked through
    for the one who is left over. unplaced_share: attempts that start with somebody who is out.
    """
    parties = len(house.arc)
    moved, before = np.empty(DEEPEST, dtype=np.int64), np.empty(DEEPEST, dtype=np.int64)
    falls = (cold / hot) ** (1.0 / max(1, moves))
    heat, change = hot, 0
    linked = len(bonds.first) > 0
    for _ in range(moves):
        heat *= falls
        if house.waiting[0] > 0 and draw(state) < unplaced_share:
            x = np.int64(house.queue[int(draw(state) * house.waiting[0])])
        else:
            x = int(draw(state) * parties)
        if choices.start[x + 1] == choices.start[x]:
            continue
        limit = -heat * np.log(draw(state) + 1e-300)
        home = offer_at(house, choices, x)
        short = shortfall(house)
        delta = -take_out(house, choices, bonds, x, moved, before, 0, linked)
        n, good = 1, False
        while True:  # x is nowhere, everybody else is somewhere
            if choices.start[x + 1] == choices.start[x]:
                break
            e = pick(house, choices, bonds, x, skew, linked, state)
            a = np.int64(choices.offer[e])
            if e == before[n - 1] or (n > 1 and a == home):
                break
            follower = -1
            if fits(house, choices, e):
                delta += choices.cost[e]
                if linked:
                    delta += links_at(bonds, house, choices, x, a)
                enter(house, choices, x, e)
                x = -1
                if linked:
                    follower = broken_partner(bonds, house, choices, moved[n - 1])
                    for i in range(n):
                        if moved[i] == follower:
                            follower = -1
                if follower < 0 or n >= depth:
                    good = delta + shortfall(house) - short <= limit
                    break
            else:
                follower = find_loser(house, choices, e, a, moved, n, state)
                if follower < 0 or n >= depth:
                    break
                delta += choices.cost[e]
                delta -= take_out(house, choices, bonds, follower, moved, before, n, linked)
                n += 1
                if linked:
                    delta += links_at(bonds, house, choices, x, a)
                enter(house, choices, x, e)
                x = follower
                follower = -1
            if follower >= 0:
                delta -= take_out(house, choices, bonds, follower, moved, before, n, linked)
                n += 1
                x = follower
            best, value = best_left(house, choices, bonds, x, look, linked)
            enter(house, choices, x, best)
            if value < HALF and delta + value + shortfall(house) - short <= limit:
                delta += value
                good, x = True, -1
                break
            leave(house, choices, x)
            if n >= depth:
                break
        if good:
            change += delta + shortfall(house) - short
            continue
        for i in range(n):
            if moved[i] != x:
                leave(house, choices, moved[i])
        for i in range(n):
            enter(house, choices, moved[i], before[i])
    return change
