"""What holds between rows: unique ids, references, counts and ties that agree. Pure: columns in, faults and notices out.

Whole columns are compared first; only the few rows that show something are looked at one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence

import numpy as np

from matcher.columns import combined
from matcher.errors import Fault
from matcher.model import Notice, Spot
from matcher.reading import Ints, Reading, Readings

_LINES_NAMED = 5
_UNKNOWN = {"households": "unknown_household", "accommodations": "unknown_accommodation"}


def cross_faults(readings: Readings, unread: Collection[str] = ()) -> list[Fault]:
    """All faults that only several rows together show, in no particular order.

    unread: sheets whose file could not be read as a whole; what leads to them is not judged.
    """
    return [
        *_duplicates(readings.get("households"), "duplicate_id"),
        *_duplicates(readings.get("accommodations"), "duplicate_id"),
        *_duplicates(readings.get("members"), "duplicate_id"),
        *_duplicates(readings.get("placements"), "duplicate_placement"),
        *duplicate_places(readings.get("places")),
        *_duplicate_pairs(readings.get("travel")),
        *_unknown_references(readings, unread),
        *_persons_differ(readings.get("households"), readings.get("members")),
        *_tie_contradictions(readings.get("ties")),
    ]


def cross_notices(readings: Readings) -> list[Notice]:
    """What several rows together show that a user should know, though it is no fault."""
    return [*_repeated_ties(readings.get("ties")), *_rooms_not_offered(readings.get("placements"), readings.get("accommodations"))]


def duplicate_places(places: Reading | None) -> list[Fault]:
    """Ids that stand twice in places.csv; told apart from the rest because places are resolved before other rows are read."""
    return list(_duplicates(places, "duplicate_id"))


def _grouped(key: Ints, rows: Ints | None = None) -> Iterable[list[int]]:
    """Rows with equal keys, where there are two or more. key: of each row (of rows, where given); 0 is no key."""
    count = np.bincount(key, minlength=1)
    count[0] = 0
    found = np.flatnonzero(count[key] > 1)
    groups: dict[int, list[int]] = {}
    for k, row in zip(key[found].tolist(), (found if rows is None else rows[found]).tolist(), strict=True):
        groups.setdefault(k, []).append(row)
    return groups.values()


def _others(reading: Reading, group: Sequence[int], row: int) -> str:
    """`line 3`, `lines 3, 7`, … of the other rows of a group, a few of them."""
    lines = [reading.line(other) for other in group[: _LINES_NAMED + 1] if other != row][:_LINES_NAMED]
    more = len(group) - 1 - len(lines)
    text = ("line " if len(group) == 2 else "lines ") + ", ".join(lines)
    return f"{text} and {more} more" if more else text


def _duplicates(reading: Reading | None, code: str) -> Iterator[Fault]:
    """Every row of a repeated id is at fault: which one is meant is not for the program to guess."""
    if reading is None:
        return
    for group in _grouped(reading.ids.codes):
        for row in group:
            message = f"{_shown(reading.ids.of(row))} also stands on {_others(reading, group, row)}"
            yield reading.fault(row, reading.id_column, code, message)


def _duplicate_pairs(travel: Reading | None) -> Iterator[Fault]:
    """Pairs are compared as resolved: `Kyiv` and `Київ` are one place."""
    if travel is None:
        return
    origin, destination = (travel.fields[name].by(lambda spot: (spot.key,)) for name in ("origin", "destination"))
    pair, _ = combined([origin.codes, destination.codes], [len(origin.values), len(destination.values)])
    for group in _grouped(np.where((origin.codes > 0) & (destination.codes > 0), pair + 1, 0)):
        for row in group:
            message = f"the same pair, in the same direction, also stands on {_others(travel, group, row)}"
            yield travel.fault(row, "from", "duplicate_pair", message)


def _unknown_references(readings: Readings, unread: Collection[str]) -> Iterator[Fault]:
    """Ids that no row has. What a malformed row may be about is not called unknown."""
    for reading in readings.values():
        for reference in reading.references:
            codes = reference.field.codes
            if reference.sheet in unread or not codes.any():
                continue
            named = readings[reference.sheet]
            known = np.zeros(len(reference.field.values), dtype=bool)
            if len(named):
                assert named.ids.values is reference.field.values  # ids and what names them are numbered together
                known[named.ids.codes] = True
            known[0] = True
            guesses = named.guesses
            for row in np.flatnonzero(~known[codes]).tolist():
                text = reference.field.of(row)
                if text not in guesses:
                    message = f"no row of {reference.sheet} has the id {_shown(text)}"
                    yield reading.fault(row, reference.column, _UNKNOWN[reference.sheet], message)


def _persons_differ(households: Reading | None, members: Reading | None) -> Iterator[Fault]:
    """`persons` against the rows of members.csv. A member row that cannot be read may be anyone's, so it may fill one gap."""
    if not households or not members:
        return
    whose = members.fields["household_id"].codes
    anyones = int(np.count_nonzero(whose == 0)) + len(members.malformed)
    persons = households.fields["persons"]
    told = np.array([value or 0 for value in persons.values])[persons.codes]
    count = np.bincount(whose, minlength=len(households.ids.values))[households.ids.codes]
    count[households.ids.codes == 0] = 0
    for row in np.flatnonzero((told > 0) & (count > 0) & ((count > told) | (told > count + anyones))).tolist():
        rows = f"{count[row]} row{'' if count[row] == 1 else 's'}"
        yield households.fault(row, "persons", "persons_differ", f"persons is {told[row]}, but members has {rows} of this household")


