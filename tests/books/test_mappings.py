"""The other mappings that come with the program, on files as those systems write them."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from matcher.errors import InputError, UsageError
from matcher.io import read_instance
from matcher.io.mapping.parts import looked_up
from matcher.io.mapping.spec import read_mapping, shipped
from tests.books.making import book
from tests.io.sample import write
from tests.runs import matcher as command

DAY = date(2026, 11, 22)
OFFERS = "accommodation_id,place,capacity\nA1,Lviv,9\n"
PROGRES = (
    "IndividualID,ProcessingGroupNumber,RelationshipToPrincipalRepresentative,Sex,DateOfBirth,SpecificNeeds,LocationLevel1,LocationLevel4,RegistrationDate\n"
    "I-1,PG-1,Principal Representative,F,1950-11-23,ER-FR; DS-PM,Lviv,Drohobych,2026-11-01\n"
    "I-2,PG-1,SON,M,1980-01-01,,Lviv,Drohobych,2026-11-01\n"
    'I-3,PG-2,PR,F,1990-05-05,"SP-PT,SV-VA",Київська,Біла Церква,2026-11-02T10:00:00\n'
    "I-4,PG-2,Cousin,F,2015-11-22,SM-CC|XX-YY,Київська,Біла Церква,2026-11-02\n"
)
HMIS = {
    "Client": (
        "PersonalID,FirstName,DOB,Woman,Man,VeteranStatus\n"
        "P1,Ann,1960-01-01,1,0,0\nP2,Bob,2015-06-01,0,1,99\nP3,Cy,1990-02-02,0,1,1\nP4,Di,1991-01-01,1,0,0\n"
    ),
    "Enrollment": (
        "EnrollmentID,PersonalID,ProjectID,EntryDate,HouseholdID,RelationshipToHoH,EnrollmentCoC,DisablingCondition\n"
        "E1,P1,1,2026-10-01,H1,1,CA-500,0\nE2,P2,1,2026-10-01,H1,2,CA-500,1\nE3,P3,1,2026-10-05,H2,1,CA-501,0\nE4,P4,1,2026-09-05,H3,1,CA-501,0\n"
    ),
    "Exit": "ExitID,EnrollmentID,PersonalID,ExitDate\nX1,E4,P4,2026-11-01\n",
    "HealthAndDV": "HealthAndDVID,EnrollmentID,PersonalID,DomesticViolenceSurvivor,CurrentlyFleeing\nD1,E1,P1,1,0\nD2,E3,P3,0,0\n",
    "places": "place_id,name,lat,lon\nCA-500,San Jose,37.33,-121.88\nCA-501,San Francisco,37.77,-122.41\n",
    "accommodations": "accommodation_id,place,capacity\nA1,CA-500,9\n",
}


def test_every_mapping_that_is_shipped_is_tested_here() -> None:
    assert shipped() == ["hmis", "hxl", "kobo", "progres", "washington"]
    for name in shipped():
        assert read_mapping(name).blocks == read_mapping(f"{name}.toml").blocks


def test_progres(tmp_path: Path) -> None:
    folder = write(tmp_path, {"individuals": PROGRES, "accommodations": OFFERS})
    instance = read_instance(folder, mapping="progres", day=DAY)
    first, second = instance.households
    assert (first.household_id, first.persons, first.spot.name, first.needs, first.groups) == (
        "PG-1", 2, "Drohobych", {"step_free", "ground_floor"}, {"older_person", "disability"},
    )  # fmt: skip
    assert (second.needs, second.groups, second.protected, first.protected) == (
        {"medical_care"}, {"single_parent", "serious_medical_condition"}, True, False,
    )  # fmt: skip
    assert second.spot.adm1 == "UA32" and str(second.waiting_since) == "2026-11-02"
    assert [(m.member_id, m.relation, m.age) for m in instance.members] == [
        ("I-1", "head", 75), ("I-2", "child", 46), ("I-3", "head", 36), ("I-4", "other", 11),
    ]  # fmt: skip


def test_progres_with_the_offices_own_table_of_codes(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", {"individuals": PROGRES, "accommodations": OFFERS})
    (tmp_path / "our.toml").write_text(
        'extends = "progres"\n[recodes.needs]\n"ER-FR" = "medical_care lift"\n"XX-*" = "school"\n', encoding="utf-8"
    )
    first, second = read_instance(folder, mapping=tmp_path / "our.toml", day=DAY).households
    assert first.needs == {"step_free", "medical_care", "lift"} and second.needs == {"medical_care", "school"}


@pytest.mark.parametrize("spelt", ["ER_FR; DS_PM", "er-fr; ds-pm", "er_fr, Ds_Pm", "ER\u2013FR; DS\u2212PM"])
def test_codes_are_known_however_their_dash_and_letters_are_written(spelt: str, tmp_path: Path) -> None:
    changed = PROGRES.replace("ER-FR; DS-PM", f'"{spelt}"')
    assert changed != PROGRES
    first, _ = read_instance(write(tmp_path, {"individuals": changed, "accommodations": OFFERS}), mapping="progres", day=DAY).households
    assert first.needs == {"step_free", "ground_floor"} and first.groups == {"older_person", "disability"}


def test_a_spelling_that_fits_two_codes_is_neither() -> None:
    assert looked_up("a_b", {"a-b": "x", "a\u2013b": "y"}) is None and looked_up("a_b", {"a-b": "x", "a\u2013b": "x"}) == "x"
    assert (
        looked_up("a_b", {"a-b": "x", "a_b": "y"}) == "y" and looked_up("a_c", {"a-*": "z"}) == "z" and looked_up("b", {"a-*": "z"}) is None
    )


def test_codes_that_no_list_knows_are_told_with_their_rows(tmp_path: Path) -> None:
    changed = PROGRES.replace("M,1980-01-01,,", "M,1980-01-01,DS.PM XX-YY,")
    folder = write(tmp_path / "s", {"individuals": changed, "accommodations": OFFERS})
    instance = read_instance(folder, mapping="progres", day=DAY)
    told = [notice for notice in instance.notices if notice.code == "unknown_code"]
    assert [(n.file, n.line, n.message.split(" is in no list")[0]) for n in told] == [
        ("individuals.csv", 3, "'DS.PM' of `SpecificNeeds`"),
        ("individuals.csv", 3, "'XX-YY' of `SpecificNeeds`"),
    ]
    assert "(rows 3, 5)" in told[1].message and not any("SV" in n.message or "SP-PT" in n.message for n in told)
    done = command("map", folder, "--mapping", "progres", "--out", tmp_path / "out", "--json")
    columns = {column["column"]: column for column in json.loads(done.stdout)["columns"]}
    assert columns["SpecificNeeds"]["unknown_codes"] == {"DS.PM": [3], "XX-YY": [3, 5]} and columns["Sex"]["unknown_codes"] == {}
    shown = command("map", folder, "--mapping", "progres", "--out", tmp_path / "more").stdout
    assert next(line.split() for line in shown.splitlines() if "XX-YY" in line)[:3] == ["2", "rows", "'XX-YY'"]
    ours = tmp_path / "ours.toml"
    ours.write_text('extends = "progres"\n[recodes.needs]\n"XX-YY" = "school"\n"DS.PM" = ""\n', encoding="utf-8")
    assert not [n for n in read_instance(folder, mapping=ours, day=DAY).notices if n.code == "unknown_code"], "one list is enough"


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("I-1,PG-1,Principal", "I-1,PG-1,Cousin", "individuals.csv:2 ProcessingGroupNumber no_lead"),
        ("I-2,PG-1,SON", "I-2,PG-1,PR", "individuals.csv:3 ProcessingGroupNumber several_leads"),
        ("I-2,PG-1", "I-2,", "individuals.csv:3 ProcessingGroupNumber required"),
        ("1980-01-01", "01.01.1980", "individuals.csv:3 DateOfBirth not_a_date"),
        ("I-2,PG-1,SON,M", "I-2,PG-1,SON,Q", "individuals.csv:3 Sex unknown_word"),
        (",Lviv,Drohobych,2026-11-01\nI-2", ",Lvivv,Drohobych,2026-11-01\nI-2", "individuals.csv:2 LocationLevel1 unknown_oblast"),
    ],
)
def test_faults_of_progres_are_told_in_its_own_file(before: str, after: str, where: str, tmp_path: Path) -> None:
    assert before in PROGRES
    folder = write(tmp_path, {"individuals": PROGRES.replace(before, after, 1), "accommodations": OFFERS})
    with pytest.raises(InputError) as caught:
        read_instance(folder, mapping="progres", day=DAY)
    assert where in {f"{fault.file}:{fault.line} {fault.column} {fault.code}" for fault in caught.value.faults}


def test_hmis(tmp_path: Path) -> None:
    instance = read_instance(write(tmp_path, HMIS), mapping="hmis")
    first, second = instance.households
    assert (first.household_id, first.persons, first.spot.name, first.groups, first.protected) == (
        "H1",
        2,
        "San Jose",
        {"older_person", "disability"},
        True,
    )
    assert (second.household_id, second.persons, second.groups, second.protected) == ("H2", 1, {"veteran"}, False)
    assert [(m.relation, m.sex, m.age) for m in instance.members] == [("head", "f", 66), ("child", "m", 11), ("head", "m", 36)]
    assert [(n.file, n.code) for n in instance.notices if n.code == "mapping_left_out"] == [("Enrollment.csv", "mapping_left_out")]


def test_a_household_whose_head_has_left_is_told_as_what_it_is(tmp_path: Path) -> None:
    left = {**HMIS, "Exit": HMIS["Exit"] + "X2,E1,P1,2026-11-10\n"}
    with pytest.raises(InputError) as caught:
        read_instance(write(tmp_path, left), mapping="hmis")
    aside = read_instance(write(tmp_path, left), mapping="hmis", quarantine=True).set_aside
    told = "Enrollment.csv:2 HouseholdID no_lead nobody who is still in this household is its head"
    for faults in (caught.value.faults, [fault for row in aside for fault in row.faults]):
        assert any(str(fault).startswith(told) for fault in faults)
        assert not {"unknown_household", "cannot_quarantine"} & {fault.code for fault in faults}
    mended = {**left, "Enrollment": left["Enrollment"].replace("E2,P2,1,2026-10-01,H1,2,CA-500,1", "E2,P2,1,2026-10-01,H1,1,CA-500,0")}
    first, _ = read_instance(write(tmp_path, mended), mapping="hmis").households
    assert (first.household_id, first.persons, first.groups, first.protected) == ("H1", 1, frozenset(), True), "who left counts no more"
    gone = {**left, "Exit": left["Exit"] + "X3,E2,P2,2026-11-10\n"}
    assert [one.household_id for one in read_instance(write(tmp_path, gone), mapping="hmis").households] == ["H2"]


def test_hmis_without_the_client_of_an_enrollment(tmp_path: Path) -> None:
    files = {**HMIS, "Client": HMIS["Client"].replace("P2,", "P9,")}
    with pytest.raises(InputError, match=r"Enrollment.csv:3 PersonalID no_parent"):
        read_instance(write(tmp_path, files), mapping="hmis")


def test_washington_group_in_codes_and_in_words(tmp_path: Path) -> None:
    codes = "household_id,person_id,age,sex,place,VIS_SS,HEAR_SS,MOB_SS,COG_SS,SC_SS,COM_SS\n"
    codes += "H1,P1,40,F,Lviv,1,1,3,1,1,1\nH1,P2,8,M,Lviv,2,2,2,2,2,2\nH2,P3,61,F,Lviv,1,4,1,9,7,1\n"
    words = codes.replace("VIS_SS,HEAR_SS,MOB_SS,COG_SS,SC_SS,COM_SS", "seeing,hearing,walking,remembering,self_care,communicating")
    words = (
        words.replace("1,1,3,1,1,1", "none,none,a_lot,none,none,none")
        .replace("1,4,1,9,7,1", "none,cannot,none,dont_know,refused,none")
        .replace("2,2,2,2,2,2", "some,some,some,some,some,some")
    )
    for number, text in enumerate((codes, words)):
        instance = read_instance(write(tmp_path / str(number), {"people": text, "accommodations": OFFERS}), mapping="washington")
        first, second = instance.households
        assert (first.persons, first.needs, first.groups) == (2, {"step_free"}, {"disability"})
        assert (second.persons, second.needs, second.groups) == (1, frozenset(), {"disability", "older_person"})


def test_hxl_finds_its_columns_by_tags_alone(tmp_path: Path) -> None:
    households = [
        ["List of the week", None, None, None, None], ["Код", "Осіб", "Де", "Область", "Потреби"],
        ["#meta +id +household", "#affected+persons", "#loc+name+current", "#adm1+code", "#need"],
        ["F1", 3, "Drohobych", "UA46", "step_free, lift"], ["F2", 1, None, "UA53", None],
    ]  # fmt: skip
    offers = [["#meta+id+offer", "#capacity+persons", "#adm1+code", "#service+features"], ["O1", 4, "UA53", "lift step_free"]]
    path = book(tmp_path / "list.xlsx", {"persons of concern": households, "shelters": offers})
    instance = read_instance(path, mapping="hxl")
    assert [(h.household_id, h.persons, h.spot.name, sorted(h.needs)) for h in instance.households] == [
        ("F1", 3, "Drohobych", ["lift", "step_free"]), ("F2", 1, "Poltava", []),
    ]  # fmt: skip
    assert [(a.accommodation_id, a.capacity, a.features) for a in instance.accommodations] == [("O1", 4, {"lift", "step_free"})]


BASE = """[tables.t]
has = ["id"]
[households]
from = "t"
[households.columns]
household_id = "id"
persons = { value = "1" }
place = "where"
"""


@pytest.mark.parametrize(
    ("text", "key", "word"),
    [
        ("x = 1\n" + BASE, "x", "no part of a mapping"),
        (BASE.replace('from = "t"', 'from = "u"'), "households", "must be one of [tables]"),
        (BASE + 'colour = "id"\n', "households", "no such column"),
        (BASE + "needs = { colum = 'x' }\n", "households.columns.needs", "a rule needs one of"),
        (BASE + "needs = { column = 'id', recode = 'none' }\n", "households.columns.needs", "there is no [recodes.none]"),
        (BASE + "needs = { column = 'id', otherwise = 'keep' }\n", "households.columns.needs", "goes with `recode`"),
        (BASE + "needs = { count = 'people' }\n", "households.columns.needs", "none of the tables that belong"),
        (BASE + "needs = { column = 'id', of = 'main' }\n", "households.columns.needs", "of 'main'"),
        (BASE + "consent = { yes_if = { column = 'id' } }\n", "households.columns.consent", "with one of is, not"),
        (BASE + "arrives = { date = 'id', order = 'dym' }\n", "households.columns.arrives", "none of ymd"),
        (BASE.replace('has = ["id"]', "optional = true"), "tables.t", "says how to find a table"),
        (BASE.replace('has = ["id"]', 'has = ["idd"]'), "tables.t", "there are accommodations.csv, source.csv"),
        (BASE + "[broken", "", "is not TOML"),
        (BASE + "needs = { first = [] }\n", "households.columns.needs", "at least one in it"),
        (BASE + "needs = { words = ['id', 3] }\n", "households.columns.needs", "a rule is the name"),
        (BASE + "consent = { yes_if = { column = 'id', at_least = 'x' } }\n", "households.columns.consent", "`at_least` is a number"),
        (BASE + "needs = { column = 'id', recode = 3 }\n", "households.columns.needs", "`recode` is the name"),
        (BASE + "needs = { column = 'id', of = ['x'] }\n", "households.columns.needs", "cannot be understood"),
        (BASE.replace('from = "t"', 'from = "t"\nwhere = { any = 1 }'), "households.where", "`any` is a list"),
        (BASE.replace('from = "t"', 'from = "t"\nwhere = { column = "id" }'), "households.where", "with one of is, not"),
        (BASE.replace('from = "t"', 'from = "t"\ngroup = 1'), "households.group", "a rule is the name"),
        (BASE.replace('from = "t"', 'from = "t"\ngroup = "id"\nlead = { none = 3 }'), "households.lead", "`none` is a list"),
        ("title = 'x'\n", "", "makes nothing"),
        ("extends = 'self.toml'\n", "extends", "extends itself"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_told_by_its_key(text: str, key: str, word: str, tmp_path: Path) -> None:
    (tmp_path / "self.toml").write_text(text, encoding="utf-8")
    folder = write(tmp_path / "s", {"source": "id,where\nH1,Lviv\n", "accommodations": OFFERS})
    with pytest.raises(InputError) as caught:
        read_instance(folder, mapping=tmp_path / "self.toml")
    assert any(fault.file == "self.toml" and fault.column == key and word in fault.message for fault in caught.value.faults), (
        caught.value.faults
    )


@pytest.mark.parametrize(
    "asks",
    ['where = { column = "n", at_least = 3 }', 'group = "id"\nlead = { column = "n", at_least = 3 }', 'group = { sum = ["n"] }'],
)
def test_a_cell_that_leaves_open_whether_a_row_belongs_is_a_fault_of_that_cell(asks: str, tmp_path: Path) -> None:
    (tmp_path / "our.toml").write_text(BASE.replace('from = "t"', f'from = "t"\n{asks}'), encoding="utf-8")
    folder = write(tmp_path / "s", {"source": "id,where,n\nH1,Lviv,5\nH2,Lviv,many\nH3,Lviv,7\n", "accommodations": OFFERS})
    with pytest.raises(InputError) as caught:
        read_instance(folder, mapping=tmp_path / "our.toml")
    assert [(fault.file, fault.line, fault.column, fault.code) for fault in caught.value.faults] == [("source.csv", 3, "n", "not_a_number")]
    kept = read_instance(folder, mapping=tmp_path / "our.toml", quarantine=True)
    assert sorted(household.household_id for household in kept.households) == ["H1", "H3"]


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hmis, hxl, kobo, progres, washington"):
        read_instance(write(tmp_path, {"source": "id\n"}), mapping="kobbo")


def test_rules_one_by_one(tmp_path: Path) -> None:
    text = """
