"""What a night changes for people: proposals that are new, changed, dropped or kept, and placements that end soon.

Pure functions from the run before, the run of tonight and its instance. Protected households stand here by id and `changed` only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from matcher.alternatives import Room
from matcher.compile import Compiled, compile_instance
from matcher.decided import Anew, Merged
from matcher.evaluate import arcs_allowed
from matcher.i18n import mark, translator
from matcher.io.csv_out import rows_text
from matcher.lookup import ById
from matcher.model import Accommodation
from matcher.problem import BLOCKED
from matcher.result import PlacementRow, Result
from matcher.roles import assign_roles

NEW, CHANGED, DROPPED, KEPT = "new", "changed", "dropped", "kept"
CHANGES_COLUMNS = ("household_id", "change", "from", "to", "km_from", "km_to", "saves_km", "why")
ENDING_COLUMNS = ("household_id", "status", "accommodation_id", "until", "nights_left", "next_accommodation_id", "next_status", "why")
TERM_WORDS = {
    "travel": mark("journey"), "ties": mark("ties"), "linked": mark("ties to other households"), "home": mark("way home"),
    "wants": mark("wishes"), "risk": mark("danger"), "short": mark("early end"), "spare": mark("empty beds"), "rent": mark("rent"),
}  # fmt: skip
RULE_WORDS = {
    "status": mark("its offer is closed now"), "vetted": mark("its host is not vetted now"),
    "size": mark("its offer does not fit its size now"), "rent": mark("its offer costs too much now"),
    "risk": mark("its offer is too dangerous now"), "needs": mark("its offer lacks what it needs now"),
    "pets": mark("its offer does not take its animals now"), "language": mark("it shares no language with its host now"),
    "kind": mark("it does not accept that kind now"), "groups": mark("its offer is for other groups now"),
    "area": mark("it avoids that oblast now"), "dates": mark("the dates of its offer do not fit now"),
    "distance": mark("its offer is too far now"), "rooms": mark("no rooms there can hold it now"),
    "override": mark("the pair was declined or forbidden"), "tie": mark("a required tie does not hold there now"),
}  # fmt: skip


class Was(Protocol):
    """A placement of the run before: a row of a result, or of the history."""

    @property
    def household_id(self) -> str: ...
    @property
    def accommodation_id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def km10(self) -> int: ...
    @property
    def protected(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Change:
    """One household. before, after: accommodation; km10: of the two journeys. saves10: tenths of person-km that the household's own
    costs are lower by than if it had stayed, the cost of a change counted; below 0 where it makes room for others; None where it
    could not have stayed, or did not move. why: a sentence. A protected one has nothing but id and `changed`."""

    household_id: str
    change: str
    before: str | None = None
    after: str | None = None
    km10_before: int | None = None
    km10_after: int | None = None
    saves10: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ending:
    """A placement in an offer that ends soon. until: first night it is not there any more; None: its host has withdrawn it.
    following, following_status: where it goes then, None for nowhere yet. A protected one has nothing but id and `changed`."""

    household_id: str
    status: str
    accommodation_id: str | None = None
    until: dt.date | None = None
    nights_left: int | None = None
    following: str | None = None
    following_status: str | None = None
    why: str = ""


def changes(before: Iterable[Was], result: Result, merged: Merged | None = None) -> tuple[Change, ...]:
    """Compare the placements of the run before with tonight's. merged: of tonight, so that what ran out or ends is told.

    Every household whose placement is another one is named, and of those that stay where they were the ones with a proposal.
    """
    comparing = _Comparing(result, {} if merged is None else merged.lapsed, {} if merged is None else merged.anew)
    old = {row.household_id: row for row in before}
    now = {row.household_id: row for row in result.placements}
    found = (comparing.change(h, old.get(h), now.get(h)) for h in sorted(old.keys() | now.keys()))
    return tuple(change for change in found if change is not None)


class _Comparing:
    """Tonight's run, compiled where something changed."""

    def __init__(self, result: Result, lapsed: Mapping[str, str], anew: Mapping[str, Anew]) -> None:
        assert result.instance is not None and result.policy is not None and result.options is not None
        self.result, self.lapsed, self.anew, self.instance = result, lapsed, anew, result.instance
        self.offers = ById(result.instance.accommodations, "accommodation_id")
        self.households = ById(result.instance.households, "household_id")
        self.unplaced = {row.household_id: row.reason for row in result.unplaced}
        self.t = translator(result.options.lang)

    @cached_property
    def compiled(self) -> Compiled:
        options, policy = self.result.options, self.result.policy
        assert options is not None and options.date is not None and policy is not None
        return compile_instance(self.instance, policy, options.date, options.seed)

    @cached_property
    def protected(self) -> frozenset[str]:
        options = self.result.options
        assert options is not None and options.date is not None
        return assign_roles(self.instance, self.households, self.offers, options.date).protected

    @cached_property
    def room(self) -> Room:
        return Room(self.compiled.problem, self.result.plan)

    @cached_property
    def party_of(self) -> dict[int, int]:
        return {h: q for q, party in enumerate(self.compiled.problem.parties) for h in party}

    def change(self, h: str, old: Was | None, now: PlacementRow | None) -> Change | None:
        """What changed for one household; None where there is nothing to tell."""
        same = old is not None and now is not None and old.accommodation_id == now.accommodation_id
        if (old is not None and old.protected) or (now is not None and now.protected) or h in self.protected:
            return None if same else Change(h, CHANGED)  # also where it lives on in an offer that ends: nothing more is told
        if old is None and now is not None:
            return None if now.status != "proposed" else Change(h, NEW, None, now.accommodation_id, None, now.km10, None, "")
        assert old is not None
        anew = self.anew.get(h)
        ends_there = anew is not None and anew.accommodation_id == old.accommodation_id
        if now is None:
            if ends_there:
                return None  # it still lives there, see ending.csv
            return Change(h, DROPPED, old.accommodation_id, None, old.km10, None, None, self._why_gone(h, old.accommodation_id))
        ends = old.accommodation_id, now.accommodation_id, old.km10, now.km10
        if same:
            if now.status != "proposed":
                return None
            again = self.lapsed.get(h) == now.accommodation_id
            return Change(h, KEPT, *ends, None, self.t.say("the proposal had run out and is made again") if again else "")
        if anew is not None and ends_there:
            why = self.t.say("its offer ends on {day}, and it stays there until then", day=anew.until.isoformat())
            return Change(h, CHANGED, *ends, None, why)
        saves, why = self._worth(h, old.accommodation_id, now.accommodation_id)
        return Change(h, CHANGED, *ends, saves, why)

    def _why_gone(self, h: str, offer: str) -> str:
        if h not in self.households:
            return self.t.say("it is not in this delivery")
        if h in self.lapsed:
            why = self.t.say("the proposal ran out without an answer")
        else:
            why = self._barrier(h, offer) or self.t.say("others are preferred there")
        return self.t.say("{why}; it has no place now ({reason})", why=why, reason=self.unplaced.get(h, ""))

    def _barrier(self, h: str, offer: str) -> str:
        """What keeps the household from where it was; "" where nothing does."""
        if offer not in self.offers:
            return self.t.say("its offer is not in this delivery")
        position = self.compiled.positions.get(h)
        if position is None or position >= self.compiled.free:
            return ""
        at = np.array([position]), np.array([self.compiled.offer_positions[offer]])
        for layer in self.compiled.problem.rules:
            if int(layer.pairs(*at)[0]) <= 0:
                return self.t.say(RULE_WORDS[layer.name])
        party = np.array([self.party_of[position]])
        return "" if arcs_allowed(self.compiled.problem, party, at[1])[0] else self.t.say("its offer does not fit who comes with it")

    def _worth(self, h: str, old: str, new: str) -> tuple[int | None, str]:
        """(tenths of person-km that moving saves the household, in words)."""
        if self.lapsed.get(h) == old:
            return None, self.t.say("the earlier proposal ran out without an answer")
        barrier = self._barrier(h, old)
        if barrier:
            return None, barrier
        position = self.compiled.positions[h]
        if position >= self.compiled.free:
            return None, self.t.say("people decided so")
        stay, go = self._terms(position, old), self._terms(position, new)
        saves = sum(stay.values()) - sum(go.values())
        inside = "; ".join([*self._gains(stay, go), self.t.say("the change itself counts {km}", km=self.t.tenths(go.get("move", 0)))])
        km = self.t.tenths(abs(saves))
        if saves > 0:
            return saves, self.t.say("better by {km} person-km ({inside})", km=km, inside=inside)
        return saves, self.t.say("makes room for others; its own place costs {km} person-km more ({inside})", km=km, inside=inside)

    def _gains(self, stay: Mapping[str, int], go: Mapping[str, int]) -> list[str]:
        """What weighs most in a change, the greatest first."""
        gains = sorted(((term, stay.get(term, 0) - go.get(term, 0)) for term in TERM_WORDS), key=lambda one: -abs(one[1]))[:3]
        said = []
        for term, gain in gains:
            what, km = self.t.say(TERM_WORDS[term]), self.t.tenths(abs(gain))
            if gain:
                said.append(
                    self.t.say("{what} {km} less", what=what, km=km) if gain > 0 else self.t.say("{what} {km} more", what=what, km=km)
                )
        return [", ".join(said)] if said else []

    def _terms(self, position: int, offer: str) -> dict[str, int]:
        """Costs by term of one household at an offer, its links to others as these are placed tonight."""
        problem, a = self.compiled.problem, self.compiled.offer_positions[offer]
        out = self.compiled.term_cost(position, a)
        q = self.party_of[position]
        party = problem.parties[q]
        if position == party[0]:
            beds = self.room.cheapest_sets(np.array([q]), np.array([a]))[0]
            if beds:
                out["spare"] = out.get("spare", 0) + problem.spare(sum(beds) - int(self.room.persons[q]))
        linked = int(self.room.link_costs(q, np.array([a]))[0]) if len(party) == 1 else 0
        if 0 < linked < BLOCKED:
            out["linked"] = out.get("linked", 0) + linked
        return out


