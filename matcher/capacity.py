"""Resources of the offers: what they hold, what fixed placements have taken, and whether one row counts every night."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from matcher.model import Accommodation, Standing
from matcher.problem import ANY_DATE, Problem, Resource
from matcher.rooms import room_sets


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
    rooms_needed: Mapping[str, int],
    stays: Mapping[str, tuple[int, int]],
) -> dict[str, tuple[int, ...]]:
    """Rooms of every fixed party, by its first id: as given, else the best set that is free all its nights, else the best set.

    Best: fewest beds, then fewest rooms, then the smallest sizes. Parties with given rooms come first, then by first id.
    stays: (arrival, leaves) of each fixed household as day numbers.
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
        people, count = sum(persons[h] for h in party), sum(rooms_needed[h] for h in party)
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


def with_resources(
    problem: Problem, accommodations: Sequence[Accommodation], need_words: Sequence[str], fixed: Sequence[FixedUse]
) -> Problem:
    """The problem with its resources. An offer gets rows by arrival date only where two stays there may not overlap."""
    stays = _stays(problem, fixed)
    resources: list[Resource] = []
    by_offer: list[tuple[int, ...]] = []
    for a, offer in enumerate(accommodations):
        overlap = not stays[a] or max(arrival for arrival, _ in stays[a]) < min(leaves for _, leaves in stays[a])
        dates = [ANY_DATE] if overlap else sorted({arrival for arrival, _ in stays[a]})
        here = [use for use in fixed if use.offer == a]
        rows = [row for date in dates for row in _rows(a, offer, need_words, date, here)]
        by_offer.append(tuple(range(len(resources), len(resources) + len(rows))))
        resources.extend(rows)
    return replace(problem, resources=tuple(resources), resources_of=tuple(by_offer))


def _stays(problem: Problem, fixed: Iterable[FixedUse]) -> list[set[tuple[int, int]]]:
    """By offer: (arrival, leaves) of all stays that are or may be there."""
    stays: list[set[tuple[int, int]]] = [set() for _ in range(problem.offers)]
    every = np.arange(problem.offers)
    for low in range(0, len(problem.parties), 256):
        block = np.arange(low, min(low + 256, len(problem.parties)))
        eligible = problem.eligible(block, every)
        for i, q in enumerate(block):
            own = {(int(problem.arrival[h]), int(problem.leaves[h])) for h in problem.parties[q]}
            for a in np.flatnonzero(eligible[i]):
                stays[a] |= own
    for use in fixed:
        stays[use.offer] |= {(s[0], s[1]) for s in use.stays}
    return stays


def _rows(a: int, offer: Accommodation, need_words: Sequence[str], date: int, fixed: Sequence[FixedUse]) -> list[Resource]:
    """Rows of one offer for one date (or every night). A need that stands in the features has no row of its own.

    An offer not shared needs no row of persons: rule `size` keeps its one party within the capacity.
    """
    there = [(use, present) for use in fixed if (present := use.present(date))]
    people = [stay for _, present in there for stay in present]
    rows = []
    if offer.shared:
        rows.append(Resource(a, "persons", 0, date, max(0, offer.capacity - sum(s[2] for s in people))))
        taken = Counter(size for use, _ in there for size in use.rooms)
        for size, number in sorted(Counter(offer.rooms or ()).items()):
            rows.append(Resource(a, "rooms", size, date, max(0, number - taken[size])))
    else:
        rows.append(Resource(a, "unit", 0, date, max(0, 1 - len(there))))
    for word, limit in offer.need_capacity:
        if word not in offer.features:
            number = need_words.index(word)
            rows.append(Resource(a, "need", number, date, max(0, limit - sum(s[2] for s in people if number in s[3]))))
    return rows
