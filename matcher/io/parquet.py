"""Parquet files in and out: what a warehouse gives and takes. pyarrow is an extra, and imported late."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from matcher.io.extras import library
from matcher.io.tokens import Batch
from matcher.io.values import plain_text, texts

_ROWS_AT_ONCE = 8192
MOST_ROWS: Final = 20_000_000
MOST_BYTES: Final = 4 << 30


class BadParquet(Exception):
    """A file that is no Parquet file to read. message: what to do about it."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


def parquet_grid(
    path: Path, spoilt: dict[tuple[int, int], str], *, may_list: Callable[[str], bool] = lambda _: True
) -> tuple[tuple[str, ...], Iterator[Batch]]:
    """(names of the columns, the rows as batches; lines are positions from 1). may_list: whether a column's cells may be lists.

    spoilt: takes in (line, position of the column from 0) and code of cells that nothing can be made of, as the batches are gone through.
    Raises BadParquet and OSError.
    """
    arrow = library("pyarrow", "parquet")
    parquet = library("pyarrow.parquet", "parquet")
    try:
        file = parquet.ParquetFile(path)
    except arrow.ArrowException as error:
        raise BadParquet("this is no Parquet file, or it is damaged") from error
    size = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
    if file.metadata.num_rows > MOST_ROWS or size > MOST_BYTES:
        raise BadParquet(f"the file has more than {MOST_ROWS:,} rows, or unpacks to more than {MOST_BYTES >> 30} GiB")
    names = tuple(file.schema_arrow.names)
    return names, _rows(file, arrow, [may_list(name) for name in names], spoilt)


def _rows(file: Any, arrow: Any, lists: Sequence[bool], spoilt: dict[tuple[int, int], str]) -> Iterator[Batch]:
    first = 1
    try:
        for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
            columns = [
                texts(column.to_pylist(), plain_text, lists=lists[position], first=first, position=position, spoilt=spoilt)
                for position, column in enumerate(batch.columns)
            ]
            yield Batch(range(first, first + batch.num_rows), columns)
            first += batch.num_rows
    except (arrow.ArrowException, OSError) as error:
        raise BadParquet("the file is damaged") from error
    except (OverflowError, LookupError) as error:
        raise BadParquet("it has a date that no calendar has, or a time of an unknown zone") from error


def parquet_bytes(columns: Sequence[str], kinds: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A Parquet file. kinds: of each column, `text`, `whole` or `number`; rows: cells of that type, None for none."""
    arrow = library("pyarrow", "parquet")
    parquet = library("pyarrow.parquet", "parquet")
    types = {"text": arrow.string(), "whole": arrow.int64(), "number": arrow.float64()}
    cells = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in columns]
    arrays = [arrow.array(column, type=types[kind]) for column, kind in zip(cells, kinds, strict=True)]
    sink = arrow.BufferOutputStream()
    parquet.write_table(arrow.Table.from_arrays(arrays, names=list(columns)), sink, compression="zstd", store_schema=False)
    return bytes(sink.getvalue())
