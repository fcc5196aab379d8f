"""What else there was: the next best offers of every placed party, all else as it is."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from matcher.evaluate import arc_costs
from matcher.layers import Bools, Ints
from matcher.parts import ANY_DATE, Link
from matcher.problem import BLOCKED, UNPLACED, Problem
from matcher.result import Plan
from matcher.usage import Stock, homes_of, left_over, uses

if TYPE_CHECKING:
    from matcher.openings import Openings

MOST = 3
COMPILED_FROM = 200_000
"""Pairs from which on compiled code is quicker, with the time it takes to be loaded."""
CELLS = 1 << 22


class Room:
    """What a plan leaves free, and what moving one party would cost.

    homes, persons: by party. left: of each resource. free: positions of the offers where there may be room for somebody.
    """

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self.homes = homes_of(problem, plan)
        self.persons = problem.party_persons()
        self.stock = Stock.of(problem)
        self.left = left_over(problem, self.stock, plan, self.homes)
        self.free = np.flatnonzero(self._maybe_free())
        self._known: dict[tuple[int, int], Ints] = {}

    def _maybe_free(self) -> Bools:
        """Not those whose beds or whose one unit are all taken, every night."""
        stock = self.stock
        counted = stock.is_kind("unit") if self.problem.in_use is not None else stock.is_kind("unit") | stock.is_kind("persons")
        out = np.ones(self.problem.offers, dtype=np.bool_)
        out[stock.offer[counted & (stock.date == ANY_DATE) & (self.left <= 0)]] = False
        return out

    @cached_property
    def links_of(self) -> dict[int, list[Link]]:
        """The links of each party that has any."""
        out: dict[int, list[Link]] = defaultdict(list)
        for link in self.problem.links:
            for q in {link.first, link.second}:
                out[q].append(link)
        return dict(out)

    @cached_property
    def _plain(self) -> Bools:
        """Offers where all parties of as many persons that need as many rooms take the same."""
        odd = self.stock.is_kind("need") | (self.stock.date != ANY_DATE)
        out = np.full(self.problem.offers, self.problem.in_use is None)
        out[self.stock.offer[odd]] = False
        return out

    def spare(self, parties: Ints, offers: Ints) -> Ints:
        """Cost of the empty beds of the cheapest room set for which enough is left, of each party at its offer (not its own,
        where its place would have to be given back first); BLOCKED where there is none. parties, offers: of one length."""
        pair: list[int] = []
        sets: list[tuple[int, ...]] = []
        for i, (q, offer) in enumerate(zip(parties.tolist(), offers.tolist(), strict=True)):
            chosen = self.problem.choices(int(self.persons[q]), int(self.problem.room_need[q]), offer)
            pair += [i] * len(chosen)
            sets += chosen
        of = np.array(pair, dtype=np.int64)
        arc, row, amount = uses(self.problem, self.stock, parties[of], offers[of], sets)
        beds = np.array([sum(rooms) for rooms in sets], dtype=np.int64) - self.persons[parties[of]]
        empty, number = np.unique(np.where([bool(rooms) for rooms in sets], beds, 0), return_inverse=True)
        cost = np.array([self.problem.spare(n) for n in empty.tolist()], dtype=np.int64)[number.ravel()]
        cost[arc[amount > self.left[row]]] = BLOCKED
        out = np.full(len(parties), BLOCKED, dtype=np.int64)
        np.minimum.at(out, of, cost)
        return out

    def cheapest_sets(self, parties: Ints, offers: Ints) -> list[tuple[int, ...]]:
        """The room set with the fewest beds for each party at its offer (eligible), () where none is counted."""
        wanted = zip(self.persons[parties].tolist(), self.problem.room_need[parties].tolist(), offers.tolist(), strict=True)
        return [next(iter(self.problem.choices(*claim)), ()) for claim in wanted]

    def _spare_by_claim(self, party: int) -> Ints:
        """`spare` at every free offer where all parties of as many persons and rooms take the same; 0 elsewhere."""
        claim = int(self.persons[party]), int(self.problem.room_need[party])
        if claim not in self._known:
            known = np.zeros(len(self.free), dtype=np.int64)
            alike = np.flatnonzero(self._plain[self.free])
            known[alike] = self.spare(np.full(len(alike), party), self.free[alike])
            self._known[claim] = known
        return self._known[claim]

    def fits_somewhere(self, party: int, offers: Ints) -> bool:
        """Would an unplaced party fit into one of the offers (all it is eligible for) as things are, its ties to others apart?"""
        if len(self.homes) * len(self.free) >= COMPILED_FROM:
            none = np.zeros((0, 0), dtype=np.int64)
            return bool(self._openings.nearest(np.array([party]), np.array([UNPLACED]), 1, none)[0][0, 0] >= 0)
        near = offers[np.isin(offers, self.free)]
        low, step = 0, 16
        while low < len(near):
            some = near[low : low + step]
            if (self.spare(np.full(len(some), party), some) < BLOCKED).any():
                return True
            low, step = low + step, 8 * step
        return False

    def link_costs(self, party: int, offers: Ints) -> Ints:
        """Cost of the party's links at each offer, everybody else where they are; BLOCKED where one that binds would break."""
        total = np.zeros(len(offers), dtype=np.int64)
        for link in self.links_of.get(party, ()):
            other = int(self.homes[link.second if link.first == party else link.first])
            if other == UNPLACED:
                if link.both_or_neither:
                    total[:] = BLOCKED
                continue
            there = np.array([other])
            costs = self.problem.link_matrix(link, offers, there) if link.first == party else self.problem.link_matrix(link, there, offers)
            total = np.where((total >= BLOCKED) | (costs.ravel() >= BLOCKED), BLOCKED, total + costs.ravel())
        return total

    def next_best(self, parties: Ints) -> tuple[Ints, Ints]:
        """The next best offers of placed parties, and what each would add: (offers, added costs), shape (len(parties), MOST).

        Offers are -1 where there are no more; the cheapest come first, equal ones in their order.
        """
        homes = self.homes[parties]
        here = arc_costs(self.problem, parties, homes, [self.plan.rooms[q] for q in parties.tolist()]).sum(axis=1)
        linked = np.isin(parties, list(self.links_of))
        for i in np.flatnonzero(linked).tolist():
            here[i] += self.link_costs(int(parties[i]), homes[i : i + 1])[0]
        find = self._by_blocks if len(parties) * len(self.free) < COMPILED_FROM else self._compiled
        offers, costs = find(parties, linked)
        offers[here >= BLOCKED] = -1
        return offers, np.where(offers >= 0, costs - here[:, None], 0)

    def _by_blocks(self, parties: Ints, linked: Bools) -> tuple[Ints, Ints]:
        offers, costs = _nothing(len(parties))
        step = max(1, CELLS // (8 * max(1, len(self.free))))
        for low in range(0, len(parties), step):
            block = parties[low : low + step]
            values = self.problem.base_cost(block, self.free).sum(axis=2)
            values[~self.problem.eligible(block, self.free)] = BLOCKED
            for i in np.flatnonzero(linked[low : low + step]).tolist():
                values[i] += self.link_costs(int(block[i]), self.free)
            own = np.flatnonzero(~self._plain[self.free])
            at, j = np.nonzero(values[:, own] < BLOCKED)
            values[at, own[j]] += self.spare(block[at], self.free[own[j]])
            for i, q in enumerate(block.tolist()):
                values[i] += self._spare_by_claim(q)
                best = [k for k in np.argsort(values[i], kind="stable")[: MOST + 1].tolist() if self.free[k] != self.homes[q]][:MOST]
                costs[low + i, : len(best)] = values[i, best]
                offers[low + i, : len(best)] = np.where(values[i, best] < BLOCKED, self.free[best], -1)
        return offers, costs

    @cached_property
    def _openings(self) -> Openings:
        from matcher.openings import Openings  # loads compiled code

        free = np.zeros(self.problem.offers, dtype=np.bool_)
        free[self.free] = True
        return Openings(self.problem, self.left, free)

    def _compiled(self, parties: Ints, linked: Bools) -> tuple[Ints, Ints]:
        offers, costs = _nothing(len(parties))
        alone = np.flatnonzero(~linked)
        none = np.zeros((0, 0), dtype=np.int64)
        offers[alone], costs[alone] = self._openings.nearest(parties[alone], self.homes[parties[alone]], MOST, none)
        tied = np.flatnonzero(linked)
        step = max(1, CELLS // max(1, self.problem.offers))
        for low in range(0, len(tied), step):
            part = tied[low : low + step]
            extra = np.full((len(part), self.problem.offers), BLOCKED, dtype=np.int64)
            for i, q in enumerate(parties[part].tolist()):
                extra[i, self.free] = self.link_costs(q, self.free)
            offers[part], costs[part] = self._openings.nearest(parties[part], self.homes[parties[part]], MOST, extra)
        return offers, costs


def _nothing(count: int) -> tuple[Ints, Ints]:
    return np.full((count, MOST), -1, dtype=np.int64), np.zeros((count, MOST), dtype=np.int64)
