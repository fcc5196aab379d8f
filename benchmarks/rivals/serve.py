"""One party after the other takes the first offer of its list that still has room: greedy, and the repair of a flow."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from benchmarks.rivals.offered import OFFERS, Offered
from matcher.evaluate import plan_of
from matcher.layers import Bools, Ints
from matcher.pricing.kernels import jit, use_of
from matcher.pricing.uses import PERSONS, UNIT
from matcher.problem import ANY_DATE, BLOCKED, UNPLACED, Link
from matcher.result import Plan

LISTED, AGAIN = 40, 160
"""Offers on a party's list, and on the list of one that found nothing on the first."""
BATCH, BATCHES = 5000, 50
"""Parties that are served by one look at the offers: so many, or a part of all."""
FULL = 1e12
WIDEST = 4096
"""Rows that one arc can take at most."""
TRIES = 2000


class Serve:
    """Who has what so far. Nobody is ever moved again."""

    def __init__(self, offered: Offered) -> None:
        self.offered, self.problem = offered, offered.problem
        parties = len(self.problem.parties)
        self.left = self.problem.capacity.copy()
        self.home = np.full(parties, UNPLACED, dtype=np.int64)
        self.set = np.full(parties, -1, dtype=np.int64)
        self.scratch = np.empty(WIDEST, dtype=np.int64), np.empty(WIDEST, dtype=np.int64)
        self.links: dict[int, list[Link]] = defaultdict(list)
        for link in self.problem.links:
            if link.binds:
                self.links[link.first].append(link)
                self.links[link.second].append(link)

    def order(self) -> Ints:
        """Pinned ones first; then by the priority class (the power of two in what it costs to leave a person out); in a class the
        scarcest first (fewest offers open to them); then the largest; then by lottery."""
        problem = self.problem
        persons = np.maximum(1, problem.party_persons())
        urgency = np.floor(np.log2(np.maximum(1, problem.unplaced_by_stage().sum(axis=1) / persons)))
        rank = np.array([min(problem.lottery[h] for h in party) for party in problem.parties], dtype=np.int64)
        return np.lexsort((rank, -persons, self.offered.open_to(), -urgency, ~problem.must))

    def all(self, order: Ints) -> None:
        """Serve the parties in order, some at a time, each by a list of its cheapest offers that are not full by then; those who
        find nothing get one longer list."""
        step = max(BATCH, len(order) // BATCHES)
        for low in range(0, len(order), step):
            batch = order[low : low + step]
            for most in (LISTED, AGAIN):
                batch = batch[self.home[batch] == UNPLACED]
                if len(batch):
                    offers, _ = self.offered.nearest(most, batch, np.where(self.left > 0, 0.0, FULL))
                    self.serve(batch, offers)

    def serve(self, parties: Ints, offers: OFFERS) -> None:
        """Serve these parties by these lists, shape (len(parties), K); whole groups that are bound together at once."""
        low = 0
        at = {int(q): i for i, q in enumerate(parties)}
        for i, q in enumerate(parties.tolist()):
            if q in self.links:
                self._run(parties[low:i], offers[low:i])
                low = i + 1
                if self.home[q] == UNPLACED:
                    self._group(q, at, offers)
        self._run(parties[low:], offers[low:])

    def _run(self, parties: Ints, offers: OFFERS) -> None:
        if len(parties):
            _serve(self.offered.core, parties, offers, self.left, self.home, self.set)

    def _group(self, q: int, at: dict[int, int], offers: OFFERS) -> None:
        """All who must be placed with the party, by depth-first search with a limit; or nobody of them."""
        group = [q]
        for p in group:
            for link in self.links[p]:
                other = link.second if link.first == p else link.first
                if link.both_or_neither and other not in group:
                    group.append(other)
        absent = np.array([p for p in group if p not in at], dtype=np.int64)
        lists = {p: offers[at[p]] for p in group if p in at}
        if len(absent):
            lists |= dict(zip(absent.tolist(), self.offered.nearest(offers.shape[1], absent)[0], strict=True))
        self.tries = TRIES
        self._extend(group, 0, lists)

    def _extend(self, group: list[int], position: int, lists: dict[int, OFFERS]) -> bool:
        if position == len(group):
            return True
        q = group[position]
        offers = lists[q][lists[q] >= 0].astype(np.int64)
        offers = offers[_fitting(self.offered.core, q, offers, self.left, *self.scratch)]
        for a in offers[self._agrees(q, offers)].tolist():
            self.tries -= 1
            if self.tries < 0:
                return False
            _take(self.offered.core, q, a, self.left, self.home, self.set, *self.scratch)
            if self._extend(group, position + 1, lists):
                return True
            _leave(self.offered.core, q, self.left, self.home, self.set, *self.scratch)
        return False

    def _agrees(self, q: int, offers: Ints) -> Bools:
        """Which of the offers break no tie to those who have a place."""
        kept = np.ones(len(offers), dtype=np.bool_)
        for link in self.links[q]:
            other = self.home[link.second if link.first == q else link.first]
            if other != UNPLACED:
                there = np.array([other])
                cost = self.problem.link_matrix(link, *((offers, there) if link.first == q else (there, offers)))
                kept &= cost.ravel() < BLOCKED
        return kept

    def plan(self) -> Plan | None:
        """The plan as it stands; None if a pinned party is out."""
        if (self.problem.must & (self.home == UNPLACED)).any():
            return None
        uses = self.offered.core.uses
        rooms: list[tuple[int, ...]] = [()] * len(self.home)
        for q in np.flatnonzero(self.set >= 0).tolist():
            span = slice(uses.set_ptr[self.set[q]], uses.set_ptr[self.set[q] + 1])
            rooms[q] = tuple(np.repeat(uses.set_size[span], uses.set_count[span]).tolist())
        return plan_of(self.problem, self.home.tolist(), rooms)


@jit
def _serve(core, parties, offers, left, home, chosen):  # type: ignore[no-untyped-def]
    rows, amounts = np.empty(WIDEST, dtype=np.int64), np.empty(WIDEST, dtype=np.int64)
    row_start, offer_rows, kind, date, persons = _rows(core)
    for i in range(len(parties)):
        q = parties[i]
        if home[q] >= 0:
            continue
        for j in range(offers.shape[1]):
            a = np.int64(offers[i, j])
            if a < 0:
                break
            if _may_fit(row_start, offer_rows, kind, date, persons[q], a, left) and _take(core, q, a, left, home, chosen, rows, amounts):
                break


@jit
def _rows(core):  # type: ignore[no-untyped-def]
    uses = core.uses
    return uses.row_start, uses.offer_rows, uses.kind, uses.date, uses.party_persons


@jit
def _may_fit(row_start, offer_rows, kind, date, persons, a, left):  # type: ignore[no-untyped-def]
    """False if beds or the unit do not do, whatever the rooms: said without the many arrays that the whole answer takes."""
    for i in range(row_start[a], row_start[a + 1]):
        r = offer_rows[i]
        if date[r] == ANY_DATE and ((kind[r] == UNIT and left[r] < 1) or (kind[r] == PERSONS and left[r] < persons)):
            return False
    return True


@jit
def _fit(uses, q, a, left, rows, amounts):  # type: ignore[no-untyped-def]
    """The room set with the fewest empty beds that fits (-1: it fits, rooms are not counted); -2 if nothing fits."""
    low, high = -1, 0
    if uses.beds[a] >= 0:
        k = uses.beds[a] * uses.claims + uses.claim[q]
        low, high = uses.set_start[k], uses.set_start[k + 1]
    best = -2
    for s in range(low, high):
        if best > -2 and uses.set_spare[s] >= uses.set_spare[best]:
            continue
        fits = True
        for t in range(use_of(uses, q, a, s, rows, amounts)):
            if left[rows[t]] < amounts[t]:
                fits = False
                break
        if fits:
            best = s
    return best


@jit
def _fitting(core, q, offers, left, rows, amounts):  # type: ignore[no-untyped-def]
    fits = np.zeros(len(offers), dtype=np.bool_)
    row_start, offer_rows, kind, date, persons = _rows(core)
    for j in range(len(offers)):
        may = _may_fit(row_start, offer_rows, kind, date, persons[q], offers[j], left)
        fits[j] = may and _fit(core.uses, q, offers[j], left, rows, amounts) > -2
    return fits


@jit
def _take(core, q, a, left, home, chosen, rows, amounts):  # type: ignore[no-untyped-def]
    """Let the party have the offer; False if it does not fit."""
    best = _fit(core.uses, q, a, left, rows, amounts)
    if best == -2:
        return False
    for t in range(use_of(core.uses, q, a, best, rows, amounts)):
        left[rows[t]] -= amounts[t]
    home[q], chosen[q] = a, best
    return True


@jit
def _leave(core, q, left, home, chosen, rows, amounts):  # type: ignore[no-untyped-def]
    for t in range(use_of(core.uses, q, home[q], chosen[q], rows, amounts)):
        left[rows[t]] += amounts[t]
    home[q], chosen[q] = -1, -1
