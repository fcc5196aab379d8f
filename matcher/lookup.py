"""Rows found by their id, put in an order of one's own, and put into classes, without holding a row for each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from matcher.columns import Ints, codes

Row = TypeVar("Row")
Key = TypeVar("Key", bound=Hashable)


def classes(keys: Iterable[Key]) -> tuple[Ints, list[Key]]:
    """Number the distinct keys in order of appearance: (number of each, the distinct keys)."""
    numbers: dict[Key, int] = {}
    index = [numbers.setdefault(key, len(numbers)) for key in keys]
    return np.array(index, dtype=np.int64), list(numbers)


def numbered(code: Ints, size: int) -> tuple[Ints, Ints]:
    """Numbers below `size` given anew in order of first appearance: (new number of each row, the row where each number
    appears first). Takes time linear in the rows unless `size` is far beyond them."""
    if size > 4 * len(code) + 1024:
        used, code = np.unique(code, return_inverse=True)
        size = len(used)
    first = np.full(size, len(code), dtype=np.int64)
    first[code[::-1]] = np.arange(len(code) - 1, -1, -1)  # of several rows the last one written, the earliest, stays
    used = np.flatnonzero(first < len(code))
    order = used[np.argsort(first[used])]
    number = np.empty(size, dtype=np.int64)
    number[order] = np.arange(len(order))
    return number[code], first[order]


def where(rows: Sequence[Any], name: str, holds: Callable[[Any], bool]) -> Ints:
    """Positions of the rows whose value of that field `holds`, which is asked once for each distinct value."""
    code, values = codes(rows, name)
    return np.flatnonzero(np.array([holds(value) for value in values], dtype=np.bool_)[code])


class ById(Mapping[str, Row]):
    """The rows of a table by id; a row that is held by column is built when it is asked for, and not kept."""

    def __init__(self, rows: Sequence[Row], name: str) -> None:
        self._rows = rows
        self.ids: list[str] = codes(rows, name)[1]
        self._at = {row_id: i for i, row_id in enumerate(self.ids)}

    def at(self, row_id: str) -> int:
        """Position of the row with that id. Raises KeyError."""
        return self._at[row_id]

    def positions(self, ids: Iterable[str]) -> Ints:
        """Position of each row; -1 for ids that no row has."""
        return np.array([self._at.get(row_id, -1) for row_id in ids], dtype=np.int64)

    def __getitem__(self, row_id: str) -> Row:
        return self._rows[self._at[row_id]]

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._at

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)


class Picked(Sequence[Any]):
    """Some rows of a table in an order of one's own, seen by column, with columns besides those of the table.

    row: position in the table of each.
    """

    def __init__(self, rows: Sequence[Any], row: Ints) -> None:
        self.rows, self.row = rows, row
        self._known: dict[str, tuple[Ints, Sequence[Any]]] = {}

    def add(self, name: str, code: Ints, values: Sequence[Any]) -> None:
        """A column besides those of the table: row i has values[code[i]]; not all values need occur."""
        self._known[name] = code, values

    def flag(self, name: str, positions: Ints) -> None:
        """A column of yes and no: yes for the rows at these positions."""
        code = np.zeros(len(self), dtype=np.int64)
        code[positions] = 1
        self.add(name, code, (False, True))

    def __len__(self) -> int:
        return len(self.row)

    def __getitem__(self, position: Any) -> Any:
        return self.rows[int(self.row[position])]

    def codes(self, name: str) -> tuple[Ints, Sequence[Any]]:
        """See `columns.ByColumn`. Remembered, since several rules and terms look at one field."""
        if name not in self._known:
            code, values = codes(self.rows, name)
            here = code[self.row]
            number, first = numbered(here, len(values))
            self._known[name] = number, [values[k] for k in here[first].tolist()]
        return self._known[name]

    def alike(self, *names: str) -> tuple[Ints, list[int]]:
        """(number of each row's class under these fields, the position of the first row of each class)."""
        code, distinct = codes(self, *names)
        return code, numbered(code, len(distinct))[1].tolist()

    def numbers(self, name: str) -> Ints:
        """A field of whole numbers, by position."""
        code, values = self.codes(name)
        return np.array(values, dtype=np.int64)[code]


@dataclass(frozen=True)
class Side:
    """What a rule or a term sees of a household or of an offer: one field, the tuple of several, or what `key` makes of them."""

    fields: tuple[str, ...] = ()
    key: Callable[..., Hashable] | None = None

    def classes(self, rows: Sequence[Any]) -> tuple[Ints, list[Any]]:
        """(number of each row's class, what is seen of each class), in order of first appearance."""
        code, values = codes(rows, *self.fields)
        if self.key is None:
            return code, values
        number, keys = classes([self.key(*(value if len(self.fields) > 1 else (value,))) for value in values])
        return number[code], keys
