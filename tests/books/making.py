"""Workbooks for tests: from tables of texts, typed cells, and parts of the archive changed by hand."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

from matcher.errors import InputError
from matcher.io import read_instance

Tables = Mapping[str, Sequence[Sequence[Any]]]
SMALL: dict[str, list[list[Any]]] = {
    "households": [
        ["household_id", "persons", "place", "consent", "needs"],
        ["H001", 2, "Lviv", "yes", "lift"],
        ["H002", 1, "Poltava", True, None],
    ],
    "accommodations": [["accommodation_id", "place", "capacity"], ["A001", "Lviv", 4.0], ["A002", "Poltava", 2]],
}


def tables_of(folder: Path) -> dict[str, list[list[Any]]]:
    """The CSV files of a folder, cell by cell."""
    return {path.stem: list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))) for path in sorted(folder.glob("*.csv"))}


def book(path: Path, tables: Tables) -> Path:
    """A workbook of these cells: text as text, numbers as numbers, dates as dates."""
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as workbook:
        day, moment = (workbook.add_format({"num_format": form}) for form in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm"))
        for name, rows in tables.items():
            page = workbook.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, dt.datetime):
                        page.write_datetime(r, c, cell, moment)
                    elif isinstance(cell, dt.date):
                        page.write_datetime(r, c, cell, day)
                    elif isinstance(cell, str):
                        page.write_string(r, c, cell)
                    elif cell is not None:
                        page.write(r, c, cell)
    return path


def parts_changed(path: Path, change: Callable[[str, bytes], bytes | None], more: Mapping[str, bytes] | None = None) -> Path:
    """The same archive with parts changed (None: left out) and more of them."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**parts, **(more or {})}.items():
            if data is not None:
                archive.writestr(name, data)
    return path


def faults_of(path: Path) -> list[str]:
    """The faults of an instance as `place column code`; empty where there are none."""
    try:
        read_instance(path)
    except InputError as error:
        return [f"{fault.file.partition('#')[2] or '-'}:{fault.line} {fault.column or '-'} {fault.code}" for fault in error.faults]
    return []
