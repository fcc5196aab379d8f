"""A workbook is read as the folder with the same rows, and what a spreadsheet does to cells is undone or said."""

from __future__ import annotations

import datetime as dt
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.errors import InputError, UsageError
from matcher.io import read_instance
from tests.books.making import SMALL, book, faults_of, parts_changed, tables_of
from tests.io.fault_cases import CASES, files_of
from tests.io.sample import FULL, MINIMAL, read, write

ROOT = Path(__file__).parents[2] / "instances"
ROWS = ("households", "members", "accommodations", "ties", "travel", "places", "standing", "overrides")


@pytest.mark.parametrize("name", ["chasiv-yar", "hard-night", "pokrovsk-month"])
def test_an_example_reads_the_same(name: str, tmp_path: Path) -> None:
    folder, workbook = read_instance(ROOT / name), read_instance(book(tmp_path / "all.xlsx", tables_of(ROOT / name)))
    assert workbook.sha256 == folder.sha256
    for field in ROWS:
        assert getattr(workbook, field) == getattr(folder, field), field
    assert [count.file.partition("#")[2] for count in workbook.counts] == [count.file.removesuffix(".csv") for count in folder.counts]


def test_faults_of_cells_are_those_of_csv_with_the_cell(tmp_path: Path) -> None:
    tried = 0
    for number, case in enumerate(CASES):
        files = files_of(case, MINIMAL)
        if case.quarantine or any(isinstance(text, bytes) or '"' in text or not text.strip() for text in files.values()):
            continue
        csv, xlsx = tmp_path / f"csv{number}", tmp_path / f"{number}.xlsx"
        write(csv, files)
        tables = tables_of(csv)
        if any(len({len(row) for row in rows if any(row)}) > 1 for rows in tables.values()) or any(
            not rows or not rows[0] or ";" in rows[0][0] for rows in tables.values()
        ):
            continue  # a sheet has no rows of another width
        wanted = sorted(case.expected)
        if any("file_" in fault or "bad_header" in fault for fault in wanted):
            continue
        if len({name.casefold() for name in tables}) < len(tables):
            continue  # nor has a workbook two sheets of one name
        assert sorted(faults_of(book(xlsx, tables))) == wanted, case.name
        tried += 1
    assert tried > 60


def test_every_fault_of_a_cell_names_the_cell(tmp_path: Path) -> None:
    tables = {**SMALL, "households": [*SMALL["households"], ["H003", "two", "Lviv", "yes", None]]}
    with pytest.raises(InputError) as caught:
        read_instance(book(tmp_path / "b.xlsx", tables))
    (fault,) = caught.value.faults
    assert (fault.file, fault.line, fault.column) == ("b.xlsx#households", 4, "persons")
    assert fault.message.endswith("(cell B4)")


def test_typed_cells_are_what_they_show(tmp_path: Path) -> None:
    households = [
        ["household_id", "persons", "lat", "lon", "waiting_since", "protected", "max_rent"],
        ["007", 2, 48.5, 37.25, dt.date(2026, 11, 20), False, 0.1 + 0.2],
        [42, 1.0, 50, 30, None, "", 12],
    ]
    instance = read_instance(book(tmp_path / "b.xlsx", {**SMALL, "households": households}))
    first, second = instance.households
    assert (first.household_id, first.waiting_since, first.protected, str(first.max_rent)) == ("007", dt.date(2026, 11, 20), False, "0.3")
    assert (second.household_id, second.persons, second.spot.lat) == ("42", 1, 50.0)


def test_a_time_of_day_is_no_date(tmp_path: Path) -> None:
    households = [["household_id", "persons", "place", "arrives"], ["H1", 1, "Lviv", dt.datetime.fromisoformat("2026-11-22T14:30")]]
    assert faults_of(book(tmp_path / "b.xlsx", {**SMALL, "households": households})) == ["households:2 arrives not_a_date"]


def test_errors_and_formulas_without_a_value_are_faults_of_their_cells(tmp_path: Path) -> None:
    """A library gives both as an empty cell. An empty `protected` would be `no`."""
    path = book(
        tmp_path / "b.xlsx",
        {**SMALL, "households": [["household_id", "persons", "place", "protected"], ["H1", 1, "Lviv", "x"], ["y", 1, "Lviv", ""]]},
    )

    def change(name: str, data: bytes) -> bytes:
        if name != "xl/worksheets/sheet1.xml":
            return data
        text = data.decode()
        start, end = text.index('<c r="D2"'), text.index("</c>", text.index('<c r="D2"')) + 4
        text = text[:start] + '<c r="D2"><f>A1=B1</f></c>' + text[end:]
        start, end = text.index('<c r="A3"'), text.index("</c>", text.index('<c r="A3"')) + 4
        return (text[:start] + '<c r="A3" t="e"><v>#N/A</v></c>' + text[end:]).encode()

    parts_changed(path, change)
    assert faults_of(path) == ["households:2 protected formula_without_value", "households:3 household_id error_value"]
    with pytest.raises(InputError, match="D2"):
        read_instance(path)


