"""Why a household has no place: the first reason code of FORMAT.md that holds, and the funnel of rules behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matcher.alternatives import Room
from matcher.answers import Funnel
from matcher.compile import Compiled
from matcher.evaluate import arc_costs, arcs_allowed, can_hold, cheapest_arcs
from matcher.i18n import Translator
from matcher.layers import Bools, Ints, Layer, Table
from matcher.parts import Parties
from matcher.problem import UNPLACED, Problem
from matcher.result import Plan
from matcher.wording.explanations import why_not

Bits = NDArray[np.uint64]
"""A bit for each offer."""


def funnel(compiled: Compiled, household_id: str) -> Funnel:
    """The funnel of a household that is free or fixed."""
    position = compiled.positions[household_id]
    return next(funnels(compiled.problem, [position]))[1].funnel


@dataclass(frozen=True)
class Sieved:
    """What the rules leave of a household's offers. before_ties: how many its rules other than ties leave. left: which are left."""

    funnel: Funnel
    before_ties: int
    left: Bits

    @property
    def own(self) -> str | None:
        """no_eligible or tie, by the household's own rules and its own ties."""
        return "no_eligible" if not self.before_ties else None if self.funnel.left else "tie"


def funnels(problem: Problem, households: Sequence[int]) -> Iterator[tuple[int, Sieved]]:
    """(household, what its rules leave it) of each of them, in an order of their own: such with equal rows together.

    Rules come in MODEL.md's order, ties last. What the first rules leave is kept for the next household that shares them.
    """
    chosen = np.asarray(households, dtype=np.int64)
    rows = np.array([layer.row[chosen] for layer in problem.rules], dtype=np.int64).reshape(len(problem.rules), len(chosen))
    order = np.lexsort(rows[::-1]) if len(rows) else np.arange(len(chosen))
    sieves = [_Sieve(layer, problem.offers) for layer in problem.rules]
    sieved: list[tuple[Bits, int]] = [(_pack(np.ones(problem.offers, dtype=np.bool_)), problem.offers)]
    before: list[int] = []
    known: Sieved | None = None
    for i, key in zip(order.tolist(), rows[:, order].T.tolist(), strict=True):
        shared = next((t for t, (row, last) in enumerate(zip(key, before, strict=False)) if row != last), len(before))
        if known is None or key != before:
            del sieved[shared + 1 :]
            for sieve, row in zip(sieves[shared:], key[shared:], strict=True):
                sieved.append(sieve.of(row, *sieved[-1]))
            before = key
            known = _sieved(problem, sieves, key, sieved)
        yield int(chosen[i]), known


def _sieved(problem: Problem, sieves: Sequence[_Sieve], key: Sequence[int], sieved: Sequence[tuple[Bits, int]]) -> Sieved:
    struck: dict[str, int] = {}
    before_ties = problem.offers
    for layer, (_, before), (_, after) in zip(problem.rules, sieved, sieved[1:], strict=False):
        if before > after:
            struck[layer.name] = struck.get(layer.name, 0) + before - after
        if layer.name != "tie":
            before_ties = after
    left, count = sieved[-1]
    return Sieved(Funnel(problem.offers, tuple(struck.items()), count, _opens(sieves, key, sieved[0][0])), before_ties, left)


def _opens(sieves: Sequence[_Sieve], key: Sequence[int], every: Bits) -> tuple[tuple[str, int], ...]:
    """How many offers fail each rule and no other, most first, equal ones in MODEL.md's order."""
    fails: dict[str, Bits] = {}
    for sieve, row in zip(sieves, key, strict=True):
        holds = sieve.holds(row)
        if holds is not None:
            name = sieve.layer.name
            fails[name] = (every & ~holds) | fails[name] if name in fails else every & ~holds
    once, twice = np.zeros_like(every), np.zeros_like(every)
    for failed in fails.values():
        twice |= once & failed
        once |= failed
    alone = [(name, int(np.bitwise_count(failed & ~twice).sum())) for name, failed in fails.items()]
    return tuple(sorted(((name, count) for name, count in alone if count), key=lambda item: -item[1]))


class _Sieve:
    """One rule as sets of offers, a bit for each."""

    def __init__(self, layer: Layer, offers: int) -> None:
        self.layer, self.offers = layer, offers
        if isinstance(layer, Table):
            self.lets_all = np.asarray((layer.value > 0).all(axis=1))
        self.last: tuple[int, Bits] | None = None

    def of(self, row: int, left: Bits, count: int) -> tuple[Bits, int]:
        """What the rule leaves of these offers to households of one row, and how many."""
        holds = self.holds(row)
        if holds is None:
            return left, count
        kept = left & holds
        return kept, int(np.bitwise_count(kept).sum())

    def holds(self, row: int) -> Bits | None:
        """The offers that hold the rule for households of one row; None: all of them."""
        if (isinstance(self.layer, Table) and self.lets_all[row]) or row < 0:
            return None
        if self.last is None or self.last[0] != row:
            self.last = row, _pack(self._holds(row))
        return self.last[1]

    def _holds(self, row: int) -> Bools:
        layer = self.layer
        if isinstance(layer, Table):
            return np.asarray((layer.value[row] > 0)[layer.column])
        out = np.full(self.offers, layer.default[row] > 0)
        span = slice(layer.start[row], layer.start[row + 1])
        out[layer.offers[span]] = layer.value[span] > 0
        return out


