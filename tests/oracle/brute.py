"""The best plan of a tiny instance by trying every plan, straight from the model's text (docs/model.md, docs/format.md).

Nothing here is shared with the program but the row models: distances, rules, rooms, costs and constraints are read from
the specification a second time, in exact fractions, so that the two readings can be held against each other. It favours
being plainly right over being fast; 5 households and 4 offers are what it is for.

    brute_force(case)            the best plan and its cost
    Reading(case)                what one case says: who is fixed, left out, free; arcs; costs
    Reading.faults(plan)         what is wrong with somebody else's plan
    Reading.terms(plan)          what somebody else's plan costs, by term
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Protocol

from matcher.model import Accommodation, Household, Instance, Member, Spot, Tie
from matcher.policy import Policy

Rooms = tuple[int, ...]
Stay = tuple[str, Rooms]
Plan = Mapping[str, Stay | None]
Vector = tuple[int, ...]

REST = ("travel", "home", "wants", "risk", "short", "spare", "move", "rent")
FLOORS, TIES, OTHERS = 5, 6, 7  # places in the vector of stages, after unplaced_1 … unplaced_5
STAGE_COUNT = 8


class Case(Protocol):
    """What the oracle needs to know: rows, weights and the day."""

    @property
    def instance(self) -> Instance: ...
    @property
    def policy(self) -> Policy: ...
    @property
    def date(self) -> dt.date: ...


@dataclass(frozen=True)
class BruteResult:
    """The best plan. `cost`: an int in weighted order, the vector of the eight stages in strict order."""

    feasible: bool
    cost: int | Vector = 0
    stages: Vector = (0,) * STAGE_COUNT
    terms: dict[str, int] = field(default_factory=dict)
    placements: dict[str, Stay | None] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    plans: int = 0


@dataclass(frozen=True)
class Party:
    """Households that are placed as one, sorted by id."""

    ids: tuple[str, ...]
    persons: int


# --- numbers and distances ----------------------------------------------------------------------------------------------


def half_up(value: Fraction) -> int:
    """The nearest whole number, halves upward."""
    return math.floor(value + Fraction(1, 2))


def units(person_km: Fraction) -> int:
    """Person-km as whole cost units of a tenth."""
    return half_up(person_km * 10)


def exact(value: Decimal | int) -> Fraction:
    """What the decimal text says."""
    return Fraction(value)


def air_km(a: Spot, b: Spot) -> float:
    """Great-circle distance on a sphere of radius 6371.0088 km."""
    lat_a, lon_a, lat_b, lon_b = (math.radians(x) for x in (a.lat, a.lon, b.lat, b.lon))
    h = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * 6371.0088 * math.asin(min(1.0, math.sqrt(h)))


def is_same_place(a: Spot, b: Spot) -> bool:
    """The same key, or within 5 km where either has only coordinates."""
    return a.key == b.key if a.key and b.key else air_km(a, b) <= 5


class Ways:
    """travel.csv in its direction, else in the other, else d · (1.16 + 0.15 · exp(−d/300))."""

    def __init__(self, instance: Instance) -> None:
        self.rows = {(row.origin.key, row.destination.key): row for row in instance.travel}
        self.seen: dict[tuple[object, ...], int] = {}

    def tenths(self, a: Spot, b: Spot) -> int:
        pair = (a.key, a.lat, a.lon, b.key, b.lat, b.lon)
        if pair not in self.seen:
            self.seen[pair] = self._tenths(a, b)
        return self.seen[pair]

    def _tenths(self, a: Spot, b: Spot) -> int:
        if a.key and b.key:
            for row in (self.rows.get((a.key, b.key)), self.rows.get((b.key, a.key))):
                if row is not None and row.km is not None:
                    return half_up(exact(row.km) * 10)
        d = air_km(a, b)
        return half_up(Fraction(10 * d * (1.16 + 0.15 * math.exp(-d / 300))))

    def km(self, a: Spot, b: Spot) -> Fraction:
        return Fraction(self.tenths(a, b), 10)

    def blocked(self, a: Spot, b: Spot) -> bool:
        if not (a.key and b.key):
            return False
        return any(row.blocked for row in (self.rows.get((a.key, b.key)), self.rows.get((b.key, a.key))) if row is not None)


# --- rooms ----------------------------------------------------------------------------------------------------------------


def subsets(sizes: Rooms) -> Iterator[Rooms]:
    """Every set of rooms by its sizes, ascending; sets of equal sizes once."""
    counts = sorted(Counter(sizes).items())
    for taken in product(*(range(n + 1) for _, n in counts)):
        yield tuple(size for (size, _), n in zip(counts, taken, strict=True) for _ in range(n))


def minimal_sets(sizes: Rooms, beds: int, rooms: int) -> list[Rooms]:
    """The sets with at least so many beds and rooms from which none can be left away."""

    def holds(chosen: Rooms) -> bool:
        return sum(chosen) >= beds and len(chosen) >= rooms

    return [s for s in subsets(sizes) if holds(s) and not any(holds(s[:i] + s[i + 1 :]) for i in range(len(s)))]


def may_share(a: Member, b: Member) -> bool:
    """Whether two members of one household may share a room under room_rule `separate`."""

    def under(member: Member, age: int) -> bool:
        return member.age is not None and member.age < age

    parents_of = {"child": ("head", "partner"), "head": ("parent",), "sibling": ("parent",)}
    kin = {a.relation, b.relation}
    if kin == {"head", "partner"}:
        return True
    for parent, child in ((a, b), (b, a)):
        if child.relation is not None and parent.relation in parents_of.get(child.relation, ()) and under(child, 10):
            return True
    if kin in ({"child"}, {"sibling"}, {"head", "sibling"}):
        if under(a, 10) and under(b, 10):
            return True
        return under(a, 18) and under(b, 18) and a.sex is not None and a.sex == b.sex
    return False


def fewest_rooms(members: Sequence[Member]) -> int:
    """The fewest rooms with at most two persons in each, who may share: try every pairing."""
    if not members:
        return 0
    first, rest = members[0], members[1:]
    best = 1 + fewest_rooms(rest)
    for i, other in enumerate(rest):
        if may_share(first, other):
            best = min(best, 1 + fewest_rooms([*rest[:i], *rest[i + 1 :]]))
    return best


# --- one case -------------------------------------------------------------------------------------------------------------


def joined(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Groups of ids connected by the pairs; pairs with an id that is not among them are not looked at."""
    group = {i: {i} for i in ids}
    for a, b in pairs:
        if a in group and b in group and group[a] is not group[b]:
            group[a] |= group[b]
            for member in group[b]:
                group[member] = group[a]
    return sorted({tuple(sorted(g)) for g in group.values()})


