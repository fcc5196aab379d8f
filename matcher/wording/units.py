"""Persons, and costs a person, as sentences have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from matcher.i18n import Translator
from matcher.model import Spot
from matcher.places.called import names
from matcher.places.oblasts import OBLASTS


def persons_of(t: Translator, count: int) -> str:
    """So many persons."""
    return t.say_n("{n} person", "{n} persons", count)


def each(t: Translator, tenths: int, persons: int | None) -> str:
    """Tenths of a person-km as km per person."""
    return t.number(Decimal(tenths) / 10 / max(1, persons or 1), 1)


def plain_number(t: Translator, value: Decimal | None) -> str:
    """A number as precise as it was given."""
    value = Decimal(0) if value is None else value
    return t.number(value, max(0, -int(value.normalize().as_tuple().exponent)))


def oblast_name(t: Translator, code: str) -> str:
    """An oblast by its P-code; other countries' codes stay as they are."""
    known = OBLASTS.get(code)
    return code if known is None else known.uk if t.lang == "uk" else known.en


def place_of(t: Translator, spot: Spot) -> str:
    """A place by its name in the language, or by its coordinates."""
    return names(spot)[t.lang == "uk"]


def words_of(t: Translator, codes: Iterable[str], table: Mapping[str, str]) -> list[str]:
    """Codes in words, sorted by code; those that the table does not have as they are."""
    return [t.say(table[code]) if code in table else code for code in sorted(codes)]
