"""Workbooks made to do harm, and damaged ones: a sentence and exit code 3, quickly, whatever is in them."""

from __future__ import annotations

import random
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from matcher.errors import InputError
from matcher.io import read_instance
from matcher.io.sheet_scan import BadWorkbook, Limits, column_letters
from matcher.io.unpack import unpack
from tests.books.making import SMALL, book, parts_changed

SHEET = "xl/worksheets/sheet1.xml"


def code_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_instance(path)
    (fault,) = caught.value.faults
    assert fault.file == path.name and fault.line == 0
    return fault.code


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """600 MiB of zeros are a few MiB packed; the header says that it is small, and the sum fits what is said."""
    path = book(tmp_path / "b.xlsx", SMALL)
    squeeze = zlib.compressobj(1, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    packed = b"".join(squeeze.compress(block) for _ in range(600)) + squeeze.flush()
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", packed)
        info = archive.infolist()[-1]
        info.compress_type, info.file_size, info.CRC = zipfile.ZIP_DEFLATED, 64, zlib.crc32(bytes(64))
    start = time.monotonic()
    assert code_of(path) == "too_large"
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    "doctype", [b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd">']
)
def test_entities_are_refused(doctype: bytes, tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        return data.replace(b"?>", b"?>" + doctype, 1) if name == SHEET else data

    assert code_of(parts_changed(book(tmp_path / "b.xlsx", SMALL), change)) == "bad_workbook"


def test_a_cell_at_the_far_corner_does_not_take_all_memory(tmp_path: Path) -> None:
    def change(name: str, data: bytes) -> bytes:
        return (
            data.replace(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>') if name == SHEET else data
        )

    assert code_of(parts_changed(book(tmp_path / "b.xlsx", SMALL), change)) == "too_large"


def test_one_long_text_in_many_cells_does_not_take_all_memory(tmp_path: Path) -> None:
    rows = [["household_id", "persons", "place"], *([f"H{i}", "x" * 20_000, "Lviv"] for i in range(200))]
    path = book(tmp_path / "b.xlsx", {**SMALL, "households": rows})
    with pytest.raises(BadWorkbook, match="more text"):
        unpack(path, Limits(characters=3_000_000))
    assert unpack(path, Limits(characters=5_000_000)).sheets == {"households", "accommodations"}


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"packed": 100}, "MiB"),
        ({"unpacked": 1000}, "unpacks"),
        ({"rows": 2}, "row 2"),
        ({"columns": 3}, "column 3"),
        ({"cells": 10}, "10 cells"),
        ({"parts": 5}, "5 parts"),
    ],
)
def test_each_limit_holds(limits: dict[str, int], words: str, tmp_path: Path) -> None:
    with pytest.raises(BadWorkbook, match=words) as caught:
        unpack(book(tmp_path / "b.xlsx", SMALL), Limits(**limits))
    assert caught.value.code == "too_large"


def test_macros_links_and_pictures_go_no_further(tmp_path: Path) -> None:
    more = {
        "xl/vbaProject.bin": b"MZ",
        "xl/externalLinks/externalLink1.xml": b"<x/>",
        "xl/media/image1.png": b"\x89PNG",
        "xl/drawings/d.xml": b"<x/>",
    }
    path = parts_changed(book(tmp_path / "b.xlsx", SMALL), lambda _, data: data, more)
    with zipfile.ZipFile(__import__("io").BytesIO(unpack(path).data)) as archive:
        assert not [name for name in archive.namelist() if name in more]
    codes = {notice.code for notice in read_instance(path).notices}
    assert {"macros_ignored", "links_ignored"} <= codes


def test_passwords_and_old_files(tmp_path: Path) -> None:
    path = tmp_path / "b.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    assert code_of(path) == "bad_workbook"
    path.write_bytes(b"household_id,persons\n")
    assert code_of(path) == "bad_workbook"
    path.write_bytes(b"")
    assert code_of(path) == "bad_workbook"
    assert code_of(tmp_path / "gone.xlsx") == "file_missing"


def test_a_sheet_laid_out_elsewhere_is_not_read_unseen(tmp_path: Path) -> None:
    """Where the parts of a sheet cannot be followed, its errors would be empty cells."""

    def change(name: str, data: bytes) -> bytes:
        return data.replace(b"xl/workbook.xml", b"xl/other.xml") if name in ("_rels/.rels", "[Content_Types].xml") else data

    path = book(tmp_path / "b.xlsx", SMALL)
    with zipfile.ZipFile(path) as archive:
        moved = {"xl/other.xml": archive.read("xl/workbook.xml"), "xl/_rels/other.xml.rels": archive.read("xl/_rels/workbook.xml.rels")}
    parts_changed(path, lambda name, data: None if name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels") else change(name, data), moved)
    assert code_of(path) == "bad_workbook"


def test_damaged_files_end_in_a_sentence(tmp_path: Path) -> None:
    """Bytes flipped, cut and put in, in the archive and in its parts: an instance or an InputError, never anything else."""
    whole = book(tmp_path / "whole.xlsx", SMALL).read_bytes()
    dice, outcomes = random.Random(5), {"read": 0, "refused": 0}
    for number in range(150):
        path = tmp_path / f"{number}.xlsx"
        data = bytearray(whole)
        if number % 2:
            path.write_bytes(whole)
            parts_changed(path, lambda name, part: _spoilt(dice, part) if name.startswith("xl/w") or "shared" in name else part)
        else:
            path.write_bytes(_spoilt(dice, bytes(data)))
        try:
            read_instance(path)
            outcomes["read"] += 1
        except InputError as error:
            assert error.faults
            outcomes["refused"] += 1
    assert outcomes["refused"] > 75, outcomes


def _spoilt(dice: random.Random, data: bytes) -> bytes:
    out = bytearray(data)
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(out))
        kind = dice.randrange(3)
        if kind == 0:
            out[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del out[at : at + dice.randint(1, 40)]
        else:
            out[at:at] = bytes(dice.randrange(256) for _ in range(5))
    return bytes(out)


def test_letters_of_columns() -> None:
    assert [column_letters(n) for n in (1, 26, 27, 702, 703, 16384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
