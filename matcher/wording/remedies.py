"""A remedy as a sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from matcher.changes import AddOffer, ChangeHousehold, ChangeTie, Remedy
from matcher.i18n import Translator
from matcher.model import Tie
from matcher.wording.tables import FEATURE_WORDS, KIND_WORDS, PET_WORDS
from matcher.wording.units import oblast_name, persons_of, place_of, plain_number, words_of


def remedy_sentence(remedy: Remedy, t: Translator) -> str:
    """What to change, and what then follows."""
    parts = [_what(remedy, t)]
    if remedy.also_placed:
        parts.append(t.say_n("{n} more person gets a place too", "{n} more persons get a place too", remedy.also_placed))
    if remedy.moved:
        parts.append(
            t.say_n(
                "{n} other household would then be proposed another place",
                "{n} other households would then be proposed another place",
                remedy.moved,
            )
        )
    text = t.say("{sentence}.", sentence="; ".join(parts))
    return text[:1].upper() + text[1:]


def _what(remedy: Remedy, t: Translator) -> str:
    change = remedy.change
    if isinstance(change, AddOffer):
        return _offer(change, t)
    if isinstance(change, ChangeTie):
        return _tie(remedy.household_id, change.tie, change.fields, t)
    assert isinstance(change, ChangeHousehold)
    return _household(remedy, change.fields, t)


def _household(remedy: Remedy, fields: Any, t: Translator) -> str:
    before, value = remedy.before, fields[_FIELD[remedy.kind]]
    if remedy.kind == "arrives":
        if before is None:
            return t.say("if the household arrived on {day} instead of at once", day=t.date(value))
        return t.say("if the household arrived on {day} instead of {before}", day=t.date(value), before=t.date(before))
    if remedy.kind == "leaves":
        return t.say("if the household left on {day} instead of {before}", day=t.date(value), before=t.date(before))
    if remedy.kind == "max_km":
        return t.say(
            "if the household could travel {km} km instead of {before} km", km=plain_number(t, value), before=plain_number(t, before)
        )  # fmt: skip
    if remedy.kind == "accepts":
        kinds = [t.say(KIND_WORDS[kind]) for kind in sorted(value - before)]
        return t.say("if the household accepted another kind of accommodation: {kinds}", kinds=t.listed(kinds))
    if remedy.kind == "avoids":
        oblasts = t.listed(oblast_name(t, code) for code in sorted(before - value))
        return t.say("ask the family whether {oblast}, which it avoids, would do after all", oblast=oblasts)
    return t.say("if the household did without a wish: {wishes}", wishes=t.listed(words_of(t, before - value, FEATURE_WORDS)))


_FIELD = {"arrives": "arrives", "leaves": "leaves", "max_km": "max_km", "accepts": "accepts", "avoids": "avoids", "wants": "wants"}


def _offer(change: AddOffer, t: Translator) -> str:
    offer = change.offer
    text = t.say(
        "one more offer: {kind} for {persons} in {place}",
        kind=t.say(KIND_WORDS[offer.kind]), persons=persons_of(t, offer.capacity), place=place_of(t, offer.spot),
    )  # fmt: skip
    text = suits(text, offer.features, offer.pets, t)
    if offer.cost_per_person_night is not None:
        cost = plain_number(t, offer.cost_per_person_night)
        text = t.say("{offer}, for at most {cost} a person and night", offer=text, cost=cost)
    if offer.available_from is not None:
        text = t.say("{offer}, from {day}", offer=text, day=t.date(offer.available_from))
    return text


def suits(offer: str, features: Collection[str], pets: Collection[str], t: Translator) -> str:
    """An offer in words, with what it has to have."""
    if features:
        offer = t.say("{offer}, with: {features}", offer=offer, features=t.listed(words_of(t, features, FEATURE_WORDS)))
    if pets:
        offer = t.say("{offer}, pets allowed: {pets}", offer=offer, pets=t.listed(words_of(t, pets, PET_WORDS)))
    return offer


def _tie(household_id: str, tie: Tie, fields: Any, t: Translator) -> str:
    if tie.spot is not None:
        target = place_of(t, tie.spot)
    else:
        other = tie.household_id if tie.other_household_id == household_id else tie.other_household_id
        target = tie.accommodation_id or other or ""
    if "max_km" in fields:
        return t.say(
            "if the household's tie to {target} might be {km} km away instead of {before} km",
            target=target, km=plain_number(t, fields["max_km"]), before=plain_number(t, tie.max_km),
        )  # fmt: skip
    if "required" in fields:
        return t.say("if the household's tie to {target} were a wish and not a condition", target=target)
    return t.say("if the household's tie to {target} counted for nothing", target=target)
