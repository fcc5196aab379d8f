"""What the page tells a coordinator to do: who has no place and why, what would help them, which offers to look for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from matcher.answers import Envy
from matcher.i18n import Translator
from matcher.report.words import ADVICE, REASONS
from matcher.result import LEFT_OUT_REASONS
from matcher.wording.advice import envy_lines, floor_sentence, lead_words
from matcher.worth import FloorPrice, Lead

Data = Mapping[str, Any]
CHIPS = 12  # households named in the list of what to do; the table has them all
HELPED = 10  # households whose remedy stands in the list of what would help


@dataclass(frozen=True)
class Task:
    """Households without a place for one reason: who, why, what to do. ids: the most urgent ones."""

    reason: str
    left_out: bool
    households: int
    persons: int
    why: str
    advice: str
    ids: tuple[str, ...]


def tasks(data: Data, t: Translator) -> list[Task]:
    """Who has no place, why, and what to do: by reason, those who are short of a place first."""
    rows, out = _unplaced(data), []
    order = sorted(REASONS, key=lambda reason: (reason in LEFT_OUT_REASONS, list(REASONS).index(reason)))
    for reason in order:
        if reason in data["reasons"]:
            households, persons = data["reasons"][reason]
            concerned = sorted((row for row in rows if row["reason"] == reason), key=_urgency)
            ids = tuple(row["id"] for row in concerned[:CHIPS])
            left_out = reason in LEFT_OUT_REASONS
            out.append(Task(reason, left_out, households, persons, t.say(REASONS[reason]), t.say(ADVICE[reason]), ids))
    return out


@dataclass(frozen=True)
class Helped:
    """A household without a place, and what would place it."""

    id: str
    who: str
    words: str


@dataclass(frozen=True)
class Help:
    """What would help. more: how many stand in their rows only. none: for whom nothing was found, the most urgent first. not_examined:
    how many the search did not come to."""

    rows: tuple[Helped, ...]
    more: int
    none: tuple[str, ...]
    not_examined: int


def help_(data: Data, t: Translator) -> Help:
    """What would help the households without a place, the most urgent first."""
    rows = [row for row in _unplaced(data) if row["reason"] not in LEFT_OUT_REASONS]
    found = sorted((row for row in rows if row["remedy"]), key=_urgency)
    told = tuple(
        Helped(
            row["id"],
            t.say("priority {priority}", priority=str(row["priority"])) + ", " + t.say_n("{n} person", "{n} persons", row["persons"] or 0),
            row["remedy"].get(t.lang) or next(iter(row["remedy"].values())),
        )
        for row in found[:HELPED]
    )
    none = tuple(row["id"] for row in sorted(rows, key=_urgency) if row["examined"] and not row["remedy"])
    examined = any(row["examined"] for row in rows)
    left = len(rows) - len(found) - len(none) if examined or found else 0
    return Help(told, len(found) - len(told), none, left)


def _unplaced(data: Data) -> list[dict[str, Any]]:
    return [dict(zip(data["unplaced"]["fields"], row, strict=True)) for row in data["unplaced"]["rows"]]


def _urgency(row: Mapping[str, Any]) -> tuple[int, int, str]:
    return row["priority"] or 9, -(row["waiting"] or 0), row["id"]


@dataclass(frozen=True)
class Sought:
    """An offer worth finding, and what it would change for all together."""

    offer: str
    persons: str
    ties: str
    km: str


@dataclass(frozen=True)
class Hunt:
    """Offers worth finding, the best first. looked: whether anybody looked. untried: how many others were thought of."""

    rows: tuple[Sought, ...]
    looked: bool
    untried: int


def hunt(data: Data, t: Translator) -> Hunt:
    """What a coordinator might call hosts for tomorrow."""
    found = data["advice"]
    if found is None:
        return Hunt((), looked=False, untried=0)
    leads = [Lead(**{**one, "option": tuple(one["option"])}) for one in found["offers"]]
    rows = [Sought(_capital(lead_words(one, t)), _more(one.persons, t), _more(one.ties, t), _more(_whole(one.km10), t)) for one in leads]
    return Hunt(tuple(rows), looked=True, untried=found["not_examined"])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _whole(tenths: int) -> int:
    return (abs(tenths) + 5) // 10 * (1 if tenths > 0 else -1)


def _more(count: int, t: Translator) -> str:
    return "0" if not count else f"+{t.number(count)}" if count > 0 else f"−{t.number(-count)}"


def promises(data: Data, t: Translator) -> list[str]:
    """The floors of the policy: what they ask for, what they got, what they cost everybody."""
    return [floor_sentence(FloorPrice(**floor), t) for floor in data["floors"]]


def envy(data: Data, t: Translator) -> list[str]:
    """Who would have fitted where somebody less urgent is, in sentences: how many, then why."""
    return [] if data["envy"] is None else list(envy_lines(Envy(**data["envy"]), t))
