"""From records to tables: the header, and rows that have a cell for each of its columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matcher.errors import Fault
from matcher.io.columns import SHEETS, Sheet
from matcher.model import Notice
from tests.io.rowwise.tokens import Record, is_blank, split_records

# FORMAT.md, the paragraph on text cells: what the writers put a quote before, so that no spreadsheet runs it.
GUARDED = re.compile(r"'(?=[=+\-@'\t\r])")
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row before its cells are understood.

    cells: trimmed, guard taken off. fault: what is wrong with its shape; the cells are then not to be trusted.
    """

    line: int
    cells: tuple[str, ...]
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class RawTable:
    """One file before its cells are understood.

    sheet: which of the format's files. file: its name for messages. columns: position of each known column.
    decimal_comma: whether numbers may have one. faults: of the file as a whole; there are then no rows.
    """

    sheet: Sheet
    file: str
    columns: dict[str, int]
    rows: tuple[RawRow, ...] = ()
    decimal_comma: bool = False
    faults: tuple[Fault, ...] = ()
    notices: tuple[Notice, ...] = ()


def table_from_text(name: str, file: str, text: str) -> RawTable:
    """A file of the format from its decoded text. name: the sheet, as in `SHEETS`."""
    delimiter = _delimiter(SHEETS[name], text)
    records = split_records(text, delimiter)
    header = next((record for record in records if not is_blank(record.cells)), None)
    if header is None:
        return failed_table(name, file, 0, "empty_file", "the file is empty; it needs at least its header line")
    if header.problem or _NO_TEXT.search("".join(header.cells)):
        message = "the header line cannot be read: a quote that does not belong there, or the file is no plain text (UTF-16?)"
        return failed_table(name, file, header.line, "bad_header", message)
    return make_table(name, file, header.cells, records, header_line=header.line, decimal_comma=delimiter == ";", guarded=True)


def make_table(
    name: str,
    file: str,
    header: Sequence[str],
    records: Iterable[Record],
    *,
    header_line: int,
    decimal_comma: bool = False,
    guarded: bool = False,
) -> RawTable:
    """A table from its header and records: also for sheets of a workbook and for data frames.

    guarded: cells may carry the quote that keeps spreadsheets from running them.
    """
    sheet = SHEETS[name]
    names = [cell.strip().casefold() for cell in header]
    faults = [*_missing(sheet, file, header_line, names), *_doubled(sheet, file, header_line, names)]
    if faults:
        return RawTable(sheet, file, {}, faults=tuple(faults))
    columns = {column: position for position, column in enumerate(names) if sheet.knows(column)}
    notices = _unknown(sheet, file, header_line, header)
    rows: list[RawRow] = []
    first = True
    for record in records:
        cells = tuple([_cell(cell, guarded) for cell in record.cells])
        if not any(cells) and not record.problem:
            continue
        if first and all(cell.startswith("#") for cell in cells if cell) and not record.problem:
            notices.append(Notice(file=file, line=record.line, code="hxl_row", message="read as HXL tags and skipped"))
        else:
            rows.append(RawRow(record.line, cells, _shape_fault(file, record, len(names))))
        first = False
    return RawTable(sheet, file, columns, tuple(rows), decimal_comma, notices=tuple(notices))


def failed_table(name: str, file: str, line: int, code: str, message: str) -> RawTable:
    """A file that cannot be read at all."""
    return RawTable(SHEETS[name], file, {}, faults=(Fault(file, line, "", code, message),))


def shown(text: str) -> str:
    """A cell's own text for a message: on one line, not long."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _cell(cell: str, guarded: bool) -> str:
    cell = cell.strip()
    return cell[1:] if guarded and cell.startswith("'") and GUARDED.match(cell) else cell


def _delimiter(sheet: Sheet, text: str) -> str:
    """The one of `,` and `;` under which the header line names more columns of the format, or at least more columns."""

    def fit(delimiter: str) -> tuple[int, int]:
        header = next((record for record in split_records(text, delimiter) if not is_blank(record.cells)), None)
        cells = [] if header is None or header.problem else [cell.strip().casefold() for cell in header.cells]
        return sum(map(sheet.knows, cells)), len(cells)

    return max(",;", key=fit)


def _shape_fault(file: str, record: Record, width: int) -> Fault | None:
    if record.problem == "unclosed_quote":
        return Fault(file, record.line, "", record.problem, "a quote is opened in this row and not closed")
    if record.problem:
        return Fault(file, record.line, "", record.problem, 'a quote inside a cell: quote the whole cell, and write it twice ("")')
    count = len(record.cells)
    if count != width:
        message = f"the row has {count} cell{'' if count == 1 else 's'}, the header has {width}"
        return Fault(file, record.line, "", "wrong_cell_count", message)
    joined = "".join(record.cells)
    if (not joined.isascii() or "\0" in joined) and _NO_TEXT.search(joined):
        return Fault(file, record.line, "", "bad_character", "a character that is no text (NUL or half a surrogate pair)")
    return None


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
    message = "columns that are not read: " + ", ".join(shown(column) for column in unknown)
    return [Notice(file=file, line=line, code="unknown_columns", message=message)]
