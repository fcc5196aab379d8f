"""What was found by solving again, besides remedies: offers to look for, prices of floors, what next best offers would cost.

Costs are whole units of 1/10 person-km, distances tenths of a km.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from matcher.changes import Remedy


@dataclass(frozen=True)
class Lead:
    """An offer worth finding, and what it would change, verified by solving with it.

    place, place_uk, adm1, kind, capacity, features, pets: what to look for. worth: what the capacity prices say, in 1/10 person-km.
    persons, households: how many more are placed (persons may be fewer where others go first). cost: how much less the plan costs.
    ties: how many more are kept. km10: by how much the travel of all placed together changes, tenths of person-km. option: for
    `matcher whatif`.
    """

    place: str
    place_uk: str
    adm1: str | None
    kind: str
    capacity: int
    features: tuple[str, ...]
    pets: tuple[str, ...]
    worth: int
    households: int
    persons: int
    cost: int
    ties: int
    km10: int
    proved: bool
    option: tuple[str, str]


@dataclass(frozen=True)
class Advice:
    """The offers most worth finding, by worth; what would help those who wait longest; how much was left unexamined."""

    leads: tuple[Lead, ...]
    candidates: int
    not_examined: int
    waiting: tuple[tuple[str, int, Remedy | None, bool], ...] = ()
    """(household, days waited, what would help it, whether that was examined), longest first."""


@dataclass(frozen=True)
class FloorPrice:
    """What a group's floor costs everybody: the plan with it against the plan without.

    wanted, placed: persons of the group. persons: how many persons fewer are placed for it in all (more: negative). cost: how much
    more everything but the floors and the unplaced costs. None where it was not examined.
    """

    group: str
    wanted: int
    placed: int
    persons: int | None = None
    cost: int | None = None
    proved: bool = False


@dataclass(frozen=True)
class Worth:
    """What a run has found out beyond its plan. advice: None where nobody looked. floors: one a floor of the policy. again: by
    household and offer, what a next best offer would cost if others may move too."""

    advice: Advice | None = None
    floors: tuple[FloorPrice, ...] = ()
    again: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
