"""Exports in which a need or a protection stands where, or as, the mapping does not expect it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from matcher.errors import InputError
from matcher.io import read_instance
from matcher.model import Instance
from tests.books.test_mappings import HMIS, PROGRES
from tests.io.sample import write

DAY = date(2026, 11, 22)
OFFERS = "accommodation_id,place,capacity\nA1,Lviv,9\n"
MAIN = "_index,_uuid,ben_det_hh_size,ben_det_settlement,ben_det_oblast,hh_char_preg\n1,U1,1,Drohobych,lvivska,{}\n"
PEOPLE = "_index,_parent_index,hh_char_hh_det_age,hh_char_hh_det_gender,hh_char_hh_det_dis_level,hh_char_hh_det_dis_select\n{}\n"


def mapped(folder: Path, mapping: str, files: dict[str, str]) -> Instance:
    return read_instance(write(folder, {"accommodations": OFFERS} | files), mapping=mapping, day=DAY)


def codes(instance: Instance) -> set[str]:
    return {notice.code for notice in instance.notices}


@pytest.mark.parametrize("answer", ["1,0", "0,1", "yes,0", "99,TRUE"])
def test_a_later_record_of_hmis_protects_as_well_as_the_first(answer: str, tmp_path: Path) -> None:
    violence = f"HealthAndDVID,EnrollmentID,DomesticViolenceSurvivor,CurrentlyFleeing\nD1,E1,0,0\nD2,E3,0,0\nD3,E1,{answer}\n"
    found = mapped(tmp_path, "hmis", HMIS | {"HealthAndDV": violence})
    assert {household.household_id: household.protected for household in found.households} == {"H1": True, "H2": False}


def test_an_answer_of_hmis_that_means_nothing_is_a_fault(tmp_path: Path) -> None:
    violence = "EnrollmentID,DomesticViolenceSurvivor,CurrentlyFleeing\nE1,perhaps,0\n"
    with pytest.raises(InputError, match=r"HealthAndDV.csv:2 DomesticViolenceSurvivor unknown_word|Enrollment.csv:2 .*unknown_word"):
        mapped(tmp_path, "hmis", HMIS | {"HealthAndDV": violence})


def test_hmis_without_its_records_of_violence_is_told_and_needs_its_exits(tmp_path: Path) -> None:
    without = {name: text for name, text in HMIS.items() if name != "HealthAndDV"}
    assert "mapping_no_table" in codes(mapped(tmp_path / "1", "hmis", without))
    with pytest.raises(InputError, match=r"tables.exit mapping_table"):
        mapped(tmp_path / "2", "hmis", {name: text for name, text in HMIS.items() if name != "Exit"})


def test_two_exits_of_one_enrollment_are_a_fault(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Enrollment.csv:5 EnrollmentID several_rows"):
        mapped(tmp_path, "hmis", HMIS | {"Exit": HMIS["Exit"] + "X2,E4,P4,\n"})


@pytest.mark.parametrize("between", ["/", "+", " / ", "&", "|", "; "])
def test_codes_of_progres_are_told_apart_whatever_stands_between(between: str, tmp_path: Path) -> None:
    text = PROGRES.replace('"SP-PT,SV-VA"', f"DS-PM{between}SV-VA")
    second = mapped(tmp_path, "progres", {"individuals": text}).households[1]
    assert second.protected and {"step_free", "medical_care"} == second.needs


def test_what_only_begins_as_a_code_is_told(tmp_path: Path) -> None:
    found = mapped(tmp_path, "progres", {"individuals": PROGRES.replace('"SP-PT,SV-VA"', "DS-PM:SV-VA")})
    assert any(notice.code == "unknown_code" and "DS-PM:SV-VA" in notice.message for notice in found.notices)


@pytest.mark.parametrize("level", ["Level two", "severe", "так"])
def test_a_level_of_difficulty_that_nobody_knows_is_a_fault(level: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"people.csv:2 hh_char_hh_det_dis_level unknown_word"):
        mapped(tmp_path, "kobo", {"main": MAIN.format("no"), "people": PEOPLE.format(f"1,1,40,male,{level},diff_walk")})


@pytest.mark.parametrize(
    ("cells", "needs"),
    [
        ("A lot of difficulty,diff_walk", {"step_free"}),
        ("two,walk", {"step_free"}),
        ("two,diff_see/diff_walk", {"step_free"}),
        ("two,diff_see", set()),
        ("one,diff_walk", set()),
    ],
)
def test_who_can_hardly_walk_needs_no_steps_however_it_is_written(cells: str, needs: set[str], tmp_path: Path) -> None:
    found = mapped(tmp_path, "kobo", {"main": MAIN.format("1"), "people": PEOPLE.format(f"1,1,40,male,{cells}")})
    (household,) = found.households
    assert household.needs == needs and "pregnant_or_nursing" in household.groups
    assert ("unknown_code" in codes(found)) == (",walk" in cells)


def test_a_form_whose_members_were_not_exported_is_told(tmp_path: Path) -> None:
    assert "mapping_no_table" in codes(mapped(tmp_path, "kobo", {"main": MAIN.format("no")}))


def test_two_submissions_of_one_index_are_a_fault(tmp_path: Path) -> None:
    main = MAIN.format("no") + "1,U2,1,Drohobych,lvivska,no\n"
    with pytest.raises(InputError, match=r"people.csv:2 _parent_index several_rows"):
        mapped(tmp_path, "kobo", {"main": main, "people": PEOPLE.format("1,1,40,male,two,diff_walk")})


def test_all_columns_of_a_tag_give_their_needs(tmp_path: Path) -> None:
    table = "a,b,c,d,e\n#meta+household+id,#affected+persons,#need+first,#need+second,#loc+current+name\n"
    found = mapped(tmp_path, "hxl", {"list": table + "F1,2,step_free,lift,Lviv\nF2,1,,lift,Lviv\n"})
    assert [household.needs for household in found.households] == [{"step_free", "lift"}, {"lift"}]
