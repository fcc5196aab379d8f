"""Tables of the format as files: a folder of CSV files, one workbook, or Parquet files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from matcher.io.columns import SHEETS
from matcher.io.csv_out import rows_text
from matcher.io.parquet import parquet_bytes
from matcher.io.tables import Table
from matcher.io.workbook_out import Kind, Sheet, workbook_bytes

_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]+)?")
_IDS = re.compile(r".*_id|place|from|to|origin|rooms|adm1|avoids|reason|decided_by|name")


def cells_of(table: Table) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) of a table as texts. Columns that the format does not know are not among them."""
    columns = list(table.columns)
    texts = [[column.texts[code] or "" for code in column.codes.tolist()] for column in table.columns.values()]
    return columns, [list(row) for row in zip(*texts, strict=True)] if columns else []


def csv_files(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """The tables as CSV files, by name."""
    return {f"{name}.csv": rows_text(*cells_of(table)).encode("utf-8") for name, table in _in_order(tables)}


def parquet_files(tables: Mapping[str, Table]) -> dict[str, bytes]:
    """The tables as Parquet files, by name; all cells are text."""
    out = {}
    for name, table in _in_order(tables):
        columns, rows = cells_of(table)
        out[f"{name}.parquet"] = parquet_bytes(columns, ["text"] * len(columns), [[cell or None for cell in row] for row in rows])
    return out


def instance_workbook(tables: Mapping[str, Table]) -> bytes:
    """The tables as one workbook; columns of plain numbers that are no ids are numbers in it."""
    return workbook_bytes([_sheet(name, table) for name, table in _in_order(tables)], "shelter-matcher")


def _sheet(name: str, table: Table) -> Sheet:
    columns, rows = cells_of(table)
    kinds: list[Kind] = []
    for position, column in enumerate(columns):
        cells = [row[position] for row in rows if row[position]]
        plain = bool(cells) and not _IDS.fullmatch(column) and all(_NUMBER.fullmatch(cell) for cell in cells)
        kinds.append("number" if plain else "text")
    return Sheet(name, columns, kinds, [[_cell(cell, kind) for cell, kind in zip(row, kinds, strict=True)] for row in rows])


def _cell(cell: str, kind: Kind) -> Any:
    if not cell:
        return None
    if kind == "number":
        return float(cell)
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "'", "\t", "\r")) else cell


def _in_order(tables: Mapping[str, Table]) -> list[tuple[str, Table]]:
    return [(name, tables[name]) for name in SHEETS if name in tables]
