"""Writing workbooks: typed cells, a frozen header, filters, widths. Data is never written as a formula or as a link."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from matcher.errors import UsageError
from matcher.io.extras import library

Kind = Literal["text", "whole", "number"]
MOST_ROWS: Final = 300_000
_LONGEST_CELL = 32_767
_WIDEST, _NARROWEST = 60, 8
_ROWS_MEASURED = 2_000
# The file's own date would make the same rows other bytes from day to day.
CREATED: Final = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
OPTIONS: Final = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. kinds: of each column; decimals: of columns that are numbers, by name, else as they are; rows: cells of the
    column's kind, None for none. headings: rows, by position from 0, that are written bold."""

    name: str
    columns: Sequence[str]
    kinds: Sequence[Kind]
    rows: Sequence[Sequence[Any]]
    decimals: Mapping[str, int] = field(default_factory=dict)
    headings: frozenset[int] = frozenset()


def workbook_bytes(sheets: Iterable[Sheet], title: str) -> bytes:
    """A workbook, the same bytes for the same sheets. Raises UsageError where a sheet has more rows than a workbook should."""
    writer = library("xlsxwriter", "xlsx")
    buffer = io.BytesIO()
    with writer.Workbook(buffer, OPTIONS) as book:
        book.set_properties({"title": title, "created": CREATED})
        for sheet in sheets:
            if len(sheet.rows) > MOST_ROWS:
                raise UsageError(f"{len(sheet.rows):,} rows of {sheet.name} are too many for a workbook: use --parquet, or the CSV files")
            _write(book, sheet)
    return buffer.getvalue()


def _write(book: Any, sheet: Sheet) -> None:
    page = book.add_worksheet(sheet.name)
    head = book.add_format({"bold": True, "bg_color": "#DCE6F1", "text_wrap": True, "valign": "top", "border": 1})
    bold = book.add_format({"bold": True})
    for position, name in enumerate(sheet.columns):
        page.write_string(0, position, name, head)
    for position, (name, kind) in enumerate(zip(sheet.columns, sheet.kinds, strict=True)):
        cells = [row[position] for row in sheet.rows]
        form = None if kind == "text" else book.add_format({"num_format": _number_format(kind, sheet.decimals.get(name))})
        page.set_column(position, position, _width(name, cells), form)
        write = page.write_string if kind == "text" else page.write_number
        for row, cell in enumerate(cells):
            if cell is not None and cell != "":
                write(row + 1, position, clipped(cell) if kind == "text" else cell, bold if row in sheet.headings else form)
    page.freeze_panes(1, 0)
    if sheet.rows:
        page.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)


def clipped(text: str) -> str:
    """A text as long as a cell may be."""
    return text if len(text) <= _LONGEST_CELL else text[: _LONGEST_CELL - 1] + "…"


def _number_format(kind: Kind, decimals: int | None) -> str:
    if kind == "whole":
        return "0"
    return "General" if decimals is None else "0." + "0" * decimals


def _width(name: str, cells: Sequence[Any]) -> int:
    longest = max((len(str(cell)) for cell in cells[:_ROWS_MEASURED] if cell is not None), default=0)
    return max(_NARROWEST, min(_WIDEST, max(longest, len(name)) + 2))
