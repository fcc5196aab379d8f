"""The plan when there is no search: who had a place keeps it where that still holds, everybody else takes the cheapest that is left.

No native code but numpy, no arcs written out: it must work on the night on which all else has failed, at any size.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from matcher.bounds import whole_prices
from matcher.evaluate import arcs_allowed, cost_by_stage, plan_of
from matcher.layers import Bools, Ints
from matcher.problem import BLOCKED, UNPLACED, Link, Problem
from matcher.result import Plan
from matcher.strategies.base import Outcome, StageEnd
from matcher.strategies.start import Start

TRIES = 2000
BLOCK = 128
Choice = tuple[int, tuple[int, ...]]
"""An offer and the room set taken there."""


def fallback_plan(problem: Problem, start: Start, end: float = np.inf) -> Plan | None:
    """First parties that are pinned, then those whose place of the earlier run still holds, then all others: the dearest to
    leave out a person first, each taking its cheapest offer that has room.

    Parties that must be placed both or neither go together. None if a pinned party finds nothing. end: on `time.monotonic()`, when nobody
    else is looked after.
    """
    return _Fill(problem, start).run(end)


class _Fill:
    def __init__(self, problem: Problem, start: Start) -> None:
        self.problem, self.start = problem, start
        self.persons = problem.party_persons()
        self.left = problem.capacity.copy()
        self.homes = [UNPLACED] * len(problem.parties)
        self.rooms: list[tuple[int, ...]] = [()] * len(problem.parties)
        self.links: dict[int, list[Link]] = defaultdict(list)
        for link in problem.links:
            if link.binds:
                self.links[link.first].append(link)
                self.links[link.second].append(link)
        self.kept = self._still_allowed()
        self.room = _Room(problem, self.left)

    def run(self, end: float) -> Plan | None:
        groups = self._groups()
        pinned = [group for group in groups if self.problem.must[group].any()]
        free = [group for group in groups if not self.problem.must[group].any()]
        for group in pinned:
            ranked = self._ranked(group)
            if not self._place(group, [_Choices(self._earlier(q), *ranked[q]) for q in group]):
                return None
        for group in free:
            if self.kept[group].all():
                self._place(group, [_Choices(self._earlier(q), NOTHING, ANY) for q in group])
        waiting = [group for group in free if any(self.homes[q] == UNPLACED for q in group)]
        for low in range(0, len(waiting), BLOCK):
            if time.monotonic() > end:
                break
            block = waiting[low : low + BLOCK]
            ranked = self._ranked([q for group in block for q in group])
            for group in block:
                self._place(group, [_Choices((), *ranked[q]) for q in group])
        return plan_of(self.problem, self.homes, self.rooms)

    def _still_allowed(self) -> Bools:
        """Parties that had a place which the rules still allow."""
        had = np.flatnonzero(self.start.offers != UNPLACED)
        out = np.zeros(len(self.problem.parties), dtype=np.bool_)
        out[had] = arcs_allowed(self.problem, had, self.start.offers[had])
        return out

    def _groups(self) -> list[list[int]]:
        """Parties with all that must be placed with them, the dearest to leave out first; of equal ones by lottery."""
        problem = self.problem
        out = problem.unplaced_by_stage().sum(axis=1)
        rank = [min(problem.lottery[h] for h in party) for party in problem.parties]
        queue = sorted(range(len(problem.parties)), key=lambda q: (-out[q] / self.persons[q], -self.persons[q], rank[q]))
        seen: set[int] = set()
        groups = []
        for q in queue:
            if q in seen:
                continue
            group = [q]
            for p in group:
                for link in self.links[p]:
                    other = link.second if link.first == p else link.first
                    if link.both_or_neither and other not in group:
                        group.append(other)
            seen |= set(group)
            groups.append(group)
        return groups

    def _earlier(self, q: int) -> tuple[Choice, ...]:
        """Where the party was, if it still may be there, with the rooms it had before others."""
        if not self.kept[q]:
            return ()
        a = int(self.start.offers[q])
        sets = self.problem.choices(int(self.persons[q]), int(self.problem.room_need[q]), a)
        return tuple((a, rooms) for rooms in sorted(sets, key=lambda rooms: (rooms != self.start.rooms[q], sum(rooms), rooms)))

    def _ranked(self, parties: Sequence[int]) -> dict[int, tuple[Ints, Bools]]:
        """Cost of every offer for each of the parties, and whether it may go there."""
        every, chosen = np.arange(self.problem.offers), np.array(parties, dtype=np.int64)
        cost, allowed = self.problem.base_cost(chosen, every).sum(axis=2), self.problem.eligible(chosen, every)
        return {q: (cost[i], allowed[i]) for i, q in enumerate(parties)}

    def _choices(self, q: int, among: _Choices) -> Iterator[Choice]:
        """First those it prefers, then offers that may have room now, the cheapest first; rooms with the fewest beds left over first."""
        yield from among.first
        if not len(among.cost):
            return
        persons, need = int(self.persons[q]), int(self.problem.room_need[q])
        offers = np.flatnonzero(among.allowed & self.room.may_hold(persons))
        for a in offers[np.argsort(among.cost[offers], kind="stable")].tolist():
            for rooms in sorted(self.problem.choices(persons, need, a), key=lambda rooms: (sum(rooms), rooms)):
                yield a, rooms

    def _place(self, group: list[int], choices: list[_Choices]) -> bool:
        """Place a whole group by depth-first search, a few steps deep at the most; or nobody of it."""
        self.tries = TRIES
        if self._extend(group, choices, 0):
            self.room.update(self.left, [self.homes[q] for q in group])
            return True
        for q in group:
            self.homes[q], self.rooms[q] = UNPLACED, ()
        return False

    def _extend(self, group: list[int], choices: list[_Choices], position: int) -> bool:
        if position == len(group):
            return True
        q = group[position]
        for a, rooms in self._choices(q, choices[position]):
            self.tries -= 1
            if self.tries < 0:
                return False
            use = self.problem.use(q, a, rooms)
            if any(self.left[r] < amount for r, amount in use) or not self._in_keeping(q, a):
                continue
            for r, amount in use:
                self.left[r] -= amount
            self.homes[q], self.rooms[q] = a, rooms
            if self._extend(group, choices, position + 1):
                return True
            for r, amount in use:
                self.left[r] += amount
            self.homes[q], self.rooms[q] = UNPLACED, ()
        return False

    def _in_keeping(self, q: int, offer: int) -> bool:
        """Do the party's binding links to those who are placed hold?"""
        for link in self.links[q]:
            other = self.homes[link.second if link.first == q else link.first]
            if other == UNPLACED:
                continue
            ends = (offer, other) if link.first == q else (other, offer)
            if self.problem.link_matrix(link, np.array([ends[0]]), np.array([ends[1]]))[0, 0] >= BLOCKED:
                return False
        return True


