"""What binds: ties to places and between households, standing placements, decisions of people."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from matcher.generate.offers import Offers
from matcher.generate.people import People
from matcher.generate.tables import Cells, Flags, Ints, Rng, blank, cells, days, drawn, numbers, only, some
from matcher.generate.world import World

TIE_COLUMNS = "household_id place lat lon other_household_id accommodation_id relation kind max_km required agreed weight".split()
KIN = {"relative": 0.3, "child": 0.16, "parent": 0.12, "sibling": 0.16, "grandchild": 0.05, "grandparent": 0.03, "friend": 0.18}
ERRANDS = {"work": 0.5, "school": 0.25, "treatment": 0.25}
NEIGHBOURS = {"friend": 0.4, "relative": 0.25, "sibling": 0.2, "carer": 0.1, "spouse": 0.05}


def _rows(count: int, **columns: Cells) -> dict[str, Cells]:
    """A part of ties.csv, with empty cells for what is not given."""
    return {name: columns.get(name, blank(count)) for name in TIE_COLUMNS}


def make_ties(rng: Rng, world: World, people: People, offers: Offers, links: float) -> tuple[dict[str, Cells], Flags]:
    """ties.csv, and which households are bound by a tie that is required."""
    count = len(people.ids)
    pairs = _pairs(rng, people, links)
    first, oblast = _place_ties(rng, world, people)
    parts = [first, _second_ties(rng, world, people, oblast), _offer_ties(rng, people, offers)]
    parts.append(_links(rng, people, pairs))
    bound = np.zeros(count, dtype=bool)
    bound[pairs.ravel()] = True
    position = {name: index for index, name in enumerate(people.ids.tolist())}
    for part in parts[:3]:
        strict = (part["required"] == "yes") | (part["kind"] == "apart")
        bound[[position[name] for name in part["household_id"][strict]]] = True
    table = {name: np.concatenate([part[name] for part in parts]) for name in TIE_COLUMNS}
    order = np.argsort(table["household_id"].astype(str), kind="stable")
    return {name: column[order] for name, column in table.items()}, bound


def _place_ties(rng: Rng, world: World, people: People) -> tuple[dict[str, Cells], Cells]:
    """About 35 % of the households have somebody or something at a place. Also the oblast of that place, by household."""
    household = np.flatnonzero(some(rng, 0.35, len(people.ids)))
    count = len(household)
    settlement = rng.choice(len(world.refs), count, p=(world.offer_share * 3 + world.origin_share) / 4)
    point = some(rng, 0.02, count)
    kind = drawn(rng, {"": 0.6, "near": 0.33, "same_place": 0.06, "apart": 0.01}, count)
    required = some(rng, 0.03, count) & (kind != "same_place")
    kind[required & (kind == "")] = "near"
    reach = rng.choice([80, 150, 250, 400], count)
    kin = drawn(rng, KIN, count)
    relation = np.where(some(rng, 0.75, count), kin, drawn(rng, ERRANDS, count)).astype(object)
    relation[kind == "apart"] = ""
    oblast = blank(len(people.ids))
    oblast[household] = world.adm1[settlement]
    rows = _rows(
        count,
        household_id=people.ids[household],
        place=only(~point, world.refs[settlement]),
        lat=only(point, world.lat_text[settlement]),
        lon=only(point, world.lon_text[settlement]),
        relation=relation,
        kind=kind,
        max_km=only((kind == "near") & required | (kind == "apart") & some(rng, 0.5, count), numbers(reach)),
        required=np.where(required, "yes", only(some(rng, 0.3, count) & (kind != "apart"), drawn(rng, {"no": 1.0}, count))).astype(object),
        weight=only(some(rng, 0.15, count) & (kind != "apart"), drawn(rng, {"0.5": 0.5, "2": 0.3, "1": 0.2}, count)),
    )
    return rows, oblast


def _second_ties(rng: Rng, world: World, people: People, first: Cells) -> dict[str, Cells]:
    """A few are pulled to a region rather than a town (its P-code stands for its centre), another one than their first tie's."""
    household = np.flatnonzero(some(rng, 0.035, len(people.ids)))
    settlement = rng.choice(len(world.refs), len(household), p=world.offer_share)
    new = (world.adm1[settlement] != first[household]) & (world.adm1[settlement] != "UA32")  # its centre is that of UA80
    household, settlement = household[new], settlement[new]
    return _rows(
        len(household),
        household_id=people.ids[household],
        place=world.adm1[settlement],
        relation=drawn(rng, {"relative": 0.7, "friend": 0.3}, len(household)),
        weight=drawn(rng, {"0.5": 1.0}, len(household)),
    )


