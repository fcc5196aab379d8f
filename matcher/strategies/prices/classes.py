"""Rows of one kind: units for as many persons, rooms of a size, beds for a need. Where beds are short, the price of a bed is far above
what travel costs, and nearly the same for all rows of a class: a few dozen prices, which a sample of the parties tells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Bools, Ints
from matcher.pricing.core import Core
from matcher.pricing.kernels import HALF, jit, pair_cost
from matcher.pricing.uses import ANY_DATE, PERSONS, ROOMS, UNIT, Uses, offer_of_row

Floats = NDArray[np.float64]
LOOKED_AT = 400
UNIT_BEDS = 2.3
"""Beds that a unit counts as where its size is not looked at."""


@dataclass(frozen=True)
class Ties:
    """Rows that have one price in common. of: the class of each row; beds: that a use of one counts as; implied: classes that others
    keep, and that need no price."""

    of: Ints
    beds: Floats
    implied: Bools

    def sums(self, values: Floats) -> Floats:
        """What the rows of each class hold together."""
        return np.bincount(self.of, weights=values, minlength=len(self.beds)).astype(np.float64, copy=False)


def each_alone(core: Core) -> Ties:
    """Every row a class of its own."""
    uses = core.uses
    beds = np.where(uses.kind == UNIT, UNIT_BEDS, np.where(uses.kind == ROOMS, uses.number, 1)).astype(np.float64)
    return Ties(np.arange(len(uses.kind)), beds, implied_rows(uses))


def classes_of(core: Core, seed: int) -> tuple[Ties, float]:
    """(rows by their kind, beds in all offers)."""
    uses, owner = core.uses, offer_of_row(core.uses)
    chosen = np.sort(np.random.default_rng([seed, 5]).permutation(core.parties)[:LOOKED_AT])
    widest = np.ones(core.offers, dtype=np.int64)
    _widest(core, chosen, uses.party_persons, int(uses.party_persons[chosen].max(initial=1)), widest)
    number = np.where(uses.kind == UNIT, widest[owner], uses.number)
    implied = implied_rows(uses)
    key = np.stack([uses.kind, number, uses.date, implied], axis=1)
    _, first, of = np.unique(key, axis=0, return_index=True, return_inverse=True)
    beds = np.where(uses.kind == UNIT, number, np.where(uses.kind == ROOMS, uses.number, 1))[first].astype(np.float64)
    counted = core.open[owner] & (uses.date == ANY_DATE) & ~implied & (uses.kind <= ROOMS)
    return Ties(of.ravel(), beds, implied[first]), float((beds[of.ravel()] * uses.capacity)[counted].sum())


def beds_of_rows(core: Core, offer: Ints) -> Floats:
    """Beds that a use of each row stands for: of a flat the persons who live there on the average, of a row for one night the share of a
    stay over all nights, 0 for needs and for beds in rooms that are counted.

    offer: of each party, negative where it has none.
    """
    uses, owner = core.uses, offer_of_row(core.uses)
    there = np.flatnonzero(offer >= 0)
    persons = np.bincount(offer[there], weights=uses.party_persons[there], minlength=core.offers)[owner]
    parties = np.bincount(offer[there], minlength=core.offers)[owner]
    flat = np.where(parties > 0, persons / np.maximum(1, parties), UNIT_BEDS)
    roomed = np.zeros(core.offers, dtype=np.bool_)
    roomed[owner[uses.kind == ROOMS]] = True
    beds = np.select([uses.kind == UNIT, uses.kind == ROOMS, (uses.kind == PERSONS) & ~roomed[owner]], [flat, uses.number, 1.0], 0.0)
    _, alike, nights = np.unique(np.stack([owner, uses.kind, uses.number]), axis=1, return_inverse=True, return_counts=True)
    return np.where(implied_rows(uses), 0.0, beds / nights[alike.ravel()])


def implied_rows(uses: Uses) -> Bools:
    """Beds of offers whose rooms hold no more: who has rooms has beds, so that these rows never bind."""
    owner = offer_of_row(uses)
    rooms = np.zeros(len(uses.beds), dtype=np.int64)
    of_rooms = (uses.kind == ROOMS) & (uses.date == ANY_DATE)
    np.add.at(rooms, owner[of_rooms], (uses.number * uses.capacity)[of_rooms])
    alike = (uses.kind == PERSONS) & (uses.beds[owner] >= 0) & (uses.date == ANY_DATE) & (uses.in_use.shape[0] == 0)
    return np.asarray(alike & (rooms[owner] <= uses.capacity))


@jit
def _widest(core, parties, persons, most, widest):
    """The most persons of a party that may have each offer, among some parties."""
    for a in range(len(core.place)):
        if not core.open[a]:
            continue
        for i in range(len(parties)):
            q = parties[i]
            if persons[q] > widest[a] and pair_cost(core, q, a) < HALF:
                widest[a] = persons[q]
                if widest[a] == most:
                    break


__all__ = ["Ties", "beds_of_rows", "classes_of", "each_alone", "implied_rows"]