def binds(tie: Tie) -> bool:
    """A constraint and not a cost: required; between two households also agreed, which `apart` does not need."""
    return tie.required and (tie.other_household_id is None or tie.agreed or tie.kind == "apart")


def same_site(a: Accommodation, b: Accommodation) -> bool:
    return a.accommodation_id == b.accommodation_id or bool(a.site_id and a.site_id == b.site_id)


class Reading:
    """What one case says."""

    def __init__(self, case: Case) -> None:
        instance, self.policy, self.date = case.instance, case.policy, case.date
        self.instance = instance
        self.ways = Ways(instance)
        self.households = {h.household_id: h for h in instance.households}
        self.offers = {a.accommodation_id: a for a in instance.accommodations}
        self.standing = {s.household_id: s for s in instance.standing}
        self.overrides = [o for o in instance.overrides if o.expires_at is None or o.expires_at >= self.date]
        self.members: dict[str, list[Member]] = {}
        for member in instance.members:
            self.members.setdefault(member.household_id, []).append(member)
        self.pinned = {o.household_id for o in self.overrides if o.action == "pin"}
        self.held = {o.household_id for o in self.overrides if o.action == "hold"}

        self.fixed: dict[str, str] = {}
        self.left_out: dict[str, str] = {}
        self.free: list[str] = []
        for h in sorted(self.households):
            reason = self._left_out(self.households[h])
            if self._is_fixed(self.households[h]):
                self.fixed[h] = self.standing[h].accommodation_id
            elif reason:
                self.left_out[h] = reason
            else:
                self.free.append(h)

        self.place_ties = [t for t in instance.ties if t.other_household_id is None]
        self.links = [t for t in instance.ties if t.other_household_id is not None]
        together = [
            (t.household_id, t.other_household_id)
            for t in self.links
            if t.other_household_id is not None and binds(t) and t.kind == "same_accommodation"
        ]
        self.parties = [self._party(ids) for ids in joined(self.free, together)]
        standing_together = [(g, h) for g, h in together if g in self.fixed and h in self.fixed and self.fixed[g] == self.fixed[h]]
        self.fixed_parties = [self._party(ids) for ids in joined(self.fixed, standing_together)]
        self.fixed_rooms: dict[tuple[str, ...], Rooms] = {}
        self._choose_fixed_rooms()

    # who

    def _party(self, ids: tuple[str, ...]) -> Party:
        return Party(ids, sum(self.households[h].persons for h in ids))

    def _is_fixed(self, h: Household) -> bool:
        standing = self.standing.get(h.household_id)
        if standing is None:
            return False
        return standing.status == "moved_in" or (standing.status == "accepted" and h.consent != "no")

    def _left_out(self, h: Household) -> str | None:
        if h.consent != "yes":
            return "no_consent"
        if h.household_id in self.instance.left_out:
            return "quarantined"
        people = self.members.get(h.household_id)
        if people and not any(m.age is not None and m.age >= 18 for m in people) and h.household_id not in self.pinned:
            return "no_adult"
        if h.household_id in self.held:
            return "held"
        return None

    # when

    def arrival(self, h: str) -> dt.date:
        return max(self.households[h].arrives or self.date, self.date)

    def present(self, h: str, night: dt.date) -> bool:
        leaves = self.households[h].leaves
        return self.arrival(h) <= night and (leaves is None or night < leaves)

    # which pairs

    def rule_faults(self, hid: str, aid: str) -> list[str]:
        """Codes of the rules that keep one household out of one offer; without `size` and `rooms`, which are the party's."""
        h, a, rules = self.households[hid], self.offers[aid], self.policy.rules
        arrival = self.arrival(hid)
        risk = self.risk(a)
        broken: list[str] = []
        if a.status != "open" or aid in self.instance.closed:
            broken.append("status")
        if a.kind == "host_family" and rules.require_vetted and a.vetted is not True:
            broken.append("vetted")
        if h.max_rent is not None:
            if a.cost_per_person_night is None or h.persons * exact(a.cost_per_person_night) > exact(h.max_rent):
                broken.append("rent")
        if risk > exact(rules.max_risk):
            broken.append("risk")
        places_for = dict(a.need_capacity)
        if not all(need in a.features or places_for.get(need, -1) >= h.persons for need in h.needs):
            broken.append("needs")
        if not h.pets <= a.pets:
            broken.append("pets")
        if a.kind == "host_family" and a.languages and not a.languages & h.languages:
            broken.append("language")
        if h.accepts and a.kind not in h.accepts:
            broken.append("kind")
        if a.groups_only and not a.groups_only & h.groups:
            broken.append("groups")
        if h.avoids and (a.adm1 is None or a.adm1 in h.avoids):
            broken.append("area")
        if not self._dates_fit(h, a, arrival):
            broken.append("dates")
        if self.ways.blocked(h.spot, a.spot) or (h.max_km is not None and self.ways.km(h.spot, a.spot) > exact(h.max_km)):
            broken.append("distance")
        if not self._allowed(hid, a):
            broken.append("override")
        if not self._required_ties_hold(hid, a):
            broken.append("tie")
        return broken

    def _dates_fit(self, h: Household, a: Accommodation, arrival: dt.date) -> bool:
        if a.available_from is not None and a.available_from > arrival:
            return False
        if a.available_until is None:
            return True
        if h.leaves is not None:
            return h.leaves <= a.available_until
        return (a.available_until - arrival).days >= self.policy.short.min_nights

    def _allowed(self, hid: str, a: Accommodation) -> bool:
        for o in self.overrides:
            if o.household_id != hid or o.action == "hold":
                continue
            meant = o.accommodation_id == a.accommodation_id or (o.spot is not None and is_same_place(o.spot, a.spot))
            if meant != (o.action == "pin"):
                return False
        return True

    def _required_ties_hold(self, hid: str, a: Accommodation) -> bool:
        for tie in filter(binds, self.place_ties):
            if tie.household_id == hid and not self.tie_kept(tie, a):
                return False
        for tie in filter(binds, self.links):
            g, h = tie.household_id, tie.other_household_id
            if g == hid and h in self.fixed and not self.link_kept(tie, a, self.offers[self.fixed[h]]):
                return False
            if h == hid and g in self.fixed and not self.link_kept(tie, self.offers[self.fixed[g]], a):
                return False
        return True

    def split(self, party: Party) -> bool:
        """Whether a required link other than `apart` joins one of the party to a household that is left out."""
        for tie in filter(binds, self.links):
            ends = {tie.household_id, tie.other_household_id}
            if tie.kind != "apart" and ends & set(party.ids) and ends & set(self.left_out):
                return True
        return False

    def stays(self, party: Party) -> list[Stay]:
        """Every offer and set of rooms that the party may take."""
        found: list[Stay] = []
        if self.split(party):
            return found
        for aid in sorted(self.offers):
            a = self.offers[aid]
            if any(self.rule_faults(h, aid) for h in party.ids):
                continue
            if not (a.min_persons or 0) <= party.persons <= min(a.capacity, a.capacity if a.max_persons is None else a.max_persons):
                continue
            found += [(aid, rooms) for rooms in self.room_sets(party, a)]
        return found

    def room_sets(self, party: Party, a: Accommodation) -> list[Rooms]:
        if not a.rooms:
            return [()]
        needed = self.rooms_needed(party)
        if a.shared:
            return minimal_sets(a.rooms, party.persons, needed)
        return [tuple(sorted(a.rooms))] if sum(a.rooms) >= party.persons and len(a.rooms) >= needed else []

    def rooms_needed(self, party: Party) -> int:
        """Only one's own household is one's family, so the rooms that its households need add up."""
        if self.policy.rules.room_rule != "separate":
            return 0
        return sum(fewest_rooms(self.members[h]) if h in self.members else self.households[h].persons for h in party.ids)

    # ties and links

    def tie_kept(self, tie: Tie, a: Accommodation) -> bool:
        """A tie to a place or to an accommodation, for a household that lives in a."""
        if tie.spot is not None:
            km = self.ways.km(tie.spot, a.spot)
            if tie.kind == "near":
                return tie.max_km is not None and km <= exact(tie.max_km)
            there = is_same_place(tie.spot, a.spot)
            if tie.kind == "same_place":
                return there
            assert tie.kind == "apart"
            return not there and (tie.max_km is None or km > exact(tie.max_km))
        assert tie.accommodation_id is not None
        target = self.offers[tie.accommodation_id]
        if tie.kind == "near":
            return tie.max_km is not None and self.ways.km(target.spot, a.spot) <= exact(tie.max_km)
        return self._kept(tie, target, a)

    def link_kept(self, tie: Tie, a_g: Accommodation, a_h: Accommodation) -> bool:
        """A tie between households, for g (`household_id`) in a_g and h in a_h."""
        if tie.kind == "near":
            return tie.max_km is not None and self.ways.km(a_g.spot, a_h.spot) <= exact(tie.max_km)
        return self._kept(tie, a_g, a_h)

    def _kept(self, tie: Tie, one: Accommodation, other: Accommodation) -> bool:
        """Kilometres count from one to the other: from the tie's end to the household, or from the row's household."""
        if tie.kind == "same_accommodation":
            return one.accommodation_id == other.accommodation_id
        if tie.kind == "same_site":
            return same_site(one, other)
        if tie.kind == "same_place":
            return is_same_place(one.spot, other.spot)
        assert tie.kind == "apart"
        return not same_site(one, other) and (tie.max_km is None or self.ways.km(one.spot, other.spot) >= exact(tie.max_km))

    def pull(self, tie: Tie) -> Fraction:
        """weight · relation_weight · ties.weight"""
        relation = self.policy.ties.relation_weight.get(tie.relation, Decimal(1)) if tie.relation is not None else Decimal(1)
        return exact(tie.weight) * exact(relation) * exact(self.policy.ties.weight)

    def tie_distance(self, tie: Tie, a: Accommodation) -> Fraction:
        cap = exact(self.policy.ties.cap_km)
        if tie.kind == "near":
            target = tie.spot if tie.accommodation_id is None else self.offers[tie.accommodation_id].spot
            assert target is not None
            return min(self.ways.km(target, a.spot), cap)
        return Fraction(0) if self.tie_kept(tie, a) else cap

    def link_cost(self, tie: Tie, a_g: Accommodation, a_h: Accommodation) -> int:
        """What a soft link between two placed households costs."""
        assert tie.other_household_id is not None
        cap = exact(self.policy.ties.cap_km)
        if tie.kind == "near":
            distance = min(self.ways.km(a_g.spot, a_h.spot), cap)
        else:
            distance = Fraction(0) if self.link_kept(tie, a_g, a_h) else cap
        persons = self.households[tie.household_id].persons + self.households[tie.other_household_id].persons
        return units(self.pull(tie) * Fraction(persons, 2) * distance)

    # costs

    def risk(self, a: Accommodation) -> Fraction:
        if a.risk is not None:
            return exact(a.risk)
        area = self.policy.risk.area
        return exact(area[a.adm1]) if a.adm1 is not None and a.adm1 in area else exact(self.policy.risk.unknown)

    def own_terms(self, hid: str, aid: str) -> dict[str, int]:
        """What a household costs in an offer, by term, without spare beds (the party's) and links."""
        h, a, policy = self.households[hid], self.offers[aid], self.policy
        p = h.persons
        terms = {"travel": units(p * self.ways.km(h.spot, a.spot) * exact(policy.travel.weight))}

        soft = [t for t in self.place_ties if t.household_id == hid and not binds(t)]
        pulled = sum((p * self.pull(t) * self.tie_distance(t, a) for t in soft), Fraction(0))
        terms["ties"] = units(min(pulled, p * exact(policy.ties.cap_km) * exact(policy.ties.weight)))

        if h.wants_return and h.origin is not None:
            terms["home"] = units(p * min(self.ways.km(h.origin, a.spot), exact(policy.home.cap_km)) * exact(policy.home.weight))
        terms["wants"] = units(p * exact(policy.wants.km) * len(h.wants - a.features))
        terms["risk"] = units(p * self.risk(a) * exact(policy.risk.km))
        if h.leaves is None and a.available_until is not None:
            nights = min(365, max(0, (a.available_until - self.arrival(hid)).days))
            terms["short"] = units(p * exact(policy.short.km) * Fraction(365 - nights, 365))
        standing = self.standing.get(hid)
        if standing is not None and standing.status == "proposed" and standing.accommodation_id != aid:
            terms["move"] = units(p * exact(policy.move.km))
        if a.cost_per_person_night is not None:
            terms["rent"] = units(p * exact(a.cost_per_person_night) * 30 * exact(policy.rent.km_per_unit))
        return terms

    def spare(self, party: Party, stay: Stay) -> int:
        a, rooms = self.offers[stay[0]], stay[1]
        beds = 0
        if not a.shared:
            beds = a.capacity - party.persons
        elif a.rooms:
            beds = sum(rooms) - party.persons
        return units(max(0, beds) * exact(self.policy.spare.km))

    def unplaced(self, hid: str) -> int:
        h, policy = self.households[hid], self.policy.unplaced
        days = 0 if h.waiting_since is None else min(365, max(0, (self.date - h.waiting_since).days))
        return units(h.persons * (exact(policy.km[h.priority - 1]) + exact(policy.km_per_day_waited) * days))

    def missing(self, plan: Plan) -> int:
        """Cost of the floors."""
        cost = 0
        for group, share in self.policy.floors.share.items():
            counted = [
                h
                for h in self.households.values()
                if group in h.groups and h.consent == "yes" and (h.household_id not in self.held or h.household_id in self.fixed)
            ]
            wanted = math.ceil(exact(share) * sum(h.persons for h in counted))
            placed = sum(h.persons for h in counted if plan.get(h.household_id) is not None)
            cost += units(max(0, wanted - placed) * exact(self.policy.floors.km))
        return cost

    # whole plans

    def terms(self, plan: Plan) -> dict[str, int]:
        """What a plan costs by term (fixed households included, whether or not the plan names them)."""
        plan = {**plan, **self.fixed_plan()}
        total: Counter[str] = Counter()
        for h in self.households:
            stay = plan.get(h)
            if stay is not None:
                total.update(self.own_terms(h, stay[0]))
            elif h in self.free:
                total["unplaced"] += self.unplaced(h)
        for party in [*self.parties, *self.fixed_parties]:
            stay = plan.get(party.ids[0])
            if stay is not None:
                total["spare"] += self.spare(party, stay)
        for tie in self.links:
            assert tie.other_household_id is not None
            one, other = plan.get(tie.household_id), plan.get(tie.other_household_id)
            if not binds(tie) and one is not None and other is not None:
                total["linked"] += self.link_cost(tie, self.offers[one[0]], self.offers[other[0]])
        total["floors"] = self.missing(plan)
        return {term: value for term, value in total.items() if value}

    def stages(self, plan: Plan) -> Vector:
        """The same cost by stage of the strict order."""
        terms = self.terms(plan)
        placed = {**plan, **self.fixed_plan()}
        vector = [0] * STAGE_COUNT
        for h in self.free:
            if placed.get(h) is None:
                vector[self.households[h].priority - 1] += self.unplaced(h)
        vector[FLOORS] = terms.get("floors", 0)
        vector[TIES] = terms.get("ties", 0) + terms.get("linked", 0)
        vector[OTHERS] = sum(terms.get(term, 0) for term in REST)
        return tuple(vector)

    def fixed_plan(self) -> dict[str, Stay]:
        return {h: (self.fixed[h], self.fixed_rooms[party.ids]) for party in self.fixed_parties for h in party.ids}

    def faults(self, plan: Plan) -> list[str]:
        """Everything that is wrong with a plan (household → offer and its party's rooms, or None)."""
        wrong: list[str] = []
        fixed_plan = self.fixed_plan()
        for h in self.households:
            stay = plan.get(h)
            if h in fixed_plan and (stay is None or stay[0] != fixed_plan[h][0]):
                wrong.append(f"{h} is fixed in {fixed_plan[h][0]} and stands elsewhere")
            if h in self.left_out and stay is not None:
                wrong.append(f"{h} is left out ({self.left_out[h]}) and placed")
        for party in self.parties:
            stays = {plan.get(h) for h in party.ids}
            if len(stays) > 1:
                wrong.append(f"party {party.ids} is split")
            stay = plan.get(party.ids[0])
            if stay is None:
                if self.pinned & set(party.ids):
                    wrong.append(f"party {party.ids} is pinned and not placed")
            elif stay not in self.stays(party):
                wrong.append(f"party {party.ids} may not be in {stay}")
        for tie in self.links:
            if not self.link_allows(tie, plan):
                wrong.append(f"required {tie.kind} of {tie.household_id} and {tie.other_household_id} is broken")
        for aid in self.offers:
            there = [(party, stay[1]) for party in self.parties for stay in [plan.get(party.ids[0])] if stay is not None and stay[0] == aid]
            wrong += [f"{aid}: {fault}" for fault in self.overfull(aid, there)]
        return wrong

    def link_allows(self, tie: Tie, plan: Plan) -> bool:
        """Whether a tie between two free households is kept by the plan (those to others are rules of an arc)."""
        assert tie.other_household_id is not None
        if not binds(tie) or tie.household_id not in self.free or tie.other_household_id not in self.free:
            return True
        one, other = plan.get(tie.household_id), plan.get(tie.other_household_id)
        if one is None or other is None:
            return tie.kind == "apart" or (one is None and other is None)
        return self.link_kept(tie, self.offers[one[0]], self.offers[other[0]])

    def uses(self, a: Accommodation, party: Party, rooms: Rooms, night: dt.date) -> Counter[str]:
        """What a party takes of an offer's resources on one night."""
        use: Counter[str] = Counter()
        here = [self.households[h] for h in party.ids if self.present(h, night)]
        if not here:
            return use
        use["persons"] = sum(h.persons for h in here)
        if not a.shared:
            use["unit"] = 1
        if a.rooms:
            use.update(f"rooms:{size}" for size in rooms)
        for need, _ in a.need_capacity:
            if need not in a.features:
                use[f"need:{need}"] = sum(h.persons for h in here if need in h.needs)
        return use

    def overfull(self, aid: str, free: Sequence[tuple[Party, Rooms]]) -> list[str]:
        """Resources of an offer that the free parties there exceed on some night, after what the fixed ones take."""
        a = self.offers[aid]
        fixed = [(party, self.fixed_rooms[party.ids]) for party in self.fixed_parties if self.fixed[party.ids[0]] == aid]
        capacity: Counter[str] = Counter({"persons": a.capacity, "unit": 1})
        capacity.update(f"rooms:{size}" for size in a.rooms or ())
        capacity.update({f"need:{need}": places for need, places in a.need_capacity})
        wrong = []
        for night in sorted({self.arrival(h) for party, _ in [*fixed, *free] for h in party.ids}):
            taken = sum((self.uses(a, party, rooms, night) for party, rooms in fixed), Counter[str]())
            wanted = sum((self.uses(a, party, rooms, night) for party, rooms in free), Counter[str]())
            wrong += [f"{r} on {night}" for r, use in wanted.items() if use > max(0, capacity[r] - taken[r])]
        return wrong

    def _choose_fixed_rooms(self) -> None:
        """Rooms of the fixed: as given, else the best set that is left; who has given rooms comes first."""

        def given(party: Party) -> Rooms:
            return tuple(sorted(size for h in party.ids for size in self.standing[h].rooms or ()))

        for party in sorted(self.fixed_parties, key=lambda party: (not given(party), party.ids[0])):
            a = self.offers[self.fixed[party.ids[0]]]
            if not a.rooms:
                rooms: Rooms = ()
            elif given(party):
                rooms = given(party)
            elif not a.shared:
                rooms = tuple(sorted(a.rooms))
            else:
                sets = sorted(self.room_sets(party, a), key=lambda s: (sum(s), len(s), s))
                fitting = [s for s in sets if self._fits_beside_fixed(party, a, s)]
                rooms = (fitting or sets or [tuple(sorted(a.rooms))])[0]
            self.fixed_rooms[party.ids] = rooms

    def _fits_beside_fixed(self, party: Party, a: Accommodation, rooms: Rooms) -> bool:
        others = [p for p in self.fixed_parties if p.ids in self.fixed_rooms and self.fixed[p.ids[0]] == a.accommodation_id]
        for night in {self.arrival(h) for p in [party, *others] for h in p.ids}:
            if not any(self.present(h, night) for h in party.ids):
                continue
            taken = Counter(rooms)
            for p in others:
                if any(self.present(h, night) for h in p.ids):
                    taken.update(self.fixed_rooms[p.ids])
            if any(n > Counter(a.rooms)[size] for size, n in taken.items()):
                return False
        return True


