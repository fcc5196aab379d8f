"""One market's prices from those of many sections: what is alike, and near, costs alike.

Prices of a section fit what is in it, and there each row is by chance a little cheaper or dearer than its like elsewhere. Over all
pairs everybody takes what is cheapest by chance, so that such prices prove little. A mean over rows of one kind is one price again,
with weights that fall with what two offers differ for the households (a kernel mean: Nadaraya, 1964; Watson, 1964).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints, Table
from matcher.pricing.core import columns_of_places
from matcher.pricing.kernels import jit
from matcher.pricing.threads import in_ranges
from matcher.problem import Problem
from matcher.strategies.prices.ascent import Floats, Market, Steps
from matcher.strategies.prices.classes import Ties
from matcher.strategies.prices.dealing import kinds_of_rows
from matcher.usage import Stock

NEAR = 20
"""Places whose rows count for each."""
ASKED, VALUES = 4000, 40
"""Households that tell what offers are worth to them, and of these how many tell what places are."""
SHARE, COST, PLACE = 0.1, 300.0, 300.0
"""Differences at which a weight falls to 1/e: in the share of those who may have it, in mean cost, in the mean cost of a place."""
LOOKED_AT = 60
"""Rows of one kind in one place that are looked at, evenly, at the most."""


@dataclass(frozen=True)
class Alike:
    """Which rows are alike. offer, kind: of each row. order: rows by kind and place; those of kind k in place p are
    order[edges[k * places + p]:edges[k * places + p + 1]]. place: of each offer; near, far: of each place, its nearest and how far
    they are, in units of PLACE; likeness: of each offer, what tells it from others wherever they are, shape (offers, n)."""

    offer: Ints
    kind: Ints
    order: Ints
    edges: Ints
    place: Ints
    near: Ints
    far: Floats
    likeness: Floats

    @classmethod
    def of(cls, problem: Problem, implied: Bools, seed: int) -> Alike:
        """The rows of a problem; a sample of its households tells what is alike. implied: rows that others keep."""
        stock = Stock.of(problem)
        kind = 2 * kinds_of_rows(problem, stock) + implied
        asked = np.sort(np.random.default_rng([seed, 13]).permutation(len(problem.persons))[:ASKED])
        places, place = np.unique(problem.place, return_inverse=True)
        near_terms: list[tuple[Table, Ints]] = []
        told = [_mean(layer, asked, rule=True) / SHARE for layer in problem.rules if isinstance(layer, Table)]
        for layer in problem.terms:
            if isinstance(layer, Table):
                column = columns_of_places(layer.column, place, len(places))
                if column is None:
                    told.append(_mean(layer, asked, rule=False) / COST)
                else:
                    near_terms.append((layer, column))
        near, far = _neighbours(near_terms, len(places), asked[:: -(-len(asked) // VALUES) or 1])
        group = kind * len(places) + place[stock.offer]
        order = np.argsort(group, kind="stable")
        edges = np.searchsorted(group[order], np.arange((int(kind.max(initial=0)) + 1) * len(places) + 1))
        likeness = np.stack([np.zeros(problem.offers), *told], axis=1)
        return cls(stock.offer, kind, order, edges, place, near, far / PLACE, likeness)

    def means(self, values: Floats) -> Floats:
        """For every row the mean of the values of rows that are alike."""
        out = np.empty(len(values))

        def some(first: int, last: int) -> None:
            _means(values, self.offer, self.kind, self.place, self.order, self.edges, self.near, self.far, self.likeness, out, first, last)

        in_ranges(some, len(values))
        return out


class StepsOfAlike(Steps):
    """Steps in which a row becomes dearer where too many want its like, so that what is alike keeps like prices. Of rows without ties."""

    def __init__(self, alike: Alike, market: Market, ties: Ties, prices: Floats, floors: Floats) -> None:
        super().__init__(market, ties, prices, floors)
        self.alike, self.room = alike, np.maximum(1e-9, alike.means(self.capacity))

    def held(self, load: Floats) -> Floats:
        """What each row would hold if all that are alike were as full."""
        return self.capacity + (self.alike.means(load) / self.room - 1) * np.maximum(1.0, self.capacity)


def _mean(layer: Table, asked: Ints, *, rule: bool) -> Floats:
    """By offer, the mean cost for those who are asked, or the share of them that a rule lets have it; added as integers, so that nothing
    depends on the order."""
    rows, count = np.unique(layer.row[asked], return_counts=True)
    value = layer.value[rows] > 0 if rule else layer.value[rows]
    return np.asarray((count @ value.astype(np.int64))[layer.column] / max(1, len(asked)))


def _neighbours(terms: list[tuple[Table, Ints]], places: int, asked: Ints) -> tuple[Ints, Floats]:
    """(nearest places of each, itself first; how far, in cost units: the mean of what tells them apart for those who are asked).

    terms: with the column of each place.
    """
    value = np.zeros((places, len(asked)))
    for layer, column in terms:
        value += layer.value[np.ix_(layer.row[asked], column)].T
    near = np.empty((places, min(NEAR, places)), dtype=np.int64)
    far = np.empty(near.shape)
    for p in range(places):
        apart = np.abs(value - value[p]).sum(axis=1) / max(1, len(asked))
        apart[p] = -1.0
        near[p] = np.argsort(apart, kind="stable")[: near.shape[1]]
        far[p] = np.maximum(0.0, apart[near[p]])
    return near, far


@jit
def _means(values, offer, kind, place, order, edges, near, far, likeness, out, first, last):
    places = len(near)
    for r in range(first, last):
        a = offer[r]
        total, weight = 0.0, 0.0
        for j in range(near.shape[1]):
            g = kind[r] * places + near[place[a], j]
            step = max(1, -(-(edges[g + 1] - edges[g]) // LOOKED_AT))
            for i in range(edges[g] + r % step, edges[g + 1], step):  # each from another one on, so that all count for some
                b = offer[order[i]]
                apart = far[place[a], j]
                for f in range(likeness.shape[1]):
                    apart += abs(likeness[a, f] - likeness[b, f])
                w = np.exp(-apart)
                total += w * values[order[i]]
                weight += w
        out[r] = total / weight if weight > 0 else values[r]


__all__ = ["Alike", "StepsOfAlike"]