def _pack(holds: Bools) -> Bits:
    """Bits of the flags, in words of 64."""
    packed = np.packbits(holds)
    return np.concatenate([packed, np.zeros(-len(packed) % 8, dtype=np.uint8)]).view(np.uint64)


def _offers(left: Bits, offers: int) -> Ints:
    """Positions of the offers whose bits are set."""
    return np.flatnonzero(np.unpackbits(left.view(np.uint8), count=offers))


def _first(left: Bits) -> int:
    """Position of the first offer whose bit is set; there is one."""
    word = int(np.flatnonzero(left)[0])
    return 64 * word + int(np.unpackbits(left[word : word + 1].view(np.uint8)).argmax())


class Reasons:
    """Reasons of all unplaced free households of a plan."""

    def __init__(self, compiled: Compiled, plan: Plan, room: Room | None = None) -> None:
        self.compiled, self.problem, self.plan = compiled, compiled.problem, plan
        self.room = room or Room(compiled.problem, plan)
        held = Parties.of(self.problem.parties)
        self.party_of = np.empty(len(self.problem.persons), dtype=np.int64)
        self.party_of[held.member] = held.owner
        self.all_in_one = np.diff(held.start) == 1
        unplaced = np.flatnonzero(np.array(plan.home, dtype=np.int64) == UNPLACED)
        self.own: dict[int, str | None] = {}
        self.funnel: dict[int, Funnel] = {}
        self.left: dict[int, Bits] = {}  # of those whose party is tied to others, or has more than one household
        self.example = np.full(len(self.problem.parties), UNPLACED, dtype=np.int64)
        for h, sieved in funnels(self.problem, unplaced.tolist()):
            self.own[h], self.funnel[h] = sieved.own, sieved.funnel
            q = int(self.party_of[h])
            if sieved.own is None:
                self.example[q] = _first(sieved.left)
            if not self._alone(q):
                self.left[h] = sieved.left
        self.dear = self._dearer_everywhere()

    def reason(self, h: int) -> str:
        """Reason code of a free household (by position) that is not placed."""
        own = self.own[h]
        if own is not None:
            return own
        q = int(self.party_of[h])
        if self.problem.barred[q]:
            return "split_pair"
        group = self._bound_to(q)
        if any(self.own[m] is not None for p in group for m in self.problem.parties[p] if m != h):
            return "split_pair"
        if any(self.problem.barred[p] for p in group):
            return "split_pair"
        if not self._joint_places(group):
            return "tie"
        if q in self.dear:
            return "policy"
        if len(group) > 1 and self._fits_alone(q) and not all(self._fits_alone(p) for p in group):
            return "split_pair"
        return "no_capacity"

    def _bound_to(self, q: int) -> list[int]:
        group = [q]
        for p in group:
            for link in self.room.links_of.get(p, ()):
                if link.both_or_neither:
                    other = link.second if link.first == p else link.first
                    if other not in group:
                        group.append(other)
        return group

    def _alone(self, q: int) -> bool:
        """A party of one household without ties to others."""
        return bool(self.all_in_one[q]) and q not in self.room.links_of

    def _eligible(self, q: int) -> Ints:
        """Offers that a party which is not barred may go to; nobody of it has a place."""
        left = _offers(np.bitwise_and.reduce([self.left[h] for h in self.problem.parties[q]]), self.problem.offers)
        own = self.problem.party_cost.get(q)
        return left if own is None else left[own[left] >= 0]

    def _joint_places(self, group: list[int]) -> bool:
        """Has the party, and have any two bound parties of the group, a pair of offers that holds the ties between them?"""
        if len(group) == 1 and self._alone(group[0]):
            return True  # it has offers of its own, and there is nothing else to hold
        eligible = {p: self._eligible(p) for p in group}
        if any(len(offers) == 0 for offers in eligible.values()):
            return False
        return all(
            can_hold(self.problem, link, eligible[link.first], eligible[link.second])
            for p in group
            for link in self.room.links_of.get(p, ())
            if link.binds and link.first == p and link.second in eligible
        )

    def _dearer_everywhere(self) -> frozenset[int]:
        """Parties that cost more at any place than left out. By `strict` order that never is, unless leaving out costs
        nothing at all. Nearly always one offer, whichever, shows that it is not so."""
        problem = self.problem
        out = problem.unplaced_by_stage().sum(axis=1)
        if len(problem.stages) > 1:
            return frozenset(np.flatnonzero(out == 0).tolist())
        parties = np.flatnonzero((self.example != UNPLACED) & ~problem.barred)
        at = self.example[parties]
        rooms = self.room.cheapest_sets(parties, at)
        sure = arcs_allowed(problem, parties, at)
        sure &= arc_costs(problem, parties, at, rooms).sum(axis=1) <= out[parties]
        left = parties[~sure]
        return frozenset(left[cheapest_arcs(problem, left) > out[left]].tolist())

    def _fits_alone(self, q: int) -> bool:
        return self.room.fits_somewhere(q, self._eligible(q))

    def sentence(self, h: int, reason: str, t: Translator) -> str:
        """One sentence or two for a reader; names no other household."""
        return why_not(reason, self.funnel[h], t)
