"""The terms of the objective, in units of 1/10 person-km; each term of each household rounded once, half up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction

import numpy as np

from matcher.check.exact import Ints, exact, half_up
from matcher.check.rules import risk_of
from matcher.check.ties import offers_hold, own_tie_holds, pull_km10, tie_km10, tie_weight
from matcher.check.world import World
from matcher.model import Accommodation, Household, Tie

LONGEST_DAYS = 365
Term = Callable[[World, Household, Accommodation], int]


def travel_term(world: World, h: Household, a: Accommodation) -> int:
    """p · km · weight."""
    return half_up(world.weights["travel"] * (h.persons * world.travel.km10(h.spot, a.spot)))


def wants_term(world: World, h: Household, a: Accommodation) -> int:
    """p · wants.km for each unmet want."""
    return half_up(world.weights["wants"] * (h.persons * len(h.wants - a.features)))


def risk_term(world: World, h: Household, a: Accommodation) -> int:
    """p · risk · risk.km."""
    return half_up(world.weights["risk"] * h.persons * exact(risk_of(world, a)))


def rent_term(world: World, h: Household, a: Accommodation) -> int:
    """p · cost_per_person_night · 30 · rent.km_per_unit; unknown costs count nothing."""
    return half_up(world.weights["rent"] * h.persons * exact(a.cost_per_person_night or Decimal(0)))


def move_term(world: World, h: Household, a: Accommodation) -> int:
    """p · move.km for a proposed placement that goes elsewhere."""
    return half_up(world.weights["move"] * h.persons) if changed_from(world, h, a) else 0


def ties_term(world: World, h: Household, a: Accommodation) -> int:
    """Σ over soft ties to places and accommodations of p · tie weight · pull, at most p · cap · ties.weight."""
    total = Fraction(0)
    for tie in world.own_ties.of(h.household_id):
        if tie.other_household_id is None and not tie.required:
            holds = tie.kind != "near" and own_tie_holds(world, tie, a)
            total += tie_weight(world, tie) * pull_km10(world, tie, tie_km10(world, tie, a), holds)
    return half_up(h.persons * min(total, world.weights["cap_km10"] * world.weights["ties"])) if total else 0


def home_term(world: World, h: Household, a: Accommodation) -> int:
    """p · min(km(origin, a), cap) · weight, for who wants to return."""
    if not h.wants_return or h.origin is None:
        return 0
    km10 = min(Fraction(world.travel.km10(h.origin, a.spot)), world.weights["home_cap_km10"])
    return half_up(world.weights["home"] * h.persons * km10)


def short_term(world: World, h: Household, a: Accommodation) -> int:
    """p · short.km · (365 − nights) / 365 for an open-ended stay in an offer that ends, nights within 0 to 365."""
    if h.leaves is not None or a.available_until is None:
        return 0
    nights = (a.available_until - world.stay(h.household_id).arrival).days
    return half_up(world.weights["short_365"] * (h.persons * (LONGEST_DAYS - min(max(nights, 0), LONGEST_DAYS))))


def spare_term(world: World, a: Accommodation, persons: int, rooms: Iterable[int]) -> int:
    """Beds left empty by a party: of the whole offer where it is not shared, else of the rooms taken."""
    if not a.shared:
        beds = a.capacity
    elif a.rooms:
        beds = sum(rooms)
    else:
        return 0
    return half_up(world.weights["spare"] * max(0, beds - persons))


def unplaced_term(world: World, h: Household) -> int:
    """p · (km of its priority + km a day · days waited, 0 to 365)."""
    days = 0 if h.waiting_since is None else min(max((world.date - h.waiting_since).days, 0), LONGEST_DAYS)
    policy = world.policy.unplaced
    return half_up(10 * h.persons * (exact(policy.km[h.priority - 1]) + days * exact(policy.km_per_day_waited)))


def changed_from(world: World, h: Household, a: Accommodation) -> str:
    """The earlier accommodation where a proposed placement goes elsewhere, else ""."""
    row = world.standing.get(h.household_id)
    moved = row is not None and row.status == "proposed" and row.accommodation_id != a.accommodation_id
    return row.accommodation_id if row is not None and moved else ""


def link_cost(world: World, tie: Tie, one: Accommodation, other: Accommodation) -> int:
    """Term `linked` of one soft tie: `household_id` in `one`, the other household in `other`."""
    holds = tie.kind != "near" and offers_hold(world, tie, one, other)
    return link_cost_at(world, tie, world.travel.km10(one.spot, other.spot), holds)


def link_cost_at(world: World, tie: Tie, km10: int, holds: bool) -> int:
    """tie weight · (p_g + p_h) / 2 · pull, rounded."""
    assert tie.other_household_id is not None
    position = world.households.position
    persons = int(world.persons[position[tie.household_id]] + world.persons[position[tie.other_household_id]])
    return half_up(tie_weight(world, tie) * pull_km10(world, tie, km10, holds) * persons / 2)


def link_payer(world: World, tie: Tie) -> str:
    """Whose row a link is charged to: its own household's, or the protected one's where just one of the two is protected."""
    assert tie.other_household_id is not None
    one, other = tie.household_id in world.protected, tie.other_household_id in world.protected
    return tie.other_household_id if other and not one else tie.household_id


def floor_target(world: World, group: str) -> tuple[int, int]:
    """(N_g, P_g): persons of the group that should be placed, and all of them, with consent and not held."""
    persons = int(world.persons[floor_members(world, group)].sum())
    share = exact(world.policy.floors.share[group]) * persons
    return -(-share.numerator // share.denominator), persons


def floor_members(world: World, group: str) -> Ints:
    """Positions of the households of a group that its floor counts."""
    classes = world.guests.classes("groups", "consent")
    rows = (world.households.rows[k] for k in classes.first)
    counted = np.array([group in h.groups and h.consent == "yes" for h in rows], dtype=bool)[classes.code]
    counted[[world.households.position[i] for i in world.held if i in world.households and i not in world.fixed]] = False
    return np.flatnonzero(counted)


def floor_cost(world: World, missing: int) -> int:
    """Cost of so many persons missing under one floor, rounded once for all of them."""
    return half_up(world.weights["floor"] * missing)


def highest_floor_price(world: World) -> int:
    """Whole units that every missing person costs at least, however the sum is rounded: no price may be above it."""
    return int(world.weights["floor"] // 1)


# Terms that depend on a few columns of household and offer; `ties` and `move` depend on rows that not everybody has.
TERM_COLUMNS: Mapping[str, tuple[Term, tuple[str, ...], tuple[str, ...]]] = {
    "travel": (travel_term, ("persons", "spot"), ("spot",)),
    "home": (home_term, ("wants_return", "origin", "persons"), ("spot",)),
    "wants": (wants_term, ("wants", "persons"), ("features",)),
    "risk": (risk_term, ("persons",), ("risk", "adm1")),
    "short": (short_term, ("stay", "persons"), ("available_until",)),
    "rent": (rent_term, ("persons",), ("cost_per_person_night",)),
}
