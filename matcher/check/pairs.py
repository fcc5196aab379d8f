"""Every pair of a plan against every rule, asked once for each distinct pair of what a rule looks at."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from matcher.check.exact import Ints
from matcher.check.rules import COLUMNS, RULES, Rule, pair_at
from matcher.check.seats import Housed
from matcher.check.tables import over_pairs
from matcher.check.world import World


def check_rules(world: World, plan: Housed) -> list[str]:
    """Free households are placed where the rules allow it."""
    fixed = [plan.row_of[world.households.position[i]] for i in (*world.fixed, *world.left_out) if i in world.households]
    free = np.setdiff1d(np.arange(len(plan.who)), np.array(fixed, dtype=np.int64))
    broken: dict[int, list[str]] = defaultdict(list)
    for code, rule in RULES.items():
        for row in _broken(world, plan, free, code, rule):
            broken[row].append(code)
    faults: list[str] = []
    for row in sorted(broken):
        i, a = world.households.ids[plan.who[row]], world.offers.ids[plan.where[row]]
        faults += [f"[{code}] {i} may not be placed in {world.offer_name(i, a)}" for code in broken[row]]
    return faults


def _broken(world: World, plan: Housed, free: Ints, code: str, rule: Rule) -> list[int]:
    """Rows of the plan that break a rule."""
    who, where = plan.who[free], plan.where[free]
    if code in COLUMNS:
        guests, lodgings = world.guests.classes(*COLUMNS[code][0]), world.lodgings.classes(*COLUMNS[code][1])
        which, passes = over_pairs(guests, lodgings, who, where, lambda h, a: rule(pair_at(world, h, a)))
        found: list[int] = free[~np.array(passes, dtype=bool)[which]].tolist()
        return found
    some = {*world.pins, *world.forbids, *world.held} if code == "override" else _bound(world)
    rows = {int(plan.row_of[world.households.position[i]]) for i in some if i in world.households}.intersection(free.tolist())
    return [row for row in sorted(rows) if not rule(pair_at(world, int(plan.who[row]), int(plan.where[row])))]


def _bound(world: World) -> set[str]:
    """Households with a tie that may be required."""
    required = zip(world.own_ties.values_of("household_id"), world.own_ties.values_of("required"), strict=True)
    return {i for i, binds in required if binds}.union(i for i, rows in world.links_of.items() if any(row.binds for row in rows))