def _where(spot: Spot) -> Hashable:
    return spot.key if spot.key is not None else (spot.lat, spot.lon)


def _ties_by_pair(ties: Reading) -> Iterable[list[int]]:
    """The sound ties of each pair that has two or more.

    A pair is two households in either order, or a household and a place or accommodation.
    """
    rows = np.flatnonzero(ties.sound)
    household, other = (ties.fields[name].codes[rows] for name in ("household_id", "other_household_id"))
    offer, place = ties.fields["accommodation_id"].codes[rows], ties.fields["spot"].by(_where).codes[rows]
    between = other > 0
    ends = [np.where(between, np.minimum(household, other), household), np.where(between, np.maximum(household, other), 0), offer, place]
    pair, _ = combined(ends, [int(end.max(initial=0)) + 1 for end in ends])
    return _grouped(pair + 1, rows)


def _tie_contradictions(ties: Reading | None) -> Iterator[Fault]:
    """`apart` and a required `same_…` cannot both hold: each row that takes part is at fault."""
    if ties is None:
        return
    kind, required = ties.fields["kind"], ties.fields["required"]
    for group in _ties_by_pair(ties):
        apart = [row for row in group if kind.of(row) == "apart"]
        same = [row for row in group if required.of(row) and kind.of(row).startswith("same_")]
        if not apart or not same:
            continue
        for row in apart:
            message = f"`apart`, but line {ties.line(same[0])} requires `same_…` for this pair"
            yield ties.fault(row, "kind", "tie_contradiction", message)
        for row in same:
            message = f"a required `same_…`, but line {ties.line(apart[0])} has `apart` for this pair"
            yield ties.fault(row, "kind", "tie_contradiction", message)


def _repeated_ties(ties: Reading | None) -> Iterator[Notice]:
    """Rows of one pair and one kind: each counts, which is seldom meant."""
    if ties is None:
        return
    kind = ties.fields["kind"]
    for group in _ties_by_pair(ties):
        first: dict[str, int] = {}
        for row in group:
            earlier = first.setdefault(kind.of(row), row)
            if earlier != row:
                yield ties.notice(row, "repeated_tie", f"repeats or reverses the tie on line {ties.line(earlier)}; each counts")


def _rooms_not_offered(placements: Reading | None, offers: Reading | None) -> Iterator[Notice]:
    """Rooms taken that the offer does not have: a fact is kept as it is, but someone should look at it."""
    if not placements or not offers:
        return
    taken, where = placements.fields["rooms"], placements.fields["accommodation_id"]
    offer_of = np.full(max(len(where.values), len(offers.ids.values)), -1)
    sound = np.flatnonzero(offers.sound)
    offer_of[offers.ids.codes[sound]] = sound
    for row in np.flatnonzero(placements.sound).tolist():
        offer = int(offer_of[where.codes[row]])
        rooms = taken.of(row)
        if rooms is not None and offer >= 0 and Counter(rooms) - Counter(offers.fields["rooms"].of(offer) or ()):
            yield placements.notice(row, "rooms_not_offered", "the rooms taken are not among the rooms of the accommodation")


def _shown(text: str | None) -> str:
    return repr(text if text is None or len(text) <= 40 else text[:40] + "…")
