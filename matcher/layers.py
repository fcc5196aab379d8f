"""The tables that a `Problem` is made of, and how they are built from functions on classes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from matcher.errors import Fault, InputError

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
LARGEST = 1 << 45
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class Table:
    """value[row[h], column[a]] for household h at offer a: cost units of a term, or 1/0 for a rule that holds or not."""

    name: str
    row: Ints
    column: Ints
    value: Ints

    def block(self, households: Ints, offers: Ints) -> Ints:
        """Values for all pairs of `households` and `offers`, shape (len(households), len(offers))."""
        return self.value[self.row[households][:, None], self.column[offers][None, :]]


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
        place = {int(a): j for j, a in enumerate(offers)}
        for i in np.flatnonzero(self.row[households] >= 0):
            k = self.row[households[i]]
            out[i] = self.default[k]
            for t in range(self.start[k], self.start[k + 1]):
                j = place.get(int(self.offers[t]))
                if j is not None:
                    out[i, j] = self.value[t]
        return out


Layer = Table | Exceptions


def classes(keys: Iterable[Key]) -> tuple[Ints, list[Key]]:
    """Number the distinct keys in order of appearance: (number of each, the distinct keys)."""
    numbers: dict[Key, int] = {}
    index = [numbers.setdefault(key, len(numbers)) for key in keys]
    return np.array(index, dtype=np.int64), list(numbers)


def table(
    name: str,
    household_keys: Iterable[Hashable],
    offer_keys: Iterable[Hashable] | tuple[Ints, Sequence[Any]],
    value: Callable[[Any, Any], int],
) -> Table:
    """Tabulate `value` over the distinct keys of households and of offers (given as keys, or as (column, distinct keys))."""
    row, row_keys = classes(household_keys)
    column, column_keys = offer_keys if isinstance(offer_keys, tuple) else classes(offer_keys)
    rows = [[value(h, a) for a in column_keys] for h in row_keys]
    if any(abs(v) > LARGEST for values in rows for v in values):
        raise InputError([Fault("policy.toml", 0, name, "numbers_too_large", f"the weights make the costs of `{name}` too large")])
    values = np.array(rows, dtype=np.int64)
    return Table(name, row, column, values.reshape(len(row_keys), len(column_keys)))


def exceptions(name: str, rows: Sequence[tuple[int, dict[int, int]] | None], neutral: int) -> Exceptions:
    """rows: for each household None, or (default, {offer: value}); equal rows are stored once."""
    if any(abs(v) > LARGEST for row in rows if row is not None for v in (row[0], *row[1].values())):
        raise InputError([Fault("policy.toml", 0, name, "numbers_too_large", f"the weights make the costs of `{name}` too large")])
    keys = [None if row is None else (row[0], tuple(sorted(row[1].items()))) for row in rows]
    index, distinct = classes(key for key in keys if key is not None)
    row = np.full(len(rows), -1, dtype=np.int64)
    row[[i for i, key in enumerate(keys) if key is not None]] = index
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
