"""What a plan costs and whether it holds, on a `Problem`'s positions: exact integers, used by strategies and by `solve`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matcher.layers import Bools, Ints, Table
from matcher.parts import Parties
from matcher.problem import BLOCKED, UNPLACED, Link, Problem
from matcher.result import Plan
from matcher.usage import Stock, homes_of, left_over, spread


def plan_of(problem: Problem, homes: list[int], rooms: list[tuple[int, ...]]) -> Plan:
    """A plan from each party's offer and room set."""
    home = [UNPLACED] * len(problem.persons)
    for party, offer in zip(problem.parties, homes, strict=True):
        for h in party:
            home[h] = offer
    return Plan(tuple(home), tuple(rooms))


CELLS = 1 << 14
COMPILED_FROM = 1_000_000
"""Pairs from which on compiled code is quicker, with the time it takes to be loaded."""


def arc_costs(problem: Problem, parties: Ints, offers: Ints, rooms: Sequence[tuple[int, ...]]) -> Ints:
    """Cost by stage of arcs, links to other parties apart. parties, offers, rooms: of each arc. Shape (arcs, S)."""
    out = np.zeros((len(parties), len(problem.stages)), dtype=np.int64)
    held = Parties.of(problem.parties)
    arc, at = spread(held.start, parties)
    member, where = held.member[at], offers[arc]
    for layer, stage in zip(problem.terms, problem.term_stage, strict=True):
        np.add.at(out[:, stage], arc, layer.pairs(member, where))
    for i in _concerned(problem, parties):
        out[i, problem.party_cost_stage] += max(0, int(problem.party_cost[int(parties[i])][offers[i]]))
    persons = problem.party_persons()
    for i, taken in enumerate(rooms):
        if taken:
            out[i, problem.spare_stage] += problem.spare(sum(taken) - int(persons[parties[i]]))
    return out


def _concerned(problem: Problem, parties: Ints) -> list[int]:
    """Positions among `parties` of those that have links within themselves."""
    return np.flatnonzero(np.isin(parties, list(problem.party_cost))).tolist() if problem.party_cost else []


def arcs_allowed(problem: Problem, parties: Ints, offers: Ints) -> Bools:
    """May each of the parties go to its offer (every rule of every member)?"""
    held = Parties.of(problem.parties)
    arc, at = spread(held.start, parties)
    member, where = held.member[at], offers[arc]
    out = ~problem.barred[parties]
    for layer in problem.rules:
        out[arc[layer.pairs(member, where) <= 0]] = False
    for i in _concerned(problem, parties):
        out[i] &= problem.party_cost[int(parties[i])][offers[i]] >= 0
    return out


def link_value(problem: Problem, link: Link, first: int, second: int) -> int:
    """Cost of a link with its parties at two offers; BLOCKED where it binds and is broken."""
    return int(problem.link_matrix(link, np.array([first]), np.array([second]))[0, 0])


def most_at_all(problem: Problem) -> Ints:
    """A cost that no arc of each party is above, summed over stages, links to other parties apart."""
    held = Parties.of(problem.parties)
    out = np.zeros(len(held), dtype=np.int64)
    for layer in problem.terms:
        if isinstance(layer, Table):
            most = layer.value.max(axis=1, initial=0).astype(np.int64)
            row = layer.row[held.member]
            np.add.at(out, held.owner, most[row])
        else:
            most = layer.default.copy()
            np.maximum.at(most, np.repeat(np.arange(len(most)), np.diff(layer.start)), layer.value)
            row = layer.row[held.member]
            np.add.at(out, held.owner, np.where(row >= 0, np.append(most, 0)[row], layer.neutral))
    for q, own in problem.party_cost.items():
        out[q] += max(0, int(own.max(initial=0)))
    beds = max((sum(sizes) for sizes in set(problem.sizes) if sizes is not None), default=0)
    return out + problem.spare(beds)


def cheapest_arcs(problem: Problem, parties: Ints) -> Ints:
    """Cost of the cheapest arc of each of the parties, in the one stage there is; above all costs where it has none."""
    if len(parties) * problem.offers >= COMPILED_FROM:
        from matcher.openings import cheapest  # loads compiled code

        return cheapest(problem)[parties]
    return problem.best(np.zeros(len(problem.resources), dtype=np.int64), np.ones(1, dtype=np.int64), parties.tolist())[0]


def dearer_somewhere(problem: Problem, parties: Ints, limit: Ints) -> list[int]:
    """Those of the parties that have an arc that costs more than their limit (by party), with its cheapest room set."""
    if len(parties) * problem.offers >= COMPILED_FROM:
        from matcher.openings import dearer  # loads compiled code

        return dearer(problem, parties, limit)
    found: list[int] = []
    for low in range(0, len(parties), 256):
        block = parties[low : low + 256]
        values = problem.priced(block, np.zeros(len(problem.resources), dtype=np.int64), np.ones(1, dtype=np.int64))
        found += block[((values < BLOCKED) & (values > limit[block][:, None])).any(axis=1)].tolist()
    return found


