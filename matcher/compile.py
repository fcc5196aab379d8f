"""From an instance and a policy to a `Problem`, with what is needed to turn positions back into ids."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher import capacity, costs, links
from matcher.capacity import FixedUse, choose_fixed_rooms
from matcher.columns import codes
from matcher.layers import Bools, Ints
from matcher.lookup import ById, numbered, where
from matcher.model import Accommodation, Household, Instance, Tie
from matcher.places.models import travel_for
from matcher.places.travel import Travel, same_places
from matcher.policy import Policy
from matcher.problem import ANY_DATE, OPEN_END, Floor, Problem
from matcher.result import STAGES
from matcher.roles import Roles, assign_roles, pair_ties
from matcher.tabulate import TIE_TERMS, Tabulator


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
    household_of: ById[Household]
    offer_of: ById[Accommodation]

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
    households, offers = ById(instance.households, "household_id"), ById(instance.accommodations, "accommodation_id")
    roles = assign_roles(instance, households, offers, date)
    travel = travel_for(instance, policy)
    return _Compiler(instance, policy, roles, travel, households, offers).build(seed)


def compile_without_pins(compiled: Compiled) -> Compiled:
    """The same with nobody pinned, all roles as they are: what the pins are tried out on when they conflict."""
    roles = replace(compiled.roles, pins={})
    c = compiled
    return _Compiler(c.instance, c.policy, roles, c.travel, c.household_of, c.offer_of).build(0)


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
        seekers, free = self.seekers, self.seekers.free
        homes = tuple(self.offer_position[self.roles.fixed[h].accommodation_id] for h in seekers.ids[free:])
        fixed = _FixedSide(homes, self._fixed_rooms(), self._fixed_links())
        need_words = tuple(sorted({word for words in codes(self.accommodations, "need_capacity")[1] for word, _ in words}))
        unplaced, alike = codes(seekers, "persons", "priority", "waiting_since")
        unplaced_costs = [costs.unplaced(persons, urgency, since, self.roles.date, policy) for persons, urgency, since in alike]
        priority = seekers.numbers("priority")[:free]
        needs, known = codes(seekers, "needs")
        has_need = np.array([[word in own for word in need_words] for own in known], dtype=np.bool_)
        parties = seekers.free_parties
        skeleton = Problem(
            parties=parties,
            persons=seekers.numbers("persons")[:free],
            rules=rules,
            terms=terms,
            term_stage=tuple(tie_stage if layer.name in TIE_TERMS else rest for layer in terms),
            stages=stages,
            unplaced_cost=np.array(unplaced_costs, dtype=np.int64)[unplaced[:free]],
            unplaced_stage=priority - 1 if strict else np.zeros(free, dtype=np.int64),
            must=self._parties_of(self.roles.pins),
            barred=self._parties_of(self.roles.bereft),
            arrival=self.arrival,
            leaves=self.leaves,
            offers=len(self.offers),
            sizes=self._room_sizes(),
            room_need=seekers.numbers("party_rooms")[parties.member[parties.start[:-1]]],
            spare_units=(costs.UNITS_PER_KM * costs.exact(policy.spare.km)).as_integer_ratio(),
            spare_stage=rest,
            resources=(),
            resources_of=((),) * len(self.offers),
            has_need=has_need.reshape(len(known), len(need_words))[needs],
            place=self.place,
            site=self._sites(),
            km10=self._km10(),
            same_place=self._same_place(),
            party_cost_stage=tie_stage,
            floor_stage=floor_stage,
            lottery=self._lottery(seed),
            private=frozenset(np.flatnonzero(self._parties_of(self.roles.protected)).tolist()),
        )
        problem = self._finish(skeleton, need_words, fixed)
        return Compiled(
            self.instance, policy, self.roles, self.travel, problem, seekers.ids, self.offers, fixed.home, fixed.rooms,
            fixed.links, need_words, self.household_of, self.offer_of,
        )  # fmt: skip

    def _parties_of(self, ids: Iterable[str]) -> Bools:
        """Which of the free parties has one of these households in it."""
        seekers = self.seekers
        out = np.zeros(len(self.roles.parties), dtype=np.bool_)
        position = seekers.positions(list(ids))
        position = position[(position >= 0) & (position < seekers.free)]
        out[seekers.party_of[position]] = True
        return out

    @cached_property
    def arrival(self) -> Ints:
        """Day number of each arrival, by position."""
        code, days = codes(self.seekers, "arrival")
        return np.array([day.toordinal() for day in days], dtype=np.int64)[code]

    @cached_property
    def leaves(self) -> Ints:
        """Day number of each leaving, by position."""
        code, days = codes(self.seekers, "leaves")
        return np.array([OPEN_END if day is None else day.toordinal() for day in days], dtype=np.int64)[code]

    def _room_sizes(self) -> tuple[tuple[int, ...] | None, ...]:
        code, kinds = codes(self.accommodations, "shared", "rooms")
        return tuple(kinds[k][1] if kinds[k][0] else None for k in code.tolist())

    def _fixed_rooms(self) -> dict[str, tuple[int, ...]]:
        roles, rooms = self.roles, self.seekers.numbers("party_rooms")
        persons = {h: self.household_of[h].persons for h in roles.fixed}
        needed = {party[0]: int(rooms[self.seekers.position(party[0])]) for party in roles.fixed_parties}
        stays = {h: self._stay(h) for h in roles.fixed}
        return choose_fixed_rooms(roles.fixed_parties, roles.fixed, self.offer_of, persons, needed, stays)

    def _stay(self, household_id: str) -> tuple[int, int]:
        """(arrival, leaves) as day numbers."""
        h = self.seekers.position(household_id)
        return int(self.arrival[h]), int(self.leaves[h])

    def _fixed_links(self) -> tuple[tuple[Tie, int], ...]:
        def home(household_id: str) -> Accommodation | None:
            standing = self.roles.fixed.get(household_id)
            return None if standing is None else self.offer_of[standing.accommodation_id]

        return links.fixed_links(self.pair_ties, self.household_of, home, self.travel, self.policy)

    @cached_property
    def pair_ties(self) -> list[Tie]:
        """The ties between two households."""
        return pair_ties(self.instance)

    def _finish(self, problem: Problem, need_words: tuple[str, ...], fixed: _FixedSide) -> Problem:
        """Links, resources, floors and the cost of what is fixed need the tables, so they come last."""

        def party_of(household_id: str) -> int | None:
            position = self.seekers.position(household_id)
            return int(self.seekers.party_of[position]) if 0 <= position < self.seekers.free else None

        inner, outer = links.free_links(self.pair_ties, self.household_of, party_of, self.policy)
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
        if not self.policy.floors.share:
            return ()
        everybody = self.instance.households
        code, persons = codes(everybody, "persons")
        size = np.array(persons, dtype=np.int64)[code]
        counted = np.zeros(len(everybody), dtype=np.bool_)
        counted[where(everybody, "consent", lambda consent: consent == "yes")] = True
        held = self.household_of.positions(self.roles.held)
        counted[held[held >= 0]] = False
        position = self.seekers.position_of
        free = (position >= 0) & (position < self.seekers.free)
        rate = costs.floor_rate(self.policy).as_integer_ratio()
        belongs, known = codes(everybody, "groups")
        out = []
        for group, share in sorted(self.policy.floors.share.items()):
            inside = counted & np.array([group in groups for groups in known], dtype=np.bool_)[belongs]
            people = int(size[inside].sum())
            fixed = int(size[inside & ~free & (position >= 0)].sum())
            wanted = -((-costs.exact(share) * people) // 1)
            out.append(Floor(group, int(wanted), people, fixed, rate, np.sort(position[inside & free])))
        return tuple(out)

    def _fixed_cost(self, problem: Problem, fixed: _FixedSide) -> tuple[int, ...]:
        """F by stage: terms of the fixed placements, spare beds of their rooms, links among them."""
        total = [0] * len(problem.stages)
        here = self.seekers.free + np.arange(len(fixed.home)), np.array(fixed.home, dtype=np.int64)
        for layer, stage in zip(problem.terms, problem.term_stage, strict=True):
            total[stage] += sum(layer.pairs(*here).tolist())
        for party in self.roles.fixed_parties:
            total[problem.spare_stage] += self.spare_of_fixed(party, fixed.rooms[party[0]])
        total[problem.party_cost_stage] += sum(cost for _, cost in fixed.links)
        return tuple(total)

    def spare_of_fixed(self, party: tuple[str, ...], rooms: tuple[int, ...]) -> int:
        """Spare beds of the rooms a fixed party takes in a shared offer."""
        offer = self.offer_of[self.roles.fixed[party[0]].accommodation_id]
        if not offer.shared or offer.rooms is None:
            return 0
        return costs.spare(sum(rooms) - sum(self.household_of[h].persons for h in party), self.policy)

    def _sites(self) -> Ints:
        """Offers with one number share a site; an empty site id equals no other."""
        code, sites = codes(self.accommodations, "site_id")
        alone = np.array([site is None for site in sites], dtype=np.bool_)[code]
        return numbered(np.where(alone, len(sites) + np.arange(len(code)), code), len(sites) + len(code))[0]

    def _km10(self) -> Ints:
        """Distances between the places of offers; only links between free households need them."""
        if not self.pair_ties:
            return np.zeros((len(self.place_spot), len(self.place_spot)), dtype=np.int64)
        return self.travel.km10_matrix(self.place_spot, self.place_spot)

    def _same_place(self) -> Bools:
        spots = self.place_spot if self.pair_ties else []
        return same_places(spots, spots)

    def _lottery(self, seed: int) -> tuple[int, ...]:
        """Rank of each free household by HMAC-SHA-256 of its id under the seed (MODEL.md, Who decides)."""
        key, free = str(seed).encode("ascii"), self.seekers.ids[: self.seekers.free]
        digests = b"".join(hmac.digest(key, h.encode("utf-8"), "sha256") for h in free)
        words = np.frombuffer(digests, dtype=">u8").reshape(len(free), 4).astype(np.uint64)
        rank = np.empty(len(free), dtype=np.int64)
        rank[np.lexsort(words.T[::-1])] = np.arange(len(free))  # equal ones, were there any, stay in the order of ids
        return tuple(rank.tolist())
