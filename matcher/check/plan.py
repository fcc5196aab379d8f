"""Whether a finished plan is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from matcher.check.account import Account, account
from matcher.check.capacity import check_capacity
from matcher.check.constraints import check_fixed, check_left_out, check_links, check_rooms
from matcher.check.pairs import check_rules
from matcher.check.reasons import check_unplaced_rows
from matcher.check.rows import check_placed_rows, check_roll_call
from matcher.check.seats import fixed_seats, housed, seat_all
from matcher.check.world import read_world
from matcher.doors import takes
from matcher.model import Instance
from matcher.policy import Policy
from matcher.result import TERMS, PlacementRow, UnplacedRow


@takes(instance=Instance, policy=Policy, date=dt.date, placed=Sequence, unplaced=Sequence, cost_terms=Mapping)
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
    plan = housed(world, placed)
    fixed = fixed_seats(world)
    seating, torn = seat_all(world, plan, fixed)
    costs = account(world, plan, seating)
    faults += check_unplaced_rows(world, unplaced)
    faults += check_placed_rows(world, plan, costs)
    faults += check_rules(world, plan)
    faults += check_fixed(world, plan, fixed)
    faults += check_left_out(world, plan)
    faults += torn
    faults += check_rooms(world, seating, plan)
    faults += check_links(world, plan)
    faults += check_capacity(world, seating)
    faults += check_total(costs, cost_terms)
    return faults


def check_total(costs: Account, cost_terms: Mapping[str, int]) -> list[str]:
    """The plan's cost by term is the sum of its rows, its unplaced households and its floors."""
    return [
        f"[cost_terms] {term} is {costs.term(term)} in all, not {cost_terms.get(term, 0)}"
        for term in (*TERMS, *sorted(cost_terms.keys() - set(TERMS)))
        if costs.term(term) != cost_terms.get(term, 0)
    ]
