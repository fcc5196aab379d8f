"""What an instance is read from: a folder of CSV or Parquet files, or one workbook; each as tables of the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from matcher.errors import UsageError
from matcher.i18n import mark
from matcher.io.codebook import Codebooks
from matcher.io.columns import LISTS, SHEETS
from matcher.io.tables import Table, failed_table, make_table, spoilt_faults
from matcher.io.workbook_in import CellTrace, Grid, read_workbook
from matcher.model import Notice

WORKBOOK = ".xlsx"
OTHER_WORKBOOKS = (".xlsm", ".xls", ".xlsb", ".ods")
GUIDES = ("guide", "довідка")  # the sheet of a template that explains its columns


def is_workbook(path: Path) -> bool:
    """Whether the name is that of a workbook that is read. Raises UsageError for other kinds of workbook."""
    suffix = path.suffix.lower()
    if suffix in OTHER_WORKBOOKS:
        raise UsageError(f"{path} is a workbook of another kind; save it as {WORKBOOK} (without macros), or each sheet as CSV")
    return suffix == WORKBOOK


def workbook_tables(path: Path, books: Codebooks) -> tuple[dict[str, Table], list[Notice]]:
    """The sheets of a workbook that are named as the files of the format, and what is worth a notice.

    Names count without case, spaces around them or `.csv` behind them. Raises InputError for a file that is no workbook.
    """
    workbook = read_workbook(path)
    by_name: dict[str, list[Grid]] = {}
    for grid in workbook.grids:
        by_name.setdefault(grid.name.strip().casefold().removesuffix(".csv"), []).append(grid)
    tables = {name: _table(name, by_name[name], books) for name in SHEETS if name in by_name}
    strangers = (grid for name, grids in by_name.items() if name not in SHEETS and name not in GUIDES for grid in grids)
    return tables, [*workbook.notices, *_strange(strangers)]


def _table(name: str, grids: list[Grid], books: Codebooks) -> Table:
    grid = grids[0]
    if len(grids) > 1:
        return failed_table(name, grid.file, 0, "file_name", f"the workbook has this sheet twice: {', '.join(g.name for g in grids)}")
    return grid_table(name, grid, books)


def grid_table(name: str, grid: Grid, books: Codebooks) -> Table:
    """A sheet of a workbook as a table of the format."""
    if not grid.header_line:
        return failed_table(name, grid.file, 0, "empty_file", "the sheet is empty; it needs at least its header line")
    table = make_table(name, grid.file, grid.header, grid.batches(), books, header_line=grid.header_line)
    faults = tuple(replace(fault, column=fault.column.casefold()) for fault in grid.cell_faults())
    return replace(table, cell_faults=faults, trace=CellTrace.of(grid.header))


def _strange(grids: Iterable[Grid]) -> Iterator[Notice]:
    """Sheets that are not read: one of them may be a misspelt `ties`. Empty ones are of no interest."""
    for grid in grids:
        if grid.header_line:
            said = mark("not a sheet of the format, and not read; the names are {names}")
            yield Notice.of(grid.file, "unknown_file", said, names=", ".join(sorted(SHEETS)))


def parquet_table(name: str, path: Path, books: Codebooks) -> Table:
    """A Parquet file as a table of the format. Lines are positions of rows, from 1."""
    from matcher.io.parquet import BadParquet, parquet_grid

    try:
        spoilt: dict[tuple[int, int], str] = {}
        header, batches = parquet_grid(path, spoilt, may_list=lambda column: column.strip().casefold() in LISTS)
        table = make_table(name, path.name, header, batches, books, header_line=0)
        return replace(table, cell_faults=spoilt_faults(path.name, header, spoilt))
    except OSError as error:
        return failed_table(name, path.name, 0, "file_unreadable", f"the file cannot be read: {error.strerror or 'no Parquet file'}")
    except BadParquet as error:
        return failed_table(name, path.name, 0, "bad_parquet", error.message)
