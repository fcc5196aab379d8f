"""From an instance and a policy to a `Problem`, with what is needed to turn positions back into ids."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher import capacity, costs, links
from matcher.bonds import Bonds
from matcher.capacity import FixedUse, choose_fixed_rooms
from matcher.layers import Bools, Ints, classes
from matcher.model import Accommodation, Household, Instance, Tie
from matcher.places.travel import Travel, same_place, travel_model
from matcher.policy import Policy
from matcher.problem import ANY_DATE, OPEN_END, Floor, Problem
from matcher.result import STAGES
from matcher.roles import Roles, assign_roles
from matcher.tabulate import Tabulator

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


class _Compiler(Tabulator):
    """One compilation; every method is a step, and the steps run once in the order of `build`."""

    def build(self, seed: int) -> Compiled:
        policy, strict = self.policy, self.policy.order == "strict"
        stages = STAGES if strict else ("all",)
        terms = self.term_layers()
        tie_stage, rest, floor_stage = (stages.index("ties"), len(stages) - 1, stages.index("floors")) if strict else (0, 0, 0)
        rules = self.rule_layers()
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
