"""Changes tried on a run: the changed instance is compiled and solved just as `solve` does it, and set beside the plan that stands."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from matcher.bounds import Bound, Prices, link_forest, prove
from matcher.changes import Change, apply
from matcher.compile import Compiled, compile_instance
from matcher.errors import UsageError
from matcher.evaluate import arc_costs, cost_by_stage
from matcher.layers import Ints
from matcher.lottery import settle_equals
from matcher.model import Instance
from matcher.parts import Parties
from matcher.policy import Policy, SolveOptions
from matcher.problem import BLOCKED, UNPLACED
from matcher.resolved import closed
from matcher.result import Certificate, Plan, Result
from matcher.rows import plan_of_rows
from matcher.strategies.base import WORK_PER_EFFORT, Limits, Silent
from matcher.strategies.registry import EXACT_UP_TO, choose
from matcher.usage import homes_of

SECONDS = 600.0
"""Safety net for one trial: the clock must not decide what is found."""
LIKE = 20
"""With so many more beds at most, an instance is so much like the one it was made from that its best plan lies as near to its bound."""
PAIRS_A_UNIT = 20_000
PAIRS_A_UNIT_ABOVE = 1_000


@dataclass(frozen=True)
class Tried:
    """The changed instance solved. homes: offer of each household that is free and placed. proved: no plan is better."""

    compiled: Compiled
    plan: Plan
    homes: Mapping[str, str]
    cost: int
    proved: bool


class Budget:
    """Work for trials, counted by the size of what is solved and not by the clock, so that the same is found everywhere."""

    def __init__(self, units: float) -> None:
        self.left = units

    def check(self, compiled: Compiled) -> None:
        """Raises OutOfBudget if there is not enough left for one trial."""
        if trial_units(compiled) > self.left:
            self.left = 0.0
            raise OutOfBudget

    def take(self, compiled: Compiled) -> bool:
        """Is there enough left for one trial? Then it is taken off."""
        cost = trial_units(compiled)
        if cost > self.left:
            self.left = 0.0
            return False
        self.left -= cost
        return True


class OutOfBudget(Exception):
    """There is not enough work left for one more trial."""


def too_large(result: Result, units: float) -> bool:
    """Would one trial be more than that much work? Told without compiling the instance, which takes a while where it is so large."""
    if result.instance is None:
        raise UsageError("only a result of an instance can be changed and solved again")
    parties = len(result.plan.rooms) or len(result.instance.households)
    return units_of(parties * len(result.instance.accommodations)) > units


def trial_units(compiled: Compiled) -> float:
    """What solving an instance of that size counts as."""
    return units_of(len(compiled.problem.parties) * compiled.problem.offers)


def units_of(pairs: int) -> float:
    """The same by its pairs of parties and offers."""
    return 1 + (pairs / PAIRS_A_UNIT if pairs <= EXACT_UP_TO else pairs / PAIRS_A_UNIT_ABOVE)


class Night:
    """A run that changes are tried on. Raises UsageError for a result of a bare problem."""

    def __init__(self, result: Result, compiled: Compiled | None = None) -> None:
        if result.instance is None or result.policy is None or result.options is None or result.options.date is None:
            raise UsageError("only a result of an instance can be changed and solved again")
        self.result = result
        self.instance: Instance = result.instance
        self.policy: Policy = result.policy
        self.options: SolveOptions = result.options
        self.date: dt.date = result.options.date
        self.compiled = compiled or compile_instance(self.instance, self.policy, self.date, self.options.seed)
        self.plan = result.plan if result.plan.home else plan_of_rows(self.compiled, result.placements)
        self.homes = homes_by_id(self.compiled, self.plan)
        self.party_homes = homes_of(self.compiled.problem, self.plan)
        self.cost = sum(cost_by_stage(self.compiled.problem, self.plan))

    @cached_property
    def here(self) -> Ints:
        """What each party costs where it is, links to others apart; 0 for those without a place."""
        problem, homes = self.compiled.problem, self.party_homes
        placed = np.flatnonzero(homes != UNPLACED)
        out = np.zeros(len(homes), dtype=np.int64)
        out[placed] = arc_costs(problem, placed, homes[placed], [self.plan.rooms[q] for q in placed.tolist()]).sum(axis=1)
        return out

    @cached_property
    def party_at(self) -> dict[str, int]:
        """The party of each free household."""
        held = Parties.of(self.compiled.problem.parties)
        return {self.compiled.households[h]: int(q) for h, q in zip(held.member.tolist(), held.owner.tolist(), strict=True)}

    def changed(self, changes: Sequence[Change]) -> Compiled:
        """The changed instance, compiled. Raises ContradictionError where decisions contradict each other then."""
        instance, policy = apply(self.instance, self.policy, changes)
        return compile_instance(instance, policy, self.date, self.options.seed)

    def solve(self, compiled: Compiled) -> Tried | None:
        """Solve a changed instance as `solve` would; None where there is no plan within the limits."""
        beds = sum(a.capacity for a in compiled.offer_of.values()) - sum(a.capacity for a in self.compiled.offer_of.values())
        return solved(compiled, self.options, self.ring if beds <= LIKE else 0)

    @cached_property
    def ring(self) -> int:
        """How far above what its prices prove a plan of a changed instance is looked for at once: a little farther than this one is."""
        certificate = self.result.certificate
        if certificate is None or len(certificate.stages) != 1:
            return 0
        return max(0, self.cost - certificate.stages[0].bound) * 5 // 4

    @cached_property
    def market(self) -> Market | None:
        """Prices of the run for weeding out what cannot help; None where they do not tell (strict order, no proof)."""
        certificate = self.result.certificate
        if certificate is None or len(self.compiled.problem.stages) != 1:
            return None
        if len(self.compiled.problem.parties) * self.compiled.problem.offers > EXACT_UP_TO:
            return None
        return Market(self.compiled, certificate, self.cost)


class Market:
    """The capacity prices of a run, and how far its plan is above what they prove."""

    def __init__(self, compiled: Compiled, certificate: Certificate, cost: int) -> None:
        problem, stage = compiled.problem, certificate.stages[0]
        self.scale, self.known = certificate.scale, stage.prices
        self.prices = self.mapped(compiled)
        floors = np.array([stage.floor_prices.get(f.group, 0) for f in problem.floors], dtype=np.int64)
        self.floors = floors
        self.names = tuple(compiled.resource_name(r) for r in range(len(problem.resources)))
        prices = Prices(self.scale, 0, self.prices, floors, (), ())
        bound = prove(problem, prices, link_forest(problem))
        self.gap = max(0, cost * self.scale - bound.scaled)
        values, _ = problem.best(self.prices, np.array([self.scale]))
        self.out = problem.unplaced_by_stage()[:, 0] * self.scale + self._floor_share(compiled)
        self.least = np.minimum(np.where(problem.must, BLOCKED, self.out), values)
        self.linked = {q for link in problem.links for q in (link.first, link.second)}

    def mapped(self, compiled: Compiled) -> Ints:
        """The prices of the resources of an instance, by their names; 0 for those that the run did not have."""
        out = np.zeros(len(compiled.problem.resources), dtype=np.int64)
        for r in range(len(out)):
            offer, resource, date = compiled.resource_name(r)
            out[r] = self.known.get(offer, {}).get(resource, {}).get(date, 0)
        return out

    def _floor_share(self, compiled: Compiled) -> Ints:
        extra = np.zeros(len(compiled.problem.persons), dtype=np.int64)
        for price, floor in zip(self.floors, compiled.problem.floors, strict=True):
            extra[floor.households] += int(price) * compiled.problem.persons[floor.households]
        return np.array([int(extra[list(party)].sum()) for party in compiled.problem.parties], dtype=np.int64)

    def bound(self, changed: Compiled) -> Bound:
        """What the prices prove of a changed instance."""
        zeros = np.zeros(len(changed.problem.floors), dtype=np.int64)
        floors = self.floors if len(self.floors) == len(zeros) else zeros
        return prove(changed.problem, Prices(self.scale, 0, self.mapped(changed), floors, (), ()), link_forest(changed.problem))

    def may_help(self, changed: Compiled, before: int, after: int) -> bool:
        """Can a plan of the changed instance that places this party cost no more than the plan that stands?

        before, after: the party's positions. Every plan with it in an offer costs at least L − (least value of the party at the
        prices) + (value of that arc); True where the prices do not tell. Only what the party may do has changed.
        """
        names = tuple(changed.resource_name(r) for r in range(len(changed.problem.resources)))
        if before in self.linked or names != self.names:
            return True
        value = changed.problem.priced(np.array([after]), self.prices, np.array([self.scale])).min(initial=BLOCKED)
        return bool(value < BLOCKED and int(value) - int(self.least[before]) <= self.gap)


def homes_by_id(compiled: Compiled, plan: Plan) -> dict[str, str]:
    """Offer of each free household that is placed."""
    ids, offers = compiled.households, compiled.offers
    return {ids[h]: offers[a] for h, a in enumerate(plan.home) if a != UNPLACED}


def solved(compiled: Compiled, options: SolveOptions, ring: int = 0) -> Tried | None:
    """Solve an instance with the options of a run; None where there is no plan within the limits. ring: as in `Limits`."""
    problem = compiled.problem
    chosen, _ = choose(options.strategy, problem)
    limits = Limits(WORK_PER_EFFORT * options.effort, time.monotonic() + SECONDS, options.gap, options.seed, ring=ring)
    outcome = chosen.solve(problem, limits, Silent())
    if outcome.plan is None:
        return None
    plan = settle_equals(problem, outcome.plan)
    cost = cost_by_stage(problem, plan)
    return Tried(compiled, plan, homes_by_id(compiled, plan), sum(cost), closed(problem, replace(outcome, plan=plan), cost))
