"""Persons, and costs a person, as sentences have them."""

from __future__ import annotations

from decimal import Decimal

from matcher.i18n import Translator
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
