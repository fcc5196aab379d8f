"""An instance with other rows in some of its tables, in canonical order and with the sum it would have had, had it been read so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from matcher.columns import codes
from matcher.held import Column, HeldRows
from matcher.io.digest import canonical, sorted_by
from matcher.model import Accommodation, FileCount, Household, Instance, Member, Override, Place, Row, Standing, Tie, TravelRow

_SHEETS: dict[str, tuple[str, type[Row], tuple[str, ...]]] = {
    "households": ("households", Household, ("household_id",)),
    "members": ("members", Member, ("household_id", "member_id")),
    "accommodations": ("accommodations", Accommodation, ("accommodation_id",)),
    "ties": ("ties", Tie, ()),
    "travel": ("travel", TravelRow, ()),
    "places": ("places", Place, ("place_id",)),
    "placements": ("standing", Standing, ()),
    "overrides": ("overrides", Override, ()),
}
"""By sheet: field of the instance, model, and what its rows are sorted by there (nothing: by their whole lines)."""


def reassembled(instance: Instance, *, counted: Sequence[str] = (), **tables: Sequence[Row]) -> Instance:
    """The instance with other rows. tables: by field of the instance (`standing=…`, `overrides=…`). counted: files whose `counts`
    should be those of the new rows. Rows are taken as sound: nothing is checked again.

    `sha256` is what reading a folder with just these rows would give.
    """
    held = {field: _held(model, tables.get(field, getattr(instance, field))) for field, model, _ in _SHEETS.values()}
    present = {sheet: held[field] for sheet, (field, _, _) in _SHEETS.items() if held[field] or _was_there(instance, sheet)}
    ordered, sha256 = canonical(present, _other_lines(instance))
    rows = {field: held[field] for field, _, _ in _SHEETS.values()}
    for sheet, (field, _, keys) in _SHEETS.items():
        if sheet in ordered:
            rows[field] = sorted_by(ordered[sheet], *keys) if keys else ordered[sheet]
    counts = _counts(instance, {_SHEETS[sheet][0]: sheet for sheet in counted}, rows)
    return instance.model_copy(update={**rows, "counts": counts, "sha256": sha256})


def _was_there(instance: Instance, sheet: str) -> bool:
    return any(count.file.removesuffix(".csv") == sheet for count in instance.counts)


def _other_lines(instance: Instance) -> Iterator[str]:
    """As `matcher.io.assemble` writes them, but for rows that are set aside from the instance's own list of these."""
    for row in instance.set_aside:
        yield f"aside {row.file.removesuffix('.csv')} {row.id!a}"
    yield f"left_out {sorted(instance.left_out)!a}"
    yield f"closed {sorted(instance.closed)!a}"


def _counts(instance: Instance, counted: dict[str, str], rows: dict[str, HeldRows[Any]]) -> tuple[FileCount, ...]:
    found = {count.file.removesuffix(".csv"): count for count in instance.counts}
    for field, sheet in counted.items():
        aside = found[sheet].quarantined if sheet in found else 0
        accepted = len(rows[field])
        if sheet in found or accepted:
            file = found[sheet].file if sheet in found else f"{sheet}.csv"
            found[sheet] = FileCount(file=file, rows_in=accepted + aside, accepted=accepted, quarantined=aside)
    return tuple(found[sheet] for sheet in sorted(found))


def _held(model: type[Row], rows: Sequence[Row]) -> HeldRows[Any]:
    if isinstance(rows, HeldRows):
        return rows
    columns: dict[str, Column] = {}
    for field in model.model_fields:
        code, values = codes(rows, field)
        columns[field] = code.astype(np.min_scalar_type(max(1, len(values)))), values or [None]
    return HeldRows(model, len(rows), columns)


def replaced(rows: Sequence[Row], new: dict[int, Row]) -> HeldRows[Any]:
    """The rows with others in some positions, still held by column. new: by position."""
    held = _held(type(rows[0]), rows)
    at = np.array(list(new), dtype=np.int64)
    columns: dict[str, Column] = {}
    for field in held.model.model_fields:
        code, values = held.column(field)
        changed = np.asarray(code, dtype=np.int64).copy()
        changed[at] = len(values) + np.arange(len(at))
        columns[field] = changed, [*values, *(getattr(row, field) for row in new.values())]
    return HeldRows(held.model, len(held), columns)
