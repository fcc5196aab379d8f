"""What holds between rows: unique ids, references, counts and ties that agree. Pure: rows in, faults and notices out.

Reading (`matcher.io`) turns each row of each file into an `Entry`, whether or not all of its cells could be understood, so that
one pass finds every fault of every file.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matcher.errors import Fault
from matcher.model import Accommodation, Notice, Row, Spot, Standing, Tie

_LINES_NAMED = 5


@dataclass(frozen=True, slots=True)
class Reference:
    """A cell that names a row of another file: its column, the sheet it leads to, and the id it holds."""

    column: str
    sheet: str
    id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as far as it could be read.

    sheet: file of the format, without suffix. file, line: as in Fault. id: cell that names the row, or whose it is; None where it
    could not be read. values: fields that could be read. references: ids of other files that it names. faults: of this row alone.
    row: the model, None where the row has faults. malformed: its cells cannot be told apart (quotes, number of cells).
    guess: of a malformed row, what stands where the id should; never shown, only used to recognise what others mean.
    """

    sheet: str
    file: str
    line: int
    id: str | None
    values: Mapping[str, Any]
    references: tuple[Reference, ...] = ()
    faults: tuple[Fault, ...] = ()
    row: Row | None = None
    malformed: bool = False
    guess: str | None = None

    def fault(self, column: str, code: str, message: str) -> Fault:
        """A fault of this row."""
        return Fault(self.file, self.line, column, code, message)

    def notice(self, code: str, message: str) -> Notice:
        """A notice about this row."""
        return Notice(file=self.file, line=self.line, code=code, message=message)


Rows = Mapping[str, Sequence[Entry]]


def cross_faults(rows: Rows, unread: Collection[str] = ()) -> list[Fault]:
    """All faults that only several rows together show, in no particular order.

    unread: sheets whose file could not be read as a whole; what leads to them is not judged.
    """
    return [
        *_duplicates(rows.get("households", ()), "household_id", "duplicate_id"),
        *_duplicates(rows.get("accommodations", ()), "accommodation_id", "duplicate_id"),
        *_duplicates(rows.get("members", ()), "member_id", "duplicate_id"),
        *_duplicates(rows.get("placements", ()), "household_id", "duplicate_placement"),
        *duplicate_places(rows.get("places", ())),
        *_duplicate_pairs(rows.get("travel", ())),
        *_unknown_references(rows, unread),
        *_persons_differ(rows.get("households", ()), rows.get("members", ())),
        *_tie_contradictions(rows.get("ties", ())),
    ]


def cross_notices(rows: Rows) -> list[Notice]:
    """What several rows together show that a user should know, though it is no fault."""
    return [*_repeated_ties(rows.get("ties", ())), *_rooms_not_offered(rows.get("placements", ()), rows.get("accommodations", ()))]


def duplicate_places(places: Sequence[Entry]) -> list[Fault]:
    """Ids that stand twice in places.csv; told apart from the rest because places are resolved before other rows are read."""
    return list(_duplicates(places, "place_id", "duplicate_id"))


def ids_of(entries: Iterable[Entry]) -> frozenset[str]:
    """The ids that could be read."""
    return frozenset(entry.id for entry in entries if entry.id is not None)


def guesses_of(entries: Iterable[Entry]) -> frozenset[str]:
    """What stands in the id cell of malformed rows."""
    return frozenset(entry.guess for entry in entries if entry.guess is not None)


def _grouped(entries: Iterable[Entry], key: Callable[[Entry], Hashable]) -> Iterator[list[Entry]]:
    """Entries with equal keys, where there are two or more; None is no key."""
    groups: defaultdict[Hashable, list[Entry]] = defaultdict(list)
    for entry in entries:
        value = key(entry)
        if value is not None:
            groups[value].append(entry)
    return (group for group in groups.values() if len(group) > 1)


def _others(group: Sequence[Entry], entry: Entry) -> str:
    """`line 3`, `lines 3, 7`, … of the other entries of a group, a few of them."""
    lines = [other.line for other in group[: _LINES_NAMED + 1] if other is not entry][:_LINES_NAMED]
    more = len(group) - 1 - len(lines)
    text = ("line " if len(group) == 2 else "lines ") + ", ".join(map(str, lines))
    return f"{text} and {more} more" if more else text


def _duplicates(entries: Iterable[Entry], column: str, code: str) -> Iterator[Fault]:
    """Every row of a repeated id is at fault: which one is meant is not for the program to guess."""
    for group in _grouped(entries, lambda entry: entry.id):
        for entry in group:
            yield entry.fault(column, code, f"{_shown(entry.id)} also stands on {_others(group, entry)}")


