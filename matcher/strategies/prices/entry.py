"""Letting those in who are out, in each round of the search: one at a time, in twos whom a required link binds, and all at once by
who has the flats and rooms. Where nobody is linked, what the last of these steps makes much dearer is taken back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.pricing.uses import Uses
from matcher.strategies.prices.ascent import Floats
from matcher.strategies.prices.flows import make_lanes
from matcher.strategies.prices.house import Bonds, House, Standing, cost_of, set_costs, standing_of
from matcher.strategies.prices.pairs import place_pairs, waiting
from matcher.strategies.prices.room import Guide, make_room, to_what_is_free
from matcher.strategies.prices.units import TRIED, Units

ONCE, AMONG_BEDS = 1e12, 3000.0
"""How much dearer it becomes each time to move somebody who had to leave: so dear that nobody has to twice, and what it is among those
who have beds, once flats and rooms are dealt."""
MOST_STEPS, EACH = 40, 2000
"""Steps of making room, at the most: in a round for each party, and each time for each that is out; more of them turn in circles."""
PAIRINGS = 3
MUCH = 0.002
"""Room that was made one at a time is kept unless the plan is dearer by more than this share: a little dearer, and later steps come
further."""
STEP, UNIT_FLOW = 3e-5, 1.5e-5
"""Units of work (about a second of one core each): a step of making room, a party in a flow over all flats and rooms."""


@dataclass(frozen=True)
class Lists:
    """Arcs for a search, the same with prices in their costs, and their order."""

    choices: Choices
    priced: Choices
    guide: Guide


@dataclass
class Entry:
    """One round of it. held: parties with links; lots: rank of each in the lottery; rebuild: a house of the same arcs, of who stands where.
    in_vain: for whom flats and rooms were dealt before, and it did not help. work: spent so far; hurried: the clock has cut it; level:
    what a bed had to cost above its price for beds to suffice, while somebody was out who lost by it.
    """

    uses: Uses
    bonds: Bonds
    held: Bools
    lots: Ints
    lists: Lists
    rebuild: Callable[[Standing], House]
    seconds_left: Callable[[], float]
    house: House
    in_vain: Ints
    steps: int = 0
    work: float = 0.0
    hurried: bool = False
    level: float = 0.0

    @property
    def linked(self) -> bool:
        """Are there links at all?"""
        return len(self.bonds.first) > 0

    def run(self, dearer: float) -> House:
        """Everybody whom there is a way for. dearer: what it counts more each time to move who had to leave."""
        stake = np.zeros(len(self.house.arc))  # what the two of a pair would lose together (`place_pairs`)
        if not self.linked:
            # First those leave, once each, who can go on to what is free or lose little by staying out; only then whoever loses least by
            # their next best, which may be full. With links it was no better: what a link costs moves with the partner.
            self._let_in(self._waiting(), ONCE, self._what_is_free())
        self._deal()
        before, cost = standing_of(self.house, self.lists.priced), self._cost()
        self._let_in(self._waiting(), dearer, stake)
        for _ in range(PAIRINGS):
            if not self.linked or not place_pairs(self.house, self.lists.priced, self.bonds, self.lists.guide, stake):
                break
            self._let_in(waiting(self.house, self.lists.guide), dearer, stake)
        if not self.linked and self._cost() > cost + MUCH * abs(cost):
            self.house = self.rebuild(before)
        return self.house

    def _deal(self) -> None:
        """Who has the flats and rooms, for all at once; then beds for those who have none yet, among those who have beds (who lives on
        several rows at once stays too). Kept only if the plan is cheaper."""
        lists, wait = self.lists, np.sort(self._waiting())
        if not len(wait) or not len(lists.choices.offer) or np.array_equal(wait, self.in_vain):
            return
        lanes = make_lanes(self.uses, lists.choices)
        units = Units(self.house, lists.choices, lists.guide, lanes, self.held)
        if not len(units.arc):
            return
        a_flow = UNIT_FLOW * len(self.house.arc)
        deal = units.deal(lambda: self._in_time(a_flow))
        self.work += a_flow * units.flows
        if deal is None:
            self.level, self.in_vain = (0.0, self.in_vain) if self.hurried else (TRIED[-1], wait)
            return
        self.level = deal.level
        before, cost, steps = standing_of(self.house, lists.priced), self._cost(), self.steps
        units.move(self.house, deal)
        stays = np.where((self.house.arc >= 0) & (lanes.beds[self.house.arc] == 0), ONCE, 0.0)
        self._let_in(self._waiting(), ONCE, np.maximum(stays, self._what_is_free()))
        self._let_in(self._waiting(), AMONG_BEDS, stays)
        if self._cost() >= cost:
            self.house, self.steps = self.rebuild(before), steps  # others may take as many steps as if nothing had been tried
            self.in_vain = self.in_vain if self.hurried else wait

    def _in_time(self, work: float) -> bool:
        """Is there as much time as so much work takes?"""
        self.hurried |= work > self.seconds_left()
        return not self.hurried

    def _let_in(self, order: Ints, dearer: float, stake: Floats) -> None:
        most = max(0, min(MOST_STEPS * len(self.house.arc) - self.steps, EACH * len(order)))
        if STEP * most > self.seconds_left():  # so slow a machine, or so little time, that the clock would pass over it
            most, self.hurried = max(1, int(self.seconds_left() / STEP / 2)), True
        steps = make_room(self.house, self.lists.priced, self.bonds, self.lists.guide, order, dearer, most, stake)
        self.steps += steps
        self.work += STEP * steps

    def _waiting(self) -> Ints:
        return waiting(self.house, self.lists.guide, self.lots)

    def lost(self) -> float:
        """What those lose who are out."""
        out = self.house.arc < 0
        return float((self.house.out - self.lists.guide.best)[out].clip(min=0).sum())

    def _what_is_free(self) -> Floats:
        return to_what_is_free(self.house, self.lists.priced, self.lists.guide)

    def _cost(self) -> int:
        """What the plan costs, prices left aside."""
        set_costs(self.house, self.lists.choices)
        return cost_of(self.house, self.bonds, self.lists.choices)
