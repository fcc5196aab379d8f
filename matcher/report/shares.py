"""Who got what: persons placed, kilometres and ties kept, by priority, group, size of household and oblast of origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from matcher.columns import codes
from matcher.layers import Ints
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance
from matcher.placed import Placements
from matcher.places.models import travel_for
from matcher.policy import Policy
from matcher.result import LEFT_OUT_REASONS, Result
from matcher.rows import open_homes
from matcher.tied import tie_states

LARGE = 6  # households of so many persons and more are one class
UNKNOWN = "unknown"
Row = list[Any]
"""[key, persons placed, persons without a place, persons left out, km10 a person placed or None, ties kept, ties]. Kilometres and ties
leave protected households out."""


def shares(result: Result, numbers: Mapping[str, Any], households: ById[Household], offers: ById[Accommodation]) -> dict[str, list[Row]]:
    """Rows by `priority`, `group`, `size` and `origin`. numbers: the summary, whose persons by priority and group are taken as they are."""
    assert result.instance is not None and result.policy is not None
    counted = _Counted(result, result.instance, result.policy, households, offers)
    return {
        "priority": _told(numbers["by_priority"], counted.by("priority", str)),
        "group": _told(numbers["by_group"], counted.by_group()),
        "size": counted.by("persons", lambda persons: f"{LARGE}+" if persons >= LARGE else str(persons)),
        "origin": counted.by("origin", lambda spot: UNKNOWN if spot is None or spot.adm1 is None else spot.adm1),
    }


def _told(split: Mapping[str, Any], rows: list[Row]) -> list[Row]:
    """The summary's persons with the kilometres and ties of the rows."""
    found = {row[0]: row for row in rows}
    out = []
    for key, counts in split.items():
        persons = counts["persons"]
        more = found[key][4:] if key in found else [None, 0, 0]
        if any(persons.values()):
            out.append([key, persons["placed"], persons["unplaced"], persons["left_out"] + persons["quarantined"], *more])
    return out


class _Counted:
    """What became of every household, by row of the instance."""

    def __init__(
        self, result: Result, instance: Instance, policy: Policy, households: ById[Household], offers: ById[Accommodation]
    ) -> None:
        self.instance, count = instance, len(households)
        held = Placements.of(result.placements)
        self.persons = np.zeros((3, count), dtype=np.int64)
        code, sizes = codes(instance.households, "persons")
        size = np.array(sizes, dtype=np.int64)[code] if count else np.zeros(0, dtype=np.int64)
        self.persons[0][households.positions(held.household_ids)] = held.persons
        for row, out in zip(households.positions(row.household_id for row in result.unplaced).tolist(), result.unplaced, strict=True):
            if row >= 0:
                self.persons[2 if out.reason in LEFT_OUT_REASONS else 1][row] = size[row]
        told = np.flatnonzero(~held.protected)
        at = households.positions(held.household_ids[i] for i in told.tolist())
        self.journeys, self.travelled = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self.journeys[at], self.travelled[at] = held.km10[told] * held.persons[told], held.persons[told]
        travel = travel_for(instance, policy)
        states = tie_states(instance, households, offers, travel, open_homes(held, households, offers))
        self.ties = np.bincount(states.owner[states.known], minlength=count)
        self.kept = np.bincount(states.owner[states.kept], minlength=count)

    def by(self, field: str, key: Callable[[Any], str]) -> list[Row]:
        """Rows by the class of a field."""
        code, values = codes(self.instance.households, field)
        names = sorted({key(value) for value in values})
        number = {name: i for i, name in enumerate(names)}
        of = np.array([number[key(value)] for value in values], dtype=np.int64)[code] if values else code
        return [self._row(name, np.flatnonzero(of == i)) for i, name in enumerate(names)]

    def by_group(self) -> list[Row]:
        """Rows by group; a household may be in several."""
        code, values = codes(self.instance.households, "groups")
        names = sorted(set().union(*values))
        inside = [np.array([name in groups for groups in values], dtype=np.bool_) for name in names]
        return [self._row(name, np.flatnonzero(among[code])) for name, among in zip(names, inside, strict=True)]

    def _row(self, name: str, rows: Ints) -> Row:
        persons = int(self.travelled[rows].sum())
        mean = None if not persons else (2 * int(self.journeys[rows].sum()) + persons) // (2 * persons)
        return [name, *(int(one[rows].sum()) for one in self.persons), mean, int(self.kept[rows].sum()), int(self.ties[rows].sum())]
