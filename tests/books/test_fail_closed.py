"""What says nothing, or cannot be read, is a fault and never an empty cell."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from matcher.errors import InputError
from matcher.io import read_instance
from matcher.io.mapping.spec import read_mapping
from matcher.io.sheet_scan import LIMITS, BadWorkbook, SheetScan, parse
from tests.io.sample import write


def spoilt(cells: str) -> dict[tuple[int, int], str]:
    scan = SheetScan(LIMITS, [], 1000)
    parse(f"<worksheet><sheetData><row r='1'>{cells}</row></sheetData></worksheet>".encode(), scan)
    return scan.spoilt


@pytest.mark.parametrize("empty", ["<v/>", "<v></v>", "<v> </v>", ""])
def test_a_formula_that_was_never_computed_is_a_fault_however_it_is_written(empty: str) -> None:
    assert spoilt(f'<c r=\'A1\'><f>IF(1,"yes","")</f>{empty}</c>') == {(1, 1): "formula_without_value"}


def test_a_formula_whose_text_is_empty_is_an_empty_cell() -> None:
    assert spoilt("<c r='A1' t='str'><f>B1</f><v></v></c><c r='B1'><f>1+1</f><v>2</v></c><c r='C1'><v>3</v></c>") == {}


def test_a_part_in_an_encoding_that_nobody_knows_is_a_damaged_one() -> None:
    with pytest.raises(BadWorkbook):
        parse(b"<?xml version='1.0' encoding='foo'?><worksheet/>", SheetScan(LIMITS, [], 1000))


def households(folder: Path, column: pa.Array, name: str) -> Path:
    folder.mkdir()
    (folder / "accommodations.csv").write_text("accommodation_id,place,capacity\nA1,Lviv,4\n", encoding="utf-8")
    columns = {"household_id": pa.array(["H1"]), "persons": pa.array([2]), "place": pa.array(["Lviv"]), name: column}
    pq.write_table(pa.table(columns), folder / "households.parquet")
    return folder


def test_bytes_in_parquet_are_text_or_a_fault(tmp_path: Path) -> None:
    assert read_instance(households(tmp_path / "good", pa.array(["Ї-1".encode()]), "household_id")).households[0].household_id == "Ї-1"
    with pytest.raises(InputError) as caught:
        read_instance(households(tmp_path / "bad", pa.array([b"\xff\xfe"]), "household_id"))
    assert [str(fault).split(" the ")[0] for fault in caught.value.faults] == ["households.parquet:1 household_id not_text"]


def test_records_and_lists_of_lists_in_parquet_are_faults_of_their_cells(tmp_path: Path) -> None:
    good = read_instance(households(tmp_path / "list", pa.array([["lift", "school"]]), "needs"))
    assert good.households[0].needs == {"lift", "school"}
    for name, column, value in (
        ("record", "needs", {"lift": True}),
        ("nested", "needs", [["lift"]]),
        ("listed", "origin", ["Lviv"]),
        ("listed id", "Household_ID", ["H1", "H2"]),
    ):
        with pytest.raises(InputError) as caught:
            read_instance(households(tmp_path / name, pa.array([value]), column))
        assert [str(fault)[:70] for fault in caught.value.faults][-1].startswith(
            f"households.parquet:{'0' if column == 'Household_ID' else '1'} {column.casefold()} "
            + ("duplicate_column" if column == "Household_ID" else "not_a_value")
        )


def test_a_mapping_tells_the_cell_of_a_parquet_export_that_is_no_value(tmp_path: Path) -> None:
    pq.write_table(pa.table({"ID": ["H1"], "N": [2], "Town": ["Lviv"], "Wants": pa.array([{"a": 1}])}), tmp_path / "export.parquet")
    (tmp_path / "own.toml").write_text(
        '[tables.all]\nhas = ["ID"]\n[households]\nfrom = "all"\n[households.columns]\n'
        'household_id = "ID"\npersons = "N"\nplace = "Town"\nwants = "Wants"\n',
        encoding="utf-8",
    )
    more = tmp_path / "more"
    more.mkdir()
    (more / "accommodations.csv").write_text("accommodation_id,place,capacity\nA1,Lviv,4\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_instance(tmp_path / "export.parquet", mapping=tmp_path / "own.toml", others=more)
    assert "export.parquet:1 Wants not_a_value" in str(caught.value)


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "Mars/Phobos")])
def test_a_date_that_no_calendar_has_is_a_fault(tmp_path: Path, kind: pa.DataType) -> None:
    with pytest.raises(InputError) as caught:
        read_instance(households(tmp_path / "odd", pa.array([2**60], kind), "waiting_since"))
    assert [fault.code for fault in caught.value.faults] == ["bad_parquet"]


def test_damaged_rows_of_parquet_are_a_fault(tmp_path: Path) -> None:
    folder = households(tmp_path / "damaged", pa.array(["x"]), "notes")
    path = folder / "households.parquet"
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(byte ^ 0x5A for byte in data[4:60])
    path.write_bytes(bytes(data))
    with pytest.raises(InputError) as caught:
        read_instance(folder)
    assert [fault.code for fault in caught.value.faults] == ["bad_parquet"]


@pytest.mark.parametrize("text", ['recodes = "x"\n', 'tables = []\n[households]\nfrom = "x"\n'])
def test_a_mapping_whose_tables_are_none_is_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_mapping(tmp_path / "odd.toml")
    assert "bad_mapping" in {fault.code for fault in caught.value.faults}


@pytest.mark.parametrize("code", ["SV", "SV - Sexual violence; DS-PM", "ds-pm|sv-va"])
def test_a_household_with_a_code_of_sexual_violence_is_protected_however_it_is_written(tmp_path: Path, code: str) -> None:
    people = "IndividualID,ProcessingGroupNumber,Relationship,SpecificNeeds,LocationLevel1,LocationLevel4\n"
    people += f"I-1,PG-1,PR,{code},Lviv,Drohobych\n"
    folder = write(tmp_path, {"individuals": people, "accommodations": "accommodation_id,place,capacity\nA1,Lviv,9\n"})
    assert [one.protected for one in read_instance(folder, mapping="progres", day=date(2026, 11, 22)).households] == [True]
