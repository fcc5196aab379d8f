"""An instance from a folder of CSV files, read row by row.

This folder is a reader of its own, far too slow for large files but simple: what test_rowwise.py compares the program's with. It
shares only the parsers of single cells and the gazetteer.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from matcher.errors import Fault, InputError
from matcher.io.columns import REQUIRED_SHEETS, SHEETS
from matcher.model import Instance, Notice
from tests.io.rowwise.assemble import build_instance
from tests.io.rowwise.tables import RawTable, failed_table, table_from_text
from tests.io.rowwise.tokens import Undecodable, check_encoding, decode

SUFFIX = ".csv"


def read_instance(folder: Path | str, *, quarantine: bool = False, encoding: str = "utf-8") -> Instance:
    """The instance in a folder (docs/format.md).

    quarantine: set faulty rows aside instead of refusing the whole. encoding: of all files, as Python names it.
    Raises InputError with all faults of all files, and UsageError for an encoding that does not exist.
    """
    check_encoding(encoding)
    folder = Path(folder)
    names = _listing(folder)
    tables = {name: _table(folder, name, names, encoding) for name in SHEETS if name + SUFFIX in names or name in REQUIRED_SHEETS}
    for name, wrong in _misnamed(names):
        message = f"call it {name}{SUFFIX}: names of files are in small letters"
        tables[wrong] = failed_table(name, wrong, 0, "file_name", message)
    return build_instance(tables, quarantine=quarantine, notices=_strangers(names))


def _listing(folder: Path) -> frozenset[str]:
    try:
        return frozenset(path.name for path in folder.iterdir() if not path.name.startswith((".", "~")))
    except OSError as error:
        message = f"this folder cannot be read: {error.strerror}"
        code = "file_missing" if isinstance(error, FileNotFoundError | NotADirectoryError) else "file_unreadable"
        raise InputError([Fault(str(folder), 0, "", code, message)]) from error


def _table(folder: Path, name: str, names: Iterable[str], encoding: str) -> RawTable:
    """One file of the folder, or what is wrong with it as a whole."""
    file = name + SUFFIX
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
    return table_from_text(name, file, text)


def _misnamed(names: Iterable[str]) -> list[tuple[str, str]]:
    """Files of the format under names with capital letters: overlooking ties or overrides would drop what they protect."""
    wrong = [(other.casefold().removesuffix(SUFFIX), other) for other in sorted(names)]
    return [
        (name, other)
        for name, other in wrong
        if name in SHEETS and other.casefold() == name + SUFFIX != other and (name not in REQUIRED_SHEETS or name + SUFFIX in names)
    ]


def _strangers(names: Iterable[str]) -> list[Notice]:
    """CSV files that are not read: one of them may be a misspelt `ties.csv`."""
    expected = {name + SUFFIX for name in SHEETS}
    strangers = sorted(name for name in names if name.casefold().endswith(SUFFIX) and name.casefold() not in expected)
    message = "not a file of the format, and not read; the names are " + ", ".join(sorted(expected))
    return [Notice(file=name, line=0, code="unknown_file", message=message) for name in strangers]
