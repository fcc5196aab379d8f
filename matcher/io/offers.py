"""Rows of accommodations.csv and places.csv."""

from __future__ import annotations

from datetime import date
from typing import get_args

import numpy as np

from matcher.io.cells import MOST_MONEY, CellError, iso_date, languages, rooms, whole, word, words, yes_no
from matcher.io.columns import CAPACITY_PREFIX
from matcher.io.people import animals, yes_no_unknown
from matcher.io.rows import SheetReader
from matcher.model import KINDS, SHARED_BY_DEFAULT, OfferStatus
from matcher.reading import Field

_count = whole(0, 100_000)
_kind = word(KINDS)
_status = word(get_args(OfferStatus))


def read_accommodations(reader: SheetReader) -> None:
    """The columns of accommodations.csv."""
    reader.put_text("accommodation_id", required=True)
    reader.put_text("site_id")
    reader.put_spot(required=True)
    reader.fields["exact"] = Field(reader.filled("lat").astype(np.int8), [None, True])
    _put_adm1(reader)
    kind = reader.put("kind", _kind)
    reader.put("capacity", _count, required=True)
    shared = reader.parse("shared", yes_no)
    reader.fields["shared"] = reader.made("", _is_shared, kind, shared)
    reader.put("rooms", lambda text: rooms(text) or None)
    reader.put("features", words)
    _put_need_capacity(reader)
    reader.put("pets", animals)
    reader.put("languages", languages)
    least = reader.put("min_persons", _count)
    most = reader.put("max_persons", _count)
    reader.made("min_persons", _check_sizes, least, most)
    reader.put("groups_only", words)
    start = reader.put("available_from", iso_date)
    end = reader.put("available_until", iso_date)
    reader.made("available_until", _check_availability, start, end)
    reader.put("vetted", yes_no_unknown)
    reader.put_number("risk", 1)
    reader.put_number("cost_per_person_night", MOST_MONEY)
    reader.put("status", _status)
    reader.put("updated_at", iso_date)


def read_places(reader: SheetReader) -> None:
    """The columns of places.csv."""
    reader.put_text("place_id", required=True)
    reader.put_text("name")
    reader.fields["lat"] = reader.degrees("lat", 90, required=True)
    reader.fields["lon"] = reader.degrees("lon", 180, required=True)
    reader.put("adm1", reader.spots.oblast)


def _put_adm1(reader: SheetReader) -> None:
    """The oblast of the place; the offer's own cell only where the place does not tell it."""
    own = reader.parse("adm1", reader.spots.oblast)
    oblast = reader.fields["spot"].by(lambda spot: spot.adm1)
    reader.fields["adm1"] = reader.made("", lambda own, place: own if place is None else place, own, oblast)
    reader.notices("adm1_differs", reader.made("", _adm1_differs, own, oblast))


def _adm1_differs(own: str | None, place: str | None) -> str | None:
    if own is None or place is None or own == place:
        return None
    return f"adm1 says {own}, the place lies in {place}; the place counts"


def _is_shared(kind: str | None, shared: bool | None) -> bool:
    return (kind or "apartment") in SHARED_BY_DEFAULT if shared is None else shared


def _put_need_capacity(reader: SheetReader) -> None:
    """The `capacity_NEED` columns, by need; an empty cell is no such capacity."""
    columns = [column for column in reader.table.columns if column.startswith(CAPACITY_PREFIX)]
    needs = [column.removeprefix(CAPACITY_PREFIX) for column in columns]

    def listed(*persons: int | None) -> tuple[tuple[str, int], ...]:
        return tuple(sorted((need, count) for need, count in zip(needs, persons, strict=True) if count is not None))

    if columns:
        reader.fields["need_capacity"] = reader.made("", listed, *(reader.parse(column, _count) for column in columns))


def _check_sizes(least: int | None, most: int | None) -> None:
    if least is not None and most is not None and least > most:
        raise CellError("sizes_reversed", f"min_persons {least} is more than max_persons {most}")


def _check_availability(start: date | None, end: date | None) -> None:
    if start is not None and end is not None and end <= start:
        raise CellError("dates_reversed", f"available_until {end} is not later than available_from {start}")
