"""How much each party takes of what is counted by night: persons, whether anybody is there, and persons by need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from matcher.layers import Bools, Ints
from matcher.parts import ANY_DATE, Parties

MOST_COUNTED = 20_000
"""With more parties than this, nights are not counted for all of them at once: the tables of all nights would not be small."""


@dataclass(frozen=True)
class There:
    """Who is there in one night, by party: persons; anybody, 0 or 1; needs[w]: persons of households with need number w."""

    persons: list[int]
    anybody: list[int]
    needs: list[list[int]]


class Amounts:
    """What parties take in each night, counted once a night. Arguments as in `Problem`."""

    def __init__(self, parties: Sequence[tuple[int, ...]], persons: Ints, arrival: Ints, leaves: Ints, has_need: Bools) -> None:
        self._parties = Parties.of(parties)
        self._persons, self._arrival, self._leaves, self._has_need = persons, arrival, leaves, has_need
        self._few = len(self._parties) <= MOST_COUNTED
        self._known: dict[int, There] = {}

    def on(self, date: int) -> There:
        """Who is there in the night of that day number (ANY_DATE: every night)."""
        found = self._known.get(date)
        if found is None:
            found = self._known[date] = self._count(date)
        return found

    def of(self, party: int, kind: str, word: int, date: int) -> int:
        """What one party takes then: `persons`, persons who have a `need` (number `word`), or 1 if anybody is there at all."""
        if date != ANY_DATE and not self._few:
            here = self.present(party, date)
            if kind in ("persons", "need"):
                return sum(int(self._persons[h]) for h in here if kind == "persons" or self._has_need[h, word])
            return int(bool(here))
        there = self.on(date)
        table = there.persons if kind == "persons" else there.needs[word] if kind == "need" else there.anybody
        return table[party]

    def present(self, party: int, date: int) -> list[int]:
        """Members of the party who are there then."""
        return [h for h in self._parties[party] if date == ANY_DATE or self._arrival[h] <= date < self._leaves[h]]

    def _count(self, date: int) -> There:
        member, owner = self._parties.member, self._parties.owner
        there = np.ones(len(member), dtype=np.int64)
        if date != ANY_DATE:
            there = ((self._arrival[member] <= date) & (date < self._leaves[member])).astype(np.int64)
        persons = self._persons[member] * there
        needs = self._has_need[member]

        def by_party(values: Ints) -> list[int]:
            out = np.zeros(len(self._parties), dtype=np.int64)
            np.add.at(out, owner, values)
            return [int(n) for n in out]

        anybody = [min(1, n) for n in by_party(there)]
        return There(by_party(persons), anybody, [by_party(persons * needs[:, w]) for w in range(needs.shape[1])])
