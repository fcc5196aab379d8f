"""Changes as people type them, `place=Lviv,capacity=4,features=step_free`, read by the same rules as the files."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from matcher.changes import AddHousehold, AddOffer, ChangeHousehold, ChangeTie, SetPolicy, new_id
from matcher.errors import Fault, InputError, UsageError
from matcher.io.assemble import build_instance
from matcher.io.codebook import Codebooks
from matcher.io.tables import Table, table_from_text
from matcher.model import Household, Instance, Place, Tie
from matcher.places.travel import same_place

_SPOT = ("place", "lat", "lon")
_TARGETS = (*_SPOT, "other_household_id", "accommodation_id")


def read_policy_change(text: str) -> SetPolicy:
    """`ties.weight=1`; the value as in policy.toml, a word without quotes. Raises UsageError."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip() or not value.strip():
        raise UsageError(f"--set {text!r} is not of the form KEY=VALUE, such as ties.weight=1")
    try:
        parsed: Any = tomllib.loads(f"value = {value}", parse_float=Decimal)["value"]
    except tomllib.TOMLDecodeError:
        parsed = value.strip()
    return SetPolicy(key.strip(), parsed)


def read_new_offer(text: str, instance: Instance) -> AddOffer:
    """Columns of accommodations.csv. Raises InputError with every fault, UsageError for what is not of that form."""
    cells = _cells("--add-offer", text)
    cells.setdefault("accommodation_id", new_id(a.accommodation_id for a in instance.accommodations))
    read = _read(instance, "--add-offer", "accommodations", cells)
    return AddOffer(read.accommodations[0])


def read_new_household(text: str, instance: Instance) -> AddHousehold:
    """Columns of households.csv. Raises as `read_new_offer`."""
    cells = _cells("--add-household", text)
    cells.setdefault("household_id", new_id(h.household_id for h in instance.households))
    return AddHousehold(_read(instance, "--add-household", "households", cells).households[0])


def read_household_change(text: str, instance: Instance) -> ChangeHousehold:
    """`household_id=H012,max_km=210`: the columns that change. An empty cell is an empty cell. Raises as `read_new_offer`."""
    cells = _cells("--change-household", text)
    household_id = cells.get("household_id", "")
    if household_id not in {h.household_id for h in instance.households}:
        raise UsageError(f"--change-household: there is no household {household_id!r}; say household_id=…")
    given = set(cells) - {"household_id"}
    row = _read(instance, "--change-household", "households", _with_dummies(cells)).households[0]
    names = {"spot" if name in _SPOT else name for name in given}
    return ChangeHousehold(household_id, {name: getattr(row, name) for name in Household.model_fields if name in names})


def read_tie_change(text: str, instance: Instance) -> ChangeTie:
    """`household_id=H007,place=Lviv,required=no`: whose tie to what, and the columns that change. Raises as `read_new_offer`."""
    cells = _cells("--change-tie", text)
    found = [tie for tie in instance.ties if tie.household_id == cells.get("household_id") and _leads_to(tie, cells, instance)]
    if len(found) != 1:
        many = "there is no such tie" if not found else f"{len(found)} ties are meant"
        raise UsageError(f"--change-tie {text!r}: {many}; say household_id and one of place, other_household_id, accommodation_id")
    given = {name: value for name, value in cells.items() if name not in (*_TARGETS, "household_id")}
    dummy = {"household_id": found[0].household_id, "lat": "0", "lon": "0", "kind": found[0].kind, **given}
    if dummy["kind"] == "near" and given.get("required") and "max_km" not in given and found[0].max_km is not None:
        dummy["max_km"] = str(found[0].max_km)
    households = {"household_id": found[0].household_id, "persons": "1", "lat": "0", "lon": "0"}
    row = _read(instance, "--change-tie", "ties", dummy, {"households": households}).ties[0]
    return ChangeTie(found[0], {name: getattr(row, name) for name in Tie.model_fields if name in given})


def _leads_to(tie: Tie, cells: Mapping[str, str], instance: Instance) -> bool:
    for name in ("other_household_id", "accommodation_id"):
        if name in cells:
            return bool(getattr(tie, name) == cells[name])
    spot = {name: cells[name] for name in _SPOT if name in cells}
    if not spot or tie.spot is None:
        return False
    target = _read(instance, "--change-tie", "households", {"household_id": "H", "persons": "1", **spot}).households[0].spot
    return same_place(target, tie.spot)


def _with_dummies(cells: Mapping[str, str]) -> dict[str, str]:
    """A whole row of households.csv: what is not given does not matter."""
    where = {} if any(name in cells for name in _SPOT) else {"lat": "0", "lon": "0"}
    return {"persons": "1", **where, **cells}


def _cells(option: str, text: str) -> dict[str, str]:
    cells: dict[str, str] = {}
    for part in next(csv.reader([text]), []):
        name, equals, value = part.partition("=")
        if not equals or not name.strip():
            raise UsageError(f'{option} {text!r} is not of the form COLUMN=VALUE,COLUMN=VALUE; a value with a comma needs quotes: "a=b, c"')
        if name.strip() in cells:
            raise UsageError(f"{option} {text!r} says {name.strip()} twice")
        cells[name.strip()] = value.strip()
    return cells


def _read(
    instance: Instance, option: str, sheet: str, cells: Mapping[str, str], beside: Mapping[str, Mapping[str, str]] | None = None
) -> Instance:
    """One row of a sheet, read as the files are. Raises InputError; its faults name the option."""
    books = Codebooks(guarded=False)
    rows = {**(beside or {}), sheet: cells}
    rows.setdefault("households", {"household_id": "", "persons": "", "place": ""})
    rows.setdefault("accommodations", {"accommodation_id": "", "place": "", "capacity": ""})
    tables = {name: _table(name, option, row, books) for name, row in rows.items()}
    if len(instance.places):
        tables["places"] = _places(instance.places, books)
    try:
        read = build_instance(tables)
    except InputError as error:
        raise InputError([Fault(option, 0, f.column, f.code, f.message) for f in error.faults]) from None
    if read.notices:
        raise UsageError(f"{option}: {read.notices[0].message}")
    return read


def _table(name: str, option: str, row: Mapping[str, str], books: Codebooks) -> Table:
    return table_from_text(name, option, _text([list(row), list(row.values())]), books)


def _places(places: Any, books: Codebooks) -> Table:
    columns = list(Place.model_fields)
    rows = [["" if (v := getattr(place, c)) is None else repr(v) if isinstance(v, float) else str(v) for c in columns] for place in places]
    return table_from_text("places", "places.csv", _text([columns, *rows]), books)


def _text(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(row for row in rows if any(row))
    return out.getvalue()
