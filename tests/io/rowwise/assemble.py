"""From tables to an Instance: read every row, check what holds between rows, then refuse or set aside what is faulty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeVar

from matcher.errors import Fault, InputError
from matcher.io.codes import DERIVED
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
from tests.io.rowwise.digest import canonical_line, sha256_of
from tests.io.rowwise.links import read_override, read_placement, read_tie, read_travel
from tests.io.rowwise.offers import read_accommodation, read_place
from tests.io.rowwise.people import read_household, read_member
from tests.io.rowwise.quarantine import Settled, settle
from tests.io.rowwise.rows import ReadRow, read_rows
from tests.io.rowwise.spots import Geography, Spots
from tests.io.rowwise.tables import RawTable
from tests.io.rowwise.validate import Entry, Rows, cross_faults, cross_notices, duplicate_places

R = TypeVar("R", bound=Row)

_READERS: Final[Mapping[str, ReadRow]] = MappingProxyType(
    {
        "households": read_household,
        "members": read_member,
        "accommodations": read_accommodation,
        "ties": read_tie,
        "travel": read_travel,
        "placements": read_placement,
        "overrides": read_override,
    }
)


def build_instance(tables: Mapping[str, RawTable], *, quarantine: bool = False, notices: Iterable[Notice] = ()) -> Instance:
    """The instance that tables hold, by name of sheet; a sheet that is not there is empty.

    Raises InputError with all faults of all tables; with quarantine only where faults of a whole file, or rows that protect
    someone unknown, do not let the rest go on.
    """
    rows, noticed = _read_all(tables)
    unread = {name for name, table in tables.items() if table.faults}
    of_files = [fault for table in tables.values() for fault in table.faults]
    of_rows = [fault for entries in rows.values() for entry in entries for fault in entry.faults] + cross_faults(rows, unread)
    of_rows = _discreet(rows, of_rows)
    if of_files or (of_rows and not quarantine):
        # What only follows from another fault would send people looking in the wrong place.
        faults = of_files + [fault for fault in of_rows if fault.code != DERIVED]
        raise InputError(faults, [str(notice) for notice in [*notices, *noticed, *cross_notices(rows)]])
    settled = settle(rows, of_rows)
    instance = _instance(tables, rows, settled, [*notices, *noticed, *cross_notices(rows)])
    return instance.model_copy(update={"quarantine": quarantine})


def _discreet(rows: Rows, faults: list[Fault]) -> list[Fault]:
    """The faults, without the cells that lead to where a protected household is, or is to go: faults are printed and logged.

    Who is protected is told by the household's own row; where that cannot be read, the household counts as protected.
    """
    known = {
        entry.id
        for entry in rows.get("households", ())
        if not entry.malformed and not entry.values.get("protected", False) and not any(f.column == "protected" for f in entry.faults)
    }
    secret = set()
    for sheet in ("placements", "overrides", "ties"):
        for entry in rows.get(sheet, ()):
            named = {entry.id, *(ref.id for ref in entry.references if ref.sheet == "households")}
            if not named <= known:
                secret.add((entry.file, entry.line))
    words = {"accommodation_id": "names no accommodation that can be used", "place": "is no place that is known, or not one alone"}
    return [
        replace(fault, message=words[fault.column]) if fault.column in words and (fault.file, fault.line) in secret else fault
        for fault in faults
    ]


def _read_all(tables: Mapping[str, RawTable]) -> tuple[dict[str, list[Entry]], list[Notice]]:
    """Rows of all tables: places first, since the cells of the others lead to them."""
    rows: dict[str, list[Entry]] = {}
    notices: list[Notice] = []
    spots = Spots(Geography())
    if "places" in tables:
        entries, noticed = read_rows(tables["places"], read_place, spots)
        rows["places"] = entries
        notices += noticed
        spots = Spots(spots.geography, entries, duplicate_places(entries), unread=bool(tables["places"].faults))
    for name, read in _READERS.items():
        if name in tables:
            rows[name], noticed = read_rows(tables[name], read, spots)
            notices += noticed
    return rows, notices


def _instance(tables: Mapping[str, RawTable], rows: Rows, settled: Settled, notices: Iterable[Notice]) -> Instance:
    """The instance of the rows that are not set aside, in canonical order."""
    sound = {name: [entry.row for entry in entries if (name, entry.line) not in settled.faults] for name, entries in rows.items()}
    lines = {name: {id(row): canonical_line(row) for row in of_sheet if row is not None} for name, of_sheet in sound.items()}

    def accepted(name: str, model: type[R], key: Callable[[R], tuple[str, ...]] | None = None) -> tuple[R, ...]:
        found = [row for row in sound.get(name, ()) if isinstance(row, model)]
        return tuple(sorted(found, key=key if key is not None else lambda row: (lines[name][id(row)],)))

    aside = tuple(_set_aside(rows, settled))
    return Instance(
        households=accepted("households", Household, lambda row: (row.household_id,)),
        accommodations=accepted("accommodations", Accommodation, lambda row: (row.accommodation_id,)),
        members=accepted("members", Member, lambda row: (row.household_id, row.member_id)),
        ties=accepted("ties", Tie),
        travel=accepted("travel", TravelRow),
        places=accepted("places", Place, lambda row: (row.place_id,)),
        standing=accepted("placements", Standing),
        overrides=accepted("overrides", Override),
        left_out=settled.left_out,
        closed=settled.closed,
        set_aside=aside,
        notices=tuple(sorted(set(notices), key=lambda notice: (notice.file, notice.line, notice.code, notice.message))),
        counts=tuple(_counts(tables, rows, settled)),
        sha256=sha256_of(_digest_lines(lines, rows, settled)),
    )


DEFAULT_PRIORITY = 3


def _set_aside(rows: Rows, settled: Settled) -> Iterator[SetAside]:
    """The rows that are set aside, by file and line."""
    entries = (entry for of_sheet in rows.values() for entry in of_sheet if (entry.sheet, entry.line) in settled.faults)
    for entry in sorted(entries, key=lambda entry: (entry.file, entry.line)):
        faults = settled.faults[entry.sheet, entry.line]
        values = entry.values
        known = {name: values[name] for name in ("persons", "priority", "groups") if entry.sheet == "households" and name in values}
        if entry.sheet == "households" and known.get("priority") is None and not any(f.column == "priority" for f in entry.faults):
            known["priority"] = DEFAULT_PRIORITY
        yield SetAside(file=entry.file, line=entry.line, id=entry.id, faults=faults, **known)


def _counts(tables: Mapping[str, RawTable], rows: Rows, settled: Settled) -> Iterator[FileCount]:
    """Rows in, accepted and quarantined of each file, in the order of their names."""
    for name, table in sorted(tables.items()):
        aside = sum((name, entry.line) in settled.faults for entry in rows[name])
        yield FileCount(file=table.file, rows_in=len(rows[name]), accepted=len(rows[name]) - aside, quarantined=aside)


def _digest_lines(lines: Mapping[str, Mapping[int, str]], rows: Rows, settled: Settled) -> Iterator[str]:
    """What the sum of an instance is taken over: the accepted rows, and which rows are set aside (never their line numbers)."""
    for name, of_sheet in lines.items():
        for line in of_sheet.values():
            yield f"{name} {line}"
    for name, entries in rows.items():
        for entry in entries:
            if (name, entry.line) in settled.faults:
                yield f"aside {name} {entry.id!a}"
    yield f"left_out {sorted(settled.left_out)!a}"
    yield f"closed {sorted(settled.closed)!a}"
