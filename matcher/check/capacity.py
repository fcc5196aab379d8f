"""Capacity night by night: all uses of all offers as events in one sorted list; a crowded offer is then looked at by itself."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from matcher.check.exact import Ints
from matcher.check.seats import Seating, arrivals, capacities, use_of_all
from matcher.check.world import World

_CODES = {"persons": "capacity", "unit": "unit", "rooms": "rooms", "need": "need"}
Uses = tuple[Ints, Ints, Ints, Ints, Ints]  # seat, resource, amount, first day, day after the last


def check_capacity(world: World, seating: Seating) -> list[str]:
    """On every day of an arrival, free parties use no more of any resource than the fixed ones leave."""
    return [fault for offer in _crowded(world, seating) for fault in _check_offer(world, seating, offer)]


def _check_offer(world: World, seating: Seating, offer: int) -> Iterator[str]:
    """What is used too much, on the first such day."""
    facts, seats = seating.in_offer(offer)
    a = world.offers.rows[offer]
    have = capacities(a)
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
                yield f"[{code}] {a.accommodation_id}: too much of {resource} is used on {night}{numbers}"


def _crowded(world: World, seating: Seating) -> list[int]:
    """Offers of which on some day free parties use more than the fixed ones leave."""
    names = {"persons": 0, "unit": 1}
    uses = [_persons(world, seating), _units(world, seating), _rooms(world, seating, names), _needs(world, seating, names)]
    seat, resource, amount, start, end = (np.concatenate(parts) for parts in zip(*uses, strict=True))
    real = start < end
    seat, resource, amount, start, end = (x[real] for x in (seat, resource, amount, start, end))
    key = np.tile(seating.offer[seat] * len(names) + resource, 2)
    day, sign = np.concatenate((start, end)), np.repeat(np.array([1, -1]), len(seat))
    order = np.lexsort((sign, day, key))
    fact = np.tile(seat < seating.facts, 2)
    # Everybody who comes leaves in the end, so that every sum is 0 again before the next resource begins.
    free, kept = ((sign * np.tile(amount, 2) * mask)[order].cumsum() for mask in (~fact, fact))
    key, day = key[order], day[order]
    last = np.append((key[1:] != key[:-1]) | (day[1:] != day[:-1]), True)[: len(key)]
    distinct, group = np.unique(key, return_inverse=True)
    over = last & (free > np.maximum(0, _have(world, distinct, list(names))[group] - kept))
    return sorted(set((key[over] // len(names)).tolist()))


def _have(world: World, keys: Ints, names: list[str]) -> Ints:
    """How much there is of each resource: key = offer · number of names + name, ascending."""
    have = np.empty(len(keys), dtype=np.int64)
    at, owned = -1, {}
    for k, key in enumerate(keys.tolist()):
        if key // len(names) != at:
            at = key // len(names)
            owned = capacities(world.offers.rows[at])
        have[k] = owned.get(names[key % len(names)], 0)
    return have


def _people(world: World, seating: Seating) -> tuple[Ints, Ints]:
    """(seat, household) of everybody who is seated."""
    alone = np.ones(len(seating.first), dtype=bool)
    alone[list(seating.several)] = False
    single = np.flatnonzero(alone)
    others = [(k, world.households.position[i]) for k, party in seating.several.items() for i in party.ids]
    seats, people = np.array(others, dtype=np.int64).reshape(-1, 2).T
    return np.concatenate((single, seats)), np.concatenate((seating.first[single], people))


def _persons(world: World, seating: Seating) -> Uses:
    """Persons, each household with its own stay."""
    seat, who = _people(world, seating)
    return seat, np.zeros_like(seat), world.persons[who], world.arrivals[who], world.leaves[who]


def _times(world: World, seating: Seating) -> tuple[Ints, Ints, Ints]:
    """(seat, first day, day after the last) of times at which somebody is there, disjoint for each seat; seats ascending."""
    alone = np.ones(len(seating.first), dtype=bool)
    alone[list(seating.several)] = False
    single = np.flatnonzero(alone)
    who = seating.first[single]
    unions = [(k, *time) for k, party in seating.several.items() for time in _union(world, party.ids)]
    seat, start, end = np.array(unions, dtype=np.int64).reshape(-1, 3).T
    seat = np.concatenate((single, seat))
    order = np.argsort(seat, kind="stable")
    start, end = np.concatenate((world.arrivals[who], start)), np.concatenate((world.leaves[who], end))
    return seat[order], start[order], end[order]


def _union(world: World, ids: tuple[str, ...]) -> list[tuple[int, int]]:
    """Times at which any of the households is there."""
    rows = [world.households.position[i] for i in ids]
    merged: list[tuple[int, int]] = []
    for start, end in sorted((int(world.arrivals[k]), int(world.leaves[k])) for k in rows):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _units(world: World, seating: Seating) -> Uses:
    """The unit of an offer that is not shared."""
    seat, start, end = _times(world, seating)
    shared = world.lodgings.classes("shared")
    lone = ~np.array([bool(world.offers.rows[k].shared) for k in shared.first], dtype=bool)[shared.code][seating.offer[seat]]
    seat, start, end = seat[lone], start[lone], end[lone]
    return seat, np.ones_like(seat), np.ones_like(seat), start, end


def _rooms(world: World, seating: Seating, names: dict[str, int]) -> Uses:
    """Rooms, each as long as somebody of the party is there. Adds their names."""
    sizes = np.array([size for rooms in seating.rooms for size in rooms], dtype=np.int64)
    owner = np.repeat(np.arange(len(seating.rooms)), np.array([len(rooms) for rooms in seating.rooms], dtype=np.int64))
    distinct, which = np.unique(sizes, return_inverse=True)
    numbers = np.array([names.setdefault(f"rooms:{size}", len(names)) for size in distinct.tolist()], dtype=np.int64)
    seat, start, end = _times(world, seating)
    low, high = np.searchsorted(seat, owner, "left"), np.searchsorted(seat, owner, "right")
    room = np.repeat(np.arange(len(owner)), high - low)
    time = np.arange(len(room)) + np.repeat(low - (np.cumsum(high - low) - (high - low)), high - low)
    return owner[room], numbers[which[room]], np.ones_like(room), start[time], end[time]


def _needs(world: World, seating: Seating, names: dict[str, int]) -> Uses:
    """What is offered to so many persons with a need, and is no feature. Adds the names."""
    seat, who = _people(world, seating)
    needs, offered = world.guests.classes("needs"), world.lodgings.classes("features", "need_capacity")
    wanted = [world.households.rows[k].needs for k in needs.first]
    scarce = [{word for word, _ in a.need_capacity if word not in a.features} for a in (world.offers.rows[k] for k in offered.first)]
    some = np.array([bool(words) for words in wanted], dtype=bool)[needs.code[who]]
    some &= np.array([bool(words) for words in scarce], dtype=bool)[offered.code[seating.offer[seat]]]
    uses = [
        (k, names.setdefault(f"need:{word}", len(names)))
        for k in np.flatnonzero(some).tolist()
        for word in sorted(wanted[needs.code[who[k]]] & scarce[offered.code[seating.offer[seat[k]]]])
    ]
    k, word = np.array(uses, dtype=np.int64).reshape(-1, 2).T
    return seat[k], word, world.persons[who[k]], world.arrivals[who[k]], world.leaves[who[k]]
