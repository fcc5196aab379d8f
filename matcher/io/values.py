"""Typed values, as workbooks, Parquet files and data frames have them, as the text that a CSV file would have."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

SPOILT: Final[Mapping[str, str]] = {
    "error_value": "the cell shows an error instead of a value (such as #N/A): mend its formula, or type the value",
    "formula_without_value": "the formula in this cell has no stored value: open the workbook in a spreadsheet program and save it again",
    "number_too_long": "spreadsheets keep 15 digits of a number and lose the rest: format the column as text and enter it again",
    "not_text": "the bytes in this cell are not UTF-8 text: write the column as text",
    "not_a_value": "a cell holds text, a number, yes or no, a date, or, where the column is a list, several words; not what is here",
}
"""Why nothing can be made of a cell, by code."""
MARK: Final = "!"
"""Stands in a spoilt cell, so that a row with nothing else in it is still a row."""


class SpoiltCell(Exception):
    """A value that no cell can hold. code: of `SPOILT`."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def texts(
    values: Iterable[object],
    as_text: Callable[[object], str],
    *,
    lists: bool,
    first: int,
    position: int,
    spoilt: dict[tuple[int, int], str],
) -> list[str]:
    """The texts of a column's cells. lists: whether a cell may hold several words. first: line of the first one.

    spoilt: takes in (line, position) and code of those that cannot be read; the mark stands in their place.
    """
    found = []
    for line, value in enumerate(values, start=first):
        if type(value) is str:
            found.append(value)
            continue
        try:
            if not lists and _is_list(value):
                raise SpoiltCell("not_a_value")
            found.append(as_text(value))
        except SpoiltCell as error:
            spoilt[line, position] = error.code
            found.append(MARK)
    return found


def _is_list(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, str | bytes)


def plain_text(value: object) -> str:
    """What a cell would be in a CSV file. Nothing is the empty cell, and text stays as it is. Raises SpoiltCell."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise SpoiltCell("not_text") from None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return float_text(repr(value), value)
    if isinstance(value, Decimal):
        return "" if value.is_nan() else format(value, "f")
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds() / 3600:g} h"
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, set | frozenset):
        return " ".join(sorted(words(value, plain_text)))
    if isinstance(value, list | tuple):
        return " ".join(words(value, plain_text))
    raise SpoiltCell("not_a_value")


def words(items: Iterable[object], as_text: Callable[[object], str]) -> list[str]:
    """The words of a list. Raises SpoiltCell: a list within it has no meaning."""
    held = list(items)
    if any(map(_is_list, held)):
        raise SpoiltCell("not_a_value")
    return [as_text(item) for item in held]


def float_text(shortest: str, value: float) -> str:
    """Plain digits: whole numbers with gaps come as floats, so 3.0 is `3`. shortest: digits that tell the float apart."""
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return shortest
    return str(int(value)) if value.is_integer() else format(Decimal(shortest), "f")
