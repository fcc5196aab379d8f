"""Drawn instances: the same bytes for the same arguments, every column in use, as many beds as asked for, no contradictions."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from matcher.errors import UsageError
from matcher.generate import DATE, generate
from matcher.io import read_instance
from matcher.model import Accommodation, Instance

FILES = {"households", "members", "accommodations", "ties", "travel", "places", "placements", "overrides"}
COLUMNS = {
    "households": "household_id persons place lat lon origin max_rent priority waiting_since arrives leaves needs wants pets languages "
    "groups max_km accepts avoids wants_return protected consent",
    "members": "member_id household_id relation sex age",
    "accommodations": "accommodation_id site_id place lat lon adm1 kind capacity shared rooms features capacity_step_free pets languages "
    "min_persons max_persons groups_only available_from available_until vetted risk cost_per_person_night status",
    "ties": "household_id place lat lon other_household_id accommodation_id relation kind max_km required agreed weight",
    "travel": "from to km minutes cost_per_person blocked",
    "places": "place_id name lat lon adm1",
    "placements": "household_id accommodation_id status since rooms",
    "overrides": "household_id accommodation_id place action reason decided_by decided_at expires_at",
}
VARIANTS = [
    (1, 1.0, True, 0.05),
    (2, 1.0, True, 1.0),
    (40, 0.2, True, 0.0),
    (300, 1.0, True, 0.05),
    (300, 2.5, False, 0.5),
    (2000, 0.75, True, 0.1),
]


def drawn(folder: Path, households: int, beds: float = 1.0, *, rooms: bool = True, links: float = 0.05, seed: int = 7) -> Instance:
    generate(folder, households, seed, beds, rooms=rooms, links=links)
    return read_instance(folder)


def is_usable(offer: Accommodation) -> bool:
    safe = offer.risk is None or offer.risk * 10 <= 6
    return offer.status == "open" and safe and (offer.kind != "host_family" or offer.vetted is True)


def test_same_arguments_give_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("other", 8)):
        generate(tmp_path / name, 300, seed)
    one, two, other = ({f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in ("one", "two", "other"))
    assert {Path(name).stem for name in one} == FILES
    assert one == two
    assert one["households.csv"] != other["households.csv"]


@pytest.mark.parametrize("seed", [1, 7, 22])
def test_every_column_of_the_format_is_in_use_at_300_households(tmp_path: Path, seed: int) -> None:
    generate(tmp_path, 300, seed)
    for name, columns in COLUMNS.items():
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        used = {column for row in rows for column, value in row.items() if value}
        assert used >= set(columns.split()), name


@pytest.mark.parametrize(("households", "beds", "rooms", "links"), VARIANTS)
def test_it_reads_without_faults_and_without_notices(tmp_path: Path, households: int, beds: float, rooms: bool, links: float) -> None:
    instance = drawn(tmp_path, households, beds, rooms=rooms, links=links)
    assert instance.notices == ()
    assert len(instance.households) == households
    assert rooms or not any(offer.rooms for offer in instance.accommodations)


@pytest.mark.parametrize(("households", "beds", "rooms", "links"), VARIANTS)
def test_usable_beds_are_as_many_a_person_as_asked_for(tmp_path: Path, households: int, beds: float, rooms: bool, links: float) -> None:
    instance = drawn(tmp_path, households, beds, rooms=rooms, links=links)
    persons = sum(household.persons for household in instance.households)
    usable = [offer for offer in instance.accommodations if is_usable(offer)]
    assert sum(offer.capacity for offer in usable) == pytest.approx(beds * persons, rel=0.01, abs=0.5)
    for offer in usable:
        assert offer.rooms is None or sum(offer.rooms) == offer.capacity


@pytest.mark.parametrize("links", [0.0, 0.1, 1.0])
def test_a_share_of_the_households_is_linked_each_to_one_other(tmp_path: Path, links: float) -> None:
    instance = drawn(tmp_path, 1000, links=links)
    between = [tie for tie in instance.ties if tie.other_household_id is not None]
    ends = [household for tie in between for household in (tie.household_id, tie.other_household_id)]
    assert len(ends) == len(set(ends)) == round(links * 1000)
    binding = sum(tie.binds and tie.kind != "apart" for tie in between)
    apart = sum(tie.kind == "apart" for tie in between)
    assert binding == pytest.approx(0.35 * len(between), abs=1)
    assert apart == pytest.approx(0.15 * len(between), abs=1)


@pytest.mark.parametrize("seed", range(5))
def test_pins_and_standing_placements_can_all_be_kept_together(tmp_path: Path, seed: int) -> None:
    instance = drawn(tmp_path, 2000, links=0.3, seed=seed)
    household = {row.household_id: row for row in instance.households}
    offer = {row.accommodation_id: row for row in instance.accommodations}
    pins = {row.household_id: row for row in instance.overrides if row.action == "pin"}
    standing = {row.household_id: row for row in instance.standing}
    assert len(standing) == 40
    assert len(pins) == 9
    assert not set(standing) & {row.household_id for row in instance.overrides}
    bound = {end for tie in instance.ties if tie.required or tie.other_household_id for end in (tie.household_id, tie.other_household_id)}
    assert not bound & (set(standing) | set(pins))
    blocked = {(row.origin.key, row.destination.key) for row in instance.travel if row.blocked}
    beds: Counter[str] = Counter()
    rooms: Counter[tuple[str, int]] = Counter()
    for name in [*standing, *pins]:
        row = household[name]
        assert row.consent == "yes"
        assert not row.needs
        assert not row.pets
        assert row.max_km is None
        if name not in standing and pins[name].accommodation_id is None:
            continue
        home = offer[standing[name].accommodation_id if name in standing else pins[name].accommodation_id or ""]
        assert home.shared
        assert is_usable(home)
        assert (row.spot.key, home.spot.key) not in blocked
        beds[home.accommodation_id] += row.persons
        for size in (standing[name].rooms or ()) if name in standing else ():
            rooms[home.accommodation_id, size] += 1
    for accommodation_id, used in beds.items():
        assert used <= offer[accommodation_id].capacity
    for (accommodation_id, size), used in rooms.items():
        assert used <= (offer[accommodation_id].rooms or ()).count(size)


def test_all_stays_overlap_so_that_one_row_a_resource_is_enough(tmp_path: Path) -> None:
    instance = drawn(tmp_path, 2000)
    last_arrival = max(household.arrives or DATE for household in instance.households)
    assert last_arrival > DATE
    assert all(household.leaves is None or household.leaves > last_arrival for household in instance.households)


def test_dates_follow_the_day_of_the_run(tmp_path: Path) -> None:
    generate(tmp_path, 300, 7, date=dt.date(2031, 5, 1))
    instance = read_instance(tmp_path)
    waiting = [household.waiting_since for household in instance.households if household.waiting_since]
    assert dt.date(2030, 10, 1) < min(waiting) <= max(waiting) <= dt.date(2031, 5, 1)


@pytest.mark.parametrize(("households", "beds", "links"), [(0, 1.0, 0.1), (10, 0.0, 0.1), (10, float("nan"), 0.1), (10, 1.0, 1.5)])
def test_numbers_out_of_range_are_refused(tmp_path: Path, households: int, beds: float, links: float) -> None:
    with pytest.raises(UsageError):
        generate(tmp_path / "never", households, 7, beds, links=links)
    assert not (tmp_path / "never").exists()
