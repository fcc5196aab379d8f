"""What looks wrong though every cell is right: likely doubles, offers nobody confirmed, what nobody wrote down. Never merged, only named.

Each is a notice about a row, with the other row that it was compared with. Whole columns are compared; no row is built.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from matcher.columns import combined
from matcher.model import Notice, Spot
from matcher.reading import Field, Flags, Ints, Reading, Readings

STALE_DAYS: Final = 30
EXAMPLE: Final = "EXAMPLE-"
_FEW: Final = 3  # filled cells beside place, kind and size, without which two flats of a town may well look alike
_ALIKE = ("languages", "pets", "groups", "needs", "wants", "spot")
_DETAILS = ("features", "need_capacity", "pets", "languages", "min_persons", "max_persons", "groups_only", "available_from",
            "available_until", "vetted", "risk", "cost_per_person_night")  # fmt: skip


def suspicions(readings: Readings, today: date) -> list[Notice]:
    """All suspicions, by row. today: the day by which offers are old or ended."""
    households, offers = readings.get("households"), readings.get("accommodations")
    return [
        *_double_households(households, readings.get("members")),
        *_double_offers(offers),
        *_unknown_accessibility(offers),
        *_over_capacity(offers, households, readings.get("placements")),
        *_examples(households),
        *_examples(offers),
        *_stale(offers, today),
    ]


def _double_households(households: Reading | None, members: Reading | None) -> Iterator[Notice]:
    """Households of the same members (sex and age of each, all known) and the same origin; else the same place.

    Of those who are alone many share age and origin by chance: these must also be alike in what they need and where they are.
    """
    if not households or not members:
        return
    signature, size = _signatures(households, members)
    origin, spot = (_column(households, name).by(_where).codes for name in ("origin", "spot"))
    home = np.where(origin > 0, origin, origin.max(initial=0) + 1 + spot)
    alike = [_column(households, name).by(_key).codes for name in _ALIKE]
    single = [np.where(size == 1, code, 0) for code in alike]
    keys = [signature, home, *single]
    rows = np.flatnonzero((signature > 0) & households.sound)
    why = "same members, ages and origin; nothing was merged"
    yield from _doubles(households, rows, keys, "likely_double_household", f"looks like the household on line {{}}: {why}")


def _signatures(households: Reading, members: Reading) -> tuple[Ints, Ints]:
    """(number of the members' sexes and ages, 0 where not all are known; how many they are), by row of households."""
    whose = members.fields["household_id"].codes.astype(np.int64)
    sex, age = (_column(members, name) for name in ("sex", "age"))
    known = _known(age) & (whose > 0)
    person, _ = combined([sex.codes, age.codes], [len(sex.values), len(age.values)])
    order = np.lexsort((person, whose))
    whose, person, known = whose[order], person[order], known[order]
    start = np.flatnonzero(np.diff(whose, prepend=-1))
    width = len(households.ids.values)
    signature, size = np.zeros(width, dtype=np.int64), np.zeros(width, dtype=np.int64)
    numbers: dict[bytes, int] = {}
    for low, high in zip(start.tolist(), [*start[1:].tolist(), len(whose)], strict=True):
        owner = int(whose[low])
        if owner < width:
            size[owner] = high - low
            if known[low:high].all():
                signature[owner] = numbers.setdefault(person[low:high].tobytes(), len(numbers) + 1)
    ids = households.ids.codes
    told = _column(households, "persons")
    persons = np.array([value or 0 for value in told.values], dtype=np.int64)[told.codes]
    whole = size[ids] == persons
    return np.where(whole, signature[ids], 0), size[ids]


def _double_offers(offers: Reading | None) -> Iterator[Notice]:
    """Offers of one size and kind at one address: the same site, or the same coordinates. Where only the settlement is known,
    all that is said of the two must be the same, and be more than a little."""
    if not offers:
        return
    site, kind, rooms, capacity = (_column(offers, name).by(_key).codes for name in ("site_id", "kind", "rooms", "capacity"))
    spot = _column(offers, "spot")
    exact = _known(_column(offers, "exact"))
    point = spot.by(lambda found: (round(found.lat, 5), round(found.lon, 5))).codes
    details = [_column(offers, name).by(_key).codes for name in _DETAILS]
    told = np.sum([code > 0 for code in details], axis=0)
    usable = offers.sound & _known(spot)
    size = [kind, rooms, capacity]
    message = "looks like the offer on line {}: same address and size; nothing was merged"
    named: set[int] = set()
    for rows, keys in (
        (usable & (site > 0), [site, *size]),
        (usable & exact, [point, *size]),
        (usable & (told >= _FEW), [point, site, *size, *details]),
    ):
        for notice in _doubles(offers, np.flatnonzero(rows), keys, "likely_double_offer", message):
            if notice.line not in named:
                named.add(notice.line)
                yield notice


def _doubles(reading: Reading, rows: Ints, keys: Sequence[NDArray[Any]], code: str, message: str) -> Iterator[Notice]:
    """A notice for each row that has the keys of an earlier one. message: with a place for that one's line."""
    if not len(rows):
        return
    parts = [key[rows].astype(np.int64) for key in keys]
    number, first = combined(parts, [int(part.max()) + 1 for part in parts])
    for position in np.flatnonzero(first[number] != np.arange(len(rows))).tolist():
        earlier = int(rows[first[number[position]]])
        yield reading.notice(int(rows[position]), code, message.format(reading.line(earlier)))


def _unknown_accessibility(offers: Reading | None) -> Iterator[Notice]:
    """Open offers of which no feature at all is written down: they go to nobody who has a need."""
    if not offers:
        return
    told = _known(_column(offers, "features")) | _known(_column(offers, "need_capacity").by(lambda needs: needs or None))
    for row in np.flatnonzero(~told & _open(offers)).tolist():
        text = "no feature is written down, so nobody who needs step-free access, a lift or the like can be proposed for it"
        yield offers.notice(row, "unknown_accessibility", text)


def _over_capacity(offers: Reading | None, households: Reading | None, placements: Reading | None) -> Iterator[Notice]:
    """Offers whose accepted and moved-in households are more persons than its capacity; none where a protected household is."""
    if not offers or not households or not placements:
        return
    status, where, whose = (_column(placements, name) for name in ("status", "accommodation_id", "household_id"))
    fixed = np.array([value in ("accepted", "moved_in") for value in status.values], dtype=np.bool_)[status.codes]
    rows = np.flatnonzero(fixed & placements.sound)
    people, secret = _by_household(households, max(len(whose.values), len(households.ids.values)))
    width = max(len(where.values), len(offers.ids.values))
    persons = np.bincount(where.codes[rows], weights=people[whose.codes[rows]], minlength=width)
    hidden = np.bincount(where.codes[rows], weights=secret[whose.codes[rows]], minlength=width) > 0
    told = _column(offers, "capacity")
    capacity = np.array([-1 if value is None else value for value in told.values])[told.codes]
    here = persons[offers.ids.codes]
    for row in np.flatnonzero((capacity >= 0) & (here > capacity) & ~hidden[offers.ids.codes] & offers.sound).tolist():
        text = f"accepted and moved-in placements are {int(here[row])} persons, its capacity is {int(capacity[row])}; nobody is added"
        yield offers.notice(row, "over_capacity", text)


def _by_household(households: Reading, width: int) -> tuple[Ints, Ints]:
    """(persons, whether protected or not known to be open) by the code of the id."""
    people, secret = np.zeros(width, dtype=np.int64), np.ones(width, dtype=np.int64)
    told, protected = _column(households, "persons"), _column(households, "protected")
    ids = households.ids.codes
    people[ids] = np.array([value or 0 for value in told.values])[told.codes]
    secret[ids] = np.array([value is True for value in protected.values], dtype=np.int64)[protected.codes]
    return people, secret


def _stale(offers: Reading | None, today: date) -> Iterator[Notice]:
    """Open offers that were last confirmed long ago, or that have ended."""
    if not offers:
        return
    open_ = _open(offers)
    updated, until = _column(offers, "updated_at"), _column(offers, "available_until")
    for row in np.flatnonzero(_where_value(updated, lambda day: (today - day).days > STALE_DAYS) & open_).tolist():
        days = (today - updated.of(row)).days
        yield offers.notice(row, "stale_offer", f"last confirmed on {updated.of(row)}, {days} days ago; ask whether it still stands")
    for row in np.flatnonzero(_where_value(until, lambda day: day <= today) & open_).tolist():
        yield offers.notice(row, "stale_offer", f"`available_until` {until.of(row)} has passed; close it, or ask whether it still stands")


def _examples(reading: Reading | None) -> Iterator[Notice]:
    """Rows that a template came with."""
    if not reading:
        return
    for row in np.flatnonzero(_where_value(reading.ids, lambda text: text.startswith(EXAMPLE))).tolist():
        yield reading.notice(row, "example_row", f"an example of the template (its id begins with {EXAMPLE}): delete it")


def _open(offers: Reading) -> Flags:
    """Sound offers that are in use."""
    return ~_where_value(_column(offers, "status"), lambda status: status != "open") & offers.sound


def _column(reading: Reading, name: str) -> Field:
    """A field; all None where the file has no such column."""
    found = reading.fields.get(name)
    return Field(np.zeros(len(reading), dtype=np.int64), [None]) if found is None else found


def _known(field: Field) -> Flags:
    return _where_value(field, lambda value: bool(value) or value == 0)


def _where_value(field: Field, holds: Callable[[Any], bool]) -> Flags:
    """Rows with a value of which something holds."""
    return np.asarray(np.array([value is not None and holds(value) for value in field.values], dtype=np.bool_)[field.codes])


def _where(spot: Spot) -> Hashable:
    return spot.key if spot.key is not None else (spot.lat, spot.lon)


def _key(value: Any) -> Hashable:
    return _where(value) if isinstance(value, Spot) else value