def endings(result: Result, merged: Merged, ending_days: int) -> tuple[Ending, ...]:
    """Who lives in an offer, or has accepted one, that ends within so many days of tonight and needs a place for longer.

    merged: of tonight; its instance is the result's.
    """
    instance, options = merged.instance, result.options
    assert options is not None and options.date is not None
    date, t = options.date, translator(options.lang)
    households, offers = ById(instance.households, "household_id"), ById(instance.accommodations, "accommodation_id")
    placed = {row.household_id: row for row in result.placements}
    reasons = {row.household_id: row.reason for row in result.unplaced}
    hidden = assign_roles(instance, households, offers, date).protected
    found: dict[str, Ending] = {}
    for h, anew in merged.anew.items():
        row = placed.get(h)
        moves = row is not None and row.accommodation_id != anew.accommodation_id
        why = "" if moves else t.say("no place yet: {reason}", reason=reasons.get(h, ""))
        home, status = (row.accommodation_id, row.status) if row is not None and moves else (None, None)
        found[h] = Ending(h, anew.status, anew.accommodation_id, anew.until, (anew.until - date).days, home, status, why)
    for standing in instance.standing:
        h = standing.household_id
        if standing.status == "proposed" or h in found or h not in placed:
            continue
        end = _end(offers[standing.accommodation_id], date, ending_days)
        leaves = households[h].leaves
        if standing.accommodation_id in merged.withdrawn:
            found[h] = Ending(
                h, standing.status, standing.accommodation_id, None, None, None, None, t.say("its host has withdrawn the offer")
            )
        elif end is not None and (leaves is None or leaves > end):
            why = t.say("not matched anew: pinned, on hold, without consent, or bound to others there")
            found[h] = Ending(h, standing.status, standing.accommodation_id, end, (end - date).days, None, None, why)
    return tuple(Ending(h, CHANGED) if h in hidden else found[h] for h in sorted(found))


def _end(offer: Accommodation, date: dt.date, ending_days: int) -> dt.date | None:
    end = offer.available_until
    return end if end is not None and end <= date + dt.timedelta(days=ending_days) else None


def changes_csv(rows: Sequence[Change]) -> str:
    """changes.csv as text."""
    return rows_text(
        CHANGES_COLUMNS,
        [
            [c.household_id, c.change, c.before, c.after, _km(c.km10_before), _km(c.km10_after), _km(c.saves10), c.why]
            for c in rows
        ],
    )  # fmt: skip


def endings_csv(rows: Sequence[Ending]) -> str:
    """ending.csv as text."""
    return rows_text(
        ENDING_COLUMNS,
        [
            [e.household_id, e.status, e.accommodation_id, e.until, e.nights_left, e.following, e.following_status, e.why]
            for e in rows
        ],
    )  # fmt: skip


def _km(km10: int | None) -> float | None:
    return None if km10 is None else km10 / 10
