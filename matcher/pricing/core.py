"""A `Problem` as flat arrays, for compiled kernels.

Every party becomes one row of each table (the rows of its members added up, rules joined), so that the kernels know single
households only. Tables whose columns follow the offer's place are kept apart from the others: what they add up to for a
party is one vector over places. Small tables are merged into fewer, larger ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matcher.layers import MOST_32, Exceptions, Ints, Lean, Table
from matcher.parts import Parties
from matcher.pricing.uses import Uses, make_uses
from matcher.problem import Problem

BIG = 1 << 58
"""Added where a rule is broken; no sum of costs reaches half of it (`bounds` sees to that), and no sum of MOST_RULES of these overflows."""
CLOSED_32, CLOSED_64 = -(1 << 31), -(1 << 62)
"""Stand for BIG in tables over places, which are kept in 32 bits where all costs fit; no cost is as low."""
MOST_RULES = 30
MOST_ENTRIES = 1 << 18
AT_ONCE = 1 << 22
"""Entries of a table that are looked at together."""

Numbers = NDArray[np.int64]


class Core(NamedTuple):
    """Q parties, A offers, P places. Costs are Σ weights·cost by stage, in whole units.

    place: place of each offer, length A. at_place, rows of [P] values: `place_row[q, t]` is a row or -1 (all zero). closed: stands for
    BIG there.
    value: merged tables laid flat; table t has its entry of party q and offer a at `row[q, t] + column[a, t]`.
    special: exceptions of party q at positions start[q]:start[q+1] of `special_offer` (ascending), with what they add; elsewhere
    `usual[q]`, something else, is added. out: cost of leaving a party out, BIG where it must be placed.
    open: offers that somebody may have. uses: what each pair takes.
    """

    place: Numbers
    at_place: Lean
    closed: int
    place_row: Numbers
    value: Numbers
    row: Numbers
    column: Numbers
    special_start: Numbers
    special_offer: Numbers
    special_add: Numbers
    usual: Numbers
    out: Numbers
    open: NDArray[np.bool_]
    uses: Uses

    @property
    def parties(self) -> int:
        """Q."""
        return len(self.out)

    @property
    def offers(self) -> int:
        """A."""
        return len(self.place)


class Wide(NamedTuple):
    """A table with a row for every party. column: of each offer, or of each place. value: costs; of a rule, BIG where it is broken (over
    places, -1 in 8 bits) and else 0."""

    row: Ints
    column: Ints
    value: Lean
    rule: bool


def make_core(problem: Problem, weights: Sequence[int]) -> tuple[Core, list[Wide]]:
    """The arrays of a problem, with the costs of its stages added up by `weights` (0: that stage's costs do not count).

    Returns the core and the tables over offers before they were merged.
    """
    assert len(problem.rules) <= MOST_RULES, "so many broken rules would overflow"
    places = int(problem.place.max(initial=-1)) + 1
    tables: list[Wide] = []
    for layer in problem.rules:
        if isinstance(layer, Table):
            tables.append(_of_parties(problem, layer, -(layer.value <= 0).astype(np.int8), rule=True))
    for layer, stage in zip(problem.terms, problem.term_stage, strict=True):
        if isinstance(layer, Table) and weights[stage]:
            value = layer.value if weights[stage] == 1 else layer.value.astype(np.int64) * int(weights[stage])
            tables.append(_of_parties(problem, layer, _narrow(value), rule=False))
    usable = np.ones(problem.offers, dtype=np.bool_)
    by_place, by_offer = [], []
    for table in tables:
        if table.rule and len(table.value) == 1 and len(problem.parties):  # the same for everybody
            usable &= table.value[0][table.column] == 0
            continue
        if not table.value.any():
            continue
        first = columns_of_places(table.column, problem.place, places)
        if first is not None:
            by_place.append(table._replace(value=_picked(table.value.T, first).T))
        else:
            by_offer.append(table._replace(value=np.where(table.value < 0, BIG, 0) if table.rule else table.value.astype(np.int64)))
    place = problem.place.astype(np.int64)
    at_place, closed, place_row = _stack(by_place, places, len(problem.parties))
    value, row, column = _lay_flat(_merge(by_offer), len(problem.parties), problem.offers)
    start, offer, add, usual = _specials(problem, weights)
    out = (problem.unplaced_by_stage() @ np.asarray(weights, dtype=np.int64)).astype(np.int64)
    out[problem.must] = BIG
    usual[problem.barred] = BIG
    add[np.repeat(problem.barred, np.diff(start))] = BIG
    uses = make_uses(problem, int(weights[problem.spare_stage]))
    core = Core(place, at_place, closed, place_row, value, row, column, start, offer, add, usual, out, usable, uses)
    return core, by_offer


def columns_of_places(column: Ints, place: Ints, places: int) -> Ints | None:
    """The column of each place (-1 where there is no offer), or None where offers of one place differ."""
    first = np.full(places, -1, dtype=np.int64)
    first[place] = column
    return first if (first[place] == column).all() else None


def _of_parties(problem: Problem, table: Table, value: Lean, *, rule: bool) -> Wide:
    """A row for every party: its members' rows added up (rules: broken where one's is)."""
    parties = Parties.of(problem.parties)
    row = table.row[parties.member[parties.start[:-1]]].astype(np.int64)
    count = len(value)
    extra: list[Ints] = []
    known: dict[tuple[int, ...], int] = {}
    for q in np.flatnonzero(np.diff(parties.start) > 1).tolist():
        key = tuple(sorted(int(table.row[h]) for h in parties[q]))
        if key not in known:
            known[key] = count + len(extra)
            extra.append(value[list(key)].min(axis=0) if rule else value[list(key)].sum(axis=0, dtype=np.int64))
        row[q] = known[key]
    if extra:
        more = np.array(extra)
        value = np.concatenate([value, more if rule else _narrow(more)])
    used, row = np.unique(row, return_inverse=True)
    value = _picked(value, np.asarray(used))
    first, same = _distinct(value)
    value = _picked(value, first)
    one, column = _distinct(value.T)
    return Wide(same[row.ravel()], column[table.column], _picked(value.T, one).T, rule)


def _narrow(value: Lean) -> Lean:
    """The same in 32 bits if all fit, else in 64."""
    fits = int(value.min(initial=0)) >= -MOST_32 and int(value.max(initial=0)) <= MOST_32
    return value.astype(np.int32, copy=False) if fits else value.astype(np.int64, copy=False)


def _picked(rows: Lean, which: Ints) -> Lean:
    """rows[which], without a copy where that is all of them: they can be most of what a large problem takes."""
    return rows if len(which) == len(rows) and (which == np.arange(len(rows))).all() else rows[which]


def _distinct(rows: Lean) -> tuple[Ints, Ints]:
    """(a row of each kind, number of each row's kind). Rows are compared by a random sum first: sorting wide ones takes long."""
    _, first, kind = np.unique(_sums(rows), return_index=True, return_inverse=True)
    if len(first) == len(rows):
        return np.arange(len(rows)), np.arange(len(rows))
    kind = kind.ravel()
    repeated = np.flatnonzero(first[kind] != np.arange(len(rows)))
    if any((rows[some] != rows[first[kind[some]]]).any() for some in np.array_split(repeated, 1 + len(repeated) // 1000)):
        _, first, kind = np.unique(rows, axis=0, return_index=True, return_inverse=True)  # two unlike rows with the same sum
    return first.astype(np.int64), kind.ravel().astype(np.int64)


def _sums(rows: Lean) -> NDArray[np.uint64]:
    """A number of each row, the same for the same entries."""
    factor = 2 * np.random.default_rng(rows.shape[1]).integers(0, 1 << 63, rows.shape[1], dtype=np.uint64) + np.uint64(1)
    out, step = np.empty(len(rows), dtype=np.uint64), max(1, AT_ONCE // max(1, rows.shape[1]))
    for i in range(0, len(rows), step):
        out[i : i + step] = rows[i : i + step].astype(np.int64).view(np.uint64) @ factor
    return out


def _stack(tables: Sequence[Wide], places: int, parties: int) -> tuple[Lean, int, Numbers]:
    """(rows of all tables one below the other, what stands for BIG there, rows of each party, -1 last)."""
    wide = any(table.value.dtype == np.int64 for table in tables)
    closed = CLOSED_64 if wide else CLOSED_32
    stacked: NDArray[Any] = np.empty((sum(len(table.value) for table in tables), places), dtype=np.int64 if wide else np.int32)
    of_party: list[Ints] = []
    count = 0
    for table in tables:
        zero = np.asarray(~table.value.any(axis=1))
        index = table.row + count
        index[zero[table.row]] = -1
        of_party.append(index)
        part = stacked[count : count + len(table.value)]
        part[:] = 0 if table.rule else table.value
        if table.rule:
            part[table.value < 0] = closed
        count += len(table.value)
    index = np.stack(of_party, axis=1) if of_party else np.zeros((parties, 0), dtype=np.int64)
    return stacked, closed, np.ascontiguousarray(-np.sort(-index, axis=1))


def _merge(tables: list[Wide]) -> list[Wide]:
    """Merge the two tables that make the smallest one, as long as it stays small enough to be looked up quickly."""
    tables = sorted(tables, key=lambda t: t.value.size)
    done: list[Wide] = []
    while tables:
        current = tables.pop(0)
        while tables:
            joined = _join(current, tables[0])
            if joined is None:
                break
            current = joined
            tables.pop(0)
        done.append(current)
    return done


def _join(a: Wide, b: Wide) -> Wide | None:
    rows, row = np.unique(a.row * len(b.value) + b.row, return_inverse=True)
    columns, column = np.unique(a.column * b.value.shape[1] + b.column, return_inverse=True)
    if len(rows) * len(columns) > MOST_ENTRIES:
        return None
    left = a.value[np.ix_(rows // len(b.value), columns // b.value.shape[1])]
    right = b.value[np.ix_(rows % len(b.value), columns % b.value.shape[1])]
    return Wide(row.ravel(), column.ravel(), left + right, a.rule and b.rule)


def _lay_flat(tables: Sequence[Wide], parties: int, offers: int) -> tuple[Numbers, Numbers, Numbers]:
    values, rows, columns, base = [], [], [], 0
    for table in tables:
        values.append(table.value.ravel())
        rows.append(base + table.row * table.value.shape[1])
        columns.append(table.column)
        base += table.value.size
    return (
        np.concatenate(values) if values else np.zeros(0, dtype=np.int64),
        np.stack(rows, axis=1) if rows else np.zeros((parties, 0), dtype=np.int64),
        np.stack(columns, axis=1) if columns else np.zeros((offers, 0), dtype=np.int64),
    )


def _specials(problem: Problem, weights: Sequence[int]) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Exceptions of every party, joined: (start, offer, added, added elsewhere)."""
    layers = [(layer, 0, True) for layer in problem.rules if isinstance(layer, Exceptions)]
    layers += [
        (layer, int(weights[stage]), False)
        for layer, stage in zip(problem.terms, problem.term_stage, strict=True)
        if isinstance(layer, Exceptions) and weights[stage]
    ]
    concerned = np.zeros(len(problem.persons), dtype=np.bool_)
    for layer, _, _ in layers:
        concerned |= layer.row[: len(concerned)] >= 0
    usual = np.zeros(len(problem.parties), dtype=np.int64)
    found: list[tuple[int, list[tuple[int, int]]]] = []
    parties = Parties.of(problem.parties)
    some = concerned[parties.member[parties.start[:-1]]] | (np.diff(parties.start) > 1)
    some[list(problem.party_cost)] = True
    for q in np.flatnonzero(some).tolist():
        parts = [_values_of(layer, h, weight, rule) for h in problem.parties[q] for layer, weight, rule in layers]
        own = problem.party_cost.get(q)
        if own is not None:
            weight = int(weights[problem.party_cost_stage])
            parts.append((0, {a: BIG if v < 0 else weight * int(v) for a, v in enumerate(own.tolist())}))
        usual[q] = min(sum(default for default, _ in parts), BIG)
        offers = sorted({a for _, values in parts for a in values})
        added = [(a, min(sum(values.get(a, default) for default, values in parts), BIG)) for a in offers]
        if pairs := [(a, value) for a, value in added if value != usual[q]]:
            found.append((q, pairs))
    count = np.zeros(len(problem.parties), dtype=np.int64)
    for q, pairs in found:
        count[q] = len(pairs)
    start = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(count)])
    return (
        start,
        np.array([a for _, pairs in found for a, _ in pairs], dtype=np.int64),
        np.array([v for _, pairs in found for _, v in pairs], dtype=np.int64),
        usual,
    )


def _values_of(layer: Exceptions, household: int, weight: int, rule: bool) -> tuple[int, dict[int, int]]:
    """(elsewhere, by offer) of one household in one layer."""
    k = int(layer.row[household])
    if k < 0:
        return 0, {}

    def priced(value: int) -> int:
        return (0 if value > 0 else BIG) if rule else weight * value

    span = slice(int(layer.start[k]), int(layer.start[k + 1]))
    pairs = zip(layer.offers[span].tolist(), layer.value[span].tolist(), strict=True)
    return priced(int(layer.default[k])), {a: priced(v) for a, v in pairs}
