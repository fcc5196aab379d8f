"""The households of a problem by position: the free ones by id, then the fixed ones by id, seen by column."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from matcher.columns import Ints, codes
from matcher.lookup import ById, Picked, classes, numbered
from matcher.model import Household, Instance, Member
from matcher.parts import Parties
from matcher.roles import Roles
from matcher.rooms import MINOR, YOUNG, rooms_needed


class Seekers(Picked):
    """See the module. Besides the fields of households there are `arrival`, `party_persons` and `party_rooms` (`rules.Rule`).

    ids: by position. free: how many of them are free. position_of: position by row of the households, -1 for those left out.
    parties: of positions, free parties first. party_of: number of each one's party, by position.
    """

    def __init__(self, instance: Instance, households: ById[Household], roles: Roles, *, count_rooms: bool) -> None:
        self.by_id = households
        free = sorted(h for party in roles.parties for h in party)
        self.free = len(free)
        self.ids = (*free, *sorted(roles.fixed))
        super().__init__(instance.households, households.positions(self.ids))
        self.position_of = np.full(len(households), -1, dtype=np.int64)
        self.position_of[self.row] = np.arange(len(self.row))
        parties = (*roles.parties, *roles.fixed_parties)
        start = np.cumsum([0, *map(len, parties)], dtype=np.int64)
        self.parties = Parties(self.positions([h for party in parties for h in party]), start)
        self.free_parties = Parties(self.parties.member[: self.free], start[: len(roles.parties) + 1])
        self.party_of = np.empty(len(self), dtype=np.int64)
        self.party_of[self.parties.member] = self.parties.owner
        arrives, days = codes(self, "arrives")
        earliest, distinct = classes(max(day or roles.date, roles.date) for day in days)
        rooms = _rooms_by_row(instance, households)[self.row] if count_rooms else np.zeros(len(self.ids), dtype=np.int64)
        self.add("arrival", earliest[arrives], distinct)
        self.add("party_persons", *self._over_party(self.numbers("persons")))
        self.add("party_rooms", *self._over_party(rooms))

    def _over_party(self, numbers: Ints) -> tuple[Ints, list[int]]:
        """The sum over everybody's party, as a column."""
        total = np.zeros(len(self.parties), dtype=np.int64)
        np.add.at(total, self.party_of, numbers)
        out = total[self.party_of]
        code, first = numbered(out, int(out.max(initial=0)) + 1)
        return code, out[first].tolist()

    def positions(self, ids: Sequence[str]) -> Ints:
        """Position of each household; -1 for those that have none (left out)."""
        row = self.by_id.positions(ids)
        return np.where(row < 0, -1, self.position_of[row]) if len(self.position_of) else row

    def position(self, household_id: str) -> int:
        """Position of one household that is free or fixed."""
        return int(self.position_of[self.by_id.at(household_id)])


def _rooms_by_row(instance: Instance, households: ById[Household]) -> Ints:
    """Rooms needed under `room_rule = "separate"` by row; one a person for those of whom members.csv does not tell."""
    code, persons = codes(instance.households, "persons")
    out: Ints = np.array(persons, dtype=np.int64)[code]
    kind, seen = codes(instance.members, "relation", "sex", "age")
    alike, distinct = classes((relation, sex, _band(age)) for relation, sex, age in seen)
    stand_ins = [
        Member(member_id="", household_id="", relation=relation, sex=sex, age=age) for relation, sex, age in distinct
    ]  # fmt: skip
    home, ids = codes(instance.members, "household_id")
    families: dict[int, list[int]] = defaultdict(list)
    for row, person in zip(households.positions(ids)[home].tolist(), alike[kind].tolist(), strict=True):
        families[row].append(person)
    needed: dict[tuple[int, ...], int] = {}
    families.pop(-1, None)
    for row, people in families.items():
        family = tuple(sorted(people))
        if family not in needed:
            needed[family] = rooms_needed([stand_ins[person] for person in family])
        out[row] = needed[family] + max(0, int(out[row]) - len(family))
    return out


def _band(age: int | None) -> int | None:
    """Ages that the rooms rule treats alike get one number."""
    return None if age is None else 0 if age < YOUNG else YOUNG if age < MINOR else MINOR