def can_hold(problem: Problem, link: Link, first: Ints, second: Ints) -> bool:
    """Is there a pair of these offers of its two parties that holds a link that binds?

    Ties see no more of an offer than its place, its site and itself, so that few pairs stand for all.
    """
    if link.kind == "same_accommodation":
        return bool(np.isin(first, second).any())
    if link.kind == "same_site":
        return bool(np.isin(problem.site[first], problem.site[second]).any())
    a, b = _telling(problem, first), _telling(problem, second)
    low, step = 0, max(1, CELLS // max(1, len(b)))
    while low < len(a):
        if (problem.link_matrix(link, a[low : low + step], b) < BLOCKED).any():
            return True
        low, step = low + step, 4 * step
    return False


def _telling(problem: Problem, offers: Ints) -> Ints:
    """Two of the offers at each place, on different sites where there are such: enough to be on another site than somebody."""
    place, site = problem.place[offers], problem.site[offers]
    low = np.full(len(problem.km10), np.iinfo(np.int64).max)
    high = np.full(len(problem.km10), -1)
    np.minimum.at(low, place, site)
    np.maximum.at(high, place, site)
    ends = np.flatnonzero((site == low[place]) | (site == high[place]))
    _, one = np.unique(np.stack([place[ends], site[ends]]), axis=1, return_index=True)
    return np.asarray(offers[ends[one]])


def cost_by_stage(problem: Problem, plan: Plan) -> list[int]:
    """Exact cost of a plan by stage: fixed placements, arcs, unplaced households, links and floors."""
    homes = homes_of(problem, plan)
    placed = np.flatnonzero(homes != UNPLACED)
    arcs = arc_costs(problem, placed, homes[placed], [plan.rooms[q] for q in placed.tolist()])
    out = problem.unplaced_by_stage()[homes == UNPLACED]
    total = [f + a + o for f, a, o in zip(problem.fixed_cost, arcs.sum(axis=0).tolist(), out.sum(axis=0).tolist(), strict=True)]
    for link in problem.links:
        a, b = int(homes[link.first]), int(homes[link.second])
        if not link.binds and UNPLACED not in (a, b):
            total[problem.party_cost_stage] += link_value(problem, link, a, b)
    for floor in problem.floors:
        total[problem.floor_stage] += floor.cost(missing(problem, plan, floor.wanted - floor.fixed, floor.households))
    return total


def missing(problem: Problem, plan: Plan, wanted: int, households: Ints) -> int:
    """Persons missing under a floor, of which `wanted` are to be found among the free `households`."""
    at = np.array(plan.home, dtype=np.int64)[households]
    return max(0, wanted - int(problem.persons[households][at != UNPLACED].sum()))


def broken(problem: Problem, plan: Plan) -> list[str]:
    """Every promise of the problem that the plan breaks, by position; empty if it is feasible."""
    homes = homes_of(problem, plan)
    faults = _split(problem, plan, homes)
    faults += [f"party {q} is pinned and not placed" for q in np.flatnonzero(problem.must & (homes == UNPLACED)).tolist()]
    placed = np.flatnonzero(homes != UNPLACED)
    allowed = arcs_allowed(problem, placed, homes[placed])
    faults += [f"party {q} is not eligible for offer {homes[q]}" for q in placed[~allowed].tolist()]
    faults += _wrong_rooms(problem, plan, placed.tolist(), homes[placed].tolist())
    stock = Stock.of(problem)
    left = left_over(problem, stock, plan, homes)
    for r in np.flatnonzero((left < 0) & (left < stock.capacity)).tolist():
        faults.append(f"resource {r} is used {stock.capacity[r] - left[r]} times, capacity {stock.capacity[r]}")
    for link in problem.links:
        a, b = int(homes[link.first]), int(homes[link.second])
        if link.both_or_neither and (a == UNPLACED) != (b == UNPLACED):
            faults.append(f"parties {link.first} and {link.second} must be placed both or neither")
        if link.binds and UNPLACED not in (a, b) and link_value(problem, link, a, b) >= BLOCKED:
            faults.append(f"parties {link.first} and {link.second} break a required tie")
    return faults


def _split(problem: Problem, plan: Plan, homes: Ints) -> list[str]:
    held = Parties.of(problem.parties)
    apart = np.array(plan.home, dtype=np.int64)[held.member] != homes[held.owner]
    return [f"party {q} is split" for q in np.unique(held.owner[apart]).tolist()]


def _wrong_rooms(problem: Problem, plan: Plan, parties: Sequence[int], offers: Sequence[int]) -> list[str]:
    """Parties that take other rooms than a choice that they have in their offer."""
    persons, faults = problem.party_persons(), []
    for q, offer in zip(parties, offers, strict=True):
        taken = plan.rooms[q]
        if problem.sizes[offer] is None and not taken:
            continue
        if taken not in problem.choices(int(persons[q]), int(problem.room_need[q]), offer):
            faults.append(f"party {q} takes rooms {taken} of offer {offer}")
    return faults
