"""Rows held by column work like a tuple of rows, and numbers of their values are those of the rows themselves."""

from __future__ import annotations

import copy
import pickle
import random
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from matcher.columns import ByColumn, codes, combined, dense
from matcher.held import HeldRows
from matcher.model import Instance, Member, Place, Tie


def held(rows: tuple[Any, ...], rng: random.Random) -> HeldRows[Any]:
    """The same rows by column: values in any order, some of them twice or no row's."""
    model = type(rows[0])
    columns = {}
    for field in model.model_fields:
        values = [getattr(row, field) for row in rows]
        places = list(range(len(rows)))
        rng.shuffle(places)
        table: list[Any] = ["nobody's"] * (len(rows) + 2)
        for place, value in zip(places, values, strict=True):
            table[place] = value
        columns[field] = (np.array(places, dtype=np.uint8), table)
    return HeldRows(model, len(rows), columns)


def ties(count: int, rng: random.Random) -> tuple[Tie, ...]:
    weights = [Decimal("1.5"), Decimal("1.50"), Decimal(2)]
    names = [f"H{number}" for number in range(4)]
    return tuple(
        Tie(household_id=rng.choice(names), other_household_id=rng.choice([None, *names]), weight=rng.choice(weights), required=i % 2 == 0)
        for i in range(count)
    )


@pytest.fixture(params=range(5))
def both(request: pytest.FixtureRequest) -> tuple[tuple[Tie, ...], HeldRows[Tie]]:
    rng = random.Random(request.param)
    rows = ties(rng.randrange(1, 40), rng)
    return rows, held(rows, rng)


def test_like_a_tuple(both: tuple[tuple[Tie, ...], HeldRows[Tie]]) -> None:
    rows, by_column = both
    assert by_column == rows and rows == by_column and by_column == by_column.take(slice(None)) and hash(by_column) == hash(rows)
    assert len(by_column) == len(rows) and list(by_column) == list(rows) and list(reversed(by_column)) == list(reversed(rows))
    assert [by_column[i] for i in range(-len(rows), len(rows))] == [rows[i] for i in range(-len(rows), len(rows))]
    for part in (slice(1, None, 2), slice(None, None, -1), slice(3, 1), slice(-2, None)):
        assert by_column[part] == rows[part]
    assert rows[-1] in by_column and by_column.index(rows[-1]) == rows.index(rows[-1])
    assert by_column != rows[:-1] and by_column != list(rows) and by_column != (*rows[:-1], rows[-1].model_copy(update={"agreed": True}))
    with pytest.raises(IndexError):
        by_column[len(rows)]


def test_the_numbers_of_the_rows(both: tuple[tuple[Tie, ...], HeldRows[Tie]]) -> None:
    rows, by_column = both
    assert isinstance(by_column, ByColumn) and not isinstance(rows, ByColumn)
    for fields in ([name] for name in Tie.model_fields):
        number, distinct = codes(by_column, *fields)
        assert [distinct[i] for i in number.tolist()] == [getattr(row, fields[0]) for row in rows]
    for fields in (["weight"], ["household_id", "other_household_id"], ["required", "weight", "household_id"], []):
        one, other = codes(by_column, *fields), codes(rows, *fields)
        assert one[0].tolist() == other[0].tolist() and repr(one[1]) == repr(other[1])
        assert len(set(one[1])) == len(one[1]) and sorted(set(one[0].tolist())) == list(range(len(one[1])))


def test_copies(both: tuple[tuple[Tie, ...], HeldRows[Tie]]) -> None:
    rows, by_column = both
    assert pickle.loads(pickle.dumps(by_column)) == rows and copy.deepcopy(by_column) == rows
    row = by_column[0]
    changed = row.model_copy(update={"agreed": not row.agreed})
    assert changed != row and by_column[0] == rows[0] and pickle.loads(pickle.dumps(row)) == row
    with pytest.raises(ValidationError, match="frozen"):
        row.agreed = True  # type: ignore[misc]


def test_an_instance_takes_either(both: tuple[tuple[Tie, ...], HeldRows[Tie]]) -> None:
    rows, by_column = both
    plain, lazy = (Instance(households=(), accommodations=(), ties=of) for of in (rows, by_column))
    assert lazy.ties is by_column and plain == lazy and lazy == plain and hash(plain) == hash(lazy)
    assert lazy.model_dump() == plain.model_dump() and lazy.model_dump_json() == plain.model_dump_json()
    assert pickle.loads(pickle.dumps(lazy)) == plain and lazy.model_copy(update={"ties": ()}) == Instance(households=(), accommodations=())


def test_an_instance_takes_no_other_rows(both: tuple[tuple[Tie, ...], HeldRows[Tie]]) -> None:
    for wrong in (list(both[0]), both[1], ({"member_id": "M"},)):
        with pytest.raises(ValidationError):
            Instance(households=(), accommodations=(), members=wrong)  # type: ignore[arg-type]


def test_no_rows() -> None:
    nothing = HeldRows.empty(Member)
    assert nothing == () and list(nothing) == [] and nothing[1:] == () and hash(nothing) == hash(())
    assert codes(nothing, "age")[1] == [] and codes(nothing, "age", "sex")[0].tolist() == []
    assert HeldRows.empty(Place) == nothing


@pytest.mark.parametrize("seed", range(20))
def test_combinations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 60))
    sizes = rng.choice([1, 3, 40, 10**6, 2**40, 2**55], int(rng.integers(1, 5))).tolist()
    pool = [rng.integers(0, size, 3) for size in sizes]
    columns = [values[rng.integers(0, 3, count)] for values in pool]
    number, first = combined(columns, sizes)
    rows = list(zip(*(column.tolist() for column in columns), strict=True))
    assert [rows[first[k]] for k in number.tolist()] == rows and len(set(rows)) == len(first)
    assert all(rows.index(rows[row]) == row for row in first.tolist())


@pytest.mark.parametrize("size", [5, 10**12])
def test_without_gaps(size: int) -> None:
    code = np.array([4, 1, 4, 3]) * (size // 5)
    number, count = dense(code, size)
    assert number.tolist() == [2, 0, 2, 1] and count == 3
