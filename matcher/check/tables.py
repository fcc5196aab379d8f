"""Rows seen by id and by class: what depends on a few columns only is asked once for each distinct pair of their values.

Rows may be held by column and built when looked at, so nothing here keeps more of them than it must.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.check.exact import Ints
from matcher.columns import codes

R = TypeVar("R")
T = TypeVar("T")
Codes = NDArray[np.int32]
FEW = 1 << 20  # joint numbers are made dense again before they could overflow


def column(rows: Sequence[Any], field: str) -> list[Any]:
    """One field of all rows."""
    code, distinct = codes(rows, field)
    return [distinct[k] for k in code.tolist()]


class ById(Mapping[str, R]):
    """Rows by an id that no two of them share, ids ascending. ids: by position; position: of each id in `rows`."""

    def __init__(self, rows: Sequence[R], field: str) -> None:
        self.rows = rows
        self.ids: list[str] = column(rows, field)
        self.position = {i: n for n, i in enumerate(self.ids)}

    def __getitem__(self, i: str) -> R:
        return self.rows[self.position[i]]

    def values_of(self, field: str) -> list[Any]:
        """One field of all rows, as they stand."""
        return column(self.rows, field)

    def __contains__(self, i: object) -> bool:
        return i in self.position

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self.position))

    def __len__(self) -> int:
        return len(self.position)


class Grouped(Mapping[str, tuple[R, ...]]):
    """Rows by an id that several may share, in the order in which they stand."""

    def __init__(self, rows: Sequence[R], field: str) -> None:
        self.rows = rows
        code, ids = codes(rows, field)
        self.number = {i: n for n, i in enumerate(ids)}
        self.order = np.argsort(code, kind="stable")
        self.start = np.concatenate(([0], np.cumsum(np.bincount(code, minlength=len(ids)))))

    def positions(self, i: str) -> list[int]:
        """Where the rows of that id stand."""
        n = self.number.get(i)
        found: list[int] = [] if n is None else self.order[self.start[n] : self.start[n + 1]].tolist()
        return found

    def of(self, i: str) -> tuple[R, ...]:
        """The rows of that id, none if it has none."""
        return tuple(self.rows[k] for k in self.positions(i))

    def values_of(self, field: str) -> list[Any]:
        """One field of all rows, as they stand."""
        return column(self.rows, field)

    def __getitem__(self, i: str) -> tuple[R, ...]:
        if i not in self.number:
            raise KeyError(i)
        return self.of(i)

    def __contains__(self, i: object) -> bool:
        return i in self.number

    def __iter__(self) -> Iterator[str]:
        return iter(self.number)

    def __len__(self) -> int:
        return len(self.number)


class Classes(NamedTuple):
    """Rows that agree in some columns. code: class of each row; first: a row of each class."""

    code: Codes
    first: Ints


class Axis:
    """All rows of one kind. extra: more columns, as numbers, each with a value for every row."""

    def __init__(self, rows: Sequence[Any], extra: Mapping[str, Ints]) -> None:
        self.rows = rows
        self.extra = extra
        self._classes: dict[tuple[str, ...], Classes] = {}

    def classes(self, *fields: str) -> Classes:
        """Classes of the rows by these columns; without any, one class."""
        if fields not in self._classes:
            self._classes[fields] = self._find(fields)
        return self._classes[fields]

    def _find(self, fields: tuple[str, ...]) -> Classes:
        if len(fields) == 1 and fields[0] not in self.extra:
            return _numbered(codes(self.rows, fields[0])[0])
        joint: Ints = self.extra[fields[0]] if len(fields) == 1 else np.zeros(len(self.rows), dtype=np.int64)
        for field in fields if len(fields) > 1 else ():
            one = self.classes(field)
            joint = joint * len(one.first) + one.code
            if joint.max(initial=0) > FEW * len(joint):
                joint = np.unique(joint, return_inverse=True)[1].astype(np.int64)
        return _numbered(np.unique(joint, return_inverse=True)[1])


def _numbered(code: Ints) -> Classes:
    """Classes by numbers from 0 up of which none is left out."""
    first = np.zeros(int(code.max(initial=-1)) + 1, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]
    return Classes(code.astype(np.int32), first)


def over_pairs(one: Classes, other: Classes, rows: Ints, columns: Ints, of: Callable[[int, int], T]) -> tuple[Ints, list[T]]:
    """A function of two rows, asked once for each pair of classes among the pairs (rows[k], columns[k]).

    of: called with a row of each class. Returns (which answer each pair has, the answers).
    """
    count = max(1, len(other.first))
    joint = one.code[rows].astype(np.int64) * count + other.code[columns]
    distinct, which = np.unique(joint, return_inverse=True)
    return which, [of(int(one.first[pair // count]), int(other.first[pair % count])) for pair in distinct.tolist()]
