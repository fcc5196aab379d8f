"""Rows of ties.csv, travel.csv, placements.csv and overrides.csv: what joins the rows of the other files."""

from __future__ import annotations

from typing import get_args

import numpy as np

from matcher.io.cells import MOST_KM, MOST_MINUTES, MOST_MONEY, MOST_WEIGHT, iso_date, rooms, word, yes_no
from matcher.io.rows import SheetReader
from matcher.model import Action, PlacementStatus, TieKind, TieRelation
from matcher.reading import Field, Flags

_relation = word(get_args(TieRelation))
_kind = word(get_args(TieKind))
_status = word(get_args(PlacementStatus))
_action = word(get_args(Action))
_BY_ADDRESS = ("same_site", "same_accommodation")


def read_ties(reader: SheetReader) -> None:
    """The columns of ties.csv."""
    household = reader.put_reference("household_id", "households", required=True)
    to_place = reader.put_spot()
    other = reader.put_reference("other_household_id", "households")
    accommodation = reader.put_reference("accommodation_id", "accommodations")
    reader.put("relation", _relation)
    named = reader.parse("kind", _kind)
    reader.put_number("max_km", MOST_KM)
    told = reader.parse("required", yes_no)
    reader.put("agreed", yes_no)
    reader.put_number("weight", MOST_WEIGHT)
    to_household = other.codes != 0
    targets = to_place + to_household.astype(np.int8) + (accommodation.codes != 0)
    for rows, found in ((targets == 0, "no target"), (targets > 1, "more than one target")):
        message = f"{found}: fill one of place (or lat and lon), other_household_id, accommodation_id"
        reader.fault(rows, "", "tie_target", message)
    reader.fault(to_household & (household.codes == other.codes), "other_household_id", "tie_to_itself", "the household is tied to itself")
    kind = Field(named.codes, ["near", *named.values[1:]])  # code 0 is the empty cell
    for name in _BY_ADDRESS:
        message = f"`{name}` needs a household or an accommodation; for a place say `same_place`"
        reader.fault(_is(kind, name) & to_place & (targets == 1), "kind", "tie_to_a_place", message)
    boundless = _is(kind, "near") & _is(told, True) & ~reader.filled("max_km")
    reader.fault(boundless, "max_km", "tie_without_max_km", "a required `near` must say how far at most")
    reader.fields["kind"] = kind
    reader.fields["required"] = reader.made("", lambda told, kind: kind == "apart" if told is None else told, told, kind)


def read_travel(reader: SheetReader) -> None:
    """The columns of travel.csv."""
    reader.put("from", reader.spots.resolve, field="origin", required=True)
    reader.put("to", reader.spots.resolve, field="destination", required=True)
    reader.put_number("km", MOST_KM)
    reader.put_number("minutes", MOST_MINUTES)
    reader.put_number("cost_per_person", MOST_MONEY)
    reader.put("blocked", yes_no)


def read_placements(reader: SheetReader) -> None:
    """The columns of placements.csv as input."""
    reader.put_reference("household_id", "households", required=True)
    reader.put_reference("accommodation_id", "accommodations", required=True)
    reader.put("status", _status, required=True)
    reader.put("since", iso_date)
    reader.put("rooms", lambda text: rooms(text) or None)


def read_overrides(reader: SheetReader) -> None:
    """The columns of overrides.csv. A `hold` keeps a target that is given, but does not need one."""
    reader.put_reference("household_id", "households", required=True)
    accommodation = reader.put_reference("accommodation_id", "accommodations")
    reader.put("place", reader.spots.resolve, field="spot")
    action = reader.put("action", _action, required=True)
    reader.put_text("reason")
    reader.put_text("decided_by")
    reader.put("decided_at", iso_date)
    reader.put("expires_at", iso_date)
    targets = reader.filled("place") + (accommodation.codes != 0).astype(np.int8)
    for name in ("pin", "forbid"):
        for rows, found in ((targets == 0, "no target"), (targets == 2, "two targets")):
            message = f"a `{name}` with {found}: fill one of accommodation_id and place"
            reader.fault(_is(action, name) & rows, "", "override_target", message)


def _is(field: Field, value: object) -> Flags:
    """Which rows have this value."""
    return np.asarray(np.array([one == value for one in field.values], dtype=bool)[field.codes])
