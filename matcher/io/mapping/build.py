"""From the tables of an export to tables of the format, every cell traced to where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, TypeVar

from matcher.errors import Fault, InputError
from matcher.i18n import mark
from matcher.io.codebook import Codebooks
from matcher.io.columns import SHEETS
from matcher.io.mapping.groups import Joined, asked, leads
from matcher.io.mapping.parts import BadRule, Belonging, Cell, Condition, Row, Rule, Scope, Wrong
from matcher.io.mapping.rules import Binder
from matcher.io.mapping.source import SourceTable
from matcher.io.mapping.spec import Block, Join, MappingFile
from matcher.io.mapping.strays import Strays
from matcher.io.mapping.trace import Made, SourceTrace
from matcher.io.tables import Table, make_table
from matcher.io.tokens import Batch
from matcher.model import Notice
from matcher.places.faults import PlaceError
from matcher.reading import Malformed

_MARK = "!"  # stands for a cell that a rule could not make, so that it is not taken for an empty one
_Part = TypeVar("_Part", Rule, Condition)
_NOTHING = SourceTable("", "", 0, (), (), (), ())


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a mapping made. used: for the report, (source table, position) to the columns that they became; missing: by column that is
    made, what the source lacks for it; aside: likewise, words that no list of codes knows, with the lines of their rows."""

    tables: Mapping[str, Table]
    notices: tuple[Notice, ...]
    source: Mapping[str, SourceTable]
    used: Mapping[tuple[str, int], tuple[str, ...]]
    missing: Mapping[str, tuple[str, ...]]
    aside: Mapping[tuple[str, int], Mapping[str, Sequence[int]]]


def map_tables(mapping: MappingFile, source: Mapping[str, SourceTable], books: Codebooks, day: date | None) -> Mapped:
    """The tables that a mapping makes of an export. Raises InputError where tables or columns cannot be told."""
    return _Builder(mapping, source, books, day).mapped()


