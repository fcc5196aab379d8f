"""Setting faulty rows aside without dropping a protection (FORMAT.md, faulty rows).

A row of ties, members, placements or overrides may be all that keeps two households apart, or a household out of an offer. So who
is named by such a row is left out with it, an offer named there is closed, and where it cannot be told who is meant, nothing is
solved at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from matcher.errors import Fault, InputError
from matcher.io.codes import DERIVED
from matcher.reading import Entry, Readings

PROTECTING = ("ties", "members", "placements", "overrides")
_NO_ONE = "the row cannot be set aside: whom it is about cannot be told from it, so no one can be left out in its place"
_NAMED = ("households", "accommodations")
Found = dict[str, dict[int, list[Fault]]]
"""Faults by sheet and line."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What quarantine decided. faults: of each row that is set aside, by sheet and line."""

    faults: Mapping[str, Mapping[int, tuple[Fault, ...]]]
    left_out: frozenset[str]
    closed: frozenset[str]


def settle(readings: Readings, found: Iterable[Fault]) -> Settled:
    """Decide what is set aside, left out and closed. found: all faults of rows, derived ones included.

    Raises InputError, with every fault, where a row cannot be set aside without dropping a protection.
    """
    found = list(found)
    if not found:
        return Settled({}, frozenset(), frozenset())
    faults = _by_row(readings, found)
    quarantine = _Quarantine(readings, faults)
    for sheet, line, fault in list(quarantine.derived()):
        faults[sheet].setdefault(line, []).append(fault)
    stops = list(quarantine.stops())
    if stops:
        raise InputError([fault for fault in found if fault.code != DERIVED] + stops)
    in_order = {sheet: {line: tuple(sorted(of_row)) for line, of_row in of_sheet.items()} for sheet, of_sheet in faults.items()}
    return Settled(in_order, quarantine.left_out(), quarantine.closed())


class _Quarantine:
    """The questions asked of the rows that are set aside. faults: of these; those of `derived` are added on the way."""

    def __init__(self, readings: Readings, faults: Found) -> None:
        self._readings = readings
        self._faults = faults
        self._sound = {sheet: self._sound_ids(sheet) for sheet in _NAMED}
        self._aside = {sheet: self._ids_aside(sheet) for sheet in _NAMED}

    def derived(self) -> Iterator[tuple[str, int, Fault]]:
        """Faults of rows that name a row that is set aside, with sheet and line."""
        for reading in self._readings.values():
            for reference in reading.references:
                aside = self._aside[reference.sheet]
                if not aside or not reference.field.codes.any():
                    continue
                gone = np.fromiter((text in aside for text in reference.field.values), bool, len(reference.field.values))
                for row in np.flatnonzero(gone[reference.field.codes]).tolist():
                    message = f"names a row of {reference.sheet} that is set aside"
                    fault = reading.fault(row, reference.column, DERIVED, message)
                    yield reading.sheet, fault.line, fault

    def stops(self) -> Iterator[Fault]:
        """A fault for every row that cannot be set aside."""
        housed = self._housed()
        for entry in self._set_aside(*PROTECTING):
            if not self._told(entry, housed):
                yield entry.fault("", "cannot_quarantine", _NO_ONE)
        for entry in self._set_aside("travel"):
            unread = entry.malformed or any(fault.column == "blocked" for fault in entry.faults)
            if unread or entry.values.get("blocked"):
                yield entry.fault("blocked", "cannot_quarantine", "the row cannot be set aside: it may say that a way is blocked")

    def left_out(self) -> frozenset[str]:
        """Sound households that a row set aside names, or whose bond `apart` leads to one of unknown whereabouts."""
        named = {household for entry in self._set_aside(*PROTECTING) for household in _named(entry, "households")}
        # Such a household may be housed anywhere, and nobody could say that another is placed far enough from it.
        astray = {entry.id for entry in self._set_aside("placements")} & self._housed()
        for pair in self._kept_apart() if astray else ():
            if pair & astray:
                named |= pair
        return frozenset(named & self._sound["households"])

    def closed(self) -> frozenset[str]:
        """Sound offers that a row set aside names."""
        named = {offer for entry in self._set_aside(*PROTECTING) for offer in _named(entry, "accommodations")}
        return frozenset(named & self._sound["accommodations"])

    def _told(self, entry: Entry, housed: set[str | None]) -> bool:
        """Whether someone can be left out in the row's place, so that what it protects from cannot happen."""
        if "household_id" not in entry.values:
            return False
        named = _named(entry, "households")
        known = {name for name in named if name in self._sound["households"] or name in self._aside["households"]}
        if known == named:
            return True
        # Of two households one is misspelt. Leaving the other one out is enough, unless it stays where it lives already.
        return bool(known) and not known & housed

    def _housed(self) -> set[str | None]:
        """Households that have a placement, but for a proposal. Where the status cannot be read, one may live there."""
        placements = self._readings.get("placements")
        if placements is None:
            return set()
        housed: set[str | None] = {None} if placements.malformed else set()
        proposed = np.array([status == "proposed" for status in placements.fields["status"].values], dtype=bool)
        return housed | placements.ids_of(~proposed[placements.fields["status"].codes])

    def _kept_apart(self) -> Iterator[set[str]]:
        """The two households of each sound tie `apart`."""
        ties = self._readings.get("ties")
        if ties is None:
            return
        kind, household, other = (ties.fields[name] for name in ("kind", "household_id", "other_household_id"))
        apart = np.array([word == "apart" for word in kind.values], dtype=bool)
        for row in np.flatnonzero(apart[kind.codes] & (other.codes != 0) & ties.sound).tolist():
            yield {household.of(row), other.of(row)}

    def _set_aside(self, *sheets: str) -> Iterator[Entry]:
        for sheet in sheets:
            if self._faults.get(sheet):
                yield from self._readings[sheet].entries_at(list(self._faults[sheet]))

    def _sound_ids(self, sheet: str) -> frozenset[str]:
        reading = self._readings.get(sheet)
        if reading is None:
            return frozenset()
        sound = np.ones(len(reading), dtype=bool)
        sound[reading.rows_at(list(self._faults.get(sheet, ())))] = False
        return frozenset(text for text in reading.ids_of(sound) if text is not None)

    def _ids_aside(self, sheet: str) -> frozenset[str]:
        """Ids of rows that are set aside; a malformed row counts with what stands in its id cell, unless a sound row has it."""
        reading = self._readings.get(sheet)
        if reading is None:
            return frozenset()
        ids = reading.ids_of(reading.rows_at(list(self._faults.get(sheet, ()))))
        return (frozenset(text for text in ids if text is not None) | reading.guesses) - self._sound[sheet]


def _by_row(readings: Readings, found: Iterable[Fault]) -> Found:
    sheets = {reading.file: sheet for sheet, reading in readings.items()}
    faults: Found = {sheet: {} for sheet in readings}
    for fault in found:
        faults[sheets[fault.file]].setdefault(fault.line, []).append(fault)
    return faults


def _named(entry: Entry, sheet: str) -> set[str]:
    return {name for of_sheet, name in entry.names if of_sheet == sheet}
