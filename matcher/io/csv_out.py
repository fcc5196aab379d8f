"""Writing CSV so that reading it gives the same text back, and so that no spreadsheet runs a cell."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

Cell = str | int | float | Decimal | date | bool | None

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "'", "\t", "\r")
_QUOTED = frozenset(',;"\n\r')


def write_rows(path: Path, header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> None:
    """Write a CSV file: UTF-8 without BOM, `,`, LF, quotes as in RFC 4180."""
    path.write_bytes(rows_text(header, rows).encode("utf-8"))


def rows_text(header: Iterable[str], rows: Iterable[Iterable[Cell]]) -> str:
    """The text of a CSV file. Text cells that a spreadsheet would run get a leading `'`; numbers stay as they are."""
    lines = [header, *rows]
    return "".join(",".join(map(field, line)) + "\n" for line in lines)


def field(cell: Cell) -> str:
    """A cell as it stands in a CSV file."""
    text = _text(cell)
    if not _QUOTED.isdisjoint(text) or text != text.strip():
        return '"' + text.replace('"', '""') + '"'
    return text


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return "'" + cell if cell.startswith(_RUN_BY_SPREADSHEETS) else cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):
        return format(Decimal(repr(cell)), "f")
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)
