"""From an instance and a policy to a `Problem`, with what is needed to turn positions back into ids."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher import bonds as bonds_
from matcher import capacity, costs, links
from matcher.bonds import Bonds, gather_bonds
from matcher.capacity import FixedUse, choose_fixed_rooms
from matcher.layers import Bools, Ints, Layer, classes, exceptions, table
from matcher.model import Accommodation, Household, Instance, Tie
from matcher.places.travel import Travel, same_place, travel_model
from matcher.policy import Policy
from matcher.problem import ANY_DATE, OPEN_END, Floor, Problem
from matcher.result import STAGES
from matcher.roles import Roles, assign_roles
from matcher.rooms import rooms_needed
from matcher.rules import Applicant, make_rules, offer_risk

_Cost = Callable[[bonds_.At | Mapping[str | None, bonds_.At]], int]
TIE_TERMS = ("ties", "linked")


@dataclass(frozen=True)
class Compiled:
    """A problem and its key.

    households: ids of the free households (position h of the problem), then of the fixed ones (positions H, H+1, …: only
    the layers know these). offers: ids by position. fixed_home: offer position of each fixed household, in order.
    fixed_rooms: rooms of each fixed party, by its first id. fixed_links: (tie, cost) among fixed households.
    """

    instance: Instance
    policy: Policy
    roles: Roles
    travel: Travel
    problem: Problem
    households: tuple[str, ...]
    offers: tuple[str, ...]
    fixed_home: tuple[int, ...]
    fixed_rooms: Mapping[str, tuple[int, ...]]
    fixed_links: tuple[tuple[Tie, int], ...]
    need_words: tuple[str, ...]
    bonds: Mapping[str, Bonds]
    household_of: Mapping[str, Household]
    offer_of: Mapping[str, Accommodation]

    @property
    def free(self) -> int:
        """Number of free households, H."""
        return len(self.problem.persons)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Position of each household, free or fixed."""
        return {h: i for i, h in enumerate(self.households)}

    @cached_property
    def offer_positions(self) -> dict[str, int]:
        """Position of each offer."""
        return {a: i for i, a in enumerate(self.offers)}

    @cached_property
    def _parties(self) -> dict[str, tuple[str, ...]]:
        return {h: party for party in (*self.roles.parties, *self.roles.fixed_parties) for h in party}

    def party_ids(self, household_id: str) -> tuple[str, ...]:
        """Everybody in the household's party, sorted by id."""
        return self._parties[household_id]

    def resource_name(self, r: int) -> tuple[str, str, str]:
        """(accommodation id, resource, date or "") as certificates name them."""
        resource = self.problem.resources[r]
        name = resource.kind
        if resource.kind == "rooms":
            name = f"rooms:{resource.size}"
        elif resource.kind == "need":
            name = f"need:{self.need_words[resource.size]}"
        date = "" if resource.date == ANY_DATE else dt.date.fromordinal(resource.date).isoformat()
        return self.offers[resource.offer], name, date

    def term_cost(self, position: int, offer: int) -> dict[str, int]:
        """Cost by term of one household (by position, free or fixed) at an offer, room sets and links between free ones apart."""
        one, where = np.array([position]), np.array([offer])
        out: dict[str, int] = {}
        for layer in self.problem.terms:
            out[layer.name] = out.get(layer.name, 0) + int(layer.block(one, where)[0, 0])
        return out


def compile_instance(instance: Instance, policy: Policy, date: dt.date, seed: int = 0) -> Compiled:
    """Compile. Raises ContradictionError (decisions that contradict on paper), UsageError (a travel model not here)."""
    roles = assign_roles(instance, date)
    travel = Travel(instance.travel, travel_model(policy.travel.model))
    return _Compiler(instance, policy, roles, travel).build(seed)


def compile_without_pins(compiled: Compiled) -> Compiled:
    """The same with nobody pinned, all roles as they are: what the pins are tried out on when they conflict."""
    roles = replace(compiled.roles, pins={})
    return _Compiler(compiled.instance, compiled.policy, roles, compiled.travel).build(0)


@dataclass(frozen=True)
class _FixedSide:
    """Where fixed households are, the rooms of fixed parties, and the soft links among them."""

    home: tuple[int, ...]
    rooms: Mapping[str, tuple[int, ...]]
    links: tuple[tuple[Tie, int], ...]


