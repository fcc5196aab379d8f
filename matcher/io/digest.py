"""The canonical order of rows and the sum over all of them, the same for the same content however it was written.

A row stands there as a line of JSON: fields by name, sets sorted, numbers without trailing zeros (`1.50` and `1.5` are one number).
Lines are put together from the texts of distinct values, each written once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from json.encoder import encode_basestring_ascii
from operator import ne
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from matcher.columns import Ints, dense
from matcher.held import HeldRows

_AT_ONCE = 4096
_MOST = 2**62


def canonical(sheets: Mapping[str, HeldRows[Any]], others: Iterable[str]) -> tuple[dict[str, HeldRows[Any]], str]:
    """The rows of each sheet sorted by their lines, and the SHA-256 over all lines, sorted, as hexadecimal digits.

    A sheet's lines begin with its name. others: further lines, whose first word is no sheet's name.
    """
    blocks: dict[str, list[str]] = {f"{name} ": [] for name in sheets}
    for line in sorted(others):
        blocks.setdefault(line.split()[0] + " ", []).append(line + "\n")
    ordered: dict[str, HeldRows[Any]] = {}
    digest = hashlib.sha256()
    for start, of_block in sorted(blocks.items()):
        texts: Iterable[str] = of_block
        name = start.strip()
        if name in sheets:
            lines = _Lines(start, sheets[name])
            ordered[name] = sheets[name].take(lines.order)
            texts = lines.texts()
        for text in texts:
            digest.update(text.encode())
    return ordered, digest.hexdigest()


def sorted_by(rows: HeldRows[Any], *fields: str) -> HeldRows[Any]:
    """Rows by one text field, or by several in turn."""
    keys = []
    for field in fields:
        code, values = _used(*rows.column(field))
        keys.append(_ranks(values)[0][code])
    return rows.take(np.lexsort(keys[::-1]))


class _Lines:
    """The rows of a sheet as lines. order: positions of the rows, sorted by their lines."""

    def __init__(self, start: str, rows: HeldRows[Any]) -> None:
        fields = sorted(rows.model.model_fields)
        self._columns: list[tuple[NDArray[Any], list[str]]] = []
        for field in fields:
            before = f'{start}{{"{field}":' if field == fields[0] else f'"{field}":'
            self._columns.append(_pieces(*rows.column(field), before, "}\n" if field == fields[-1] else ","))
        self.order = self._sorted(len(rows))

    def texts(self) -> Iterator[str]:
        """All lines in order, many at a time."""
        for begin in range(0, len(self.order), _AT_ONCE):
            rows = self.order[begin : begin + _AT_ONCE]
            columns = [map(pieces.__getitem__, code[rows].tolist()) for code, pieces in self._columns]
            yield "".join(chain.from_iterable(zip(*columns, strict=True)))

    def _sorted(self, count: int) -> Ints:
        """No piece is the beginning of another one of its column, so that the order of lines is the order of their pieces."""
        place, size = np.zeros(count, dtype=np.int64), 1
        for code, pieces in self._columns:
            if size > _MOST // max(1, len(pieces)):
                place, size = dense(place, size)
            rank, distinct = _ranks(pieces)
            place = place * distinct + rank[code]
            size *= distinct
            if distinct == count:
                break  # no two rows are alike any more
        return np.argsort(place, kind="stable")


def _pieces(code: NDArray[Any], values: Sequence[Any], before: str, after: str) -> tuple[NDArray[Any], list[str]]:
    """A column as texts, with what stands before and behind it in a line."""
    code, values = _used(code, values)
    return code, [before + _json(value) + after for value in values]


def _used(code: NDArray[Any], values: Sequence[Any]) -> tuple[NDArray[Any], list[Any]]:
    """A column without the values that no row has."""
    used = np.flatnonzero(np.bincount(code, minlength=len(values)))
    number = np.zeros(len(values), dtype=np.int32)
    number[used] = np.arange(len(used), dtype=np.int32)
    return number[code], [values[c] for c in used.tolist()]


def _ranks(texts: Sequence[str]) -> tuple[Ints, int]:
    """(place of each text among the distinct ones, sorted; how many these are, at least 1)."""
    order = sorted(range(len(texts)), key=texts.__getitem__)
    in_order = [texts[position] for position in order]
    rank = np.zeros(len(texts), dtype=np.int64)
    rank[order[1:]] = np.cumsum(np.fromiter(map(ne, in_order, in_order[1:]), bool, max(0, len(texts) - 1)))
    return rank, int(rank.max(initial=0)) + 1


def canonical_text(value: object) -> str:
    """A value of a row, or a whole row, as it stands in the lines that an instance's sum is taken over."""
    return _json(value)


def _json(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return json.dumps(_plain(value), separators=(",", ":"), sort_keys=True)


def _plain_decimal(value: Decimal) -> str:
    """Exact plain digits: no exponent, no trailing zeros. `Decimal.normalize` would round long numbers."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, BaseModel):
        return {name: _plain(part) for name, part in value.__dict__.items()}
    if isinstance(value, Decimal):
        return _plain_decimal(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a row holds a {type(value).__name__}, which has no canonical form")