class _Builder:
    def __init__(self, mapping: MappingFile, source: Mapping[str, SourceTable], books: Codebooks, day: date | None) -> None:
        self._mapping, self._source, self._books, self._day = mapping, source, books, day
        self._faults: list[Fault] = []
        self._notices: list[Notice] = []
        self._used: dict[tuple[str, int], list[str]] = {}
        self._missing: dict[str, list[str]] = {}
        self._left_out: set[str] = set()
        self._strays = Strays()
        self._tables = {alias: self._found(alias, wanted) for alias, wanted in mapping.tables.items()}

    def mapped(self) -> Mapped:
        """All tables of the format that the mapping makes."""
        tables: dict[str, Table] = {}
        for sheet in SHEETS:
            blocks = [block for block in self._mapping.blocks if block.sheet == sheet and self._tables[block.table] is not _NOTHING]
            if blocks and not self._faults:
                made = [made for block in blocks for made in self._rows(block)]
                if not self._faults:
                    tables[sheet] = self._table(sheet, blocks, made)
        if self._faults:
            raise InputError(self._faults)
        left_out = self._left_out - {f"{sheet}.{column}" for sheet, table in tables.items() for column in table.columns}
        if left_out:
            words = mark("nothing in the source is there to make these of: {columns}")
            self._notices.append(Notice.of(self._mapping.name, "mapping_without", words, columns=", ".join(sorted(left_out))))
        self._notices += self._strays.notices()
        used = {place: tuple(dict.fromkeys(targets)) for place, targets in self._used.items()}
        missing = {target: tuple(names) for target, names in self._missing.items()}
        return Mapped(tables, tuple(self._notices), self._source, used, missing, self._strays.unknown())

    def _found(self, alias: str, wanted: Mapping[str, Any]) -> SourceTable:
        """The one table of the source that fits what the mapping says of it."""
        patterns = [name.casefold() for name in _listed(wanted.get("name", "*"))]
        has, lacks = _listed(wanted.get("has", [])), _listed(wanted.get("lacks", []))
        fitting = [
            table
            for table in self._source.values()
            if any(fnmatchcase(table.name.strip().casefold(), pattern) for pattern in patterns)
            and all(table.find(name) or table.choices(name) for name in has)
            and not any(table.find(name) for name in lacks)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting and wanted.get("optional", False):
            self._without(alias, has)
            return _NOTHING
        looked = f"the mapping looks for the table `{alias}`" + (f" named {' or '.join(patterns)}" if patterns != ["*"] else "")
        looked += f" with the columns {', '.join(has)}" if has else ""
        found = "; fitting are " if fitting else "; there are "
        names = ", ".join(table.file for table in (fitting or self._source.values())) or "no tables at all"
        self._faults.append(Fault(self._mapping.name, 0, f"tables.{alias}", "mapping_table", looked + found + names))
        return _NOTHING

    def _without(self, alias: str, has: Sequence[str]) -> None:
        """Tell that the export has no table of this kind: nobody gets the needs or the protection that stand there."""
        looked = f" (with the columns {', '.join(has)})" if has else ""
        text = f"the export has no table `{alias}`{looked}: nothing is made from it, and needs or protection that stand there are missing"
        self._notices.append(Notice(file=self._mapping.name, line=0, code="mapping_no_table", message=f"{text}; was it exported too?"))

    def _rows(self, block: Block) -> list[Made]:
        """The rows of a block: for each row of the source, or group of rows, what each column is made from."""
        table = self._tables[block.table]
        binder = Binder(self._scope(block, table))
        wanted = self._bound(binder.condition, block.where, block, "where")
        lead = self._bound(binder.condition, block.lead, block, "lead")
        group = self._bound(binder.rule, block.group, block, "group")
        rules = {column: rule for column in block.columns if (rule := self._rule(binder, block, column)) is not None}
        try:
            rows = list(self._joined(block, table))
        except BadRule as error:
            self._faults.append(Fault(self._mapping.name, 0, block.path, "bad_mapping", str(error)))
        if self._faults:
            return []
        if group is not None:
            rows = leads(rows, group, lead, block.no_lead)
        made: list[Made] = []
        left_out = 0
        for row, trouble in rows:
            holds, unclear = asked(wanted, row)
            if not holds and (trouble is None or trouble.code != "several_rows"):  # by which row it was asked cannot be told
                left_out += 1
                continue
            made.append(Made(row, rules, trouble or unclear))
        if left_out and block.sheet in ("households", "accommodations"):
            words = mark("rows left out by `{where}` of the mapping: {count}")
            self._notices.append(Notice.of(table.file, "mapping_left_out", words, where=f"{block.path}.where", count=str(left_out)))
        return made

    def _scope(self, block: Block, table: SourceTable) -> Scope:
        one = {alias: self._tables[join.table] for alias, join in block.one.items()}
        many = {
            alias: Belonging(self._tables[join.table], {inner: self._tables[j.table] for inner, j in join.one.items()})
            for alias, join in block.many.items()
        }
        if block.group is not None:
            many["group"] = Belonging(table, one, dict(many))
        return Scope(table, one, many, self._mapping.recodes, _oblast, self._day, self._strays.meet)

    def _rule(self, binder: Binder, block: Block, column: str) -> Rule | None:
        """The rule of a column; none where nothing that it needs is there: the column is then left out."""
        target = f"{block.sheet}.{column}"
        rule = self._bound(binder.rule, block.columns[column], block, f"columns.{column}", target)
        if rule is None or rule.used or not rule.missing:
            return rule
        self._left_out.add(target)
        return None

    def _bound(self, bind: Callable[[Any], _Part], raw: Any, block: Block, key: str, target: str = "") -> _Part | None:
        """A rule or condition of the mapping; None where it has none, or, with a fault at its key, one that cannot be understood."""
        if raw is None:
            return None
        path = f"{block.path}.{key}"
        try:
            return self._noted(bind(raw), target or path)
        except BadRule as error:
            text = str(error)
        except (ValueError, TypeError, KeyError, AttributeError):
            text = "cannot be understood; see docs/howto/kobo.md"
        self._faults.append(Fault(self._mapping.name, 0, path, "bad_mapping", text))
        return None

    def _noted(self, part: _Part, target: str) -> _Part:
        """Remember for the report what a rule or condition reads, and what it looks for in vain."""
        for place in part.used:
            self._used.setdefault(place, []).append(target)
        for name in part.missing:
            if name not in self._missing.setdefault(target, []):
                self._missing[target].append(name)
        return part

    def _joined(self, block: Block, table: SourceTable) -> Iterator[Joined]:
        """The rows of a table with those of others that belong to them, and what is wrong where one must have such a row."""
        one = {alias: self._index(join) for alias, join in block.one.items()}
        many = {alias: self._index(join) for alias, join in block.many.items()}
        at = {alias: self._position(table, join.here) for alias, join in {**block.one, **block.many}.items()}
        inner = {
            (alias, second): (self._index(j), self._position(self._tables[join.table], j.here))
            for alias, join in block.many.items()
            for second, j in join.one.items()
        }
        for number in range(len(table.lines)):
            trouble: Wrong | None = None
            singles: dict[str, Row | None] = {}
            for alias, join in block.one.items():
                key = table.cells[at[alias]][number]
                found = one[alias].get(key, [])
                singles[alias] = Row(self._tables[join.table], found[0]) if found else None
                text = f"of {self._tables[join.table].name} has this in `{join.there}`"
                if not found and join.required:
                    trouble = Wrong("no_parent", f"no row {text}", (Row(table, number), at[alias]))
                if len(found) > 1:
                    unclear = f"more than one row {text}, so which is meant cannot be told"
                    trouble = Wrong("several_rows", unclear, (Row(table, number), at[alias]))
            belonging = {
                alias: [
                    Row(self._tables[join.table], other, self._second(alias, join, other, inner))
                    for other in (many[alias].get(table.cells[at[alias]][number], []) if table.cells[at[alias]][number] else [])
                ]
                for alias, join in block.many.items()
            }
            yield Row(table, number, singles, belonging), trouble

    def _second(self, alias: str, join: Join, number: int, inner: Mapping[tuple[str, str], Any]) -> dict[str, Row | None]:
        table, found = self._tables[join.table], {}
        for second, j in join.one.items():
            index, position = inner[alias, second]
            rows = index.get(table.cells[position][number], [])
            found[second] = Row(self._tables[j.table], rows[0]) if rows else None
        return found

    def _index(self, join: Join) -> dict[str, list[int]]:
        """Rows of a joined table by what stands in `there`."""
        table = self._tables[join.table]
        if table is _NOTHING:
            return {}
        index: dict[str, list[int]] = {}
        for number, key in enumerate(table.cells[self._position(table, join.there)]):
            if key:
                index.setdefault(key, []).append(number)
        return index

    def _position(self, table: SourceTable, name: str) -> int:
        if table is _NOTHING:
            return 0
        found = table.find(name)
        if len(found) != 1:
            raise BadRule(f"the tables are joined by `{name}`, which {table.file} has {'not' if not found else 'more than once'}")
        self._used.setdefault((table.name, found[0]), []).append("(joins tables)")
        return found[0]

    def _table(self, sheet: str, blocks: Sequence[Block], made: Sequence[Made]) -> Table:
        """A table of the format from the rows that were made. Lines are positions from 1; the trace leads from them to the source."""
        columns = list(dict.fromkeys(column for row in made for column in row.rules)) if made else list(blocks[0].columns)
        lacking = self._lacking(sheet, blocks, columns) if made else []
        if lacking:
            return Table(SHEETS[sheet], sheet, faults=tuple(lacking))
        trace = SourceTrace(sheet, made, [fault for block in blocks for fault in self._tables[block.table].broken])
        cells: list[list[str]] = [[] for _ in columns]
        faults: list[Fault] = []
        for line, row in enumerate(made, start=1):
            told = set()
            for column, texts in zip(columns, cells, strict=True):
                rule = row.rules.get(column)
                try:
                    texts.append("" if rule is None else rule.text(row.row))
                except Wrong as wrong:
                    texts.append(_MARK)
                    told.add(_place(wrong.at))
                    faults.append(trace.note(line, column, wrong))
            if row.trouble is not None and _place(row.trouble.at) not in told:
                faults.append(trace.note(line, self._troubled(row, columns), row.trouble))
        batch = [Batch(range(1, len(made) + 1), cells)] if made else []
        comma = any(self._tables[block.table].decimal_comma for block in blocks)
        table = make_table(sheet, sheet, columns, batch, self._books, header_line=0, decimal_comma=comma)
        malformed = tuple(Malformed(fault, None) for fault in trace.malformed())
        return replace(table, cell_faults=tuple(faults), trace=trace, malformed=table.malformed + malformed)

    @staticmethod
    def _troubled(row: Made, columns: Sequence[str]) -> str:
        """The column that a row's trouble empties: it is told once, and not as a cell to fill as well."""
        rule = row.rules.get("household_id") if "household_id" in columns else None
        try:
            return "household_id" if rule is not None and not rule.text(row.row) else ""
        except Wrong:
            return "household_id"

    def _lacking(self, sheet: str, blocks: Sequence[Block], columns: Sequence[str]) -> list[Fault]:
        """Columns that the format requires and that nothing in the source could be found for."""
        found = []
        for ways in SHEETS[sheet].required:
            if not any(all(column in columns for column in way) for way in ways):
                wanted = [column for way in ways for column in way if f"{sheet}.{column}" in self._missing]
                names = ", ".join(name for column in wanted for name in self._missing[f"{sheet}.{column}"])
                text = f"{sheet}.{ways[0][0]} is required, and is made from what is not there: {names or 'the mapping does not say what'}"
                source = self._tables[blocks[0].table]
                found.append(Fault(source.file, source.header_line, "", "missing_column", text))
        return found


def _oblast(text: str) -> str:
    """The P-code of an oblast. Raises ValueError."""
    from matcher.places.oblasts import find

    try:
        return find(text)
    except PlaceError as error:
        raise ValueError(error.message) from error


def _place(cell: Cell) -> tuple[str, int, int | None]:
    """What tells a cell from others."""
    row, position = cell
    return row.table.file, row.number, position


def _listed(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
