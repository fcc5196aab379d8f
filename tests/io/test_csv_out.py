"""What is written is read back to the letter, and no spreadsheet runs it."""

from __future__ import annotations

import tempfile
from datetime import date
from decimal import Decimal
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from matcher.io import read_instance
from matcher.io.csv_out import rows_text, write_rows

TEXTS = st.text(st.one_of(st.sampled_from("=+-@'\t\r\n,;\"#\u00a0 "), st.characters(codec="utf-8", exclude_characters="\0")), min_size=1)


def is_id(text: str) -> bool:
    """Ids are trimmed of outer spaces; text that starts with a tab or CR survives thanks to its guard."""
    kept = text if text[0] in "\t\r" else text.lstrip()
    return bool(text.strip()) and text.rstrip() == text and kept == text


@given(st.lists(TEXTS.filter(is_id), min_size=1, max_size=5, unique=True))
@example(["007", "NA", "null", "None", "=1+1", "'=1", "''", "дім", "a\nb", "a\r\nb", 'a"b', "a,b", "a;b", "\tx", "\rx", "-5", "@me"])
def test_ids_survive(ids: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "households.csv", ["household_id", "persons", "lat", "lon"], [[one, 1, 50.5, -0.25] for one in ids])
        write_rows(folder / "accommodations.csv", ["accommodation_id", "lat", "lon", "capacity"], [["A1", Decimal(50), 30, 2]])
        write_rows(folder / "overrides.csv", ["household_id", "action", "reason"], [[one, "hold", one] for one in ids])
        instance = read_instance(folder)
    assert [household.household_id for household in instance.households] == sorted(ids)
    assert sorted(str(override.reason) for override in instance.overrides) == sorted(ids)
    assert {household.spot.lon for household in instance.households} == {-0.25}


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_no_text_cell_starts_like_a_formula(cells: list[str]) -> None:
    for cell in cells:
        written = rows_text([], [[cell]]).removeprefix("\n").removeprefix('"')
        assert written[0] not in "=+-@\t\r"


def test_numbers_are_numbers() -> None:
    row = [-5, Decimal("-0.10"), 1e-7, 1e22, True, None, date(2026, 11, 22)]
    assert rows_text(["a"], [row]) == "a\n-5,-0.10,0.0000001,10000000000000000000000,yes,,2026-11-22\n"
