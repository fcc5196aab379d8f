"""The least that every free party can cost at the prices of each stage, over all eligible pairs: a class of households at a time.

What an offer costs by itself is the same for all households of a class, so its least at each place is, too; what is left to each
household is to add what the place costs it. A household whose rows name single offers, and a party that is merged with others,
is counted offer by offer.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence

import numpy as np

from matcher.check.account import unplaced_costs
from matcher.check.certificate import StageClaim
from matcher.check.costs import floor_members
from matcher.check.eligible import Eligible
from matcher.check.exact import Bools, Exact, exact_array
from matcher.check.local import Costs, Local
from matcher.check.market import Market
from matcher.check.menus import Menus
from matcher.check.numbers import Numbers
from matcher.check.tariff import Tariff
from matcher.check.tenants import Tenants
from matcher.check.world import Party, World


class Arcs:
    """All arcs of all free parties in every stage, never written out."""

    def __init__(self, world: World, market: Market, stages: Sequence[StageClaim], numbers: Numbers) -> None:
        self.world = world
        self.market = market
        self.stages = stages
        self.numbers = numbers
        self.local = Local(world, market)
        self.eligible = Eligible(world, market)
        menus = Menus(world, market)
        self.tariffs = [Tariff(world, market, stage, numbers, menus) for stage in stages]
        self.outs = [_outs(world, stage, numbers) for stage in stages]

    def out(self, stage: int, ids: Sequence[str]) -> int:
        """What leaving a party unplaced costs; never, where it is pinned."""
        if self.world.is_pinned(ids):
            return self.numbers.never
        return sum(int(self.outs[stage][self.world.households.position[i]]) for i in ids)

    def by_offer(self, party: Party) -> tuple[Bools, list[Exact]]:
        """(offers of the market that a party may have, its cost at each in each stage: never, where it may not)."""
        world, members = self.world, [self.world.households.position[i] for i in party.ids]
        passes = np.ones(len(self.market.at), dtype=bool)
        ties, rest = self.numbers.full(len(passes)), self.numbers.full(len(passes))
        if any(world.is_stranded(i) for i in party.ids):
            passes[:] = False
        for i, k in zip(party.ids, members, strict=True):
            own = self.local.costs(i, by_offer=True)
            passes &= self.eligible.mask(k) & own.passes
            ties = ties if own.ties is None else ties + self.numbers.cast(own.ties)
            rest = rest + self.numbers.cast(own.rest)
        if len(members) > 1:
            within, cost = self._inner(party)
            passes &= within[self.market.place]
            ties = ties + cost[self.market.place]
        values = [
            self.numbers.where(
                passes, tariff.costs(members, party.rooms_needed) + ties * stage.weights["ties"] + rest * stage.weights["rest"]
            )
            for stage, tariff in zip(self.stages, self.tariffs, strict=True)
        ]
        return passes, values

    def sum_of_least(self, merged: Container[str], tenants: Tenants) -> list[int | None]:
        """By stage, Σ over the parties that are not merged of the least of all their states; None where one has no state.

        merged: households of parties that are counted elsewhere. tenants: told who could live where.
        """
        sums: list[int | None] = [0] * len(self.stages)
        for party in {party.ids: party for party in self.world.joined.values() if party.ids[0] not in merged}.values():
            passes, values = self.by_offer(party)
            tenants.add(passes, party.ids)
            self._add(sums, party.ids, values)
        for members in self._classes(merged):
            self._add_class(sums, members, tenants)
        return sums

    def _classes(self, merged: Container[str]) -> Iterator[list[int]]:
        """Positions of free households that are parties by themselves, a class at a time; those who stay and pay alike in a row."""
        ids = self.world.households.ids
        aside = (*self.world.fixed, *self.world.left_out, *self.world.joined)
        single = np.ones(len(ids), dtype=bool)
        single[[self.world.households.position[i] for i in aside if i in self.world.households]] = False
        free = np.array([k for k in np.flatnonzero(single).tolist() if ids[k] not in merged], dtype=np.int64)
        guests = self.world.guests
        like = self.eligible.classes("wants").code[free]
        order = np.lexsort((like, guests.classes("persons", "party").code[free], guests.classes("stay").code[free]))
        ends = np.flatnonzero(np.diff(like[order])) + 1
        for part in np.split(free[order], ends) if len(free) else ():
            yield part.tolist()

    def _add_class(self, sums: list[int | None], members: list[int], tenants: Tenants) -> None:
        """Households of one class: what offers cost them is counted once."""
        world, first = self.world, members[0]
        fits = self.eligible.mask(first)
        costs = [self.numbers.where(fits, tariff.costs([first], int(world.rooms_needed[first]))) for tariff in self.tariffs]
        least = [self.market.least_by_place(values) for values in costs]
        reached = np.zeros(len(self.market.spots), dtype=bool)
        for k in members:
            i = world.households.ids[k]
            if i in world.links_of and world.is_stranded(i):
                self._add(sums, (i,), [])
                continue
            single = self.local.by_offer(i)
            own = self.local.costs(i, by_offer=single)
            self._add(sums, (i,), [self._with(stage, values, own) for stage, values in enumerate(costs if single else least)])
            if single:
                tenants.add(fits & own.passes, (i,))
            else:
                reached |= own.passes
        if tenants.asked:
            tenants.add(fits & reached[self.market.place], (world.households.ids[first],))

    def _with(self, stage: int, values: Exact, own: Costs) -> Exact:
        """Costs of offers or places with what a household's own whereabouts add."""
        weights = self.stages[stage].weights
        if weights["rest"]:
            values = values + self.numbers.cast(own.rest) * weights["rest"]
        if own.ties is not None and weights["ties"]:
            values = values + self.numbers.cast(own.ties) * weights["ties"]
        return values[own.passes]

    def _add(self, sums: list[int | None], ids: Sequence[str], values: Sequence[Exact]) -> None:
        """The least of what a party costs, placed or not, to the sum of each stage."""
        for stage, before in enumerate(sums):
            least = self.out(stage, ids)
            if values:
                least = min(least, int(values[stage].min(initial=self.numbers.never)))
            sums[stage] = None if before is None or least >= self.numbers.never else before + least

    def _inner(self, party: Party) -> tuple[Bools, Exact]:
        """By place: whether the ties between a party's own households hold where both are in one offer, and what they cost."""
        here, own = np.ones(len(self.market.spots), dtype=bool), self.market.ways.own
        passes, cost = here, self.numbers.full(len(here))
        for row in {id(row): row for i in party.ids for row in self.world.links_of.get(i, ())}.values():
            if row.household_id in party.ids and row.other_household_id in party.ids:
                holds = self.local.within(row, own, here, here, here)
                if row.binds:
                    passes = passes & holds
                else:
                    cost = cost + self.numbers.cast(self.local.link_cost(row, own, holds))
        return passes, cost


def _outs(world: World, stage: StageClaim, numbers: Numbers) -> Exact:
    """What leaving each household unplaced costs in a stage: its term, and what floors ask for its persons."""
    priority = world.guests.classes("priority")
    weights = [stage.weights[f"unplaced_{world.households.rows[k].priority}"] for k in priority.first]
    outs = numbers.cast(unplaced_costs(world)) * numbers.cast(exact_array(weights))[priority.code]
    for group, price in stage.floor_prices.items():
        members = floor_members(world, group)
        outs[members] += numbers.cast(world.persons[members]) * price
    return outs
