"""Fairness: who got what, what floors cost everybody, and who might ask why somebody less urgent is where it would have fitted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np

from matcher.advise.trial import Budget, Night, solved
from matcher.alternatives import Room
from matcher.answers import Envy, Fairness, Share
from matcher.changes import SetPolicy, apply
from matcher.compile import Compiled, compile_instance
from matcher.doors import NUMBER, takes
from matcher.model import Household
from matcher.others import Ways
from matcher.placed import Placements
from matcher.problem import UNPLACED
from matcher.result import LEFT_OUT_REASONS, PlacementRow, Result
from matcher.rows import open_homes
from matcher.tied import tie_states
from matcher.worth import FloorPrice

UNITS = 40.0


@takes(result=Result, effort=NUMBER)
def fairness(result: Result, effort: float = 1.0) -> Fairness:
    """All of it for a result. effort: of solving again without each floor; 0: the prices of floors are left out.

    Raises UsageError for a result of a bare problem.
    """
    night = Night(result)
    people = _people(night)
    return Fairness(
        groups=_shares(people, lambda one: sorted(one.household.groups)),
        priorities=_shares(people, lambda one: [str(one.household.priority)]),
        sizes=_shares(people, lambda one: [str(one.household.persons) if one.household.persons < 6 else "6+"]),
        origins=_shares(people, lambda one: [_oblast(one.household)]),
        floors=floor_prices(night, Budget(UNITS * effort)),
        envy=envy(night),
    )


@dataclass
class _Person:
    """A household that could be placed, and what became of it."""

    household: Household
    row: PlacementRow | None
    ties: list[bool] = field(default_factory=list)


def _people(night: Night) -> list[_Person]:
    """Everybody but those who are left out, with the ties that could be kept; protected ones without theirs."""
    result, compiled = night.result, night.compiled
    rows = {row.household_id: row for row in result.placements}
    out = {row.household_id for row in result.unplaced if row.reason in LEFT_OUT_REASONS}
    found = {h.household_id: _Person(h, rows.get(h.household_id)) for h in night.instance.households if h.household_id not in out}
    home = open_homes(Placements.of(result.placements), compiled.household_of, compiled.offer_of)
    states = tie_states(night.instance, compiled.household_of, compiled.offer_of, compiled.travel, home)
    for i in np.flatnonzero(states.known).tolist():
        owner = compiled.household_of.ids[int(states.owner[i])]
        if owner in found:
            found[owner].ties.append(bool(states.kept[i]))
    return list(found.values())


def _oblast(household: Household) -> str:
    spot = household.origin or household.spot
    return spot.adm1 or "unknown"


def _shares(people: Iterable[_Person], keys: Callable[[_Person], Iterable[str]]) -> tuple[Share, ...]:
    groups: dict[str, list[_Person]] = defaultdict(list)
    for one in people:
        for key in keys(one):
            groups[key].append(one)
    return tuple(_share(key, groups[key]) for key in sorted(groups))


def _share(key: str, people: list[_Person]) -> Share:
    placed = [one for one in people if one.row is not None]
    told = [one for one in placed if one.row is not None and not one.row.protected]
    persons = sum(one.household.persons for one in told)
    travelled = sum(one.row.km10 * one.row.persons for one in told if one.row is not None)
    ties = [kept for one in told for kept in one.ties]
    return Share(
        key=key,
        households=len(people),
        persons=sum(one.household.persons for one in people),
        households_placed=len(placed),
        persons_placed=sum(one.household.persons for one in placed),
        km10_per_person=(2 * travelled + persons) // (2 * persons) if persons else None,
        ties_kept=sum(ties),
        ties=len(ties),
    )


def floor_prices(night: Night, budget: Budget) -> tuple[FloorPrice, ...]:
    """What each floor costs everybody: the plan against the one without that floor."""
    out = []
    shares: Mapping[str, Decimal] = night.policy.floors.share
    for floor in night.compiled.problem.floors:
        free = np.array(night.plan.home, dtype=np.int64)[floor.households] != UNPLACED
        placed = floor.fixed + int(night.compiled.problem.persons[floor.households][free].sum())
        price = FloorPrice(floor.group, floor.wanted, placed)
        without = {group: str(share) for group, share in shares.items() if group != floor.group}
        instance, policy = apply(night.instance, night.policy, [SetPolicy("floors.share", without)])
        compiled = compile_instance(instance, policy, night.date, night.options.seed)
        if budget.take(compiled) and (found := solved(compiled, night.options)) is not None:
            more = _routing(night.compiled, night.plan.home, night.cost) - _routing(compiled, found.plan.home, found.cost)
            persons = _placed(compiled, found.plan.home) - _placed(night.compiled, night.plan.home)
            price = replace(price, persons=persons, cost=more, proved=found.proved)
        out.append(price)
    return tuple(out)


def _placed(compiled: Compiled, home: tuple[int, ...]) -> int:
    return int(compiled.problem.persons[np.array(home, dtype=np.int64) != UNPLACED].sum())


def _routing(compiled: Compiled, home: tuple[int, ...], cost: int) -> int:
    """The cost of a plan but for the unplaced and the floors."""
    at, problem = np.array(home, dtype=np.int64), compiled.problem
    cost -= int(problem.unplaced_cost[at == UNPLACED].sum())
    for floor in problem.floors:
        there = at[floor.households] != UNPLACED
        cost -= floor.cost(max(0, floor.wanted - floor.fixed - int(problem.persons[floor.households][there].sum())))
    return cost


def envy(night: Night) -> Envy:
    """Households without a place that would have fitted where a less urgent one is, once each, by the weakest of what speaks against it."""
    compiled = night.compiled
    problem, roles = compiled.problem, compiled.roles
    ways = Ways(compiled, Room(problem, night.plan), night.result.placements)
    urgency = {h.household_id: h.priority for h in night.instance.households}
    every = np.arange(problem.offers)
    fixed, free = ({party[0]: party for party in parties} for parties in (roles.fixed_parties, roles.parties))
    tally = dict.fromkeys(("fixed", "pinned", "linked", "weighed"), 0)
    for q in np.flatnonzero((night.party_homes < 0) & ~problem.barred).tolist():
        own = min(urgency[compiled.households[h]] for h in problem.parties[q])
        causes = set()
        for a in np.flatnonzero(problem.eligible(np.array([q]), every)[0]).tolist():
            for tenant in ways.tenants.get(compiled.offers[a], ()):
                members = (fixed if tenant.party < 0 else free).get(tenant.first, (tenant.first,))
                if min(urgency[i] for i in members) <= own:
                    continue
                if tenant.party < 0:
                    if tenant.persons >= ways.room.persons[q]:
                        causes.add("fixed")
                elif ways.makes_room(q, tenant.party, a):
                    bound = {q, tenant.party} & ways.room.links_of.keys() or len(members) > 1 or len(problem.parties[q]) > 1
                    causes.add("pinned" if problem.must[tenant.party] else "linked" if bound else "weighed")
            if "weighed" in causes:
                break  # nothing is weaker
        strongest = next((c for c in ("weighed", "linked", "pinned", "fixed") if c in causes), None)
        if strongest is not None:
            tally[strongest] += len(problem.parties[q])
    return Envy(sum(tally.values()), **tally)
