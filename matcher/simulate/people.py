"""How people decide, and a ledger of what they decided that knows nothing of the program's own history."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matcher.asked import Asked
from matcher.published import Published
from matcher.simulate.world import World


@dataclass(frozen=True, slots=True)
class Habits:
    """Chances by day. answer: that a household with a proposal answers at all. accept, by_household, by_host: what the answer is (the rest
    asks to wait some days). move_in: of one that has accepted. leave: of one that lives there, for good. withdraw: of an offer."""

    answer: float = 0.45
    accept: float = 0.72
    by_household: float = 0.15
    by_host: float = 0.08
    move_in: float = 0.5
    leave: float = 0.004
    withdraw: float = 0.004
    pause_days: int = 4


@dataclass
class Ledger:
    """What was decided, as the people themselves would tell it. accepted, lives: offer by household. waited: days from arrival to the
    first acceptance, in the order they came."""

    accepted: dict[str, str] = field(default_factory=dict)
    lives: dict[str, str] = field(default_factory=dict)
    declined: set[tuple[str, str]] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    parked: dict[str, dt.date] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    waited: list[int] = field(default_factory=list)
    has_waited: set[str] = field(default_factory=set)


class People:
    """Draws everybody's decisions of a day. Same seed, same nights, same decisions."""

    def __init__(self, world: World, habits: Habits, seed: int) -> None:
        self.world, self.habits, self.ledger = world, habits, Ledger()
        self.draw = random.Random(f"{seed} decisions")

    def day(self, day: int, date: dt.date, night: Published) -> list[Asked]:
        """What is decided on the day after a night was published, and into the ledger with it."""
        rows = self._withdrawals(day, date)
        rows += self._residents(date)
        proposed = {row.household_id: row.accommodation_id for row in night.placements if row.status == "proposed"}
        answered: set[str] = set()
        for h in sorted(proposed):
            if h not in answered:
                group = sorted(self.world.together.get(h, frozenset({h})))
                answered.update(group)
                rows += self._answer([one for one in group if one in proposed], proposed, day, date)
        return rows

    def _withdrawals(self, day: int, date: dt.date) -> list[Asked]:
        """Hosts of offers where nobody lives."""
        ledger, rows = self.ledger, []
        inhabited = set(ledger.lives.values())
        for offer in sorted(self.world.offered):
            there = self.world.offered[offer] <= day and offer not in inhabited and offer not in ledger.withdrawn
            if there and self.draw.random() < self.habits.withdraw:
                ledger.withdrawn.add(offer)
                ledger.accepted = {h: a for h, a in ledger.accepted.items() if a != offer}
                rows.append(_asked("withdraw", None, offer, "host_needs_it", date))
        return rows

    def _residents(self, date: dt.date) -> list[Asked]:
        """Who has accepted moves in one day; who lives somewhere goes home one day."""
        ledger, rows = self.ledger, []
        for h in sorted(ledger.lives):
            if h not in ledger.accepted and self.draw.random() < self.habits.leave:
                rows.append(_asked("move-out", h, ledger.lives.pop(h), "went_home", date))
                ledger.gone.add(h)
        for h, offer in sorted(ledger.accepted.items()):
            if self.draw.random() < self.habits.move_in:
                ledger.lives[h] = ledger.accepted.pop(h)
                rows.append(_asked("move-in", h, offer, "arrived", date))
        return rows

    def _answer(self, group: Sequence[str], proposed: Mapping[str, str], day: int, date: dt.date) -> list[Asked]:
        """Households bound together give one answer."""
        ledger, habits = self.ledger, self.habits
        if any(proposed[h] in ledger.withdrawn or h in ledger.accepted for h in group) or self.draw.random() >= habits.answer:
            return []
        what, rows = self.draw.random(), []
        for h in group:
            offer = proposed[h]
            if what < habits.accept:
                ledger.accepted[h] = offer
                rows.append(_asked("accept", h, offer, "agreed", date))
                if h not in ledger.has_waited:
                    ledger.has_waited.add(h)
                    ledger.waited.append(day - self.world.arrival[h])
            elif what < habits.accept + habits.by_household + habits.by_host or h in ledger.lives:
                by_host = what >= habits.accept + habits.by_household
                ledger.declined.add((h, offer))
                rows.append(_asked("decline", h, offer, "host_not_suitable" if by_host else "too_far", date))
            else:
                ledger.parked[h] = date + dt.timedelta(habits.pause_days)
                rows.append(_asked("park", h, None, "asked_to_wait", date, ledger.parked[h]))
        return rows

    def broken(self, date: dt.date, here: frozenset[str], night: Published, ending: frozenset[str]) -> list[str]:
        """What a published night does against what was decided; sentences, none where all is as it should be. ending: households that
        stand in ending.csv, whose present offer is not where they are matched any more."""
        ledger, faults = self.ledger, []
        placed = {row.household_id: row for row in night.placements}
        left = {row.household_id: row.reason for row in night.unplaced}
        if placed.keys() & left.keys() or placed.keys() | left.keys() != here:
            faults.append("not everybody delivered is accounted for just once")
        for h, offer in ledger.accepted.items():
            if h in here and h not in ending and (h not in placed or (placed[h].accommodation_id, placed[h].status) != (offer, "accepted")):
                faults.append(f"{h} has accepted and is not kept there")
        for h, offer in ledger.lives.items():
            stays = h in placed and (placed[h].accommodation_id, placed[h].status) == (offer, "moved_in")
            if h in here and h not in ending and h not in ledger.accepted and not stays:
                faults.append(f"{h} has moved in and is not kept there")
        for h, row in placed.items():
            if row.status != "proposed":
                continue
            if (h, row.accommodation_id) in ledger.declined:
                faults.append(f"{h} is proposed again what was declined")
            if row.accommodation_id in ledger.withdrawn:
                faults.append(f"{h} is proposed an offer that its host has withdrawn")
            if ledger.parked.get(h, dt.date.min) >= date:
                faults.append(f"{h} is proposed something while it has asked to wait")
        return faults


def _asked(action: str, h: str | None, offer: str | None, reason: str, date: dt.date, until: dt.date | None = None) -> Asked:
    from matcher.asked import asked

    return asked(action, h, offer, reason, "simulated", until, date)
