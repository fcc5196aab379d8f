"""What a plan costs, term by term, in units of 1/10 person-km; each term of each household rounded once, half up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from matcher.check.exact import exact, half_up
from matcher.model import Accommodation, Household, Tie
from matcher.result import TERMS
from tests.check.plain.rules import risk_of
from tests.check.plain.seats import Seat
from tests.check.plain.ties import offers_hold, own_tie_holds, pull_km10, tie_km10, tie_weight
from tests.check.plain.world import World

LONGEST_DAYS = 365


def own_terms(world: World, h: Household, a: Accommodation) -> dict[str, int]:
    """The terms that a household has by itself: all but `spare` (the party's), `linked`, `unplaced` and `floors`; zeros left out."""
    p, weights = h.persons, world.weights
    terms = {
        "travel": half_up(weights["travel"] * (p * world.travel.km10(h.spot, a.spot))),
        "ties": ties_term(world, h, a),
        "home": home_term(world, h, a),
        "wants": half_up(weights["wants"] * (p * len(h.wants - a.features))) if h.wants else 0,
        "risk": half_up(weights["risk"] * p * exact(risk_of(world, a))),
        "short": short_term(world, h, a),
        "move": half_up(weights["move"] * p) if changed_from(world, h, a) else 0,
        "rent": half_up(weights["rent"] * p * exact(a.cost_per_person_night)) if a.cost_per_person_night and weights["rent"] else 0,
    }
    return {term: value for term, value in terms.items() if value}


def ties_term(world: World, h: Household, a: Accommodation) -> int:
    """Σ over soft ties to places and accommodations of p · tie weight · pull, at most p · cap · ties.weight."""
    total = Fraction(0)
    for tie in world.own_ties.get(h.household_id, ()):
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
    nights = (a.available_until - world.stays[h.household_id].arrival).days
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
    """p · (km of its priority + km a day · days waited, 0 to 365); nothing for who is left out."""
    if h.household_id in world.left_out:
        return 0
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
    persons = world.households[tie.household_id].persons + world.households[tie.other_household_id].persons
    return half_up(tie_weight(world, tie) * pull_km10(world, tie, km10, holds) * persons / 2)


def link_payer(world: World, tie: Tie) -> str:
    """Whose row a link is charged to: its own household's, or the protected one's where just one of the two is protected."""
    assert tie.other_household_id is not None
    one, other = tie.household_id in world.protected, tie.other_household_id in world.protected
    return tie.other_household_id if other and not one else tie.household_id


def floor_target(world: World, group: str) -> tuple[int, int]:
    """(N_g, P_g): persons of the group that should be placed, and all of them, with consent and not held."""
    persons = sum(h.persons for h in floor_members(world, group))
    share = exact(world.policy.floors.share[group]) * persons
    return -(-share.numerator // share.denominator), persons


def floor_members(world: World, group: str) -> list[Household]:
    """Households of a group that its floor counts."""
    return [
        h
        for i, h in world.households.items()
        if group in h.groups and h.consent == "yes" and not (i in world.held and i not in world.fixed)
    ]


def floor_cost(world: World, missing: int) -> int:
    """Cost of so many persons missing under one floor, rounded once for all of them."""
    return half_up(world.weights["floor"] * missing)


def highest_floor_price(world: World) -> int:
    """Whole units that every missing person costs at least, however the sum is rounded: no price may be above it."""
    return int(world.weights["floor"] // 1)


@dataclass(frozen=True)
class Account:
    """What a plan costs. rows: household → term → units; unplaced: household → units."""

    rows: Mapping[str, Mapping[str, int]]
    unplaced: Mapping[str, int]
    floors: int

    def term(self, name: str) -> int:
        """Sum of one term over the plan."""
        own = {"unplaced": sum(self.unplaced.values()), "floors": self.floors}
        return sum(row.get(name, 0) for row in self.rows.values()) + own.get(name, 0)

    def stages(self, world: World) -> dict[str, int]:
        """Value of each stage of the strict order, and of `all`."""
        values = {f"unplaced_{n}": 0 for n in range(1, 6)} | {"floors": self.floors}
        for i, cost in self.unplaced.items():
            values[f"unplaced_{world.households[i].priority}"] += cost
        values["ties"] = self.term("ties") + self.term("linked")
        values["rest"] = sum(self.term(name) for name in TERMS if name not in ("ties", "linked", "unplaced", "floors"))
        return values | {"all": sum(values.values())}


def account(world: World, where: Mapping[str, Accommodation], seats: Iterable[Seat]) -> Account:
    """The costs of a plan: `where` each household lives that has a place; `seats` tell the rooms that parties take."""
    rows = {i: own_terms(world, world.households[i], a) for i, a in where.items()}
    for seat in seats:
        spare = spare_term(world, seat.offer, seat.party.persons, seat.rooms)
        if spare and seat.party.ids[0] in rows:
            rows[seat.party.ids[0]]["spare"] = spare
    for tie in world.links:
        one, other = where.get(tie.household_id), where.get(tie.other_household_id or "")
        if tie.binds or one is None or other is None:
            continue
        cost, payer = link_cost(world, tie, one, other), link_payer(world, tie)
        if cost:
            rows[payer]["linked"] = rows[payer].get("linked", 0) + cost
    floors = 0
    for group in world.policy.floors.share:
        target, _ = floor_target(world, group)
        floors += floor_cost(world, max(0, target - sum(h.persons for h in floor_members(world, group) if h.household_id in where)))
    unplaced = {i: unplaced_term(world, h) for i, h in world.households.items() if i not in where}
    return Account(rows, unplaced, floors)
