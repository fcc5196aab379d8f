"""Likely doubles, stale offers and what nobody wrote down: each a notice at its row, and nothing is merged."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.io import read_instance
from matcher.suspicions import STALE_DAYS
from tests.io.sample import Files, write

TODAY = date(2026, 11, 22)
HOUSEHOLDS = "household_id,persons,place,origin,needs,protected\n"
MEMBERS = "member_id,household_id,sex,age\n"
OFFERS = (
    "accommodation_id,site_id,place,lat,lon,kind,capacity,rooms,features,cost_per_person_night,vetted,status,updated_at,available_until\n"
)
OFFER = "A1,,Lviv,,,apartment,4,,lift,5,yes,open,2026-11-20,\n"


def found(folder: Path, files: Files) -> list[str]:
    base = {"households": HOUSEHOLDS + "H0,1,Lviv,,,\n", "accommodations": OFFERS + OFFER}
    notices = read_instance(write(folder, {**base, **files}), today=TODAY).notices
    return [f"{notice.file.removesuffix('.csv')}:{notice.line} {notice.code}" for notice in notices if notice.code != "unknown_columns"]


def family(number: int, *ages: int, sex: str = "f") -> str:
    return "".join(f"M{number}{i},H{number},{sex},{age}\n" for i, age in enumerate(ages))


def test_the_same_members_ages_and_origin(tmp_path: Path) -> None:
    rows = "H1,2,Lviv,Bakhmut,,\nH2,2,Dnipro,Bakhmut,lift,\nH3,2,Lviv,Kupiansk,,\nH4,2,Lviv,Bakhmut,,\nH5,2,Lviv,Bakhmut,,\n"
    members = MEMBERS + family(1, 41, 7) + family(2, 7, 41) + family(3, 41, 7) + family(4, 41, 8) + family(5, 41, 7, sex="m")
    assert found(tmp_path, {"households": HOUSEHOLDS + rows, "members": members}) == ["households:3 likely_double_household"]


def test_nobody_is_merged_and_the_message_names_the_other_row(tmp_path: Path) -> None:
    members = MEMBERS + family(1, 41, 7) + family(2, 41, 7)
    write(
        tmp_path,
        {"households": HOUSEHOLDS + "H1,2,Lviv,Bakhmut,,\nH2,2,Lviv,Bakhmut,,\n", "members": members, "accommodations": OFFERS + OFFER},
    )
    instance = read_instance(tmp_path, today=TODAY)
    assert len(instance.households) == 2
    (notice,) = instance.notices
    assert "line 2" in notice.message and "H1" not in notice.message


def test_who_is_alone_must_be_alike_in_more(tmp_path: Path) -> None:
    rows = "H1,1,Lviv,Bakhmut,,\nH2,1,Dnipro,Bakhmut,,\nH3,1,Lviv,Bakhmut,,\n"
    members = MEMBERS + family(1, 70) + family(2, 70) + family(3, 70)
    assert found(tmp_path, {"households": HOUSEHOLDS + rows, "members": members}) == ["households:4 likely_double_household"]


def test_an_unknown_age_proves_nothing(tmp_path: Path) -> None:
    rows = "H1,2,Lviv,Bakhmut,,\nH2,2,Lviv,Bakhmut,,\n"
    members = MEMBERS + "M1,H1,f,40\nM2,H1,f,\nM3,H2,f,40\nM4,H2,f,\n"
    assert found(tmp_path, {"households": HOUSEHOLDS + rows, "members": members}) == []


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ("A1,S1,Lviv,,,hotel,4,2 2,lift,,,open,,\nA2,S1,Lviv,,,hotel,4,2 2,,,,planned,,\n", [3]),  # one site
        ("A1,S1,Lviv,,,hotel,4,2 2,lift,,,open,,\nA2,S1,Lviv,,,hotel,4,4,lift,,,open,,\n", []),  # another size
        ("A1,,Lviv,49.8,24.01,,4,,lift,,,open,,\nA2,,,49.8,24.01,,4,,school,,,open,,\n", [3]),  # one address
        ("A1,,Lviv,49.8,24.01,,4,,lift,,,open,,\nA2,,Lviv,49.8,24.02,,4,,lift,,,open,,\n", []),  # another address
        ("A1,,Lviv,,,,4,,lift,,,open,,\nA2,,Lviv,,,,4,,lift,,,open,,\n", []),  # two small flats in one city
        ("A1,,Lviv,,,,4,,lift,5,yes,open,,\nA2,,Lviv,,,,4,,lift,5.00,yes,open,,\n", [3]),  # alike in everything
    ],
)
def test_double_offers(rows: str, wanted: list[int], tmp_path: Path) -> None:
    lines = [f"accommodations:{line} likely_double_offer" for line in wanted]
    assert [line for line in found(tmp_path, {"accommodations": OFFERS + rows}) if "double" in line] == lines


def test_stale_and_ended_offers(tmp_path: Path) -> None:
    old, edge = date.fromordinal(TODAY.toordinal() - STALE_DAYS - 1), date.fromordinal(TODAY.toordinal() - STALE_DAYS)
    rows = (
        f"A1,,Lviv,,,,4,,lift,,,open,{old},\nA2,,Lviv,,,,5,,lift,,,open,{edge},\nA3,,Lviv,,,,6,,lift,,,closed,{old},\n"
        f"A4,,Lviv,,,,7,,lift,,,open,,{TODAY}\nA5,,Lviv,,,,8,,lift,,,open,,2026-11-23\n"
    )
    assert found(tmp_path, {"accommodations": OFFERS + rows}) == ["accommodations:2 stale_offer", "accommodations:5 stale_offer"]
    assert read_instance(tmp_path).notices == (), "only who asks is told, so that a run does not depend on the day"


def test_unknown_accessibility(tmp_path: Path) -> None:
    rows = "A1,,Lviv,,,,4,,,,,open,,\nA2,,Lviv,,,,5,,school,,,open,,\nA3,,Lviv,,,,6,,,,,closed,,\n"
    assert found(tmp_path, {"accommodations": OFFERS + rows}) == ["accommodations:2 unknown_accessibility"]


def test_more_persons_than_beds(tmp_path: Path) -> None:
    placements = "household_id,accommodation_id,status\nH1,A1,accepted\nH2,A1,moved_in\nH3,A2,proposed\nH4,A3,accepted\n"
    rows = "H1,3,Lviv,,,\nH2,2,Lviv,,,\nH3,9,Lviv,,,\nH4,9,Lviv,,,yes\n"
    offers = "A1,,Lviv,,,,4,,lift,,,open,,\nA2,,Lviv,,,,5,,lift,,,open,,\nA3,,Lviv,,,,6,,lift,,,open,,\n"
    files = {"households": HOUSEHOLDS + rows, "placements": placements, "accommodations": OFFERS + offers}
    assert found(tmp_path, files) == ["accommodations:2 over_capacity"], "none where a protected household is"


def test_when_a_file_is_missing_or_empty(tmp_path: Path) -> None:
    assert found(tmp_path, {"members": MEMBERS, "placements": "household_id,accommodation_id,status\n"}) == []
    assert found(tmp_path, {"households": HOUSEHOLDS, "accommodations": OFFERS}) == []


def test_faults_come_first(tmp_path: Path) -> None:
    files = {"households": HOUSEHOLDS + "H1,x,Lviv,,,\n", "accommodations": OFFERS + "A1,,Lviv,,,,4,,,,,open,,\n"}
    done = CliRunner().invoke(app, ["validate", str(write(tmp_path, files))])
    assert done.exit_code == 3 and "unknown_accessibility" not in done.output


def test_validate_shortens_what_is_many(tmp_path: Path) -> None:
    offers = "".join(f"A{i},,Lviv,,,,{i},,,,,open,,\n" for i in range(1, 31))
    folder = write(tmp_path, {"households": HOUSEHOLDS + "H1,1,Lviv,,,\n", "accommodations": OFFERS + offers})
    done = CliRunner().invoke(app, ["validate", str(folder), "--date", "2026-11-22"])
    assert done.exit_code == 0 and "and 10 more" in done.output and done.output.count("unknown_accessibility") == 21
    told = json.loads(CliRunner().invoke(app, ["validate", str(folder), "--json", "--date", "2026-11-22"]).stdout)
    assert sum("unknown_accessibility" in notice for notice in told["notices"]) == 30
    assert CliRunner().invoke(app, ["validate", str(folder), "--date", "tomorrow"]).exit_code == 2
