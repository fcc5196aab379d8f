"""What became of every column of an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matcher.io.mapping.build import Mapped


@dataclass(frozen=True, slots=True)
class ColumnFate:
    """One column of the export: the table, its name, how many of its cells are filled, what they became (nothing: not read), and words
    from which nothing followed, since no list of codes knows them, with the lines of their rows."""

    table: str
    column: str
    filled: int
    became: tuple[str, ...]
    aside: Mapping[str, Sequence[int]]


def fates(mapped: Mapped) -> list[ColumnFate]:
    """Every column of every table of the export, in their order. Tables that the mapping does not read at all are left out."""
    read = {name for name, _ in mapped.used}
    return [
        ColumnFate(
            table.file,
            name.strip() or table.tags[position],
            sum(map(bool, table.cells[position])),
            mapped.used.get((table.name, position), ()),
            mapped.aside.get((table.name, position), {}),
        )
        for table in mapped.source.values()
        if table.name in read
        for position, name in enumerate(table.header)
        if name.strip() or table.tags[position]
    ]


def unread_tables(mapped: Mapped) -> list[str]:
    """Tables of the export that the mapping does not read."""
    read = {name for name, _ in mapped.used}
    return [table.file for table in mapped.source.values() if table.name not in read]
