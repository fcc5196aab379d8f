"""What-if, sweep, advice and fairness as lines of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from matcher.answers import CurvePoint, Difference, Envy, Fairness, Share, Side
from matcher.i18n import Translator, mark
from matcher.wording.remedies import remedy_sentence, suits
from matcher.wording.tables import GROUP_WORDS, KIND_WORDS, TERM_WORDS
from matcher.wording.units import persons_of
from matcher.worth import Advice, FloorPrice, Lead


def difference_lines(found: Difference, t: Translator) -> Iterator[str]:
    """The two plans side by side, then who is placed, who loses a place and who moves."""
    one, other = found.before, found.after
    yield _row("", t.say("as it is"), t.say("with the change"), t.say("difference"))
    rows = [
        (t.say("persons placed"), one.persons, other.persons),
        (t.say("persons without a place"), one.unplaced, other.unplaced),
        (t.say("ties kept"), one.ties_kept, other.ties_kept),
    ]
    for label, before, after in rows:
        yield _row(label, t.number(before), t.number(after), _signed(t, after - before, 0))
    tenths = [(t.say("person-km travelled"), one.km10, other.km10), (t.say("cost, person-km"), one.cost.total, other.cost.total)]
    differs = [(term, text) for term, text in TERM_WORDS.items() if one.cost[term] != other.cost[term]]
    tenths += [("  " + t.say(text), one.cost[term], other.cost[term]) for term, text in differs]
    for label, before, after in tenths:
        yield _row(label, t.tenths(before), t.tenths(after), _signed(t, after - before, 1))
    before_of = dict(one.groups)
    for group, persons in other.groups:
        if persons != before_of.get(group, 0):
            label = t.say("placed of group {group}", group=group_name(group, t))
            yield _row(label, t.number(before_of.get(group, 0)), t.number(persons), _signed(t, persons - before_of.get(group, 0), 0))
    yield from _proofs(one, other, t)
    yield from _names(t.say("Placed now:"), found.placed)
    yield from _names(t.say("Without a place now:"), found.unplaced)
    yield from _names(t.say("Moved:"), [f"{m.household_id} {m.before} → {m.after}" for m in found.moved])
    if not (found.placed or found.unplaced or found.moved):
        yield t.say("Nobody moves.")


def _row(label: str, before: str, after: str, more: str) -> str:
    return f"{label:<44} {before:>16} {after:>16} {more:>14}"


def _signed(t: Translator, value: int, digits: int) -> str:
    if value == 0:
        return "="
    text = t.tenths(abs(value)) if digits else t.number(abs(value))
    return f"+{text}" if value > 0 else f"−{text}"


def _names(label: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield label
        yield from (f"  {name}" for name in names)


def _proofs(one: Side, other: Side, t: Translator) -> Iterator[str]:
    if one.status != "optimal" or other.status != "optimal":
        yield t.say("Not both plans are proved the best there can be, so that a small difference may come from the search.")


def curve_lines(key: str, points: Sequence[CurvePoint], t: Translator) -> Iterator[str]:
    """A sweep as a table."""
    yield _row(key, t.say("person-km travelled"), t.say("ties kept"), t.say("persons placed"))
    for point in points:
        ties = t.say("{kept} of {ties}", kept=point.ties_kept, ties=point.ties)
        proved = "" if point.proved else " *"
        yield _row(point.value, t.tenths(point.km10), ties, t.number(point.persons)) + proved
    if not all(point.proved for point in points):
        yield t.say("* not proved the best plan for that value")


def advice_lines(advice: Advice, t: Translator) -> Iterator[str]:
    """What to look for, and what would help those who wait longest."""
    if advice.leads:
        yield t.say("Offers most worth finding, each tried by solving with it:")
    else:
        yield t.say("No one more offer that was tried would change the plan for the better.")
    for number, lead in enumerate(advice.leads, 1):
        yield f"{number:>3}. {lead_sentence(lead, t)}"
    if advice.not_examined:
        yield t.say("{n} of {all} possible offers were not tried; more --effort tries more.", n=advice.not_examined, all=advice.candidates)
    if advice.waiting:
        yield t.say("Waiting longest:")
    for household_id, days, remedy, examined in advice.waiting:
        if remedy is not None:
            text = remedy_sentence(remedy, t)
        elif examined:
            text = t.say("no single change helps")
        else:
            text = t.say("not examined")
        waited = t.say_n("{household}, {n} day: {text}", "{household}, {n} days: {text}", days, household=household_id, text=text)
        yield f"  {waited}"


def lead_sentence(lead: Lead, t: Translator) -> str:
    """One offer worth finding, and what it would change."""
    return t.say("{offer}: {changes}", offer=lead_words(lead, t), changes=lead_changes(lead, t))


def lead_words(lead: Lead, t: Translator) -> str:
    """What to look for."""
    place = lead.place_uk if t.lang == "uk" else lead.place
    text = t.say("{kind} for {persons} in {place}", kind=t.say(KIND_WORDS[lead.kind]), persons=persons_of(t, lead.capacity), place=place)
    return suits(text, lead.features, lead.pets, t)


def lead_changes(lead: Lead, t: Translator) -> str:
    """What it would change for everybody together."""
    changes = []
    if lead.persons > 0:
        changes.append(t.say_n("{n} more person placed", "{n} more persons placed", lead.persons))
    elif lead.persons < 0:
        changes.append(
            t.say_n("{n} person fewer placed, but more urgent ones", "{n} persons fewer placed, but more urgent ones", -lead.persons)
        )
    if lead.ties:
        changes.append(t.say("{n} ties kept", n=_signed(t, lead.ties, 0)))
    changes.append(t.say("{km} person-km on the road", km=_signed(t, lead.km10, 1)))
    return ", ".join(changes)


def group_name(group: str, t: Translator) -> str:
    """A group in words; one that has none as it is written."""
    return t.say(GROUP_WORDS[group]) if group in GROUP_WORDS else group.replace("_", " ")


TABLES = (
    ("groups", mark("By group")),
    ("priorities", mark("By priority")),
    ("sizes", mark("By persons")),
    ("origins", mark("By oblast of origin")),
)


def fairness_lines(found: Fairness, t: Translator) -> Iterator[str]:
    """Shares by group, priority, size and origin; what floors cost; envy."""
    for name, title in TABLES:
        rows: tuple[Share, ...] = getattr(found, name)
        if rows:
            heads = t.say("persons"), t.say("placed"), t.say("km each"), t.say("ties kept")
            yield f"{t.say(title):<24} {heads[0]:>10} {heads[1]:>10} {'%':>6} {heads[2]:>10} {heads[3]:>14}"
            yield from (share_line(row, t) for row in rows)
    yield from (floor_sentence(floor, t) for floor in found.floors)
    yield from envy_lines(found.envy, t)


def share_line(row: Share, t: Translator) -> str:
    """One row of a table."""
    share = t.percent(row.persons_placed / row.persons) if row.persons else ""
    km = "" if row.km10_per_person is None else t.tenths(row.km10_per_person)
    ties = t.say("{kept} of {ties}", kept=row.ties_kept, ties=row.ties) if row.ties else ""
    return f"  {row.key:<22} {t.number(row.persons):>10} {t.number(row.persons_placed):>10} {share:>6} {km:>10} {ties:>14}"


def floor_sentence(floor: FloorPrice, t: Translator) -> str:
    """What a floor asks for, what it got, and what it costs everybody."""
    head = t.say(
        "The floor of {group} asks for {wanted} persons placed; {placed} are",
        group=group_name(floor.group, t),
        wanted=floor.wanted,
        placed=floor.placed,
    )
    if floor.persons is None or floor.cost is None:
        return t.say("{floor}; what it costs everybody was not examined.", floor=head)
    return t.say(
        "{floor}. Without it {persons} persons would be placed in all, and the others' places would cost {cost} person-km.",
        floor=head, persons=_signed(t, floor.persons, 0), cost=_signed(t, -floor.cost, 1),
    )  # fmt: skip


def envy_lines(found: Envy, t: Translator) -> Iterator[str]:
    """Who would have fitted where somebody less urgent is."""
    if not found.households:
        yield t.say("No household without a place would have fitted where a less urgent one is.")
        return
    yield t.say_n(
        "{n} household without a place would have fitted where a less urgent one is:",
        "{n} households without a place would have fitted where a less urgent one is:",
        found.households,
    )
    causes = (
        (found.fixed, mark("who is there has moved in or accepted")), (found.pinned, mark("a decision put them there")),
        (found.linked, mark("one of the two is bound to others")),
        (found.weighed, mark("the policy weighs persons, waiting and kilometres against urgency")),
    )  # fmt: skip
    for count, text in causes:
        if count:
            yield f"  {t.number(count):>5}: {t.say(text)}"
