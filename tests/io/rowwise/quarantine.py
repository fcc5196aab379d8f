"""Setting faulty rows aside without dropping a protection (FORMAT.md, faulty rows).

A row of ties, members, placements or overrides may be all that keeps two households apart, or a household out of an offer. So who
is named by such a row is left out with it, an offer named there is closed, and where it cannot be told who is meant, nothing is
solved at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from matcher.errors import Fault, InputError
from matcher.io.codes import DERIVED
from matcher.model import Tie
from tests.io.rowwise.validate import Entry, Rows, guesses_of, ids_of

PROTECTING = ("ties", "members", "placements", "overrides")
_BOUND = ("accepted", "moved_in")
_NO_ONE = "the row cannot be set aside: whom it is about cannot be told from it, so no one can be left out in its place"


@dataclass(frozen=True, slots=True)
class Settled:
    """What quarantine decided. faults: of each row that is set aside, by (sheet, line)."""

    faults: dict[tuple[str, int], tuple[Fault, ...]]
    left_out: frozenset[str]
    closed: frozenset[str]


def settle(rows: Rows, found: Iterable[Fault]) -> Settled:
    """Decide what is set aside, left out and closed. found: all faults of rows, derived ones included.

    Raises InputError, with every fault, where a row cannot be set aside without dropping a protection.
    """
    found = list(found)
    faults = _by_row(rows, found)
    aside = {sheet: _ids_aside(rows, sheet, faults) for sheet in ("households", "accommodations")}
    for entry in _all(rows):
        named = [reference for reference in entry.references if reference.id in aside[reference.sheet]]
        for reference in named:
            message = f"names a row of {reference.sheet} that is set aside"
            faults[entry.sheet, entry.line].append(entry.fault(reference.column, DERIVED, message))
    quarantine = _Quarantine(rows, {key for key, of_row in faults.items() if of_row}, aside["households"])
    stops = list(quarantine.stops())
    if stops:
        raise InputError([fault for fault in found if fault.code != DERIVED] + stops)
    return Settled({key: tuple(sorted(of_row)) for key, of_row in faults.items() if of_row}, quarantine.left_out(), quarantine.closed())


class _Quarantine:
    """The questions asked of the rows that are set aside. faulty: their (sheet, line)."""

    def __init__(self, rows: Rows, faulty: set[tuple[str, int]], households_aside: frozenset[str]) -> None:
        self._rows = rows
        self._faulty = faulty
        self._aside = households_aside
        self._sound = {sheet: self._sound_ids(sheet) for sheet in ("households", "accommodations")}
        # Where the status cannot be read, the household may live there.
        self._housed = frozenset(entry.id for entry in rows.get("placements", ()) if entry.values.get("status") != "proposed")

    def stops(self) -> Iterator[Fault]:
        """A fault for every row that cannot be set aside."""
        for entry in self._set_aside(*PROTECTING):
            if not self._told(entry):
                yield entry.fault("", "cannot_quarantine", _NO_ONE)
        for entry in self._set_aside("travel"):
            unread = entry.malformed or any(fault.column == "blocked" for fault in entry.faults)
            if unread or entry.values.get("blocked"):
                yield entry.fault("blocked", "cannot_quarantine", "the row cannot be set aside: it may say that a way is blocked")

    def left_out(self) -> frozenset[str]:
        """Sound households that a row set aside names, or whose bond `apart` leads to one of unknown whereabouts."""
        named = {household for entry in self._set_aside(*PROTECTING) for household in _named(entry, "households")}
        # Such a household may be housed anywhere, and nobody could say that another is placed far enough from it.
        astray = {entry.id for entry in self._set_aside("placements") if entry.id in self._housed}
        for entry in self._rows.get("ties", ()):
            tie = entry.row
            if isinstance(tie, Tie) and tie.kind == "apart" and tie.other_household_id is not None:
                pair = {tie.household_id, tie.other_household_id}
                if pair & astray:
                    named |= pair
        return frozenset(named & self._sound["households"])

    def closed(self) -> frozenset[str]:
        """Sound offers that a row set aside names."""
        named = {offer for entry in self._set_aside(*PROTECTING) for offer in _named(entry, "accommodations")}
        return frozenset(named & self._sound["accommodations"])

    def _told(self, entry: Entry) -> bool:
        """Whether someone can be left out in the row's place, so that what it protects from cannot happen."""
        if "household_id" not in entry.values:
            return False
        named = _named(entry, "households")
        known = named & (self._sound["households"] | self._aside)
        if known == named:
            return True
        # Of two households one is misspelt. Leaving the other one out is enough, unless it stays where it lives already.
        return bool(known) and not known & self._housed

    def _set_aside(self, *sheets: str) -> Iterator[Entry]:
        return (entry for sheet in sheets for entry in self._rows.get(sheet, ()) if (sheet, entry.line) in self._faulty)

    def _sound_ids(self, sheet: str) -> frozenset[str]:
        return ids_of(entry for entry in self._rows.get(sheet, ()) if (sheet, entry.line) not in self._faulty)


def _by_row(rows: Rows, found: Iterable[Fault]) -> defaultdict[tuple[str, int], list[Fault]]:
    sheets = {entries[0].file: sheet for sheet, entries in rows.items() if entries}
    faults: defaultdict[tuple[str, int], list[Fault]] = defaultdict(list)
    for fault in found:
        faults[sheets[fault.file], fault.line].append(fault)
    return faults


def _ids_aside(rows: Rows, sheet: str, faults: dict[tuple[str, int], list[Fault]]) -> frozenset[str]:
    """Ids of rows that are set aside; a malformed row counts with what stands in its id cell, unless a sound row has it."""
    entries = rows.get(sheet, ())
    faulty = [entry for entry in entries if faults.get((sheet, entry.line))]
    sound = ids_of(entry for entry in entries if not faults.get((sheet, entry.line)))
    return (ids_of(faulty) | guesses_of(faulty)) - sound


def _named(entry: Entry, sheet: str) -> set[str]:
    return {reference.id for reference in entry.references if reference.sheet == sheet}


def _all(rows: Rows) -> Iterator[Entry]:
    return (entry for entries in rows.values() for entry in entries)
