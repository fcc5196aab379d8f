"""What the large-scale strategy stands on: the problem as arrays, every board that was made of it, and lists for searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.parts import Parties
from matcher.pricing.arcs import Choices, arc_prices, joined, nearest_offers, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import Core, make_core
from matcher.pricing.kernels import HALF, jit, pair_cost, use_of
from matcher.pricing.menus import Menus, make_menus
from matcher.pricing.shelves import make_shelves
from matcher.pricing.uses import Uses
from matcher.problem import Problem
from matcher.strategies.prices.ascent import Market
from matcher.strategies.prices.house import Standing

Floats = NDArray[np.float64]
PARTNERS = 24


@dataclass(frozen=True)
class Field:
    """One problem. group: persons of each party in each floor's group, shape (Q, G)."""

    problem: Problem
    core: Core
    menus: Menus
    board: Board
    group: Ints

    @property
    def parties(self) -> int:
        """Q."""
        return self.core.parties

    def market(self) -> Market:
        """Rows and floors to be priced."""
        floors = self.problem.floors
        return Market(
            self.board,
            float(sum(self.problem.fixed_cost)),
            self.problem.capacity.astype(np.float64),
            np.array([f.wanted - f.persons for f in floors], dtype=np.float64),
            self.group,
            np.array([f.least_rate for f in floors], dtype=np.float64),
        )


def make_field(problem: Problem) -> Field:
    """Lay a problem of one stage out."""
    core, tables = make_core(problem, [1])
    menus = make_menus(core)
    return Field(problem, core, menus, Board(core, menus, make_shelves(core, tables), np.float64), _groups(problem))


def _groups(problem: Problem) -> Ints:
    group = np.zeros((len(problem.parties), len(problem.floors)), dtype=np.int64)
    party_of = np.empty(len(problem.persons), dtype=np.int64)
    parties = Parties.of(problem.parties)
    party_of[parties.member] = parties.owner
    for g, floor in enumerate(problem.floors):
        np.add.at(group[:, g], party_of[floor.households], problem.persons[floor.households])
    return group


def standing_from(field: Field, offers: Ints, rooms: Sequence[tuple[int, ...]]) -> Standing:
    """An earlier plan as it can stand now: who may not be where they were, or took rooms that are no set of theirs now, is out."""
    uses = field.core.uses
    standing = Standing(offers.copy(), np.full(len(offers), -1, dtype=np.int64))
    known: dict[tuple[int, tuple[int, ...]], int] = {}
    for q in np.flatnonzero(offers >= 0).tolist():
        a = int(offers[q])
        allowed = bool(field.core.open[a]) and pair_cost(field.core, q, a) < HALF
        if allowed and uses.beds[a] >= 0:
            k = int(uses.beds[a] * uses.claims + uses.claim[q])
            if (k, rooms[q]) not in known:
                known[k, rooms[q]] = next((s for s in range(uses.set_start[k], uses.set_start[k + 1]) if rooms_of(uses, s) == rooms[q]), -1)
            standing.set[q] = known[k, rooms[q]]
            allowed = standing.set[q] >= 0
        if not allowed:
            standing.offer[q], standing.set[q] = -1, -1
    return standing


def rooms_of(uses: Uses, chosen: int) -> tuple[int, ...]:
    """Sizes of the rooms of a set, ascending."""
    span = slice(int(uses.set_ptr[chosen]), int(uses.set_ptr[chosen + 1]))
    pairs = zip(uses.set_size[span].tolist(), uses.set_count[span].tolist(), strict=True)
    return tuple(size for size, count in pairs for _ in range(count))


def loads_of(field: Field, standing: Standing) -> Ints:
    """Use of every row by a standing plan."""
    load = np.zeros(len(field.problem.resources), dtype=np.int64)
    _add_uses(field.core.uses, standing.offer, standing.set, load)
    return load


