"""How large the numbers of a bound can be: in 64 bits where nothing can overflow, else Python's own integers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np

from matcher.check.account import unplaced_costs
from matcher.check.certificate import Claim, StageClaim
from matcher.check.costs import LONGEST_DAYS
from matcher.check.exact import Bools, Exact, exact, largest
from matcher.check.ties import tie_weight
from matcher.check.world import World
from matcher.places.travel import tenths

FARTHEST_KM10 = 280_000  # half way round the Earth by the dearest estimate, and across Ukraine by road
ROOM = 1 << 58  # four numbers below 2^60 can be added in 64 bits


@dataclass(frozen=True)
class Numbers:
    """exact: Python's integers. never: stands for "cannot be", above every sum of real costs."""

    exact: bool

    @property
    def never(self) -> int:
        return 1 << 4000 if self.exact else 1 << 60

    def cast(self, values: Exact) -> Exact:
        """The same numbers as they are to be added up."""
        return values.astype(object if self.exact else np.int64, copy=False)

    def full(self, count: int, value: int = 0) -> Exact:
        """That number, so many times."""
        return np.full(count, value, dtype=object if self.exact else np.int64)

    def where(self, condition: Bools, values: Exact) -> Exact:
        """The values where the condition holds, elsewhere never."""
        return np.where(condition, values, np.array(self.never, dtype=values.dtype))


def numbers_for(world: World, claim: Claim) -> Numbers:
    """64 bits, if no sum over the largest tree of merged parties can come near their end in any stage."""
    members = max([len(party.ids) for party in world.joined.values()], default=1)
    merged = _largest_tree(world, claim.merged_links) * members
    most = max((_most(world, stage, members) for stage in claim.stages), default=0) * merged
    most += max((stage.weights["ties"] for stage in claim.stages), default=0) * sum(_link_most(world, i) for i in world.links_of)
    return Numbers(exact=most >= ROOM)


def _most(world: World, stage: StageClaim, members: int) -> int:
    """No household costs more in a stage, as its share of a party, wherever it is."""
    weights, persons = world.weights, members * int(world.persons.max(initial=1))
    prices = [sum(p for by_night in resources.values() for p in by_night.values()) for resources in stage.prices.values()]
    rooms = world.lodgings.classes("rooms")
    beds = [world.offers.rows[k].rooms or () for k in rooms.first]
    capacity = world.lodgings.classes("capacity")
    empty = max([*(world.offers.rows[k].capacity for k in capacity.first), *map(sum, beds)], default=0)
    farthest = max([FARTHEST_KM10, *(tenths(row.km) for row in world.instance.travel if row.km is not None)])
    wants = world.guests.classes("wants")
    wishes = max((len(world.households.rows[k].wants) for k in wants.first), default=0)
    costs = world.lodgings.classes("cost_per_person_night")
    dearest = max((exact(world.offers.rows[k].cost_per_person_night or 0) for k in costs.first), default=Fraction(0))
    terms = (
        weights["travel"] * farthest, weights["home"] * min(Fraction(farthest), weights["home_cap_km10"]), weights["wants"] * wishes,
        weights["risk"], weights["short_365"] * LONGEST_DAYS, weights["move"], weights["rent"] * dearest,
    )  # fmt: skip
    rest = sum(ceil(term * persons) for term in terms) + ceil(weights["spare"] * empty)
    ties = ceil(weights["cap_km10"] * weights["ties"] * persons)
    ties += max((_link_most(world, i) for i in world.links_of), default=0)
    used = max(persons, max(map(len, beds), default=0))
    unplaced = largest(unplaced_costs(world)) * max(weight for name, weight in stage.weights.items() if name.startswith("unplaced"))
    floors = sum(stage.floor_prices.values()) * persons
    return stage.weights["rest"] * rest + stage.weights["ties"] * ties + max(prices, default=0) * used + unplaced + floors


def _link_most(world: World, household_id: str) -> int:
    """No soft ties of a household to others cost more."""
    position, persons = world.households.position, world.persons
    ends = ((tie, (tie.household_id, tie.other_household_id or "")) for tie in world.links_of[household_id] if not tie.binds)
    return sum(
        ceil(tie_weight(world, tie) * world.weights["cap_km10"] * sum(int(persons[position[i]]) for i in pair))
        for tie, pair in ends
        if all(i in position for i in pair)
    )


def _largest_tree(world: World, merged: Iterable[tuple[str, str]]) -> int:
    """Parties in the largest tree that merged pairs make."""
    boss: dict[str, str] = {}

    def find(i: str) -> str:
        while boss.setdefault(i, i) != i:
            boss[i] = boss[boss[i]]
            i = boss[i]
        return i

    for one, other in merged:
        boss[find(world.party_of(one).ids[0])] = find(world.party_of(other).ids[0])
    return max(Counter(find(i) for i in list(boss)).values(), default=1)
