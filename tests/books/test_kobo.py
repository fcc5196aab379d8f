"""An export of KoBoToolbox becomes an instance without hand work, and every planted error is told at its cell of the export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.errors import InputError
from matcher.io import read_instance
from tests.books.kobo import MAIN, PEOPLE, Grid, export, submissions

OFFERS = "accommodation_id,place,kind,capacity,features\n" + "".join(
    f"A{number:03},{place},{kind},{beds},{features}\n"
    for number, (place, kind, beds, features) in enumerate(
        [
            (p, k, b, f)
            for p in ("Poltava", "Dnipro", "Lviv", "Vinnytsia")
            for k, b, f in (("collective_site", 90, "step_free"), ("apartment", 4, "lift"), ("dormitory", 120, ""))
        ]
        * 2
    )
)
MAIN_SHEET, PEOPLE_SHEET = "kobo.xlsx#Household registration", "kobo.xlsx#hh_char_hh_det"


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


@pytest.fixture
def offers(tmp_path: Path) -> Path:
    folder = tmp_path / "offers"
    folder.mkdir()
    (folder / "accommodations.csv").write_text(OFFERS, encoding="utf-8")
    return folder


def test_500_households_from_the_export_to_the_results(tmp_path: Path, offers: Path) -> None:
    main, people = submissions(500, 1)
    source, instance, out = export(tmp_path / "kobo.xlsx", main, people), tmp_path / "instance", tmp_path / "out"
    code, text = run("map", source, "--mapping", "kobo", "--with", offers, "--out", instance)
    assert code == 0, text
    assert "ben_det_surname" in text and "Прізвище" not in text
    code, text = run("validate", instance, "--date", "2026-11-22")
    assert code == 0 and "No faults" in text, text
    code, text = run("solve", instance, "--out", out, "--date", "2026-11-22", "--workbook", "--effort", "0.1", "--gap", "0.05")
    assert code == 0, text
    assert (out / "results.xlsx").stat().st_size > 20_000
    answers = [row for row in main if row[MAIN.index("background/back_consent")] == "yes"]
    placed = {row["household_id"] for name in ("placements", "unplaced") for row in rows_of(out / f"{name}.csv")}
    assert placed == {row[MAIN.index("_uuid")] for row in answers} and len(placed) == 495
    assert run("verify", instance, out)[0] == 0
    everything = b"".join(path.read_bytes() for folder in (instance, out) for path in folder.iterdir())
    assert "Прізвище".encode() not in everything and b"380501234567" not in everything


def test_the_export_itself_is_solved_and_verified(tmp_path: Path, offers: Path) -> None:
    source, out = export(tmp_path / "kobo.xlsx", *submissions(20, 2)), tmp_path / "out"
    mapped = ("--mapping", "kobo.toml", "--with", offers)
    code, text = run("solve", source, *mapped, "--out", out, "--date", "2026-11-22", "--effort", "0.1")
    assert code == 0, text
    assert (out / "results.xlsx").exists()
    assert run("verify", source, out, *mapped)[0] == 0
    assert run("map", source, *mapped, "--out", tmp_path / "i")[0] == 0
    assert read_instance(tmp_path / "i").sha256 == json.loads((out / "summary.json").read_text())["input_sha256"]


def test_what_the_answers_become(tmp_path: Path, offers: Path) -> None:
    main, people = submissions(300, 3)
    instance = read_instance(export(tmp_path / "kobo.xlsx", main, people), mapping="kobo", others=offers)
    by_id = {household.household_id: household for household in instance.households}
    seen = {"step_free": 0, "disability": 0, "older_person": 0, "centre": 0, "kyiv": 0}
    for row in main:
        cells = dict(zip(MAIN, row, strict=True))
        if cells["background/back_consent"] == "no":
            assert cells["_uuid"] not in by_id
            continue
        found = by_id[cells["_uuid"]]
        own = [dict(zip(PEOPLE, person, strict=True)) for person in people if person[PEOPLE.index("_parent_index")] == cells["_index"]]
        prefix = "hh_char/hh_char_hh_det/hh_char_hh_det_"
        hard = [person for person in own if person[prefix + "dis_level"] in ("two", "fri")]
        assert found.persons == len(own) == cells["ben_det/ben_det_hh_size"]
        assert ("step_free" in found.needs) == any("diff_walk" in person[prefix + "dis_select"] for person in hard)
        assert ("disability" in found.groups) == bool(hard)
        assert ("older_person" in found.groups) == any(person[prefix + "age"] >= 60 for person in own)
        assert found.origin is not None and found.origin.adm1 in ("UA44", "UA65", "UA01")
        assert str(found.waiting_since) == cells["_submission_time"][:10]
        if cells["ben_det/ben_det_oblast"] == "citykyiv":
            assert found.spot.key == "katottg:UA80000000000093317"
            seen["kyiv"] += 1
        if not cells["ben_det/ben_det_settlement"]:
            assert found.spot.name == "Sumy"
            seen["centre"] += 1
        for word in ("step_free", "disability", "older_person"):
            seen[word] += word in found.needs | found.groups
    assert all(count > 5 for count in seen.values()), seen


Plant = tuple[str, Callable[[Grid, Grid], None], str, int, str, str]


def plants() -> list[Plant]:
    """(what, how it is planted, sheet, row of the sheet, column, code): each in a household of its own."""

    def put(grid: int, row: int, column: str, value: object) -> Callable[[Grid, Grid], None]:
        names = (MAIN, PEOPLE)[grid]
        return lambda main, people: (main, people)[grid][row - 2].__setitem__(names.index(column), value)

    det = "hh_char/hh_char_hh_det/hh_char_hh_det_"
    main = [
        (5, "ben_det/ben_det_hh_size", "", "required"),
        (6, "ben_det/ben_det_hh_size", "four", "not_a_whole_number"),
        (7, "ben_det/ben_det_hh_size", 0, "out_of_range"),
        (8, "ben_det/ben_det_hh_size", 51, "out_of_range"),
        (9, "ben_det/ben_det_hh_size", 2.5, "not_a_whole_number"),
        (10, "ben_det/ben_det_hh_size", 33, "persons_differ"),
        (11, "ben_det/ben_det_oblast", "lvivskaa", "unknown_oblast"),
        (12, "ben_det/ben_det_settlement", "kramatorskk", "unknown_place"),
        (13, "ben_det/ben_det_settlement", "Ivanivka", "ambiguous_place"),
        (14, "ben_det/ben_det_settlement", "UA99020010010037010", "unknown_place"),
        (15, "ben_det/ben_det_prev_oblast", "nowhere", "unknown_oblast"),
        (16, "_submission_time", "21.11.2026", "not_a_date"),
        (17, "_submission_time", "2026-02-30T09:40:05", "not_a_date"),
        (18, "background/back_consent", "perhaps", "unknown_word"),
        (19, "_uuid", None, "duplicate_id"),
    ]
    people = [
        (30, det + "age", "ten", "not_a_whole_number"),
        (50, det + "age", 131, "out_of_range"),
        (70, det + "age", -1, "out_of_range"),
        (90, det + "gender", "mael", "unknown_word"),
        (110, "_parent_index", 9999, "no_parent"),
        (130, det + "age", 7.5, "not_a_whole_number"),
    ]
    found: list[Plant] = [
        (f"main {row} {code}", put(0, row, column, value), MAIN_SHEET, row, column, code)
        for row, column, value, code in main
        if value is not None
    ]
    found += [(f"people {row} {code}", put(1, row, column, value), PEOPLE_SHEET, row, column, code) for row, column, value, code in people]
    return found


def test_20_planted_errors_are_told_at_their_cells(tmp_path: Path, offers: Path) -> None:
    main, people = submissions(500, 4)
    planted = plants()
    assert len(planted) == 20
    for _, plant, *_ in planted:
        plant(main, people)
    source = export(tmp_path / "kobo.xlsx", main, people)
    with pytest.raises(InputError) as caught:
        read_instance(source, mapping="kobo", others=offers)
    wanted = {(sheet, row, column, code) for _, _, sheet, row, column, code in planted}
    found = {(fault.file, fault.line, fault.column, fault.code) for fault in caught.value.faults}
    # Who lost a person to a missing parent, or gained … is told once, at the person: nothing follows from one error twice.
    assert found == wanted
    letters = {MAIN_SHEET: MAIN, PEOPLE_SHEET: PEOPLE}
    for fault in caught.value.faults:
        position = letters[fault.file].index(fault.column)
        assert f"(cell {chr(65 + position)}{fault.line}, becomes " in fault.message, fault
    code, text = run("map", source, "--mapping", "kobo", "--with", offers, "--out", tmp_path / "i")
    assert code == 3 and all(f"{sheet}:{row} {column} {kind}" in text for sheet, row, column, kind in wanted)
    assert not (tmp_path / "i").exists()


def test_a_duplicate_names_the_other_row_of_the_export(tmp_path: Path, offers: Path) -> None:
    main, people = submissions(30, 5)
    at = MAIN.index("_uuid")
    main[20][at] = main[3][at]
    with pytest.raises(InputError) as caught:
        read_instance(export(tmp_path / "kobo.xlsx", main, people), mapping="kobo", others=offers)
    told = {
        (fault.file, fault.line, fault.column): fault.message
        for fault in caught.value.faults
        if fault.code == "duplicate_id" and fault.file == MAIN_SHEET
    }
    assert "also stands on line 22" in told[MAIN_SHEET, 5, "_uuid"] and "also stands on line 5" in told[MAIN_SHEET, 22, "_uuid"]


def test_quarantine_leaves_out_who_is_behind_the_cell(tmp_path: Path, offers: Path) -> None:
    main, people = submissions(40, 6)
    main[9][MAIN.index("ben_det/ben_det_settlement")] = "nowhereville"
    people[20][1] = "ten"
    owner = main[people[20][PEOPLE.index("_parent_index")] - 1][MAIN.index("_uuid")]
    source, out = export(tmp_path / "kobo.xlsx", main, people), tmp_path / "out"
    code, text = run(
        "solve", source, "--mapping", "kobo", "--with", offers, "--out", out, "--quarantine", "--date", "2026-11-22", "--effort", "0.1"
    )
    assert code == 0, text
    reasons = {row["household_id"]: row["reason"] for row in rows_of(out / "unplaced.csv")}
    assert reasons[main[9][MAIN.index("_uuid")]] == reasons[owner] == "quarantined"
    rows = rows_of(out / "quarantined.csv")
    assert (MAIN_SHEET, "11") in {(row["file"], row["line"]) for row in rows} and (PEOPLE_SHEET, "22") in {
        (row["file"], row["line"]) for row in rows
    }


def test_csv_files_and_other_spellings_read_the_same(tmp_path: Path, offers: Path) -> None:
    """The same submissions as CSV files with `;`, without group names, and with the choices in columns of their own alone."""
    main, people = submissions(60, 7)
    wanted = read_instance(export(tmp_path / "kobo.xlsx", main, people), mapping="kobo", others=offers)
    folder = tmp_path / "csv"
    folder.mkdir()
    drop = PEOPLE.index("hh_char/hh_char_hh_det/hh_char_hh_det_dis_select")
    for name, header, rows in (("form - all versions", MAIN, main), ("hh_char_hh_det", PEOPLE, people)):
        keep = [at for at in range(len(header)) if header is MAIN or at != drop]
        short = [header[at] if "dis_select/" in header[at] else header[at].rpartition("/")[2] for at in keep]
        with (folder / f"{name}.csv").open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=";").writerows([short, *([row[at] for at in keep] for row in rows)])
    assert read_instance(folder, mapping="kobo", others=offers).sha256 == wanted.sha256


def test_the_rest_of_an_instance_may_lie_beside_the_export(tmp_path: Path) -> None:
    folder = tmp_path / "all"
    folder.mkdir()
    export(folder / "kobo.xlsx", *submissions(20, 8))
    with pytest.raises(InputError, match=r"accommodations\.csv:0 file_missing"):
        read_instance(folder, mapping="kobo")
    (folder / "accommodations.csv").write_text(OFFERS, encoding="utf-8")
    assert len(read_instance(folder, mapping="kobo").accommodations) == 24
    (folder / "households.csv").write_text("household_id,persons,place\nH1,1,Lviv\n", encoding="utf-8")
    assert len(read_instance(folder, mapping="kobo").households) == 20, "what the mapping makes is not taken from elsewhere"


def test_both_having_a_table_is_a_fault(tmp_path: Path, offers: Path) -> None:
    (offers / "households.csv").write_text("household_id,persons,place\nH1,1,Lviv\n", encoding="utf-8")
    with pytest.raises(InputError, match="keep one of them"):
        read_instance(export(tmp_path / "kobo.xlsx", *submissions(5, 9)), mapping="kobo", others=offers)


def test_the_head_asked_about_apart_is_a_member(tmp_path: Path, offers: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    (folder / "main.csv").write_text(
        "_index,_uuid,ben_det_hh_size,ben_det_oblast,ben_det_settlement,hh_char_hhh_age,hh_char_hhh_gender\n1,u1,2,lvivska,Lviv,67,female\n2,u2,1,lvivska,Lviv,30,male\n"
    )
    (folder / "people.csv").write_text("_index,_parent_index,hh_char_hh_det_age,hh_char_hh_det_gender\n1,1,9,male\n")
    instance = read_instance(folder, mapping="kobo", others=offers)
    assert [(m.member_id, m.relation, m.sex, m.age) for m in instance.members] == [
        ("u1-1", None, "m", 9), ("u1-head", "head", "f", 67), ("u2-head", "head", "m", 30),
    ]  # fmt: skip
    assert [sorted(h.groups) for h in instance.households] == [["older_person"], []]


def test_a_level_without_a_kind_counts_as_walking(tmp_path: Path, offers: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    (folder / "main.csv").write_text("_index,_uuid,ben_det_hh_size,ben_det_settlement\n1,u1,1,Lviv\n2,u2,1,Lviv\n")
    (folder / "hh_char_hh_det.csv").write_text(
        "_index,_parent_index,hh_char_hh_det_age,hh_char_hh_det_gender,hh_char_hh_det_dis_level\n1,1,40,male,two\n2,2,40,male,one\n"
    )
    first, second = read_instance(folder, mapping="kobo", others=offers).households
    assert (first.needs, first.groups, second.needs, second.groups) == ({"step_free"}, {"disability"}, frozenset(), frozenset())


def test_mapping_again_replaces_its_own_files_alone(tmp_path: Path, offers: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "accommodations.csv").write_text(OFFERS, encoding="utf-8")
    for seed in (1, 2):
        source = export(tmp_path / f"kobo{seed}.xlsx", *submissions(5, seed))
        assert run("map", source, "--mapping", "kobo", "--out", out)[0] == 0
        assert {h.household_id for h in read_instance(out).households} == {row[MAIN.index("_uuid")] for row in submissions(5, seed)[0]}
    assert run("map", source, "--mapping", "kobo", "--with", offers, "--out", out)[0] == 2
    assert (out / "accommodations.csv").read_text(encoding="utf-8") == OFFERS
    (out / ".mapped").unlink()
    assert run("map", source, "--mapping", "kobo", "--out", out)[0] == 2
