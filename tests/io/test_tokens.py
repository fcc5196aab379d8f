"""The tokenizer against the standard library where that is strict enough, and beyond it where it forgives."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matcher.io.tokens import Undecodable, decode, split_records

CELLS = st.text(alphabet=st.sampled_from("ab ,;\"\n\r'#="), max_size=6)
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))


@given(TABLES, st.sampled_from(",;"), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_by_the_book_is_read_back(rows: list[list[str]], delimiter: str, end: str) -> None:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(rows)
    records = list(split_records(text.getvalue(), delimiter))
    assert [list(record.cells) for record in records] == rows
    assert not any(record.problem for record in records)


@given(st.text(alphabet=st.sampled_from('ab,"\n\r'), max_size=40))
def test_no_line_is_lost_or_read_twice(text: str) -> None:
    records = list(split_records(text, ","))
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    count = len(lines) - (lines[-1] == "")
    assert [record.line for record in records] == [1, *(record.last_line + 1 for record in records[:-1])][: len(records)]
    assert (records[-1].last_line if records else 0) == count


@given(st.lists(st.text(alphabet="ab", max_size=3), min_size=2, max_size=5), st.integers(0, 20), st.integers(0, 4))
def test_an_open_quote_costs_one_row(cells: list[str], row: int, column: int) -> None:
    column %= len(cells)
    rows = [list(cells) for _ in range(21)]
    rows[row][column] = '"' + rows[row][column]
    header = ",".join("h" for _ in cells)
    records = list(split_records("\n".join([header, *map(",".join, rows)]), ","))
    assert [record.line for record in records if record.problem] == [row + 2]
    assert [list(record.cells) for record in records[1:] if not record.problem] == [list(cells)] * 20


@pytest.mark.parametrize("byte", [0, 5, 9])
def test_the_first_bad_byte_is_named(byte: int) -> None:
    data = b"a\nb\nc\nd\nefg"
    with pytest.raises(Undecodable, match=f"byte {byte} "):
        decode(data[:byte] + b"\xff\x41" + data[byte:], "utf-8")


def test_marks_do_not_shift_the_offset() -> None:
    with pytest.raises(Undecodable, match="byte 5 "):
        decode(b"\xef\xbb\xbfab\xff", "utf-8-sig")
    assert decode(b"\xef\xbb\xbfab", "utf-8") == "ab"
