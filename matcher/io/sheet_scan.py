"""The XML of a workbook's parts, run through once: no entities, no table larger than is read, and which cells say nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

MIB: Final = 1 << 20
_STRINGS: Final = "xl/sharedstrings.xml"
_CELL: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workbook may have: bytes of the file and unpacked, parts, rows and columns of a sheet, cells of its rectangle, and
    characters of all cells together (a text that stands once in the file may be that of a million cells)."""

    packed: int = 64 * MIB
    unpacked: int = 512 * MIB
    parts: int = 2_000
    rows: int = 300_000
    columns: int = 4_096
    cells: int = 20_000_000
    characters: int = 256 * MIB


LIMITS: Final = Limits()


class BadWorkbook(Exception):
    """A file that is no workbook to read. code: of the fault; message: what to do about it."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


def parse(data: bytes, handler: Handler) -> None:
    """Run through the XML of a part. Raises BadWorkbook for what is no XML, and for entities that it would define."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:  # an encoding that nobody knows is a LookupError
        raise BadWorkbook("bad_workbook", "a part of the workbook is damaged: open it and save it again") from error


def _no_doctype(*_: object) -> None:
    raise BadWorkbook("bad_workbook", "the workbook defines entities of its own, which no spreadsheet program does: it is not read")


class Handler:
    """Told of each element of a part, by name without prefix."""

    def start(self, _name: str, _attributes: dict[str, str]) -> None: ...
    def end(self, _name: str) -> None: ...
    def text(self, _data: str) -> None: ...


class _Strings(Handler):
    """How long each text is that cells share, in the order of their numbers."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "si":
            self.lengths.append(0)

    def text(self, data: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(data)


def string_lengths(parts: Mapping[str, bytes]) -> list[int]:
    strings = _Strings()
    for name, data in parts.items():
        if name.casefold() == _STRINGS:
            parse(data, strings)
    return strings.lengths


class SheetScan(Handler):
    """Where a sheet's cells stand, and which of them say nothing that could be read. left: characters that may still come."""

    def __init__(self, limits: Limits, lengths: list[int], left: int) -> None:
        self.spoilt: dict[tuple[int, int], str] = {}
        self.left = left
        self._limits = limits
        self._lengths = lengths
        self._shared: list[str] | None = None
        self._row = self._column = self._most_rows = self._most_columns = 0
        self._is_error = self._is_text = self._has_formula = self._has_value = self._in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "v":
            # Of a formula that was never computed libraries write an empty value; a computed text may be empty.
            self._in_value, self._has_value = True, self._is_text or not self._has_formula
        elif name == "is":
            self._has_value = True
        elif name == "c":
            kind = attributes.get("t")
            self._is_error, self._is_text = kind == "e", kind == "str"
            self._shared = [] if kind == "s" else None
            self._has_formula = self._has_value = False
            self._column += 1
            if "r" in attributes:
                self._place(attributes["r"])
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) < 9 else self._row + 1
            self._column = 0

    def text(self, data: str) -> None:
        if self._in_value and data.strip():
            self._has_value = True
        if self._shared is not None:
            self._shared.append(data)
        else:
            self._spend(len(data))

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == "v":
            self._in_value = False
        if name != "c":
            return
        if self._shared:
            number = "".join(self._shared).strip()
            known = number.isdecimal() and len(number) < 9 and int(number) < len(self._lengths)
            self._spend(self._lengths[int(number)] if known else 0)
        self._shared = None
        if self._is_error:
            self.spoilt[self._row, self._column] = "error_value"
        elif self._has_formula and not self._has_value:
            self.spoilt[self._row, self._column] = "formula_without_value"
        elif not self._has_value:
            return
        self._count()

    def _spend(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise BadWorkbook("too_large", "the cells of the workbook hold more text than is read: use CSV or Parquet files for that much")

    def _place(self, reference: str) -> None:
        found = _CELL.fullmatch(reference.replace("$", "").upper())
        if found is None:
            raise BadWorkbook("bad_workbook", "a cell of the workbook has no place: open it and save it again")
        self._column = 0
        for letter in found[1]:
            self._column = self._column * 26 + ord(letter) - 64
        self._row = int(found[2])

    def _count(self) -> None:
        """Libraries lay out the whole rectangle from the first cell to the last one."""
        self._most_rows, self._most_columns = max(self._most_rows, self._row), max(self._most_columns, self._column)
        limits = self._limits
        if self._most_rows > limits.rows:
            raise BadWorkbook(
                "too_large", f"a sheet has cells below row {limits.rows:,}: delete what stands there, or use CSV or Parquet files"
            )
        if self._most_columns > limits.columns:
            raise BadWorkbook("too_large", f"a sheet has cells right of column {limits.columns:,}: delete what stands there")
        if self._most_rows * self._most_columns > limits.cells:
            raise BadWorkbook("too_large", f"a sheet spans more than {limits.cells:,} cells: use CSV or Parquet files for that much")


class _Names(Handler):
    """The attributes of all elements of one name."""

    def __init__(self, wanted: str) -> None:
        self.found: list[dict[str, str]] = []
        self._wanted = wanted

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == self._wanted:
            self.found.append({key.rpartition(":")[2]: value for key, value in attributes.items()})


def sheet_names(parts: Mapping[str, bytes]) -> dict[str, str]:
    """Name of the sheet that each part holds, by the part's name without case."""
    by_name = {name.casefold(): data for name, data in parts.items()}
    sheets, targets = _Names("sheet"), _Names("Relationship")
    for part, names in (("xl/workbook.xml", sheets), ("xl/_rels/workbook.xml.rels", targets)):
        if part in by_name:
            parse(by_name[part], names)
    paths = {target.get("Id"): target.get("Target", "") for target in targets.found}
    found = {}
    for sheet in sheets.found:
        target = paths.get(sheet.get("id"), "")
        path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        found[path.casefold()] = sheet.get("name", "")
    return found


def column_letters(number: int) -> str:
    """The letters of a column of a sheet: 1 is A, 27 is AA."""
    letters = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
