"""What a stay in each offer costs at the prices of a certificate, with the terms that do not depend on where it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.check.certificate import StageClaim
from matcher.check.costs import TERM_COLUMNS, Term, spare_term
from matcher.check.exact import Exact, Ints, exact_array
from matcher.check.market import Market
from matcher.check.menus import Menus
from matcher.check.numbers import Numbers
from matcher.check.seats import Seat, capacities, use_of_all
from matcher.check.tables import Classes
from matcher.check.world import World
from matcher.model import Accommodation

KEPT_ENTRIES = 40_000_000  # costs remembered, of 8 bytes each
ALWAYS = -1
ROOMS, NEED = "rooms:", "need:"
Time = tuple[int, int]  # first day, day after the last


@dataclass(frozen=True)
class _Prices:
    """Prices of one resource: offer of the market, night (ordinal, or ALWAYS), units."""

    offers: Ints
    nights: Ints
    units: Exact

    def by_offer(self, times: Sequence[Time], out: Exact) -> Exact:
        """What a unit of it costs who is there at these times. Adds to `out`."""
        present = np.zeros(len(self.nights), dtype=bool)
        for first, after in times:
            if first < after:
                present |= (self.nights == ALWAYS) | ((self.nights >= first) & (self.nights < after))
        np.add.at(out, self.offers[present], self.units[present])
        return out


class Tariff:
    """Costs of one stage in 1/scale, for all offers of the market."""

    def __init__(self, world: World, market: Market, stage: StageClaim, numbers: Numbers, menus: Menus) -> None:
        self.world = world
        self.market = market
        self.numbers = numbers
        self.menus = menus
        self.weight = stage.weights["rest"]
        self._prices = _by_resource(world, market, stage, numbers)
        self._needs = world.guests.classes("needs")
        self._tables: dict[str, _Table] = {name: _Table(world, market, name) for name in ("wants", "risk", "short", "rent")}
        self._memo: dict[Hashable, Exact] = {}

    def costs(self, members: Sequence[int], rooms_needed: int) -> Exact:
        """What a party pays in each offer in which it fits. members: positions of its households."""
        if len(members) == 1:
            total = self._alone(members[0], rooms_needed)
        else:
            times = tuple(sorted({self._time(k) for k in members}))
            total = self._together(times, int(self.world.persons[list(members)].sum()), rooms_needed)
            total = sum((self._own(k) for k in members), start=total)
        for k in members:
            if self.weight:
                total = total + self._term("wants", k)
            for word in sorted(self._needed(k)):
                total = total + self._price(NEED + word, (self._time(k),)) * int(self.world.persons[k])
        return total

    def _alone(self, k: int, rooms_needed: int) -> Exact:
        """All but wants and needs of a party of one."""
        time, persons = self._time(k), int(self.world.persons[k])
        return self._kept(("alone", time, persons, rooms_needed), lambda: self._together((time,), persons, rooms_needed) + self._own(k))

    def _own(self, k: int) -> Exact:
        """What one of a party costs by itself: its terms, but for wants, and the price of its beds."""
        beds = self._price("persons", (self._time(k),)) * int(self.world.persons[k])
        return sum((self._term(name, k) for name in ("risk", "short", "rent") if self.weight), start=beds)

    def _together(self, times: tuple[Time, ...], persons: int, rooms_needed: int) -> Exact:
        """What a party costs as one: spare beds and rooms, the cheapest set, and the unit."""
        total = self._kept(("spare", persons), lambda: self._spare(persons)) + self._price("unit", times)
        sizes = {int(name.removeprefix(ROOMS)) for name in self._prices if name.startswith(ROOMS)}
        prices = {size: self._price(f"{ROOMS}{size}", times) for size in sorted(sizes)}
        self.menus.add_cheapest(total, persons, rooms_needed, self.weight, prices, self.numbers)
        return total

    def _spare(self, persons: int) -> Exact:
        """Beds left empty in offers that are not shared."""
        kinds = self.world.lodgings.classes("capacity", "shared")
        offers = (self.world.offers.rows[k] for k in kinds.first)
        spare = exact_array([spare_term(self.world, a, persons, ()) for a in offers])
        return self.numbers.cast(spare)[kinds.code[self.market.at]] * self.weight

    def _price(self, resource: str, times: tuple[Time, ...]) -> Exact:
        """Price of a unit of the resource at these times, by offer."""
        return self._kept(("price", resource, times), lambda: self._count(resource, times))

    def _count(self, resource: str, times: tuple[Time, ...]) -> Exact:
        nothing = self.numbers.full(len(self.market.at))
        return self._prices[resource].by_offer(times, nothing) if resource in self._prices else nothing

    def _term(self, name: str, k: int) -> Exact:
        table = self._tables[name]
        return self._kept((name, int(table.guests.code[k])), lambda: self.numbers.cast(table.row(k)) * self.weight)

    def _needed(self, k: int) -> list[str]:
        """Needs of a household that some offer prices."""
        needs = self.world.households.rows[int(self._needs.first[self._needs.code[k]])].needs
        return [word for word in needs if NEED + word in self._prices]

    def _time(self, k: int) -> Time:
        return int(self.world.arrivals[k]), int(self.world.leaves[k])

    def _kept(self, name: Hashable, make: Callable[[], Exact]) -> Exact:
        if name not in self._memo:
            if len(self._memo) * len(self.market.at) > KEPT_ENTRIES:
                self._memo.clear()
            self._memo[name] = make()
        return self._memo[name]


class _Table:
    """A term that depends on a few columns, for all offers of the market."""

    def __init__(self, world: World, market: Market, name: str) -> None:
        self.world = world
        term, of_households, of_offers = TERM_COLUMNS[name]
        self.term: Term = term
        self.guests: Classes = world.guests.classes(*of_households)
        kinds = world.lodgings.classes(*of_offers)
        used, self.kind = np.unique(kinds.code[market.at], return_inverse=True)
        self.offers: list[Accommodation] = [world.offers.rows[k] for k in kinds.first[used]]

    def row(self, k: int) -> Exact:
        """The term's units of the household at that position."""
        h = self.world.households.rows[int(self.guests.first[self.guests.code[k]])]
        return exact_array([self.term(self.world, h, a) for a in self.offers])[self.kind]