class _Compiler:
    """One compilation; every method is a step, and the steps run once in the order of `build`."""

    def __init__(self, instance: Instance, policy: Policy, roles: Roles, travel: Travel) -> None:
        self.instance, self.policy, self.roles, self.travel = instance, policy, roles, travel
        self.household_of = {h.household_id: h for h in instance.households}
        self.offer_of = {a.accommodation_id: a for a in instance.accommodations}
        self.offers = sorted(self.offer_of)
        self.accommodations = [self.offer_of[a] for a in self.offers]
        self.free = [h for party in roles.parties for h in party]
        self.free.sort()
        self.fixed = sorted(roles.fixed)
        self.ids = self.free + self.fixed
        self.position = {h: i for i, h in enumerate(self.ids)}
        self.party_of = {h: party for party in (*roles.parties, *roles.fixed_parties) for h in party}
        self.rooms_of = self._rooms_needed()
        self.applicants = [self._applicant(h) for h in self.ids]
        self.offer_position = {a: i for i, a in enumerate(self.offers)}
        place, self.spots = classes((a.spot.lat, a.spot.lon, a.spot.key) for a in self.accommodations)
        self.place: Ints = place
        first_at = {int(p): a.spot for p, a in reversed(list(zip(place, self.accommodations, strict=True)))}
        self.place_spot = [first_at[p] for p in range(len(self.spots))]
        self.bonds = gather_bonds(instance, roles, policy)

    def _rooms_needed(self) -> dict[str, int]:
        if self.policy.rules.room_rule != "separate":
            return dict.fromkeys(self.ids, 0)
        out = {}
        for h in self.ids:
            known = self.roles.members.get(h)
            persons = self.household_of[h].persons
            out[h] = rooms_needed(known) + max(0, persons - len(known)) if known else persons
        return out

    def _applicant(self, household_id: str) -> Applicant:
        household = self.household_of[household_id]
        party = self.party_of[household_id]
        return Applicant(
            household=household,
            arrival=max(household.arrives or self.roles.date, self.roles.date),
            party_persons=sum(self.household_of[h].persons for h in party),
            party_rooms=sum(self.rooms_of[h] for h in party),
        )

    def build(self, seed: int) -> Compiled:
        policy, strict = self.policy, self.policy.order == "strict"
        stages = STAGES if strict else ("all",)
        terms = self._terms()
        tie_stage, rest, floor_stage = (stages.index("ties"), len(stages) - 1, stages.index("floors")) if strict else (0, 0, 0)
        rules = self._rules()
        homes = tuple(self.offer_position[self.roles.fixed[h].accommodation_id] for h in self.fixed)
        fixed = _FixedSide(homes, self._fixed_rooms(), self._fixed_links())
        parties = tuple(tuple(self.position[h] for h in party) for party in self.roles.parties)
        households = [self.household_of[h] for h in self.free]
        arrival = np.array([a.arrival.toordinal() for a in self.applicants], dtype=np.int64)
        leaves = np.array([OPEN_END if a.household.leaves is None else a.household.leaves.toordinal() for a in self.applicants])
        need_words = tuple(sorted({word for a in self.accommodations for word, _ in a.need_capacity}))
        has_need = np.array([[word in self.household_of[h].needs for word in need_words] for h in self.ids], dtype=np.bool_)
        skeleton = Problem(
            parties=parties,
            persons=np.array([h.persons for h in households], dtype=np.int64),
            rules=rules,
            terms=terms,
            term_stage=tuple(tie_stage if layer.name in TIE_TERMS else rest for layer in terms),
            stages=stages,
            unplaced_cost=np.array(
                [costs.unplaced(h.persons, h.priority, h.waiting_since, self.roles.date, policy) for h in households], dtype=np.int64
            ),
            unplaced_stage=np.array([h.priority - 1 if strict else 0 for h in households], dtype=np.int64),
            must=np.array([any(h in self.roles.pins for h in party) for party in self.roles.parties], dtype=np.bool_),
            barred=np.array([party[0] in self.roles.bereft for party in self.roles.parties], dtype=np.bool_),
            arrival=arrival,
            leaves=leaves,
            offers=len(self.offers),
            sizes=tuple(a.rooms if a.shared else None for a in self.accommodations),
            room_need=np.array([self.applicants[party[0]].party_rooms for party in parties], dtype=np.int64),
            spare_units=(costs.UNITS_PER_KM * costs.exact(policy.spare.km)).as_integer_ratio(),
            spare_stage=rest,
            resources=(),
            resources_of=((),) * len(self.offers),
            has_need=has_need.reshape(len(self.ids), len(need_words)),
            place=self.place,
            site=self._sites(),
            km10=self._km10(),
            same_place=self._same_place(),
            party_cost_stage=tie_stage,
            floor_stage=floor_stage,
            lottery=self._lottery(seed),
            private=frozenset(q for q, party in enumerate(self.roles.parties) if self.roles.protected & set(party)),
        )
        problem = self._finish(skeleton, need_words, fixed)
        return Compiled(
            self.instance, policy, self.roles, self.travel, problem, tuple(self.ids), tuple(self.offers), fixed.home, fixed.rooms,
            fixed.links, need_words, self.bonds, self.household_of, self.offer_of,
        )  # fmt: skip

    def _rules(self) -> tuple[Layer, ...]:
        """Rules over classes, then `override` and `tie`: by place, and by single offers where they name some."""
        policy, travel = self.policy, self.travel
        layers: list[Layer] = []
        places = (self.place, self.place_spot)
        for rule in make_rules(policy, travel, self.instance.closed):
            rows = [rule.of_household(a) for a in self.applicants]
            if rule.code == "distance":
                layers.append(table(rule.code, rows, places, rule.value))
            else:
                columns = [rule.of_offer(a) for a in self.accommodations]
                layers.append(table(rule.code, rows, columns, rule.value))
        pins, forbids = self.roles.pins, self.roles.forbids
        decided = [(pins.get(h), forbids.get(h, ())) for h in self.ids]
        layers.append(table("override", decided, places, lambda d, spot: int(bonds_.override_holds(d[0], d[1], spot, None))))
        layers.append(exceptions("override", [self._override_row(*d) for d in decided], 1))
        required = [self._bonds(h).required for h in self.ids]
        by_place = [tuple(b for b in row if not _names_offers(b)) for row in required]
        layers.append(table("tie", by_place, places, lambda row, spot: int(all(bonds_.is_kept(b, bonds_.At(spot), travel) for b in row))))
        layers.append(exceptions("tie", [self._tie_row(tuple(b for b in row if bonds_.depends_on_site(b))) for row in required], 1))
        return tuple(layers)

    def _bonds(self, household_id: str) -> Bonds:
        return self.bonds.get(household_id, Bonds())

    def _override_row(self, pin: object, forbids: Sequence[object]) -> tuple[int, dict[int, int]] | None:
        pinned = getattr(pin, "accommodation_id", None)
        if pinned is not None:
            return 0, {self.offer_position[pinned]: 1}
        barred = [a for row in forbids if (a := getattr(row, "accommodation_id", None)) is not None]
        return (1, {self.offer_position[a]: 0 for a in barred}) if barred else None

    def _tie_row(self, row: tuple[bonds_.Bond, ...]) -> tuple[int, dict[int, int]] | None:
        """Required ties that tell offers at one spot apart: everywhere the same but at the offers of the targets' sites."""
        if not row:
            return None
        elsewhere = int(all(b.kind == "apart" for b in row))
        near = self._offers_on_sites([b.target for b in row])
        return elsewhere, {j: int(self._holds_all(row, j)) for j in near}

    def _holds_all(self, row: tuple[bonds_.Bond, ...], j: int) -> bool:
        offer = self.accommodations[j]
        views = bonds_.looks(row, offer, self.offer_of)
        return all(bonds_.is_kept(b, views[b.target], self.travel) for b in row if b.kind != "apart") and not any(
            b.kind == "apart" and views[b.target].on_site for b in row
        )

    def _offers_on_sites(self, targets: Sequence[str | None]) -> list[int]:
        """Offers at the sites of the target offers, the targets among them."""
        wanted = {t for t in targets if t is not None}
        sites = {self.offer_of[t].site_id for t in wanted} - {None}
        return [j for j, a in enumerate(self.accommodations) if a.accommodation_id in wanted or a.site_id in sites]

    def _terms(self) -> tuple[Layer, ...]:
        """Terms of an arc but for rooms' spare beds; terms on distances by place, the others by classes of offers."""
        policy, travel, ids = self.policy, self.travel, self.ids
        rows = [self.household_of[h] for h in ids]
        places = (self.place, self.place_spot)
        offers = self.accommodations
        lead = {party[0] for party in (*self.roles.parties, *self.roles.fixed_parties)}
        km10 = travel.km10
        soft = [(self.household_of[h].persons, self._bonds(h).soft) for h in ids]
        linked = [self._bonds(h).linked for h in ids]
        unseen = bonds_.At
        return (
            table("travel", [(h.spot, h.persons) for h in rows], places, lambda h, s: costs.travel(h[1], km10(h[0], s), policy)),
            table("ties", soft, places, lambda h, s: bonds_.ties_cost(h[0], h[1], unseen(s), travel, policy)),
            exceptions("ties", [self._soft_row(h, p) for h, (p, _) in zip(ids, soft, strict=True)], 0),
            table("linked", linked, places, lambda row, s: bonds_.linked_cost(row, unseen(s), travel, policy)),
            exceptions("linked", [self._linked_row(row) for row in linked], 0),
            table("home", [(h.origin, h.persons) if h.wants_return and h.origin else None for h in rows], places,
                  lambda h, s: 0 if h is None else costs.home(h[1], km10(h[0], s), policy)),
            table("wants", [(h.wants, h.persons if h.wants else 0) for h in rows], [a.features for a in offers],
                  lambda h, features: costs.wants(h[1], len(h[0] - features), policy)),
            table("risk", [h.persons for h in rows], [offer_risk(a, policy) for a in offers],
                  lambda persons, rating: costs.risk(persons, rating, policy)),
            table("short", [None if a.household.leaves else (a.household.persons, a.arrival) for a in self.applicants],
                  [a.available_until for a in offers], lambda h, end: 0 if h is None else costs.short(h[0], h[1], end, policy)),
            table("spare", [a.party_persons if h in lead else None for h, a in zip(ids, self.applicants, strict=True)],
                  [None if a.shared else a.capacity for a in offers],
                  lambda persons, beds: 0 if persons is None or beds is None else costs.spare(beds - persons, policy)),
            table("move", [costs.move(self.household_of[h].persons, policy) if h in self.roles.proposed else 0 for h in ids],
                  [None for _ in offers], lambda cost, _: cost),
            exceptions("move", [self._move_row(h) for h in ids], 0),
            table("rent", [h.persons for h in rows], [a.cost_per_person_night for a in offers],
                  lambda persons, cost: costs.rent(persons, cost, policy)),
        )  # fmt: skip

    def _move_row(self, household_id: str) -> tuple[int, dict[int, int]] | None:
        """Staying costs no change."""
        if household_id not in self.roles.proposed:
            return None
        home = self.offer_position[self.roles.proposed[household_id]]
        return 0, {home: -costs.move(self.household_of[household_id].persons, self.policy)}

    def _soft_row(self, household_id: str, persons: int) -> tuple[int, dict[int, int]] | None:
        row = self._bonds(household_id).soft
        return self._difference(row, lambda at: bonds_.ties_cost(persons, row, at, self.travel, self.policy))

    def _linked_row(self, row: tuple[bonds_.Bond, ...]) -> tuple[int, dict[int, int]] | None:
        return self._difference(row, lambda at: bonds_.linked_cost(row, at, self.travel, self.policy))

    def _difference(self, row: tuple[bonds_.Bond, ...], cost: _Cost) -> tuple[int, dict[int, int]] | None:
        """What a term differs by, at the offers on the targets' sites, from its value by place alone."""
        near = self._offers_on_sites([b.target for b in row if bonds_.depends_on_site(b)])
        found = {}
        for j in near:
            offer = self.accommodations[j]
            delta = cost(bonds_.looks(row, offer, self.offer_of)) - cost(bonds_.At(offer.spot))
            if delta:
                found[j] = delta
        return (0, found) if found else None

    def _fixed_rooms(self) -> dict[str, tuple[int, ...]]:
        persons = {h: self.household_of[h].persons for h in self.fixed}
        stays = {h: self._stay(h) for h in self.fixed}
        return choose_fixed_rooms(self.roles.fixed_parties, self.roles.fixed, self.offer_of, persons, self.rooms_of, stays)

    def _stay(self, household_id: str) -> tuple[int, int]:
        """(arrival, leaves) as day numbers."""
        leaves = self.household_of[household_id].leaves
        arrival = self.applicants[self.position[household_id]].arrival
        return arrival.toordinal(), OPEN_END if leaves is None else leaves.toordinal()

    def _fixed_links(self) -> tuple[tuple[Tie, int], ...]:
        def home(household_id: str) -> Accommodation | None:
            standing = self.roles.fixed.get(household_id)
            return None if standing is None else self.offer_of[standing.accommodation_id]

        return links.fixed_links(self.instance.ties, self.household_of, home, self.travel, self.policy)

    def _finish(self, problem: Problem, need_words: tuple[str, ...], fixed: _FixedSide) -> Problem:
        """Links, resources, floors and the cost of what is fixed need the tables, so they come last."""
        party_position = {h: q for q, party in enumerate(self.roles.parties) for h in party}
        inner, outer = links.free_links(self.instance.ties, self.household_of, party_position, self.policy)
        problem = replace(problem, links=tuple(outer), party_cost=links.within_parties(problem, inner))
        uses = [self._fixed_use(party, fixed.rooms[party[0]], need_words) for party in self.roles.fixed_parties]
        problem = capacity.with_resources(problem, self.accommodations, need_words, uses)
        return replace(problem, floors=self._floors(), fixed_cost=self._fixed_cost(problem, fixed))

    def _fixed_use(self, party: tuple[str, ...], rooms: tuple[int, ...], need_words: tuple[str, ...]) -> FixedUse:
        stays = []
        for h in party:
            household = self.household_of[h]
            needs = frozenset(i for i, word in enumerate(need_words) if word in household.needs)
            stays.append((*self._stay(h), household.persons, needs))
        return FixedUse(self.offer_position[self.roles.fixed[party[0]].accommodation_id], tuple(stays), rooms)

    def _floors(self) -> tuple[Floor, ...]:
        """Groups count over households with consent that are not held; the free ones among them can still be placed."""
        out = []
        counted = [h for h in self.household_of.values() if h.consent == "yes" and h.household_id not in self.roles.held]
        for group, share in sorted(self.policy.floors.share.items()):
            inside = [h for h in counted if group in h.groups]
            persons = sum(h.persons for h in inside)
            wanted = -((-costs.exact(share) * persons) // 1)
            free = [self.position[h.household_id] for h in inside if h.household_id in self.position]
            fixed = sum(h.persons for h in inside if h.household_id in self.roles.fixed)
            free = sorted(i for i in free if i < len(self.free))
            rate = costs.floor_rate(self.policy).as_integer_ratio()
            out.append(Floor(group, int(wanted), persons, fixed, rate, np.array(free, dtype=np.int64)))
        return tuple(out)

    def _fixed_cost(self, problem: Problem, fixed: _FixedSide) -> tuple[int, ...]:
        """F by stage: terms of the fixed placements, spare beds of their rooms, links among them."""
        total = [0] * len(problem.stages)
        for i, offer in enumerate(fixed.home):
            at = np.array([len(self.free) + i]), np.array([offer])
            for layer, stage in zip(problem.terms, problem.term_stage, strict=True):
                total[stage] += int(layer.block(*at)[0, 0])
        for party in self.roles.fixed_parties:
            total[problem.spare_stage] += self.spare_of_fixed(party, fixed.rooms[party[0]])
        total[problem.party_cost_stage] += sum(cost for _, cost in fixed.links)
        return tuple(total)

    def spare_of_fixed(self, party: tuple[str, ...], rooms: tuple[int, ...]) -> int:
        """Spare beds of the rooms a fixed party takes in a shared offer."""
        offer = self.offer_of[self.roles.fixed[party[0]].accommodation_id]
        if not offer.shared or offer.rooms is None:
            return 0
        return costs.spare(sum(rooms) - self.applicants[self.position[party[0]]].party_persons, self.policy)

    def _sites(self) -> Ints:
        """Offers with one number share a site; an empty site id equals no other."""
        return classes((a.site_id is None, a.site_id or a.accommodation_id) for a in self.accommodations)[0]

    def _km10(self) -> Ints:
        """Distances between the places of offers; only links between free households need them."""
        if not self._has_links():
            return np.zeros((len(self.place_spot), len(self.place_spot)), dtype=np.int64)
        rows = [[self.travel.km10(a, b) for b in self.place_spot] for a in self.place_spot]
        return np.array(rows, dtype=np.int64).reshape(len(self.place_spot), len(self.place_spot))

    def _same_place(self) -> Bools:
        spots = self.place_spot if self._has_links() else []
        return np.array([[same_place(a, b) for b in spots] for a in spots], dtype=np.bool_).reshape(len(spots), len(spots))

    def _has_links(self) -> bool:
        return any(tie.other_household_id is not None for tie in self.instance.ties)

    def _lottery(self, seed: int) -> tuple[int, ...]:
        """Rank of each free household by HMAC-SHA-256 of its id under the seed (MODEL.md, Who decides)."""
        key = str(seed).encode("ascii")
        digests = [hmac.new(key, h.encode("utf-8"), hashlib.sha256).digest() for h in self.free]
        rank = [0] * len(self.free)
        for place, h in enumerate(sorted(range(len(self.free)), key=lambda i: (digests[i], self.free[i]))):
            rank[h] = place
        return tuple(rank)


def _names_offers(bond: bonds_.Bond) -> bool:
    """same_site, same_accommodation: nothing about them can be said by place alone; `apart` has a part by place."""
    return bond.target is not None and bond.kind in ("same_site", "same_accommodation")
