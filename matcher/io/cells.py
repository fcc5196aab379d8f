"""From the text of one cell to a value. Each parser takes trimmed, non-empty text and raises CellError.

Python's own `int`, `float` and `date.fromisoformat` are kinder than the format (`1_000`, `٣`, `1e3`, `inf`, `20261122`), so
the shape is checked before they are asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

W = TypeVar("W", bound=str)

_WHOLE = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_SEPARATORS = re.compile(r"[\s;]+")
_YES = frozenset({"yes", "true", "1"})
_NO = frozenset({"no", "false", "0"})
# No number of the format needs more; longer ones would only be slow to work with.
_LONGEST = 30


class CellError(Exception):
    """A cell that cannot be understood. code: as in codes.py."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def shown(text: str) -> str:
    """A cell's own text for a message: on one line, not long."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def whole(lowest: int, highest: int) -> Callable[[str], int]:
    """Parser of whole numbers from lowest to highest, in plain ASCII digits: `3`, not `3.0`, `+3` or `1_000`."""

    def parse(text: str) -> int:
        if not _WHOLE.fullmatch(text):
            raise CellError("not_a_whole_number", f"{shown(text)} is not a whole number in plain digits")
        if len(text) > _LONGEST or not lowest <= int(text) <= highest:
            raise CellError("out_of_range", f"{shown(text)} is not within {lowest} to {highest}")
        return int(text)

    return parse


# What no real row exceeds; beyond it costs could not be counted exactly.
MOST_KM = 100_000
MOST_MINUTES = 10_000_000
MOST_MONEY = 1_000_000_000
MOST_WEIGHT = 1_000_000


def number(lowest: int, highest: int | None, *, decimal_comma: bool) -> Callable[[str], Decimal]:
    """Parser of decimal numbers, kept exactly as written. decimal_comma: `1,5` is read as `1.5`."""

    def parse(text: str) -> Decimal:
        plain = text.replace(",", ".") if decimal_comma and "." not in text else text
        if not _DECIMAL.fullmatch(plain):
            raise CellError("not_a_number", f"{shown(text)} is not a number in plain digits with a decimal point")
        value = Decimal(plain) if len(text) <= _LONGEST else None
        if value is None or value < lowest or (highest is not None and value > highest):
            raise CellError("out_of_range", f"{shown(text)} is not " + _range(lowest, highest))
        return value.copy_abs() if value == 0 else value  # no negative zero

    return parse


def _range(lowest: int, highest: int | None) -> str:
    return f"{lowest} or more" if highest is None else f"within {lowest} to {highest}"


def yes_no(text: str) -> bool:
    """`yes` `true` `1`, or `no` `false` `0`, in any case."""
    lower = text.casefold()
    if lower in _YES:
        return True
    if lower in _NO:
        return False
    raise CellError("not_yes_no", f"{shown(text)} is none of yes, no, true, false, 1, 0")


def iso_date(text: str) -> date:
    """A date of the calendar, as `2026-11-22`."""
    if not _DATE.fullmatch(text):
        raise CellError("not_a_date", f"{shown(text)} is not a date like 2026-11-22")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CellError("not_a_date", f"there is no day {text} in the calendar") from error


def word(choices: Sequence[W]) -> Callable[[str], W]:
    """Parser of one word out of choices, in any case."""
    known = {choice.casefold(): choice for choice in choices}

    def parse(text: str) -> W:
        found = known.get(text.casefold())
        if found is None:
            raise CellError("unknown_word", f"{shown(text)} is none of {', '.join(choices)}")
        return found

    return parse


def items(text: str) -> list[str]:
    """The items of a list, separated by spaces or `;`. A comma is not one: `dog,cat` would be a word that nothing matches."""
    if "," in text:
        raise CellError("bad_list", "separate the items of a list by spaces or `;`, not by commas")
    return [item for item in _SEPARATORS.split(text) if item]


def words(text: str) -> frozenset[str]:
    """A list of any words, compared without case."""
    return frozenset(items(text.casefold()))


def coded(choices: Sequence[W]) -> Callable[[str], frozenset[W]]:
    """Parser of a list of words out of choices."""
    parse = word(choices)
    return lambda text: frozenset(parse(item) for item in items(text))


def languages(text: str) -> frozenset[str]:
    """A list of ISO 639-1 codes: two letters each."""
    found = words(text)
    for item in sorted(found):
        if not _LANGUAGE.fullmatch(item):
            raise CellError("not_a_language", f"{shown(item)} is not a language code of two letters, like uk or en")
    return found


_beds = whole(1, 100_000)


def rooms(text: str) -> tuple[int, ...]:
    """Beds of each room, ascending: `2 2 4`."""
    return tuple(sorted(_beds(item) for item in items(text)))