# --- the search -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One thing that a party can do, with its cost by stage: its own and its links to fixed households."""

    stay: Stay | None
    cost: Vector


def plus(a: Vector, b: Vector) -> Vector:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def brute_force(case: Case) -> BruteResult:
    """The best plan by trying all of them; a branch ends where a rule is broken or nothing below it can be better."""
    reading = Reading(case)
    fixed = reading.fixed_plan()
    strict = reading.policy.order == "strict"
    parties = reading.parties
    choices = [_choices(reading, party) for party in parties]
    nothing: Vector = (0,) * STAGE_COUNT

    def value(cost: Vector) -> Vector:
        return cost if strict else (sum(cost),)

    # the least that the parties from i on can add: costs are never negative, so links and floors can only add to it
    ahead = [nothing] * (len(parties) + 1)
    for i in reversed(range(len(parties))):
        columns = zip(*(value(c.cost) for c in choices[i]), strict=True) if choices[i] else [[0]] * (STAGE_COUNT if strict else 1)
        least = tuple(min(column) for column in columns)
        ahead[i] = plus(least, ahead[i + 1] if i + 1 < len(parties) else (0,) * len(least))
    if not parties:
        ahead = [value(nothing)]
    ahead[-1] = value(nothing)

    best: tuple[Vector, Vector, dict[str, Stay | None]] | None = None
    plans = 0

    def search(i: int, plan: dict[str, Stay | None], cost: Vector) -> None:
        nonlocal best, plans
        if best is not None and plus(value(cost), ahead[i]) >= best[0]:
            return
        if i == len(parties):
            plans += 1
            floors = [0] * STAGE_COUNT
            floors[FLOORS] = reading.missing(plan)
            cost = plus(cost, tuple(floors))
            if best is None or value(cost) < best[0]:
                best = (value(cost), cost, plan)
            return
        decided = {h for party in parties[:i] for h in party.ids} | set(parties[i].ids)
        ties = [t for t in reading.links if {t.household_id, t.other_household_id} <= decided]
        ties = [t for t in ties if {t.household_id, t.other_household_id} & set(parties[i].ids)]
        for choice in choices[i]:
            longer = {**plan, **dict.fromkeys(parties[i].ids, choice.stay)}
            if not all(reading.link_allows(tie, longer) for tie in ties):
                continue
            if choice.stay is not None:
                there = [
                    (party, stay[1])
                    for party in parties[: i + 1]
                    for stay in [longer[party.ids[0]]]
                    if stay is not None and stay[0] == choice.stay[0]
                ]
                if reading.overfull(choice.stay[0], there):
                    continue
            search(i + 1, longer, plus(plus(cost, choice.cost), _links_cost(reading, ties, longer)))

    start = reading.stages({})
    without_free = list(start)
    for h in reading.free:
        without_free[reading.households[h].priority - 1] -= reading.unplaced(h)
    without_free[FLOORS] = 0
    search(0, {**dict.fromkeys(reading.left_out), **fixed}, tuple(without_free))
    if best is None:
        return BruteResult(feasible=False, left_out=reading.left_out)
    _, stages, plan = best
    terms = reading.terms(plan)
    assert reading.stages(plan) == stages and sum(terms.values()) == sum(stages), "the search and the whole plan disagree"
    return BruteResult(
        feasible=True,
        cost=stages if strict else sum(stages),
        stages=stages,
        terms=terms,
        placements=plan,
        left_out=reading.left_out,
        plans=plans,
    )


