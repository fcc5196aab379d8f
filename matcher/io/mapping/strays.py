"""Words of an export that no list of codes of a mapping knows."""

from __future__ import annotations

from collections.abc import Sequence

from matcher.io.cells import shown
from matcher.io.mapping.parts import Cell
from matcher.io.mapping.source import SourceTable
from matcher.model import Notice

_MOST_LINES = 10


class Strays:
    """The words that rules with `otherwise = "tell"` have met, by cell, and whether any such rule knows them."""

    def __init__(self) -> None:
        self._met: dict[tuple[str, int, int], dict[str, bool]] = {}
        self._tables: dict[str, SourceTable] = {}

    def meet(self, cell: Cell, word: str, known: bool) -> None:
        """Remember a word of a cell."""
        row, position = cell
        self._tables[row.table.name] = row.table
        words = self._met.setdefault((row.table.name, row.number, -1 if position is None else position), {})
        words[word] = known or words.get(word, False)

    def unknown(self) -> dict[tuple[str, int], dict[str, list[int]]]:
        """Lines of the rows in which each word stands that no rule knows, by table and position of the column."""
        found: dict[tuple[str, int], dict[str, list[int]]] = {}
        for (name, number, position), words in sorted(self._met.items()):
            for word in sorted(word for word, known in words.items() if not known):
                found.setdefault((name, position), {}).setdefault(word, []).append(self._tables[name].lines[number])
        return found

    def notices(self) -> list[Notice]:
        """One for each of these words and the column in which it stands."""
        found = self.unknown().items()
        return [self._notice(name, position, word, lines) for (name, position), words in found for word, lines in words.items()]

    def _notice(self, name: str, position: int, word: str, lines: Sequence[int]) -> Notice:
        table = self._tables[name]
        column = f" of `{table.header[position].strip()}`" if position >= 0 else ""
        more = len(lines) - _MOST_LINES
        rows = ", ".join(map(str, lines[:_MOST_LINES])) + (f" and {more} more" if more > 0 else "")
        text = f"{shown(word)}{column} is in no list of codes of the mapping, so nothing follows from it (rows {rows})"
        message = f"{text}: correct it, or add it to [recodes]"
        return Notice(file=table.file, line=lines[0], code="unknown_code", message=message)