[tables.t]
name = "sour*"
[recodes.k]
a = "dog"
"b*" = "cat"
[households]
from = "t"
[households.columns]
household_id = { join = ["id", { value = "x" }], with = "-" }
persons = { sum = ["men", "women"] }
place = { settlement = "town", oblast = { oblast = "region" } }
max_rent = { first = ["rent", { value = "7" }] }
pets = { choices = "animals", recode = "k", otherwise = "empty" }
waiting_since = { date = "since", order = "dmy" }
priority = { column = "urgent", recode = { yes = "1" }, otherwise = "empty", default = "4" }
wants_return = { yes_if = { all = [{ column = "back", filled = true }, { none = [{ column = "back", is = ["no", "never"] }] }] } }
max_km = { column = "far", default = "300" }
"""
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    source = "id;men;women;town;region;rent;animals;since;urgent;back;far\n"
    source += "1;1;2;bila_tserkva;Київська;;a bb zz;05.11.2026 10:30;yes;soon;\n2;;1;Lviv;;3,5;;;maybe;never;40\n"
    folder = write(tmp_path / "s", {"source": source, "accommodations": OFFERS})
    first, second = read_instance(folder, mapping=tmp_path / "m.toml").households
    assert (first.household_id, first.persons, first.spot.adm1, str(first.max_rent), first.pets) == ("1-x", 3, "UA32", "7", {"dog", "cat"})
    assert (str(first.waiting_since), first.priority, first.wants_return, str(first.max_km)) == ("2026-11-05", 1, True, "300")
    assert (second.persons, second.priority, second.wants_return, second.waiting_since, str(second.max_km)) == (1, 4, False, None, "40")


def test_a_required_column_without_its_source_is_told_at_the_header(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(BASE, encoding="utf-8")
    folder = write(tmp_path / "s", {"source": "id,town\nH1,Lviv\n", "accommodations": OFFERS})
    with pytest.raises(InputError, match=r"source.csv:1 missing_column households.place .* source: where"):
        read_instance(folder, mapping=tmp_path / "m.toml")


def test_broken_rows_and_spoilt_cells_of_a_source(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(BASE, encoding="utf-8")
    folder = write(tmp_path / "s", {"source": 'id,where\nH1,Lviv\nH2,"Lviv\nH3,Lviv,9\nH4,Lviv\n', "accommodations": OFFERS})
    with pytest.raises(InputError) as caught:
        read_instance(folder, mapping=tmp_path / "m.toml")
    assert [(f.file, f.line, f.code) for f in caught.value.faults] == [
        ("source.csv", 3, "unclosed_quote"),
        ("source.csv", 4, "wrong_cell_count"),
    ]
    path = book(
        tmp_path / "s.xlsx",
        {
            "source": [["id", "where"], [12345678901234567, "Lviv"]],
            "accommodations": [["accommodation_id", "place", "capacity"], ["A", "Lviv", 1]],
        },
    )
    with pytest.raises(InputError, match=r"s.xlsx#source:2 id number_too_long .*cell A2, becomes households.household_id"):
        read_instance(path, mapping=tmp_path / "m.toml")


def test_who_is_protected_is_not_told_by_a_fault_of_a_mapped_tie(tmp_path: Path) -> None:
    ties = '[ties]\nfrom = "t"\nwhere = { column = "kin", filled = true }\n[ties.columns]\nhousehold_id = "id"\nplace = "kin"\n'
    text = BASE + 'protected = { yes_if = { column = "secret", is = "1" } }\n' + ties
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    folder = write(tmp_path / "s", {"source": "id,where,secret,kin\nH1,Lviv,1,Hideaway\nH2,Lviv,0,Elsewhere\n", "accommodations": OFFERS})
    with pytest.raises(InputError) as caught:
        read_instance(folder, mapping=tmp_path / "m.toml")
    assert "Hideaway" not in str(caught.value) and "Elsewhere" in str(caught.value)
