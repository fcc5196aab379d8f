"""What binds several rows of a plan: parties, pins, links and rooms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from matcher.check.rooms import is_minimal
from matcher.check.seats import Housed, Seat, Seating
from matcher.check.ties import offers_hold
from matcher.check.world import World, names
from matcher.model import Tie


def check_fixed(world: World, plan: Housed, seats: Iterable[Seat]) -> list[str]:
    """Facts are kept: the offer, and the rooms."""
    rows = {i: plan.rows[row] for i in world.fixed if (row := int(plan.row_of[world.households.position[i]])) >= 0}
    faults = [
        f"[fixed] {i} is not placed in {world.offer_name(i, world.fixed[i])}, where it is kept"
        for i, row in rows.items()
        if row.accommodation_id != world.fixed[i]
    ]
    for seat in seats:
        for position, i in enumerate(seat.party.ids):
            right = seat.rooms if position == 0 else ()
            if i not in rows or rows[i].rooms == right:
                continue
            if rows[i].rooms or world.offer(seat.accommodation_id).rooms:  # given, but not counted: may be left away
                faults.append(f"[fixed_rooms] {i} does not keep its rooms, or they stand on the wrong row")
    return faults


def check_left_out(world: World, plan: Housed) -> list[str]:
    """Nobody left out is placed, nor who is bound to them; who is pinned is placed there."""
    faults = [
        f"[left_out] {i} is placed, but is left out: {reason}"
        for i, reason in world.left_out.items()
        if plan.row_of[world.households.position[i]] >= 0
    ]
    for i in sorted(world.links_of):
        if world.is_free(i) and plan.row_of[world.households.position[i]] >= 0 and world.is_stranded(i):
            faults.append(f"[split_pair] {i} is placed without a household that it is bound to, which is left out")
    for i, pins in world.pins.items():
        where = plan.offer_of(world, i)
        if i in world.held and i not in world.fixed:
            faults.append(f"[pin] {i} is both pinned and held")
        elif i in world.left_out or i not in world.households:
            continue
        elif where is None:
            faults.append(f"[pin] {i} is pinned and not placed")
        elif not all(names(pin, where) for pin in pins):
            faults.append(f"[pin] {i} is placed elsewhere than it is pinned")
    return faults


def check_rooms(world: World, seating: Seating, plan: Housed) -> list[str]:
    """The rooms taken exist, hold the party, and none could be left away; they stand on the row of the first household."""
    faults: list[str] = []
    alike = world.lodgings.classes("rooms", "shared").code[seating.offer].tolist()
    known: dict[tuple[int, int, int, tuple[int, ...]], list[str]] = {}
    persons, needed = seating.persons.tolist(), seating.needed.tolist()
    for k in range(seating.facts, len(alike)):
        case = alike[k], persons[k], needed[k], seating.rooms[k]
        if case not in known:
            known[case] = _room_faults(world, seating.seat(k))
        if known[case]:
            seat = seating.seat(k)
            name = f"{seat.party.ids[0]} in {world.offer_name(seat.party.ids[0], seat.accommodation_id)}"
            faults += [f"[rooms] {name}: {fault}" for fault in known[case]]
    for party in seating.several.values():
        rows = ((i, int(plan.row_of[world.households.position[i]])) for i in party.ids[1:])
        wrong = [i for i, row in rows if row >= 0 and i not in world.fixed and plan.rows[row].rooms]
        faults += [f"[rooms] the rooms of {party.ids[0]} stand on the row of {i}" for i in wrong]
    return faults


def _room_faults(world: World, seat: Seat) -> list[str]:
    """What is wrong with the rooms that a free party takes."""
    offer, taken = world.offer(seat.accommodation_id), seat.rooms
    faults = ["the rooms are not in ascending order"] if taken != tuple(sorted(taken)) else []
    if not offer.rooms:
        if taken:
            faults.append("the offer has no rooms to take")
    elif Counter(taken) - Counter(offer.rooms):
        faults.append("there are no such rooms")
    elif not offer.shared:
        if sorted(taken) != sorted(offer.rooms):
            faults.append("an offer that is not shared is taken with all its rooms")
    elif not is_minimal(taken, seat.party.persons, seat.party.rooms_needed):
        faults.append("the rooms are too few, or one could be left away")
    return faults


def check_links(world: World, plan: Housed) -> list[str]:
    """Required ties between two free households: kept where both are placed; but for `apart`, both or neither."""
    faults: list[str] = []
    for tie in world.links:
        if not tie.binds or not world.is_free(tie.household_id) or not world.is_free(tie.other_household_id or ""):
            continue
        one, other = plan.offer_of(world, tie.household_id), plan.offer_of(world, tie.other_household_id or "")
        if one is not None and other is not None:
            if not offers_hold(world, tie, one, other):
                faults.append(f"[link] {_pair(world, tie)}: a required tie is broken")
        elif tie.kind != "apart" and (one is not None or other is not None):
            faults.append(f"[link] {_pair(world, tie)}: placed both or neither")
    return faults


def _pair(world: World, tie: Tie) -> str:
    """Who is tied; of a tie that keeps apart, or protects, only whose row it is."""
    hidden = tie.kind == "apart" or {tie.household_id, tie.other_household_id} & world.protected
    return tie.household_id if hidden else f"{tie.household_id} and {tie.other_household_id}"
