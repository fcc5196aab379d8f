"""From a row of a mapped table back to the cell of the export that has to be mended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matcher.errors import Fault
from matcher.io.mapping.parts import Cell, Row, Rule, Wrong
from matcher.model import Notice


@dataclass(frozen=True, slots=True)
class Made:
    """A row that is made: from which row of the source, by which rules, and what is wrong with the row as a whole."""

    row: Row
    rules: Mapping[str, Rule]
    trouble: Wrong | None = None


class SourceTrace:
    """A `Trace` (matcher.io.tables) for a table that a mapping made; its line n is the n-th row made."""

    def __init__(self, sheet: str, made: Sequence[Made], broken: Sequence[Fault]) -> None:
        self._sheet, self._made, self._broken = sheet, made, broken
        self._at: dict[tuple[int, str], Cell] = {}

    def note(self, line: int, column: str, wrong: Wrong) -> Fault:
        """The fault of a cell that a rule could not make, at its line of the table; where it stands is remembered."""
        self._at.setdefault((line, column), wrong.at)
        return Fault(self._sheet, line, column, wrong.code, wrong.message)

    def malformed(self) -> list[Fault]:
        """Rows of the source whose cells cannot be told apart, on lines after those that were made."""
        return [replace(fault, file=self._sheet, line=len(self._made) + n) for n, fault in enumerate(self._broken, start=1)]

    def fault(self, fault: Fault) -> Fault:
        """The fault at its cell of the source."""
        if not fault.line:
            return fault
        if fault.line > len(self._made):
            return self._broken[fault.line - len(self._made) - 1]
        file, line, column, cell = self._place(fault.line, fault.column)
        became = f"becomes {self._sheet}.{fault.column}" if fault.column else f"becomes a row of {self._sheet}"
        where = f"cell {cell}, " if cell else ""
        return Fault(file, line, column, fault.code, f"{fault.message} ({where}{became})")

    def notice(self, notice: Notice) -> Notice:
        """The notice at its row of the source."""
        if not 0 < notice.line <= len(self._made):
            return notice
        file, line, _, _ = self._place(notice.line, "")
        return notice.model_copy(update={"file": file, "line": line})

    def line(self, line: int) -> str:
        """How a message names a row: by its line in the source, and the table where that is another one than the first row's."""
        if line > len(self._made):
            return str(self._broken[line - len(self._made) - 1].line)
        table = self._made[line - 1].row.table
        name = f" of {table.file}" if table is not self._made[0].row.table else ""
        return f"{self._place(line, '')[1]}{name}"

    def _place(self, line: int, column: str) -> tuple[str, int, str, str]:
        made = self._made[line - 1]
        row, position = self._at.get((line, column)) or self._cell(made, column)
        return row.table.place(row.number, position)

    @staticmethod
    def _cell(made: Made, column: str) -> Cell:
        rule = made.rules.get(column)
        if rule is None:
            return made.row, None
        try:
            return rule.at(made.row)
        except Wrong as wrong:  # a part of the rule cannot be made: that is the cell to mend
            return wrong.at
