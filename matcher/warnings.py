"""What a person should know about a plan besides the plan: sentences, ids only, nobody's destination if protected."""

from __future__ import annotations

from collections import Counter

import numpy as np

from matcher.columns import codes
from matcher.compile import Compiled
from matcher.evaluate import dearer_somewhere, most_at_all
from matcher.i18n import Translator, translator
from matcher.model import Notice

OF_WHOLE_FILES = frozenset({"unknown_columns", "hxl_row"})


def plan_warnings(compiled: Compiled, lang: str = "en") -> tuple[str, ...]:
    """All warnings of a run, sorted within their kind: notices of reading and roles, then of the plan."""
    t = translator(lang)
    found = _notices([*compiled.instance.notices, *compiled.roles.notices], t)
    found += _broken_facts(compiled, t)
    found += _overfull(compiled, t)
    found += _stale_stays(compiled, t)
    found += _policy_warning(compiled, t)
    return tuple(dict.fromkeys(found))


def _notices(notices: list[Notice], t: Translator) -> list[str]:
    """Notices as warnings. Those of single rows are counted: where a row stands must not change what a run writes."""
    of_rows = [notice for notice in notices if notice.line and notice.code not in OF_WHOLE_FILES]
    counts = Counter((notice.file, notice.code) for notice in of_rows)
    rows = [
        t.say_n(
            "{file} {code}: {n} row, see `matcher validate`", "{file} {code}: {n} rows, see `matcher validate`", n, file=file, code=code
        )
        for (file, code), n in sorted(counts.items())
    ]
    whole = [f"{n.file} {n.code} {_said(n, t)}" for n in notices if not n.line or n.code in OF_WHOLE_FILES]
    return sorted(whole) + rows


def _said(notice: Notice, t: Translator) -> str:
    return t.say(notice.template, **dict(notice.values)) if notice.template else notice.message


def _broken_facts(compiled: Compiled, t: Translator) -> list[str]:
    """Fixed placements that break a rule today are kept, and said."""
    households = compiled.free + np.arange(len(compiled.fixed_home))
    homes = np.array(compiled.fixed_home, dtype=np.int64)
    codes_of: dict[int, dict[str, None]] = {}
    for layer in compiled.problem.rules:
        for i in np.flatnonzero(layer.pairs(households, homes) <= 0).tolist():
            codes_of.setdefault(i, {})[layer.name] = None
    out = []
    for i, broken in sorted(codes_of.items()):
        household_id = compiled.households[compiled.free + i]
        told = {"id": household_id, "status": compiled.roles.fixed[household_id].status, "rules": ", ".join(broken)}
        if household_id in compiled.roles.protected:
            out.append(t.say("{id} is {status} where it is and stays, though it breaks: {rules}", **told))
        else:
            offer = compiled.offers[compiled.fixed_home[i]]
            out.append(t.say("{id} is {status} in {offer} and stays, though it breaks: {rules}", offer=offer, **told))
    return out


def _overfull(compiled: Compiled, t: Translator) -> list[str]:
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
            out.append(t.say(
                "{offer} holds {count} persons by accepted placements, its capacity is {capacity}; nobody is added",
                offer=accommodation_id, count=count, capacity=capacity,
            ))  # fmt: skip
    return out


def _stale_stays(compiled: Compiled, t: Translator) -> list[str]:
    code, days = codes(compiled.instance.households, "leaves")
    late = np.array([day is not None and day <= compiled.roles.date for day in days], dtype=np.bool_)[code]
    row = compiled.household_of.positions(compiled.households)
    return [
        t.say(
            "{id} left on {day} by its own row and needs no bed any more; check `leaves`",
            id=compiled.households[h],
            day=days[code[row[h]]].isoformat(),
        )
        for h in np.flatnonzero(late[row]).tolist()
    ]


def _policy_warning(compiled: Compiled, t: Translator) -> list[str]:
    """A weight that makes leaving a family out cheaper than placing it is nearly always a slip."""
    problem = compiled.problem
    if len(problem.stages) > 1 or not problem.offers:
        return []
    spare = problem.unplaced_by_stage().sum(axis=1)  # what a place may cost before it is dearer than none
    for link in problem.links:
        if not link.binds:
            spare[link.first] -= link.cost(None)
            spare[link.second] -= link.cost(None)
    dear = len(dearer_somewhere(problem, np.flatnonzero(most_at_all(problem) > spare), spare))
    if not dear:
        return []
    return [t.say("by this policy {dear} households have offers that cost more than leaving them unplaced; check the weights", dear=dear)]
