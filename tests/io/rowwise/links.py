"""Rows of ties.csv, travel.csv, placements.csv and overrides.csv: what joins the rows of the other files."""

from __future__ import annotations

from typing import get_args

from matcher.io.cells import MOST_KM, MOST_MINUTES, MOST_MONEY, MOST_WEIGHT, iso_date, rooms, word, yes_no
from matcher.model import Action, Override, PlacementStatus, Row, Standing, Tie, TieKind, TieRelation, TravelRow
from tests.io.rowwise.rows import RowReader

_relation = word(get_args(TieRelation))
_kind = word(get_args(TieKind))
_status = word(get_args(PlacementStatus))
_action = word(get_args(Action))
_BY_ADDRESS = ("same_site", "same_accommodation")


def read_tie(reader: RowReader) -> Row | None:
    """A row of ties.csv."""
    household = reader.put_reference("household_id", "households", required=True)
    to_place = reader.put_spot()
    other = reader.put_reference("other_household_id", "households")
    accommodation = reader.put_reference("accommodation_id", "accommodations")
    reader.put("relation", _relation)
    kind = reader.put("kind", _kind)
    reader.put_number("max_km", MOST_KM)
    required = reader.put("required", yes_no)
    reader.put("agreed", yes_no)
    reader.put_number("weight", MOST_WEIGHT)
    targets = sum((to_place, other is not None, accommodation is not None))
    if targets != 1:
        found = "no target" if targets == 0 else "more than one target"
        reader.fault("", "tie_target", f"{found}: fill one of place (or lat and lon), other_household_id, accommodation_id")
    if household is not None and household == other:
        reader.fault("other_household_id", "tie_to_itself", "the household is tied to itself")
    if kind is None and not reader.text("kind"):
        kind = "near"
    if kind in _BY_ADDRESS and to_place and targets == 1:
        reader.fault("kind", "tie_to_a_place", f"`{kind}` needs a household or an accommodation; for a place say `same_place`")
    if kind == "near" and required and not reader.text("max_km"):
        reader.fault("max_km", "tie_without_max_km", "a required `near` must say how far at most")
    if required is None:
        reader.values["required"] = kind == "apart"
    return reader.make(Tie)


def read_travel(reader: RowReader) -> Row | None:
    """A row of travel.csv."""
    reader.put("from", reader.spots.resolve, field="origin", required=True)
    reader.put("to", reader.spots.resolve, field="destination", required=True)
    reader.put_number("km", MOST_KM)
    reader.put_number("minutes", MOST_MINUTES)
    reader.put_number("cost_per_person", MOST_MONEY)
    reader.put("blocked", yes_no)
    return reader.make(TravelRow)


def read_placement(reader: RowReader) -> Row | None:
    """A row of placements.csv as input."""
    reader.put_reference("household_id", "households", required=True)
    reader.put_reference("accommodation_id", "accommodations", required=True)
    reader.put("status", _status, required=True)
    reader.put("since", iso_date)
    taken = reader.parse("rooms", rooms)
    if taken:
        reader.values["rooms"] = taken
    return reader.make(Standing)


def read_override(reader: RowReader) -> Row | None:
    """A row of overrides.csv. A `hold` keeps a target that is given, but does not need one."""
    reader.put_reference("household_id", "households", required=True)
    accommodation = reader.put_reference("accommodation_id", "accommodations")
    reader.put("place", reader.spots.resolve, field="spot")
    action = reader.put("action", _action, required=True)
    reader.put_text("reason")
    reader.put_text("decided_by")
    reader.put("decided_at", iso_date)
    reader.put("expires_at", iso_date)
    targets = (accommodation is not None) + bool(reader.text("place"))
    if action in ("pin", "forbid") and targets != 1:
        found = "no target" if targets == 0 else "two targets"
        reader.fault("", "override_target", f"a `{action}` with {found}: fill one of accommodation_id and place")
    return reader.make(Override)
