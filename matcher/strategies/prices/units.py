"""Who has the flats and rooms, decided for all at once, while beds beside others cost what it takes for them to suffice.

Where nearly everything is full, somebody comes in only if larger parties have the flats and rooms and smaller ones the beds. Making
room one leaving at a time does not see that, and flows look at beds for parties of one size. So all beds are taken as one supply
here: a flow of least cost over all flats and rooms, in which a bed costs its offer's price and a level more, the least level at which
no more beds are asked for than there are. Who goes to a bed finds one afterwards. What takes of several rows at once stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.pricing.arcs import Choices
from matcher.strategies.prices.flows import MOST_COST, Lanes, assign
from matcher.strategies.prices.house import OUT, House, enter, leave
from matcher.strategies.prices.room import Guide

TRIED = 0.0, 1000.0, 4000.0, 16_000.0, 64_000.0
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
    """Everybody's arcs to flats and rooms, and their best to a bed. held: who stays where they are.

    By party: moves, in_bed (has a bed now), bed (cost and price of the bed that it has, or of its best; MOST_COST where there is none),
    takes (beds of that). arc: those to flats and rooms, of parties that move, and their owner and column, a position in rows, of which
    `free` units can be had. supply: beds for those who move; flows: solved so far.
    """

    def __init__(self, house: House, choices: Choices, guide: Guide, lanes: Lanes, held: Bools) -> None:
        self.choices, self.here, self.out, self.flows = choices, house.arc.copy(), house.out, 0
        parties = len(held)
        owner = np.repeat(np.arange(parties), np.diff(choices.start))
        on, wide = lanes.row[self.here], lanes.beds[self.here]
        self.moves = ~held & (np.diff(choices.start) > 0) & ((self.here < 0) | (on >= 0))
        self.in_bed = self.moves & (self.here >= 0) & (wide > 0)
        counted = (lanes.row >= 0) & self.moves[owner]
        beds = counted & (lanes.beds > 0)
        ordered = guide.rank[beds[guide.rank]]
        some, first = np.unique(owner[ordered], return_index=True)
        best = np.full(parties, OUT, dtype=np.int64)
        best[some] = ordered[first]
        best[self.in_bed] = self.here[self.in_bed]
        self.takes = np.where(best >= 0, lanes.beds[best], 0)
        self.bed = np.where(best >= 0, guide.worth[best], float(MOST_COST)).astype(np.int64)
        rows = np.unique(lanes.row[beds])
        self.supply = int((house.capacity[rows] - house.load[rows]).sum() + wide[self.in_bed].sum())
        self.arc = np.flatnonzero(counted & (lanes.beds == 0))
        self.owner = owner[self.arc]
        self.rows, column = np.unique(lanes.row[self.arc], return_inverse=True)
        self.column = column.ravel()
        lives = on[self.moves & (self.here >= 0) & (wide == 0)]
        self.free = house.capacity[self.rows] - house.load[self.rows]
        self.free += np.bincount(np.searchsorted(self.rows, lives), minlength=len(self.rows))

    def deal(self, in_time: Callable[[], bool]) -> Deal | None:
        """At the least level that was found at which beds suffice; None if at none of them they do, or there was no time to find it."""
        low, best = 0.0, None
        for level in TRIED:
            if not in_time():
                return None
            best = self._enough(level)
            if best is not None:
                break
            low = level
        for _ in range(BETWEEN if best is not None and low < best.level else 0):
            if best is None or not in_time():
                break
            middle = (low + best.level) / 2
            other = self._enough(middle)
            low, best = (middle, best) if other is None else (low, other)
        return best

    def _enough(self, level: float) -> Deal | None:
        deal = self.at(level)
        return deal if deal.beds <= self.supply else None

    def at(self, level: float) -> Deal:
        """With that much to pay for each bed beside its price."""
        bed = np.minimum(self.bed + np.int64(level) * self.takes, MOST_COST)
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
        wants = self.moves & (arc < 0) & (bed < self.out) & (self.takes > 0)
        return Deal(arc, wants, int(self.takes[wants].sum()), level)

    def move(self, house: House, deal: Deal) -> None:
        """Everybody goes where the deal has them; who has no bed yet is out."""
        stays = self.in_bed & deal.bed
        gone = np.flatnonzero(self.moves & ~stays & (deal.arc != house.arc))
        for q in gone:
            leave(house, self.choices, q)
        for q in gone:
            enter(house, self.choices, q, deal.arc[q])
