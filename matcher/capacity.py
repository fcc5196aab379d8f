"""Resources of the offers: what they hold, what fixed placements have taken, and whether one row counts every night."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matcher.columns import codes
from matcher.layers import Bools, Ints, Table
from matcher.lookup import Picked
from matcher.model import Accommodation, Standing
from matcher.parts import Parties
from matcher.problem import ANY_DATE, OPEN_END, Problem, Resource
from matcher.rooms import room_sets

CELLS = 1 << 22  # pairs that are looked at in one go


@dataclass(frozen=True)
class FixedUse:
    """One fixed party in its offer. stays: (arrival, leaves, persons, numbers of the needs it has) of each member."""

    offer: int
    stays: tuple[tuple[int, int, int, frozenset[int]], ...]
    rooms: tuple[int, ...]

    def present(self, date: int) -> list[tuple[int, int, int, frozenset[int]]]:
        """Members there in the night of `date`."""
        return [s for s in self.stays if date == ANY_DATE or s[0] <= date < s[1]]


def choose_fixed_rooms(
    parties: Sequence[tuple[str, ...]],
    fixed: Mapping[str, Standing],
    offer_of: Mapping[str, Accommodation],
    persons: Mapping[str, int],
    party_rooms: Mapping[str, int],
    stays: Mapping[str, tuple[int, int]],
) -> dict[str, tuple[int, ...]]:
    """Rooms of every fixed party, by its first id: as given, else the best set that is free all its nights, else the best set.

    Best: fewest beds, then fewest rooms, then the smallest sizes. Parties with given rooms come first, then by first id.
    party_rooms: rooms needed, by the party's first id. stays: (arrival, leaves) of each fixed household as day numbers.
    """
    taken: dict[str, tuple[int, ...]] = {}
    seated: dict[str, list[tuple[list[tuple[int, int]], tuple[int, ...]]]] = defaultdict(list)

    def seat(party: tuple[str, ...], rooms: tuple[int, ...]) -> None:
        taken[party[0]] = rooms
        seated[fixed[party[0]].accommodation_id].append(([stays[h] for h in party], rooms))

    waiting = []
    for party in parties:
        offer = offer_of[fixed[party[0]].accommodation_id]
        given = tuple(sorted(size for h in party for size in fixed[h].rooms or ()))
        if given or not offer.rooms or not offer.shared:
            seat(party, given or tuple(sorted(offer.rooms or ())))
        else:
            waiting.append(party)
    for party in waiting:
        offer = offer_of[fixed[party[0]].accommodation_id]
        people, count = sum(persons[h] for h in party), party_rooms[party[0]]
        sets = room_sets(offer.rooms or (), people, count)
        left = _left_all_nights(Counter(offer.rooms), [stays[h] for h in party], seated[offer.accommodation_id])
        fitting = [s for s in sets if all(left[size] >= n for size, n in Counter(s).items())]
        seat(party, (fitting or sets or [tuple(sorted(offer.rooms or ()))])[0])
    return taken


def _left_all_nights(
    rooms: Counter[int], own: list[tuple[int, int]], others: Sequence[tuple[list[tuple[int, int]], tuple[int, ...]]]
) -> Counter[int]:
    """Rooms of each size that nobody else has in any night that one of `own` is there."""

    def there(stays: list[tuple[int, int]], night: int) -> bool:
        return any(arrival <= night < leaves for arrival, leaves in stays)

    nights = {arrival for arrival, _ in own} | {arrival for stays, _ in others for arrival, _ in stays}
    left = Counter(rooms)
    for night in nights:
        if there(own, night):
            used = Counter(size for stays, taken in others if there(stays, night) for size in taken)
            for size in left:
                left[size] = min(left[size], rooms[size] - used[size])
    return left


def with_resources(problem: Problem, accommodations: Picked, need_words: Sequence[str], fixed: Sequence[FixedUse]) -> Problem:
    """The problem with its resources. An offer gets rows by arrival date only where two stays there may not overlap."""
    dated = arrival_dates(problem, fixed)
    here: dict[int, list[FixedUse]] = defaultdict(list)
    for use in fixed:
        here[use.offer].append(use)
    code, kinds = codes(accommodations, "shared", "capacity", "rooms", "features", "need_capacity")
    numbers = {word: i for i, word in enumerate(need_words)}
    holds = [_Holds(shared, capacity, rooms, features, limits, numbers) for shared, capacity, rooms, features, limits in kinds]
    empty = [_rows(held, ANY_DATE, []) for held in holds]
    resources: list[Resource] = []
    by_offer: list[tuple[int, ...]] = []
    for a, k in enumerate(code.tolist()):
        first = len(resources)
        if a in here or a in dated:
            rows = [(date, row) for date in dated.get(a, [ANY_DATE]) for row in _rows(holds[k], date, here[a])]
            resources += [Resource(a, kind, size, date, left) for date, (kind, size, left) in rows]
        else:
            resources += [Resource(a, kind, size, ANY_DATE, left) for kind, size, left in empty[k]]
        by_offer.append(tuple(range(first, len(resources))))
    return replace(problem, resources=tuple(resources), resources_of=tuple(by_offer))


def arrival_dates(problem: Problem, fixed: Iterable[FixedUse]) -> dict[int, list[int]]:
    """Offers where two stays that are or may be there do not overlap, each with the arrival dates of all stays that are or may be.

    A stay of no nights overlaps none, itself neither. Only stays that begin late or end early can be one of such two, so only
    their households are held against the offers, and against those alone that are still in doubt.
    """
    stays = [(use.offer, stay[0], stay[1]) for use in fixed for stay in use.stays]
    arrival, leaves = _of_parties(problem)
    last = max([int(arrival.max(initial=ANY_DATE)), *(stay[1] for stay in stays)])
    first = min([int(leaves.min(initial=OPEN_END)), *(stay[2] for stay in stays)])
    if last < first:
        return {}
    latest = np.full(problem.offers, ANY_DATE)
    earliest = np.full(problem.offers, OPEN_END)
    for offer, begins, ends in stays:
        latest[offer], earliest[offer] = max(latest[offer], begins), min(earliest[offer], ends)
    open_to_any = np.flatnonzero(_may_hold(problem))
    late = np.flatnonzero(arrival >= first)
    for q, offers in _first_eligible(problem, late[np.argsort(-arrival[late], kind="stable")], open_to_any):
        latest[offers] = np.maximum(latest[offers], arrival[q])
    early = np.flatnonzero(leaves <= last)
    doubtful = open_to_any[latest[open_to_any] >= first]
    for q, offers in _first_eligible(problem, early[np.argsort(leaves[early], kind="stable")], doubtful):
        earliest[offers] = np.minimum(earliest[offers], leaves[q])
    return _dates_of(problem, np.flatnonzero(latest >= earliest), stays)


def _dates_of(problem: Problem, offers: Ints, stays: Sequence[tuple[int, int, int]]) -> dict[int, list[int]]:
    """All arrival dates at each of these offers."""
    dates: dict[int, set[int]] = {int(a): set() for a in offers}
    for offer, begins, _ in stays:
        if offer in dates:
            dates[offer].add(begins)
    for days, parties in _by_arrivals(problem):
        for _, found in _first_eligible(problem, parties, offers):
            for a in found.tolist():
                dates[a].update(days)
    return {a: sorted(days) for a, days in dates.items()}


def _of_parties(problem: Problem) -> tuple[Ints, Ints]:
    """(latest arrival, earliest leaving) of the members of each party; of parties that are barred, nobody ever stays."""
    parties = Parties.of(problem.parties)
    arrival, leaves = np.full(len(parties), ANY_DATE), np.full(len(parties), OPEN_END)
    np.maximum.at(arrival, parties.owner, problem.arrival[parties.member])
    np.minimum.at(leaves, parties.owner, problem.leaves[parties.member])
    return np.where(problem.barred, ANY_DATE, arrival), np.where(problem.barred, OPEN_END, leaves)


def _by_arrivals(problem: Problem) -> list[tuple[tuple[int, ...], Ints]]:
    """The parties whose members arrive on the same days, with these days."""
    parties = Parties.of(problem.parties)
    alone = np.flatnonzero(np.diff(parties.start) == 1)
    days = problem.arrival[parties.member[parties.start[alone]]]
    out = [((day,), alone[days == day]) for day in np.unique(days).tolist()]
    return out + [
        (tuple(problem.arrival[list(parties[q])].tolist()), np.array([q])) for q in np.flatnonzero(np.diff(parties.start) != 1).tolist()
    ]


def _may_hold(problem: Problem) -> Bools:
    """Offers that every rule opens to some class of households."""
    out = np.ones(problem.offers, dtype=np.bool_)
    for layer in problem.rules:
        if isinstance(layer, Table):
            out &= np.any(layer.value > 0, axis=0)[layer.column]
    return out


def _first_eligible(problem: Problem, parties: Ints, offers: Ints) -> Iterator[tuple[int, Ints]]:
    """For each of the offers the first of the parties, in their order, that may go there; offers of one party come together.

    Most offers are open to one of the first few, so what is left to look at soon gets small.
    """
    low = 0
    while low < len(parties) and len(offers):
        block = parties[low : low + max(1, min(4096, CELLS // len(offers)))]
        allowed = problem.eligible(block, offers)
        found, which = allowed.any(axis=0), allowed.argmax(axis=0)
        for i in np.unique(which[found]).tolist():
            yield int(block[i]), offers[found & (which == i)]
        offers = offers[~found]
        low += len(block)


@dataclass(frozen=True)
class _Holds:
    """What an offer holds, as far as its resources depend on it; the numbers of the need words besides."""

    shared: bool
    capacity: int
    rooms: tuple[int, ...] | None
    features: frozenset[str]
    need_capacity: tuple[tuple[str, int], ...]
    numbers: Mapping[str, int]


def _rows(offer: _Holds, date: int, fixed: Sequence[FixedUse]) -> list[tuple[str, int, int]]:
    """(kind, size, capacity) of the rows of one offer for one date (or every night).

    A need that stands in the features has no row of its own. An offer not shared needs no row of persons: rule `size` keeps its
    one party within the capacity.
    """
    there = [(use, present) for use in fixed if (present := use.present(date))]
    people = [stay for _, present in there for stay in present]
    rows = []
    if offer.shared:
        rows.append(("persons", 0, max(0, offer.capacity - sum(s[2] for s in people))))
        taken = Counter(size for use, _ in there for size in use.rooms)
        for size, number in sorted(Counter(offer.rooms or ()).items()):
            rows.append(("rooms", size, max(0, number - taken[size])))
    else:
        rows.append(("unit", 0, max(0, 1 - len(there))))
    for word, limit in offer.need_capacity:
        if word not in offer.features:
            number = offer.numbers[word]
            rows.append(("need", number, max(0, limit - sum(s[2] for s in people if number in s[3]))))
    return rows