@pytest.mark.parametrize("error", ["#REF!", "#SPILL!", "Err:502", ""])
def test_a_row_with_nothing_but_an_error_is_a_row(error: str, tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", {**SMALL, "ties": [["household_id", "place"], ["H001", "Lviv"], ["z", None]]})

    def change(name: str, data: bytes) -> bytes:
        return (
            re.sub(rb'<c r="A3" t="s"><v>[0-9]+', b'<c r="A3" t="e"><v>' + error.encode(), data)
            if name == "xl/worksheets/sheet3.xml"
            else data
        )

    found = faults_of(parts_changed(path, change))
    assert "ties:3 household_id error_value" in found


def test_numbers_that_a_spreadsheet_has_cut_are_faults(tmp_path: Path) -> None:
    households = [["household_id", "persons", "place"], [12345678901234567, 1, "Lviv"], ["12345678901234567", 1, "Lviv"]]
    assert faults_of(book(tmp_path / "b.xlsx", {**SMALL, "households": households})) == ["households:2 household_id number_too_long"]


def test_lines_are_rows_of_the_sheet(tmp_path: Path) -> None:
    """Empty rows above, between and below; the HXL row."""
    rows = [
        [],
        [],
        ["household_id", "persons", "place"],
        ["#meta+id", "#affected", "#loc"],
        [],
        ["H1", 1, "Lviv"],
        [None, None, None],
        ["H2", "x", "Lviv"],
    ]
    assert faults_of(book(tmp_path / "b.xlsx", {**SMALL, "households": rows})) == ["households:8 persons not_a_whole_number"]


def test_names_of_sheets_count_without_case_and_strangers_are_named(tmp_path: Path) -> None:
    tables = {
        "Households ": SMALL["households"],
        "accommodations.csv": SMALL["accommodations"],
        "Tiez": [["household_id"], ["H001"]],
        "guide": [["x"]],
    }
    instance = read_instance(book(tmp_path / "b.xlsx", tables))
    assert len(instance.households) == 2
    assert [(n.file, n.code) for n in instance.notices if n.code == "unknown_file"] == [("b.xlsx#Tiez", "unknown_file")]


def test_a_sheet_twice_or_missing(tmp_path: Path) -> None:
    twice = {**SMALL, "households.csv": SMALL["households"]}
    assert faults_of(book(tmp_path / "a.xlsx", twice)) == ["households:0 - file_name"]
    assert faults_of(book(tmp_path / "b.xlsx", {"households": SMALL["households"]})) == ["accommodations:0 - file_missing"]


def test_cells_beside_the_table_are_named_not_read(tmp_path: Path) -> None:
    rows = [["household_id", "persons", "place", None, "notes"], ["H1", 1, "Lviv", "Olena", "+380"]]
    instance = read_instance(book(tmp_path / "b.xlsx", {**SMALL, "households": rows}))
    (notice,) = [n for n in instance.notices if n.code == "unknown_columns"]
    assert "(column D)" in notice.message and "notes" in notice.message and "Olena" not in notice.message


def test_quarantine_counts_a_household_of_a_workbook(tmp_path: Path) -> None:
    rows = [["household_id", "persons", "place"], ["H1", 3, "Nowhereville"], ["H2", 1, "Lviv"]]
    path, out = book(tmp_path / "b.xlsx", {**SMALL, "households": rows}), tmp_path / "out"
    done = CliRunner().invoke(app, ["solve", str(path), "--out", str(out), "--quarantine", "--date", "2026-11-22"])
    assert done.exit_code == 0, done.output
    assert "H1,3,3,quarantined" in (out / "unplaced.csv").read_text()
    assert "b.xlsx#households,2,H1,place,unknown_place" in (out / "quarantined.csv").read_text()
    assert CliRunner().invoke(app, ["verify", str(path), str(out)]).exit_code == 0


def test_parquet_reads_as_csv(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    wanted = read(tmp_path / "csv", FULL)
    folder = tmp_path / "parquet"
    folder.mkdir()
    for name, rows in tables_of(tmp_path / "csv").items():
        columns = {column: [row[c] or None for row in rows[1:]] for c, column in enumerate(rows[0])}
        if "persons" in columns:
            columns["persons"] = [int(value) for value in columns["persons"]]
        parquet.write_table(pyarrow.table(columns), folder / f"{name}.parquet")
    found = read_instance(folder)
    assert found.sha256 == wanted.sha256
    (folder / "households.csv").write_text(FULL["households"])
    with pytest.raises(InputError, match="keep one of them"):
        read_instance(folder)
    (folder / "households.csv").unlink()
    (folder / "ties.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(InputError, match=r"ties.parquet:0 bad_parquet"):
        read_instance(folder)


@pytest.mark.parametrize(("module", "extra"), [("python_calamine", "xlsx"), ("pyarrow", "parquet")])
def test_a_build_without_the_extra_says_so(module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    path = book(tmp_path / "b.xlsx", SMALL)
    if extra == "parquet":
        path = write(tmp_path / "folder", MINIMAL)
        (path / "ties.parquet").write_bytes(b"")
    done = CliRunner().invoke(app, ["validate", str(path)])
    assert done.exit_code == 2
    assert f"shelter-matcher[{extra}]" in done.output


@pytest.mark.parametrize("suffix", [".xls", ".xlsm", ".ods", ".xlsb"])
def test_other_workbooks_are_refused_with_a_sentence(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"b{suffix}"
    path.write_bytes(b"x")
    with pytest.raises(UsageError, match=r"save it as \.xlsx"):
        read_instance(path)
    assert CliRunner().invoke(app, ["validate", str(path)]).exit_code == 2
