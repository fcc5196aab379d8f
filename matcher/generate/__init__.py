"""Instances drawn by chance: as large as one likes, in the shape of real ones, the same bytes for the same arguments.

Shares and sizes are rough figures of evacuation work, not statistics of any place. Nobody in them is real.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np

from matcher.doors import NUMBER, PATH, WHOLE, takes
from matcher.errors import UsageError
from matcher.generate.bonds import make_fixed, make_ties
from matcher.generate.offers import make_offers
from matcher.generate.people import make_people
from matcher.generate.tables import Rng, write_table
from matcher.generate.world import make_travel, make_world

__all__ = ["DATE", "generate"]

DATE = dt.date(2026, 11, 22)


@takes(folder=PATH, households=WHOLE, seed=WHOLE, beds_per_person=NUMBER, links=NUMBER, date=dt.date)
def generate(
    folder: Path | str,
    households: int,
    seed: int,
    beds_per_person: float = 1.0,
    *,
    rooms: bool = True,
    links: float = 0.05,
    date: dt.date = DATE,
) -> None:
    """Write an instance folder (FORMAT.md) with every file and every column but policy.toml.

    households: rows of households.csv; offers are about a sixth as many. beds_per_person: beds of usable offers (open,
    vetted, not too dangerous) per person. rooms: whether centres have lockable rooms. links: share of the households that
    are bound to another one. date: the day of the run that the dates are around; all stays overlap each other.
    Raises UsageError for numbers out of range.
    """
    if seed < 0:
        raise UsageError(f"seed must be at least 0, not {seed}")
    _check(households, beds_per_person, links)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    world = make_world(_rng(seed, 0))
    people = make_people(_rng(seed, 1), world, households, date)
    usable_beds = round(beds_per_person * int(people.persons.sum()))
    offers = make_offers(_rng(seed, 2), world, households, usable_beds, date, rooms=rooms)
    ties, bound = make_ties(_rng(seed, 3), world, people, offers, links)
    fixed = make_fixed(_rng(seed, 4), world, people, offers, bound, date)
    travel = make_travel(_rng(seed, 5), world, fixed.settlements)
    for name, table in {
        "households": people.households,
        "members": people.members,
        "accommodations": offers.accommodations,
        "ties": ties,
        "travel": travel,
        "places": world.places,
        "placements": fixed.placements,
        "overrides": fixed.overrides,
    }.items():
        write_table(folder / f"{name}.csv", table)


def _rng(seed: int, part: int) -> Rng:
    """A stream of its own for every table, so that a change in one leaves the others as they are."""
    return np.random.default_rng([seed, part])


def _check(households: int, beds_per_person: float, links: float) -> None:
    if households < 1:
        raise UsageError(f"households must be at least 1, not {households}")
    if not 0 < beds_per_person <= 100:
        raise UsageError(f"beds per person must be above 0 and at most 100, not {beds_per_person}")
    if not 0 <= links <= 1:
        raise UsageError(f"links is a share between 0 and 1, not {links}")
