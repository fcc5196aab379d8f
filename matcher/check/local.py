"""What depends on where an offer is, or on which one it is: the way, home, ties, pins and forbids of one household.

Counted for every place of the market at once or, for a household whose rows name single offers, for every offer.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil, lcm

import numpy as np

from matcher.check.exact import MOST, Bools, Exact, capped_half_up, exact, half_up, half_up_array
from matcher.check.market import Market
from matcher.check.ties import tie_weight
from matcher.check.ways import FARTHEST_KM10
from matcher.check.world import World, other_end
from matcher.model import Override, Spot, Tie

KEPT_ENTRIES = 40_000_000  # costs remembered, of 8 bytes each
BY_ADDRESS = ("same_site", "same_accommodation", "apart")


@dataclass(frozen=True)
class Costs:
    """At each place or each offer: whether the household may go there, and its cost units there, by stage."""

    passes: Bools
    ties: Exact | None
    rest: Exact


@dataclass(frozen=True)
class _Bond:
    """A tie that leads somewhere known. offer: which, if to one. back: the way starts at the household. other: who is fixed there."""

    tie: Tie
    spot: Spot
    offer: str | None
    back: bool
    other: str


class Local:
    """Rules `distance`, `override` and `tie`; terms `travel`, `home`, `ties`, `move`, and `linked` with who is fixed."""

    def __init__(self, world: World, market: Market) -> None:
        self.world = world
        self.market = market
        self._ways = world.guests.classes("spot", "persons", "max_km")
        self._homes = world.guests.classes("wants_return", "origin", "persons")
        self._known: dict[tuple[str, int], tuple[Bools, Exact]] = {}
        self._parts: dict[Hashable, tuple[int, int, int, list[tuple[int, int]]]] = {}
        self._offers_named = self._with_offers()

    def by_offer(self, household_id: str) -> bool:
        """Whether rows about the household name single offers."""
        return household_id in self._offers_named

    def reach(self, household_id: str, *, by_offer: bool) -> Bools:
        """Where a free household may go, its ties aside: near enough, not forbidden, not pinned elsewhere."""
        passes: Bools = self._spread(self._way(self.world.households.position[household_id])[0], by_offer)
        for forbid in self.world.forbids.get(household_id, ()):
            passes = passes & ~self._named(forbid, by_offer)
        for pin in self.world.pins.get(household_id, ()):
            passes = passes & self._named(pin, by_offer)
        return passes

    def bonds_hold(self, household_id: str, *, by_offer: bool) -> Bools:
        """Where every required tie to a place, an offer or a household that is fixed holds."""
        passes = np.ones(len(self.market.at if by_offer else self.market.spots), dtype=bool)
        for bond in self._bonds(household_id):
            if bond.tie.binds:
                passes &= self._holds(bond, by_offer)
        return passes

    def costs(self, household_id: str, *, by_offer: bool) -> Costs:
        """Costs of a free household at every place, or at every offer."""
        k = self.world.households.position[household_id]
        passes, rest = self.reach(household_id, by_offer=by_offer), self._spread(self._way(k)[1] + self._home(k), by_offer)
        if by_offer:
            rest = rest + self._move(household_id)
        bonds = self._bonds(household_id)
        if any(bond.tie.binds for bond in bonds):
            passes = passes & self.bonds_hold(household_id, by_offer=by_offer)
        pulls = [self._linked(bond, by_offer) for bond in bonds if bond.other and not bond.tie.binds]
        own = [bond for bond in bonds if not bond.other and not bond.tie.required]
        if own:
            pulls.append(self._pull(int(self.world.persons[k]), own, by_offer))
        return Costs(passes, sum(pulls[1:], start=pulls[0]) if pulls else None, rest)

    def within(self, tie: Tie, way: Exact, same_place: Bools, same_site: Bools, same_offer: Bools) -> Bools:
        """Whether a tie between two offers holds, for arrays of pairs (as `ties.offers_hold`)."""
        if tie.kind == "near":
            return way <= _floor(tie) if tie.max_km is not None else np.zeros(way.shape, dtype=bool)
        if tie.kind == "same_place":
            return same_place
        if tie.kind == "same_site":
            return same_site
        if tie.kind == "same_accommodation":
            return same_offer
        return ~same_site if tie.max_km is None else ~same_site & (way >= _ceiling(tie))

    def _way(self, k: int) -> tuple[Bools, Exact]:
        """Rule `distance` and term `travel`, by place."""
        kind = int(self._ways.code[k])
        if ("way", kind) not in self._known:
            h = self.world.households.rows[int(self._ways.first[kind])]
            km10 = self.market.ways.row(h.spot).astype(np.int64)
            passes = np.ones(len(km10), dtype=bool) if h.max_km is None else km10 <= int(exact(h.max_km) * 10)
            passes[self.market.ways.blocked(h.spot)] = False
            self._keep(("way", kind), (passes, half_up_array(self.world.weights["travel"], km10 * h.persons)))
        return self._known["way", kind]

    def _home(self, k: int) -> Exact | int:
        """Term `home`, by place."""
        kind = int(self._homes.code[k])
        if ("home", kind) not in self._known:
            h = self.world.households.rows[int(self._homes.first[kind])]
            cost: Exact = np.zeros(1, dtype=np.int64)
            if h.wants_return and h.origin is not None:
                weight, cap = self.world.weights["home"] * h.persons, self.world.weights["home_cap_km10"]
                cost = capped_half_up(weight, self.market.ways.row(h.origin).astype(np.int64), cap)
            self._keep(("home", kind), (np.ones(1, dtype=bool), cost))
        return self._known["home", kind][1]

    def _keep(self, name: tuple[str, int], costs: tuple[Bools, Exact]) -> None:
        if len(self._known) * len(self.market.spots) > KEPT_ENTRIES:
            self._known.clear()
        self._known[name] = costs

    def _spread(self, values: Exact, by_offer: bool) -> Exact:
        return values[self.market.place] if by_offer else values

    def _named(self, override: Override, by_offer: bool) -> Bools:
        """Where a pin or forbid leads."""
        named = np.zeros(len(self.market.at if by_offer else self.market.spots), dtype=bool)
        if override.accommodation_id is not None:
            named |= self._only(override.accommodation_id)
        elif override.spot is not None:
            named |= self._spread(self.market.ways.same_place(override.spot), by_offer)
        return named

    def _only(self, accommodation_id: str) -> Bools:
        """One offer of the market, if it is there."""
        only = np.zeros(len(self.market.at), dtype=bool)
        if accommodation_id in self.world.offers:
            index = self.market.index[self.world.offers.position[accommodation_id]]
            only[index if index >= 0 else slice(0)] = True
        return only

    def _holds(self, bond: _Bond, by_offer: bool) -> Bools:
        """Whether a tie to a place or to an offer holds, everywhere."""
        ways, tie = self.market.ways, bond.tie
        way, same = self._spread(ways.row(bond.spot, back=bond.back), by_offer), self._spread(ways.same_place(bond.spot), by_offer)
        nowhere = np.zeros(len(way), dtype=bool)
        if bond.offer is None and tie.kind == "apart":  # from a place: not there, and not within max_km
            return ~same if tie.max_km is None else ~same & (way > _floor(tie))
        if bond.offer is None or tie.kind not in BY_ADDRESS:
            return self.within(tie, way, same, nowhere, nowhere)
        site = self.market.sites[self.world.offers.position[bond.offer]]
        return self.within(tie, way, same, self.market.sites[self.market.at] == site, self._only(bond.offer))

    def _pull(self, persons: int, bonds: Sequence[_Bond], by_offer: bool) -> Exact:
        """Term `ties`: p · min(Σ weight · pull, cap · ties.weight), in fractions of one denominator, rounded once."""
        unit, most, limit, parts = self._fractions(bonds)
        cap = int(self.world.weights["cap_km10"])
        sums: Exact = np.zeros(1, dtype=np.int64 if 2 * persons * most + unit < MOST else object)
        for bond, (step, full) in zip(bonds, parts, strict=True):
            if bond.tie.kind == "near":
                way = self._spread(self.market.ways.row(bond.spot), by_offer).astype(sums.dtype)
                sums = sums + np.where(way > cap, full, way * step)
            else:
                sums = sums + np.where(self._holds(bond, by_offer), 0, full)
        return (2 * persons * np.minimum(sums, limit) + unit) // (2 * unit)

    def _fractions(self, bonds: Sequence[_Bond]) -> tuple[int, int, int, list[tuple[int, int]]]:
        """(parts of a cost unit, more than any sum of them, cap of all pulls together, what 1/10 km and the whole cap count by bond)."""
        name = tuple((bond.tie.weight, bond.tie.relation) for bond in bonds)
        if name not in self._parts:
            cap = self.world.weights["cap_km10"]
            top = cap * self.world.weights["ties"]
            weights = [tie_weight(self.world, bond.tie) for bond in bonds]
            unit = lcm(top.denominator, *(weight.denominator * cap.denominator for weight in weights))
            parts = [(int(weight * unit), int(weight * cap * unit)) for weight in weights]
            most = sum(step * FARTHEST_KM10 for step, _ in parts) + sum(full for _, full in parts) + int(top * unit)
            self._parts[name] = unit, most, int(top * unit), parts
        return self._parts[name]

    def _linked(self, bond: _Bond, by_offer: bool) -> Exact:
        """Term `linked` of a soft tie to a household that is fixed."""
        way = self._spread(self.market.ways.row(bond.spot, back=bond.back), by_offer)
        return self.link_cost(bond.tie, way, self._holds(bond, by_offer))

    def link_cost(self, tie: Tie, way: Exact, holds: Bools) -> Exact:
        """weight · (p_g + p_h) / 2 · (near: km up to the cap; else the cap where it does not hold), for arrays of pairs."""
        position, persons = self.world.households.position, self.world.persons
        both = int(persons[position[tie.household_id]] + persons[position[tie.other_household_id or ""]])
        weight, cap = tie_weight(self.world, tie) * both / 2, self.world.weights["cap_km10"]
        if tie.kind == "near":
            return capped_half_up(weight, way.astype(np.int64), cap)
        full = half_up(weight * cap)
        return np.where(holds, 0, full) if full < MOST else np.where(holds, 0, np.array(full, dtype=object))

    def _move(self, household_id: str) -> Exact:
        """Term `move`, by offer."""
        row = self.world.standing.get(household_id)
        if row is None or row.status != "proposed":
            return np.zeros(len(self.market.at), dtype=np.int64)
        persons = int(self.world.persons[self.world.households.position[household_id]])
        cost = half_up_array(self.world.weights["move"], np.full(len(self.market.at), persons))
        cost[self._only(row.accommodation_id)] = 0
        return cost

    def _bonds(self, household_id: str) -> list[_Bond]:
        """Ties of a household to places, to offers, and to those who are fixed."""
        world, bonds = self.world, []
        for tie in world.own_ties.of(household_id):
            if tie.spot is not None:
                bonds.append(_Bond(tie, tie.spot, None, False, ""))
            elif tie.accommodation_id is not None:
                a = world.offer(tie.accommodation_id)
                bonds.append(_Bond(tie, a.spot, a.accommodation_id, False, ""))
        for tie in world.links_of.get(household_id, ()):
            other = other_end(tie, household_id)
            if other in world.fixed:
                a = world.offer(world.fixed[other])
                bonds.append(_Bond(tie, a.spot, a.accommodation_id, tie.household_id == household_id, other))
        return bonds

    def _with_offers(self) -> set[str]:
        """Households of which some row names a single offer, or an address."""
        world = self.world
        found = {i for rows in (world.pins, world.forbids) for i, some in rows.items() if any(o.accommodation_id is not None for o in some)}
        found |= {i for i, status in zip(world.standing.ids, world.standing.values_of("status"), strict=True) if status == "proposed"}
        found |= {i for i in world.links_of if any(bond.other and bond.tie.kind in BY_ADDRESS for bond in self._bonds(i))}
        kinds = zip(*(world.own_ties.values_of(field) for field in ("household_id", "accommodation_id", "kind")), strict=True)
        return found | {i for i, a, kind in kinds if a is not None and kind in BY_ADDRESS}


def _floor(tie: Tie) -> int:
    """km10 ≤ max_km is km10 ≤ this."""
    assert tie.max_km is not None
    return int(exact(tie.max_km) * 10)


def _ceiling(tie: Tie) -> int:
    """km10 ≥ max_km is km10 ≥ this."""
    assert tie.max_km is not None
    return ceil(exact(tie.max_km) * 10)
