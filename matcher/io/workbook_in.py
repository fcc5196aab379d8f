"""Sheets of an .xlsx workbook as tables. Values alone are read: no formula is computed, no macro run, no link followed."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from matcher.errors import Fault, InputError
from matcher.i18n import mark
from matcher.io.extras import library
from matcher.io.sheet_scan import LIMITS, BadWorkbook, Limits, column_letters
from matcher.io.tokens import Batch
from matcher.io.unpack import Unpacked, unpack
from matcher.io.values import MARK, SPOILT, plain_text
from matcher.model import Notice

_ROWS_AT_ONCE = 8192
_MOST_DIGITS: Final = 1e15


@dataclass(frozen=True, slots=True)
class Grid:
    """A sheet from its header on. file: its name for messages, `book.xlsx#sheet`. name: of the sheet alone.

    header_line: row of the header, 0 where the sheet is empty. header: one name a column, as written. rows: calls back for the
    batches of rows below it, lines being rows of the sheet. spoilt: (row, column) from 1 of cells that could not be read, and code.
    """

    name: str
    file: str
    header_line: int
    header: tuple[str, ...]
    batches: Callable[[], Iterator[Batch]]
    spoilt: Mapping[tuple[int, int], str]

    def cell_faults(self) -> tuple[Fault, ...]:
        """The faults of cells that could not be read, by column as written."""
        known = dict(enumerate(self.header, start=1))
        return tuple(
            Fault(self.file, row, known[column].strip(), code, SPOILT[code])
            for (row, column), code in sorted(self.spoilt.items())
            if row > self.header_line and known.get(column, "").strip()
        )


@dataclass(frozen=True, slots=True)
class Workbook:
    """Sheets in their order, and what a user should know of the file."""

    grids: tuple[Grid, ...]
    notices: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class CellTrace:
    """Adds the cell, as spreadsheets name it, to the faults of a sheet."""

    columns: Mapping[str, str]

    @classmethod
    def of(cls, header: Sequence[str]) -> CellTrace:
        """By the names of a header."""
        return cls({name.strip().casefold(): column_letters(number) for number, name in enumerate(header, start=1)})

    def fault(self, fault: Fault) -> Fault:
        """The fault with its cell."""
        letters = self.columns.get(fault.column.casefold()) if fault.line else None
        return replace(fault, message=f"{fault.message} (cell {letters}{fault.line})") if letters else fault

    def notice(self, notice: Notice) -> Notice:
        """Notices are of rows."""
        return notice

    def line(self, line: int) -> str:
        """Rows of a sheet are as they are."""
        return str(line)


def read_workbook(path: Path, limits: Limits = LIMITS) -> Workbook:
    """All sheets of a workbook. Raises InputError for a file that is none, UsageError where this build lacks the extra."""
    library("python_calamine", "xlsx")
    try:
        unpacked = unpack(path, limits)
        return Workbook(tuple(_grids(path.name, unpacked)), tuple(_notices(path.name, unpacked)))
    except OSError as error:
        code = "file_missing" if isinstance(error, FileNotFoundError) else "file_unreadable"
        raise InputError([Fault(path.name, 0, "", code, f"the workbook cannot be read: {error.strerror}")]) from error
    except BadWorkbook as error:
        raise InputError([Fault(path.name, 0, "", error.code, error.message)]) from error


def _grids(file: str, unpacked: Unpacked) -> Iterator[Grid]:
    calamine = library("python_calamine", "xlsx")
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(unpacked.data))
        sheets = [(name, book.get_sheet_by_name(name)) for name in _table_sheets(book)]
    except calamine.CalamineError as error:
        raise BadWorkbook("bad_workbook", "the workbook is damaged: open it and save it again") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what a fault of the library is raised as
            raise
        raise BadWorkbook("bad_workbook", "the workbook is damaged: open it and save it again") from error
    for name, sheet in sheets:
        if name not in unpacked.sheets:
            raise BadWorkbook("bad_workbook", "the workbook is laid out in an unusual way: open it and save it again")
        yield _grid(name, f"{file}#{name}", sheet, unpacked.spoilt.get(name, {}))


def _table_sheets(book: Any) -> list[str]:
    return [sheet.name for sheet in book.sheets_metadata if str(sheet.typ).endswith("WorkSheet")]


def _grid(name: str, file: str, sheet: Any, spoilt: Mapping[tuple[int, int], str]) -> Grid:
    """A sheet from its first row that is not empty. Columns without a name count where something stands in them."""
    marks = dict(spoilt)
    line, header = 0, []
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if any(value not in ("", None) for value in row):
            line, header = number, [plain_text(value) for value in row]
            break
    for number in _unnamed(sheet, header):
        header[number] = f"(column {column_letters(number + 1)})"
    while header and not header[-1].strip():
        header.pop()

    def batches() -> Iterator[Batch]:
        lines: list[int] = []
        columns: list[list[str]] = [[] for _ in header]
        for number, row in enumerate(sheet.iter_rows(), start=1):
            if number <= line:
                continue
            lines.append(number)
            for position, column in enumerate(columns):
                column.append(MARK if (number, position + 1) in marks else cell_text(row[position]))
            if len(lines) == _ROWS_AT_ONCE:
                yield Batch(lines, columns)
                lines, columns = [], [[] for _ in header]
        if lines:
            yield Batch(lines, columns)

    marks.update(_too_long(sheet, line))
    return Grid(name, file, line, tuple(header), batches, marks)


def _unnamed(sheet: Any, header: Sequence[str]) -> list[int]:
    """Positions of columns without a name in which something stands below the header."""
    empty = [position for position, name in enumerate(header) if not name.strip()]
    found: set[int] = set()
    if empty:
        for row in sheet.iter_rows():
            found.update(position for position in empty if row[position] not in ("", None))
    return sorted(found)


def _too_long(sheet: Any, header_line: int) -> Iterator[tuple[tuple[int, int], str]]:
    """Cells with numbers of more digits than are kept: an id, most likely, that is not the one that was entered."""
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if number > header_line:
            for position, value in enumerate(row, start=1):
                if isinstance(value, int | float) and abs(value) >= _MOST_DIGITS:
                    yield (number, position), "number_too_long"


def cell_text(value: Any) -> str:
    """A cell as it would stand in a CSV file. Numbers have the 15 digits that spreadsheets show."""
    if type(value) is str:
        return value
    if type(value) is float:
        value = float(f"{value:.15g}")
    return plain_text(value)


def _notices(file: str, unpacked: Unpacked) -> Iterator[Notice]:
    if unpacked.macros:
        yield Notice.of(file, "macros_ignored", mark("the workbook holds macros; they were not read and not run"))
    if unpacked.links:
        said = mark("the workbook takes values from other files; what was stored at its last saving is read, and nothing is fetched")
        yield Notice.of(file, "links_ignored", said)
