"""What a cell is made from: rules and conditions of a mapping, bound to the tables of a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from matcher.io.cells import shown
from matcher.io.mapping.source import SourceTable
from matcher.io.workbook_in import SPOILT

Raw = Any
_DATES: Final = {
    "ymd": re.compile(r"(?P<y>[0-9]{4})[-./](?P<m>[0-9]{1,2})[-./](?P<d>[0-9]{1,2})"),
    "dmy": re.compile(r"(?P<d>[0-9]{1,2})[-./](?P<m>[0-9]{1,2})[-./](?P<y>[0-9]{4})"),
    "mdy": re.compile(r"(?P<m>[0-9]{1,2})[-./](?P<d>[0-9]{1,2})[-./](?P<y>[0-9]{4})"),
}
_TIME: Final = re.compile(r"(?:[T ][0-9]{2}:[0-9]{2}.*)?")
_CODE: Final = re.compile(r"UA[-0-9]*", re.IGNORECASE)
_TRUE: Final = frozenset({"1", "true", "yes"})


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
    """A table whose rows belong to those of another one, and what is joined to these rows in turn."""

    table: SourceTable
    one: Mapping[str, SourceTable]


@dataclass(frozen=True, slots=True)
class Scope:
    """What rules can name: the table whose rows are gone through, others by alias, lists of codes by name, and the day of the run."""

    table: SourceTable
    one: Mapping[str, SourceTable]
    many: Mapping[str, Belonging]
    recodes: Mapping[str, Mapping[str, str]]
    oblast: Callable[[str], str]
    day: date | None


class Binder:
    """Makes rules of what a mapping says, for the tables of a scope."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def rule(self, raw: Raw) -> Rule:
        """A rule. raw: the name of a column, or a table with one verb. Raises BadRule."""
        if isinstance(raw, str):
            return self._column({"column": raw})
        if not isinstance(raw, dict):
            raise BadRule(f"a rule is the name of a column or a table, not {raw!r}")
        verbs = ["settlement"] if "settlement" in raw else [verb for verb in _VERBS if verb in raw]
        if len(verbs) != 1:
            raise BadRule(f"a rule needs one of {', '.join(_VERBS)}; this one has {' and '.join(verbs) or 'none'}")
        verb = verbs[0]
        more = set(raw) - {verb} - _MODIFIERS - _ALSO.get(verb, frozenset())
        if more:
            raise BadRule(f"`{sorted(more)[0]}` does not go with `{verb}`")
        rule = getattr(self, f"_{verb}")(raw)
        return self._modified(rule, raw)

    def condition(self, raw: Raw) -> Condition:
        """A condition. Raises BadRule."""
        if not isinstance(raw, dict):
            raise BadRule(f"a condition is a table, not {raw!r}")
        for verb, joined in (("any", any), ("all", all)):
            if verb in raw:
                _only(raw, {verb})
                return _together([self.condition(part) for part in raw[verb]], joined)
        if "none" in raw:
            _only(raw, {"none"})
            found = _together([self.condition(part) for part in raw["none"]], any)
            return Condition(lambda row: not found.holds(row), found.used, found.missing)
        for verb, joined in (("some", any), ("every", all)):
            if verb in raw:
                return self._of_many(raw, verb, joined)
        return self._test(raw)

    def _of_many(self, raw: Raw, verb: str, joined: Callable[[Any], bool]) -> Condition:
        _only(raw, {verb, "where"})
        alias, inner = self._inner(raw[verb], raw.get("where"))
        return Condition(lambda row: joined(inner.holds(other) for other in row.many.get(alias, ())), inner.used, inner.missing)

    def _inner(self, alias: str, where: Raw) -> tuple[str, Condition]:
        """A condition on the rows of a table that belong to a row."""
        inner = self._belonging(alias)
        return alias, Condition(lambda _: True) if where is None else inner.condition(where)

    def _belonging(self, alias: str) -> Binder:
        found = self._scope.many.get(alias)
        if found is None:
            raise BadRule(f"`{alias}` is none of the tables that belong to this one: {', '.join(self._scope.many) or 'there are none'}")
        return Binder(replace(self._scope, table=found.table, one=found.one, many={}))

    def _test(self, raw: Raw) -> Condition:
        """A question about one cell."""
        tests = [test for test in _TESTS if test in raw]
        if len(tests) != 1:
            raise BadRule(f"a condition needs one of any, all, none, some, every, or a column with one of {', '.join(_TESTS)}")
        test = tests[0]
        rule = self.rule({key: value for key, value in raw.items() if key != test})
        wanted = raw[test]
        if test == "filled":
            return Condition(lambda row: bool(rule.text(row)) is bool(wanted), rule.used, rule.missing)
        if test in ("at_least", "at_most"):
            limit = Decimal(str(wanted))

            def compared(row: Row) -> bool:
                text = rule.text(row)
                return bool(text) and (_number(text, rule, row) >= limit if test == "at_least" else _number(text, rule, row) <= limit)

            return Condition(compared, rule.used, rule.missing)
        words = frozenset(str(word).casefold() for word in (wanted if isinstance(wanted, list) else [wanted]))
        if test == "has":
            return Condition(lambda row: any(_matches(word, words) for word in rule.text(row).casefold().split()), rule.used, rule.missing)
        return Condition(lambda row: _matches(rule.text(row).casefold(), words) is (test == "is"), rule.used, rule.missing)

    # Verbs

    def _column(self, raw: Raw) -> Rule:
        """A cell as it stands."""
        alias, name = raw.get("of"), str(raw["column"])
        table = self._table(alias)
        found = table.find(name)
        if len(found) > 1:
            names = ", ".join(shown(table.header[position].strip() or table.tags[position]) for position in found)
            raise BadRule(f"{shown(name)} fits several columns of {table.file}: {names}")
        if not found:
            return Rule(lambda _: "", lambda row: (row, None), (), (f"{table.name}: {name}",))
        position = found[0]

        def text(row: Row) -> str:
            other = self._row(row, alias)
            return "" if other is None else _cell(other, position)

        return Rule(
            text, lambda row: (other, position) if (other := self._row(row, alias)) is not None else (row, None), ((table.name, position),)
        )

    def _value(self, raw: Raw) -> Rule:
        return Rule(lambda _: str(raw["value"]), lambda row: (row, None))

    def _first(self, raw: Raw) -> Rule:
        """The first that is not empty."""
        rules = [self.rule(part) for part in raw["first"]]

        def chosen(row: Row) -> Rule:
            return next((rule for rule in rules if rule.text(row)), rules[0])

        return Rule(lambda row: chosen(row).text(row), lambda row: chosen(row).at(row), *_joined(rules))

    def _join(self, raw: Raw) -> Rule:
        """Several, one after another, without those that are empty."""
        rules, between = [self.rule(part) for part in raw["join"]], str(raw.get("with", " "))
        return Rule(lambda row: between.join(filter(None, (rule.text(row) for rule in rules))), _first_filled(rules), *_joined(rules))

    def _sum(self, raw: Raw) -> Rule:
        rules = [self.rule(part) for part in raw["sum"]]

        def text(row: Row) -> str:
            numbers = [_number(found, rule, row) for rule in rules if (found := rule.text(row))]
            return format(sum(numbers, Decimal(0)), "f") if numbers else ""

        return Rule(text, _first_filled(rules), *_joined(rules))

    def _count(self, raw: Raw) -> Rule:
        """How many rows belong to this one."""
        alias, inner = self._inner(raw["count"], raw.get("where"))
        return Rule(
            lambda row: str(sum(inner.holds(other) for other in row.many.get(alias, ()))),
            lambda row: (row, None),
            inner.used,
            inner.missing,
        )

    def _yes_if(self, raw: Raw) -> Rule:
        found = self.condition(raw["yes_if"])
        return Rule(lambda row: "yes" if found.holds(row) else "no", lambda row: (row, None), found.used, found.missing)

    def _choices(self, raw: Raw) -> Rule:
        """The choices of a select-multiple question, from its own column or from one column a choice."""
        alias, name = raw.get("of"), str(raw["choices"])
        table = self._table(alias)
        found, split = table.find(name), table.choices(name)
        used = tuple((table.name, position) for position in [*found[:1], *(position for position, _ in split)])

        def text(row: Row) -> str:
            other = self._row(row, alias)
            if other is None:
                return ""
            words = re.split(r"[\s,;|]+", _cell(other, found[0])) if found else []
            words += [choice for position, choice in split if _cell(other, position).casefold() in _TRUE]
            return " ".join(dict.fromkeys(filter(None, words)))

        position = found[0] if found else split[0][0] if split else None
        return Rule(
            text,
            lambda row: (self._row(row, alias) or row, position),
            used,
            () if used else (f"{table.name}: {name}",),
        )

    def _words(self, raw: Raw) -> Rule:
        """The words whose condition holds, and those that rules among them give."""
        parts: list[tuple[str, Condition] | Rule] = []
        for part in raw["words"]:
            if "word" in part:
                _only(part, {"word", "when"})
                parts.append((str(part["word"]), self.condition(part["when"])))
            else:
                parts.append(self.rule(part))

        def text(row: Row) -> str:
            found: list[str] = []
            for part in parts:
                found += part.text(row).split() if isinstance(part, Rule) else [part[0]] if part[1].holds(row) else []
            return " ".join(dict.fromkeys(found))

        every = [part if isinstance(part, Rule) else part[1] for part in parts]
        rules = [part for part in parts if isinstance(part, Rule)]
        return Rule(text, _first_filled(rules) if rules else lambda row: (row, None), *_joined(every))

    def _each(self, raw: Raw) -> Rule:
        """The words that a rule gives for each of the rows that belong to this one."""
        alias = str(raw["each"])
        inner = self._belonging(alias).rule(raw["rule"])

        def text(row: Row) -> str:
            return " ".join(dict.fromkeys(word for other in row.many.get(alias, ()) for word in inner.text(other).split()))

        def at(row: Row) -> Cell:
            return next((inner.at(other) for other in row.many.get(alias, ()) if inner.text(other)), (row, None))

        return Rule(text, at, inner.used, inner.missing)

    def _date(self, raw: Raw) -> Rule:
        """A day, from a date or a moment written in the order that is named (ymd unless it says otherwise)."""
        rule, order = self.rule(raw["date"]), str(raw.get("order", "ymd"))
        if order not in _DATES:
            raise BadRule(f"order {order!r} is none of {', '.join(_DATES)}")

        def text(row: Row) -> str:
            found = rule.text(row)
            return _day(found, order, rule, row).isoformat() if found else ""

        return Rule(text, rule.at, rule.used, rule.missing)

    def _years(self, raw: Raw) -> Rule:
        """Whole years since a day: an age from a date of birth."""
        born = self._date({"date": raw["years"], "order": raw.get("order", "ymd")})
        fixed = raw.get("at", "run")
        then = None if isinstance(fixed, str) else self._date({"date": fixed})
        day = self._scope.day if fixed == "run" else None
        if fixed == "run" and day is None:
            raise BadRule("ages are counted by the day of the run, which is not known here: give it")
        if isinstance(fixed, str) and fixed != "run":
            day = date.fromisoformat(fixed)

        def text(row: Row) -> str:
            start = born.text(row)
            until = day if then is None else date.fromisoformat(then.text(row)) if then.text(row) else None
            if not start or until is None:
                return ""
            since = date.fromisoformat(start)
            return str(until.year - since.year - ((until.month, until.day) < (since.month, since.day)))

        return Rule(text, born.at, *_joined([born] if then is None else [born, then]))

    def _oblast(self, raw: Raw) -> Rule:
        """The P-code of an oblast from a choice, a name or a code. `recode` goes before names."""
        rule = self.rule(raw["oblast"])
        codes = self._codes(raw["recode"]) if "recode" in raw else {}

        def text(row: Row) -> str:
            found = rule.text(row)
            if not found:
                return ""
            known = codes.get(found.casefold())
            if known is not None:
                return known
            try:
                return self._scope.oblast(found.replace("_", " "))
            except ValueError as error:
                raise Wrong("unknown_oblast", str(error), rule.at(row)) from error

        return Rule(text, rule.at, rule.used, rule.missing)

    def _settlement(self, raw: Raw) -> Rule:
        """A place: code of a settlement, or its name with the oblast; with `or_centre`, the oblast's centre where no name is given."""
        name, oblast = self.rule(raw["settlement"]), self.rule(raw["oblast"]) if "oblast" in raw else None
        centre = bool(raw.get("or_centre", False))

        def text(row: Row) -> str:
            found = name.text(row).replace("_", " ").strip()
            if _CODE.fullmatch(found) or oblast is None:
                return found
            region = oblast.text(row)
            if not found:
                return region if centre else ""
            return f"{found}, {region}" if region and "," not in found else found

        rules = [name] if oblast is None else [name, oblast]
        return Rule(text, _first_filled(rules), *_joined(rules))

    # What all verbs may have

    def _modified(self, rule: Rule, raw: Raw) -> Rule:
        """`recode` by a list of codes (each word of a list), `otherwise` for what is not in it, `default` for the empty cell."""
        if "recode" in raw and "settlement" in raw:
            raise BadRule("`recode` goes with the column of a settlement, not around it")
        if "recode" in raw and "oblast" not in raw:
            rule = self._recoded(rule, raw)
        elif "otherwise" in raw:
            raise BadRule("`otherwise` goes with `recode`")
        if "default" in raw:
            inner = rule.text
            rule = Rule(lambda row: inner(row) or str(raw["default"]), rule.at, rule.used, rule.missing)
        return rule

    def _recoded(self, rule: Rule, raw: Raw) -> Rule:
        codes, otherwise = self._codes(raw["recode"]), raw.get("otherwise", "fault")
        if otherwise not in ("fault", "keep", "empty"):
            raise BadRule(f"otherwise {otherwise!r} is none of fault, keep, empty")
        many = "choices" in raw or "words" in raw or "each" in raw

        def one(word: str, row: Row) -> str:
            known = _looked_up(word.casefold(), codes)
            if known is None and otherwise == "fault":
                text = f"{shown(word)} is no choice that the mapping knows; mend the cell, or add it to `recode` of the mapping"
                raise Wrong("unknown_word", text, rule.at(row))
            return (word if otherwise == "keep" else "") if known is None else known

        def text(row: Row) -> str:
            found = rule.text(row)
            if not found or not many:
                return one(found, row) if found else ""
            return " ".join(dict.fromkeys(word for item in found.split() for word in one(item, row).split()))

        return Rule(text, rule.at, rule.used, rule.missing)

    def _codes(self, raw: Raw) -> Mapping[str, str]:
        """A list of codes, by what stands in the source, without case."""
        if isinstance(raw, str):
            if raw not in self._scope.recodes:
                raise BadRule(f"there is no [recodes.{raw}]; there are {', '.join(sorted(self._scope.recodes)) or 'none'}")
            raw = self._scope.recodes[raw]
        return {str(key).casefold(): str(value) for key, value in raw.items()}

    def _table(self, alias: str | None) -> SourceTable:
        if alias is None:
            return self._scope.table
        if alias not in self._scope.one:
            raise BadRule(f"of {alias!r} is none of {', '.join(self._scope.one) or 'the joined tables: there are none'}")
        return self._scope.one[alias]

    @staticmethod
    def _row(row: Row, alias: str | None) -> Row | None:
        return row if alias is None else row.one.get(alias)


