"""Who lives where with which rooms, and what that uses of an offer in a night."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from matcher.check.rooms import minimal_sets
from matcher.model import Accommodation
from tests.check.plain.world import Party, World, components, make_party


@dataclass(frozen=True)
class Seat:
    """A party in an offer. rooms: sizes taken, ascending; () where none are counted."""

    party: Party
    offer: Accommodation
    rooms: tuple[int, ...]


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
    present = [h for h in seat.party.households if world.stays[h.household_id].present(night)]
    used: Counter[str] = Counter()
    if not present:
        return used
    used["persons"] = sum(h.persons for h in present)
    if not seat.offer.shared:
        used["unit"] = 1
    used.update(f"rooms:{room}" for room in seat.rooms)
    for word, _ in seat.offer.need_capacity:
        if word not in seat.offer.features:
            used[f"need:{word}"] = sum(h.persons for h in present if word in h.needs)
    return used


def use_of_all(world: World, seats: Iterable[Seat], night: dt.date | None) -> Counter[str]:
    """What all of them use together."""
    total: Counter[str] = Counter()
    for seat in seats:
        total.update(use(world, seat, night))
    return total


def arrivals(world: World, parties: Iterable[Party]) -> list[dt.date]:
    """The days on which someone of the parties arrives; use of anything is highest on one of them."""
    return sorted({world.stays[i].arrival for party in parties for i in party.ids})


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
    for ids in components(world.fixed, pairs):
        party = make_party(world.policy, world.members, [world.households[i] for i in ids])
        offer = world.offer(world.fixed[ids[0]])
        given = tuple(sorted(room for i in ids for room in world.standing[i].rooms or ()))
        if given or not offer.rooms:
            seats.append(Seat(party, offer, given))
        elif not offer.shared:
            seats.append(Seat(party, offer, tuple(sorted(offer.rooms))))
        else:
            waiting.append((party, offer))
    for party, offer in waiting:
        earlier = [seat for seat in seats if seat.offer.accommodation_id == offer.accommodation_id]
        seats.append(Seat(party, offer, _best_rooms(world, party, offer, earlier)))
    return seats


def _best_rooms(world: World, party: Party, offer: Accommodation, earlier: Sequence[Seat]) -> tuple[int, ...]:
    """Fewest beds, then fewest rooms, then smallest sizes, if possible of what is free every night of the stay."""
    assert offer.rooms is not None
    sets = minimal_sets(offer.rooms, party.persons, party.rooms_needed)
    if not sets:
        return tuple(sorted(offer.rooms))
    have = capacities(offer)
    nights = arrivals(world, [party, *(seat.party for seat in earlier)])
    taken = [(night, use_of_all(world, earlier, night)) for night in nights]

    def fits(rooms: tuple[int, ...]) -> bool:
        here = [use(world, Seat(party, offer, rooms), night) for night in nights]
        return all(now[r] + before[r] <= have[r] for now, (_, before) in zip(here, taken, strict=True) for r in now if r[:6] == "rooms:")

    return min([rooms for rooms in sets if fits(rooms)] or sets, key=lambda rooms: (sum(rooms), len(rooms), rooms))


def by_offer(seats: Iterable[Seat]) -> Mapping[str, list[Seat]]:
    """Seats by accommodation."""
    groups: dict[str, list[Seat]] = {}
    for seat in seats:
        groups.setdefault(seat.offer.accommodation_id, []).append(seat)
    return groups
