"""What was read of the files, before it is known whether the rows are sound together: columns of values, and faults by row."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault
from matcher.model import Notice

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of values. codes: integers, one a row, shape (N,). values: by code; None: not given, or could not be read."""

    codes: NDArray[Any]
    values: Sequence[Any]

    def of(self, row: int) -> Any:
        """The value of one row."""
        return self.values[self.codes[row]]

    def by(self, key: Callable[[Any], Hashable]) -> Field:
        """The column with another value in place of each; None stays None. Equal ones get one code, and None code 0."""
        numbers: dict[Hashable, int] = {None: 0}
        place = [0 if value is None else numbers.setdefault(key(value), len(numbers)) for value in self.values]
        return Field(np.array(place, dtype=np.int64)[self.codes], list(numbers))


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names rows of another file: its name and the sheet it leads to. Code 0 is an empty cell."""

    column: str
    sheet: str
    field: Field


@dataclass(frozen=True, slots=True)
class Malformed:
    """A row whose cells cannot be told apart (quotes, number of cells).

    guess: what stands where the id should; never shown, only used to recognise what others mean.
    """

    fault: Fault
    guess: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as far as it could be read.

    id: cell that names the row, or whose it is; None where it could not be read. values: fields that could be read. names: the
    (sheet, id) of rows of other files that it names. faults: of this row alone. malformed: its cells cannot be told apart.
    """

    sheet: str
    file: str
    line: int
    id: str | None
    values: Mapping[str, Any]
    names: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    malformed: bool = False

    def fault(self, column: str, code: str, message: str) -> Fault:
        """A fault of this row."""
        return Fault(self.file, self.line, column, code, message)


@dataclass(frozen=True)
class Reading:
    """One file as far as it could be read: N rows by column, and the malformed ones beside them.

    sheet: file of the format, without suffix. file, lines: as in Fault, lines ascending. id_column: what names a row, or whose it
    is ("" in travel). fields: what could be read, by field of the model. faults: of single rows alone, by row.
    """

    sheet: str
    file: str
    id_column: str
    lines: Ints
    fields: Mapping[str, Field]
    references: tuple[Reference, ...] = ()
    faults: Mapping[int, Sequence[Fault]] = field(default_factory=dict)
    malformed: tuple[Malformed, ...] = ()
    shown_line: Callable[[int], str] = str

    def __len__(self) -> int:
        """Rows, without the malformed ones."""
        return len(self.lines)

    @property
    def ids(self) -> Field:
        """The id column; code 0 is an id that is not there."""
        return self.fields.get(self.id_column) or Field(np.zeros(len(self), dtype=np.int64), [None])

    @property
    def guesses(self) -> frozenset[str]:
        """What stands in the id cell of malformed rows."""
        return frozenset(row.guess for row in self.malformed if row.guess is not None)

    @property
    def own_faults(self) -> Iterator[Fault]:
        """Faults of single rows, malformed ones among them."""
        yield from (row.fault for row in self.malformed)
        yield from (fault for of_row in self.faults.values() for fault in of_row)

    @cached_property
    def sound(self) -> Flags:
        """Which rows have no fault of their own."""
        flags = np.ones(len(self), dtype=bool)
        flags[list(self.faults)] = False
        return flags

    def line(self, row: int) -> str:
        """A row's line, for a message."""
        return self.shown_line(int(self.lines[row]))

    def ids_of(self, rows: Flags | Ints) -> set[str | None]:
        """The ids of some rows; None among them where one is not there."""
        ids = self.ids
        return {ids.values[code] for code in np.unique(ids.codes[rows]).tolist()}

    def rows_at(self, lines: Sequence[int]) -> Ints:
        """The rows on these lines, malformed ones left out."""
        wanted = np.unique(np.array(lines, dtype=np.int64))
        row = np.searchsorted(self.lines, wanted)
        there = row < len(self)
        there[there] = self.lines[row[there]] == wanted[there]
        return row[there]

    def entry(self, row: int) -> Entry:
        """One row on its own."""
        found = ((name, of_sheet.of(row)) for name, of_sheet in self.fields.items())
        values = {name: value for name, value in found if value is not None}
        names = ((reference.sheet, reference.field.of(row)) for reference in self.references)
        return Entry(
            sheet=self.sheet,
            file=self.file,
            line=int(self.lines[row]),
            id=values.get(self.id_column),
            values=values,
            names=tuple(name for name in names if name[1] is not None),
            faults=tuple(self.faults.get(row, ())),
        )

    def entries_at(self, lines: Sequence[int]) -> Iterator[Entry]:
        """The rows on these lines, each on its own, malformed ones at the end."""
        yield from (self.entry(row) for row in self.rows_at(lines).tolist())
        wanted = frozenset(lines)
        for row in self.malformed:
            if row.fault.line in wanted:
                yield Entry(self.sheet, self.file, row.fault.line, None, {}, faults=(row.fault,), malformed=True)

    def fault(self, row: int, column: str, code: str, message: str) -> Fault:
        """A fault of a row."""
        return Fault(self.file, int(self.lines[row]), column, code, message)

    def notice(self, row: int, code: str, message: str) -> Notice:
        """A notice about a row."""
        return Notice(file=self.file, line=int(self.lines[row]), code=code, message=message)


Readings = Mapping[str, Reading]
"""By sheet; a sheet that is not there has none."""
