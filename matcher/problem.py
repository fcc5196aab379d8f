"""`Problem`: an instance compiled to integer positions. All that a strategy ever sees.

Costs and rules are sums (and conjunctions) of small tables over classes of households and classes of offers, with a few
exceptions for single pairs; no table has a row for every household and a column for every offer unless the caller gave
one (`Problem.from_matrix`). Two doors lead in:

* `arcs`: which arcs, at what cost and use, written out for all parties or some, against all offers or given candidates;
* `best`: every party's best arc at given prices, without writing any out.

Positions: household h in 0..H-1, party q in 0..Q-1, offer a in 0..A-1, resource r in 0..R-1, stage s in 0..S-1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from matcher.amounts import Amounts
from matcher.layers import Bools, Ints, Layer
from matcher.matrix import matrix_fields
from matcher.parts import ANY_DATE, BLOCKED, OPEN_END, UNPLACED, Arcs, Floor, Link, Parties, Resource, within
from matcher.rooms import room_sets

__all__ = ["ANY_DATE", "BLOCKED", "OPEN_END", "UNPLACED", "Arcs", "Floor", "Link", "Problem", "Resource"]


@dataclass(frozen=True)
class Problem:
    """See the module. Lengths: persons, unplaced_cost, unplaced_stage, arrival, leaves: H; shared, place, site, sizes: A.

    parties: household positions of each party. must: the party has to be placed (pins). barred: it has to stay out.
    need_words, has_need: shape (H, words). in_use: given uses by pair (from_matrix only), shape (H, A).
    sizes: beds of the lockable rooms of shared offers with rooms, else None. room_need: by party.
    spare_units: cost units of an empty bed of a room set, as a fraction. place: class of equal spots; km10, near_same: between places.
    fixed_cost: cost of fixed placements and links among them, by stage. lottery: rank of each household when equal
    cases are settled (0 first). private: parties that a certificate must not name.
    """

    parties: Sequence[tuple[int, ...]]
    persons: Ints
    rules: tuple[Layer, ...]
    terms: tuple[Layer, ...]
    term_stage: tuple[int, ...]
    stages: tuple[str, ...]
    unplaced_cost: Ints
    unplaced_stage: Ints
    must: Bools
    barred: Bools
    arrival: Ints
    leaves: Ints
    offers: int
    sizes: tuple[tuple[int, ...] | None, ...]
    room_need: Ints
    spare_units: tuple[int, int]
    spare_stage: int
    resources: tuple[Resource, ...]
    resources_of: tuple[tuple[int, ...], ...]
    has_need: Bools
    place: Ints
    site: Ints
    km10: Ints
    same_place: Bools
    links: tuple[Link, ...] = ()
    party_cost: dict[int, Ints] = field(default_factory=dict)
    party_cost_stage: int = 0
    floors: tuple[Floor, ...] = ()
    floor_stage: int = 0
    fixed_cost: tuple[int, ...] = (0,)
    lottery: tuple[int, ...] = ()
    private: frozenset[int] = frozenset()
    in_use: Ints | None = None

    @property
    def capacity(self) -> Ints:
        """C' of every resource."""
        return np.array([r.capacity for r in self.resources], dtype=np.int64)

    @cached_property
    def _parties(self) -> Parties:
        return Parties.of(self.parties)

    def party_persons(self) -> Ints:
        """Persons of each party."""
        out = np.zeros(len(self.parties), dtype=np.int64)
        np.add.at(out, self._parties.owner, self.persons[self._parties.member])
        return out

    def unplaced_by_stage(self) -> Ints:
        """Cost of leaving each party out, shape (Q, S)."""
        out = np.zeros((len(self.parties), len(self.stages)), dtype=np.int64)
        member = self._parties.member
        np.add.at(out, (self._parties.owner, self.unplaced_stage[member]), self.unplaced_cost[member])
        return out

    def unplaced_by_stage_of(self, party: int) -> list[int]:
        """Cost of leaving one party out, by stage."""
        out = [0] * len(self.stages)
        for h in self.parties[party]:
            out[self.unplaced_stage[h]] += int(self.unplaced_cost[h])
        return out

    def eligible(self, parties: Ints, offers: Ints) -> Bools:
        """May the party go to the offer at all (every rule of every member)? Shape (len(parties), len(offers))."""
        allowed: Bools = self._over_members(parties, offers, self._rules_block, np.ones, np.logical_and)
        return allowed & ~self.barred[parties][:, None]

    def base_cost(self, parties: Ints, offers: Ints) -> Ints:
        """Cost by stage of each pair, room sets apart; meaningful where eligible. Shape (len(parties), len(offers), S)."""
        costs: Ints = self._over_members(parties, offers, self._terms_block, np.zeros, np.add)
        return costs

    def _over_members(self, parties: Ints, offers: Ints, block: Any, start: Any, merge: Any) -> Any:
        """Evaluate `block` on all members of the parties at once and fold the members of each party."""
        members = np.array([h for q in parties for h in self.parties[q]], dtype=np.int64)
        owner = np.repeat(np.arange(len(parties)), [len(self.parties[q]) for q in parties])
        values = block(members, offers)
        if len(members) == len(parties):
            return self._with_party_cost(values, parties, offers)
        out = start((len(parties), *values.shape[1:]), dtype=values.dtype)
        merge.at(out, owner, values)
        return self._with_party_cost(out, parties, offers)

    def _with_party_cost(self, values: Any, parties: Ints, offers: Ints) -> Any:
        """Links within a party: a cost by offer, -1 where one that binds is broken."""
        for i, q in enumerate(parties):
            own = self.party_cost.get(int(q))
            if own is None:
                continue
            if values.dtype == np.bool_:
                values[i] &= own[offers] >= 0
            else:
                values[i, :, self.party_cost_stage] += np.maximum(own[offers], 0)
        return values

    def _rules_block(self, members: Ints, offers: Ints) -> Bools:
        out = np.ones((len(members), len(offers)), dtype=np.bool_)
        for layer in self.rules:
            out &= layer.block(members, offers) > 0
        return out

    def _terms_block(self, members: Ints, offers: Ints) -> Ints:
        out = np.zeros((len(members), len(offers), len(self.stages)), dtype=np.int64)
        for layer, stage in zip(self.terms, self.term_stage, strict=True):
            out[:, :, stage] += layer.block(members, offers)
        return out

    def spare(self, beds: int) -> int:
        """Cost units of that many empty beds in a room set."""
        numerator, denominator = self.spare_units
        return (2 * beds * numerator + denominator) // (2 * denominator)

    def choices(self, party_persons: int, room_need: int, offer: int) -> Sequence[tuple[int, ...]]:
        """The room sets a party may take there; one empty set where rooms are not counted."""
        sizes = self.sizes[offer]
        return [()] if sizes is None else room_sets(sizes, party_persons, room_need)

    @cached_property
    def amounts(self) -> Amounts:
        """How much each party takes of what is counted by night."""
        return Amounts(self.parties, self.persons, self.arrival, self.leaves, self.has_need)

    def use(self, party: int, offer: int, rooms: tuple[int, ...]) -> list[tuple[int, int]]:
        """(resource, amount) of one arc; amounts are positive."""
        out = []
        for r in self.resources_of[offer]:
            resource = self.resources[r]
            amount = self._use(party, resource)
            if resource.kind == "rooms" and amount:
                amount = rooms.count(resource.size) if self.sizes[offer] is not None else 0
            if amount:
                out.append((r, amount))
        return out

    def _use(self, party: int, resource: Resource) -> int:
        """What the party takes of a resource; of rooms, 1 where it is there at all."""
        if resource.kind == "persons" and self.in_use is not None:
            return sum(int(self.in_use[h, resource.offer]) for h in self.amounts.present(party, resource.date))
        return self.amounts.of(party, resource.kind, resource.size, resource.date)

    def arcs(self, parties: Sequence[int] | None = None, candidates: Bools | None = None) -> Arcs:
        """Write out the arcs of `parties` (default all), only where `candidates` (shape (len(parties), A)) is true."""
        chosen = np.arange(len(self.parties)) if parties is None else np.asarray(parties, dtype=np.int64)
        every = np.arange(self.offers)
        persons = self.party_persons()
        rows: list[tuple[int, int, tuple[int, ...]]] = []
        costs: list[Ints] = []
        start, resource, amount = [0], [], []
        for low in range(0, len(chosen), 256):
            block = chosen[low : low + 256]
            allowed = self.eligible(block, every)
            if candidates is not None:
                allowed &= candidates[low : low + 256]
            cost = self.base_cost(block, every)
            for i, a in zip(*np.nonzero(allowed), strict=True):
                q, a = int(block[i]), int(a)
                for rooms in self.choices(int(persons[q]), int(self.room_need[q]), a):
                    rows.append((q, a, rooms))
                    value = cost[i, a]
                    if rooms:
                        value = value.copy()
                        value[self.spare_stage] += self.spare(sum(rooms) - int(persons[q]))
                    costs.append(value)
                    for r, n in self.use(q, a, rooms):
                        resource.append(r)
                        amount.append(n)
                    start.append(len(resource))
        integers = np.int64
        return Arcs(
            party=np.array([row[0] for row in rows], dtype=integers),
            offer=np.array([row[1] for row in rows], dtype=integers),
            rooms=tuple(row[2] for row in rows),
            cost=np.array(costs, dtype=integers).reshape(len(rows), len(self.stages)),
            start=np.array(start, dtype=integers),
            resource=np.array(resource, dtype=integers),
            amount=np.array(amount, dtype=integers),
        )

    def best(self, prices: Ints, weights: Ints, parties: Sequence[int] | None = None) -> tuple[Ints, Ints]:
        """Every party's best arc at given prices, over all eligible arcs, none written out.

        prices: by resource, ≥ 0. weights: by stage; an arc's value is Σ weights·cost + Σ prices·use, all integers.
        Returns (value, offer), each by party in the order given; BLOCKED and UNPLACED where a party has no arc.
        """
        chosen = np.arange(len(self.parties)) if parties is None else np.asarray(parties, dtype=np.int64)
        values = np.full(len(chosen), BLOCKED, dtype=np.int64)
        offers = np.full(len(chosen), UNPLACED, dtype=np.int64)
        for low in range(0, len(chosen), 256):
            priced = self.priced(chosen[low : low + 256], prices, weights)
            if self.offers:
                where = priced.argmin(axis=1)
                values[low : low + 256] = priced[np.arange(len(priced)), where]
                offers[low : low + 256] = np.where(values[low : low + 256] < BLOCKED, where, UNPLACED)
        return values, offers

    def priced(self, parties: Ints, prices: Ints, weights: Ints) -> Ints:
        """Value of the best arc of each pair at given prices, BLOCKED where there is none; shape (len(parties), A)."""
        every = np.arange(self.offers)
        values: Ints = self.base_cost(parties, every) @ weights
        for r in np.flatnonzero(prices):
            resource = self.resources[r]
            if resource.kind != "rooms":
                values[:, resource.offer] += prices[r] * np.array([self._use(q, resource) for q in parties.tolist()], dtype=np.int64)
        persons = self.party_persons()[parties]
        need, which = np.unique(np.stack([persons, self.room_need[parties]]), axis=1, return_inverse=True)
        for a in every:
            if self.sizes[a] is not None:
                weight = int(weights[self.spare_stage])
                if any(self.resources[r].date != ANY_DATE for r in self.resources_of[a]):
                    found = [
                        self._room_value(int(p), int(n), int(a), prices, weight, int(q))
                        for p, n, q in zip(persons, self.room_need[parties], parties, strict=True)
                    ]
                    values[:, a] += np.array(found, dtype=np.int64)
                else:
                    found = [self._room_value(int(p), int(n), int(a), prices, weight) for p, n in need.T]
                    values[:, a] += np.array(found, dtype=np.int64)[which.ravel()]
        return np.where(self.eligible(parties, every), values, BLOCKED)

    def _room_value(self, persons: int, need: int, offer: int, prices: Ints, weight: int, party: int | None = None) -> int:
        """What the cheapest room set adds: empty beds and room prices. party: whose nights count where rooms are counted by night."""
        price: dict[int, int] = {}
        for r in self.resources_of[offer]:
            room = self.resources[r]
            if room.kind == "rooms" and (party is None or self._use(party, room)):
                price[room.size] = price.get(room.size, 0) + int(prices[r])
        sets = self.choices(persons, need, offer)
        return min((weight * self.spare(sum(rooms) - persons) + sum(price.get(size, 0) for size in rooms) for rooms in sets), default=0)

    @cached_property
    def exclusive(self) -> Bools:
        """Offers that one party has to itself (at a time), length A."""
        single = {resource.offer for resource in self.resources if resource.kind == "unit"}
        return np.array([a in single for a in range(self.offers)], dtype=np.bool_)

    def overlap(self, first: int, second: int) -> bool:
        """Would the two parties be there in one night, were they in one offer?"""
        return any(
            max(self.arrival[g], self.arrival[h]) < min(self.leaves[g], self.leaves[h])
            for g in self.parties[first]
            for h in self.parties[second]
        )

    def link_matrix(self, link: Link, first: Ints, second: Ints) -> Ints:
        """Cost of a link for each pair of offers of its two parties, both placed; BLOCKED where one that binds is broken."""
        km10 = self.km10[self.place[first][:, None], self.place[second][None, :]]
        one_site = self.site[first][:, None] == self.site[second][None, :]
        if link.kind == "near":
            kept = within(km10, link.limit_km10) if link.binds else np.zeros_like(one_site)
        elif link.kind == "apart":
            kept = ~one_site
            if link.limit_km10 is not None:
                kept &= ~within(km10, link.limit_km10, strictly=True)
        elif link.kind == "same_place":
            kept = self.same_place[self.place[first][:, None], self.place[second][None, :]]
        elif link.kind == "same_site":
            kept = one_site
        else:
            kept = first[:, None] == second[None, :]
        if link.binds:
            return np.where(kept, 0, BLOCKED).astype(np.int64)
        if link.kind != "near":
            return np.where(kept, 0, link.cost(None)).astype(np.int64)
        known, index = np.unique(km10, return_inverse=True)
        costs = [link.cost(int(v)) for v in known]
        return np.array(costs, dtype=np.int64)[index].reshape(km10.shape)

    @classmethod
    def from_matrix(
        cls,
        cost: ArrayLike,
        use: ArrayLike,
        capacity: ArrayLike,
        unplaced_cost: ArrayLike | None = None,
        *,
        allowed: ArrayLike | None = None,
    ) -> Problem:
        """A problem from plain arrays: H households, A accommodations (offers).

        cost, use: integers, shape (H, A); use ≥ 0 may differ by pair. capacity: shape (A,), ≥ 0. unplaced_cost: shape (H,);
        without it everybody must be placed. allowed: booleans, shape (H, A); default all. Raises UsageError on wrong shapes.
        """
        return cls(**matrix_fields(cost, use, capacity, unplaced_cost, allowed))
