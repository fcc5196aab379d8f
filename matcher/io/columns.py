"""Which files and columns the format has (FORMAT.md), as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# One way to satisfy a requirement is a set of columns; a requirement lists its ways.
Ways = tuple[tuple[str, ...], ...]

PLACE: Final[Ways] = (("place",), ("lat", "lon"))
CAPACITY_PREFIX: Final = "capacity_"
LISTS: Final = frozenset("needs wants pets languages groups accepts avoids features rooms groups_only".split())
"""Columns whose cells may hold several items."""


_OWN_OUTPUT = frozenset({"site_id", "place", "persons", "km", "minutes", "cost", "tie_km", "ties_kept", "changed_from"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """One file of the format. name: without suffix. id_column: what is unique in it, or whose the row is."""

    name: str
    id_column: str
    required: tuple[Ways, ...]
    columns: frozenset[str]

    def knows(self, column: str) -> bool:
        """Whether a header names a column of this file."""
        if column in self.columns:
            return True
        if self.name == "placements" and (column in _OWN_OUTPUT or column.startswith(("cost_", "alternative_"))):
            return True  # placements.csv as a run wrote it, fed back; what those columns say is counted anew
        need = column.removeprefix(CAPACITY_PREFIX)
        return self.name == "accommodations" and need != column and need != "" and len(need.split()) == 1


def _sheet(name: str, id_column: str, columns: str, *required: Ways) -> Sheet:
    return Sheet(name, id_column, required, frozenset(columns.split()))


def _one(column: str) -> Ways:
    return ((column,),)


_TIE_TARGET: Ways = (*PLACE, ("other_household_id",), ("accommodation_id",))

SHEETS: Final[Mapping[str, Sheet]] = MappingProxyType(
    {
        sheet.name: sheet
        for sheet in (
            _sheet(
                "households",
                "household_id",
                "household_id persons place lat lon origin max_rent priority waiting_since arrives leaves needs wants pets languages "
                "groups max_km accepts avoids wants_return protected consent",
                _one("household_id"),
                _one("persons"),
                PLACE,
            ),
            _sheet("members", "member_id", "member_id household_id relation sex age", _one("member_id"), _one("household_id")),
            _sheet(
                "accommodations",
                "accommodation_id",
                "accommodation_id site_id place lat lon adm1 kind capacity shared rooms features pets languages min_persons max_persons "
                "groups_only available_from available_until vetted risk cost_per_person_night status updated_at",
                _one("accommodation_id"),
                _one("capacity"),
                PLACE,
            ),
            _sheet(
                "ties",
                "household_id",
                "household_id place lat lon other_household_id accommodation_id relation kind max_km required agreed weight",
                _one("household_id"),
                _TIE_TARGET,
            ),
            _sheet("places", "place_id", "place_id name lat lon adm1", _one("place_id"), _one("lat"), _one("lon")),
            _sheet("travel", "", "from to km minutes cost_per_person blocked", _one("from"), _one("to")),
            _sheet(
                "placements",
                "household_id",
                "household_id accommodation_id status since rooms",
                _one("household_id"),
                _one("accommodation_id"),
                _one("status"),
            ),
            _sheet(
                "overrides",
                "household_id",
                "household_id accommodation_id place action reason decided_by decided_at expires_at",
                _one("household_id"),
                _one("action"),
            ),
        )
    }
)
REQUIRED_SHEETS: Final = ("households", "accommodations")