def _duplicate_pairs(travel: Iterable[Entry]) -> Iterator[Fault]:
    """Pairs are compared as resolved: `Kyiv` and `Київ` are one place."""

    def pair(entry: Entry) -> tuple[str | None, str | None] | None:
        origin, destination = entry.values.get("origin"), entry.values.get("destination")
        return None if origin is None or destination is None else (origin.key, destination.key)

    for group in _grouped(travel, pair):
        for entry in group:
            yield entry.fault("from", "duplicate_pair", f"the same pair, in the same direction, also stands on {_others(group, entry)}")


def _unknown_references(rows: Rows, unread: Collection[str]) -> Iterator[Fault]:
    """Ids that no row has. What a malformed row may be about is not called unknown."""
    codes = {"households": "unknown_household", "accommodations": "unknown_accommodation"}
    known = {sheet: ids_of(rows.get(sheet, ())) | guesses_of(rows.get(sheet, ())) for sheet in codes}
    for entries in rows.values():
        for entry in entries:
            for reference in entry.references:
                if reference.sheet not in unread and reference.id not in known[reference.sheet]:
                    message = f"no row of {reference.sheet} has the id {_shown(reference.id)}"
                    yield entry.fault(reference.column, codes[reference.sheet], message)


def _persons_differ(households: Iterable[Entry], members: Sequence[Entry]) -> Iterator[Fault]:
    """`persons` against the rows of members.csv. A member row that cannot be read may be anyone's, so it may fill one gap."""
    counts = Counter(entry.values["household_id"] for entry in members if "household_id" in entry.values)
    anyones = sum("household_id" not in entry.values for entry in members)
    for entry in households:
        persons = entry.values.get("persons")
        count = counts.get(entry.id) if entry.id is not None else None
        if persons is None or count is None or count <= persons <= count + anyones:
            continue
        message = f"persons is {persons}, but members has {count} row{'' if count == 1 else 's'} of this household"
        yield entry.fault("persons", "persons_differ", message)


def tie_pair(tie: Tie) -> Hashable:
    """What a tie joins: two households in either order, or a household and a place or accommodation."""
    if tie.other_household_id is not None:
        return frozenset((tie.household_id, tie.other_household_id))
    if tie.accommodation_id is not None:
        return tie.household_id, "accommodation", tie.accommodation_id
    return tie.household_id, "place", _where(tie.spot)


def _where(spot: Spot | None) -> Hashable:
    if spot is None:
        return None
    return spot.key if spot.key is not None else (spot.lat, spot.lon)


def _ties_by_pair(entries: Iterable[Entry]) -> Iterator[list[tuple[Entry, Tie]]]:
    """The sound ties of each pair that has two or more."""
    sound = [entry for entry in entries if isinstance(entry.row, Tie)]
    for group in _grouped(sound, lambda entry: tie_pair(entry.row) if isinstance(entry.row, Tie) else None):
        yield [(entry, entry.row) for entry in group if isinstance(entry.row, Tie)]


def _tie_contradictions(entries: Iterable[Entry]) -> Iterator[Fault]:
    """`apart` and a required `same_…` cannot both hold: each row that takes part is at fault."""
    for group in _ties_by_pair(entries):
        apart = [entry for entry, tie in group if tie.kind == "apart"]
        same = [entry for entry, tie in group if tie.required and tie.kind.startswith("same_")]
        if not apart or not same:
            continue
        for entry in apart:
            yield entry.fault("kind", "tie_contradiction", f"`apart`, but line {same[0].line} requires `same_…` for this pair")
        for entry in same:
            yield entry.fault("kind", "tie_contradiction", f"a required `same_…`, but line {apart[0].line} has `apart` for this pair")


def _repeated_ties(entries: Iterable[Entry]) -> Iterator[Notice]:
    """Rows of one pair and one kind: each counts, which is seldom meant."""
    for group in _ties_by_pair(entries):
        first: dict[str, Entry] = {}
        for entry, tie in group:
            earlier = first.setdefault(tie.kind, entry)
            if earlier is not entry:
                yield entry.notice("repeated_tie", f"repeats or reverses the tie on line {earlier.line}; each counts")


def _rooms_not_offered(placements: Iterable[Entry], accommodations: Iterable[Entry]) -> Iterator[Notice]:
    """Rooms taken that the offer does not have: a fact is kept as it is, but someone should look at it."""
    offers = {entry.id: entry.row for entry in accommodations if isinstance(entry.row, Accommodation)}
    for entry in placements:
        standing = entry.row
        if not isinstance(standing, Standing) or standing.rooms is None:
            continue
        offer = offers.get(standing.accommodation_id)
        if offer is not None and Counter(standing.rooms) - Counter(offer.rooms or ()):
            yield entry.notice("rooms_not_offered", "the rooms taken are not among the rooms of the accommodation")


def _shown(text: str | None) -> str:
    return repr(text if text is None or len(text) <= 40 else text[:40] + "…")