def _by_resource(world: World, market: Market, stage: StageClaim, numbers: Numbers) -> dict[str, _Prices]:
    """The certificate's prices by resource. What stands in the features is offered to everybody, so its price is never paid."""
    rows: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for accommodation_id, resources in stage.prices.items():
        position = world.offers.position[accommodation_id]
        offer = int(market.index[position])
        for resource, by_night in resources.items() if offer >= 0 else ():
            if resource.startswith(NEED) and resource.removeprefix(NEED) in world.offers.rows[position].features:
                continue
            rows[resource] += [(offer, ALWAYS if n is None else n.toordinal(), price) for n, price in by_night.items() if price]
    return {
        resource: _Prices(
            np.array([row[0] for row in found], dtype=np.int64),
            np.array([row[1] for row in found], dtype=np.int64),
            numbers.cast(exact_array([row[2] for row in found])),
        )
        for resource, found in rows.items()
        if found
    }


def given_back(world: World, stage: StageClaim, fixed: Mapping[str, list[Seat]]) -> int:
    """Σ price · what the fixed ones leave of each resource, in 1/scale."""
    total = 0
    for accommodation_id, prices in stage.prices.items():
        have = capacities(world.offers[accommodation_id])
        seats = fixed.get(accommodation_id, [])
        before = {night: use_of_all(world, seats, night) for by_night in prices.values() for night in by_night} if seats else {}
        for resource, by_night in prices.items():
            for night, price in by_night.items():
                total += price * max(0, have[resource] - (before[night][resource] if seats else 0))
    return total
