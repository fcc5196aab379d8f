"""What else would suit a household and stands in somebody's way: offers without room, and whom the policy prefers there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from matcher.alternatives import Room
from matcher.answers import Full, Other, Preferred
from matcher.compile import Compiled
from matcher.layers import Bools, Ints
from matcher.parts import Parties
from matcher.places.called import place_name
from matcher.problem import BLOCKED
from matcher.result import TERMS, PlacementRow
from matcher.usage import uses

MOST_FULL, MOST_BARRED, MOST_WANTED = 3, 2, 3
AT_ONCE = 256


@dataclass(frozen=True)
class Tenant:
    """A party in an offer. party: position, -1 for a fixed one. loss: what its next best free offer adds at least, None if it has
    none; told: whether that is known at all."""

    first: str
    party: int
    persons: int
    fixed: bool
    loss: int | None
    told: bool


class Ways:
    """Looks at the offers that households did not get. placements: the rows of the plan that `room` stands for."""

    def __init__(self, compiled: Compiled, room: Room, placements: Sequence[PlacementRow]) -> None:
        self.compiled, self.problem, self.room = compiled, compiled.problem, room
        self.row_of = {row.household_id: row for row in placements}
        self.held = Parties.of(self.problem.parties)
        self.every = np.arange(self.problem.offers)
        self._places: dict[int, str] = {}
        self._full: dict[int, Full] = {}

    @cached_property
    def shy(self) -> frozenset[str]:
        """Unprotected households tied to a protected one: what moving them costs would tell where that one is."""
        protected, found = self.compiled.roles.protected, set()
        for tie in self.compiled.instance.ties if protected else ():
            pair = {tie.household_id, tie.other_household_id or ""}
            if tie.other_household_id is not None and pair & protected:
                found |= pair - protected
        return frozenset(found)

    @cached_property
    def secret(self) -> Bools:
        """Offers that hold a protected household, and those at one site with them, by position."""
        out = np.zeros(self.problem.offers, dtype=np.bool_)
        for row in self.row_of.values():
            if row.protected and row.accommodation_id in self.compiled.offer_positions:
                out[self.compiled.offer_positions[row.accommodation_id]] = True
        return out

    @cached_property
    def tenants(self) -> dict[str, list[Tenant]]:
        """Parties by offer."""
        found: dict[str, list[Tenant]] = defaultdict(list)
        roles, positions = self.compiled.roles, self.compiled.positions
        for parties, fixed in ((roles.parties, False), (roles.fixed_parties, True)):
            for q, party in enumerate(parties):
                row = self.row_of.get(party[0])
                if row is None:
                    continue
                persons = sum(self.row_of[h].persons for h in party if h in self.row_of)
                told = not fixed and not any(h in self.shy for h in party)
                loss = row.alternatives[0].added_cost if row.alternatives else None
                at = -1 if fixed else int(self._party[positions[party[0]]]) if party[0] in positions else q
                stays = fixed or (at >= 0 and bool(self.problem.must[at]))
                found[row.accommodation_id].append(Tenant(party[0], at, persons, stays, loss, told))
        return dict(found)

    def party_of(self, h: int) -> int:
        """The party of a free household."""
        return int(self._party[h])

    @cached_property
    def _party(self) -> Ints:
        out = np.empty(len(self.problem.persons), dtype=np.int64)
        out[self.held.member] = self.held.owner
        return out

    def not_to_be_had(self, parties: Ints) -> dict[int, tuple[Other, ...]]:
        """For each of these placed parties the cheapest offers that have no room for it, then cheaper ones that a rule strikes out."""
        out: dict[int, tuple[Other, ...]] = {}
        for low in range(0, len(parties), AT_ONCE):
            block = parties[low : low + AT_ONCE]
            values, allowed = self._values(block)
            barred = [self._barred(q, values[i], allowed[i]) for i, q in enumerate(block.tolist())]
            pairs = [(q, a) for q, offers in zip(block.tolist(), barred, strict=True) for a in offers]
            rules = dict(zip(pairs, self._rules(pairs), strict=True))
            for i, (q, offers) in enumerate(zip(block.tolist(), barred, strict=True)):
                out[q] = self._of_one(q, values[i], allowed[i], {a: rules[q, a] for a in offers})
        return out

    def _values(self, parties: Ints) -> tuple[Ints, Bools]:
        """(cost of each pair, with links and the cheapest room set left out of rooms that are taken; eligible)."""
        problem = self.problem
        values = problem.base_cost(parties, self.every).sum(axis=2)
        allowed = problem.eligible(parties, self.every)
        for i, q in enumerate(parties.tolist()):
            if q in self.room.links_of:
                extra = self.room.link_costs(q, self.every)
                allowed[i] &= extra < BLOCKED
                values[i] += np.where(extra < BLOCKED, extra, 0)
        return values, allowed

    def _barred(self, q: int, values: Ints, allowed: Bools) -> list[int]:
        """The offers that would cost a party less than where it is, had no rule struck them out."""
        here = values[self.room.homes[q]]
        return _cheapest(np.where(~allowed & (values < here), values, BLOCKED), MOST_BARRED)

    def _of_one(self, q: int, values: Ints, allowed: Bools, barred: Mapping[int, tuple[str, ...]]) -> tuple[Other, ...]:
        """barred: offers with the rules that strike them out."""
        home = int(self.room.homes[q])
        here, first = int(values[home]), self.compiled.households[self.problem.parties[q][0]]
        known = {a.accommodation_id for a in self.row_of[first].alternatives}
        out = []
        order = np.where(allowed & ~self.secret, values, BLOCKED)
        order[home] = BLOCKED
        for a in _cheapest(order, MOST_FULL + len(known)):
            if self.compiled.offers[a] in known or self._fits(q, a):
                continue
            out.append(Other(self.compiled.offers[a], self.place(a), int(values[a]) - here, full=self.full(a)))
        out = out[:MOST_FULL]
        for a, rules in barred.items():
            if rules and not ("tie" in rules and self._keeps_away(q)):
                out.append(Other(self.compiled.offers[a], self.place(a), int(values[a]) - here, rules))
        return tuple(out)

    @cached_property
    def _maybe_free(self) -> Bools:
        out = np.zeros(self.problem.offers, dtype=np.bool_)
        out[self.room.free] = True
        return out

    def _fits(self, q: int, a: int) -> bool:
        """Has an offer room for a party that is not in it?"""
        return bool(self._maybe_free[a]) and bool(self.room.spare(np.array([q]), np.array([a]))[0] < BLOCKED)

    def place(self, a: int) -> str:
        """Name of an offer's place."""
        if a not in self._places:
            self._places[a] = place_name(self.compiled.offer_of[self.compiled.offers[a]].spot)
        return self._places[a]

    def _keeps_away(self, q: int) -> bool:
        """Is somebody of the party kept apart from a household? Then offers that this strikes out tell where that one is."""
        return any(self.compiled.households[h] in pair for h in self.problem.parties[q] for pair in self._apart)

    def _rules(self, pairs: Sequence[tuple[int, int]]) -> list[tuple[str, ...]]:
        """Codes of the rules that strike an offer out for a party, but none that hangs on another household; of each (party, offer)."""
        if not pairs:
            return []
        who = Parties.of([self.problem.parties[q] for q, _ in pairs])
        where = np.array([a for _, a in pairs], dtype=np.int64)[who.owner]
        broken = [
            (rule.name, np.logical_or.reduceat(rule.pairs(who.member, where) <= 0, who.start[:-1]).tolist()) for rule in self.problem.rules
        ]
        return [tuple(dict.fromkeys(name for name, of_pair in broken if of_pair[i])) for i in range(len(pairs))]

    def full(self, a: int) -> Full:
        """Who is in an offer that has no room, and what moving would cost them."""
        if a not in self._full:
            self._full[a] = self._count(a)
        return self._full[a]

    def _count(self, a: int) -> Full:
        here = self.tenants.get(self.compiled.offers[a], [])
        free = [t for t in here if not t.fixed]
        movable = [t for t in free if t.told and t.loss is not None]
        nowhere = sum(t.told and t.loss is None for t in free)
        known = all(t.told for t in free)
        least = min((t.loss // t.persons for t in movable if t.loss is not None), default=None) if known else None
        return Full(len(here), len(here) - len(free), nowhere if known else 0, least)

    def preferred(self, h: int) -> tuple[Preferred, ...]:
        """For whom the offers are taken that would suit an unplaced household best."""
        q = int(self._party[h])
        values, allowed = self._values(np.array([q]))
        order = np.where(allowed[0] & ~self.secret, values[0], BLOCKED)
        found = []
        for a in _cheapest(order, MOST_WANTED):
            if self._fits(q, a):
                found.append(Preferred(self.compiled.offers[a], self.place(a), len(self._here(a)), None, "several"))
            else:
                found.append(self._contender(q, h, a))
        return tuple(found)

    def _here(self, a: int) -> list[Tenant]:
        return self.tenants.get(self.compiled.offers[a], [])

    def _contender(self, q: int, h: int, a: int) -> Preferred:
        """Who in an offer gives way most easily, and what speaks for them."""
        offer, here = self.compiled.offers[a], self._here(a)
        head = (offer, self.place(a), len(here))
        free = [t for t in here if not t.fixed]
        if not free:
            pinned = any(t.party >= 0 for t in here)
            return Preferred(*head, None, "pinned" if pinned else "fixed" if here else "room")
        able = [t for t in free if self.makes_room(q, t.party, a)]
        if not able:
            return Preferred(*head, None, "room")
        alone = [t for t in able if t.party not in self.room.links_of]
        if not alone or not all(t.told for t in alone):
            return Preferred(*head, None, "linked")
        margins = [(self._margin(q, t.party, a), t) for t in alone]
        (total, term), tenant = min(margins, key=lambda item: (item[0][0], item[1].first))
        why = self._weightier(q, tenant.party) if term == "unplaced" else term
        return Preferred(*head, tenant.first if self.may_name(h, tenant) else None, why, total)

    def _weightier(self, q: int, tenant: int) -> str:
        """Why leaving a tenant out counts more than leaving the party out: `urgency`, `persons` or `waited`."""
        names, households = self.compiled.households, self.compiled.household_of
        own, theirs = ([households[names[h]] for h in self.problem.parties[p]] for p in (q, tenant))
        if min(one.priority for one in theirs) < min(one.priority for one in own):
            return "urgency"
        return "persons" if sum(one.persons for one in theirs) > sum(one.persons for one in own) else "waited"

    def may_name(self, h: int, tenant: Tenant) -> bool:
        """May an explanation of one household name the other? Both unprotected, and not kept apart."""
        own = self.compiled.households[h]
        names = {own, tenant.first}
        if names & self.compiled.roles.protected:
            return False
        return names not in self._apart

    @cached_property
    def _apart(self) -> list[set[str]]:
        ties = self.compiled.instance.ties
        return [{t.household_id, t.other_household_id} for t in ties if t.kind == "apart" and t.other_household_id is not None]

    def makes_room(self, q: int, tenant: int, a: int) -> bool:
        """Would a party fit into an offer if another one left it?"""
        problem, stock = self.problem, self.room.stock
        left = self.room.left.copy()
        _, row, amount = uses(problem, stock, np.array([tenant]), np.array([a]), [self.room.plan.rooms[tenant]])
        np.add.at(left, row, amount)
        claim = int(self.room.persons[q]), int(problem.room_need[q]), a
        for rooms in problem.choices(*claim):
            _, row, amount = uses(problem, stock, np.array([q]), np.array([a]), [rooms])
            if (amount <= left[row]).all():
                return True
        return False

    def _margin(self, q: int, tenant: int, a: int) -> tuple[int, str]:
        """(what giving a tenant's place to a party would add if the tenant was left out, the term that adds most)."""
        problem = self.problem
        here = np.array([a])
        terms = dict.fromkeys(TERMS, 0)
        for sign, party in ((1, q), (-1, tenant)):
            members = np.array(problem.parties[party])
            for layer in problem.terms:
                terms[layer.name] += sign * int(layer.pairs(members, np.repeat(here, len(members))).sum())
            terms["unplaced"] -= sign * int(problem.unplaced_cost[members].sum())
            if party in problem.party_cost:
                terms["linked"] += sign * max(0, int(problem.party_cost[party][a]))
        terms["linked"] += int(self.room.link_costs(q, here)[0])
        return sum(terms.values()), max(terms, key=lambda term: terms[term])


def _cheapest(values: Ints, most: int) -> list[int]:
    """Positions of the smallest values below BLOCKED, equal ones in their order."""
    near = np.flatnonzero(values <= np.partition(values, most)[most]) if most < len(values) else np.arange(len(values))
    near = near[values[near] < BLOCKED]
    return [int(a) for a in near[np.argsort(values[near], kind="stable")][:most]]