def _offer_ties(rng: Rng, people: People, offers: Offers) -> dict[str, Cells]:
    """A few know people who already live in a centre."""
    household = np.flatnonzero(some(rng, 0.015, len(people.ids)))
    centres = np.flatnonzero(offers.shared)
    known = centres[rng.integers(0, len(centres), len(household))]
    return _rows(
        len(household),
        household_id=people.ids[household],
        accommodation_id=offers.ids[known],
        relation=drawn(rng, KIN, len(household)),
        kind=drawn(rng, {"near": 0.5, "same_site": 0.3, "same_accommodation": 0.2}, len(household)),
    )


def _pairs(rng: Rng, people: People, links: float) -> Ints:
    """Disjoint pairs of households that wait in the same town, enough that a share `links` of all is in one. Shape (n, 2)."""
    order = rng.permutation(len(people.ids))
    order = order[np.argsort(people.transit[order], kind="stable")]
    couples = order[: len(order) // 2 * 2].reshape(-1, 2)
    wanted = min(len(couples), round(links * len(people.ids) / 2))
    return couples[np.sort(rng.permutation(len(couples))[:wanted])]


def _links(rng: Rng, people: People, pairs: Ints) -> dict[str, Cells]:
    """Half soft, a third agreed and required, the rest apart."""
    count = len(pairs)
    form = rng.permutation((np.arange(count) + 0.5) / max(1, count))
    near, together, apart = form < 0.5, (form >= 0.5) & (form < 0.85), form >= 0.85
    kind = drawn(rng, {"near": 0.55, "same_place": 0.2, "same_site": 0.1, "same_accommodation": 0.15}, count)
    kind[near], kind[apart] = "near", "apart"
    reach = np.where(apart, rng.choice([30, 100], count), rng.choice([15, 40, 60], count))
    yes = cells(["yes"] * count)
    relation = drawn(rng, NEIGHBOURS, count)
    return _rows(
        count,
        household_id=people.ids[pairs[:, 0]],
        other_household_id=people.ids[pairs[:, 1]],
        relation=only(~apart, relation),
        kind=kind,
        max_km=only(together & (kind == "near") | apart & some(rng, 0.5, count), numbers(reach)),
        required=only(together | apart & some(rng, 0.5, count), yes),
        agreed=only(together | near & some(rng, 0.3, count), yes),
        weight=only(near & some(rng, 0.2, count), drawn(rng, {"0.5": 0.5, "2": 0.5}, count)),
    )


@dataclass(frozen=True)
class Fixed:
    """placements.csv and overrides.csv; settlements: where fixed households live."""

    placements: dict[str, Cells]
    overrides: dict[str, Cells]
    settlements: Ints


def make_fixed(rng: Rng, world: World, people: People, offers: Offers, bound: Flags, date: dt.date) -> Fixed:
    """Standing placements (2 %) and decisions (1 %), which can all be kept together.

    Who stands or is pinned has no condition of its own and gets beds, or a room, that nobody else is given here.
    """
    total = len(people.ids)
    standing_count, decided_count = max(1, round(0.02 * total)), max(1, round(0.01 * total))
    pins = round(0.45 * decided_count)
    calm = rng.permutation(np.flatnonzero(people.plain & ~bound))
    seats = _seats(rng, people, offers, calm[: 2 * (standing_count + pins)], standing_count + pins)
    with_room = next((index for index, (_, _, room) in enumerate(seats) if room), None)
    if with_room is not None:  # so that a standing placement names a room in small instances too
        seats.insert(0, seats.pop(with_room))
    standing, pinned = seats[:standing_count], seats[standing_count:]
    taken = {household for household, _, _ in seats}
    others = [household for household in rng.permutation(total).tolist() if household not in taken][: decided_count - pins]
    return Fixed(
        _standing_table(rng, people, offers, standing, date),
        _override_table(rng, world, people, offers, pinned, others, date),
        np.unique(offers.settlement[[offer for _, offer, _ in seats]]),
    )


def _seats(rng: Rng, people: People, offers: Offers, candidates: Ints, wanted: int) -> list[tuple[int, int, str]]:
    """(household, offer, room): beds that are set aside one after the other, at most half of an offer's, spread over many offers."""
    seats: list[tuple[int, int, str]] = []
    queue = candidates.tolist()
    anchors = rng.permutation(np.flatnonzero(offers.anchor)).tolist()
    anchors.sort(key=lambda offer: not offers.rooms[offer])
    anchors = [*anchors[:1], *anchors[:0:-1]]  # one with rooms before the others
    most = 1 + -(-wanted // max(1, len(anchors)))
    for offer in anchors:
        enough = len(seats) + most
        left, rooms = int(offers.capacity[offer]) // 2, list(offers.rooms[offer])
        roomed = bool(rooms)
        while queue and len(seats) < min(wanted, enough):
            persons = int(people.persons[queue[-1]])
            room = next((beds for beds in rooms if beds >= persons), 0)
            if persons > left or (roomed and not room):
                break
            left -= room or persons
            if roomed:
                rooms.remove(room)
            seats.append((queue.pop(), offer, str(room) if roomed else ""))
    return [seats[position] for position in rng.permutation(len(seats)).tolist()]


def _standing_table(rng: Rng, people: People, offers: Offers, seats: list[tuple[int, int, str]], date: dt.date) -> dict[str, Cells]:
    """placements.csv; a proposed placement names no rooms, for it may change."""
    household, offer, room = _columns(seats)
    count = len(seats)
    status = cells(["accepted", "moved_in", "proposed"])[np.arange(count) % 3]
    table = {
        "household_id": people.ids[household],
        "accommodation_id": offers.ids[offer],
        "status": status,
        "since": days(date, -rng.integers(1, 60, count)),
        "rooms": only(status != "proposed", room),
    }
    return _sorted(table, household)


def _override_table(
    rng: Rng, world: World, people: People, offers: Offers, pinned: list[tuple[int, int, str]], others: list[int], date: dt.date
) -> dict[str, Cells]:
    """overrides.csv: pins to an offer or to its settlement, forbidden offers and settlements, holds."""
    household, offer, _ = _columns(pinned)
    free = np.array(others, dtype=np.int64)
    forbidden_or_held = cells(["forbid", "forbid", "forbid", "hold"])[np.arange(len(others)) % 4]
    action = np.concatenate([cells(["pin"] * len(pinned)), forbidden_or_held])
    who = np.concatenate([household, free])
    what = np.concatenate([offer, rng.integers(0, len(offers.ids), len(others))])
    count = len(who)
    by_place = (action != "hold") & (np.arange(count) % 3 == 1)
    reasons = {"pin": "agreed with the family", "forbid": "not safe for this family", "hold": "in hospital for now"}
    table = {
        "household_id": people.ids[who],
        "accommodation_id": only((action != "hold") & ~by_place, offers.ids[what]),
        "place": only(by_place, world.refs[offers.settlement[what]]),
        "action": action,
        "reason": cells([reasons[word] for word in action]),
        "decided_by": drawn(rng, {"case-office": 0.6, "coordinator": 0.3, "protection": 0.1}, count),
        "decided_at": days(date, -rng.integers(0, 30, count)),
        "expires_at": only(some(rng, 0.4, count), days(date, rng.integers(60, 400, count))),
    }
    return _sorted(table, who)


def _columns(seats: list[tuple[int, int, str]]) -> tuple[Ints, Ints, Cells]:
    """Households, offers and rooms of the seats."""
    household = np.array([seat[0] for seat in seats], dtype=np.int64)
    offer = np.array([seat[1] for seat in seats], dtype=np.int64)
    return household, offer, cells([seat[2] for seat in seats])


def _sorted(table: dict[str, Cells], household: Ints) -> dict[str, Cells]:
    """Rows by household."""
    order = np.argsort(household, kind="stable")
    return {name: column[order] for name, column in table.items()}
