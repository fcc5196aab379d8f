"""An instance from pandas data frames. The only module of the reading side that knows pandas; import it late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from matcher.errors import UsageError
from matcher.io.assemble import build_instance
from matcher.io.codebook import Codebooks
from matcher.io.columns import REQUIRED_SHEETS, SHEETS
from matcher.io.tables import Table, make_table
from matcher.io.tokens import Batch
from matcher.io.values import float_text, plain_text
from matcher.model import Instance

_ROWS_AT_ONCE = 8192


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
    tables = {name: _table(name, frame, books) for name, frame in frames.items() if frame is not None}
    return build_instance(tables, quarantine=quarantine)


def instance_from_rows(tables: Mapping[str, Sequence[Mapping[str, object]]], *, quarantine: bool = False) -> Instance:
    """The instance that lists of rows hold, by the names of the files, each row a mapping from columns to cells: text, numbers, yes or no,
    dates, lists of words, None for empty. As from JSON. Faults name the list and the 1-based position in it.

    Raises InputError with all of them, and UsageError for a name that is no file of the format.
    """
    unknown = sorted(tables.keys() - SHEETS.keys())
    if unknown:
        raise UsageError(f"there is no file {unknown[0]!r} in the format; choices: {', '.join(SHEETS)}")
    given = {name: tables.get(name, ()) for name in SHEETS if tables.get(name) or name in REQUIRED_SHEETS}
    # Objects, for a column of numbers with gaps would become floats, and long ids lose digits.
    return instance_from_frames(**{name: pd.DataFrame(list(rows), dtype=object) for name, rows in given.items()}, quarantine=quarantine)


def _table(name: str, frame: pd.DataFrame, books: Codebooks) -> Table:
    return make_table(name, name, [str(column) for column in frame.columns], _batches(frame), books, header_line=0)


def _batches(frame: pd.DataFrame) -> Iterator[Batch]:
    # By position: a frame may have two columns of one name, which is a fault to report, not a reason to fail here.
    columns = [frame.iloc[:, position] for position in range(frame.shape[1])]
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        end = min(start + _ROWS_AT_ONCE, len(frame))
        cells = [[value if type(value) is str else cell_text(value) for value in column.iloc[start:end]] for column in columns]
        yield Batch(range(start + 1, end + 1), cells)


def cell_text(value: object) -> str:
    """What a cell of a frame would be in a CSV file. Missing values of any kind are empty; text stays as it is."""
    if isinstance(value, str):
        return value
    if value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, np.bool_ | np.integer):
        return plain_text(value.item())
    if isinstance(value, np.floating):
        return float_text(str(value), float(value))
    if isinstance(value, set | frozenset):
        return " ".join(sorted(cell_text(item) for item in value))
    if isinstance(value, list | tuple | np.ndarray):
        return " ".join(cell_text(item) for item in value)
    return plain_text(value)
