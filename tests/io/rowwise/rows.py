"""One row being read: its cells one by one, every fault kept, and the model at the end if there was none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from matcher.errors import Fault
from matcher.io.cells import CellError, number
from matcher.model import Notice, Row, Spot
from tests.io.rowwise.spots import Spots
from tests.io.rowwise.tables import RawRow, RawTable
from tests.io.rowwise.validate import Entry, Reference

T = TypeVar("T")
ReadRow = Callable[["RowReader"], Row | None]


class RowReader:
    """Reads the cells of one row of a table.

    `put` files what it reads under the field of the model, so that `make` can build it; an empty cell files nothing, and the
    model's default stands.
    """

    def __init__(self, table: RawTable, raw: RawRow, spots: Spots) -> None:
        self.table = table
        self.spots = spots
        self.values: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.notices: list[Notice] = []
        self.references: list[Reference] = []
        self._raw = raw

    def text(self, column: str) -> str:
        """The cell's text; "" where it is empty or the file has no such column."""
        position = self.table.columns.get(column)
        return "" if position is None else self._raw.cells[position]

    def fault(self, column: str, code: str, message: str) -> None:
        """Note a fault of this row."""
        self.faults.append(Fault(self.table.file, self._raw.line, column, code, message))

    def notice(self, code: str, message: str) -> None:
        """Note something that is no fault."""
        self.notices.append(Notice(file=self.table.file, line=self._raw.line, code=code, message=message))

    def parse(self, column: str, parse: Callable[[str], T], *, required: bool = False) -> T | None:
        """The cell's value; None where it is empty or faulty."""
        text = self.text(column)
        if not text:
            if required:
                self.fault(column, "required", f"fill `{column}`")
            return None
        try:
            return parse(text)
        except CellError as error:
            self.fault(column, error.code, error.message)
            return None

    def put(self, column: str, parse: Callable[[str], T], *, field: str = "", required: bool = False) -> T | None:
        """Like `parse`, and files the value under field (else under the column's name)."""
        value = self.parse(column, parse, required=required)
        if value is not None:
            self.values[field or column] = value
        return value

    def put_text(self, column: str, *, required: bool = False) -> str | None:
        """A cell of any text: ids, names, reasons."""
        return self.put(column, str, required=required)

    def put_number(self, column: str, highest: int | None = None) -> None:
        """A decimal number from 0 to highest."""
        if self.text(column):
            self.put(column, number(0, highest, decimal_comma=self.table.decimal_comma))

    def put_reference(self, column: str, sheet: str, *, required: bool = False) -> str | None:
        """A cell that names a row of another file."""
        value = self.put_text(column, required=required)
        if value is not None:
            self.references.append(Reference(column, sheet, value))
        return value

    def put_spot(self, *, required: bool = False) -> bool:
        """`place`, or `lat` and `lon`, or both: coordinates from the latter, all else from the former. Whether any is filled."""
        filled = [column for column in ("place", "lat", "lon") if self.text(column)]
        before = len(self.faults)
        named = self.parse("place", self.spots.resolve)
        lat = self.put_degrees("lat", 90, keep=False)
        lon = self.put_degrees("lon", 180, keep=False)
        if ("lat" in filled) != ("lon" in filled):
            self.fault("lon" if "lat" in filled else "lat", "half_a_coordinate", "`lat` and `lon` go together: fill both or neither")
        if required and not filled:
            self.fault("place", "required", "fill `place`, or `lat` and `lon`")
        if len(self.faults) > before:
            return bool(filled)
        if lat is not None and lon is not None:
            known = {} if named is None else {"key": named.key, "name": named.name, "adm1": named.adm1}
            self.values["spot"] = Spot(lat=lat, lon=lon, **known)
        elif named is not None:
            self.values["spot"] = named
        return bool(filled)

    def put_degrees(self, column: str, limit: int, *, keep: bool = True, required: bool = False) -> float | None:
        """A latitude or longitude in WGS84 degrees."""
        value = self.parse(column, number(-limit, limit, decimal_comma=self.table.decimal_comma), required=required)
        degrees = None if value is None else float(value)
        if keep and degrees is not None:
            self.values[column] = degrees
        return degrees

    def make(self, model: type[Row]) -> Row | None:
        """The row as a model, unless it has faults."""
        return None if self.faults else model(**self.values)


def read_rows(table: RawTable, read: ReadRow, spots: Spots) -> tuple[list[Entry], list[Notice]]:
    """Every row of a table as far as it can be read, and what is worth a notice."""
    entries: list[Entry] = []
    notices: list[Notice] = list(table.notices)
    for raw in table.rows:
        if raw.fault is not None:
            entries.append(_malformed(table, raw, raw.fault))
            continue
        reader = RowReader(table, raw, spots)
        row = read(reader)
        notices.extend(reader.notices)
        entries.append(_entry(table, raw, reader, row))
    return entries, notices


def _entry(table: RawTable, raw: RawRow, reader: RowReader, row: Row | None) -> Entry:
    return Entry(
        sheet=table.sheet.name,
        file=table.file,
        line=raw.line,
        id=reader.values.get(table.sheet.id_column),
        values=reader.values,
        references=tuple(reader.references),
        faults=_in_order(reader.faults),
        row=row,
    )


def _malformed(table: RawTable, raw: RawRow, fault: Fault) -> Entry:
    """A row whose cells may be shifted: nothing of it is shown, but what stands where the id should is remembered."""
    position = table.columns.get(table.sheet.id_column, len(raw.cells))
    guess = raw.cells[position] if position < len(raw.cells) else ""
    return Entry(table.sheet.name, table.file, raw.line, None, {}, faults=(fault,), malformed=True, guess=guess or None)


def _in_order(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults))
