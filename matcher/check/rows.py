"""The rows of a plan, one by one: everybody stands once, reasons hold, and every cell says what the instance says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from matcher.check.account import Account
from matcher.check.costs import changed_from
from matcher.check.seats import Housed
from matcher.check.tables import over_pairs
from matcher.check.ties import nearest_tie_km10
from matcher.check.world import World
from matcher.places.travel import Leg
from matcher.result import TERMS, PlacementRow, UnplacedRow

CELLS = ("persons", "row_status", "km", "minutes", "changed_from", "protected", "tie_km")


def set_aside_households(world: World) -> dict[str, set[int | None]]:
    """Households whose own row is quarantined, as far as its id could be read, and the persons they have."""
    persons: dict[str, set[int | None]] = {}
    for row in world.instance.set_aside:
        if row.id is not None and row.id not in world.households and row.is_of("households"):
            twice = row.id in persons
            persons.setdefault(row.id, set()).add(None if twice else row.persons)  # nobody knows which of two rows is right
    return persons


def check_roll_call(world: World, placed: Sequence[PlacementRow], unplaced: Sequence[UnplacedRow]) -> list[str]:
    """Every household once, and nobody else; every offer known."""
    seen = Counter(row.household_id for row in placed) + Counter(row.household_id for row in unplaced)
    known = world.households.keys() | set_aside_households(world).keys()
    faults = [f"[once] {i} stands {seen[i]} times in the plan" for i in sorted(known) if seen[i] != 1]
    faults += [f"[unknown] there is no household {i}" for i in sorted(seen.keys() - known)]
    for row in placed:
        if row.accommodation_id not in world.offers:
            faults.append(f"[unknown] {row.household_id} is placed in an offer that does not exist")
        if row.household_id in known and row.household_id not in world.households:
            faults.append(f"[left_out] {row.household_id} is placed, but its row is quarantined")
    return faults


def check_placed_rows(world: World, plan: Housed, costs: Account) -> list[str]:
    """Every cell of the placements, but for rooms (see `check_rooms`) and the alternatives."""
    faults: list[str] = []
    ids = world.households.ids
    terms = zip(*(costs.terms[term].tolist() for term in costs.terms), strict=True) if len(plan.rows) else ()
    right = zip(plan.who.tolist(), plan.where.tolist(), _cells(world, plan), _addresses(world, plan), terms, strict=True)
    for row, (who, where, cells, (site, place), units) in zip(plan.rows, right, strict=True):
        i, offer = ids[who], world.offers.ids[where]
        are = (row.persons, row.status, row.km10, row.minutes, row.changed_from, row.protected, row.tie_km10)
        if are != cells:
            faults += _wrong_cells(world, i, are, cells)
        if row.site_id != site and (site or row.site_id != offer):
            faults.append(f"[site_id] {i}: {world.offer_name(i, offer)} is not at the site that stands there")
        if row.place != place:
            faults.append(f"[place] {i}: its cell place is not where its offer is")
        should = {term: unit for term, unit in zip(costs.terms, units, strict=True) if unit}
        if row.terms.terms != should:
            faults += _wrong_terms(world, row, should)
    return faults


def _wrong_cells(world: World, i: str, are: tuple[Any, ...], right: tuple[Any, ...]) -> Iterator[str]:
    for code, is_, should in zip(CELLS, are, right, strict=True):
        if is_ != should:
            values = "" if i in world.protected else f": {is_} stands where {should} is right"
            yield f"[{code}] {i}: its cell {code} is wrong{values}"


def _wrong_terms(world: World, row: PlacementRow, right: dict[str, int]) -> Iterator[str]:
    i = row.household_id
    for term in (*TERMS, *sorted(row.terms.terms.keys() - set(TERMS))):
        if row.terms[term] != right.get(term, 0):
            values = "wrong" if i in world.protected else f"{right.get(term, 0)}, not {row.terms[term]}"
            yield f"[cost] {i} in {world.offer_name(i, row.accommodation_id)}: {term} is {values}"


def _cells(world: World, plan: Housed) -> Iterator[tuple[Any, ...]]:
    """What stands in `CELLS`, row by row."""
    ids, legs = world.households.ids, _legs(world, plan)
    for who, where, persons, leg in zip(plan.who.tolist(), plan.where.tolist(), world.persons[plan.who].tolist(), legs, strict=True):
        i = ids[who]
        status, earlier, tie_km10 = "proposed", "", None
        if i in world.standing:
            status = world.standing[i].status if i in world.fixed else "proposed"
            earlier = changed_from(world, world.households.rows[who], world.offers.rows[where])
        if i in world.own_ties:
            tie_km10 = nearest_tie_km10(world, i, world.offers.rows[where], plan)
        yield persons, status, leg.km10, leg.minutes, earlier, i in world.protected, tie_km10


def _legs(world: World, plan: Housed) -> Iterator[Leg]:
    """The way of each row."""
    people, offers = world.households.rows, world.offers.rows
    which, legs = over_pairs(
        world.guests.classes("spot"), world.lodgings.classes("spot"), plan.who, plan.where,
        lambda h, a: world.travel.leg(people[h].spot, offers[a].spot),
    )  # fmt: skip
    return (legs[k] for k in which.tolist())


def _addresses(world: World, plan: Housed) -> Iterator[tuple[str, str]]:
    """(site, place) of each row."""
    classes = world.lodgings.classes("site_id", "spot")
    offers = (world.offers.rows[k] for k in classes.first)
    known = [(a.site_id or "", a.spot.name or f"{a.spot.lat:.4f} {a.spot.lon:.4f}") for a in offers]
    return (known[k] for k in classes.code[plan.where].tolist())
