"""What else there was: the next best offers of every placed party, all else as it is."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matcher.problem import BLOCKED, UNPLACED, Problem
from matcher.result import Plan
from tests.afterwards.plain.evaluate import arc_cost, party_homes

MOST = 3


class Room:
    """What a plan leaves free, and what moving one party would cost."""

    def __init__(self, problem: Problem, plan: Plan) -> None:
        self.problem, self.plan = problem, plan
        self.homes = party_homes(problem, plan)
        self.persons = problem.party_persons()
        self.left: Counter[int] = Counter({r: resource.capacity for r, resource in enumerate(problem.resources)})
        for q, home in enumerate(self.homes):
            if home != UNPLACED:
                for r, amount in problem.use(q, home, plan.rooms[q]):
                    self.left[r] -= amount

    def fits(self, party: int, offer: int, rooms: tuple[int, ...]) -> bool:
        """Would the party fit there, its own place given back?"""
        own: Counter[int] = Counter()
        if self.homes[party] == offer:
            own.update(dict(self.problem.use(party, offer, self.plan.rooms[party])))
        return all(amount <= self.left[r] + own[r] for r, amount in self.problem.use(party, offer, rooms))

    def link_cost(self, party: int, offer: int) -> int | None:
        """Cost of the party's links with everybody else where they are; None if one that binds would break."""
        total = 0
        for link in self.problem.links:
            if party not in (link.first, link.second):
                continue
            other = self.homes[link.second if link.first == party else link.first]
            if other == UNPLACED:
                if link.both_or_neither:
                    return None
                continue
            mine, theirs = np.array([offer]), np.array([other])
            ends = (mine, theirs) if link.first == party else (theirs, mine)
            cost = int(self.problem.link_matrix(link, *ends)[0, 0])
            if cost >= BLOCKED:
                return None
            total += 0 if link.binds else cost
        return total

    def cost_at(self, party: int, offer: int, rooms: tuple[int, ...]) -> int | None:
        """Cost of one arc with its links; None if links forbid it."""
        links = self.link_cost(party, offer)
        return None if links is None else int(arc_cost(self.problem, party, offer, rooms).sum()) + links

    def open_to(self, party: int) -> list[tuple[int, int]]:
        """(cost, offer) of every offer where the party would fit as things are, best room set each, cheapest first."""
        every = np.arange(self.problem.offers)
        found = []
        for offer in np.flatnonzero(self.problem.eligible(np.array([party]), every)[0]):
            costs = [
                cost
                for rooms in self.problem.choices(int(self.persons[party]), int(self.problem.room_need[party]), int(offer))
                if self.fits(party, int(offer), rooms) and (cost := self.cost_at(party, int(offer), rooms)) is not None
            ]
            if costs:
                found.append((min(costs), int(offer)))
        return sorted(found)

    def next_best(self, party: int) -> list[tuple[int, int]]:
        """(added cost, offer) of the next best offers of a placed party."""
        home = self.homes[party]
        here = self.cost_at(party, home, self.plan.rooms[party])
        if here is None:
            return []
        return [(cost - here, offer) for cost, offer in self.open_to(party) if offer != home][:MOST]
