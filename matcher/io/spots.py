"""Places of cells: ids of places.csv first, then the built-in gazetteer."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Protocol, TypeVar

from matcher.errors import Fault
from matcher.io.cells import CellError, shown
from matcher.io.codes import DERIVED
from matcher.model import Spot
from matcher.places.faults import PlaceError
from matcher.reading import Entry, Reading

T = TypeVar("T")
_LONGEST_NAME = 200

# P-codes and ISO 3166-2 codes of other countries: PL14, PL-14, MD-CU. Names are not codes: a misspelt `Kharkv` must not pass as one.
_FOREIGN = re.compile(r"(?!UA)[A-Z]{2}(?:[0-9]{1,6}|-[A-Z0-9]{1,3})")


class Resolver(Protocol):
    """What is asked of the gazetteer (`matcher.places.gazetteer.Gazetteer`). Both raise PlaceError."""

    def resolve(self, text: str) -> Spot:
        """The spot that a code or name means."""

    def oblast(self, text: str) -> str:
        """The P-code of an oblast."""


class Geography:
    """The gazetteer, loaded when first asked: instances that have coordinates and places.csv alone never need it."""

    def __init__(self, resolver: Resolver | None = None) -> None:
        self._resolver = resolver
        self._spots: dict[str, Spot | CellError] = {}
        self._oblasts: dict[str, str | CellError] = {}

    def resolve(self, text: str) -> Spot:
        """The spot of a code or name of the gazetteer. Raises CellError."""
        if text not in self._spots:
            self._spots[text] = self._resolve(text)
        return _value_or_raise(self._spots[text])

    def oblast(self, text: str) -> str:
        """The P-code of an oblast of Ukraine, or another country's code as written, in capitals. Raises CellError."""
        if text not in self._oblasts:
            self._oblasts[text] = self._oblast(text)
        return _value_or_raise(self._oblasts[text])

    def _gazetteer(self) -> Resolver:
        if self._resolver is None:
            from matcher.places.gazetteer import gazetteer

            self._resolver = gazetteer()
        return self._resolver

    def _resolve(self, text: str) -> Spot | CellError:
        if len(text) > _LONGEST_NAME:
            return CellError("unknown_place", f"{shown(text)} is too long for the name of a place")
        try:
            return self._gazetteer().resolve(text)
        except PlaceError as error:
            return CellError(error.code, error.message)

    def _oblast(self, text: str) -> str | CellError:
        try:
            return self._gazetteer().oblast(text)
        except PlaceError as error:
            if _FOREIGN.fullmatch(text.upper()):
                return text.upper()
            return CellError(error.code, error.message)


class Spots:
    """What the place cells of an instance mean.

    places: rows of places.csv. faults: found between these rows. unread: places.csv as a whole could not be read, so that nobody
    can tell whether a text is an id of it.
    """

    def __init__(self, geography: Geography, places: Reading | None = None, faults: Iterable[Fault] = (), *, unread: bool = False) -> None:
        entries = [] if places is None else list(map(places.entry, range(len(places))))
        at_fault = {fault.line for fault in faults}
        self.geography = geography
        self._unread = unread
        self._spots = {str(entry.id): _spot(entry) for entry in entries if not entry.faults}
        self._faulty = {entry.id for entry in entries if entry.faults or entry.line in at_fault}
        self._faulty |= frozenset() if places is None else places.guesses
        self._ids: defaultdict[str, list[str]] = defaultdict(list)
        for place_id, spot in self._spots.items():
            if spot.name is not None:
                self._ids[spot.name.casefold()].append(place_id)

    def resolve(self, text: str) -> Spot:
        """The spot that a `place` cell means. Raises CellError."""
        if text in self._faulty:
            raise CellError(DERIVED, f"{shown(text)} is a row of places that is set aside")
        spot = self._spots.get(text)
        if spot is not None:
            return spot
        try:
            return self.geography.resolve(text)
        except CellError as error:
            if self._unread:
                raise CellError(DERIVED, "places could not be read") from error
            raise CellError(error.code, error.message + self._hint(text)) from error

    def oblast(self, text: str) -> str:
        """The P-code of an oblast. Raises CellError."""
        return self.geography.oblast(text)

    def _hint(self, text: str) -> str:
        ids = sorted(self._ids.get(text.casefold(), ()))
        return f"; it is a name in places: write the id there, {' or '.join(map(shown, ids[:5]))}" if ids else ""


def _spot(place: Entry) -> Spot:
    found = place.values
    return Spot(lat=found["lat"], lon=found["lon"], key=f"place:{place.id}", name=found.get("name") or place.id, adm1=found.get("adm1"))


def _value_or_raise(value: T | CellError) -> T:
    if isinstance(value, CellError):
        raise CellError(value.code, value.message)
    return value
