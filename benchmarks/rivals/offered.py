"""Offers for each party, as a gift to the rivals: found over all pairs by the program's own kernels, in time that is not theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from matcher.layers import Ints
from matcher.pricing.arcs import Lists, nearest_offers, write_out
from matcher.pricing.board import Board
from matcher.pricing.core import make_core
from matcher.pricing.kernels import jit, pay, use_of
from matcher.pricing.menus import make_menus
from matcher.pricing.shelves import make_shelves
from matcher.problem import Arcs, Problem

FEW_SETS, ALL_SETS = 6, 4096
"""Room sets of one pair that are written out at most, those with the fewest empty beds first."""
STEPS = 60
OFFERS = NDArray[np.int32]


class Offered:
    """Costs are those of all stages together (the rivals know the weighted order only)."""

    def __init__(self, problem: Problem) -> None:
        core, tables = make_core(problem, [1] * len(problem.stages))
        self.problem, self.core = problem, core
        self.board = Board(core, make_menus(core), make_shelves(core, tables), np.float64)
        self.free = np.zeros(len(problem.resources))

    def nearest(self, most: int, parties: Ints | None = None, prices: NDArray[np.float64] | None = None) -> tuple[OFFERS, Ints]:
        """The `most` cheapest offers of each party (at prices of the rows, if given): offers, -1 where there are fewer; costs."""
        self.board.set_prices(self.free if prices is None else prices)
        return nearest_offers(self.board, most, parties)

    def prices(self) -> NDArray[np.float64]:
        """Capacity prices by a plain subgradient method: good enough to tell which offers a party may hope for."""
        prices = self.free.copy()
        capacity = np.maximum(1.0, self.problem.capacity)
        mean = np.zeros(len(prices))
        for step in range(STEPS):
            self.board.set_prices(prices)
            best, offer = self.board.find_best()
            load = np.zeros(len(prices))
            _load(self.core, prices, np.where(best < self.core.out, offer, -1), load)
            mean = 0.6 * mean + 0.4 * np.clip((load - self.problem.capacity) / capacity, -1.0, 2.0)
            prices = np.maximum(0.0, prices + mean * 3000.0 * 0.93**step)
        return prices

    def well_chosen(self, most: int) -> tuple[OFFERS, Ints]:
        """Half of a party's offers are its best at capacity prices, half are drawn from the next hundred (seed 0)."""
        offers, costs = self.nearest(most // 2 + 100, prices=self.prices())
        count = (offers >= 0).sum(axis=1)
        rng = np.random.default_rng(0)
        first = min(most - most // 2, offers.shape[1])
        draw = rng.random(offers.shape)
        draw[:, :first] = -1.0
        draw[np.arange(offers.shape[1])[None, :] >= count[:, None]] = 2.0
        chosen = np.argsort(draw, axis=1, kind="stable")[:, :most]
        return np.take_along_axis(offers, chosen, axis=1), np.take_along_axis(costs, chosen, axis=1)

    def arcs(self, offers: OFFERS, costs: Ints, sets: int = ALL_SETS) -> Arcs:
        """Arcs of the parties to these offers, as `Problem.arcs` would write them, in one column of costs; at most `sets` for a pair."""
        every = np.arange(len(offers), dtype=np.int64)
        choices = write_out(self.board, Lists(every, offers, costs, np.full(len(offers), -1, dtype=np.int32)), sets)
        party = np.repeat(np.arange(len(offers)), np.diff(choices.start))
        order = np.lexsort((choices.set, choices.offer, party))
        uses = self.core.uses
        rooms: dict[int, tuple[int, ...]] = {-1: ()}
        for s in np.unique(choices.set[choices.set >= 0]).tolist():
            span = slice(uses.set_ptr[s], uses.set_ptr[s + 1])
            rooms[s] = tuple(np.repeat(uses.set_size[span], uses.set_count[span]).tolist())
        bundle = choices.bundle[order]
        length = np.diff(choices.use_start)[bundle]
        start = np.concatenate([[0], np.cumsum(length)])
        entry = np.repeat(choices.use_start[bundle] - start[:-1], length) + np.arange(start[-1])
        return Arcs(
            party=party[order],
            offer=choices.offer[order].astype(np.int64),
            rooms=tuple(rooms[s] for s in choices.set[order].tolist()),
            cost=choices.cost[order][:, None],
            start=start.astype(np.int64),
            resource=choices.use_row[entry].astype(np.int64),
            amount=choices.use_amount[entry].astype(np.int64),
        )

    def open_to(self) -> Ints:
        """How many offers are open to each party, as far as the rules on kinds of households tell; length Q."""
        shelves = self.board.shelves
        places = self.core.at_place.shape[1]
        return np.asarray(np.diff(shelves.start[::places])[shelves.kind], dtype=np.int64)


@jit
def _load(core, prices, offer, load):  # type: ignore[no-untyped-def]
    rows, amounts = np.empty(4096, dtype=np.int64), np.empty(4096, dtype=np.int64)
    for q in range(len(offer)):
        if offer[q] >= 0:
            _, s = pay(core.uses, q, offer[q], prices, 1.0)
            for t in range(use_of(core.uses, q, offer[q], s, rows, amounts)):
                load[rows[t]] += amounts[t]
