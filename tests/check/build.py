"""Tiny instances by name: spots are letters, every distance stands in travel.csv, and rows of a plan are filled in honestly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from matcher.model import Accommodation, Household, Instance, Member, Override, Spot, Standing, Tie, TravelRow
from matcher.policy import Policy, policy_from_plain
from matcher.result import TERMS, Cost, PlacementRow, UnplacedRow
from tests.check.plain.costs import account, changed_from, unplaced_term
from tests.check.plain.rows import allowed_reasons, set_aside_households
from tests.check.plain.seats import Seat, by_offer, fixed_seats
from tests.check.plain.ties import nearest_tie_km10
from tests.check.plain.world import read_world

DAY = dt.date(2026, 11, 22)
Plan = tuple[list[PlacementRow], list[UnplacedRow], dict[str, int]]


def day(number: int) -> dt.date:
    """The date that many days after DAY."""
    return DAY + dt.timedelta(days=number)


def spot(letter: str, adm1: str | None = "UA05") -> Spot:
    """A keyed spot; without a row of travel.csv, one degree of longitude on the equator a letter apart."""
    return Spot(lat=0.0, lon=float(ord(letter[0]) - ord("A")), key=f"place:{letter}", name=letter, adm1=adm1)


def road(one: str, other: str, km: str | float, **more: Any) -> TravelRow:
    return TravelRow(origin=spot(one), destination=spot(other), km=Decimal(str(km)), **more)


def household(i: str, persons: int = 2, at: str = "A", **more: Any) -> Household:
    return Household(household_id=i, persons=persons, spot=spot(at), **more)


def offer(i: str, capacity: int = 4, at: str = "B", **more: Any) -> Accommodation:
    return Accommodation(accommodation_id=i, capacity=capacity, spot=spot(at), adm1=more.pop("adm1", "UA05"), **more)


def tie(i: str, to: str | None = None, *, at: str | None = None, offer_id: str | None = None, **more: Any) -> Tie:
    return Tie(household_id=i, spot=spot(at) if at else None, other_household_id=to, accommodation_id=offer_id, **more)


def member(i: str, of: str, relation: str | None, age: int | None = None, sex: str | None = None) -> Member:
    return Member.model_validate({"member_id": i, "household_id": of, "relation": relation, "sex": sex, "age": age})


def stands(i: str, offer_id: str, status: str = "moved_in", rooms: tuple[int, ...] | None = None) -> Standing:
    return Standing.model_validate({"household_id": i, "accommodation_id": offer_id, "status": status, "rooms": rooms})


def decided(i: str, action: str, offer_id: str | None = None, at: str | None = None, expires_at: dt.date | None = None) -> Override:
    data = {"household_id": i, "accommodation_id": offer_id, "spot": spot(at) if at else None, "action": action, "expires_at": expires_at}
    return Override.model_validate(data)


def instance(*rows: object, **more: Any) -> Instance:
    """Rows of any kind, sorted to their tables."""
    tables: dict[type, str] = {
        Household: "households",
        Accommodation: "accommodations",
        Member: "members",
        Tie: "ties",
        TravelRow: "travel",
        Standing: "standing",
        Override: "overrides",
    }
    return Instance(**{name: tuple(row for row in rows if type(row) is kind) for kind, name in tables.items()}, **more)


def policy(**sections: Any) -> Policy:
    return policy_from_plain(sections)


def plan(world_of: Instance, rules: Policy, where: Mapping[str, str], rooms: Mapping[str, tuple[int, ...]] | None = None) -> Plan:
    """Rows that say what the checker would say of these placements, good or bad. rooms: of free parties, by first household."""
    world = read_world(world_of, rules, DAY)
    taken = dict(rooms or {})
    fixed = fixed_seats(world)
    offers = {i: world.offers[a] for i, a in where.items()}
    free = [Seat(p, offers[p.ids[0]], taken.get(p.ids[0], ())) for p in world.parties if p.ids[0] in where]
    taken |= {seat.party.ids[0]: seat.rooms for seats in by_offer(fixed).values() for seat in seats}
    costs = account(world, offers, [*fixed, *free])
    placed = []
    for i, a in offers.items():
        h = world.households[i]
        leg = world.travel.leg(h.spot, a.spot)
        placed.append(
            PlacementRow(
                household_id=i,
                accommodation_id=a.accommodation_id,
                site_id=a.site_id or "",
                place=a.spot.name or f"{a.spot.lat:.4f} {a.spot.lon:.4f}",
                persons=h.persons,
                rooms=taken.get(i, ()),
                status=world.standing[i].status if i in world.fixed else "proposed",
                km10=leg.km10,
                minutes=leg.minutes,
                terms=Cost(dict(costs.rows[i])),
                tie_km10=nearest_tie_km10(world, h, a, offers),
                ties_kept=0,
                changed_from=changed_from(world, h, a),
                protected=i in world.protected,
            )
        )
    unplaced = [
        UnplacedRow(i, h.persons, h.priority, "fixed" if i in world.fixed else allowed_reasons(world, h)[-1], "why")
        for i, h in world.households.items()
        if i not in where
    ]
    unplaced += [UnplacedRow(i, max(p, key=bool), None, "quarantined", "why") for i, p in set_aside_households(world).items()]
    assert costs.term("unplaced") == sum(unplaced_term(world, h) for i, h in world.households.items() if i not in where)
    return placed, unplaced, {term: costs.term(term) for term in TERMS if costs.term(term)}


def codes(faults: list[str]) -> set[str]:
    """The codes in brackets."""
    assert all(fault.startswith("[") and "] " in fault for fault in faults), faults
    return {fault[1 : fault.index("]")] for fault in faults}


def certificate(
    bounds: Mapping[str, int],
    values: Mapping[str, int],
    *,
    scale: int = 1,
    prices: Mapping[str, Any] | None = None,
    floor_prices: Mapping[str, Any] | None = None,
    multipliers: Mapping[str, list[int]] | None = None,
    merged: list[list[str]] | None = None,
) -> dict[str, Any]:
    """As certificate.json is parsed. bounds, values: by stage, in order; prices, floor_prices, multipliers: by stage, too."""
    stages = [
        {
            "name": name,
            "value": values[name],
            "bound": bound,
            "multipliers": (multipliers or {}).get(name, [0] * position),
            "prices": (prices or {}).get(name, {}),
            "floor_prices": (floor_prices or {}).get(name, {}),
        }
        for position, (name, bound) in enumerate(bounds.items())
    ]
    last = stages[-1]
    return {
        "unit": "0.1 person-km",
        "scale": scale,
        "bound": sum(bounds.values()),
        "prices": last["prices"],
        "floor_prices": last["floor_prices"],
        "merged_links": merged or [],
        "stages": stages,
    }
