"""Placements held by column: rows of placements.csv as a sequence that builds a row when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from functools import cached_property
from operator import eq
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from matcher.lookup import classes
from matcher.result import TERMS, Alternative, Cost, PlacementRow

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Held = tuple[Ints, Sequence[Any]]
"""(code of each row, value of each code)."""

NO_TIE = -1
AT_ONCE = 1 << 14
KEPT = 12_000
"""Up to so many rows are kept when they are walked through for the first time: what is written of a plan does so many times."""


@dataclass(frozen=True, eq=False)
class Placements(Sequence[PlacementRow]):
    """N placements. Fields that few values fill are held as (code of each row, value of each code).

    terms: by term of TERMS, shape (terms, N). tie_km10: NO_TIE where there is none. alternatives: positions in `offers`, -1 for
    none, shape (N, most); added: what they would add, same shape. See `PlacementRow` for the rest. Neither columns nor rows are changed
    by anybody: the rows of few placements are kept once they were built.
    """

    household_ids: Sequence[str]
    offers: Sequence[str]
    offer: Ints
    site: Held
    place: Held
    persons: Ints
    rooms: Held
    status: Held
    km10: Ints
    minutes: Held
    terms: Ints
    tie_km10: Ints
    ties_kept: Ints
    alternatives: Ints
    added: Ints
    changed_from: Held
    protected: Bools

    @classmethod
    def of(cls, rows: Sequence[PlacementRow]) -> Placements:
        """The same rows by column."""
        if isinstance(rows, Placements):
            return rows

        def whole(values: Sequence[int]) -> Ints:
            return np.array(values, dtype=np.int64)

        most = max((len(row.alternatives) for row in rows), default=0)
        others = [[(a.accommodation_id, a.added_cost) for a in row.alternatives] for row in rows]
        ids = [*(row.accommodation_id for row in rows), *(a for row in others for a, _ in row)]
        number, offers = classes(ids)
        position = dict(zip(offers, range(len(offers)), strict=True))
        alternatives, added = np.full((len(rows), most), -1, dtype=np.int64), np.zeros((len(rows), most), dtype=np.int64)
        for i, row in enumerate(others):
            for j, (a, cost) in enumerate(row):
                alternatives[i, j], added[i, j] = position[a], cost
        return cls(
            household_ids=[row.household_id for row in rows],
            offers=offers,
            offer=number[: len(rows)],
            site=classes(row.site_id for row in rows),
            place=classes(row.place for row in rows),
            persons=whole([row.persons for row in rows]),
            rooms=classes(row.rooms for row in rows),
            status=classes(row.status for row in rows),
            km10=whole([row.km10 for row in rows]),
            minutes=classes(row.minutes for row in rows),
            terms=whole([row.terms[term] for term in TERMS for row in rows]).reshape(len(TERMS), len(rows)),
            tie_km10=whole([NO_TIE if row.tie_km10 is None else row.tie_km10 for row in rows]),
            ties_kept=whole([row.ties_kept for row in rows]),
            alternatives=alternatives,
            added=added,
            changed_from=classes(row.changed_from for row in rows),
            protected=np.array([row.protected for row in rows], dtype=np.bool_),
        )

    def take(self, rows: Any) -> Placements:
        """Some of the rows: a slice, positions, or a flag for each."""
        chosen = np.arange(len(self))[rows]
        new: dict[str, Any] = {"household_ids": [self.household_ids[i] for i in chosen.tolist()], "offers": self.offers}
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in new:
                continue
            if isinstance(value, tuple):
                new[one.name] = value[0][chosen], value[1]
            else:
                new[one.name] = value[:, chosen] if one.name == "terms" else value[chosen]
        return Placements(**new)

    def texts(self, held: Held) -> list[Any]:
        """The values of a field, one a row."""
        code, values = held
        return list(map(values.__getitem__, code.tolist()))

    def __getstate__(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self)}  # rows that are kept are built again

    def __len__(self) -> int:
        return len(self.household_ids)

    @overload
    def __getitem__(self, index: int) -> PlacementRow: ...
    @overload
    def __getitem__(self, index: slice) -> Placements: ...
    def __getitem__(self, index: int | slice) -> PlacementRow | Placements:
        if isinstance(index, slice):
            return self.take(index)
        i = range(len(self))[index]
        return next(iter(self._rows(i, i + 1)))

    def __iter__(self) -> Iterator[PlacementRow]:
        return iter(self._kept) if len(self) <= KEPT else self._built()

    @cached_property
    def _kept(self) -> tuple[PlacementRow, ...]:
        return tuple(self._built())

    def _built(self) -> Iterator[PlacementRow]:
        for low in range(0, len(self), AT_ONCE):
            yield from self._rows(low, min(len(self), low + AT_ONCE))

    def _rows(self, low: int, high: int) -> Iterator[PlacementRow]:
        part = slice(low, high)

        def values(held: Held) -> list[Any]:
            return list(map(held[1].__getitem__, held[0][part].tolist()))

        terms = self.terms[:, part].T.tolist()
        others = zip(self.alternatives[part].tolist(), self.added[part].tolist(), strict=True)
        minutes: list[Decimal | None] = values(self.minutes)
        yield from map(
            PlacementRow,
            self.household_ids[part],
            map(self.offers.__getitem__, self.offer[part].tolist()),
            values(self.site),
            values(self.place),
            self.persons[part].tolist(),
            values(self.rooms),
            values(self.status),
            self.km10[part].tolist(),
            minutes,
            [Cost({term: value for term, value in zip(TERMS, row, strict=True) if value}) for row in terms],
            [None if km10 == NO_TIE else km10 for km10 in self.tie_km10[part].tolist()],
            self.ties_kept[part].tolist(),
            [tuple(Alternative(self.offers[a], c) for a, c in zip(*row, strict=True) if a >= 0) for row in others],
            values(self.changed_from),
            self.protected[part].tolist(),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Placements | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{len(self)} placements>"
