"""What many arcs take of the resources, counted for all of them at once: the arrays behind `Problem.use`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.lookup import classes
from matcher.parts import ANY_DATE, Parties
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan

KINDS = ("persons", "unit", "rooms", "need")


@dataclass(frozen=True)
class Stock:
    """The resources as arrays. Offer a has those at row[start[a]:start[a+1]]; by resource: offer, kind (of KINDS), size, date, capacity."""

    start: Ints
    row: Ints
    offer: Ints
    kind: Ints
    size: Ints
    date: Ints
    capacity: Ints

    @classmethod
    def of(cls, problem: Problem) -> Stock:
        """The resources of a problem."""
        resources = problem.resources
        fields = np.array([(r.offer, r.size, r.date, r.capacity) for r in resources], dtype=np.int64).reshape(-1, 4).T
        kind = np.array([KINDS.index(r.kind) for r in resources], dtype=np.int64)
        start = np.cumsum([0, *map(len, problem.resources_of)], dtype=np.int64)
        row = np.array([r for rows in problem.resources_of for r in rows], dtype=np.int64)
        return cls(start, row, fields[0], kind, fields[1], fields[2], fields[3])

    def is_kind(self, kind: str) -> Bools:
        """Resources of one kind."""
        return np.asarray(self.kind == KINDS.index(kind))


def spread(start: Ints, chosen: Ints) -> tuple[Ints, Ints]:
    """Entries of the chosen lists, list i being start[i]:start[i+1]: (which of `chosen` each belongs to, its position)."""
    count = start[chosen + 1] - start[chosen]
    owner = np.repeat(np.arange(len(chosen)), count)
    first = np.cumsum(count) - count
    return owner, np.arange(len(owner)) - first[owner] + start[chosen][owner]


def uses(problem: Problem, stock: Stock, parties: Ints, offers: Ints, rooms: Sequence[tuple[int, ...]]) -> tuple[Ints, Ints, Ints]:
    """What each of the arcs takes, as `Problem.use` counts it: (arc, resource, amount) of every use, amounts positive.

    parties, offers, rooms: of each arc, of one length.
    """
    arc, at = spread(stock.start, offers)
    row = stock.row[at]
    held = Parties.of(problem.parties)
    entry, at = spread(held.start, parties[arc])
    member = held.member[at]
    date = stock.date[row][entry]
    there = (date == ANY_DATE) | ((problem.arrival[member] <= date) & (date < problem.leaves[member]))
    entry, member = entry[there], member[there]
    in_need, in_rooms, in_unit = (stock.is_kind(kind)[row] for kind in ("need", "rooms", "unit"))
    people = problem.persons[member] if problem.in_use is None else problem.in_use[member, offers[arc[entry]]]
    if in_need.any():
        word = np.where(in_need, stock.size[row], 0)[entry]
        people = np.where(in_need[entry], problem.persons[member] * problem.has_need[member, word], people)
    amount = np.zeros(len(row), dtype=np.int64)
    np.add.at(amount, entry, people)
    present = np.zeros(len(row), dtype=np.int64)
    present[entry] = 1
    amount = np.where(in_unit | in_rooms, present, amount)
    if in_rooms.any():
        amount[in_rooms] *= _rooms_of_size(problem, offers, rooms, arc[in_rooms], stock.size[row[in_rooms]])
    some = np.flatnonzero(amount)
    return arc[some], row[some], amount[some]


def _rooms_of_size(problem: Problem, offers: Ints, rooms: Sequence[tuple[int, ...]], arc: Ints, size: Ints) -> Ints:
    """How many rooms of a size each arc takes."""
    number, sets = classes(rooms)
    counted = np.array([problem.sizes[a] is not None for a in offers[arc].tolist()], dtype=np.bool_)
    out = np.zeros(len(arc), dtype=np.int64)
    pair, which = np.unique(np.stack([number[arc], size]), axis=1, return_inverse=True)
    counts = np.array([sets[k].count(beds) for k, beds in pair.T.tolist()], dtype=np.int64)
    out[counted] = counts[which.ravel()][counted]
    return out


def homes_of(problem: Problem, plan: Plan) -> Ints:
    """Offer of each party, or UNPLACED."""
    held = Parties.of(problem.parties)
    return np.array(plan.home, dtype=np.int64)[held.member[held.start[:-1]]]


def left_over(problem: Problem, stock: Stock, plan: Plan, homes: Ints) -> Ints:
    """What a plan leaves of every resource; below 0 where it takes more than there is."""
    placed = np.flatnonzero(homes != UNPLACED)
    rooms = [plan.rooms[q] for q in placed.tolist()]
    _, row, amount = uses(problem, stock, placed, homes[placed], rooms)
    out = stock.capacity.copy()
    np.subtract.at(out, row, amount)
    return out
