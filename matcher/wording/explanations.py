"""An explanation as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator

from matcher.answers import Explained, Full, Funnel, Other, Preferred, TieTold
from matcher.i18n import LANGUAGES, Translator, mark, translator
from matcher.result import LEFT_OUT_REASONS, Alternative
from matcher.wording.remedies import remedy_sentence
from matcher.wording.tables import BARRED_WORDS, LEFT_OUT_WORDS, OWN_ROW_FAULTY, RULE_NAMES, RULE_WORDS, TERM_WORDS
from matcher.wording.units import each, persons_of

WEIGHTIER_WORDS = {
    "urgency": mark("{who} is more urgent"),
    "persons": mark("{who} is as urgent and more persons would be left without a place"),
    "waited": mark("{who} is as urgent and has waited longer"),
}
MARGIN_WORDS = {
    "travel": mark("its journey is shorter"),
    "ties": mark("it is nearer to its ties there"),
    "home": mark("it is nearer to its home there"),
    "wants": mark("its wishes are met there"),
    "risk": mark("fewer persons are in danger"),
    "short": mark("its stay suits the dates of the offer better"),
    "spare": mark("fewer beds stay empty"),
    "move": mark("its earlier proposal would have to change"),
    "rent": mark("the rent is lower"),
    "linked": mark("it is nearer to households it is tied to"),
    "floors": mark("a share is promised to its group"),
}


def lines(found: Explained, t: Translator) -> list[str]:
    """The whole explanation of one household."""
    name = found.household_id if found.persons is None else f"{found.household_id} ({persons_of(t, found.persons)})"
    if found.hidden:
        return [t.say("{name} is placed. It is protected: see placements_protected.csv.", name=name)]
    return list(_placed(found, name, t) if found.placed else _unplaced(found, name, t))


def _placed(found: Explained, name: str, t: Translator) -> Iterator[str]:
    assert found.cost is not None and found.km10 is not None
    place = found.place or ""
    yield t.say(
        "{name}: {offer} in {place}, {km} km away ({status})",
        name=name, offer=found.accommodation_id, place=place, km=t.tenths(found.km10), status=status_word(found.status or "", t),
    )  # fmt: skip
    if found.tie_km10 is not None:
        kept = t.say_n("{n} tie is kept", "{n} ties are kept", found.ties_kept)
        yield "  " + t.say("{kept}; its nearest tie is {km} km from there", kept=kept, km=t.tenths(found.tie_km10))
    for tie in found.ties:
        yield "    " + tie_sentence(tie, t)
    yield "  " + t.say(
        "cost {cost} person-km, {each} km per person:",
        cost=t.tenths(found.cost.total), each=each(t, found.cost.total, found.persons),
    )  # fmt: skip
    for term, text in TERM_WORDS.items():
        if found.cost[term]:
            yield f"    {t.tenths(found.cost[term]):>12}  {t.say(text)} ({term})"
    yield from _next_best(found, t)


def _next_best(found: Explained, t: Translator) -> Iterator[str]:
    if not found.alternatives:
        yield "  " + t.say("No other offer is open to it as things are.")
    else:
        yield "  " + t.say("Next best offers, all else as it is:")
        for other in found.alternatives:
            yield "    " + alternative_sentence(other, found.persons, t)
    if found.others:
        yield "  " + t.say("Not to be had:")
        for one in found.others:
            yield "    " + other_sentence(one, found.persons, t)


def _unplaced(found: Explained, name: str, t: Translator) -> Iterator[str]:
    yield t.say("{name} has no place: {reason}", name=name, reason=found.reason)
    yield reason_sentence(found, t)
    for one in found.preferred:
        yield "  " + preferred_sentence(one, found.persons, t)
    if found.remedy is not None:
        yield t.say("What would help: {remedy}", remedy=remedy_sentence(found.remedy, t))
    elif found.examined:
        yield t.say(
            "What would help: no single change of its date, its longest journey, the kinds it accepts or its wishes, and no one more offer "
            "would place it without taking a place from somebody else."
        )


def status_word(status: str, t: Translator) -> str:
    """proposed, accepted, moved in."""
    known = {"proposed": mark("proposed"), "accepted": mark("accepted"), "moved_in": mark("moved in")}
    return t.say(known.get(status, status))


def tie_sentence(tie: TieTold, t: Translator) -> str:
    """One tie and what became of it."""
    target = t.say("a household") if tie.target is None else tie.target
    what = t.say(TIE_KINDS[tie.kind], target=target)
    if tie.kept is None:
        return t.say("{tie}: not told, or not placed", tie=what)
    kept = t.say("kept") if tie.kept else t.say("missed")
    if tie.km10 is None:
        return t.say("{tie}: {kept}", tie=what, kept=kept)
    return t.say("{tie}: {kept}, {km} km", tie=what, kept=kept, km=t.tenths(tie.km10))


TIE_KINDS = {
    "near": mark("near {target}"),
    "same_place": mark("in the same settlement as {target}"),
    "same_site": mark("at the same address as {target}"),
    "same_accommodation": mark("in the same accommodation as {target}"),
    "apart": mark("apart from {target}"),
}


def alternative_sentence(other: Alternative, persons: int | None, t: Translator) -> str:
    """A free offer and what it would cost, with the figure of the plan solved again where there is one."""
    values = {
        "offer": other.accommodation_id, "cost": t.tenths(abs(other.added_cost)), "each": each(t, other.added_cost, persons)
    }  # fmt: skip
    if other.added_cost >= 0:
        text = t.say("{offer}: {cost} person-km more, {each} km per person", **values)
    else:
        text = t.say("{offer}: {cost} person-km less, {each} km per person", **values)
    if other.resolved_cost is None:
        return text
    cost = t.tenths(other.resolved_cost)
    if other.resolved_proved:
        again = t.say("{cost} person-km if everybody else may move too", cost=cost)
    else:
        again = t.say("at most {cost} person-km if others may move too", cost=cost)
    return t.say("{sentence}; {again}", sentence=text, again=again)


def other_sentence(one: Other, persons: int | None, t: Translator) -> str:
    """An offer that the household did not get, and what stands in the way."""
    values = {"offer": one.accommodation_id, "place": one.place, "each": each(t, abs(one.added_cost), persons)}
    if one.added_cost >= 0:
        head = t.say("{offer} in {place}: {each} km per person more", **values)
    else:
        head = t.say("{offer} in {place}: {each} km per person less", **values)
    way = t.listed([t.say(BARRED_WORDS[code]) for code in one.rules]) if one.full is None else full_sentence(one.full, t)
    return t.say("{offer}; but {way}", offer=head, way=way)


def full_sentence(full: Full, t: Translator) -> str:
    """Why there is no room: who is there, and what moving would cost them."""
    if full.households == 0:
        return t.say("it has no room for them")
    free = full.households - full.fixed
    if free <= 0:
        return t.say_n(
            "full: {n} household there has moved in, accepted or been given it by a decision",
            "full: {n} households there have moved in, accepted or been given it by a decision",
            full.households,
        )
    if full.least_loss is not None:
        return t.say_n(
            "full: {n} household there would lose at least {km} km per person if it moved",
            "full: {n} households there would each lose at least {km} km per person if they moved",
            free - full.nowhere, km=t.tenths(full.least_loss),
        )  # fmt: skip
    if full.nowhere == free:
        return t.say_n(
            "full: {n} household there has nowhere else to go", "full: {n} households there have nowhere else to go", free
        )  # fmt: skip
    return t.say_n("full: {n} household is there", "full: {n} households are there", full.households)


def preferred_sentence(one: Preferred, persons: int | None, t: Translator) -> str:
    """An offer that would suit an unplaced household, and for whom it is taken."""
    head = t.say("{offer} in {place} would suit it", offer=one.accommodation_id, place=one.place)
    who = t.say("a household there") if one.household_id is None else one.household_id
    if one.why == "fixed":
        way = t.say("who is there has moved in or accepted")
    elif one.why == "pinned":
        way = t.say("it is given away by a decision in overrides.csv")
    elif one.why == "linked":
        way = t.say("who is there is bound to others")
    elif one.why == "room":
        way = t.say("no single household there could make room for it")
    elif one.why == "several":
        way = t.say("there is no room for all who must be placed with it")
    elif one.why in WEIGHTIER_WORDS:
        way = t.say(WEIGHTIER_WORDS[one.why], who=who)
    else:
        way = t.say(
            "{who} is preferred, by {each} km per person, mostly because {why}",
            who=who, each=each(t, one.margin or 0, persons), why=t.say(MARGIN_WORDS[one.why]),
        )  # fmt: skip
    return t.say("{offer}, but {way}", offer=head, way=way)


def funnel_sentence(seen: Funnel, t: Translator) -> str:
    """How many offers each rule strikes out, and which rule alone would open the most."""
    if not seen.offers:
        return t.say("There are no offers.")
    every = t.say_n("{n} offer", "{n} offers", seen.offers)
    parts = ", ".join(f"{t.say_n(*RULE_WORDS[code], count)} ({code})" for code, count in seen.struck)
    if parts:
        head = t.say("Of {every}, {parts}; {left} left.", every=every, parts=parts, left=seen.left)
    else:
        head = t.say("Of {every}, {left} left.", every=every, left=seen.left)
    if seen.opener is None or seen.left:
        return head
    code, count = seen.opener
    more = t.say_n(
        "But for {rule} ({code}), {n} offer would suit it.", "But for {rule} ({code}), {n} offers would suit it.",
        count, rule=t.say(RULE_NAMES[code]), code=code,
    )  # fmt: skip
    return f"{head} {more}"


def reason_sentence(found: Explained, t: Translator) -> str:
    """Why there is no place, from the reason and the funnel; a run that is read back has its own sentence where neither is known."""
    if found.reason in LEFT_OUT_REASONS:
        own_row = found.sentence in {translator(lang).say(OWN_ROW_FAULTY) for lang in LANGUAGES}
        return t.say(OWN_ROW_FAULTY if own_row else LEFT_OUT_WORDS[found.reason])
    if found.funnel is None:
        return found.sentence or ""
    return why_not(found.reason or "", found.funnel, t)


def why_not(reason: str, seen: Funnel, t: Translator) -> str:
    """One sentence or two for a free household; names no other household."""
    if reason == "no_eligible":
        return funnel_sentence(seen, t)
    if reason == "tie":
        more = t.say("None of the offers that would suit it keeps its required ties.")
        return f"{funnel_sentence(seen, t)} {more}"
    if reason == "split_pair":
        return t.say("It must be placed together with another household, which could not be placed or is left out.")
    if reason == "policy":
        return t.say("By this policy every place it could have would cost more than leaving it unplaced; check the weights.")
    return t.say(
        "{left} of {offers} offers would suit it; as the plan stands each is full or kept from it by a tie, for households that the policy "
        "puts first.",
        left=seen.left, offers=seen.offers,
    )  # fmt: skip
