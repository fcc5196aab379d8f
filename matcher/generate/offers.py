"""What is on offer: flats, houses, host families, and centres with rooms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from matcher.generate.tables import Cells, Flags, Ints, Rng, blank, days, drawn, ids, numbers, only, some, word_lists
from matcher.generate.world import World

PRIVATE = {"apartment": 0.62, "house": 0.18, "host_family": 0.20}
SHARED = {"collective_site": 0.4, "dormitory": 0.35, "hotel": 0.15, "modular": 0.10}
PRIVATE_BEDS = (0.05, 0.20, 0.25, 0.25, 0.12, 0.07, 0.03, 0.03)
ROOM_SIZES = (2, 3, 4, 6)
SMALLEST_CENTRE = 8


@dataclass(frozen=True)
class Offers:
    """Accommodations as written, and what the other tables must know of them.

    anchor: large shared offers without conditions, where a standing placement or a pin breaks no rule.
    rooms: beds of each room, () where the offer has none.
    """

    ids: Cells
    settlement: Ints
    shared: Flags
    anchor: Flags
    capacity: Ints
    rooms: list[tuple[int, ...]]
    accommodations: dict[str, Cells]


def make_offers(rng: Rng, world: World, households: int, usable_beds: int, date: dt.date, *, rooms: bool) -> Offers:
    """About a sixth as many offers as households; the usable ones have exactly `usable_beds` beds where there is any room to fit them.

    Usable: open, vetted if a host family, risk at most 0.6.
    """
    shared = _shared_flags(households, usable_beds)
    count = len(shared)
    rng.shuffle(shared)
    settlement = np.sort(rng.choice(len(world.refs), count, p=world.offer_share))
    kind = np.where(shared, drawn(rng, SHARED, count), drawn(rng, PRIVATE, count)).astype(object)
    conditions = _conditions(rng, world, kind, settlement, date)
    usable = _usable(conditions, kind)
    if not usable[shared].any():
        first = int(np.flatnonzero(shared)[0])
        conditions["status"][first], conditions["risk"][first] = "open", ""
        usable[first] = True
    capacity = _capacity(rng, shared, usable, usable_beds)
    room_lists = _rooms(rng, some(rng, 0.6 if rooms else 0.0, count, among=shared & (capacity > 0)), capacity)
    name = ids("A", count)
    where, has_place = _where(rng, world, settlement)
    size = _sizes(rng, shared, capacity, room_lists)
    features = _features(rng, shared, capacity)
    site = _sites(rng, name, settlement, has_place, shared)
    columns = {"accommodation_id": name, "site_id": site} | where | {"kind": kind} | size | features | conditions
    unconditional = ("min_persons", "max_persons", "groups_only", "available_from", "available_until")
    anchor = shared & usable & has_place
    for column in unconditional:
        anchor &= columns[column] == ""
    return Offers(name, settlement, shared, anchor, capacity, room_lists, columns)


def _shared_flags(households: int, usable_beds: int) -> Flags:
    """70 % private offers, fewer where so many would leave the centres without beds."""
    total = max(2, households // 6)
    mean = sum((beds + 1) * share for beds, share in enumerate(PRIVATE_BEDS))
    private = min(int(0.7 * total), int(0.5 * usable_beds / mean))
    centres = max(1, min(total - private, usable_beds // (2 * SMALLEST_CENTRE)))
    return np.arange(private + centres) >= private


def _conditions(rng: Rng, world: World, kind: Cells, settlement: Ints, date: dt.date) -> dict[str, Cells]:
    """Who may come, when, at what price, how safe, and whether the offer stands at all."""
    count = len(kind)
    host = kind == "host_family"
    vetted_host = drawn(rng, {"yes": 0.93, "unknown": 0.04, "no": 0.03}, count)
    vetted_other = drawn(rng, {"yes": 0.6, "": 0.4}, count)
    risk = np.round(np.clip(world.risk[settlement] + rng.normal(0, 0.03, count), 0.02, 0.9), 2)
    price = numbers(rng.integers(1, 13, count) * 25)
    host_speaks = drawn(rng, {"uk": 0.45, "uk ru": 0.45, "uk hu": 0.04, "uk pl": 0.06}, count)
    return {
        "languages": only(host & some(rng, 0.8, count), host_speaks),
        "groups_only": only(some(rng, 0.012, count), drawn(rng, {"women": 0.5, "single_parent": 0.3, "older_person": 0.2}, count)),
        "available_from": only(some(rng, 0.04, count), days(date, rng.choice([-60, -20, 2, 5], count))),
        "available_until": only(some(rng, 0.08, count), days(date, rng.choice([120, 180, 270, 360], count))),
        "vetted": np.where(host, vetted_host, vetted_other).astype(object),
        "risk": only(some(rng, 0.3, count), numbers(risk)),
        "cost_per_person_night": only(some(rng, 0.95, count), np.where(some(rng, 0.7, count), "0", price).astype(object)),
        "status": drawn(rng, {"open": 0.76, "": 0.2, "planned": 0.02, "closed": 0.02}, count),
    }


def _usable(conditions: dict[str, Cells], kind: Cells) -> Flags:
    """Open, vetted if a host family, not too dangerous."""
    safe = np.array([not risk or float(risk) <= 0.6 for risk in conditions["risk"]])
    stands = (conditions["status"] == "open") | (conditions["status"] == "")
    return np.asarray(stands & safe & ((kind != "host_family") | (conditions["vetted"] == "yes")))


def _capacity(rng: Rng, shared: Flags, usable: Flags, usable_beds: int) -> Ints:
    """Beds of private offers as they come; the usable centres share what is left of `usable_beds` to the bed."""
    count = len(shared)
    capacity = rng.choice(len(PRIVATE_BEDS), count, p=PRIVATE_BEDS) + 1
    weight = np.minimum(20 + rng.pareto(1.6, count) * 20, 300)
    capacity = np.where(shared, np.round(weight).astype(np.int64), capacity)
    centre = np.flatnonzero(shared & usable)
    left = max(0, usable_beds - int(capacity[usable & ~shared].sum()))
    least = min(SMALLEST_CENTRE, left // len(centre))
    share = (left - least * len(centre)) * weight[centre] / weight[centre].sum()
    beds = least + np.floor(share).astype(np.int64)
    largest_remainders = np.argsort(np.floor(share) - share, kind="stable")[: left - int(beds.sum())]
    beds[largest_remainders] += 1
    capacity[centre] = beds
    return capacity


def _rooms(rng: Rng, roomed: Flags, capacity: Ints) -> list[tuple[int, ...]]:
    """Rooms whose beds sum to the capacity; the last room takes what is left."""
    lists: list[tuple[int, ...]] = [()] * len(roomed)
    for position in np.flatnonzero(roomed).tolist():
        beds = int(capacity[position])
        sizes = rng.choice(ROOM_SIZES, beds // 2 + 1, p=[0.4, 0.25, 0.25, 0.1])
        ends = np.cumsum(sizes)
        whole = int(np.searchsorted(ends, beds, side="right"))
        rest = beds - (int(ends[whole - 1]) if whole else 0)
        lists[position] = tuple(sorted(sizes[:whole].tolist() + ([rest] if rest else [])))
    return lists


def _where(rng: Rng, world: World, settlement: Ints) -> tuple[dict[str, Cells], Flags]:
    """A settlement; for a few its coordinates too, for fewer coordinates and the oblast alone."""
    count = len(settlement)
    has_point = some(rng, 0.04, count)
    has_place = np.ones(count, dtype=bool)
    has_place[np.flatnonzero(has_point)[::3]] = False
    columns = {
        "place": only(has_place, world.refs[settlement]),
        "lat": only(has_point, world.lat_text[settlement]),
        "lon": only(has_point, world.lon_text[settlement]),
        "adm1": only(~has_place, world.adm1[settlement]),
    }
    return columns, has_place


def _sizes(rng: Rng, shared: Flags, capacity: Ints, rooms: list[tuple[int, ...]]) -> dict[str, Cells]:
    """Beds, rooms, whether shared (told for some, else as the kind says), and household sizes that are welcome."""
    count = len(shared)
    told = some(rng, 0.3, count)
    bounded = some(rng, 0.1, count, among=~shared & (capacity >= 2))
    room_text = blank(count)
    room_text[:] = [" ".join(map(str, beds)) for beds in rooms]
    return {
        "capacity": numbers(capacity),
        "shared": only(told, np.where(shared, "yes", "no").astype(object)),
        "rooms": room_text,
        "min_persons": only(bounded, numbers(np.maximum(1, capacity // 2))),
        "max_persons": only(bounded, numbers(capacity)),
    }


def _features(rng: Rng, shared: Flags, capacity: Ints) -> dict[str, Cells]:
    """Features of the whole offer, places for those with a need in centres, and animals."""
    count = len(shared)

    def flags(private: float, centre: float) -> Flags:
        return np.asarray(rng.random(count) < np.where(shared, centre, private))

    step_free = flags(0.14, 0.15)
    medical = flags(0.02, 0.05)
    features = {
        "step_free": step_free,
        "ground_floor": flags(0.2, 0.3),
        "lift": flags(0.15, 0.2),
        "private_bathroom": flags(0.9, 0.25),
        "medical_care": medical,
        "women_only": flags(0.01, 0.04),
        "school": flags(0.6, 0.6),
        "garden": flags(0.25, 0.1),
        "quiet": flags(0.3, 0.05),
        "kitchen": flags(0.9, 0.5),
    }
    step_free_places = np.maximum(1, np.round(capacity * 0.08)).astype(np.int64)
    care_places = np.maximum(1, np.round(capacity * 0.04)).astype(np.int64)
    animals = {"dog": flags(0.4, 0.3), "cat": flags(0.5, 0.35), "other": flags(0.08, 0.05)}
    return {
        "features": word_lists(features, count),
        "capacity_step_free": only(some(rng, 0.6, count, among=shared & ~step_free), numbers(step_free_places)),
        "capacity_medical_care": only(some(rng, 0.15, count, among=shared & ~medical), numbers(care_places)),
        "pets": word_lists(animals, count),
    }


def _sites(rng: Rng, name: Cells, settlement: Ints, has_place: Flags, shared: Flags) -> Cells:
    """Some neighbours in the list, which is sorted by settlement, share an address; some centres have one of their own."""
    joins = np.zeros(len(name), dtype=bool)
    joins[1:] = (settlement[1:] == settlement[:-1]) & has_place[1:] & has_place[:-1]
    joins = some(rng, 0.3, len(name), among=joins)
    first = np.maximum.accumulate(np.where(joins, 0, np.arange(len(name))))
    is_joined = joins | some(rng, 0.2, len(name), among=shared)
    is_joined[:-1] |= joins[1:]
    site = np.empty(len(name), dtype=object)
    site[:] = ["S" + text[1:] for text in name[first]]
    return only(is_joined, site)
