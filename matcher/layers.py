"""The tables that a `Problem` is made of, and how they are built from functions on classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault, InputError
from matcher.lookup import classes

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Lean = NDArray[np.int64] | NDArray[np.int32] | NDArray[np.int8]
Classes = tuple[Ints, Sequence[Any]]
LARGEST = 1 << 45
MOST_32 = np.iinfo(np.int32).max


@dataclass(frozen=True)
class Table:
    """value[row[h], column[a]] for household h at offer a: cost units of a term, or 1/0 for a rule that holds or not.

    value: in 8 bits for a rule, else in 32 bits where all values fit, for the sake of memory; `block` and `pairs` give 64.
    """

    name: str
    row: Ints
    column: Ints
    value: Lean

    def block(self, households: Ints, offers: Ints) -> Ints:
        """Values for all pairs of `households` and `offers`, shape (len(households), len(offers))."""
        return self.value[self.row[households][:, None], self.column[offers][None, :]].astype(np.int64, copy=False)

    def pairs(self, households: Ints, offers: Ints) -> Ints:
        """Values for `households[i]` at `offers[i]`, of the same length as both."""
        return self.value[self.row[households], self.column[offers]].astype(np.int64, copy=False)


@dataclass(frozen=True)
class Exceptions:
    """Values for single pairs: household h has the row `row[h]` (-1: value `neutral` everywhere); row k has `default[k]`
    everywhere but at `offers[start[k]:start[k+1]]`, where it has `value` at the same positions."""

    name: str
    row: Ints
    default: Ints
    start: Ints
    offers: Ints
    value: Ints
    neutral: int

    def block(self, households: Ints, offers: Ints) -> Ints:
        """Values for all pairs of `households` and `offers`, shape (len(households), len(offers))."""
        out = np.full((len(households), len(offers)), self.neutral, dtype=np.int64)
        concerned = np.flatnonzero(self.row[households] >= 0)
        if not len(concerned) or not len(offers):
            return out
        place = np.full(max(int(offers.max()), int(self.offers.max(initial=0))) + 1, -1, dtype=np.int64)
        place[offers] = np.arange(len(offers))
        for i in concerned:
            k = self.row[households[i]]
            out[i] = self.default[k]
            single = slice(self.start[k], self.start[k + 1])
            where = place[self.offers[single]]
            out[i, where[where >= 0]] = self.value[single][where >= 0]
        return out

    def pairs(self, households: Ints, offers: Ints) -> Ints:
        """Values for `households[i]` at `offers[i]`, of the same length as both."""
        out = np.full(len(households), self.neutral, dtype=np.int64)
        concerned = np.flatnonzero(self.row[households] >= 0)
        if not len(concerned):
            return out
        row = self.row[households[concerned]]
        size = 1 + max(int(self.offers.max(initial=0)), int(offers.max()))
        known = np.repeat(np.arange(len(self.default)), np.diff(self.start)) * size + self.offers
        order = np.argsort(known)
        wanted = row * size + offers[concerned]
        found = self.default[row]
        if len(known):
            at = order[np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)]
            found = np.where(known[at] == wanted, self.value[at], found)
        out[concerned] = found
        return out


Layer = Table | Exceptions


def table(name: str, rows: Classes, columns: Classes, value: Callable[[Any, Any], int]) -> Table:
    """Tabulate a term over classes of households and classes of offers (number of each position's class, the classes)."""
    (row, row_keys), (column, column_keys) = rows, columns
    return table_of_rows(name, row, column, ([value(h, a) for a in column_keys] for h in row_keys), (len(row_keys), len(column_keys)))


def table_of_rows(name: str, row: Ints, column: Ints, values: Iterable[Sequence[int] | Ints], shape: tuple[int, int]) -> Table:
    """The table of a term whose rows come as `values`, one after the other, so that they are never held in 64 bits together.

    Raises InputError where a value is beyond LARGEST.
    """
    out: Lean = np.empty(shape, dtype=np.int32)
    for k, found in enumerate(values):
        if not shape[1]:
            break
        most = max(abs(int(np.min(found))), abs(int(np.max(found))))
        if most > LARGEST:
            raise too_large(name)
        if most > MOST_32 and out.dtype != np.int64:
            out = out.astype(np.int64)
        out[k] = found
    return Table(name, row, column, out)


def rule_table(name: str, row: Ints, column: Ints, values: Iterable[Sequence[bool] | Bools], shape: tuple[int, int]) -> Table:
    """The table of a rule whose rows come as `values`."""
    out = np.empty(shape, dtype=np.int8)
    for k, found in enumerate(values):
        out[k] = found
    return Table(name, row, column, out)


def too_large(name: str) -> InputError:
    """The error for costs that could not be added exactly."""
    return InputError([Fault("policy.toml", 0, name, "numbers_too_large", f"the weights make the costs of `{name}` too large")])


def exceptions(name: str, count: int, rows: Mapping[int, tuple[int, Mapping[int, int]]], neutral: int) -> Exceptions:
    """rows: (default, {offer: value}) of the households, out of `count`, that have any; equal rows are stored once."""
    keys = {h: (default, tuple(sorted(values.items()))) for h, (default, values) in sorted(rows.items())}
    index, distinct = classes(keys.values())
    if any(abs(v) > LARGEST for default, pairs in distinct for v in (default, *(v for _, v in pairs))):
        raise too_large(name)
    row = np.full(count, -1, dtype=np.int64)
    row[list(keys)] = index
    start = np.cumsum([0] + [len(items) for _, items in distinct], dtype=np.int64)
    pairs = [pair for _, items in distinct for pair in items]
    return Exceptions(
        name=name,
        row=row,
        default=np.array([default for default, _ in distinct], dtype=np.int64),
        start=start,
        offers=np.array([a for a, _ in pairs], dtype=np.int64),
        value=np.array([v for _, v in pairs], dtype=np.int64),
        neutral=neutral,
    )