@dataclass(frozen=True)
class _Choices:
    """What a party may take: some choices first, then offers by cost. cost, allowed: by offer, or of length 0 for none."""

    first: tuple[Choice, ...]
    cost: Ints
    allowed: Bools


NOTHING: Ints = np.zeros(0, dtype=np.int64)
ANY: Bools = np.zeros(0, dtype=np.bool_)


class _Room:
    """The most persons that each offer may still take, counted generously: what it rules out has no room for sure."""

    def __init__(self, problem: Problem, left: Ints) -> None:
        self.problem = problem
        self.most = np.zeros(problem.offers, dtype=np.int64)
        self.update(left, range(problem.offers))

    def update(self, left: Ints, offers: Sequence[int] | range) -> None:
        """Count some offers again."""
        for a in offers:
            # Where beds are counted by date somebody who is there on other dates may still fit, so the date with the most counts.
            beds: dict[tuple[str, int], int] = {}
            for r in self.problem.resources_of[a]:
                resource = self.problem.resources[r]
                key = (resource.kind, resource.size if resource.kind == "rooms" else 0)
                beds[key] = max(beds.get(key, 0), int(left[r]))
            most = beds.get(("persons", 0), np.iinfo(np.int64).max)
            if self.problem.sizes[a] is not None:
                most = min(most, sum(size * count for (kind, size), count in beds.items() if kind == "rooms"))
            self.most[a] = most if beds.get(("unit", 0), 1) > 0 else 0

    def may_hold(self, persons: int) -> Bools:
        """Offers that so many persons may find room in."""
        fits: Bools = self.most >= (persons if self.problem.in_use is None else 0)
        return fits


def fallback(problem: Problem, start: Start, found: Outcome | None) -> Outcome | None:
    """What to publish where a search died or found nothing. found: what it left; None: nothing.

    None where what it found is better, or where a pinned party has no place. The bound is proved by the search's prices, else
    by those of the earlier run.
    """
    plan = fallback_plan(problem, start)
    if plan is None:
        return None
    if found is not None and found.plan is not None and cost_by_stage(problem, found.plan) <= cost_by_stage(problem, plan):
        return None
    stages, forest = (found.stages, found.forest) if found is not None else ((), ())
    if not stages and len(problem.stages) == 1:
        stages = (StageEnd(whole_prices(problem, start.prices, start.floors), 0, searched=False),)
    return Outcome(plan, stages, forest, found.work if found is not None else 0.0, found.cut_by if found is not None else "crash")
