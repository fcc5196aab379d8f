"""One file being read: its columns one by one, each distinct cell once, every fault kept with the rows that have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from matcher.columns import combined
from matcher.errors import Fault
from matcher.io.cells import CellError, number
from matcher.io.codebook import Column
from matcher.io.spots import Spots
from matcher.io.tables import Table
from matcher.model import Notice, Spot
from matcher.reading import Field, Flags, Reading, Reference

T = TypeVar("T")
ReadSheet = Callable[["SheetReader"], None]


class SheetReader:
    """Reads the columns of a table.

    `put` files what it reads under the field of the model; where nothing is filed, because the cell is empty or the file has no
    such column, the model's default stands.
    """

    def __init__(self, table: Table, spots: Spots) -> None:
        self.table = table
        self.spots = spots
        self.fields: dict[str, Field] = {}
        self._faults: dict[int, list[Fault]] = {}
        self._notices: list[tuple[int, Notice]] = []
        self._references: list[Reference] = []

    def reading(self) -> tuple[Reading, list[Notice]]:
        """What was read, and what is worth a notice, by row."""
        table = self.table
        self._take_cell_faults()
        reading = Reading(
            sheet=table.sheet.name,
            file=table.file,
            id_column=table.sheet.id_column,
            lines=table.lines,
            fields=self.fields,
            references=tuple(self._references),
            faults=self._faults,
            malformed=table.malformed,
            shown_line=str if table.trace is None else table.trace.line,
        )
        return reading, [notice for _, notice in sorted(self._notices, key=lambda found: found[0])]

    def _take_cell_faults(self) -> None:
        """Put faults that were known before the cells were read in place of what reading makes of such cells."""
        found = [fault for fault in self.table.cell_faults if not fault.column or fault.column in self.table.columns]
        rows = np.searchsorted(self.table.lines, np.array([fault.line for fault in found], dtype=np.int64)).tolist()
        spoilt = {(row, fault.column) for row, fault in zip(rows, found, strict=True)}
        for row in {row for row, _ in spoilt} & set(self._faults):
            self._faults[row] = [fault for fault in self._faults[row] if (row, fault.column) not in spoilt]
        for row, fault in zip(rows, found, strict=True):
            if row < len(self.table.lines) and self.table.lines[row] == fault.line:
                self._faults.setdefault(row, []).append(fault)
                self._empty(row, fault.column)

    def _empty(self, row: int, column: str) -> None:
        """Take the value of a cell away: what marks a spoilt cell is no id that others could have."""
        found = self.fields.get(column)
        if found is not None:
            codes = found.codes.copy()
            codes[row] = 0
            self.fields[column] = Field(codes, found.values)
            self._references = [replace(ref, field=self.fields[column]) if ref.column == column else ref for ref in self._references]

    def column(self, column: str) -> Column:
        """The cells of a column; all empty where the file has no such column."""
        found = self.table.columns.get(column)
        return Column(np.zeros(len(self.table.lines), dtype=np.int32), [None]) if found is None else found

    def filled(self, column: str) -> Flags:
        """Which cells of a column are not empty."""
        return np.asarray(self.column(column).codes != 0)

    def fault(self, rows: Flags, column: str, code: str, message: str) -> None:
        """Note a fault of some rows."""
        for row in np.flatnonzero(rows).tolist():
            self._add_fault(row, column, code, message)

    def notices(self, code: str, messages: Field) -> None:
        """Note something that is no fault about the rows that have a message."""
        told = np.array([message is not None for message in messages.values], dtype=bool)
        for row in np.flatnonzero(told[messages.codes]).tolist():
            line = int(self.table.lines[row])
            self._notices.append((row, Notice(file=self.table.file, line=line, code=code, message=messages.of(row))))

    def parse(self, column: str, parse: Callable[[str], T | None], *, required: bool = False) -> Field:
        """The values of a column; None where a cell is empty or faulty."""
        cells = self.column(column)
        if required:
            self.fault(cells.codes == 0, column, "required", f"fill `{column}`")
        return self.made(column, lambda text: None if text is None else parse(text), Field(cells.codes, cells.texts))

    def put(self, column: str, parse: Callable[[str], T | None], *, field: str = "", required: bool = False) -> Field:
        """Like `parse`, and files the values under field (else under the column's name)."""
        values = self.parse(column, parse, required=required)
        self.fields[field or column] = values
        return values

    def put_text(self, column: str, *, required: bool = False) -> Field:
        """Cells of any text: ids, names, reasons. The values are the column's texts, with the same codes."""
        cells = self.column(column)
        if required:
            self.fault(cells.codes == 0, column, "required", f"fill `{column}`")
        self.fields[column] = Field(cells.codes, cells.texts)
        return self.fields[column]

    def put_number(self, column: str, highest: int | None = None) -> Field:
        """Decimal numbers from 0 to highest."""
        return self.put(column, number(0, highest, decimal_comma=self.table.decimal_comma))

    def put_reference(self, column: str, sheet: str, *, required: bool = False) -> Field:
        """Cells that name rows of another file."""
        values = self.put_text(column, required=required)
        self._references.append(Reference(column, sheet, values))
        return values

    def put_spot(self, *, required: bool = False) -> Flags:
        """`place`, or `lat` and `lon`, or both: coordinates from the latter, all else from the former. Which rows have any."""
        place, lat, lon = (self.filled(column) for column in ("place", "lat", "lon"))
        named = self.parse("place", self.spots.resolve)
        north, east = self.degrees("lat", 90), self.degrees("lon", 180)
        half = "`lat` and `lon` go together: fill both or neither"
        self.fault(lat & ~lon, "lon", "half_a_coordinate", half)
        self.fault(lon & ~lat, "lat", "half_a_coordinate", half)
        if required:
            self.fault(~(place | lat | lon), "place", "required", "fill `place`, or `lat` and `lon`")
        spot = self.made("", _spot, named, north, east) if lat.any() or lon.any() else named
        broken = (place & ~read(named)) | (lat & ~read(north)) | (lon & ~read(east)) | (lat != lon)
        self.fields["spot"] = without(spot, broken)
        return place | lat | lon

    def degrees(self, column: str, limit: int, *, required: bool = False) -> Field:
        """Latitudes or longitudes in WGS84 degrees."""
        parse = number(-limit, limit, decimal_comma=self.table.decimal_comma)
        return self.parse(column, lambda text: float(parse(text)), required=required)

    def made(self, column: str, function: Callable[..., T | None], *fields: Field) -> Field:
        """What function makes of the values that stand together in a row: it is asked once for each combination of them.

        column: which one is at fault where it raises CellError; the row's value is then None.
        """
        if len(fields) == 1:
            codes = fields[0].codes
            combinations: list[tuple[Any, ...]] = [(value,) for value in fields[0].values]
        else:
            codes, first = combined([field.codes for field in fields], [len(field.values) for field in fields])
            columns = [[field.values[code] for code in field.codes[first].tolist()] for field in fields]
            combinations = list(zip(*columns, strict=True))
        values: list[T | None] = []
        errors: dict[int, CellError] = {}
        for combination in combinations:
            try:
                values.append(function(*combination))
            except CellError as error:
                errors[len(values)] = error
                values.append(None)
        if errors:
            self._spread(Field(codes, values), column, errors)
        return Field(codes, values)

    def _spread(self, field: Field, column: str, errors: Mapping[int, CellError]) -> None:
        """Give a fault to every row that has a cell, or a combination of cells, that could not be understood."""
        wrong = np.zeros(len(field.values), dtype=bool)
        wrong[list(errors)] = True
        for row in np.flatnonzero(wrong[field.codes]).tolist():
            error = errors[int(field.codes[row])]
            self._add_fault(row, column, error.code, error.message)

    def _add_fault(self, row: int, column: str, code: str, message: str) -> None:
        self._faults.setdefault(row, []).append(Fault(self.table.file, int(self.table.lines[row]), column, code, message))


def read(field: Field) -> Flags:
    """Which rows have a value."""
    return np.asarray(np.array([value is not None for value in field.values], dtype=bool)[field.codes])


def without(field: Field, rows: Flags) -> Field:
    """The same column with no value in some rows."""
    return Field(np.where(rows, len(field.values), field.codes), [*field.values, None]) if rows.any() else field


def _spot(named: Spot | None, lat: float | None, lon: float | None) -> Spot | None:
    if lat is None or lon is None:
        return named
    known = {} if named is None else {"key": named.key, "name": named.name, "adm1": named.adm1}
    return Spot(lat=lat, lon=lon, **known)


def read_sheet(table: Table, read_columns: ReadSheet, spots: Spots) -> tuple[Reading, list[Notice]]:
    """Every row of a table as far as it can be read, and what is worth a notice."""
    reader = SheetReader(table, spots)
    read_columns(reader)
    reading, notices = reader.reading()
    return reading, [*table.notices, *notices]
