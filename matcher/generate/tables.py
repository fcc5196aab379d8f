"""Columns of text and the files they are written to."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Cells: TypeAlias = NDArray[np.object_]
Flags: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.int64]
Rng: TypeAlias = np.random.Generator


def ids(letter: str, count: int) -> Cells:
    """`H0001` … : a letter and as many digits as the last one needs, four at least."""
    width = max(4, len(str(count)))
    return cells([f"{letter}{number:0{width}d}" for number in range(1, count + 1)])


def cells(texts: Sequence[str]) -> Cells:
    """A column of Python strings."""
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


def blank(count: int) -> Cells:
    """A column of empty cells."""
    return cells([""] * count)


def drawn(rng: Rng, shares: Mapping[str, float], count: int) -> Cells:
    """One word a row, each with its share; what is left to 1 goes to the first word."""
    share = np.array(list(shares.values()), dtype=float)
    share[0] += 1.0 - share.sum()
    return cells(list(shares))[rng.choice(len(share), count, p=share)]


def some(rng: Rng, share: float, count: int, *, among: Flags | None = None) -> Flags:
    """About `share` of the rows (of those among); at least one where half a one is due, so that small instances show it too."""
    chosen = np.asarray(rng.random(count) < share)
    if among is not None:
        chosen &= among
    eligible = np.arange(count) if among is None else np.flatnonzero(among)
    if not chosen.any() and share * len(eligible) >= 0.5:
        chosen[rng.choice(eligible)] = True
    return chosen


def only(where: Flags, column: Cells) -> Cells:
    """The column where `where` holds, else empty."""
    return np.where(where, column, "").astype(object)


def numbers(values: NDArray[Any]) -> Cells:
    """Numbers as their text; every distinct value is turned into text once."""
    distinct, position = np.unique(values, return_inverse=True)
    return cells([str(value) for value in distinct.tolist()])[position]


def days(first: dt.date, offsets: Ints) -> Cells:
    """ISO dates, `offsets` days after `first`."""
    distinct, position = np.unique(offsets, return_inverse=True)
    return cells([(first + dt.timedelta(days=offset)).isoformat() for offset in distinct.tolist()])[position]


def word_lists(flags: Mapping[str, Flags], count: int) -> Cells:
    """Lists such as `step_free ground_floor` from one column of flags a word."""
    code = np.zeros(count, dtype=np.int64)
    for bit, flag in enumerate(flags.values()):
        code |= flag.astype(np.int64) << bit
    words = list(flags)
    distinct, position = np.unique(code, return_inverse=True)
    return cells([" ".join(word for bit, word in enumerate(words) if value >> bit & 1) for value in distinct.tolist()])[position]


def write_table(path: Path, columns: Mapping[str, Cells]) -> None:
    """Write one CSV file: UTF-8, commas, line feeds."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
