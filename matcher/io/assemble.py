"""From tables to an Instance: read every column, check what holds between rows, then refuse or set aside what is faulty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from matcher.errors import Fault, InputError
from matcher.held import Column, HeldRows
from matcher.io.codes import DERIVED
from matcher.io.digest import canonical, sorted_by
from matcher.io.links import read_overrides, read_placements, read_ties, read_travel
from matcher.io.offers import read_accommodations, read_places
from matcher.io.people import read_households, read_members
from matcher.io.quarantine import Settled, settle
from matcher.io.rows import ReadSheet, read_sheet
from matcher.io.spots import Geography, Spots
from matcher.io.tables import Table
from matcher.model import (
    Accommodation,
    FileCount,
    Household,
    Instance,
    Member,
    Notice,
    Override,
    Place,
    Row,
    SetAside,
    Standing,
    Tie,
    TravelRow,
)
from matcher.reading import Reading, Readings
from matcher.suspicions import suspicions
from matcher.validate import cross_faults, cross_notices, duplicate_places

_SHEETS: Final[Mapping[str, tuple[type[Row], ReadSheet]]] = MappingProxyType(
    {
        "households": (Household, read_households),
        "members": (Member, read_members),
        "accommodations": (Accommodation, read_accommodations),
        "ties": (Tie, read_ties),
        "travel": (TravelRow, read_travel),
        "places": (Place, read_places),
        "placements": (Standing, read_placements),
        "overrides": (Override, read_overrides),
    }
)
DEFAULT_PRIORITY = 3


def build_instance(
    tables: Mapping[str, Table], *, quarantine: bool = False, notices: Iterable[Notice] = (), today: date | None = None
) -> Instance:
    """The instance that tables hold, by name of sheet; a sheet that is not there is empty.

    today: also look for what seems wrong on that day though every cell is right (`suspicions`), once there is no fault.


    Raises InputError with all faults of all tables; with quarantine only where faults of a whole file, or rows that protect
    someone unknown, do not let the rest go on.
    """
    readings, noticed = _read_all(tables)
    unread = {name for name, table in tables.items() if table.faults}
    of_files = [fault for table in tables.values() for fault in table.faults]
    of_rows = [fault for reading in readings.values() for fault in reading.own_faults] + cross_faults(readings, unread)
    of_rows = _discreet(readings, of_rows)
    noticed = [*notices, *_traced_notices(tables, [*noticed, *cross_notices(readings)])]
    if of_files or (of_rows and not quarantine):
        # What only follows from another fault would send people looking in the wrong place.
        faults = of_files + [fault for fault in of_rows if fault.code != DERIVED]
        raise InputError(_traced(tables, faults), list(map(str, noticed)))
    try:
        settled = settle(readings, of_rows)
    except InputError as error:
        raise InputError(_traced(tables, error.faults), error.notices) from None
    if today is not None:
        noticed += _traced_notices(tables, suspicions(readings, today))
    instance = _instance(tables, readings, settled, noticed)
    return instance.model_copy(update={"quarantine": quarantine})


def _traced(tables: Mapping[str, Table], faults: Iterable[Fault]) -> list[Fault]:
    """Faults at their place in the source, where a table was made from something else. What stands there once is told once."""
    traces = {table.file: table.trace for table in tables.values() if table.trace is not None}
    return list(dict.fromkeys(traces[fault.file].fault(fault) if fault.file in traces else fault for fault in faults))


def _traced_notices(tables: Mapping[str, Table], notices: Iterable[Notice]) -> list[Notice]:
    traces = {table.file: table.trace for table in tables.values() if table.trace is not None}
    return [traces[notice.file].notice(notice) if notice.file in traces else notice for notice in notices]


def _discreet(readings: Readings, faults: list[Fault]) -> list[Fault]:
    """The faults, without the cells that lead to where a protected household is, or is to go: faults are printed and logged.

    Who is protected is told by the household's own row; where that cannot be read, the household counts as protected.
    """
    words = {"accommodation_id": "names no accommodation that can be used", "place": "is no place that is known, or not one alone"}
    known: set[str | None] | None = None
    secret: set[tuple[str, int]] = set()
    for sheet in ("placements", "overrides", "ties"):
        reading = readings.get(sheet)
        lines = [] if reading is None else [fault.line for fault in faults if fault.file == reading.file and fault.column in words]
        if reading is None or not lines:
            continue
        known = _unprotected(readings.get("households")) if known is None else known
        for entry in reading.entries_at(lines):
            if not {entry.id, *(name for of_sheet, name in entry.names if of_sheet == "households")} <= known:
                secret.add((entry.file, entry.line))
    return [
        replace(fault, message=words[fault.column]) if fault.column in words and (fault.file, fault.line) in secret else fault
        for fault in faults
    ]


def _unprotected(households: Reading | None) -> set[str | None]:
    """Households that say, in a cell that can be read, that they are not protected, or say nothing of it."""
    if not households:
        return set()
    protected = households.fields["protected"]
    open_ = ~np.array([value is True for value in protected.values], dtype=bool)[protected.codes]
    open_[[row for row, faults in households.faults.items() if any(fault.column == "protected" for fault in faults)]] = False
    return households.ids_of(open_)


def _read_all(tables: Mapping[str, Table]) -> tuple[dict[str, Reading], list[Notice]]:
    """What is read of all tables: places first, since the cells of the others lead to them."""
    readings: dict[str, Reading] = {}
    notices: list[Notice] = []
    spots = Spots(Geography())
    for name in sorted(_SHEETS, key=lambda name: name != "places"):
        if name not in tables:
            continue
        _, read_columns = _SHEETS[name]
        readings[name], noticed = read_sheet(tables[name], read_columns, spots)
        notices += noticed
        if name == "places":
            places = readings[name]
            spots = Spots(spots.geography, places, duplicate_places(places), unread=bool(tables[name].faults))
    return readings, notices


def _instance(tables: Mapping[str, Table], readings: Readings, settled: Settled, notices: Iterable[Notice]) -> Instance:
    """The instance of the rows that are not set aside, in canonical order."""
    sheets = {name: _accepted(reading, settled) for name, reading in readings.items()}
    sheets, sha256 = canonical(sheets, _other_lines(readings, settled))
    rows: dict[str, HeldRows[Any]] = {name: sheets.get(name) or HeldRows.empty(model) for name, (model, _) in _SHEETS.items()}
    return Instance(
        households=sorted_by(rows["households"], "household_id"),
        accommodations=sorted_by(rows["accommodations"], "accommodation_id"),
        members=sorted_by(rows["members"], "household_id", "member_id"),
        ties=rows["ties"],
        travel=rows["travel"],
        places=sorted_by(rows["places"], "place_id"),
        standing=rows["placements"],
        overrides=rows["overrides"],
        left_out=settled.left_out,
        closed=settled.closed,
        set_aside=tuple(sorted(_set_aside(tables, readings, settled), key=lambda row: (row.file, row.line))),
        notices=tuple(sorted(set(notices), key=lambda notice: (notice.file, notice.line, notice.code, notice.message))),
        counts=tuple(_counts(readings, settled)),
        sha256=sha256,
    )


def _accepted(reading: Reading, settled: Settled) -> HeldRows[Any]:
    """The rows of a file that are not set aside, with every default filled in."""
    model, _ = _SHEETS[reading.sheet]
    kept = np.ones(len(reading), dtype=bool)
    kept[reading.rows_at(list(settled.faults.get(reading.sheet, ())))] = False
    count = int(np.count_nonzero(kept))
    columns: dict[str, Column] = {}
    for name, field in model.model_fields.items():
        found = reading.fields.get(name)
        default = None if field.is_required() else field.default
        if found is None:
            columns[name] = np.zeros(count, dtype=np.uint8), [default]
            continue
        values = found.values if default is None else [default if value is None else value for value in found.values]
        codes = found.codes if count == len(reading) else found.codes[kept]
        columns[name] = codes.astype(np.min_scalar_type(max(1, len(values)))), values
    return HeldRows(model, count, columns)


def _set_aside(tables: Mapping[str, Table], readings: Readings, settled: Settled) -> Iterator[SetAside]:
    """The rows that are set aside, at their place in the source."""
    for entry in (entry for sheet, faults in settled.faults.items() for entry in readings[sheet].entries_at(list(faults))):
        faults = tuple(_traced(tables, settled.faults[entry.sheet][entry.line]))
        (at,) = _traced(tables, [entry.fault("", "", "")])
        values = entry.values
        known = {name: values[name] for name in ("persons", "priority", "groups") if entry.sheet == "households" and name in values}
        if entry.sheet == "households" and known.get("priority") is None and not any(f.column == "priority" for f in entry.faults):
            known["priority"] = DEFAULT_PRIORITY
        sheet = "" if at.file.removesuffix(".csv") == entry.sheet else entry.sheet
        yield SetAside(file=at.file, line=at.line, sheet=sheet, id=entry.id, faults=faults, **known)


def _counts(readings: Readings, settled: Settled) -> Iterator[FileCount]:
    """Rows in, accepted and quarantined of each file, in the order of their names."""
    for name, reading in sorted(readings.items()):
        rows, aside = len(reading) + len(reading.malformed), len(settled.faults.get(name, ()))
        yield FileCount(file=reading.file, rows_in=rows, accepted=rows - aside, quarantined=aside)


def _other_lines(readings: Readings, settled: Settled) -> Iterator[str]:
    """What the sum of an instance is taken over beside the accepted rows: which are set aside (never their line numbers)."""
    for name, faults in settled.faults.items():
        for entry in readings[name].entries_at(list(faults)):
            yield f"aside {name} {entry.id!a}"
    yield f"left_out {sorted(settled.left_out)!a}"
    yield f"closed {sorted(settled.closed)!a}"
