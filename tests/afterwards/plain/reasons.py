"""Why a household has no place: the first reason code of FORMAT.md that holds, and the funnel of rules behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from matcher.compile import Compiled
from matcher.problem import BLOCKED, UNPLACED
from matcher.result import Plan
from tests.afterwards.plain.alternatives import Room

RULE_WORDS: Mapping[str, tuple[str, str]] = {  # said of one offer, of several
    "status": ("is not open", "are not open"),
    "vetted": ("is a host family that is not vetted", "are host families that are not vetted"),
    "size": ("does not suit its number of persons", "do not suit its number of persons"),
    "rent": ("costs more than it can pay, or its cost is not known", "cost more than it can pay, or their cost is not known"),
    "risk": ("is in a place rated too dangerous", "are in places rated too dangerous"),
    "needs": ("lacks something it needs", "lack something it needs"),
    "pets": ("does not take its pets", "do not take its pets"),
    "language": ("is a host family that speaks none of its languages", "are host families that speak none of its languages"),
    "kind": ("is of a kind it does not accept", "are of kinds it does not accept"),
    "groups": ("is kept for other groups", "are kept for other groups"),
    "area": ("is in an oblast it avoids, or in an unknown one", "are in oblasts it avoids, or in unknown ones"),
    "dates": ("is not available for its dates", "are not available for its dates"),
    "distance": ("is too far away or cut off", "are too far away or cut off"),
    "rooms": ("has no rooms that can hold it", "have no rooms that can hold it"),
    "override": ("is ruled out by a decision", "are ruled out by a decision"),
    "tie": ("does not keep its required ties", "do not keep its required ties"),
}
LEFT_OUT_WORDS: Mapping[str, str] = {
    "no_consent": "It has not consented to be matched.",
    "quarantined": "A row that names it is faulty and was set aside; mend the row and run again.",
    "no_adult": "Nobody of 18 or older is known in it; a person has to decide where it goes.",
    "held": "It is on hold by a decision in overrides.csv.",
}


@dataclass(frozen=True)
class Funnel:
    """How many offers each rule strikes out, each offer at its first rule in MODEL.md's order."""

    offers: int
    struck: tuple[tuple[str, int], ...]
    left: int

    def sentence(self) -> str:
        """In words."""
        if not self.offers:
            return "There are no offers."
        parts = [f"{count} {RULE_WORDS[code][count > 1]} ({code})" for code, count in self.struck]
        every = "1 offer" if self.offers == 1 else f"{self.offers} offers"
        return f"Of {every}, " + (", ".join(parts) + f"; {self.left} left." if parts else f"{self.left} left.")


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
    return Funnel(len(every), tuple(struck.items()), int(alive.sum()))


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
        household_id = self.compiled.households[h]
        seen = funnel(self.compiled, household_id)
        if reason == "no_eligible":
            return seen.sentence()
        if reason == "tie":
            return f"{seen.sentence()} None of the offers that would suit it keeps its required ties."
        if reason == "split_pair":
            return "It must be placed together with another household, which could not be placed or is left out."
        if reason == "policy":
            return "By this policy every place it could have would cost more than leaving it unplaced; check the weights."
        full = "as the plan stands each is full or kept from it by a tie, for households that the policy puts first"
        return f"{seen.left} of {seen.offers} offers would suit it; {full}."
