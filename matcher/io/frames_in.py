"""An instance from pandas data frames. The only module of the reading side that knows pandas; import it late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from matcher.doors import takes
from matcher.errors import UsageError
from matcher.io.assemble import build_instance
from matcher.io.codebook import Codebooks
from matcher.io.columns import LISTS, REQUIRED_SHEETS, SHEETS
from matcher.io.tables import Table, make_table, spoilt_faults
from matcher.io.tokens import Batch
from matcher.io.values import float_text, plain_text, texts, words
from matcher.model import Instance

_ROWS_AT_ONCE = 8192
_FRAMES: Final = {name: pd.DataFrame if name in REQUIRED_SHEETS else pd.DataFrame | None for name in SHEETS}


@takes(
    households=pd.DataFrame,
    accommodations=pd.DataFrame,
    members=pd.DataFrame | None,
    ties=pd.DataFrame | None,
    travel=pd.DataFrame | None,
    places=pd.DataFrame | None,
    placements=pd.DataFrame | None,
    overrides=pd.DataFrame | None,
)
def instance_from_frames(
    *,
    households: pd.DataFrame,
    accommodations: pd.DataFrame,
    members: pd.DataFrame | None = None,
    ties: pd.DataFrame | None = None,
    travel: pd.DataFrame | None = None,
    places: pd.DataFrame | None = None,
    placements: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
    quarantine: bool = False,
) -> Instance:
    """The instance that data frames hold; columns as in the files, faults as of the files.

    A fault's file is the frame's name, its line the 1-based position of the row. Raises InputError with all of them.
    """
    frames = {
        "households": households,
        "accommodations": accommodations,
        "members": members,
        "ties": ties,
        "travel": travel,
        "places": places,
        "placements": placements,
        "overrides": overrides,
    }
    books = Codebooks(guarded=False)
    tables = {name: _of_frame(name, frame, books) for name, frame in frames.items() if frame is not None}
    return build_instance(tables, quarantine=quarantine)


@takes(tables=Mapping)
def instance_from_rows(tables: Mapping[str, Sequence[Mapping[str, object]]], *, quarantine: bool = False) -> Instance:
    """The instance that lists of rows hold, by the names of the files, each row a mapping from columns to cells: text, numbers, yes or no,
    dates, lists of words, None for empty. As from JSON. Faults name the list and the 1-based position in it.

    Raises InputError with all of them, and UsageError for a name that is no file of the format.
    """
    unknown = sorted(tables.keys() - SHEETS.keys())
    if unknown:
        raise UsageError(f"there is no file {unknown[0]!r} in the format; choices: {', '.join(SHEETS)}")
    books = Codebooks(guarded=False)
    given = {name: tables.get(name, ()) for name in SHEETS if tables.get(name) or name in REQUIRED_SHEETS}
    return build_instance({name: _of_rows(name, rows, books) for name, rows in given.items()}, quarantine=quarantine)


def _of_rows(name: str, rows: Any, books: Codebooks) -> Table:
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError(f"{name} must be a list of rows, each a mapping from columns to cells")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return _table(name, columns, [[row.get(column) for row in rows] for column in columns], len(rows), books)


def _of_frame(name: str, frame: pd.DataFrame, books: Codebooks) -> Table:
    # By position: a frame may have two columns of one name, which is a fault to report, not a reason to fail here.
    columns = [frame.iloc[:, position].array for position in range(frame.shape[1])]
    return _table(name, list(frame.columns), columns, len(frame), books)


def _table(name: str, names: Sequence[object], columns: Sequence[Any], count: int, books: Codebooks) -> Table:
    header = [str(column) for column in names]
    spoilt: dict[tuple[int, int], str] = {}
    table = make_table(name, name, header, _batches(header, columns, count, spoilt), books, header_line=0)
    return replace(table, cell_faults=spoilt_faults(name, header, spoilt))


def _batches(header: Sequence[str], columns: Sequence[Any], count: int, spoilt: dict[tuple[int, int], str]) -> Iterator[Batch]:
    lists = [name.strip().casefold() in LISTS for name in header]
    for start in range(0, count, _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, count)
        cells = [
            texts(column[start:end], cell_text, lists=lists[position], first=start + 1, position=position, spoilt=spoilt)
            for position, column in enumerate(columns)
        ]
        yield Batch(range(start + 1, end + 1), cells)


def cell_text(value: object) -> str:
    """What a cell of a frame would be in a CSV file. Missing values of any kind are empty; text stays as it is. Raises SpoiltCell."""
    if isinstance(value, str):
        return value
    if value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, np.bool_ | np.integer):
        return plain_text(value.item())
    if isinstance(value, np.floating):
        return float_text(str(value), float(value))
    if isinstance(value, np.datetime64):
        return cell_text(pd.Timestamp(value))
    if isinstance(value, set | frozenset):
        return " ".join(sorted(words(value, cell_text)))
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.ndim == 1):
        return " ".join(words(value, cell_text))
    return plain_text(value)
