"""What a `Problem` is made of besides its tables: resources, links, floors, and arcs written out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import overload

import numpy as np

from matcher.layers import Bools, Ints

UNPLACED = -1
ANY_DATE = -1
OPEN_END = np.iinfo(np.int64).max
BLOCKED = 1 << 61
"""Stands for "not allowed" among costs; larger than any sum of costs that occurs."""


class Parties(Sequence[tuple[int, ...]]):
    """The household positions of each party, as a tuple of tuples has them, but held in two arrays.

    member: positions, one party after the other. start: party q has member[start[q]:start[q+1]].
    """

    def __init__(self, member: Ints, start: Ints) -> None:
        self.member, self.start = member, start
        self._alone = bool((np.diff(start) == 1).all())

    @classmethod
    def of(cls, parties: Sequence[tuple[int, ...]]) -> Parties:
        """The same parties in arrays."""
        if isinstance(parties, Parties):
            return parties
        start = np.cumsum([0, *(len(party) for party in parties)], dtype=np.int64)
        return cls(np.array([h for party in parties for h in party], dtype=np.int64), start)

    @classmethod
    def singles(cls, count: int) -> Parties:
        """Everybody a party alone."""
        return cls(np.arange(count), np.arange(count + 1))

    @cached_property
    def owner(self) -> Ints:
        """The party of each member, same length as `member`."""
        return np.repeat(np.arange(len(self)), np.diff(self.start))

    def __len__(self) -> int:
        return len(self.start) - 1

    @overload
    def __getitem__(self, party: int) -> tuple[int, ...]: ...
    @overload
    def __getitem__(self, party: slice) -> tuple[tuple[int, ...], ...]: ...
    def __getitem__(self, party: int | slice) -> tuple[int, ...] | tuple[tuple[int, ...], ...]:
        if isinstance(party, slice):
            return tuple(self[q] for q in range(*party.indices(len(self))))
        if self._alone:
            return (self.member.item(party),)
        q = range(len(self))[party]
        return tuple(self.member[self.start[q] : self.start[q + 1]].tolist())

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        member, start = self.member.tolist(), self.start.tolist()
        if self._alone:
            return zip(member)
        return (tuple(member[low:high]) for low, high in pairwise(start))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@dataclass(frozen=True)
class Resource:
    """A capacity row. kind: "persons", "unit", "rooms" (of `size` beds) or "need" (word number `size`).

    date: day number for which the row counts, ANY_DATE where one row counts every night. capacity: C', after the use of
    fixed placements.
    """

    offer: int
    kind: str
    size: int
    date: int
    capacity: int


@dataclass(frozen=True)
class Link:
    """A tie between the parties `first` (the tie row's household_id) and `second`, both free.

    binds: a constraint (with both-or-neither, but for `apart`), else a cost if both are placed: amount (numerator,
    denominator) times the pull in tenths of a km, rounded half up. limit_km10: max_km as a fraction, in tenths.
    """

    first: int
    second: int
    kind: str
    binds: bool
    amount: tuple[int, int] = (0, 1)
    cap_km10: tuple[int, int] = (0, 1)
    limit_km10: tuple[int, int] | None = None

    def cost(self, km10: int | None) -> int:
        """amount · min(km, cap), half up, in exact integers; None: at the cap."""
        (n, d), (cap_n, cap_d) = self.amount, self.cap_km10
        if km10 is None or km10 * cap_d > cap_n:
            return (2 * n * cap_n + d * cap_d) // (2 * d * cap_d)
        return (2 * n * km10 + d) // (2 * d)

    @property
    def both_or_neither(self) -> bool:
        """Placed both or neither."""
        return self.binds and self.kind != "apart"


@dataclass(frozen=True)
class Floor:
    """A group's floor: at least `wanted` of its `persons` placed, of whom `fixed` are; `rate` units (a
    fraction) per missing person, rounded half up for all of them together.

    households: positions of the free households that count.
    """

    group: str
    wanted: int
    persons: int
    fixed: int
    rate: tuple[int, int]
    households: Ints

    def cost(self, missing: int) -> int:
        """Cost of that many missing persons."""
        numerator, denominator = self.rate
        return (2 * missing * numerator + denominator) // (2 * denominator)

    @property
    def least_rate(self) -> int:
        """Whole units that every missing person costs at least, whatever the rounding."""
        return self.rate[0] // self.rate[1]


@dataclass(frozen=True)
class Arcs:
    """Arcs written out, ordered by party, then offer, then room set.

    party, offer: length E. rooms: the set taken, ascending sizes, () where none is counted. cost: shape (E, S).
    Uses of arc e: resource[start[e]:start[e+1]] with amount at the same positions.
    """

    party: Ints
    offer: Ints
    rooms: tuple[tuple[int, ...], ...]
    cost: Ints
    start: Ints
    resource: Ints
    amount: Ints

    def __len__(self) -> int:
        return len(self.party)

    def of(self) -> Ints:
        """The arc of each use, same length as `resource`."""
        return np.repeat(np.arange(len(self.party)), np.diff(self.start))


def within(km10: Ints, limit: tuple[int, int] | None, *, strictly: bool = False) -> Bools:
    """km10 ≤ limit (or <), the limit given as an exact fraction of tenths of a km."""
    if limit is None:
        return np.zeros(km10.shape, dtype=np.bool_)
    numerator, denominator = limit
    most = (numerator - 1) // denominator if strictly else numerator // denominator
    return km10 <= min(most, BLOCKED)
