"""What people read, in their language: sentences from gettext catalogues (matcher/locale), numbers and dates by locale.

English is the language of the code: a message is its own key. `scripts/messages.py` keeps the catalogues in step with it.
"""

from __future__ import annotations

import datetime as dt
import gettext
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from matcher.errors import UsageError

Lang = Literal["en", "uk"]
LANGUAGES: tuple[Lang, ...] = get_args(Lang)
DOMAIN = "matcher"
_LOCALES = {"en": "en_GB", "uk": "uk_UA"}  # English with the day before the month, as everybody here writes it


def mark(message: str) -> str:
    """A message that is translated later, by `Translator.say`; marked so that it gets into the catalogues."""
    return message


def mark_n(one: str, many: str) -> tuple[str, str]:
    """The same for a message that goes with a number: said of one, said of several."""
    return one, many


@dataclass(frozen=True, slots=True)
class Translator:
    """Sentences, numbers and dates in one language.

    Placeholders stand in braces: `say("{count} beds in {place}", count=3, place="Lviv")`. Whole numbers are written by locale,
    everything else as it is. group, point: what separates thousands and decimals.
    """

    lang: Lang
    group: str
    point: str
    _catalogue: gettext.NullTranslations = field(repr=False, compare=False)

    def say(self, message: str, /, **values: object) -> str:
        """A message in this language."""
        return self._filled(self._catalogue.gettext(message), values)

    def say_n(self, one: str, many: str, count: int, /, **values: object) -> str:
        """A message in the form that goes with a number, which stands in it as {n}."""
        return self._filled(self._catalogue.ngettext(one, many, count), {"n": count, **values})

    def forms(self, one: str, many: str) -> list[str]:
        """All forms of such a message, unfilled: in the order of CLDR's one, few, many as far as the language has them."""
        return [self._catalogue.ngettext(one, many, n) for n in ((1, 2, 5) if self.lang == "uk" else (1, 2))]

    def _filled(self, text: str, values: dict[str, object]) -> str:
        if not values:
            return text
        return text.format(**{k: self.number(v) if isinstance(v, int) else v for k, v in values.items()})

    def number(self, value: int | float | Decimal, digits: int = 0) -> str:
        """A number with so many decimals, thousands apart; half up."""
        if isinstance(value, int) and not digits:  # nearly all, and quick
            text = f"{value:,}"
        else:
            exact = value if isinstance(value, Decimal) else Decimal(repr(value))
            text = f"{exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,}"
        return text.translate({ord(","): self.group, ord("."): self.point, ord("-"): "−"})

    def tenths(self, value: int, digits: int = 1) -> str:
        """A number given in tenths (km10, or costs in units), with so many decimals."""
        return self.number(Decimal(value) / 10, digits)

    def percent(self, share: float, digits: int = 0) -> str:
        """A share from 0 to 1 in per cent."""
        return f"{self.number(Decimal(repr(share)) * 100, digits)}\u00a0%"

    def date(self, day: dt.date, width: Literal["short", "medium", "long", "full"] = "long") -> str:
        """A day: 22 November 2026, 22 листопада 2026 р."""
        from babel.dates import format_date

        return format_date(day, width, locale=_LOCALES[self.lang])

    def listed(self, words: Iterable[str]) -> str:
        """Words as a list in a sentence: a, b and c."""
        from babel.lists import format_list

        return format_list(list(words), locale=_LOCALES[self.lang])


@cache
def translator(lang: str) -> Translator:
    """The translator of a language. Raises UsageError for one that there is no catalogue of."""
    from babel import Locale

    if lang not in LANGUAGES:
        raise UsageError(f"there is no language {lang!r}; choose {' or '.join(LANGUAGES)}")
    known: Lang = "uk" if lang == "uk" else "en"
    symbols = Locale.parse(_LOCALES[known]).number_symbols["latn"]
    return Translator(known, symbols["group"], symbols["decimal"], _catalogue(known))


def _catalogue(lang: Lang) -> gettext.NullTranslations:
    """The messages of a language, compiled from its .po file as it is read: there is no second file that could be stale."""
    if lang == "en":
        return gettext.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    source = files("matcher") / "locale" / lang / "LC_MESSAGES" / f"{DOMAIN}.po"
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source.read_bytes()), locale=lang, domain=DOMAIN))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
