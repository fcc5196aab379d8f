"""Who is kept where it is, who is left out, who is protected, and how many persons, rooms and nights each household needs."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np

from matcher.check.exact import Bools, Ints
from matcher.check.rooms import CHILD_SHARES_BELOW, SIBLING_SHARES_BELOW, rooms_needed
from matcher.check.tables import ById, column
from matcher.columns import codes
from matcher.model import Household, Instance, Standing, Tie

ADULT_AGE = 18
FOREVER = 1 << 40


def components(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Ids joined by pairs, each component sorted, components by their first id; pairs with other ids do not count."""
    boss = {i: i for i in ids}

    def find(i: str) -> str:
        while boss[i] != i:
            boss[i] = boss[boss[i]]
            i = boss[i]
        return i

    for one, other in pairs:
        if one in boss and other in boss:
            boss[find(other)] = find(one)
    together: dict[str, list[str]] = defaultdict(list)
    for i in sorted(boss):
        together[find(i)].append(i)
    return list(together.values())


def find_fixed(households: ById[Household], standing: ById[Standing]) -> dict[str, str]:
    """Facts: who has moved in, or was accepted and has not withdrawn consent → the accommodation, by id."""
    rows = standing.rows
    facts = zip(standing.ids, column(rows, "status"), column(rows, "accommodation_id"), strict=True)
    fixed = {
        i: a
        for i, status, a in facts
        if i in households and (status == "moved_in" or (status == "accepted" and households[i].consent != "no"))
    }
    return dict(sorted(fixed.items()))


def find_left_out(
    instance: Instance, households: ById[Household], fixed: Collection[str], pinned: Collection[str], held: frozenset[str]
) -> dict[str, str]:
    """Household → the first reason why it is not to be placed, by id."""
    code, consents = codes(instance.households, "consent")
    unwilling = np.array([consent != "yes" for consent in consents], dtype=bool)[code]
    childish = _without_adult(instance, households)
    doubtful = {households.ids[k] for k in np.flatnonzero(unwilling | childish)}
    doubtful |= {i for i in instance.left_out | held if i in households}
    reasons: dict[str, str] = {}
    for i in sorted(doubtful.difference(fixed)):
        k = households.position[i]
        if unwilling[k]:
            reasons[i] = "no_consent"
        elif i in instance.left_out:
            reasons[i] = "quarantined"
        elif childish[k] and i not in pinned:
            reasons[i] = "no_adult"
        elif i in held:
            reasons[i] = "held"
    return reasons


def _without_adult(instance: Instance, households: ById[Household]) -> Bools:
    """Whether members.csv has the household, and nobody in it who is known to be grown up."""
    code, ids = codes(instance.members, "household_id")
    age, ages = codes(instance.members, "age")
    adult = np.array([(years or 0) >= ADULT_AGE for years in ages], dtype=bool)[age]
    known = np.bincount(code[adult], minlength=len(ids)) == 0
    childish = np.zeros(len(households.ids), dtype=bool)
    for n in np.flatnonzero(known):
        if ids[n] in households:
            childish[households.position[ids[n]]] = True
    return childish


def find_protected(households: ById[Household], links: Iterable[Tie]) -> frozenset[str]:
    """Who is protected, or bound to who is."""
    pairs = [(t.household_id, t.other_household_id) for t in links if t.binds and t.kind != "apart" and t.other_household_id]
    code, values = codes(households.rows, "protected")
    own = {households.ids[k] for k in np.flatnonzero(np.array(values, dtype=bool)[code])}
    groups = components({i for pair in pairs for i in pair if i in households}, pairs)
    return frozenset(own.union(*(group for group in groups if not own.isdisjoint(group))))


def stays(instance: Instance, date: dt.date) -> tuple[Ints, Ints, Ints]:
    """Arrival and last day (ordinals, FOREVER where open-ended) of each household, and a number for each distinct stay."""
    code, dates = codes(instance.households, "arrives")
    arrivals = np.array([max(day or date, date).toordinal() for day in dates], dtype=np.int64)[code]
    code, dates = codes(instance.households, "leaves")
    leaves = np.array([FOREVER if day is None else day.toordinal() for day in dates], dtype=np.int64)[code]
    return arrivals, leaves, np.unique(arrivals * (FOREVER + 1) + leaves, return_inverse=True)[1].astype(np.int64)


def rooms_by_household(instance: Instance, households: ById[Household], room_rule: str) -> tuple[Ints, Ints]:
    """Persons of each household, and the rooms that it needs: 1, or more where they are counted by person."""
    code, sizes = codes(instance.households, "persons")
    persons = np.array(sizes, dtype=np.int64)[code]
    if room_rule != "separate":
        return persons, np.ones_like(persons)
    needed = persons.copy()  # who is not in members.csv needs a room a person
    known: dict[tuple[int, ...], int] = {}
    for i, rows in _alike(instance).items():
        if i in households:
            k = households.position[i]
            alike = (int(persons[k]), *sorted(kind for kind, _ in rows))
            if alike not in known:
                known[alike] = rooms_needed([instance.members[row] for _, row in rows], int(persons[k]))
            needed[k] = known[alike]
    return persons, needed


def _alike(instance: Instance) -> Mapping[str, list[tuple[int, int]]]:
    """Household → (a number for what matters of a member where rooms are counted, its row) of each member."""
    relation, _ = codes(instance.members, "relation")
    sex, sexes = codes(instance.members, "sex")
    age, ages = codes(instance.members, "age")
    steps = [0 if years is None else 1 + (years >= CHILD_SHARES_BELOW) + (years >= SIBLING_SHARES_BELOW) for years in ages]
    kind = (relation * len(sexes) + sex) * 4 + np.array(steps, dtype=np.int64)[age]
    rows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row, (i, number) in enumerate(zip(column(instance.members, "household_id"), kind.tolist(), strict=True)):
        rows[i].append((number, row))
    return rows
