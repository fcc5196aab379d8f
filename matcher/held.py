"""Rows held by column: for each field its distinct values once, and for each row which of them it has.

A million rows as models would take several GB; held like this they take a tenth of it, and a row is built when it is asked for.
numpy is imported late: most of what imports the models has no arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from operator import eq
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pydantic import BaseModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

R = TypeVar("R", bound=BaseModel)
Column = tuple["NDArray[Any]", Sequence[Any]]
"""(code of each row, length N; value of each code). Values may stand there twice, or be no row's."""

_AT_ONCE = 4096


class HeldRows(Sequence[R], Generic[R]):
    """A sequence of frozen rows, like a tuple of them: equal to one of equal rows, with the same hash.

    Rows are built anew each time, so they are equal from one time to the next, but not the same object.
    """

    __slots__ = ("_columns", "_count", "model")

    def __init__(self, model: type[R], count: int, columns: Mapping[str, Column]) -> None:
        """columns: of every field of the model, values sound and of the right type: nothing is checked again."""
        self.model = model
        self._count = count
        self._columns = {field: columns[field] for field in model.model_fields}

    @classmethod
    def empty(cls, model: type[R]) -> HeldRows[R]:
        """No rows."""
        import numpy as np

        nothing: Column = np.zeros(0, dtype=np.uint8), ()
        return cls(model, 0, dict.fromkeys(model.model_fields, nothing))

    def column(self, field: str) -> Column:
        """A field as it is held. For numbers without gaps or repetition use `codes`."""
        return self._columns[field]

    def codes(self, field: str) -> tuple[NDArray[np.int64], Sequence[Any]]:
        """(number of each row's value, the distinct values, in order of first appearance): see `matcher.columns.ByColumn`."""
        import numpy as np

        code, values = self._columns[field]
        first = np.full(len(values), self._count, dtype=np.int64)
        first[code[::-1]] = np.arange(self._count - 1, -1, -1)  # of several rows the last one written stays: the first of all
        order = np.argsort(first, kind="stable")[: np.count_nonzero(first < self._count)]
        found = [values[c] for c in order.tolist()]
        number = np.empty(len(values), dtype=np.int64)
        number[order] = np.arange(len(found))
        if len(set(found)) < len(found):  # values may be equal though they were written otherwise (`1.5` and `1.50`)
            numbers: dict[Any, int] = {}
            number[order] = [numbers.setdefault(value, len(numbers)) for value in found]
            found = list(numbers)
        return number[code], found

    def take(self, rows: NDArray[Any] | slice) -> HeldRows[R]:
        """Some of the rows, in the order given. rows: their positions, or a flag for each row, or a slice."""
        columns = {field: (code[rows], values) for field, (code, values) in self._columns.items()}
        return HeldRows(self.model, len(next(iter(columns.values()))[0]), columns)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> HeldRows[R]: ...
    def __getitem__(self, index: int | slice) -> R | HeldRows[R]:
        if isinstance(index, slice):
            return self.take(index)
        row = range(self._count)[index]
        make: Callable[..., R] = _maker(self.model)
        return make(*[values[code.item(row)] for code, values in self._columns.values()])

    def __iter__(self) -> Iterator[R]:
        make = _maker(self.model)
        for start in range(0, self._count, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            yield from map(make, *[map(values.__getitem__, code[part].tolist()) for code, values in self._columns.values()])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, HeldRows | tuple):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"<{self._count} rows of {self.model.__name__}>"


@cache
def _maker(model: type[R]) -> Callable[..., R]:
    """A function that makes a row of the values of all fields, in their order. As `model_construct`, several times as fast."""
    names, given = tuple(model.model_fields), set(model.model_fields)
    new, put = model.__new__, object.__setattr__

    def make(*values: Any) -> R:
        row = new(model)
        put(row, "__dict__", dict(zip(names, values)))  # noqa: B905  (there are as many; checking costs time for every row)
        put(row, "__pydantic_fields_set__", given)  # shared: pydantic copies it before it changes one
        put(row, "__pydantic_extra__", None)
        put(row, "__pydantic_private__", None)
        return row

    return make
