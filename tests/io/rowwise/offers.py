"""Rows of accommodations.csv and places.csv."""

from __future__ import annotations

from typing import get_args

from matcher.io.cells import MOST_MONEY, iso_date, languages, rooms, whole, word, words, yes_no
from matcher.io.columns import CAPACITY_PREFIX
from matcher.model import KINDS, SHARED_BY_DEFAULT, Accommodation, OfferStatus, Place, Row
from tests.io.rowwise.people import animals, yes_no_unknown
from tests.io.rowwise.rows import RowReader

_count = whole(0, 100_000)
_kind = word(KINDS)
_status = word(get_args(OfferStatus))


def read_accommodation(reader: RowReader) -> Row | None:
    """A row of accommodations.csv."""
    reader.put_text("accommodation_id", required=True)
    reader.put_text("site_id")
    reader.put_spot(required=True)
    _put_adm1(reader)
    kind = reader.put("kind", _kind) or "apartment"
    reader.put("capacity", _count, required=True)
    reader.values["shared"] = kind in SHARED_BY_DEFAULT
    reader.put("shared", yes_no)
    beds = reader.parse("rooms", rooms)
    if beds:
        reader.values["rooms"] = beds
    reader.put("features", words)
    _put_need_capacity(reader)
    reader.put("pets", animals)
    reader.put("languages", languages)
    least = reader.put("min_persons", _count)
    most = reader.put("max_persons", _count)
    if least is not None and most is not None and least > most:
        reader.fault("min_persons", "sizes_reversed", f"min_persons {least} is more than max_persons {most}")
    reader.put("groups_only", words)
    _put_availability(reader)
    reader.put("vetted", yes_no_unknown)
    reader.put_number("risk", 1)
    reader.put_number("cost_per_person_night", MOST_MONEY)
    reader.put("status", _status)
    return reader.make(Accommodation)


def read_place(reader: RowReader) -> Row | None:
    """A row of places.csv."""
    reader.put_text("place_id", required=True)
    reader.put_text("name")
    reader.put_degrees("lat", 90, required=True)
    reader.put_degrees("lon", 180, required=True)
    reader.put("adm1", reader.spots.oblast)
    return reader.make(Place)


def _put_adm1(reader: RowReader) -> None:
    """The oblast of the place; the offer's own cell only where the place does not tell it."""
    own = reader.put("adm1", reader.spots.oblast)
    spot = reader.values.get("spot")
    if spot is None or spot.adm1 is None:
        return
    if own is not None and own != spot.adm1:
        reader.notice("adm1_differs", f"adm1 says {own}, the place lies in {spot.adm1}; the place counts")
    reader.values["adm1"] = spot.adm1


def _put_need_capacity(reader: RowReader) -> None:
    """The `capacity_NEED` columns, by need; an empty cell is no such capacity."""
    found: list[tuple[str, int]] = []
    for column in reader.table.columns:
        if column.startswith(CAPACITY_PREFIX):
            persons = reader.parse(column, _count)
            if persons is not None:
                found.append((column.removeprefix(CAPACITY_PREFIX), persons))
    reader.values["need_capacity"] = tuple(sorted(found))


def _put_availability(reader: RowReader) -> None:
    start = reader.put("available_from", iso_date)
    end = reader.put("available_until", iso_date)
    if start is not None and end is not None and end <= start:
        reader.fault("available_until", "dates_reversed", f"available_until {end} is not later than available_from {start}")
