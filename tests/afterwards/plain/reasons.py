"""Why a household has no place: the first reason code of FORMAT.md that holds, and the funnel of rules behind it."""

from __future__ import annotations

import numpy as np

from matcher.answers import Funnel
from matcher.compile import Compiled
from matcher.i18n import translator
from matcher.problem import BLOCKED, UNPLACED
from matcher.result import Plan
from matcher.wording.explanations import why_not
from tests.afterwards.plain.alternatives import Room


def funnel(compiled: Compiled, household_id: str) -> Funnel:
    """The funnel of a household that is free or fixed."""
    position = compiled.households.index(household_id)
    one, every = np.array([position]), np.arange(compiled.problem.offers)
    alive = np.ones(len(every), dtype=np.bool_)
    struck: dict[str, int] = {}
    for layer in compiled.problem.rules:
        holds = layer.block(one, every)[0] > 0
        fallen = int((alive & ~holds).sum())
        if fallen:
            struck[layer.name] = struck.get(layer.name, 0) + fallen
        alive &= holds
    fails: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}
    for layer in compiled.problem.rules:
        fails[layer.name] = fails.get(layer.name, False) | (layer.block(one, every)[0] <= 0)
    count = sum(failed.astype(int) for failed in fails.values())
    alone = {name: int((failed & (count == 1)).sum()) for name, failed in fails.items()}
    opens = sorted(((name, n) for name, n in alone.items() if n), key=lambda item: -item[1])
    return Funnel(len(every), tuple(struck.items()), int(alive.sum()), tuple(opens))


class Reasons:
    """Reasons of all unplaced free households of a plan."""

    def __init__(self, compiled: Compiled, plan: Plan) -> None:
        self.compiled, self.problem, self.plan = compiled, compiled.problem, plan
        self.room = Room(compiled.problem, plan)
        self.party_of = {h: q for q, party in enumerate(self.problem.parties) for h in party}
        self.every = np.arange(self.problem.offers)
        self.own = {h: self._own(h) for h in range(len(self.problem.persons)) if plan.home[h] == UNPLACED}

    def _own(self, h: int) -> str | None:
        """no_eligible or tie, by the household's own rules and its own ties."""
        one = np.array([h])
        ruled = np.ones(len(self.every), dtype=np.bool_)
        tied = np.ones(len(self.every), dtype=np.bool_)
        for layer in self.problem.rules:
            holds = layer.block(one, self.every)[0] > 0
            if layer.name == "tie":
                tied &= holds
            else:
                ruled &= holds
        if not ruled.any():
            return "no_eligible"
        return None if (ruled & tied).any() else "tie"

    def reason(self, h: int) -> str:
        """Reason code of a free household (by position) that is not placed."""
        own = self.own[h]
        if own is not None:
            return own
        q = self.party_of[h]
        if self.problem.barred[q]:
            return "split_pair"
        group = self._bound_to(q)
        if any(self.own[m] is not None for p in group for m in self.problem.parties[p] if m != h):
            return "split_pair"
        if any(self.problem.barred[p] for p in group):
            return "split_pair"
        if not self._joint_places(group):
            return "tie"
        if self._dearer_everywhere(q):
            return "policy"
        if len(group) > 1 and self._fits_alone(q) and not all(self._fits_alone(p) for p in group):
            return "split_pair"
        return "no_capacity"

    def _bound_to(self, q: int) -> list[int]:
        group = [q]
        for p in group:
            for link in self.problem.links:
                if link.both_or_neither and p in (link.first, link.second):
                    other = link.second if link.first == p else link.first
                    if other not in group:
                        group.append(other)
        return group

    def _joint_places(self, group: list[int]) -> bool:
        """Has the party, and have any two bound parties of the group, a pair of offers that holds the ties between them?"""
        eligible = {p: np.flatnonzero(self.problem.eligible(np.array([p]), self.every)[0]) for p in group}
        if any(len(offers) == 0 for offers in eligible.values()):
            return False
        for link in self.problem.links:
            if link.binds and link.first in eligible and link.second in eligible:
                matrix = self.problem.link_matrix(link, eligible[link.first], eligible[link.second])
                if (matrix >= BLOCKED).all():
                    return False
        return True

    def _dearer_everywhere(self, q: int) -> bool:
        """By `strict` order a place never costs more than none, unless leaving out costs nothing at all."""
        if len(self.problem.stages) > 1:
            return sum(self.problem.unplaced_by_stage_of(q)) == 0
        values, _ = self.problem.best(np.zeros(len(self.problem.resources), dtype=np.int64), self._ones(), [q])
        return int(values[0]) > sum(self.problem.unplaced_by_stage_of(q))

    def _ones(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.ones(len(self.problem.stages), dtype=np.int64)

    def _fits_alone(self, q: int) -> bool:
        """Would the party fit somewhere as things are, its ties to other households apart?"""
        for offer in np.flatnonzero(self.problem.eligible(np.array([q]), self.every)[0]):
            persons, need = int(self.room.persons[q]), int(self.problem.room_need[q])
            if any(self.room.fits(q, int(offer), rooms) for rooms in self.problem.choices(persons, need, int(offer))):
                return True
        return False

    def sentence(self, h: int, reason: str) -> str:
        """One sentence or two for a reader; names no other household."""
        return why_not(reason, funnel(self.compiled, self.compiled.households[h]), translator("en"))
