"""Plain rows as a pandas data frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame

    __all__ = ["DataFrame", "frame"]


def frame(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> DataFrame:
    """A data frame with exactly these columns, in this order, one row for each mapping."""
    import pandas as pd  # heavy, so only when asked for

    return pd.DataFrame(list(rows), columns=list(columns))
