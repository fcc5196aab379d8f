"""Every message is translated, its placeholders agree, numbers and dates follow the locale, and nothing is said in two languages."""

from __future__ import annotations

import datetime as dt
import importlib.util
import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from matcher import decided
from matcher.errors import UsageError
from matcher.i18n import LANGUAGES, translator
from matcher.policy import Policy
from matcher.publish import publish
from matcher.solver import solve
from matcher.verify import verify
from tests.runs import DATE, INSTANCES, ROOT, instance_of, matcher, policy_of, rows_of

HARD = INSTANCES / "hard-night"
LATIN = re.compile(r"[A-Za-z]{3,}")


def messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("messages", ROOT / "scripts" / "messages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_has_a_translation_with_the_same_placeholders() -> None:
    script = messages()
    assert len(script.in_code()) > 60
    for lang in set(LANGUAGES) - {"en"}:
        assert script.faults(lang) == []


def test_the_check_finds_what_is_missing_and_what_does_not_fit() -> None:
    script = messages()
    code, known = script.in_code(), script.read("uk")
    message = next(m for m in code if m.id == "Of {every}, {left} left.")
    assert list(script.wrong(message, known)) == []
    there = known.get(message.id)
    there.string = "Усього {every}"
    assert any("placeholders differ" in fault for fault in script.wrong(message, known))
    there.string = ""
    assert any("not translated" in fault for fault in script.wrong(message, known))


def test_numbers_and_dates_follow_the_locale() -> None:
    en, uk = translator("en"), translator("uk")
    assert en.number(1234567) == "1,234,567" and uk.number(1234567) == "1\u00a0234\u00a0567"
    assert en.tenths(12345) == "1,234.5" and uk.tenths(12345) == "1\u00a0234,5"
    assert en.number(Decimal("2.5")) == "3" and uk.number(-1.25, 1) == "−1,3"
    assert en.percent(0.125, 1) == "12.5\u00a0%" and uk.percent(0.125, 1) == "12,5\u00a0%"
    day = dt.date(2026, 11, 22)
    assert en.date(day) == "22 November 2026" and uk.date(day).startswith("22 листопада 2026")
    assert en.listed("abc") == "a, b and c" and uk.listed("abc") == "a, b і c"


@pytest.mark.parametrize(("count", "words"), [(1, "1 пропозиція"), (3, "3 пропозиції"), (5, "5 пропозицій"), (21, "21 пропозиція")])
def test_ukrainian_has_three_plurals(count: int, words: str) -> None:
    assert translator("uk").say_n("{n} offer", "{n} offers", count) == words


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="choose en or uk"):
        translator("fr")
    ended = matcher("solve", HARD, "--out", "out/never", "--lang", "fr")
    assert ended.returncode == 2 and "choose en or uk" in ended.stderr


def test_reasons_are_said_in_the_language_that_was_asked_for(tmp_path: Path) -> None:

    run = publish(solve(instance_of(HARD), policy_of(HARD), date=DATE, lang="uk"), tmp_path / "uk")
    said = [row["explanation"] for row in rows_of(run / "unplaced.csv")]
    assert len(said) > 20
    for sentence in said:  # file names and the codes of rules stay as they are
        words = set(LATIN.findall(re.sub(r"\([a-z_]+\)|\w+\.csv", "", sentence)))
        assert not words and re.search(r"[а-яіїєґ]", sentence), sentence
    assert verify(HARD, run).right


def test_english_is_the_default() -> None:
    assert solve(instance_of(HARD), Policy(), date=DATE, effort=0.1).unplaced[0].explanation.isascii()


def test_notices_of_earlier_decisions_are_said_in_the_language_of_the_page() -> None:
    told = {code: [f"H{i:03}" for i in range(12)] for code in decided._WORDS}
    notices = tuple(decided._notices(told))
    assert len(notices) == len(decided._WORDS)
    for notice, line in zip(notices, sorted(told), strict=True):
        said = translator("uk").say(notice.template, **dict(notice.values))
        assert said.startswith("H000, H001") and "H010" not in said and "(+2)" in said, line
        assert said != notice.message
