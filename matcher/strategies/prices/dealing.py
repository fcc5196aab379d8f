"""Households and offers dealt out into sections that are much like the whole: each has its share of every kind.

What belongs together stays together: who is there and where they are; where nobody is placed yet, linked parties, and who is pinned to
an offer or dearer to place elsewhere.
"""

from __future__ import annotations

import numpy as np

from matcher.layers import Bools, Exceptions, Ints, Table
from matcher.parts import ANY_DATE, Parties
from matcher.pricing.kernels import jit
from matcher.problem import Problem
from matcher.strategies.prices.joining import join_nodes
from matcher.usage import Stock

FEW = 4
"""Offers up to which a household that is favoured there is kept with them; a pinned one is kept with so many of those that it may have."""
MOST_TOGETHER = 2000
"""Parties and offers up to which those that only should stay together do; more of them would hang together in one heap."""


def deal(problem: Problem, sections: int, seed: int, before: Ints, kept: Bools, pinned: Ints) -> tuple[Ints, Ints]:
    """(section of each party, section of each offer). before: offer of each party in the plan that stands, or -1.

    Offers and parties are dealt out kind by kind, equal ones by lot, to whichever section has had least of the kind. kept: parties that
    are in no section (-1), and stay as they are. pinned: positions of those that must be placed.
    """
    parties = len(problem.parties)
    group, size = np.arange(parties + problem.offers), np.ones(parties + problem.offers, dtype=np.int64)
    firm, others = _pairs(problem, before, kept, pinned)
    join_nodes(*firm, len(group), size, group)
    join_nodes(*others, MOST_TOGETHER, size, group)
    chance = np.random.default_rng([seed, 11])
    section = np.full(len(group), -1, dtype=np.int64)
    held = np.bincount(group[parties:], minlength=len(group))  # offers of each group
    order, kind, beds = _offers_by_kind(problem, chance)
    several, alone = held[group[parties + order]] > 1, problem.exclusive[order]
    loads = np.zeros((2, sections))  # beds of offers that one party has to itself, and of those that are shared
    for some, load in (
        (several & alone, loads[0]),
        (several & ~alone, loads[1]),
        (~several & alone, loads[0]),
        (~several & ~alone, loads[1]),
    ):
        _deal(order[some], kind, beds, group[parties:], section, load)
    order, kind, persons = _parties_by_kind(problem, chance)
    order = order[~kept[order]]
    load = np.zeros(sections)
    fixed = held[group[order]] > 0
    _deal(order[fixed], kind, persons, group[:parties], section, load)
    _deal(order[~fixed], kind, persons, group[:parties], section, load)
    return np.where(kept, -1, section[group[:parties]]), section[group[parties:]]


