"""What a cell is made from: rules and conditions of a mapping, bound to the tables of a source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from matcher.io.cells import shown
from matcher.io.mapping.parts import (
    DATES,
    BadRule,
    Cell,
    Condition,
    Row,
    Rule,
    Scope,
    Wrong,
    cell_text,
    day_of,
    first_filled,
    looked_up,
    matches,
    number,
    only,
    together,
    uses,
)
from matcher.io.mapping.source import SourceTable

Raw = Any
_CODE: Final = re.compile(r"UA[-0-9]*", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"[\s,;|/+&]+")  # what stands between choices in one cell
_TRUE: Final = frozenset({"1", "true", "yes"})


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
                only(raw, {verb})
                return together([self.condition(part) for part in _several(raw, verb)], joined)
        if "none" in raw:
            only(raw, {"none"})
            found = together([self.condition(part) for part in _several(raw, "none")], any)
            return Condition(lambda row: not found.holds(row), found.used, found.missing)
        for verb, joined in (("some", any), ("every", all)):
            if verb in raw:
                return self._of_many(raw, verb, joined)
        return self._test(raw)

    def _of_many(self, raw: Raw, verb: str, joined: Callable[[Any], bool]) -> Condition:
        only(raw, {verb, "where"})
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
        return Binder(replace(self._scope, table=found.table, one=found.one, many=found.many))

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
            if isinstance(wanted, bool) or not isinstance(wanted, int | float):
                raise BadRule(f"`{test}` is a number, not {wanted!r}")
            limit = Decimal(str(wanted))

            def compared(row: Row) -> bool:
                text = rule.text(row)
                return bool(text) and (number(text, rule, row) >= limit if test == "at_least" else number(text, rule, row) <= limit)

            return Condition(compared, rule.used, rule.missing)
        words = frozenset(str(word).casefold() for word in (wanted if isinstance(wanted, list) else [wanted]))
        if test == "has":
            return Condition(lambda row: any(matches(word, words) for word in rule.text(row).casefold().split()), rule.used, rule.missing)
        return Condition(lambda row: matches(rule.text(row).casefold(), words) is (test == "is"), rule.used, rule.missing)

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
            return "" if other is None else cell_text(other, position)

        return Rule(
            text, lambda row: (other, position) if (other := self._row(row, alias)) is not None else (row, None), ((table.name, position),)
        )

    def _value(self, raw: Raw) -> Rule:
        return Rule(lambda _: str(raw["value"]), lambda row: (row, None))

    def _first(self, raw: Raw) -> Rule:
        """The first that is not empty."""
        rules = [self.rule(part) for part in _several(raw, "first")]

        def chosen(row: Row) -> Rule:
            return next((rule for rule in rules if rule.text(row)), rules[0])

        return Rule(lambda row: chosen(row).text(row), lambda row: chosen(row).at(row), *uses(rules))

    def _join(self, raw: Raw) -> Rule:
        """Several, one after another, without those that are empty."""
        rules, between = [self.rule(part) for part in _several(raw, "join")], str(raw.get("with", " "))
        return Rule(lambda row: between.join(filter(None, (rule.text(row) for rule in rules))), first_filled(rules), *uses(rules))

    def _sum(self, raw: Raw) -> Rule:
        rules = [self.rule(part) for part in _several(raw, "sum")]

        def text(row: Row) -> str:
            numbers = [number(found, rule, row) for rule in rules if (found := rule.text(row))]
            return format(sum(numbers, Decimal(0)), "f") if numbers else ""

        return Rule(text, first_filled(rules), *uses(rules))

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
        """The choices of a select-multiple question, from its own column (all that bear its tag) or from one column a choice."""
        alias, name = raw.get("of"), str(raw["choices"])
        table = self._table(alias)
        found, split = table.find(name), table.choices(name)
        used = tuple((table.name, position) for position in [*found, *(position for position, _ in split)])

        def text(row: Row) -> str:
            other = self._row(row, alias)
            if other is None:
                return ""
            words = [word for position in found for word in _BETWEEN.split(cell_text(other, position))]
            words += [choice for position, choice in split if cell_text(other, position).casefold() in _TRUE]
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
        for part in _several(raw, "words"):
            if isinstance(part, dict) and "word" in part:
                only(part, {"word", "when"})
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
        return Rule(text, first_filled(rules) if rules else lambda row: (row, None), *uses(every))

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
        if order not in DATES:
            raise BadRule(f"order {order!r} is none of {', '.join(DATES)}")

        def text(row: Row) -> str:
            found = rule.text(row)
            return day_of(found, order, rule, row).isoformat() if found else ""

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

        return Rule(text, born.at, *uses([born] if then is None else [born, then]))

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
        return Rule(text, first_filled(rules), *uses(rules))

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
        if otherwise not in ("fault", "keep", "empty", "tell"):
            raise BadRule(f"otherwise {otherwise!r} is none of fault, keep, empty, tell")
        many = "choices" in raw or "words" in raw or "each" in raw

        def one(word: str, row: Row) -> str:
            known = looked_up(word.casefold(), codes)
            if known is None and otherwise == "fault":
                text = f"{shown(word)} is no choice that the mapping knows; mend the cell, or add it to `recode` of the mapping"
                raise Wrong("unknown_word", text, rule.at(row))
            if otherwise == "tell":
                self._scope.stray(rule.at(row), word, known is not None)
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
        if not isinstance(raw, dict):
            raise BadRule(f"`recode` is the name of a list of codes, or such a list, not {raw!r}")
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


def _several(raw: Raw, verb: str) -> Sequence[Raw]:
    """What a verb lists."""
    found = raw[verb]
    if not isinstance(found, list) or not found:
        raise BadRule(f"`{verb}` is a list, with at least one in it, not {found!r}")
    return found
