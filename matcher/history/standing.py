"""Where every household stands on a date: what people decided, over the last proposals. Pure: records in, standings out."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from matcher.history.records import Decision, Proposal, State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one household stands.

    accommodation_id, rooms, since: of its proposal, of what it accepted, or of where it lives; None, (), None while it waits.
    through: last day that an acceptance is good for. lives_in: the accommodation it has moved into, where that is another one
    (it has accepted the next). lapsed: accommodation of a proposal that has run out without an answer. ruled_out: offers that
    it declined, or whose host declined it, each with the last day of that (None: for good). parked: last day of a pause that
    holds on the date; date.max where it has no end. ended: offers that a decision took it out of (declined, moved out, withdrawn)
    and none has put it back into, with the number of that decision. declined_on: the day of each decline in `ruled_out`.
    """

    household_id: str
    state: State = "waiting"
    accommodation_id: str | None = None
    rooms: tuple[int, ...] = ()
    since: dt.date | None = None
    through: dt.date | None = None
    lives_in: str | None = None
    lives_in_rooms: tuple[int, ...] = ()
    lives_in_since: dt.date | None = None
    lapsed: str | None = None
    ruled_out: Mapping[str, dt.date | None] = field(default_factory=dict)
    parked: dt.date | None = None
    ended: Mapping[str, int] = field(default_factory=dict)
    declined_on: Mapping[str, dt.date] = field(default_factory=dict)


@dataclass(frozen=True)
class Standings:
    """Where everybody stands on `date`. households: those with a proposal or a decision. withdrawn: offers that their hosts have
    withdrawn on that date, with the last day of it (date.max: for good)."""

    date: dt.date
    households: Mapping[str, Stand]
    withdrawn: Mapping[str, dt.date]

    def of(self, household_id: str) -> Stand:
        """One household; one that is not known waits."""
        return self.households.get(household_id) or Stand(household_id)


def standings(
    date: dt.date, proposals: Iterable[Proposal], decisions: Iterable[Decision], expire_days: int | None, *, known: int = 0
) -> Standings:
    """Everybody's standing on a date.

    proposals: of the last published run. decisions: all, in the order of their numbers; the order they were recorded in is the
    order they count in, whatever day they bear. expire_days: a proposal runs out so many days after it was first made; None: never.
    known: number of the last decision that was known when the proposals were made (the run's `decisions_upto`).
    """
    fold = Fold(date, known)
    for decision in decisions:
        fold.take(decision)
    for proposal in proposals:
        if proposal.status == "proposed":
            fold.propose(proposal, expire_days)
    withdrawn = {a: end for a, end in sorted(fold.withdrawn.items()) if end >= date}
    return Standings(date, {h: fold.stands[h] for h in sorted(fold.stands)}, withdrawn)


