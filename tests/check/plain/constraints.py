"""What binds several rows of a plan: parties, pins, links, rooms, and capacity night by night."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from matcher.check.rooms import is_minimal
from matcher.model import Tie
from matcher.result import PlacementRow
from tests.check.plain.rows import Where
from tests.check.plain.seats import Seat, arrivals, by_offer, capacities, use_of_all
from tests.check.plain.ties import offers_hold
from tests.check.plain.world import Party, World, make_party, names

_CODES = {"persons": "capacity", "unit": "unit", "rooms": "rooms", "need": "need"}


def check_fixed(world: World, where: Where, rows: Mapping[str, PlacementRow], seats: Iterable[Seat]) -> list[str]:
    """Facts are kept: the offer, and the rooms."""
    faults = [
        f"[fixed] {i} is not placed in {world.offer_name(i, offer)}, where it is kept"
        for i, offer in world.fixed.items()
        if i in where and where[i].accommodation_id != offer
    ]
    for seat in seats:
        for position, i in enumerate(seat.party.ids):
            right = seat.rooms if position == 0 else ()
            given_but_uncounted = not seat.offer.rooms and i in rows and rows[i].rooms == ()
            if i in rows and rows[i].rooms != right and not given_but_uncounted:
                faults.append(f"[fixed_rooms] {i} does not keep its rooms, or they stand on the wrong row")
    return faults


def check_left_out(world: World, where: Where) -> list[str]:
    """Nobody left out is placed, nor who is bound to them; who is pinned is placed there."""
    faults = [f"[left_out] {i} is placed, but is left out: {reason}" for i, reason in world.left_out.items() if i in where]
    for party in world.parties:
        for i in party.ids:
            if i in where and world.is_stranded(i):
                faults.append(f"[split_pair] {i} is placed without a household that it is bound to, which is left out")
    for i, pins in world.pins.items():
        if i in world.held and i not in world.fixed:
            faults.append(f"[pin] {i} is both pinned and held")
        elif i in world.left_out or i not in world.households:
            continue
        elif i not in where:
            faults.append(f"[pin] {i} is pinned and not placed")
        elif not all(names(pin, where[i]) for pin in pins):
            faults.append(f"[pin] {i} is placed elsewhere than it is pinned")
    return faults


def free_seats(world: World, where: Where, rows: Mapping[str, PlacementRow]) -> tuple[list[Seat], list[str]]:
    """The parties that are placed, and a fault for each that is not whole; what is left of a torn one counts as it stands."""
    seats: list[Seat] = []
    faults: list[str] = []
    for party in world.parties:
        groups: dict[str, list[str]] = {}
        for i in party.ids:
            if i in where:
                groups.setdefault(where[i].accommodation_id, []).append(i)
        if len(groups) > 1 or any(len(ids) < len(party.ids) for ids in groups.values()):
            faults.append(f"[party] {' and '.join(party.ids)} are placed together or not at all")
        for accommodation_id, ids in groups.items():
            whole = party if len(ids) == len(party.ids) else _part(world, ids)
            seats.append(Seat(whole, world.offers[accommodation_id], tuple(room for i in ids for room in rows[i].rooms)))
    for i in world.left_out:
        if i in where:
            seats.append(Seat(_part(world, [i]), where[i], rows[i].rooms))
    return seats, faults


def _part(world: World, ids: Iterable[str]) -> Party:
    return make_party(world.policy, world.members, [world.households[i] for i in ids])


def check_rooms(world: World, seats: Iterable[Seat], rows: Mapping[str, PlacementRow]) -> list[str]:
    """The rooms taken exist, hold the party, and none could be left away; they stand on the row of the first household."""
    faults: list[str] = []
    for seat in seats:
        first, offer, taken = seat.party.ids[0], seat.offer, seat.rooms
        name = f"{first} in {world.offer_name(first, offer.accommodation_id)}"
        if taken != tuple(sorted(taken)):
            faults.append(f"[rooms] {name}: the rooms are not in ascending order")
        faults += [f"[rooms] the rooms of {first} stand on the row of {i}" for i in seat.party.ids[1:] if rows[i].rooms]
        if not offer.rooms:
            if taken:
                faults.append(f"[rooms] {name}: the offer has no rooms to take")
        elif Counter(taken) - Counter(offer.rooms):
            faults.append(f"[rooms] {name}: there are no such rooms")
        elif not offer.shared:
            if sorted(taken) != sorted(offer.rooms):
                faults.append(f"[rooms] {name}: an offer that is not shared is taken with all its rooms")
        elif not is_minimal(taken, seat.party.persons, seat.party.rooms_needed):
            faults.append(f"[rooms] {name}: the rooms are too few, or one could be left away")
    return faults


def check_links(world: World, where: Where) -> list[str]:
    """Required ties between two free households: kept where both are placed; but for `apart`, both or neither."""
    faults: list[str] = []
    for tie in world.links:
        one, other = tie.household_id, tie.other_household_id or ""
        if not tie.binds or one not in world.party_of or other not in world.party_of:
            continue
        if one in where and other in where:
            if not offers_hold(world, tie, where[one], where[other]):
                faults.append(f"[link] {_pair(world, tie)}: a required tie is broken")
        elif tie.kind != "apart" and (one in where or other in where):
            faults.append(f"[link] {_pair(world, tie)}: placed both or neither")
    return faults


def _pair(world: World, tie: Tie) -> str:
    """Who is tied; of a tie that keeps apart, or protects, only whose row it is."""
    hidden = tie.kind == "apart" or {tie.household_id, tie.other_household_id} & world.protected
    return tie.household_id if hidden else f"{tie.household_id} and {tie.other_household_id}"


def check_capacity(world: World, fixed: Sequence[Seat], free: Sequence[Seat]) -> list[str]:
    """On every day of an arrival, free parties use no more of any resource than the fixed ones leave."""
    faults: list[str] = []
    kept = by_offer(fixed)
    for accommodation_id, seats in by_offer(free).items():
        offer, facts = world.offers[accommodation_id], kept.get(accommodation_id, [])
        have = capacities(offer)
        told: set[str] = set()
        for night in arrivals(world, [seat.party for seat in (*seats, *facts)]):
            before = use_of_all(world, facts, night)
            for resource, used in sorted(use_of_all(world, seats, night).items()):
                left = max(0, have.get(resource, 0) - before[resource])
                if used > left and resource not in told:
                    told.add(resource)
                    code = _CODES[resource.split(":")[0]]
                    hidden = any(i in world.protected for seat in (*seats, *facts) for i in seat.party.ids)
                    numbers = "" if hidden else f": {used}, and {left} are free"
                    faults.append(f"[{code}] {accommodation_id}: too much of {resource} is used on {night}{numbers}")
    return faults