def _choices(reading: Reading, party: Party) -> list[Choice]:
    found = []
    for stay in reading.stays(party):
        vector = [0] * STAGE_COUNT
        for h in party.ids:
            terms = reading.own_terms(h, stay[0])
            vector[TIES] += terms.pop("ties") + _links_to_fixed(reading, h, stay[0])
            vector[OTHERS] += sum(terms.values())
        vector[OTHERS] += reading.spare(party, stay)
        found.append(Choice(stay, tuple(vector)))
    found.sort(key=lambda c: (sum(c.cost), c.stay))
    if not reading.pinned & set(party.ids):
        vector = [0] * STAGE_COUNT
        for h in party.ids:
            vector[reading.households[h].priority - 1] += reading.unplaced(h)
        found.append(Choice(None, tuple(vector)))
    return found


def _links_to_fixed(reading: Reading, hid: str, aid: str) -> int:
    cost = 0
    for tie in reading.links:
        g, h = tie.household_id, tie.other_household_id
        if binds(tie):
            continue
        if g == hid and h in reading.fixed:
            cost += reading.link_cost(tie, reading.offers[aid], reading.offers[reading.fixed[h]])
        elif h == hid and g in reading.fixed:
            cost += reading.link_cost(tie, reading.offers[reading.fixed[g]], reading.offers[aid])
    return cost


def _links_cost(reading: Reading, ties: Sequence[Tie], plan: Plan) -> Vector:
    """Soft links among these, both ends of which the plan has decided."""
    vector = [0] * STAGE_COUNT
    for tie in ties:
        assert tie.other_household_id is not None
        one, other = plan[tie.household_id], plan[tie.other_household_id]
        if not binds(tie) and one is not None and other is not None:
            vector[TIES] += reading.link_cost(tie, reading.offers[one[0]], reading.offers[other[0]])
    return tuple(vector)
