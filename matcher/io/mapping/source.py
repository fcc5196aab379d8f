"""The tables of a foreign export: sheets of a workbook, or CSV and Parquet files of a folder, with their places kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from matcher.errors import Fault, InputError
from matcher.io.sheet_scan import column_letters
from matcher.io.tokens import Batch, Record, RecordReader, Undecodable, check_encoding, decode, is_blank

_TAG: Final = re.compile(r"#[a-z][a-z0-9_]*(?:\s*\+\s*[a-z][a-z0-9_]*)*", re.IGNORECASE)
_TAGS_WITHIN: Final = 25  # rows from the top in which HXL tags are looked for, as the standard has it
_PROBLEMS: Final[Mapping[str, str]] = {
    "unclosed_quote": "a quote is opened in this row and not closed",
    "stray_quote": 'a quote inside a cell: quote the whole cell, and write it twice ("")',
}


@dataclass(frozen=True, slots=True)
class SourceTable:
    """One table of an export: N rows by column.

    name: of the sheet, or of the file without suffix. file: for messages. header: names as written; tags: HXL tags, "" where there
    is none. lines: where each row stands, ascending. cells: by position of the column, trimmed. broken: rows whose cells cannot be
    told apart. spoilt: cells that could not be read: (line, position) and code. in_sheet: whether cells have letters. decimal_comma:
    whether numbers may have one.
    """

    name: str
    file: str
    header_line: int
    header: tuple[str, ...]
    tags: tuple[str, ...]
    lines: tuple[int, ...]
    cells: tuple[tuple[str, ...], ...]
    broken: tuple[Fault, ...] = ()
    spoilt: Mapping[tuple[int, int], str] = field(default_factory=dict)
    in_sheet: bool = False
    decimal_comma: bool = False

    def find(self, wanted: str) -> list[int]:
        """Positions of the columns that a mapping means: by name, by the last part of `group/name`, or by HXL tag (`#adm1+code`)."""
        if wanted.startswith("#"):
            return [position for position, tag in enumerate(self.tags) if _fits(wanted, tag)]
        names = [name.strip() for name in self.header]
        for same in (lambda name: name == wanted, lambda name: name.casefold() == wanted.casefold(), lambda name: _last(name) == wanted):
            found = [position for position, name in enumerate(names) if same(name)]
            if found:
                return found
        return []

    def choices(self, wanted: str) -> list[tuple[int, str]]:
        """(position, choice) of the columns `wanted/choice`, as a select-multiple question is exported."""
        found = []
        for position, name in enumerate(self.header):
            before, _, choice = name.strip().rpartition("/")
            if choice and (before == wanted or before.endswith("/" + wanted)):
                found.append((position, choice))
        return found

    def place(self, row: int, position: int | None) -> tuple[str, int, str, str]:
        """(file, line, name of the column, cell as spreadsheets name it) of a cell."""
        line = self.lines[row]
        if position is None:
            return self.file, line, "", ""
        name = self.tags[position] or self.header[position].strip()
        return self.file, line, name, f"{column_letters(position + 1)}{line}" if self.in_sheet else ""


def read_source(path: Path, encoding: str) -> dict[str, SourceTable]:
    """The tables of an export by name. Raises InputError where a file cannot be read at all, UsageError for one of a strange kind."""
    from matcher.io.sources import is_workbook

    check_encoding(encoding)
    if not path.exists():
        raise InputError([Fault(str(path), 0, "", "file_missing", "there is no such file or folder")])
    if path.is_dir():
        return _by_name([_read_file(file, encoding) for file in sorted(path.iterdir()) if _is_table(file)] + _books(path))
    if is_workbook(path):
        return _by_name(_sheets(path))
    return _by_name([_read_file(path, encoding)])


def _is_table(file: Path) -> bool:
    return file.suffix.lower() in (".csv", ".parquet") and not file.name.startswith((".", "~"))


def _books(folder: Path) -> list[SourceTable]:
    """The sheets of the workbooks in a folder."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix.lower() == ".xlsx" and not file.name.startswith((".", "~"))]
    return [table for file in files for table in _sheets(file)]


def _by_name(tables: Iterable[SourceTable]) -> dict[str, SourceTable]:
    found: dict[str, SourceTable] = {}
    for table in tables:
        if table.name in found:
            text = f"there is another table of this name, {found[table.name].file}: keep one of them"
            raise InputError([Fault(table.file, 0, "", "file_name", text)])
        found[table.name] = table
    return found


