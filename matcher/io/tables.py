"""From records to tables: the header, and rows that have a cell for each of its columns."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from matcher.errors import Fault
from matcher.i18n import mark
from matcher.io.cells import shown
from matcher.io.codebook import Codebooks, Codes, Column, clean, has_no_text
from matcher.io.columns import SHEETS, Sheet
from matcher.io.tokens import Batch, Record, RecordReader, is_blank
from matcher.io.values import SPOILT
from matcher.model import Notice
from matcher.reading import Flags, Ints, Malformed

_NO_CODES: Codes = np.zeros(0, dtype=np.int32)


def _no_lines() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Table:
    """One file before its cells are understood.

    sheet: which of the format's files. file: its name for messages. columns: each known one, in the header's order. lines: where
    each row starts, shape (N,). malformed: rows beside these whose cells cannot be told apart. decimal_comma: whether numbers
    may have one. faults: of the file as a whole; there are then no rows. cell_faults: found before the cells became text; such a
    cell is not judged again. trace: where the rows come from, if it is not this file as it stands.
    """

    sheet: Sheet
    file: str
    columns: Mapping[str, Column] = field(default_factory=dict)
    lines: Ints = field(default_factory=_no_lines)
    malformed: tuple[Malformed, ...] = ()
    decimal_comma: bool = False
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()
    cell_faults: tuple[Fault, ...] = ()
    trace: Trace | None = None


class Trace(Protocol):
    """Leads from a table back to what its rows were made from, for people who have to mend it there."""

    def fault(self, fault: Fault) -> Fault:
        """The fault at its place in the source."""

    def notice(self, notice: Notice) -> Notice:
        """The notice at its place in the source."""

    def line(self, line: int) -> str:
        """How a message names a row, by its line in the table."""


def table_from_text(name: str, file: str, text: str, books: Codebooks) -> Table:
    """A file of the format from its decoded text. name: the sheet, as in `SHEETS`."""
    delimiter = _delimiter(SHEETS[name], text)
    reader = RecordReader(text, delimiter)
    header = _header(reader)
    if header is None:
        return failed_table(name, file, 0, "empty_file", "the file is empty; it needs at least its header line")
    if header.problem or has_no_text("".join(header.cells)):
        message = "the header line cannot be read: a quote that does not belong there, or the file is no plain text (UTF-16?)"
        return failed_table(name, file, header.line, "bad_header", message)
    return make_table(name, file, header.cells, reader.batches(), books, header_line=header.line, decimal_comma=delimiter == ";")


def make_table(
    name: str,
    file: str,
    header: Sequence[str],
    batches: Iterable[Batch],
    books: Codebooks,
    *,
    header_line: int,
    decimal_comma: bool = False,
) -> Table:
    """A table from its header and records: also for sheets of a workbook and for data frames."""
    sheet = SHEETS[name]
    names = [cell.strip().casefold() for cell in header]
    if has_no_text("".join(header)):
        message = "the name of a column has a character that is no text (NUL or half a surrogate pair)"
        return failed_table(name, file, header_line, "bad_header", message)
    faults = [*_missing(sheet, file, header_line, names), *_doubled(sheet, file, header_line, names)]
    if faults:
        return Table(sheet, file, faults=tuple(faults))
    rows = _Rows(sheet, file, names, books)
    for batch in batches:
        rows.add(batch)
    notices = _unknown(sheet, file, header_line, header) + rows.notices
    columns, lines, malformed = rows.gathered()
    return Table(sheet, file, columns, lines, malformed, decimal_comma, notices=tuple(notices))


def spoilt_faults(file: str, header: Sequence[str], spoilt: Mapping[tuple[int, int], str]) -> tuple[Fault, ...]:
    """The faults of cells that nothing could be made of. spoilt: code by line and position of the column, from 0."""
    return tuple(
        Fault(file, line, header[position].strip().casefold(), code, SPOILT[code]) for (line, position), code in sorted(spoilt.items())
    )


def failed_table(name: str, file: str, line: int, code: str, message: str) -> Table:
    """A file that cannot be read at all."""
    return Table(SHEETS[name], file, faults=(Fault(file, line, "", code, message),))


class _Rows:
    """Takes in the records below a header, and keeps of each known column the numbers of its cells."""

    def __init__(self, sheet: Sheet, file: str, names: Sequence[str], books: Codebooks) -> None:
        self.notices: list[Notice] = []
        self._sheet, self._file, self._names, self._guarded = sheet, file, names, books.guarded
        self._books = {position: books.book(name) for position, name in enumerate(names) if sheet.knows(name)}
        self._strange = [position for position in range(len(names)) if position not in self._books]
        self._codes: dict[int, list[Codes]] = {position: [] for position in self._books}
        self._lines: list[Ints] = []
        self._malformed: list[Malformed] = []
        self._begun = False

    def add(self, batch: Batch) -> None:
        """Take in the records that follow those of the batch before."""
        tags = None if self._begun else self._tags(batch)
        if tags is not None:
            self.notices.append(Notice.of(self._file, "hxl_row", mark("read as HXL tags and skipped")).at(tags))
        for record in batch.odd:
            if record.problem:
                self._set_apart(record.line, record.cells, record.problem, _PROBLEMS[record.problem])
            elif record.line != tags and any(map(str.strip, record.cells)):
                count = len(record.cells)
                message = f"the row has {count} cell{'' if count == 1 else 's'}, the header has {len(self._names)}"
                self._set_apart(record.line, record.cells, "wrong_cell_count", message)
        if batch.lines:
            lines = np.array(batch.lines, dtype=np.int64)
            self._number(lines, batch.columns, lines != tags)

    def gathered(self) -> tuple[dict[str, Column], Ints, tuple[Malformed, ...]]:
        """(known columns by name, line of each row, malformed rows)."""
        columns = {self._names[p]: book.column(np.concatenate([_NO_CODES, *self._codes.pop(p)])) for p, book in self._books.items()}
        return columns, np.concatenate([_no_lines(), *self._lines]), tuple(self._malformed)

    def _tags(self, batch: Batch) -> int | None:
        """The line of HXL tags: they stand in the first record below the header that is not empty."""
        sound = ((line, [column[row] for column in batch.columns], "") for row, line in enumerate(batch.lines))
        odd = ((record.line, record.cells, record.problem) for record in batch.odd)
        for line, cells, problem in heapq.merge(sound, odd, key=lambda record: record[0]):
            texts = [text for text in (clean(cell, self._guarded) for cell in cells) if text]
            if texts or problem:
                self._begun = True
                return line if not problem and all(text.startswith("#") for text in texts) else None
        return None

    def _number(self, lines: Ints, cells: Sequence[Sequence[str]], wanted: Flags) -> None:
        """Number the cells of rows that are as wide as the header. cells: by column. wanted: the rows that count."""
        count = len(lines)
        codes = {p: np.fromiter(map(book.__getitem__, cells[p]), np.int32, count) for p, book in self._books.items()}
        blank = ~wanted | self._blank(codes, cells)
        no_text = ~blank & self._no_text(codes, cells)
        for row in np.flatnonzero(no_text).tolist():
            message = "a character that is no text (NUL or half a surrogate pair)"
            self._set_apart(int(lines[row]), [column[row] for column in cells], "bad_character", message)
        kept = ~(blank | no_text)
        if not kept.all():
            lines, codes = lines[kept], {p: code[kept] for p, code in codes.items()}
        self._lines.append(lines)
        for position, code in codes.items():
            self._codes[position].append(code)

    def _blank(self, codes: Mapping[int, Codes], cells: Sequence[Sequence[str]]) -> Flags:
        """Which rows are empty, in the columns that are not known too."""
        blank = np.ones(len(cells[0]), dtype=bool)
        for code in codes.values():
            blank &= code == 0
            if not blank.any():
                return blank
        for position in self._strange:
            blank &= [not cell.strip() for cell in cells[position]]
        return blank

    def _no_text(self, codes: Mapping[int, Codes], cells: Sequence[Sequence[str]]) -> Flags:
        """Which rows have characters that are no text."""
        found = np.zeros(len(cells[0]), dtype=bool)
        for position, book in self._books.items():
            if book.no_text:
                found |= np.isin(codes[position], book.no_text)
        for position in self._strange:
            if has_no_text("".join(cells[position])):
                found |= [has_no_text(cell) for cell in cells[position]]
        return found

    def _set_apart(self, line: int, cells: Sequence[str], code: str, message: str) -> None:
        """Keep a row whose cells may be shifted: only what stands where the id should."""
        position = self._names.index(self._sheet.id_column) if self._sheet.id_column in self._names else len(cells)
        guess = clean(cells[position], self._guarded) if position < len(cells) else ""
        self._malformed.append(Malformed(Fault(self._file, line, "", code, message), guess or None))


_PROBLEMS = {
    "unclosed_quote": "a quote is opened in this row and not closed",
    "stray_quote": 'a quote inside a cell: quote the whole cell, and write it twice ("")',
}


def _header(reader: RecordReader) -> Record | None:
    """The first record that is not empty."""
    while not reader.done:
        record = reader.record()
        if not is_blank(record.cells):
            return record
    return None


def _delimiter(sheet: Sheet, text: str) -> str:
    """The one of `,` and `;` under which the header line names more columns of the format, or at least more columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        header = _header(RecordReader(text, delimiter))
        cells = [] if header is None or header.problem else [cell.strip().casefold() for cell in header.cells]
        return sum(map(sheet.knows, cells)), len(cells)

    return max(",;", key=fit)


def _missing(sheet: Sheet, file: str, line: int, names: Sequence[str]) -> list[Fault]:
    """One fault that names every required column which is not there."""
    missing = [
        " or ".join(" and ".join(f"`{column}`" for column in way) for way in ways)
        for ways in sheet.required
        if not any(all(column in names for column in way) for way in ways)
    ]
    if not missing:
        return []
    return [Fault(file, line, "", "missing_column", f"the header lacks {', '.join(missing)}")]


def _doubled(sheet: Sheet, file: str, line: int, names: Sequence[str]) -> list[Fault]:
    doubled = sorted({column for column in names if sheet.knows(column) and names.count(column) > 1})
    return [Fault(file, line, column, "duplicate_column", "the header has this column more than once") for column in doubled]


def _unknown(sheet: Sheet, file: str, line: int, header: Sequence[str]) -> list[Notice]:
    """One notice that names all columns which are kept out; their cells go no further than this module."""
    unknown = sorted(cell.strip() for cell in header if cell.strip() and not sheet.knows(cell.strip().casefold()))
    if not unknown:
        return []
    columns = ", ".join(shown(column) for column in unknown)
    return [Notice.of(file, "unknown_columns", mark("columns that are not read: {columns}"), columns=columns).at(line)]
