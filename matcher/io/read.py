"""An instance from a folder of CSV or Parquet files, or from a workbook."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from matcher.errors import Fault, InputError
from matcher.io.columns import REQUIRED_SHEETS, SHEETS
from matcher.io.tokens import Undecodable, check_encoding, decode
from matcher.model import Instance, Notice

if TYPE_CHECKING:
    from matcher.io.codebook import Codebooks
    from matcher.io.tables import Table

SUFFIX = ".csv"
PARQUET = ".parquet"


def read_instance(source: Path | str, *, quarantine: bool = False, encoding: str = "utf-8", today: date | None = None) -> Instance:
    """The instance in a folder of CSV or Parquet files, or in a workbook `*.xlsx` (docs/format.md).

    quarantine: set faulty rows aside instead of refusing the whole. encoding: of all CSV files, as Python names it. today: name
    offers that have ended by this day, or that nobody has confirmed for long.
    Raises InputError with all faults of all files, and UsageError for an encoding that does not exist or a kind of file that this
    build does not read.
    """
    from matcher.io.assemble import build_instance  # numpy takes longer to import than most instances take to read
    from matcher.io.codebook import Codebooks
    from matcher.io.sources import is_workbook, workbook_tables

    check_encoding(encoding)
    source = Path(source)
    books = Codebooks(guarded=True)
    if is_workbook(source) and not source.is_dir():
        tables, notices = workbook_tables(source, books)
    else:
        names = _listing(source)
        tables, notices = _tables(source, names, encoding, books), _strangers(names)
    return build_instance(tables, quarantine=quarantine, notices=notices, today=today)


def _tables(folder: Path, names: frozenset[str], encoding: str, books: Codebooks) -> dict[str, Table]:
    """All files of the format, those that every instance needs even where they are not there."""
    from matcher.io.tables import failed_table

    wanted = [name for name in SHEETS if {name + SUFFIX, name + PARQUET} & names or name in REQUIRED_SHEETS]
    tables = {name: _table(folder, name, names, encoding, books) for name in wanted}
    for name, wrong in _misnamed(names):
        message = f"call it {wrong.lower()}: names of files are in small letters"
        tables[wrong] = failed_table(name, wrong, 0, "file_name", message)
    return tables


def _listing(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir() if not path.name.startswith((".", "~")))
    except OSError as error:
        message = f"this folder cannot be read: {error.strerror}"
        code = "file_missing" if isinstance(error, FileNotFoundError | NotADirectoryError) else "file_unreadable"
        raise InputError([Fault(str(folder), 0, "", code, message)]) from error


def _table(folder: Path, name: str, names: frozenset[str], encoding: str, books: Codebooks) -> Table:
    """One file of the folder, or what is wrong with it as a whole."""
    from matcher.io.tables import failed_table, table_from_text

    file = name + SUFFIX
    if name + PARQUET in names:
        if file in names:
            return failed_table(name, file, 0, "file_name", f"there is {name + PARQUET} too: keep one of them")
        from matcher.io.sources import parquet_table

        return parquet_table(name, folder / (name + PARQUET), books)
    if file not in names:
        alike = sorted(other for other in names if other.casefold() == file)
        hint = f"; there is {alike[0]!r}, call it {file}" if alike else ""
        return failed_table(name, file, 0, "file_missing", f"every instance needs this file{hint}")
    try:
        text = decode((folder / file).read_bytes(), encoding)
    except OSError as error:
        return failed_table(name, file, 0, "file_unreadable", f"the file cannot be read: {error.strerror}")
    except Undecodable as error:
        return failed_table(name, file, error.line, "bad_encoding", error.message)
    return table_from_text(name, file, text, books)


def _misnamed(names: Iterable[str]) -> list[tuple[str, str]]:
    """Files of the format under names with capital letters: overlooking ties or overrides would drop what they protect."""
    wrong = [(other.casefold().removesuffix(suffix), other, suffix) for other in sorted(names) for suffix in (SUFFIX, PARQUET)]
    return [
        (name, other)
        for name, other, suffix in wrong
        if name in SHEETS and other.casefold() == name + suffix != other and (name not in REQUIRED_SHEETS or name + SUFFIX in names)
    ]


def _strangers(names: Iterable[str]) -> list[Notice]:
    """CSV and Parquet files that are not read: one of them may be a misspelt `ties.csv`."""
    expected = {name + suffix for name in SHEETS for suffix in (SUFFIX, PARQUET)}
    strangers = sorted(name for name in names if name.casefold().endswith((SUFFIX, PARQUET)) and name.casefold() not in expected)
    message = "not a file of the format, and not read; the names are " + ", ".join(sorted(name + SUFFIX for name in SHEETS))
    return [Notice(file=name, line=0, code="unknown_file", message=message) for name in strangers]