def _sheets(path: Path) -> list[SourceTable]:
    from matcher.io.workbook_in import read_workbook

    found = []
    for grid in read_workbook(path).grids:
        spoilt = {(row, column - 1): code for (row, column), code in grid.spoilt.items()}
        found.append(_table(grid.name, grid.file, grid.header_line, grid.header, grid.batches(), spoilt, in_sheet=True))
    return found


def _read_file(path: Path, encoding: str) -> SourceTable:
    if path.suffix.lower() == ".parquet":
        from matcher.io.parquet import BadParquet, parquet_grid

        try:
            spoilt: dict[tuple[int, int], str] = {}
            header, batches = parquet_grid(path, spoilt)
            return _table(path.stem, path.name, 0, header, batches, spoilt)
        except BadParquet as error:
            raise InputError([Fault(path.name, 0, "", "bad_parquet", error.message)]) from error
    try:
        text = decode(path.read_bytes(), encoding)
    except OSError as error:
        raise InputError([Fault(path.name, 0, "", "file_unreadable", f"the file cannot be read: {error.strerror}")]) from error
    except Undecodable as error:
        raise InputError([Fault(path.name, error.line, "", "bad_encoding", error.message)]) from error
    delimiter = max(",;\t", key=lambda mark: len(_header(RecordReader(text, mark)).cells))
    reader = RecordReader(text, delimiter)
    head = _header(reader)
    if head.problem or not head.cells:
        code = "bad_header" if head.problem else "empty_file"
        raise InputError([Fault(path.name, head.line, "", code, "the header line cannot be read, or there is none")])
    table = _table(path.stem, path.name, head.line, head.cells, reader.batches(), {})
    return replace(table, decimal_comma=delimiter == ";")


def _header(reader: RecordReader) -> Record:
    while not reader.done:
        record = reader.record()
        if not is_blank(record.cells):
            return record
    return Record(0, ())


def _table(
    name: str,
    file: str,
    header_line: int,
    header: Sequence[str],
    batches: Iterable[Batch],
    spoilt: Mapping[tuple[int, int], str],
    *,
    in_sheet: bool = False,
) -> SourceTable:
    """A table from its header and rows. Tags stand in the header itself, or in one of the first rows."""
    lines: list[int] = []
    columns: list[list[str]] = [[] for _ in header]
    broken: list[Fault] = []
    for batch in batches:
        for record in batch.odd:
            if record.problem or any(map(str.strip, record.cells)):
                text = _PROBLEMS.get(record.problem, f"the row has {len(record.cells)} cells, the header has {len(header)}")
                broken.append(Fault(file, record.line, "", record.problem or "wrong_cell_count", text))
        kept = [row for row in range(len(batch.lines)) if any(column[row].strip() for column in batch.columns)]
        lines += [batch.lines[row] for row in kept]
        for cells, column in zip(columns, batch.columns, strict=True):
            cells += [column[row].strip() for row in kept]
    tags, skip = _tags(header, columns)
    kept_cells = tuple(tuple(column[skip:]) for column in columns)
    return SourceTable(
        name, file, header_line, tuple(header), tuple(tags), tuple(lines[skip:]), kept_cells, tuple(broken), spoilt, in_sheet
    )


def _tags(header: Sequence[str], columns: Sequence[Sequence[str]]) -> tuple[Sequence[str], int]:
    """(tag of each column, rows to skip down to the data): from the header, or from one of the first rows."""
    found = _as_tags(header)
    if found:
        return found, 0
    for row in range(min(_TAGS_WITHIN, len(columns[0]) if columns else 0)):
        found = _as_tags([cells[row] for cells in columns])
        if found:
            return found, row + 1
    return [""] * len(header), 0


def _as_tags(row: Sequence[str]) -> list[str]:
    """A row of HXL tags, spaces left out; nothing where it is none."""
    cells = [cell.strip() for cell in row]
    if not any(cells) or not all(_TAG.fullmatch(cell) for cell in cells if cell):
        return []
    return [re.sub(r"\s+", "", cell).casefold() for cell in cells]


def _fits(pattern: str, tag: str) -> bool:
    """Whether a tag has the name and all the attributes of a pattern, and none of those after `-`: `#geo+lat`, `#adm1-code`."""
    wanted, forbidden = pattern.casefold().partition("-")[::2]
    name, *attributes = wanted.split("+")
    has, *having = tag.split("+")
    return has == name and set(attributes) <= set(having) and not set(filter(None, forbidden.split("-"))) & set(having)


def _last(name: str) -> str:
    return name.rpartition("/")[2]