_VERBS: Final = (
    "column",
    "value",
    "first",
    "join",
    "sum",
    "count",
    "yes_if",
    "choices",
    "words",
    "each",
    "date",
    "years",
    "settlement",
    "oblast",
)
_MODIFIERS: Final = frozenset({"recode", "otherwise", "default"})
_ALSO: Final[Mapping[str, frozenset[str]]] = {
    "column": frozenset({"of"}),
    "choices": frozenset({"of"}),
    "join": frozenset({"with"}),
    "count": frozenset({"where"}),
    "each": frozenset({"rule"}),
    "date": frozenset({"order"}),
    "years": frozenset({"at", "order"}),
    "settlement": frozenset({"oblast", "or_centre"}),
}
_TESTS: Final = ("is", "not", "has", "filled", "at_least", "at_most")


def _cell(row: Row, position: int) -> str:
    """The text of a cell. Raises Wrong for one that a spreadsheet could not compute."""
    code = row.table.spoilt.get((row.table.lines[row.number], position))
    if code is not None:
        raise Wrong(code, SPOILT[code], (row, position))
    return row.table.cells[position][row.number]


def _matches(word: str, words: frozenset[str]) -> bool:
    """Whether a word is one of several; `ds-*` is every word that begins so."""
    return word in words or any(one.endswith("*") and word.startswith(one[:-1]) for one in words)


