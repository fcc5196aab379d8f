"""The results as a workbook and as Parquet: the same as the CSV files, typed, and never a formula."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.io.run_tables import results_workbook
from tests.books.making import book, tables_of

ROOT = Path(__file__).parents[2] / "instances"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    source = book(folder / "town.xlsx", tables_of(ROOT / "chasiv-yar"))
    done = CliRunner().invoke(
        app, ["solve", str(source), "--out", str(folder / "out"), "--date", "2026-11-22", "--parquet", "--effort", "0.2"]
    )
    assert done.exit_code == 0, done.output
    return folder / "out"


def grid(path: Path, sheet: str) -> list[list[object]]:
    import python_calamine

    return python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def test_the_workbook_says_what_the_files_say(run: Path) -> None:
    compared = 0
    for name in ("placements", "unplaced", "quarantined"):
        rows = list(csv.reader(io.StringIO((run / f"{name}.csv").read_text(encoding="utf-8"), newline="")))
        cells = grid(run / "results.xlsx", name)
        assert cells[0] == rows[0]
        for row, found in zip(rows[1:], cells[1:], strict=True):
            for text, cell in zip(row, found, strict=True):
                assert (float(text) == cell) if isinstance(cell, float) else (text == cell), (name, row, text, cell)
                compared += isinstance(cell, float)
    assert compared > 500, "numbers are numbers"


def test_protected_households_are_in_neither(run: Path) -> None:
    hidden = [row.split(",")[0] for row in (run / "placements_protected.csv").read_text().splitlines()[1:]]
    assert hidden and not (run / "placements_protected.parquet").exists()
    with zipfile.ZipFile(run / "results.xlsx") as archive:
        text = b"".join(archive.read(name) for name in archive.namelist()).decode("utf-8", "replace")
    for household in hidden:
        assert f">{household}<" not in text


def test_no_cell_is_a_formula_or_a_link(run: Path) -> None:
    with zipfile.ZipFile(run / "results.xlsx") as archive:
        sheets = [archive.read(name).decode() for name in archive.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 4
    for text in sheets:
        assert "<f" not in text.replace("<formula", "") and "<hyperlink" not in text
        assert "<pane" in text


def test_text_that_a_spreadsheet_would_run_is_guarded() -> None:
    texts = {
        "placements.csv": "household_id,persons\n'=1+1,2\n'@SUM(A1),3\n",
        "unplaced.csv": "household_id\nhttp://example.org\n",
        "summary.json": json.dumps({"options": {"date": "2026-11-22"}, "warnings": ["=cmd|' /C calc'!A0"]}),
    }
    with zipfile.ZipFile(io.BytesIO(results_workbook(texts))) as archive:
        everything = b"".join(archive.read(name) for name in archive.namelist() if name.startswith("xl/")).decode("utf-8", "replace")
    assert not re.search(r"<f[ >]", everything) and "<hyperlink" not in everything
    assert ">'=1+1<" in everything and ">'@SUM(A1)<" in everything


def test_the_same_bytes_each_time(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in run.iterdir() if path.suffix in (".csv", ".json")}
    assert results_workbook(texts) == (run / "results.xlsx").read_bytes()
    assert oct((run / "results.xlsx").stat().st_mode)[-3:] == "600"


def test_parquet_has_the_same_rows_and_types(run: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = parquet.read_table(run / "placements.parquet")
    rows = list(csv.DictReader(io.StringIO((run / "placements.csv").read_text(encoding="utf-8"), newline="")))
    assert str(table.schema.field("persons").type) == "int64" and str(table.schema.field("km").type) == "double"
    for row, found in zip(rows, table.to_pylist(), strict=True):
        for name, text in row.items():
            assert (found[name] is None) if text == "" else (str(found[name]) == text or float(found[name]) == float(text)), name


def test_a_folder_gets_a_workbook_when_asked(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "households.csv").write_text("household_id,persons,place\nH1,2,Lviv\n")
    (small / "accommodations.csv").write_text("accommodation_id,place,capacity\nA1,Lviv,4\n")
    arguments = ["solve", str(small), "--out", str(tmp_path / "out"), "--date", "2026-11-22"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert not (tmp_path / "out" / "results.xlsx").exists()
    assert CliRunner().invoke(app, [*arguments, "--workbook"]).exit_code == 0
    assert grid(tmp_path / "out" / "results.xlsx", "placements")[1][0] == "H1"
    assert CliRunner().invoke(app, arguments).exit_code == 0, "a run's folder with a workbook is replaced"
    assert not (tmp_path / "out" / "results.xlsx").exists()
