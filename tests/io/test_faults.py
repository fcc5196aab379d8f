"""Every fault code is found where it stands, alone and with others, and is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from matcher.errors import InputError
from matcher.io import FAULT_CODES, NOTICE_CODES, read_instance
from tests.io.fault_cases import CASES, Case, files_of
from tests.io.sample import MINIMAL, faults, read, write

PAGE = Path(__file__).parents[2] / "docs" / "format.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name[:60])
def test_exactly_these_faults(case: Case, tmp_path: Path) -> None:
    assert sorted(faults(tmp_path, files_of(case, MINIMAL), quarantine=case.quarantine)) == sorted(case.expected)


def test_the_minimal_instance_has_no_fault(tmp_path: Path) -> None:
    assert faults(tmp_path, MINIMAL) == []


def test_every_code_is_provoked() -> None:
    provoked = {expected.split()[-1] for case in CASES for expected in case.expected}
    # Tested in test_quarantine.py, below and in tests/books: they need more than a change of texts.
    elsewhere = {"names_quarantined_row", "file_unreadable"}
    elsewhere |= {
        "bad_workbook",
        "too_large",
        "bad_parquet",
        "not_text",
        "not_a_value",
        "error_value",
        "formula_without_value",
        "number_too_long",
    }
    elsewhere |= {"bad_mapping", "mapping_table", "no_parent", "several_rows", "no_lead", "several_leads"}
    assert provoked | elsewhere == set(FAULT_CODES)


def test_every_code_is_documented() -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert set(FAULT_CODES) | set(NOTICE_CODES) <= documented


def test_all_faults_of_all_files_at_once(tmp_path: Path) -> None:
    files = {
        "households": "household_id,persons,place\nH001,0,Lviv\nH001,1,Nowhereville\nH003,1\n",
        "accommodations": "accommodation_id,place,capacity\nA001,Lviv\n",
        "travel": "",
        "overrides": "household_id,action\nH009,hold\nH003,hold\n",
    }
    assert faults(tmp_path, files) == [
        "accommodations:2 - wrong_cell_count",
        "households:2 household_id duplicate_id",
        "households:2 persons out_of_range",
        "households:3 household_id duplicate_id",
        "households:3 place unknown_place",
        "households:4 - wrong_cell_count",
        "overrides:2 household_id unknown_household",
        "travel:0 - empty_file",
    ]


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_instance(tmp_path / "gone")
    assert [fault.code for fault in caught.value.faults] == ["file_missing"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, {"accommodations": MINIMAL["accommodations"]})
    (tmp_path / "households.csv").mkdir()
    with pytest.raises(InputError) as caught:
        read_instance(tmp_path)
    assert [(fault.file, fault.code) for fault in caught.value.faults] == [("households.csv", "file_unreadable")]


def test_messages_name_byte_and_conversion(tmp_path: Path) -> None:
    files = {**MINIMAL, "households": "household_id,persons,place\nH001,2,Львів\n".encode("cp1251")}
    with pytest.raises(InputError, match=r"byte 34 is not UTF-8.*--encoding cp1251"):
        read(tmp_path, files)


def test_no_message_shows_other_cells(tmp_path: Path) -> None:
    secret = "Olena +380501234567"
    header = "household_id,persons,place,phone,needs,lat,lon"
    rows = [f"H001,x,Lviv,{secret},a,1,", f'H002,1,Lviv,{secret},"a,{secret}",,', f"H002,{secret}", f'H004,"1,Lviv,{secret},,,']
    overrides = f"household_id,action,reason\nH001,hald,{secret}\n"
    with pytest.raises(InputError) as caught:
        read(tmp_path, {**MINIMAL, "households": "\n".join([header, *rows]), "overrides": overrides})
    assert len(caught.value.faults) >= 6
    assert "Olena" not in str(caught.value)


def test_long_and_odd_texts_are_cut_and_escaped(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, {**MINIMAL, "households": f'household_id,persons,place\nH001,"\x1b[31m\n{"9" * 99}",Lviv\n'})
    (fault,) = caught.value.faults
    assert "\x1b" not in fault.message and "\n" not in fault.message and "9" * 40 not in fault.message


def test_the_rest_of_a_long_list_of_lines_is_counted(tmp_path: Path) -> None:
    rows = "H001,1,Lviv\n" * 2000
    with pytest.raises(InputError) as caught:
        read(tmp_path, {**MINIMAL, "households": f"household_id,persons,place\n{rows}"})
    assert len(caught.value.faults) == 2000
    assert caught.value.faults[0].message == "'H001' also stands on lines 3, 4, 5, 6, 7 and 1994 more"


def test_the_name_of_a_place_is_answered_with_its_id(tmp_path: Path) -> None:
    files = {"places": "place_id,name,lat,lon\nP1,Hub Seven,50,30\n", "households": "household_id,persons,place\nH001,2,Hub Seven\n"}
    with pytest.raises(InputError, match="write the id there, 'P1'"):
        read(tmp_path, {**MINIMAL, **files})
