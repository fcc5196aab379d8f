"""Data frames mean what the files mean, and have the same faults."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from matcher.errors import InputError, UsageError
from matcher.io import instance_from_frames, instance_from_rows
from matcher.io.frames_in import cell_text
from matcher.model import Instance
from tests.io.fault_cases import BETWEEN, CELLS, ROWS, Case, files_of
from tests.io.sample import FULL, MINIMAL, read


def frames(files: dict[str, str]) -> dict[str, pd.DataFrame]:
    return {name: pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False) for name, text in files.items()}


def of_rows(instance: Instance) -> dict[str, object]:
    return instance.model_dump(exclude={"counts", "notices"})


def test_the_same_instance(tmp_path: Path) -> None:
    assert of_rows(instance_from_frames(**frames(FULL))) == of_rows(read(tmp_path, FULL))


# Frames have no malformed rows, and their text is not what a CSV reader of another kind makes of broken quotes.
SHAPED = [case for case in CELLS + ROWS + BETWEEN if "wrong_cell_count" not in " ".join(case.expected)]


@pytest.mark.parametrize("case", SHAPED, ids=lambda case: case.name[:60])
def test_the_same_faults(case: Case) -> None:
    files = {name: str(text) for name, text in files_of(case, MINIMAL).items()}
    with pytest.raises(InputError) as caught:
        instance_from_frames(**frames(files))
    # A file's line 2 is a frame's row 1; a frame's header has no line.
    shifted = [f"{f.file}:{f.line + 1} {f.column or '-'} {f.code}" for f in caught.value.faults]
    assert sorted(shifted) == sorted(case.expected)


def test_cells_of_every_type() -> None:
    households = pd.DataFrame(
        {
            "household_id": [7, 8],
            "persons": [2.0, 3.0],
            "lat": np.array([50, 51], dtype="int32"),
            "lon": [30.25, 31.5],
            "arrives": pd.to_datetime(["2026-11-22", None]),
            "leaves": [date(2026, 12, 1), None],
            "protected": [True, False],
            "wants_return": pd.array([True, None], dtype="boolean"),
            "needs": [["lift", "school"], None],
            "pets": [{"dog"}, float("nan")],
            "priority": pd.array([1, None], dtype="Int64"),
            "max_rent": [Decimal("7.50"), None],
        }
    )
    offers = pd.DataFrame({"accommodation_id": ["A"], "lat": [50.0], "lon": [30.0], "capacity": [4], "rooms": [[2, 2]]})
    instance = instance_from_frames(households=households, accommodations=offers)
    first, second = instance.households
    assert (first.household_id, first.persons, first.spot.lat, first.spot.lon) == ("7", 2, 50.0, 30.25)
    assert first.arrives == date(2026, 11, 22) and first.leaves == date(2026, 12, 1) and first.priority == 1
    assert first.protected and first.wants_return and first.needs == {"lift", "school"} and first.pets == {"dog"}
    assert first.max_rent == Decimal("7.50") and instance.accommodations[0].rooms == (2, 2)
    assert (second.arrives, second.leaves, second.priority, second.needs) == (None, None, 3, frozenset())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (float("nan"), ""),
        (pd.NaT, ""),
        (pd.NA, ""),
        (Decimal("NaN"), ""),
        ("NA", "NA"),
        (" '=1", " '=1"),
        (3.0, "3"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
        (0.1, "0.1"),
        (np.float32(0.1), "0.1"),
        (np.float64(2.5), "2.5"),
        (float("inf"), "inf"),
        (np.int64(-4), "-4"),
        (np.True_, "yes"),
        (False, "no"),
        (pd.Timestamp("2026-11-22"), "2026-11-22"),
        (datetime(2026, 11, 22, 10, tzinfo=UTC), "2026-11-22T10:00:00+00:00"),
        (("b", "a"), "b a"),
        (frozenset({"b", "a"}), "a b"),
        (Decimal("1E+3"), "1000"),
    ],
)
def test_cell_text(value: object, text: str) -> None:
    assert cell_text(value) == text


def test_text_of_a_frame_is_not_unguarded() -> None:
    files = frames(MINIMAL)
    files["households"].loc[0, "household_id"] = "'=1"
    assert instance_from_frames(**files).households[0].household_id == "'=1"


def test_half_a_surrogate_is_a_fault() -> None:
    files = {name: frame.astype(object) for name, frame in frames(MINIMAL).items()}
    files["households"].loc[1, "household_id"] = "H\ud800"
    with pytest.raises(InputError, match=r"households:2 bad_character"):
        instance_from_frames(**files)


class Odd:
    """Nothing that a cell can hold."""


@pytest.mark.parametrize("value", [{"a": 1}, [["lift"]], [{"a": 1}], Odd(), {"lift": 1}.items(), bytearray(b"lift"), np.zeros((1, 1))])
def test_what_is_no_cell_is_a_fault_that_tells_where(value: object) -> None:
    files = {name: frame.astype(object) for name, frame in frames(MINIMAL).items()}
    files["households"]["needs"] = pd.Series([value, None], dtype=object)
    with pytest.raises(InputError, match=r"households:1 needs not_a_value a cell holds text") as caught:
        instance_from_frames(**files)
    assert len(caught.value.faults) == 1
    kept = instance_from_frames(**files, quarantine=True)
    assert [(row.file, row.line) for row in kept.set_aside] == [("households", 1)]


def test_a_list_in_a_column_of_one_value_is_a_fault() -> None:
    files = {name: frame.astype(object) for name, frame in frames(MINIMAL).items()}
    files["households"].at[0, "household_id"] = ["H1", "H2"]
    with pytest.raises(InputError, match=r"households:1 household_id not_a_value"):
        instance_from_frames(**files)


def test_bytes_are_text_or_a_fault() -> None:
    assert cell_text("Ї".encode()) == "Ї"
    files = {name: frame.astype(object) for name, frame in frames(MINIMAL).items()}
    files["households"].loc[0, "household_id"] = b"\xff\xfe"
    with pytest.raises(InputError, match=r"households:1 household_id not_text"):
        instance_from_frames(**files)


def test_a_column_whose_name_is_no_text_is_a_fault() -> None:
    with pytest.raises(InputError, match=r"households:0 bad_header"):
        instance_from_rows({"households": [{"household_id": "H", "\ud800": 1}], "accommodations": []})


@pytest.mark.parametrize("rows", [5, "H1", [5], {"household_id": "H1"}])
def test_rows_that_are_none_are_refused(rows: Any) -> None:
    with pytest.raises(UsageError, match="households must be a list of rows"):
        instance_from_rows({"households": rows, "accommodations": []})


def test_faults_of_the_header() -> None:
    files = frames(MINIMAL)
    files["households"].columns = pd.Index(["household_id", "persons", "persons"])
    with pytest.raises(InputError) as caught:
        instance_from_frames(**files)
    assert [(f.file, f.line, f.code) for f in caught.value.faults] == [
        ("households", 0, "missing_column"),
        ("households", 0, "duplicate_column"),
    ]


def test_quarantine_and_empty_rows() -> None:
    households = pd.DataFrame({"household_id": ["H1", None, "H2"], "persons": [0, None, 2], "place": ["Lviv", None, "Lviv"]})
    instance = instance_from_frames(households=households, accommodations=frames(MINIMAL)["accommodations"], quarantine=True)
    assert [(row.line, row.id) for row in instance.set_aside] == [(1, "H1")] and len(instance.households) == 1
    assert [(count.file, count.rows_in) for count in instance.counts] == [("accommodations", 2), ("households", 2)]