def _pairs(problem: Problem, before: Ints, kept: Bools, pinned: Ints) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Pairs that must stay together, and pairs that should; offers are numbered after the parties.

    Who is there stays with the offer, and linked parties who are out stay together; who is out should come with what matters to them.
    """
    parties = len(problem.parties)
    there, waiting = np.flatnonzero((before >= 0) & ~kept), (before < 0) & ~kept
    ends = np.array([(x.first, x.second) for x in problem.links if waiting[x.first] and waiting[x.second]], dtype=np.int64).reshape(-1, 2)
    firm = np.concatenate([there, ends[:, 0]]), np.concatenate([parties + before[there], ends[:, 1]])
    pairs = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    for q in pinned[waiting[pinned]].tolist():
        some = _open_to(problem, q)
        some = some[np.linspace(0, len(some) - 1, min(FEW, len(some))).astype(np.int64)]
        pairs.append((np.full(len(some), q), parties + some))
    held = Parties.of(problem.parties)
    party_of = np.empty(len(problem.persons), dtype=np.int64)
    party_of[held.member] = held.owner
    for layer, better in [(x, 1) for x in problem.rules] + [(x, -1) for x in problem.terms]:
        if isinstance(layer, Exceptions):
            row = np.where(waiting[party_of], layer.row[: len(party_of)], -1)
            household, offer = _favoured(layer, row, better)
            pairs.append((party_of[household], parties + offer))
    return firm, (np.concatenate([a for a, _ in pairs]).astype(np.int64), np.concatenate([b for _, b in pairs]).astype(np.int64))


def _open_to(problem: Problem, party: int) -> Ints:
    """Offers that a party may have."""
    offers = np.arange(problem.offers)
    for layer in reversed(problem.rules):  # decisions about single households come last, and leave the fewest
        for household in problem.parties[party]:
            offers = offers[layer.block(np.array([household]), offers)[0] > 0]
    return offers


def _favoured(layer: Exceptions, row_of: Ints, better: int) -> tuple[Ints, Ints]:
    """(household, offer) for those of `row_of` who have a few offers where they are better off than elsewhere.

    better: 1 where more is better, -1 where less is.
    """
    owner = np.repeat(np.arange(len(layer.default)), np.diff(layer.start))
    good = better * layer.value > better * layer.default[owner]
    count = np.bincount(owner[good], minlength=len(layer.default))
    concerned = np.flatnonzero(row_of >= 0)
    concerned = concerned[(count[row_of[concerned]] > 0) & (count[row_of[concerned]] <= FEW)]
    entries = np.flatnonzero(good)  # ascending by row
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)])
    row = row_of[concerned]
    lengths = count[row]
    ends = np.cumsum(lengths)
    at = np.repeat(start[row] - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)
    return np.repeat(concerned, lengths), layer.offers[entries[at]]


def _parties_by_kind(problem: Problem, chance: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """(order, kind, persons) of the parties: a kind has so many persons, and such needs."""
    held = Parties.of(problem.parties)
    one, persons = held.member[held.start[:-1]], problem.party_persons()
    keys = np.stack([persons, problem.room_need, _bits(problem.has_need)[one]], axis=1)
    kind = np.unique(keys, axis=0, return_inverse=True)[1].ravel()
    return np.lexsort((chance.random(len(one)), kind)), kind, persons


def _offers_by_kind(problem: Problem, chance: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """(order, kind, beds) of the offers: a kind counts such things and has so many beds, most first; within it, place by place.

    An offer that nobody may have has no beds; one that only one party can have, as many as the largest that may.
    """
    beds = np.zeros(problem.offers, dtype=np.int64)
    counts = np.zeros(problem.offers, dtype=np.int64)
    number: dict[tuple[str, int], int] = {}
    widest = _widest(problem)
    for row in problem.resources:
        counted = (row.kind, row.size if row.kind == "need" else 0)
        counts[row.offer] |= 1 << (number.setdefault(counted, len(number)) % 62)
        if row.kind == "persons":
            beds[row.offer] = max(beds[row.offer], row.capacity)
        elif row.kind == "unit":
            beds[row.offer] = widest[row.offer] * min(1, row.capacity)
    beds[widest == 0] = 0
    kind = np.unique(np.stack([-beds, counts * (beds > 0)], axis=1), axis=0, return_inverse=True)[1].ravel()
    return np.lexsort((chance.random(problem.offers), problem.place, kind)), kind, beds


def _widest(problem: Problem) -> Ints:
    """Persons of the largest household that each rule alone lets have an offer."""
    widest = np.full(problem.offers, int(problem.persons.max(initial=0)), dtype=np.int64)
    for layer in problem.rules:
        if isinstance(layer, Table):
            most = np.zeros(len(layer.value), dtype=np.int64)
            np.maximum.at(most, layer.row[: len(problem.persons)], problem.persons)
            of_column = np.array([np.where(column > 0, most, 0).max(initial=0) for column in layer.value.T], dtype=np.int64)
            widest = np.minimum(widest, of_column[layer.column])
    return widest


def kinds_of_rows(problem: Problem, stock: Stock) -> Ints:
    """A number for the kind of every row: what it counts, of what size, for one date or for all, with rooms or without."""
    widest = _widest(problem)
    rooms = np.array([sizes is not None for sizes in problem.sizes], dtype=np.bool_)
    size = np.where(stock.is_kind("unit"), widest[stock.offer], stock.size)
    keys = np.stack([stock.kind, size, stock.date != ANY_DATE, rooms[stock.offer]], axis=1)
    return np.unique(keys, axis=0, return_inverse=True)[1].ravel()


def _bits(flags: Bools) -> Ints:
    """A number for each row of flags."""
    return np.asarray(flags.astype(np.int64) @ (1 << np.arange(flags.shape[1], dtype=np.int64)))


@jit
def _deal(order, kind, weight, group, section, load):
    """Deal positions out, in that order, unless their group has been; a kind's positions stand together in the order.

    section: by group, in place. load: what each section holds, in weights, in place: who has least is served first among those who have
    had as many of the kind.
    """
    had = np.zeros(len(load), dtype=np.int64)
    i = 0
    while i < len(order):
        j = i
        had[:] = 0
        while j < len(order) and kind[order[j]] == kind[order[i]]:
            if section[group[order[j]]] >= 0:
                s = section[group[order[j]]]
                had[s] += 1
                load[s] += weight[order[j]]
            j += 1
        for v in range(i, j):
            g = group[order[v]]
            if section[g] < 0:
                s = 0
                for t in range(1, len(load)):
                    if had[t] < had[s] or (had[t] == had[s] and load[t] < load[s]):
                        s = t
                section[g] = s
                had[s] += 1
                load[s] += weight[order[v]]
        i = j


__all__ = ["deal", "kinds_of_rows"]
