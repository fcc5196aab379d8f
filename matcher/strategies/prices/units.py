"""Who has the flats and rooms, decided for all at once, while beds beside others cost what it takes for them to suffice.

Where nearly everything is full, somebody comes in only if larger parties have the flats and rooms and smaller ones the beds. Making
room one leaving at a time does not see that, and flows look at beds for parties of one size. So all beds are taken as one supply
here: a flow of least cost over all flats and rooms, in which a bed costs its offer's price and a level more, the least level at which
no more beds are asked for than there are. Who goes to a bed finds one afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.strategies.prices.flows import MOST_COST, Lanes, assign
from matcher.strategies.prices.house import OUT, House, enter, leave
from matcher.strategies.prices.room import Guide

LEVELS = 0, 1000, 4000, 16_000, 64_000
"""Levels tried one after the other (cost units a bed)."""
BETWEEN = 2
"""Levels tried between the last that did not suffice and the first that did."""


@dataclass(frozen=True)
class Deal:
    """arc: of each party that moves to a flat or a room, or stays there, else OUT; bed: who has or wants a bed; beds: that all of these
    take; level: at which (cost units a bed)."""

    arc: Ints
    bed: Bools
    beds: int
    level: float


class Units:
    """Everybody's arcs to flats and rooms, and their best to a bed. persons: of each party; held: who stays where they are.

    supply: beds there are for those who move; flows: solved so far.
    """

    def __init__(self, house: House, choices: Choices, guide: Guide, lanes: Lanes, persons: Ints, held: Bools) -> None:
        self.choices, self.guide, self.persons = choices, guide, persons
        parties = len(persons)
        owner = np.repeat(np.arange(parties), np.diff(choices.start))
        here = house.arc
        on, wide = lanes.row[here], lanes.beds[here]
        self.moves = ~held & (np.diff(choices.start) > 0) & ((here < 0) | (on >= 0))
        self.in_bed = self.moves & (here >= 0) & (wide > 0)
        in_unit = self.moves & (here >= 0) & (wide == 0)
        beds = (lanes.row >= 0) & (lanes.beds > 0)
        least = np.full(parties, float(MOST_COST))
        np.minimum.at(least, owner[beds], guide.worth[beds])
        least[self.in_bed] = guide.worth[here[self.in_bed]]
        self.bed = least.astype(np.int64)  # cost and price of the bed that each has, or of the best
        rows = np.unique(lanes.row[beds])
        self.supply = int((house.capacity[rows] - house.load[rows]).sum() + persons[self.in_bed].sum())
        self.here, self.out, self.flows = here.copy(), house.out, 0
        self.arc = np.flatnonzero((lanes.row >= 0) & (lanes.beds == 0) & self.moves[owner])
        self.owner = owner[self.arc]
        self.rows, column = np.unique(lanes.row[self.arc], return_inverse=True)
        self.column = column.ravel()
        taken = np.searchsorted(self.rows, on[in_unit])
        self.free = house.capacity[self.rows] - house.load[self.rows] + np.bincount(taken, minlength=len(self.rows))

    def deal(self) -> Deal | None:
        """At the least level that was found at which beds suffice; None if at none of them they do."""
        low, best = 0.0, None
        for level in map(float, LEVELS):
            best = self._enough(level)
            if best is not None:
                break
            low = level
        for _ in range(BETWEEN if best is not None and low < level else 0):
            middle = (low + level) / 2
            other = self._enough(middle)
            if other is None:
                low = middle
            else:
                best, level = other, middle
        return best

    def _enough(self, level: float) -> Deal | None:
        deal = self.at(level)
        return deal if deal.beds <= self.supply else None

    def at(self, level: float) -> Deal:
        """With that much to pay for each bed beside its price."""
        bed = np.minimum(self.bed + np.int64(level) * self.persons, MOST_COST)
        instead = np.minimum(bed, self.out)
        movers = np.flatnonzero(self.moves)
        position = np.full(len(self.moves), -1, dtype=np.int64)
        position[movers] = np.arange(len(movers))
        self.flows += 1
        good = (self.choices.cost[self.arc] < instead[self.owner]) | (self.arc == self.here[self.owner])
        arcs = self.arc[good]
        chosen = assign(self.choices.cost[arcs], instead[movers], position[self.owner[good]], self.column[good], self.free)
        arc = np.full(len(self.moves), OUT, dtype=np.int64)
        arc[movers] = np.where(chosen >= 0, arcs[np.maximum(chosen, 0)] if len(arcs) else OUT, OUT)
        wants = self.moves & (arc < 0) & (bed < self.out)
        return Deal(arc, wants, int(self.persons[wants].sum()), level)

    def move(self, house: House, deal: Deal) -> None:
        """Everybody goes where the deal has them; who has no bed yet is out."""
        stays = self.in_bed & deal.bed
        gone = np.flatnonzero(self.moves & ~stays & (deal.arc != house.arc))
        for q in gone:
            leave(house, self.choices, q)
        for q in gone:
            enter(house, self.choices, q, deal.arc[q])
