"""What a stay uses of an offer, at the prices of a certificate."""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping

from matcher.model import Accommodation
from tests.check.plain.certificate import StageClaim
from tests.check.plain.costs import spare_term
from tests.check.plain.rules import room_sets
from tests.check.plain.seats import Seat, capacities, use, use_of_all
from tests.check.plain.world import Party, Stay, World


class Tariff:
    """Prices of one stage. Parties alike in persons, needs, stays and rooms pay alike, so each kind is counted once."""

    def __init__(self, world: World, stage: StageClaim) -> None:
        self.world = world
        self.prices = stage.prices
        self.spare_weight = stage.weights["rest"]
        self._paid: dict[tuple[Hashable, str], int] = {}

    def pay(self, party: Party, likeness: Hashable, a: Accommodation) -> int:
        """Least over the sets of rooms of spare beds' cost + Σ price · use, in 1/scale."""
        key = (likeness, a.accommodation_id)
        if key not in self._paid:
            self._paid[key] = self._count(party, a)
        return self._paid[key]

    def _count(self, party: Party, a: Accommodation) -> int:
        prices = self.prices.get(a.accommodation_id, {})
        total = 0
        bed_prices: dict[int, int] = {}
        for night in {night for by_night in prices.values() for night in by_night}:
            used = use(self.world, Seat(party, a, ()), night)
            for resource, by_night in prices.items():
                price = by_night.get(night, 0)
                if resource.startswith("rooms:"):
                    if used:
                        room = int(resource.removeprefix("rooms:"))
                        bed_prices[room] = bed_prices.get(room, 0) + price
                else:
                    total += price * used[resource]
        return total + min(
            self.spare_weight * spare_term(self.world, a, party.persons, rooms) + sum(bed_prices.get(room, 0) for room in rooms)
            for rooms in room_sets(party, a)
        )

    def rent(self, fixed: Mapping[str, list[Seat]]) -> int:
        """Σ price · what the fixed ones leave of each resource, in 1/scale."""
        total = 0
        for accommodation_id, prices in self.prices.items():
            have = capacities(self.world.offers[accommodation_id])
            for resource, by_night in prices.items():
                for night, price in by_night.items():
                    before = use_of_all(self.world, fixed.get(accommodation_id, []), night)
                    total += price * max(0, have[resource] - before[resource])
        return total


def likeness(world: World, party: Party) -> Hashable:
    """Equal for parties that use every offer alike."""
    return party.rooms_needed, tuple((h.persons, h.needs, world.stays[h.household_id]) for h in party.households)


def check_nights(world: World, stage: StageClaim, fixed: Mapping[str, list[Seat]], tenants: Mapping[str, list[Party]]) -> list[str]:
    """A price for every night only where all stays meet; every other night a day of arrival."""
    faults: list[str] = []
    for accommodation_id, prices in stage.prices.items():
        parties = [seat.party for seat in fixed.get(accommodation_id, [])] + list(tenants.get(accommodation_id, []))
        stays = {world.stays[i] for party in parties for i in party.ids}
        nights = {night for by_night in prices.values() for night in by_night}
        if None in nights and not all_meet(stays):
            faults.append(f"[nights] stage {stage.name}: {accommodation_id} needs prices by night, its stays do not all meet")
        strange: list[dt.date] = sorted(night for night in nights if night is not None and night not in {s.arrival for s in stays})
        faults += [f"[nights] stage {stage.name}: nobody arrives in {accommodation_id} on {night}" for night in strange]
    return faults


def all_meet(stays: Iterable[Stay]) -> bool:
    """Whether every stay overlaps every other: the last to arrive comes before the first to leave. Empty ones do not count."""
    real = [stay for stay in stays if not stay.empty]
    if not real:
        return True
    last = max(stay.arrival for stay in real)
    return all(stay.present(last) for stay in real)
