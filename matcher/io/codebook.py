"""Columns of text as numbers: every distinct cell is kept, and later understood, once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

# FORMAT.md, the paragraph on text cells: what the writers put a quote before, so that no spreadsheet runs it.
_GUARDED = re.compile(r"'(?=[=+\-@'\t\r])")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")
Codes = NDArray[np.int32]

# Columns that name the same things are numbered together, so that a reference and what it names have one number.
SHARED: Final[Mapping[str, str]] = MappingProxyType(
    {"household_id": "household_id", "other_household_id": "household_id", "accommodation_id": "accommodation_id"}
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of cells, trimmed and without guard. codes: one a row. texts: by code; None for code 0, the empty cell."""

    codes: Codes
    texts: list[str | None]


class Codebook(dict[str, int]):
    """Numbers cells as they are written: `book[cell]` is the cell's number, a new one for a text that was not met before.

    guarded: cells may carry the quote that keeps spreadsheets from running them. texts: by number, trimmed and without that
    quote; None for number 0, the empty cell. no_text: numbers of cells with characters that are no text.
    """

    def __init__(self, guarded: bool) -> None:
        super().__init__({"": 0})
        self.texts: list[str | None] = [None]
        self.no_text: list[int] = []
        self._guarded = guarded
        self._written_otherwise: dict[str, int] = {}

    def __missing__(self, cell: str) -> int:
        if cell[0] != "'" and cell.isascii() and "\0" not in cell and cell == cell.strip():  # as nearly all are
            number = self[cell] = len(self.texts)
            self.texts.append(cell)
            return number
        text = clean(cell, self._guarded)
        if text == cell:
            number = self._new(text)
        elif clean(text, self._guarded) == text:
            number = self[text]
        else:  # such as `''=`: written like this, the text itself would be another one
            number = self._written_otherwise.get(text, -1)
            if number < 0:
                number = self._written_otherwise[text] = self._new(text)
        self[cell] = number
        return number

    def column(self, codes: Codes) -> Column:
        """A column of cells that this book has numbered."""
        return Column(codes, self.texts)

    def _new(self, text: str) -> int:
        number = len(self.texts)
        self.texts.append(text)
        if has_no_text(text):
            self.no_text.append(number)
        return number


class Codebooks:
    """The books of all files that are read together. guarded: as of Codebook."""

    def __init__(self, guarded: bool) -> None:
        self.guarded = guarded
        self._shared: dict[str, Codebook] = {}

    def book(self, column: str) -> Codebook:
        """The book for a column: a shared one for ids that several files have, else one of its own."""
        if column not in SHARED:
            return Codebook(self.guarded)
        return self._shared.setdefault(SHARED[column], Codebook(self.guarded))


def clean(cell: str, guarded: bool) -> str:
    """A cell without outer spaces and, where cells are guarded, without the guard."""
    cell = cell.strip()
    return cell[1:] if guarded and cell.startswith("'") and _GUARDED.match(cell) else cell


def has_no_text(text: str) -> bool:
    """Whether there is a character that is no text: NUL, or half a surrogate pair."""
    return (not text.isascii() or "\0" in text) and _NO_TEXT.search(text) is not None
