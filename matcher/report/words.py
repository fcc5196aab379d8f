"""Words for codes, and the messages of the page's scripts, in every language: sheets may be in another one than the page."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from matcher.i18n import LANGUAGES, Translator, mark, translator
from matcher.wording.explanations import MARGIN_WORDS, TIE_KINDS, WEIGHTIER_WORDS
from matcher.wording.tables import (
    BARRED_WORDS,
    FEATURE_WORDS,
    LEFT_OUT_WORDS,
    OWN_ROW_FAULTY,
    PET_WORDS,
    RULE_NAMES,
    RULE_WORDS,
    TERM_WORDS,
)

SCRIPTS = ("base.js", "table.js", "details.js", "sheets.js", "start.js")
KEYWORDS: dict[str, Any] = {"say": None, "sayN": (1, 2), "sayIn": (2,), "sayInN": (2, 3)}
KINDS: Mapping[str, str] = {
    "apartment": mark("apartment"),
    "house": mark("house"),
    "host_family": mark("with a host family"),
    "collective_site": mark("collective site"),
    "dormitory": mark("dormitory"),
    "hotel": mark("hotel"),
    "modular": mark("modular housing"),
}
RELATIONS: Mapping[str, str] = {
    "parent": mark("parent"),
    "child": mark("child"),
    "spouse": mark("husband or wife"),
    "sibling": mark("brother or sister"),
    "grandparent": mark("grandparent"),
    "grandchild": mark("grandchild"),
    "relative": mark("relatives"),
    "friend": mark("friends"),
    "carer": mark("carer"),
    "work": mark("work"),
    "school": mark("school"),
    "treatment": mark("treatment"),
}
STATUS: Mapping[str, str] = {"proposed": mark("proposed"), "accepted": mark("accepted"), "moved_in": mark("moved in")}
REASONS: Mapping[str, str] = {
    "no_consent": mark("has not agreed to be matched"),
    "quarantined": mark("a row about it has a mistake"),
    "no_adult": mark("no adult is known in it"),
    "held": mark("on hold by a decision"),
    "no_eligible": mark("no offer meets what it cannot do without"),
    "tie": mark("no offer keeps a tie that is a condition"),
    "split_pair": mark("goes only together with a household that has no place"),
    "policy": mark("any place would count as worse than none"),
    "no_capacity": mark("all that would fit is taken"),
}
ADVICE: Mapping[str, str] = {
    "no_consent": mark("Ask the household. When it agrees, write consent = yes in households.csv and run again."),
    "quarantined": mark("Mend the row (see quarantined.csv) and run again. Until then nobody knows what it needs."),
    "no_adult": mark("A person has to decide, with child protection. Then pin the household in overrides.csv."),
    "held": mark("Take the hold out of overrides.csv when its cause is gone."),
    "no_eligible": mark(
        "Check that its needs are recorded as they are. If they are, look for an offer that meets them; the rule that strikes out the most "
        "shows where to begin."
    ),
    "tie": mark("Ask the family whether the tie may be a wish instead of a condition, or look for an offer that keeps it."),
    "split_pair": mark(
        "Look at the household it is bound to: when that one has a place, both can go. Or ask both whether they would part."
    ),
    "policy": mark("Look at the weights in policy.toml. If this household should go all the same, pin it in overrides.csv."),
    "no_capacity": mark("Look for one more offer. Do not move others by hand: by the policy they come first."),
}
FAMILY: Mapping[str, str] = {
    "no_consent": mark("You have not agreed yet that we look for a place for you."),
    "quarantined": mark("There is a mistake in our records about you, which we have to mend first."),
    "no_adult": mark("We do not know of an adult who travels with you. A person will decide with you where you go."),
    "held": mark("It was decided to wait with your case for now."),
    "no_eligible": mark("None of the places that we have tonight has what you told us you cannot do without."),
    "tie": mark("None of the places that we have tonight is where you told us you must be."),
    "split_pair": mark("You go only together with another household, and there is no place for both yet."),
    "policy": mark("The places that would fit are so far away, or so unsafe, that we do not propose them to you tonight."),
    "no_capacity": mark("All places that would fit you are given to people who are in even greater need, or whom they suit better."),
}
FAMILY_ADVICE: Mapping[str, str] = {
    "no_consent": mark("Tell us whether you agree. You may say no, and change your mind at any time."),
    "quarantined": mark("Please check with us what we have written down about you."),
    "no_adult": mark("Tell us who is responsible for you, and how we can reach them."),
    "held": mark("Ask the person who gave you this sheet how long it will take."),
    "no_eligible": mark(
        "We go on looking. Tell us if something that you need has changed, or if you could do without it for some time. You do not have to."
    ),
    "tie": mark("We go on looking. Tell us if you could also be a little further away, for some time. You do not have to."),
    "split_pair": mark("We go on looking for both. Tell us if you would also go alone for now. You do not have to."),
    "policy": mark("We go on looking for something nearer or safer. If you would go all the same, tell us."),
    "no_capacity": mark("You stay on the list, and the days that you wait count for you. We look for more places every day."),
}
_TABLES: Mapping[str, Mapping[str, str]] = {
    "terms": TERM_WORDS, "barred": BARRED_WORDS, "rule_names": RULE_NAMES, "left_out": {**LEFT_OUT_WORDS, "own_row": OWN_ROW_FAULTY},
    "margin": MARGIN_WORDS, "weightier": WEIGHTIER_WORDS, "tie_kinds": TIE_KINDS, "relations": RELATIONS,
    "kinds": KINDS, "features": FEATURE_WORDS, "pets": PET_WORDS, "status": STATUS, "reasons": REASONS, "advice": ADVICE, "family": FAMILY,
    "family_advice": FAMILY_ADVICE,
}  # fmt: skip


@cache
def script() -> str:
    """The scripts of the page, one after the other."""
    folder = files("matcher.report") / "templates"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def script_words() -> dict[str, Any]:
    """What the scripts say: tables of codes by language, and messages by language and English text (English ones need none)."""
    return {
        "codes": {lang: _codes(translator(lang)) for lang in LANGUAGES},
        "messages": {lang: _messages(translator(lang)) for lang in LANGUAGES if lang != "en"},
    }


def _codes(t: Translator) -> dict[str, dict[str, str | list[str]]]:
    tables: dict[str, dict[str, str | list[str]]] = {
        name: {code: t.say(text) for code, text in table.items()} for name, table in _TABLES.items()
    }
    return {**tables, "rules": {code: t.forms(*words) for code, words in RULE_WORDS.items()}}


def _messages(t: Translator) -> dict[str, str | list[str]]:
    """Translations of the messages that the scripts name, as gettext's own extractor finds them."""
    from io import BytesIO

    from babel.messages.extract import extract

    found: dict[str, str | list[str]] = {}
    for _, message, _, _ in extract("javascript", BytesIO(script().encode()), KEYWORDS):
        if isinstance(message, tuple):
            found[message[0]] = t.forms(*message)
        else:
            found[message] = t.say(message)
    return dict(sorted(found.items()))
