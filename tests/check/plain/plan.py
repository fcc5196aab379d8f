"""Whether a finished plan is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import TERMS, PlacementRow, UnplacedRow
from tests.check.plain.constraints import check_capacity, check_fixed, check_left_out, check_links, check_rooms, free_seats
from tests.check.plain.costs import Account, account
from tests.check.plain.rows import check_placed_row, check_roll_call, check_unplaced_row
from tests.check.plain.rules import Pair, broken_rules
from tests.check.plain.seats import fixed_seats
from tests.check.plain.world import read_world


def check_plan(
    instance: Instance,
    policy: Policy,
    date: dt.date,
    placed: Sequence[PlacementRow],
    unplaced: Sequence[UnplacedRow],
    cost_terms: Mapping[str, int],
) -> list[str]:
    """Check a plan against FORMAT.md and MODEL.md: rows, reasons, rules, constraints and every term of its cost.

    placed, unplaced: all rows, protected ones included. cost_terms: the plan's cost by term, in 1/10 person-km.
    Returns one sentence for each violation, its code in brackets first, naming ids only; an empty list is a right plan.
    Raises UsageError for a travel model that is not installed, InternalError for an instance that was never validated.
    """
    world = read_world(instance, policy, date)
    faults = check_roll_call(world, placed, unplaced)
    rows = {row.household_id: row for row in placed if row.household_id in world.households and row.accommodation_id in world.offers}
    where = {i: world.offers[row.accommodation_id] for i, row in rows.items()}
    fixed = fixed_seats(world)
    free, torn = free_seats(world, where, rows)
    costs = account(world, where, [*fixed, *free])
    for unplaced_row in unplaced:
        faults += check_unplaced_row(world, unplaced_row)
    for row in rows.values():
        faults += check_placed_row(world, row, where, costs)
    for i, party in world.party_of.items():
        if i in where:
            codes = broken_rules(Pair(world, party, world.households[i], where[i]))
            faults += [f"[{code}] {i} may not be placed in {world.offer_name(i, where[i].accommodation_id)}" for code in codes]
    faults += check_fixed(world, where, rows, fixed)
    faults += check_left_out(world, where)
    faults += torn
    faults += check_rooms(world, free, rows)
    faults += check_links(world, where)
    faults += check_capacity(world, fixed, free)
    faults += check_total(costs, cost_terms)
    return faults


def check_total(costs: Account, cost_terms: Mapping[str, int]) -> list[str]:
    """The plan's cost by term is the sum of its rows, its unplaced households and its floors."""
    return [
        f"[cost_terms] {term} is {costs.term(term)} in all, not {cost_terms.get(term, 0)}"
        for term in (*TERMS, *sorted(cost_terms.keys() - set(TERMS)))
        if costs.term(term) != cost_terms.get(term, 0)
    ]