def _looked_up(word: str, codes: Mapping[str, str]) -> str | None:
    if word in codes:
        return codes[word]
    return next((value for key, value in codes.items() if key.endswith("*") and word.startswith(key[:-1])), None)


def _number(text: str, rule: Rule, row: Row) -> Decimal:
    try:
        value = Decimal(text.replace(" ", "").replace("\u00a0", "").replace(",", "."))
        if value.is_finite() and len(text) <= 30:
            return value
    except InvalidOperation:
        pass
    raise Wrong("not_a_number", f"{shown(text)} is not a number", rule.at(row))


def _day(text: str, order: str, rule: Rule, row: Row) -> date:
    found = _DATES[order].match(text)
    if found is not None and _TIME.fullmatch(text[found.end() :]):
        try:
            return date(*(int(found[part]) for part in "ymd"))
        except ValueError:
            raise Wrong("not_a_date", f"there is no day {shown(text)} in the calendar", rule.at(row)) from None
    raise Wrong("not_a_date", f"{shown(text)} is not a date in the order {order}", rule.at(row))


def _first_filled(rules: Sequence[Rule]) -> Callable[[Row], Cell]:
    return lambda row: next((rule.at(row) for rule in rules if rule.text(row)), rules[0].at(row))


def _joined(parts: Sequence[Rule | Condition]) -> tuple[tuple[tuple[str, int], ...], tuple[str, ...]]:
    return tuple(use for part in parts for use in part.used), tuple(name for part in parts for name in part.missing)


def _together(parts: Sequence[Condition], joined: Callable[[Any], bool]) -> Condition:
    return Condition(lambda row: joined(part.holds(row) for part in parts), *_joined(parts))


def _only(raw: Mapping[str, Any], allowed: set[str]) -> None:
    more = set(raw) - allowed
    if more:
        raise BadRule(f"`{sorted(more)[0]}` does not go with {' and '.join(sorted(allowed))}")
