"""Rows seen by column: which of them share a value, without looking at every row one by one where they are held by column."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


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
    code, distinct = found[0]
    if len(fields) == 1:
        return _in_order(code, list(distinct))
    joint = code.astype(np.int64)
    for other, values in found[1:]:
        _, joint = np.unique(joint * len(values) + other, return_inverse=True)
    _, first = np.unique(joint, return_index=True)
    return _in_order(joint, [tuple(values[c[i]] for c, values in found) for i in first])


def _codes(rows: Sequence[Any], field: str) -> tuple[Ints, Sequence[Any]]:
    if isinstance(rows, ByColumn):
        return rows.codes(field)
    numbers: dict[Hashable, int] = {}
    index = [numbers.setdefault(getattr(row, field), len(numbers)) for row in rows]
    return np.array(index, dtype=np.int64), list(numbers)


def _in_order(code: Ints, distinct: list[Any]) -> tuple[Ints, list[Any]]:
    """The same numbering with numbers given in order of first appearance."""
    used, first = np.unique(code, return_index=True)
    order = np.argsort(first, kind="stable")
    number = np.empty(len(distinct), dtype=np.int64)
    number[used[order]] = np.arange(len(used))
    return number[code], [distinct[int(used[k])] for k in order]
