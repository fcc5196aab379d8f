"""What pairs take of the resources, as flat arrays: rows of each offer, room sets, who is there on which nights."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.parts import ANY_DATE, Parties
from matcher.problem import Problem
from matcher.rooms import room_sets

Numbers = NDArray[np.int64]
PERSONS, UNIT, ROOMS, NEED = 0, 1, 2, 3
KINDS = {"persons": PERSONS, "unit": UNIT, "rooms": ROOMS, "need": NEED}


class Uses(NamedTuple):
    """Rows of an offer: offer_rows[row_start[a]:row_start[a+1]]. By row: kind, number (size of rooms, or need word), date, capacity.

    party_persons: persons of each party. member_start: members of party q are members[member_start[q]:member_start[q+1]];
    by member: persons, arrival, leaves, and whether it has each need. in_use: uses by pair (shape 0 × 0: as the rows say).
    beds: kind of rooms of each offer (-1: rooms are not counted). claim: kind of party as rooms see it (persons, rooms needed).
    Sets of the two: set_start[beds * claims + claim] …+1; set s holds set_rooms[set_ptr[s]:set_ptr[s+1]] = (size, number), and
    its empty beds cost set_spare[s].
    """

    row_start: Numbers
    offer_rows: Numbers
    kind: Numbers
    number: Numbers
    date: Numbers
    capacity: Numbers
    party_persons: Numbers
    member_start: Numbers
    persons: Numbers
    arrival: Numbers
    leaves: Numbers
    has_need: NDArray[np.bool_]
    in_use: Numbers
    beds: Numbers
    claim: Numbers
    claims: int
    set_start: Numbers
    set_ptr: Numbers
    set_size: Numbers
    set_count: Numbers
    set_spare: Numbers


def offer_of_row(uses: Uses) -> Numbers:
    """The offer that each row belongs to."""
    owner = np.empty(len(uses.kind), dtype=np.int64)
    owner[uses.offer_rows] = np.repeat(np.arange(len(uses.row_start) - 1), np.diff(uses.row_start))
    return owner


def make_uses(problem: Problem, spare_weight: int) -> Uses:
    """The arrays of a problem; empty beds of room sets cost `spare_weight` times their units."""
    counts = np.array([len(rows) for rows in problem.resources_of], dtype=np.int64)
    parties = Parties.of(problem.parties)
    members, member_start = parties.member, parties.start.astype(np.int64)
    persons = problem.party_persons()
    claims, claim = np.unique(np.stack([persons, problem.room_need], axis=1), axis=0, return_inverse=True)
    kinds: dict[tuple[int, ...], int] = {}
    beds = np.array([-1 if s is None else kinds.setdefault(s, len(kinds)) for s in problem.sizes], dtype=np.int64)
    start, ptr, size, count, spare = _sets(problem, list(kinds), claims, spare_weight)
    resources = problem.resources
    return Uses(
        row_start=_starts(counts),
        offer_rows=np.array([r for rows in problem.resources_of for r in rows], dtype=np.int64),
        kind=np.array([KINDS[r.kind] for r in resources], dtype=np.int64),
        number=np.array([r.size for r in resources], dtype=np.int64),
        date=np.array([r.date for r in resources], dtype=np.int64),
        capacity=problem.capacity,
        party_persons=persons,
        member_start=member_start,
        persons=problem.persons[members],
        arrival=problem.arrival[members].astype(np.int64),
        leaves=problem.leaves[members].astype(np.int64),
        has_need=np.ascontiguousarray(problem.has_need[members]),
        in_use=np.zeros((0, 0), dtype=np.int64) if problem.in_use is None else problem.in_use,
        beds=beds,
        claim=claim.ravel().astype(np.int64),
        claims=len(claims),
        set_start=start,
        set_ptr=ptr,
        set_size=size,
        set_count=count,
        set_spare=spare,
    )


def _starts(counts: Ints) -> Numbers:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(counts)]).astype(np.int64)


def _sets(problem: Problem, kinds: list[tuple[int, ...]], claims: Ints, weight: int) -> tuple[Numbers, ...]:
    """Room sets of every kind of offer with rooms and every claim on them."""
    start, ptr, size, count, spare = [0], [0], [], [], []
    for rooms in kinds:
        for persons, need in claims.tolist():
            for chosen in room_sets(rooms, persons, need):
                distinct = sorted(set(chosen))
                size += distinct
                count += [chosen.count(s) for s in distinct]
                ptr.append(len(size))
                spare.append(weight * problem.spare(sum(chosen) - persons))
            start.append(len(spare))
    return tuple(np.array(v, dtype=np.int64) for v in (start, ptr, size, count, spare))


__all__ = ["ANY_DATE", "NEED", "PERSONS", "ROOMS", "UNIT", "Uses", "make_uses", "offer_of_row"]
