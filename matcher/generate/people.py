"""Who looks for a place: households and their members."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from matcher.generate.tables import Cells, Flags, Ints, Rng, blank, cells, days, drawn, ids, numbers, only, some, word_lists
from matcher.generate.world import World

SIZE_SHARE = (0.30, 0.28, 0.20, 0.13, 0.06, 0.018, 0.007, 0.003, 0.002)
PRIORITY_SHARE = {"3": 0.62, "": 0.08, "1": 0.05, "2": 0.15, "4": 0.07, "5": 0.03}
LAST_ARRIVAL_DAY = 10
FIRST_LEAVING_DAY = 30


@dataclass(frozen=True)
class Members:
    """Persons, household by household; all columns have one entry a person."""

    household: Ints
    relation: Cells
    sex: Cells
    age: Ints


@dataclass(frozen=True)
class People:
    """Households as written, and what the other tables must know of them.

    plain: households that every ordinary shared offer suits, so that a pin or a standing placement breaks no rule.
    transit: position in the world's list of transit towns.
    """

    ids: Cells
    persons: Ints
    transit: Ints
    plain: Flags
    households: dict[str, Cells]
    members: dict[str, Cells]


def make_people(rng: Rng, world: World, count: int, date: dt.date) -> People:
    """Draw `count` households with their members."""
    persons = rng.choice(len(SIZE_SHARE), count, p=SIZE_SHARE) + 1
    members = _draw_members(rng, persons)
    name = ids("H", count)
    groups, older = _groups(rng, members, count)
    columns: dict[str, Cells] = {"household_id": name, "persons": numbers(persons)}
    transit = rng.choice(len(world.transit_cells), count, p=world.transit_share)
    columns |= _where(rng, world, transit)
    columns |= _means_and_dates(rng, count, date)
    columns |= _needs(rng, older, persons)
    groups["disability"] |= np.char.find(columns["needs"].astype(str), "step_free") >= 0
    columns["groups"] = word_lists(groups, count)
    columns |= _limits(rng, world, count)
    bare = ("needs", "pets", "max_rent", "max_km", "accepts", "avoids")
    plain = (columns["consent"] == "yes") & (persons <= 6)
    for column in bare:
        plain &= columns[column] == ""
    return People(name, persons, transit, plain, columns, _member_table(rng, members, name))


def _draw_members(rng: Rng, persons: Ints) -> Members:
    """A head of 18 or older in every household, then partners, children, parents, siblings, others."""
    count = len(persons)
    low, high = np.array([18, 35, 60, 80]), np.array([35, 60, 80, 93])
    band = np.where(persons >= 4, rng.choice(2, count, p=[0.35, 0.65]), rng.choice(4, count, p=[0.24, 0.42, 0.26, 0.08]))
    head_age = rng.integers(low[band], high[band])
    household = np.repeat(np.arange(count), persons)
    slot = np.arange(len(household)) - np.repeat(np.cumsum(persons) - persons, persons)
    total = len(household)
    relation = drawn(rng, {"child": 0.8, "parent": 0.1, "sibling": 0.07, "other": 0.03}, total)
    relation[(slot == 1) & some(rng, 0.55, total)] = "partner"
    relation[slot == 0] = "head"
    head = head_age[household]
    relation[(relation == "parent") & (head > 68)] = "sibling"
    age = head.copy()
    for word, values in {
        "partner": np.maximum(18, head + rng.integers(-6, 7, total)),
        "child": np.maximum(0, head - rng.integers(19, 41, total)),
        "parent": np.minimum(97, head + rng.integers(19, 31, total)),
        "sibling": np.maximum(16, head + rng.integers(-9, 10, total)),
        "other": rng.integers(18, 76, total),
    }.items():
        age = np.where(relation == word, values, age)
    head_sex = drawn(rng, {"f": 0.66, "m": 0.338, "x": 0.002}, count)[household]
    sex = drawn(rng, {"f": 0.52, "m": 0.478, "x": 0.002}, total)
    sex = np.where(relation == "head", head_sex, sex)
    sex = np.where(relation == "partner", np.where(head_sex == "f", "m", "f"), sex).astype(object)
    return Members(household, relation, sex, age)


def _groups(rng: Rng, members: Members, count: int) -> tuple[dict[str, Flags], Flags]:
    """Groups for the fairness report, and who is older (60 and above)."""

    def number_of(flag: Flags) -> Ints:
        return np.bincount(members.household[flag], minlength=count)

    adults = number_of(members.age >= 18)
    children = number_of(members.age < 18)
    older = number_of(members.age >= 60) > 0
    women = number_of((members.age >= 18) & (members.sex == "f"))
    return {
        "older_person": older,
        "single_parent": (adults == 1) & (children > 0),
        "large_family": children >= 3,
        "women": (women == adults) & (women > 0),
        "disability": some(rng, 0.03, count),
    }, older


def _member_table(rng: Rng, members: Members, household_ids: Cells) -> dict[str, Cells]:
    """members.csv for nine households of ten, for all of their persons; an age or a relation is now and then not known."""
    told = some(rng, 0.9, len(household_ids))[members.household]
    count = int(told.sum())
    relation, sex = members.relation[told], members.sex[told]
    return {
        "member_id": ids("M", count),
        "household_id": household_ids[members.household[told]],
        "relation": only(some(rng, 0.99, count) | (relation == "head"), relation),
        "sex": only(some(rng, 0.99, count), sex),
        "age": numbers(members.age[told]),
    }


def _where(rng: Rng, world: World, transit: Ints) -> dict[str, Cells]:
    """Where they are now (now and then by the coordinates of a railway station) and where they come from."""
    count = len(transit)
    at_station = some(rng, 0.04, count) & world.has_station[transit]
    origin = world.refs[rng.choice(len(world.refs), count, p=world.origin_share)]
    return {
        "place": world.transit_cells[transit],
        "lat": only(at_station, world.station_lat[transit]),
        "lon": only(at_station, world.station_lon[transit]),
        "origin": only(some(rng, 0.95, count), origin),
    }


def _means_and_dates(rng: Rng, count: int, date: dt.date) -> dict[str, Cells]:
    """Rent, urgency and dates. Every stay overlaps every other: all have come before the first one leaves."""
    rent = rng.integers(0, 21, count) * 50
    arrives = rng.choice([2, 5, LAST_ARRIVAL_DAY], count)
    leaves = rng.choice([FIRST_LEAVING_DAY, 60, 120, 200], count)
    return {
        "max_rent": only(some(rng, 0.1, count), numbers(rent)),
        "priority": drawn(rng, PRIORITY_SHARE, count),
        "waiting_since": only(some(rng, 0.8, count), days(date, -rng.integers(0, 200, count))),
        "arrives": only(some(rng, 0.1, count), days(date, arrives)),
        "leaves": only(some(rng, 0.04, count), days(date, leaves)),
    }


def _needs(rng: Rng, older: Flags, persons: Ints) -> dict[str, Cells]:
    """Needs, wants, animals, languages."""
    count = len(persons)
    family = persons >= 3
    needs = {
        "step_free": rng.random(count) < np.where(older, 0.135, 0.045),
        "ground_floor": rng.random(count) < np.where(older, 0.05, 0.005),
        "lift": some(rng, 0.01, count),
        "private_bathroom": some(rng, 0.015, count),
        "medical_care": rng.random(count) < np.where(older, 0.025, 0.005),
        "women_only": some(rng, 0.004, count) & (persons <= 2),
        "school": rng.random(count) < np.where(family, 0.06, 0.0),
    }
    wants = {
        "school": (rng.random(count) < np.where(family, 0.3, 0.0)) & ~needs["school"],
        "garden": some(rng, 0.07, count),
        "quiet": some(rng, 0.08, count),
        "kitchen": some(rng, 0.15, count),
    }
    pets = drawn(rng, {"": 0.85, "dog": 0.07, "cat": 0.066, "other": 0.008, "dog cat": 0.006}, count)
    spoken = drawn(rng, {"uk": 0.24, "uk ru": 0.66, "uk ru en": 0.05, "uk en": 0.02, "uk hu": 0.01, "uk pl": 0.02}, count)
    return {
        "needs": word_lists(needs, count),
        "wants": word_lists(wants, count),
        "pets": pets,
        "languages": only(some(rng, 0.85, count), spoken),
    }


def _limits(rng: Rng, world: World, count: int) -> dict[str, Cells]:
    """How far, in what kind of house, where not; return, protection, consent."""
    kinds = cells(["apartment house host_family", "apartment house", "apartment house dormitory hotel modular"])
    yes = blank(count)
    yes[:] = "yes"
    return {
        "max_km": only(some(rng, 0.06, count), numbers(rng.integers(4, 13, count) * 100)),
        "accepts": only(some(rng, 0.06, count), kinds[rng.choice(3, count, p=[0.4, 0.3, 0.3])]),
        "avoids": only(some(rng, 0.03, count), world.avoided[rng.integers(0, len(world.avoided), count)]),
        "wants_return": np.where(some(rng, 0.3, count), yes, only(some(rng, 0.5, count), drawn(rng, {"no": 1.0}, count))).astype(object),
        "protected": only(some(rng, 0.006, count), yes),
        "consent": drawn(rng, {"yes": 0.985, "no": 0.01, "": 0.005}, count),
    }
