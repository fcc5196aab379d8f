"""What rules of a mapping are made of: rows of a source and what belongs to them, the cell to mend, and readings of one cell."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from matcher.io.cells import shown
from matcher.io.mapping.source import SourceTable
from matcher.io.values import SPOILT

DATES: Final = {
    "ymd": re.compile(r"(?P<y>[0-9]{4})[-./](?P<m>[0-9]{1,2})[-./](?P<d>[0-9]{1,2})"),
    "dmy": re.compile(r"(?P<d>[0-9]{1,2})[-./](?P<m>[0-9]{1,2})[-./](?P<y>[0-9]{4})"),
    "mdy": re.compile(r"(?P<m>[0-9]{1,2})[-./](?P<d>[0-9]{1,2})[-./](?P<y>[0-9]{4})"),
}
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:[.][0-9]*)?|[.][0-9]+)(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_REST: Final = re.compile(r"[\w-]*")
_DASH: Final = re.compile(r"[_\u2010-\u2015\u2212]")
_TIME: Final = re.compile(r"(?:[T ][0-9]{2}:[0-9]{2}.*)?")


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, and the rows of others that belong to it: one or none by alias, or many."""

    table: SourceTable
    number: int
    one: Mapping[str, Row | None] = field(default_factory=dict)
    many: Mapping[str, Sequence[Row]] = field(default_factory=dict)


Cell = tuple[Row, int | None]
"""A cell by its row and the position of its column; None: the row as a whole."""


class Wrong(Exception):
    """A cell of the source that a rule cannot use. at: which one."""

    def __init__(self, code: str, message: str, at: Cell) -> None:
        self.code = code
        self.message = message
        self.at = at
        super().__init__(message)


class BadRule(Exception):
    """A rule that cannot be understood. message: with the key at fault."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a cell is made from. text: of a row, "" for none; raises Wrong. at: the cell to mend, if the text is faulty.

    used: (table, position) of all columns that it reads. missing: columns that it names and no table has.
    """

    text: Callable[[Row], str]
    at: Callable[[Row], Cell]
    used: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """What holds of a row or not. used, missing: as of a rule."""

    holds: Callable[[Row], bool]
    used: tuple[tuple[str, int], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Belonging:
    """A table whose rows belong to those of another one, and what is joined, or belongs, to these rows in turn."""

    table: SourceTable
    one: Mapping[str, SourceTable]
    many: Mapping[str, Belonging] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """What rules can name: the table whose rows are gone through, others by alias, lists of codes by name, the day of the run; and
    where words go that no list knows."""

    table: SourceTable
    one: Mapping[str, SourceTable]
    many: Mapping[str, Belonging]
    recodes: Mapping[str, Mapping[str, str]]
    oblast: Callable[[str], str]
    day: date | None
    stray: Callable[[Cell, str, bool], None]


def cell_text(row: Row, position: int) -> str:
    """The text of a cell. Raises Wrong for one that a spreadsheet could not compute."""
    code = row.table.spoilt.get((row.table.lines[row.number], position))
    if code is not None:
        raise Wrong(code, SPOILT[code], (row, position))
    return row.table.cells[position][row.number]


def matches(word: str, words: frozenset[str]) -> bool:
    """Whether a word is one of several; `ds-*` is every word that begins so."""
    return word in words or any(one.endswith("*") and word.startswith(one[:-1]) for one in words)


def looked_up(word: str, codes: Mapping[str, str]) -> str | None:
    """What a word becomes by a list of codes; None where it is not in it. A code may be written with another dash (`ds_pm`), unless the
    list tells such spellings apart. `ds-*` is a single code that begins so, not several that are written in a way of their own."""
    if word in codes:
        return codes[word]
    alike = {value for key, value in codes.items() if _dashed(key) == _dashed(word)}
    if alike:
        return alike.pop() if len(alike) == 1 else None
    plain = _dashed(word)
    starts = ((_dashed(key[:-1]), value) for key, value in codes.items() if key.endswith("*"))
    return next((value for start, value in starts if plain.startswith(start) and _REST.fullmatch(plain[len(start) :])), None)


def _dashed(word: str) -> str:
    return _DASH.sub("-", word)


def number(text: str, rule: Rule, row: Row) -> Decimal:
    """The number that a rule's text says, with `.` or `,` as decimal sign. Raises Wrong."""
    plain = text.replace(" ", "").replace("\u00a0", "").replace(",", ".")
    if len(text) > 30 or not _NUMBER.fullmatch(plain):
        raise Wrong("not_a_number", f"{shown(text)} is not a number", rule.at(row))
    return Decimal(plain)


def day_of(text: str, order: str, rule: Rule, row: Row) -> date:
    """The day that a rule's text says, of a date or a moment. Raises Wrong."""
    found = DATES[order].match(text)
    if found is not None and _TIME.fullmatch(text[found.end() :]):
        try:
            return date(*(int(found[part]) for part in "ymd"))
        except ValueError:
            raise Wrong("not_a_date", f"there is no day {shown(text)} in the calendar", rule.at(row)) from None
    raise Wrong("not_a_date", f"{shown(text)} is not a date in the order {order}", rule.at(row))


def first_filled(rules: Sequence[Rule]) -> Callable[[Row], Cell]:
    """The cell to mend where several rules make one: that of the first which says anything."""
    return lambda row: next((rule.at(row) for rule in rules if rule.text(row)), rules[0].at(row))


def uses(parts: Sequence[Rule | Condition]) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    """All that parts use, and all that they miss."""
    return tuple(use for part in parts for use in part.used), tuple(name for part in parts for name in part.missing)


def together(parts: Sequence[Condition], joined: Callable[[Any], bool]) -> Condition:
    """One condition of several; joined: any or all."""
    return Condition(lambda row: joined(part.holds(row) for part in parts), *uses(parts))


def only(raw: Mapping[str, Any], allowed: set[str]) -> None:
    """Raises BadRule where there are other keys than these."""
    more = set(raw) - allowed
    if more:
        raise BadRule(f"`{sorted(more)[0]}` does not go with {' and '.join(sorted(allowed))}")
