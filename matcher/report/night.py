"""What a night changes for people, as the page tells it: proposals that are new, changed or dropped, and offers that end soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from matcher.report.offers import Offers
from matcher.result import Result

ENDING_DAYS = 30
"""A single run looks so far ahead; a night as far as its configuration says."""
MOST_LISTED = 2000
"""Changes that the page lists; the first night of a city has tens of thousands of new proposals."""
KEPT = "kept"


class Change(Protocol):
    """A household whose proposal is another one than the night before. before, after: accommodations; None for none, both None for a
    protected household."""

    @property
    def household_id(self) -> str: ...
    @property
    def change(self) -> str: ...
    @property
    def before(self) -> str | None: ...
    @property
    def after(self) -> str | None: ...
    @property
    def why(self) -> str: ...


class Ending(Protocol):
    """A household whose accommodation ends soon. accommodation_id: None for a protected one. until: None where its host has withdrawn
    it already. following: where it goes then, None for nowhere yet."""

    @property
    def household_id(self) -> str: ...
    @property
    def accommodation_id(self) -> str | None: ...
    @property
    def until(self) -> dt.date | None: ...
    @property
    def following(self) -> str | None: ...


@dataclass(frozen=True)
class Night:
    """What changed since the night before, and what ends."""

    changes: Sequence[Change] = ()
    ending: Sequence[Ending] = ()


@dataclass(frozen=True)
class _Change:
    household_id: str
    change: str
    before: str | None
    after: str | None
    why: str = ""


@dataclass(frozen=True)
class _Ending:
    household_id: str
    accommodation_id: str | None
    until: dt.date | None
    following: str | None = None


def of_one_run(result: Result, offers: Offers) -> Night:
    """What a run by itself can tell: proposals that changed, and who stays longer than the offer lasts, within ENDING_DAYS."""
    instance, options = result.instance, result.options
    assert instance is not None and options is not None and options.date is not None
    leaves = {h.household_id: h.leaves for h in instance.households} if _few_end(offers, options.date) else {}
    changes, ending = [], []
    for row in result.placements:
        if row.protected:
            continue
        if row.changed_from:
            changes.append(_Change(row.household_id, "changed", row.changed_from, row.accommodation_id))
        until = offers.known[row.accommodation_id].available_until if leaves else None
        stays = leaves.get(row.household_id)
        if until is not None and (until - options.date).days <= ENDING_DAYS and (stays is None or stays > until):
            ending.append(_Ending(row.household_id, row.accommodation_id, until))
    return Night(tuple(changes), tuple(ending))


def _few_end(offers: Offers, date: dt.date) -> bool:
    """Does any offer end soon? Mostly none does, and nobody need be looked at."""
    return any(offer.available_until is not None and (offer.available_until - date).days <= ENDING_DAYS for offer in offers.known.values())


def plain(night: Night, offers: Offers) -> dict[str, Any]:
    """The night as the page's codes: `changes` [household, change, offer before, offer after, why], `ending` [household, offer, until,
    offer after], how many more of each stand in the tables alone, and how many protected households they leave out (they stand in no
    other file by name)."""
    changes = [one for one in night.changes if one.change != KEPT]
    told = [one for one in changes if one.before is not None or one.after is not None]
    ending = [one for one in night.ending if one.accommodation_id is not None]
    listed = _listed(told)
    number = _Numbers(offers)
    return {
        "changes": [[one.household_id, one.change, number.of(one.before), number.of(one.after), one.why] for one in listed],
        "changes_more": len(told) - len(listed),
        "ending": [
            [one.household_id, number.of(one.accommodation_id), _iso(one.until), number.of(one.following)] for one in ending[:MOST_LISTED]
        ],
        "ending_more": len(ending[MOST_LISTED:]),
        "night_untold": len(changes) - len(told) + len(night.ending) - len(ending),
    }


def _listed(told: Sequence[Change]) -> Sequence[Change]:
    """As many as a page can hold, in their order; where there are more, rather those that were proposed something else before."""
    if len(told) <= MOST_LISTED:
        return told
    rather = sorted(range(len(told)), key=lambda i: told[i].before is None)[:MOST_LISTED]
    return [told[i] for i in sorted(rather)]


def _iso(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


class _Numbers:
    """Offers by number; one that is not delivered any more stays an id."""

    def __init__(self, offers: Offers) -> None:
        self.offers = offers

    def of(self, accommodation_id: str | None) -> int | str | None:
        if accommodation_id is None or accommodation_id not in self.offers.known:
            return accommodation_id
        return self.offers.number(accommodation_id)
