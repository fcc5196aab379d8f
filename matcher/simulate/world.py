"""What is delivered each day: a generated instance, of which more and more households have arrived."""

from __future__ import annotations

import csv
import datetime as dt
import random
import shutil
from pathlib import Path

from matcher.generate import generate

Rows = list[dict[str, str]]
AT_ONCE = 0.4
"""Share of the households that are there on the first day; the others arrive one day or another."""
OFFERS_AT_ONCE = 0.8
_TABLES = ("households", "members", "accommodations", "ties", "placements", "overrides")
_AS_THEY_ARE = ("travel", "places")


class World:
    """A generated instance by the day. arrival: day number of each household. Everybody who belongs to a placement or a bond arrives
    together, so that no row ever names somebody who is not there."""

    def __init__(self, folder: Path, households: int, days: int, seed: int, first: dt.date, beds_per_person: float) -> None:
        self.folder, self.first = folder, first
        generate(folder, households, seed, beds_per_person, date=first)
        self.tables = {name: _read(folder / f"{name}.csv") for name in _TABLES}
        draw = random.Random(f"{seed} arrivals")
        self.arrival = {row["household_id"]: _day(draw, days, AT_ONCE) for row in self.tables["households"]}
        for name in ("placements", "overrides"):
            for row in self.tables[name]:
                self.arrival[row["household_id"]] = 0
        pairs = [(row["household_id"], row["other_household_id"]) for row in self.tables["ties"] if row["other_household_id"]]
        for _ in range(len(pairs)):
            before = dict(self.arrival)
            for one, other in pairs:
                self.arrival[one] = self.arrival[other] = min(self.arrival[one], self.arrival[other])
            if before == self.arrival:
                break
        named = {row["accommodation_id"] for name in ("ties", "placements", "overrides") for row in self.tables[name]} - {""}
        self.offered = {row["accommodation_id"]: _day(draw, days, OFFERS_AT_ONCE) for row in self.tables["accommodations"]}
        self.offered.update(dict.fromkeys(named, 0))
        self.persons = {row["household_id"]: int(row["persons"]) for row in self.tables["households"]}
        self.together = _together(self.tables["ties"])

    def write(self, folder: Path, day: int, gone: frozenset[str]) -> frozenset[str]:
        """Write what is known on a day into a new folder; returns the households in it. gone: those who have left for good."""
        folder.mkdir(parents=True)
        here = frozenset(h for h, arrived in self.arrival.items() if arrived <= day and h not in gone)
        for name in _TABLES:
            rows = [row for row in self.tables[name] if self._is_there(name, row, here, day)]
            if name == "households":
                rows = [self._registered(row) for row in rows]
            _write(folder / f"{name}.csv", list(self.tables[name][0]) if self.tables[name] else [], rows)
        for name in _AS_THEY_ARE:
            shutil.copyfile(self.folder / f"{name}.csv", folder / f"{name}.csv")
        return here

    def _registered(self, row: dict[str, str]) -> dict[str, str]:
        """Who has arrived later has waited since then."""
        day = self.arrival[row["household_id"]]
        return row if day == 0 else {**row, "waiting_since": (self.first + dt.timedelta(day)).isoformat(), "arrives": "", "leaves": ""}

    def _is_there(self, name: str, row: dict[str, str], here: frozenset[str], day: int) -> bool:
        if name == "accommodations":
            return self.offered[row["accommodation_id"]] <= day
        return row["household_id"] in here and (row.get("other_household_id") or row["household_id"]) in here


def _day(draw: random.Random, days: int, at_once: float) -> int:
    return 0 if draw.random() < at_once else draw.randrange(1, max(2, days))


def _together(ties: Rows) -> dict[str, frozenset[str]]:
    """Households that answer together, since they are bound to share one accommodation."""
    groups: dict[str, frozenset[str]] = {}
    for row in ties:
        bound = row["kind"] == "same_accommodation" and row["required"] == "yes" and row["agreed"] == "yes"
        if bound and row["other_household_id"]:
            one, other = row["household_id"], row["other_household_id"]
            both = groups.get(one, frozenset({one})) | groups.get(other, frozenset({other}))
            groups.update(dict.fromkeys(both, both))
    return groups


def _read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, columns: list[str], rows: Rows) -> None:
    if not columns:
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