@jit
def _add_uses(uses, offer, chosen, load):
    widest = 1
    for a in range(len(uses.row_start) - 1):
        widest = max(widest, uses.row_start[a + 1] - uses.row_start[a])
    rows, amounts = np.empty(widest, dtype=np.int64), np.empty(widest, dtype=np.int64)
    for q in range(len(offer)):
        if offer[q] >= 0:
            n = use_of(uses, q, offer[q], chosen[q], rows, amounts)
            for t in range(n):
                load[rows[t]] += amounts[t]


def left_by(field: Field, standing: Standing) -> Ints:
    """What a standing plan leaves of every row."""
    return np.asarray(field.problem.capacity - loads_of(field, standing))


def fill(field: Field, standing: Standing, prices: Floats, order: Ints, most: Floats, near: int) -> int:
    """Place who is out, in the given order, on the best at the prices of what is free; in place. Returns how many found a place.

    most: by party, what a place with its price must stay below.
    """
    waiting = order[standing.offer[order] < 0]
    if not len(waiting):
        return 0
    board, left = field.board, left_by(field, standing)
    board.set_prices(prices, left=left)
    nowhere = np.full(len(waiting), -1, dtype=np.int64)
    choices = write_out(board, joined(field.core, waiting, [nearest_offers(board, near, waiting)], nowhere, nowhere), 3)
    chosen = np.full(len(waiting), -1, dtype=np.int64)
    _first_fit(choices, arc_prices(choices, prices), field.problem.capacity - left, field.problem.capacity, most[waiting], chosen)
    found = chosen >= 0
    standing.offer[waiting[found]] = choices.offer[chosen[found]]
    standing.set[waiting[found]] = choices.set[chosen[found]]
    return int(found.sum())


def _of_partners(field: Field, offers: NDArray[np.int32]) -> tuple[NDArray[np.int32], Ints]:
    """What stands on the lists of those that a party is linked to, links that bind first: the two can only meet on what both look at."""
    partner = np.full(field.parties, -1, dtype=np.int64)
    for link in sorted(field.problem.links, key=lambda link: link.binds):
        partner[link.first], partner[link.second] = link.second, link.first
    listed = np.where(partner[:, None] >= 0, offers[partner], -1).astype(np.int32)
    costs = np.zeros(listed.shape, dtype=np.int64)
    _price_listed(field.core, listed, costs)
    return listed, costs


@jit
def _price_listed(core, offers, costs):
    """Costs of listed pairs; an offer that the party may not have goes off its list."""
    for q in range(len(offers)):
        for j in range(offers.shape[1]):
            a = np.int64(offers[q, j])
            if a >= 0:
                cost = pair_cost(core, q, a) if core.open[a] else HALF
                if cost >= HALF:
                    offers[q, j] = -1
                else:
                    costs[q, j] = cost


@jit
def _first_fit(choices, paid, load, capacity, most, chosen):
    for i in range(len(chosen)):
        for e in range(choices.start[i], choices.start[i + 1]):
            b = choices.bundle[e]
            fits = choices.cost[e] + paid[e] < most[i]
            for t in range(choices.use_start[b], choices.use_start[b + 1]):
                r = choices.use_row[t]
                if load[r] + choices.use_amount[t] > capacity[r]:
                    fits = False
            if fits:
                chosen[i] = e
                for t in range(choices.use_start[b], choices.use_start[b + 1]):
                    load[choices.use_row[t]] += choices.use_amount[t]
                break


def search_lists(field: Field, standing: Standing, prices: Floats, near: int, free: int, sets: int) -> Choices:
    """Arcs for a search of the whole: where everybody is, the nearest offers at prices, and the nearest with room for the party."""
    everybody, free_offers = np.arange(field.parties), []
    if free:
        field.board.set_prices(prices, left=left_by(field, standing))
        free_offers.append(nearest_offers(field.board, free))
    field.board.set_prices(prices)
    parts = [nearest_offers(field.board, near)]
    if field.problem.links:
        parts.append(_of_partners(field, parts[0][0][:, :PARTNERS]))
    parts += free_offers
    return write_out(field.board, joined(field.core, everybody, parts, standing.offer, standing.set), sets)


__all__ = ["Field", "left_by", "loads_of", "make_field", "search_lists"]
