"""Who lives where with which rooms, and what that uses of an offer in a night."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from matcher.check.exact import Ints
from matcher.check.roles import components
from matcher.check.rooms import minimal_sets
from matcher.check.world import Party, Stay, World
from matcher.model import Accommodation
from matcher.result import PlacementRow

Stays = frozenset[Stay]


@dataclass(frozen=True, slots=True)
class Seat:
    """A party in an offer. rooms: sizes taken, ascending; () where none are counted."""

    party: Party
    accommodation_id: str
    rooms: tuple[int, ...]


@dataclass(frozen=True)
class Housed:
    """Rows of a plan that name a household and an offer of the instance, one for each household.

    who, where: positions of household and offer of each row. row_of: length N, which row a household has, or -1.
    """

    rows: Sequence[PlacementRow]
    who: Ints
    where: Ints
    row_of: Ints

    def offer_of(self, world: World, household_id: str) -> Accommodation | None:
        """Where a household lives in this plan."""
        position = world.households.position.get(household_id)
        row = -1 if position is None else int(self.row_of[position])
        return None if row < 0 else world.offers.rows[int(self.where[row])]


@dataclass(frozen=True)
class Seating:
    """All seats, those of facts first. facts: how many these are. By seat: first (position of the household whose row tells the
    rooms), offer (position), persons, needed (rooms), rooms (sizes taken). several: seat → its party, where it is of several."""

    world: World
    facts: int
    first: Ints
    offer: Ints
    persons: Ints
    needed: Ints
    rooms: Sequence[tuple[int, ...]]
    several: Mapping[int, Party]

    def party(self, k: int) -> Party:
        """The party in that seat."""
        alone = Party((self.world.households.ids[self.first[k]],), int(self.persons[k]), int(self.needed[k]))
        return self.several.get(k, alone)

    def seat(self, k: int) -> Seat:
        """One seat by itself."""
        return Seat(self.party(k), self.world.offers.ids[self.offer[k]], self.rooms[k])

    def in_offer(self, offer: int) -> tuple[list[Seat], list[Seat]]:
        """(facts, others) in the offer at that position."""
        here = [int(k) for k in np.flatnonzero(self.offer == offer)]
        return [self.seat(k) for k in here if k < self.facts], [self.seat(k) for k in here if k >= self.facts]


def housed(world: World, placed: Iterable[PlacementRow]) -> Housed:
    """Rows that name what there is; of two for one household the last."""
    people, offers = world.households.position, world.offers.position
    rows = {row.household_id: row for row in placed if row.household_id in people and row.accommodation_id in offers}
    who = np.array([people[i] for i in rows], dtype=np.int64)
    row_of = np.full(len(people), -1, dtype=np.int64)
    row_of[who] = np.arange(len(who))
    return Housed(list(rows.values()), who, np.array([offers[row.accommodation_id] for row in rows.values()], dtype=np.int64), row_of)


def housed_facts(world: World) -> Housed:
    """The fixed ones alone, without rows."""
    who = np.array([world.households.position[i] for i in world.fixed], dtype=np.int64)
    row_of = np.full(len(world.households), -1, dtype=np.int64)
    row_of[who] = np.arange(len(who))
    return Housed((), who, np.array([world.offers.position[a] for a in world.fixed.values()], dtype=np.int64), row_of)


def seat_all(world: World, plan: Housed, fixed: Sequence[Seat]) -> tuple[Seating, list[str]]:
    """Everybody's seat, and a fault for each party that is not whole; what is left of a torn one counts as it stands."""
    position = world.households.position
    seats, faults = _joined_seats(world, plan)
    seats = [*fixed, *seats]
    alone = np.ones(len(plan.who), dtype=bool)
    for i in (*world.fixed, *world.joined):
        if (row := int(plan.row_of[position[i]])) >= 0:
            alone[row] = False
    single = np.flatnonzero(alone)
    who = plan.who[single]

    def joint(values: list[int], rest: Ints) -> Ints:
        return np.concatenate((np.array(values, dtype=np.int64), rest))

    return Seating(
        world=world,
        facts=len(fixed),
        first=joint([position[seat.party.ids[0]] for seat in seats], who),
        offer=joint([world.offers.position[seat.accommodation_id] for seat in seats], plan.where[single]),
        persons=joint([seat.party.persons for seat in seats], world.persons[who]),
        needed=joint([seat.party.rooms_needed for seat in seats], world.rooms_needed[who]),
        rooms=[*(seat.rooms for seat in seats), *(plan.rows[row].rooms for row in single.tolist())],
        several={k: seat.party for k, seat in enumerate(seats) if len(seat.party.ids) > 1},
    ), faults  # fmt: skip


def _joined_seats(world: World, plan: Housed) -> tuple[list[Seat], list[str]]:
    """Seats of free parties of several, and what is torn."""
    seats: list[Seat] = []
    faults: list[str] = []
    for party in {party.ids: party for party in world.joined.values()}.values():
        rows = {i: plan.rows[row] for i in party.ids if (row := int(plan.row_of[world.households.position[i]])) >= 0}
        groups: dict[str, list[str]] = {taken.accommodation_id: [] for taken in rows.values()}
        for i, taken in rows.items():
            groups[taken.accommodation_id].append(i)
        if len(groups) > 1 or any(len(ids) < len(party.ids) for ids in groups.values()):
            faults.append(f"[party] {' and '.join(party.ids)} are placed together or not at all")
        for accommodation_id, ids in groups.items():
            whole = party if len(ids) == len(party.ids) else world.party(ids)
            seats.append(Seat(whole, accommodation_id, tuple(room for i in ids for room in rows[i].rooms)))
    return seats, faults


