"""What a person should know about a plan besides the plan: sentences, ids only, nobody's destination if protected."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matcher.compile import Compiled
from matcher.model import Notice
from matcher.problem import BLOCKED

OF_WHOLE_FILES = frozenset({"unknown_columns", "hxl_row"})


def plan_warnings(compiled: Compiled) -> tuple[str, ...]:
    """All warnings of a run, sorted within their kind: notices of reading and roles, then of the plan."""
    found = _notices([*compiled.instance.notices, *compiled.roles.notices])
    found += _broken_facts(compiled)
    found += _overfull(compiled)
    found += _stale_stays(compiled)
    found += _policy_warning(compiled)
    return tuple(dict.fromkeys(found))


def _notices(notices: list[Notice]) -> list[str]:
    """Notices as warnings. Those of single rows are counted: where a row stands must not change what a run writes."""
    of_rows = [notice for notice in notices if notice.line and notice.code not in OF_WHOLE_FILES]
    counts = Counter((notice.file, notice.code) for notice in of_rows)
    rows = [f"{file} {code}: {n} row{'' if n == 1 else 's'}, see `matcher validate`" for (file, code), n in sorted(counts.items())]
    whole = [f"{n.file} {n.code} {n.message}" for n in notices if not n.line or n.code in OF_WHOLE_FILES]
    return sorted(whole) + rows


def _broken_facts(compiled: Compiled) -> list[str]:
    """Fixed placements that break a rule today are kept, and said."""
    out = []
    for i, offer in enumerate(compiled.fixed_home):
        h = compiled.free + i
        household_id = compiled.households[h]
        at = np.array([h]), np.array([offer])
        codes = [layer.name for layer in compiled.problem.rules if layer.block(*at)[0, 0] <= 0]
        if codes:
            where = "where it is" if household_id in compiled.roles.protected else f"in {compiled.offers[offer]}"
            status = compiled.roles.fixed[household_id].status
            out.append(f"{household_id} is {status} {where} and stays, though it breaks: {', '.join(dict.fromkeys(codes))}")
    return out


def _overfull(compiled: Compiled) -> list[str]:
    """Offers that hold more persons by fixed placements alone than their capacity; not named if a protected one is there."""
    persons: dict[str, int] = {}
    secret: set[str] = set()
    for household_id, standing in compiled.roles.fixed.items():
        persons[standing.accommodation_id] = persons.get(standing.accommodation_id, 0) + compiled.household_of[household_id].persons
        if household_id in compiled.roles.protected:
            secret.add(standing.accommodation_id)
    out = []
    for accommodation_id, count in sorted(persons.items()):
        capacity = compiled.offer_of[accommodation_id].capacity
        if count > capacity and accommodation_id not in secret:
            out.append(f"{accommodation_id} holds {count} persons by accepted placements, its capacity is {capacity}; nobody is added")
    return out


def _stale_stays(compiled: Compiled) -> list[str]:
    out = []
    for household_id in compiled.households:
        leaves = compiled.household_of[household_id].leaves
        if leaves is not None and leaves <= compiled.roles.date:
            out.append(f"{household_id} left on {leaves.isoformat()} by its own row and needs no bed any more; check `leaves`")
    return out


def _policy_warning(compiled: Compiled) -> list[str]:
    """A weight that makes leaving a family out cheaper than placing it is nearly always a slip."""
    problem = compiled.problem
    if len(problem.stages) > 1:
        return []
    dear = 0
    every = np.arange(problem.offers)
    links = np.zeros(len(problem.parties), dtype=np.int64)
    for link in problem.links:
        if not link.binds:
            links[link.first] += link.cost(None)
            links[link.second] += link.cost(None)
    out = problem.unplaced_by_stage().sum(axis=1)
    for low in range(0, len(problem.parties), 256):
        block = np.arange(low, min(low + 256, len(problem.parties)))
        values = problem.priced(block, np.zeros(len(problem.resources), dtype=np.int64), np.ones(1, dtype=np.int64))
        real = values < BLOCKED
        dear += int((real & (values + links[block][:, None] > out[block][:, None])).any(axis=1).sum()) if len(every) else 0
    if not dear:
        return []
    return [f"by this policy {dear} households have offers that cost more than leaving them unplaced; check the weights"]
