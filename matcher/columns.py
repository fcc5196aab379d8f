"""Rows seen by column: which of them share a value, without looking at every row one by one where they are held by column."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Codes = NDArray[Any]
"""Integers of any width."""

_MOST = 2**62


@runtime_checkable
class ByColumn(Protocol):
    """A sequence of rows that is held by column, so that a column can be had without building the rows."""

    def codes(self, field: str) -> tuple[Ints, Sequence[Any]]:
        """(number of each row's value, the distinct values): `distinct[codes[i]] == rows[i].field`; every number occurs."""


def codes(rows: Sequence[Any], *fields: str) -> tuple[Ints, list[Any]]:
    """Number the distinct values of one field, or the distinct tuples of several, over all rows.

    Returns (code of each row, length N; the distinct values in order of first appearance, so codes[0] == 0).
    """
    if not fields:
        return np.zeros(len(rows), dtype=np.int64), [()] if len(rows) else []
    found = [_codes(rows, field) for field in fields]
    number, first = combined([code for code, _ in found], [len(distinct) for _, distinct in found])
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    columns = [[distinct[c] for c in code[first[order]].tolist()] for code, distinct in found]
    return place[number], columns[0] if len(fields) == 1 else list(zip(*columns, strict=True))


def combined(columns: Sequence[Codes], sizes: Sequence[int]) -> tuple[Ints, Ints]:
    """Number the combinations of codes that stand together in a row.

    columns: one or more arrays of N codes each; sizes: the codes of each are below it.
    Returns (number of each row's combination, in no particular order, length N; the first row that has it, for each number).
    """
    joint, size = columns[0], max(1, sizes[0])
    for other, width in zip(columns[1:], sizes[1:], strict=True):
        if size * width > _MOST:
            joint, size = dense(joint, size)
        joint = joint.astype(np.int64) * width + other
        size *= max(1, width)
    number, count = dense(joint, size)
    first = np.empty(count, dtype=np.int64)
    first[number[::-1]] = np.arange(len(number) - 1, -1, -1)  # of several rows the last one written stays: the first of all
    return number, first


def dense(code: Codes, size: int) -> tuple[Ints, int]:
    """The same codes, in the same order of size, without gaps: (numbers from 0, how many). size: all codes are below it."""
    if size <= 8 * len(code) + 1024:  # a table of all codes that there could be is cheaper than a sort
        used = np.zeros(size, dtype=bool)
        used[code] = True
        number = np.cumsum(used)
        return number[code] - 1, int(number[-1]) if size else 0
    distinct, number = np.unique(code, return_inverse=True)
    return number, len(distinct)


def _codes(rows: Sequence[Any], field: str) -> tuple[Codes, Sequence[Any]]:
    if isinstance(rows, ByColumn):
        return rows.codes(field)
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(getattr(row, field), len(numbers)) for row in rows]
    return np.array(index, dtype=np.int64), list(numbers)