def capacities(offer: Accommodation) -> dict[str, int]:
    """Resources of an offer and how much there is of each."""
    have = {"persons": offer.capacity}
    if not offer.shared:
        have["unit"] = 1
    for room, number in Counter(offer.rooms or ()).items():
        have[f"rooms:{room}"] = number
    return have | {f"need:{word}": number for word, number in offer.need_capacity}


def use(world: World, seat: Seat, night: dt.date | None) -> Counter[str]:
    """What the party uses of its offer that night (None: with all its stays that are not empty)."""
    present = [i for i in seat.party.ids if world.stay(i).present(night)]
    used: Counter[str] = Counter()
    if not present:
        return used
    offer = world.offer(seat.accommodation_id)
    used["persons"] = sum(int(world.persons[world.households.position[i]]) for i in present)
    if not offer.shared:
        used["unit"] = 1
    used.update(f"rooms:{room}" for room in seat.rooms)
    for word, _ in offer.need_capacity:
        if word not in offer.features:
            used[f"need:{word}"] = sum(h.persons for h in (world.households[i] for i in present) if word in h.needs)
    return used


def use_of_all(world: World, seats: Iterable[Seat], night: dt.date | None) -> Counter[str]:
    """What all of them use together."""
    total: Counter[str] = Counter()
    for seat in seats:
        total.update(use(world, seat, night))
    return total


def arrivals(world: World, parties: Iterable[Party]) -> list[dt.date]:
    """The days on which someone of the parties arrives; use of anything is highest on one of them."""
    return sorted({world.stay(i).arrival for party in parties for i in party.ids})


def fixed_seats(world: World) -> list[Seat]:
    """Everybody who is kept, with the rooms given or, where none are, the best set that the others leave."""
    pairs = [
        (tie.household_id, tie.other_household_id)
        for tie in world.links
        if tie.binds and tie.kind == "same_accommodation" and tie.other_household_id is not None
        if world.fixed.get(tie.household_id) == world.fixed.get(tie.other_household_id)
    ]
    seats: list[Seat] = []
    waiting: list[tuple[Party, Accommodation]] = []
    taken: dict[str, _Taken] = {}
    for ids in components(world.fixed, pairs):
        party = world.party(ids)
        offer = world.offer(world.fixed[ids[0]])
        given = tuple(sorted(room for i in ids for room in world.standing[i].rooms or ()))
        if offer.rooms and offer.shared and not given:
            waiting.append((party, offer))
            continue
        seats.append(Seat(party, offer.accommodation_id, tuple(sorted(offer.rooms)) if offer.rooms and not given else given))
        taken.setdefault(offer.accommodation_id, _Taken()).add(world, seats[-1])
    for party, offer in waiting:
        earlier = taken.setdefault(offer.accommodation_id, _Taken())
        seats.append(Seat(party, offer.accommodation_id, _best_rooms(world, party, offer, earlier)))
        earlier.add(world, seats[-1])
    return seats


@dataclass
class _Taken:
    """Rooms of an offer that are taken, by the stays of who takes them."""

    rooms: dict[Stays, Counter[int]] = field(default_factory=dict)

    def add(self, world: World, seat: Seat) -> None:
        """One more seat."""
        stays = frozenset(world.stay(i) for i in seat.party.ids)
        self.rooms.setdefault(stays, Counter()).update(seat.rooms)

    def on(self, night: dt.date) -> Counter[int]:
        """What is taken that night."""
        total: Counter[int] = Counter()
        for stays, rooms in self.rooms.items():
            if any(stay.present(night) for stay in stays):
                total.update(rooms)
        return total


def _best_rooms(world: World, party: Party, offer: Accommodation, earlier: _Taken) -> tuple[int, ...]:
    """Fewest beds, then fewest rooms, then smallest sizes, if possible of what is free every night of the stay."""
    assert offer.rooms is not None
    sets = minimal_sets(offer.rooms, party.persons, party.rooms_needed)
    if not sets:
        return tuple(sorted(offer.rooms))
    have = Counter(offer.rooms)
    mine = {world.stay(i) for i in party.ids}
    nights = {stay.arrival for stays in (mine, *earlier.rooms) for stay in stays}
    before = [earlier.on(night) for night in nights if any(stay.present(night) for stay in mine)]

    def fits(rooms: tuple[int, ...]) -> bool:
        return all(number + used[room] <= have[room] for room, number in Counter(rooms).items() for used in before)

    return min([rooms for rooms in sets if fits(rooms)] or sets, key=lambda rooms: (sum(rooms), len(rooms), rooms))


def by_offer(seats: Iterable[Seat]) -> Mapping[str, list[Seat]]:
    """Seats by accommodation."""
    groups: dict[str, list[Seat]] = {}
    for seat in seats:
        groups.setdefault(seat.accommodation_id, []).append(seat)
    return groups