class Fold:
    """Decisions taken one after the other, then the proposals that still hold. stands: by household, as far as it has got.
    withdrawn: offers that their hosts have withdrawn, with the last day of it. known: see `standings`."""

    def __init__(self, date: dt.date, known: int = 0) -> None:
        self.date, self.known = date, known
        self.stands: dict[str, Stand] = {}
        self.withdrawn: dict[str, dt.date] = {}

    def take(self, decision: Decision) -> None:
        """The next decision."""
        if decision.action == "withdraw":
            self._withdraw(decision)
            return
        assert decision.household_id is not None
        stand = self.stands.get(decision.household_id) or Stand(decision.household_id)
        steps = {
            "accept": self._accept, "decline": self._decline, "move-in": self._move_in, "move-out": self._move_out, "park": self._park,
        }  # fmt: skip
        self.stands[decision.household_id] = steps[decision.action](stand, decision)

    def propose(self, proposal: Proposal, expire_days: int | None) -> None:
        """A proposal, unless a decision stands against it."""
        h, a = proposal.household_id, proposal.accommodation_id
        stand = self.stands.get(h) or Stand(h)
        if (stand.parked is not None and stand.parked >= self.date) or self.is_withdrawn(a) or is_ruled_out(stand, a, self.date):
            return
        if stand.state == "accepted" or (stand.state == "moved_in" and stand.accommodation_id == a) or stand.ended.get(a, 0) > self.known:
            return
        if expire_days is not None and (self.date - proposal.since).days >= expire_days:
            self.stands[h] = replace(stand, lapsed=a)
            return
        new = replace(stand, state="proposed", accommodation_id=a, rooms=proposal.rooms, since=proposal.since)
        if stand.state == "moved_in":
            new = replace(new, lives_in=stand.accommodation_id, lives_in_rooms=stand.rooms, lives_in_since=stand.since)
        self.stands[h] = new

    def _accept(self, stand: Stand, decision: Decision) -> Stand:
        a = decision.accommodation_id
        assert a is not None
        if decision.until is not None and decision.until < self.date:  # not moved in by then: the beds are free again
            return replace(_home_again(stand), lapsed=a, parked=None)
        lives = _home_again(stand)
        new = replace(
            stand, state="accepted", accommodation_id=a, rooms=decision.rooms, since=decision.decided_at, through=decision.until,
            lapsed=None, parked=None, ruled_out=_without(stand.ruled_out, a), ended=_without(stand.ended, a),
        )  # fmt: skip
        if lives.state == "moved_in" and lives.accommodation_id != a:
            new = replace(new, lives_in=lives.accommodation_id, lives_in_rooms=lives.rooms, lives_in_since=lives.since)
        return new

    def _decline(self, stand: Stand, decision: Decision) -> Stand:
        a = decision.accommodation_id
        assert a is not None
        base = _home_again(stand) if stand.accommodation_id == a and stand.state == "accepted" else stand
        said = {**stand.declined_on, a: decision.decided_at}
        ruled_out, ended = {**stand.ruled_out, a: decision.until}, {**stand.ended, a: _number(decision)}
        return replace(base, ruled_out=ruled_out, ended=ended, declined_on=said)

    def _move_in(self, stand: Stand, decision: Decision) -> Stand:
        return Stand(
            stand.household_id, "moved_in", decision.accommodation_id, decision.rooms, decision.decided_at,
            ruled_out=_without(stand.ruled_out, decision.accommodation_id), ended=_without(stand.ended, decision.accommodation_id),
            declined_on=stand.declined_on,
        )  # fmt: skip

    def _move_out(self, stand: Stand, decision: Decision) -> Stand:
        ended = {**stand.ended, decision.accommodation_id or "": _number(decision)}
        if stand.state == "accepted" and stand.lives_in is not None:  # it has left the old place, and is on its way to the next
            return replace(stand, lives_in=None, lives_in_rooms=(), lives_in_since=None, ended=ended)
        return Stand(stand.household_id, ruled_out=stand.ruled_out, parked=stand.parked, ended=ended, declined_on=stand.declined_on)

    def _park(self, stand: Stand, decision: Decision) -> Stand:
        return replace(stand, parked=_last_day(decision.until, self.date))

    def _withdraw(self, decision: Decision) -> None:
        a = decision.accommodation_id
        assert a is not None
        end = decision.until or dt.date.max
        self.withdrawn[a] = end
        if end < decision.decided_at:  # the host has come back: what was accepted before does not come back with it
            return
        for h, stand in self.stands.items():
            if stand.state == "accepted" and stand.accommodation_id == a:
                self.stands[h] = replace(_home_again(stand), ended={**stand.ended, a: _number(decision)})

    def is_withdrawn(self, accommodation_id: str) -> bool:
        """Has the host taken the offer back, and does that hold on the date?"""
        return self.withdrawn.get(accommodation_id, dt.date.min) >= self.date


def _home_again(stand: Stand) -> Stand:
    """Without what it has accepted: it waits, or lives where it had moved in."""
    if stand.state == "moved_in":
        return stand
    blank = replace(stand, accommodation_id=None, rooms=(), since=None, through=None, lives_in=None, lives_in_rooms=(), lives_in_since=None)
    if stand.lives_in is None:
        return replace(blank, state="waiting")
    return replace(blank, state="moved_in", accommodation_id=stand.lives_in, rooms=stand.lives_in_rooms, since=stand.lives_in_since)


def is_ruled_out(stand: Stand, accommodation_id: str, date: dt.date) -> bool:
    """Has one side declined the pair, and does that hold on the date?"""
    if accommodation_id not in stand.ruled_out:
        return False
    last = stand.ruled_out[accommodation_id]
    return last is None or last >= date


def _last_day(until: dt.date | None, date: dt.date) -> dt.date | None:
    """The last day of a pause; None where it is over on the date."""
    if until is None:
        return dt.date.max
    return until if until >= date else None


def _without(offers: Mapping[str, T], accommodation_id: str | None) -> dict[str, T]:
    return {a: value for a, value in offers.items() if a != accommodation_id}


def _number(decision: Decision) -> int:
    """One that is not recorded yet comes after all others."""
    return decision.number or sys.maxsize
