"""What people decided, over what was delivered: the instance to solve tonight.

A delivery says what there is; the history says what was decided. Where both speak of one household, the history's decisions count
before delivered placements, delivered facts before mere proposals, and nothing that does not fit is dropped without a notice.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from matcher.history.records import Proposal
from matcher.history.standing import Stand, Standings, is_ruled_out
from matcher.i18n import mark
from matcher.io.reassemble import reassembled, replaced
from matcher.lookup import ById
from matcher.model import Accommodation, Household, Instance, Notice, Override, Standing
from matcher.placed import Placements
from matcher.places.travel import same_place
from matcher.result import PlacementRow
from matcher.roles import components, pair_ties
from matcher.slept_in import taken_off

BY = "history"
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Anew:
    """A household whose present accommodation ends soon and that is matched anew: it needs the next one from `until` on.
    until: first night the present one is not there any more. status: what it has there, `accepted` or `moved_in`."""

    household_id: str
    accommodation_id: str
    until: dt.date
    status: str


@dataclass(frozen=True)
class Merged:
    """The instance of tonight. since: first date of each proposal that goes on, by (household, accommodation). anew: by household.
    lapsed: offers of proposals that ran out without an answer, by household. withdrawn: offers that their hosts have taken back.
    notices: what did not fit, and what became of it."""

    instance: Instance
    notices: tuple[Notice, ...]
    since: Mapping[tuple[str, str], dt.date]
    anew: Mapping[str, Anew]
    lapsed: Mapping[str, str]
    withdrawn: frozenset[str] = frozenset()


def merge(instance: Instance, standings: Standings, *, ending_days: int | None = None) -> Merged:
    """Merge the standings of a date with what was delivered for it.

    Accepted and moved-in households stand as such and are kept; proposals stand as `proposed`, so that a change costs `move.km`;
    declined pairs become `forbid`, parked households `hold`, withdrawn offers `closed`. A household that lives in one offer and has
    accepted the next one keeps its beds in the first. ending_days: who lives in (or has accepted) an offer that ends within so many
    days, and stays longer, is matched anew for the day it ends; None: nobody is.
    """
    merging = _Merging(instance, standings)
    for household_id in sorted(standings.households.keys() | merging.pins.keys()):
        merging.take(standings.of(household_id))
    merging.keep_parties()
    if ending_days is not None:
        merging.match_anew(ending_days)
    return merging.done()


def proposals_of(placements: Iterable[PlacementRow], merged: Merged, date: dt.date) -> list[Proposal]:
    """What the history records of a run: every placement, each proposal with the first date from which it was made every time."""
    held = placements if isinstance(placements, Placements) else tuple(placements)
    return [
        Proposal(
            row.household_id, row.accommodation_id, row.status, row.rooms,
            merged.since.get((row.household_id, row.accommodation_id), date), row.persons, row.km10, row.terms.total, row.protected,
        )
        for row in held
    ]  # fmt: skip


class _Merging:
    """The tables of the instance as they change."""

    def __init__(self, instance: Instance, standings: Standings) -> None:
        self.instance, self.standings, self.date = instance, standings, standings.date
        self.households = ById(instance.households, "household_id")
        self.offers = ById(instance.accommodations, "accommodation_id")
        self.aside = {sheet: {row.id for row in instance.set_aside if row.is_of(sheet)} for sheet in ("households", "accommodations")}
        self.delivered = {row.household_id: row for row in instance.standing}
        self.standing = dict(self.delivered)
        self.overrides: list[Override] = list(instance.overrides)
        self.pins: dict[str, list[Override]] = defaultdict(list)
        for row in self.overrides:
            if row.action == "pin" and (row.expires_at is None or row.expires_at >= self.date):
                self.pins[row.household_id].append(row)
        self.closed = set(instance.closed)
        self.taken: dict[str, list[tuple[str, tuple[int, ...]]]] = defaultdict(list)
        self.new_households: dict[int, Household] = {}
        self.since: dict[tuple[str, str], dt.date] = {}
        self.anew: dict[str, Anew] = {}
        self.lapsed: dict[str, str] = {}
        self.told: dict[str, list[str]] = defaultdict(list)

    # --- one household after the other ------------------------------------------------------------------------------------------

    def take(self, stand: Stand) -> None:
        """Put one household where it stands."""
        h, a = stand.household_id, stand.accommodation_id
        if h not in self.households:
            self._not_delivered(stand)
            return
        if stand.lapsed is not None:
            self.lapsed[h] = stand.lapsed
        pinned = self._pin_holds(stand)
        if stand.parked is not None:
            self._override(h, None, "hold", "parked", None if stand.parked == dt.date.max else stand.parked)
        for offer in [] if pinned else sorted(stand.ruled_out):  # who is pinned goes nowhere else anyway
            if offer in self.offers and is_ruled_out(stand, offer, self.date):
                self._override(h, offer, "forbid", "declined", stand.ruled_out[offer])
        self._drop_outdated(stand)
        if stand.state == "proposed":
            self._propose(stand)
        elif stand.state in ("accepted", "moved_in"):
            assert a is not None
            self._fix(stand, a)
        if stand.lives_in is not None:
            self._lives_on(h, stand.lives_in, stand.lives_in_rooms)

    def _pin_holds(self, stand: Stand) -> bool:
        """Is the household pinned, and does nothing that was said since speak against it? A pin that a later decision has overtaken is
        not used: one household's stale pin must not stop the night for all others."""
        h = stand.household_id
        pins = self.pins.get(h, [])
        if not pins:
            return False
        reason = "pin_parked" if stand.parked is not None else ""
        for pin in pins:
            at = [a for a in stand.ruled_out if is_ruled_out(stand, a, self.date) and self._leads_to(pin, a)]
            said = [stand.declined_on[a] for a in at if a in stand.declined_on]
            if at and (pin.decided_at is None or not said or pin.decided_at <= max(said)):
                reason = reason or "pin_declined"
            if pin.accommodation_id is not None and self.standings.withdrawn.get(pin.accommodation_id, dt.date.min) >= self.date:
                reason = reason or "pin_withdrawn"
        if reason:
            self.overrides = [row for row in self.overrides if row not in pins]
            self.told[reason].append(h)
        return not reason

    def _leads_to(self, pin: Override, offer: str) -> bool:
        if pin.accommodation_id is not None:
            return pin.accommodation_id == offer
        return offer in self.offers and pin.spot is not None and same_place(pin.spot, self.offers[offer].spot)

    def _not_delivered(self, stand: Stand) -> None:
        """Its row is faulty, and its beds stay taken; or it is not there any more, and they are free."""
        h, homes = stand.household_id, [a for a in (stand.accommodation_id, stand.lives_in) if a is not None]
        if stand.state == "waiting":
            return
        if h in self.aside:
            if stand.state in ("accepted", "moved_in") or stand.lives_in is not None:
                self.closed |= {a for a in homes if a in self.offers}
                self.told["household_set_aside"].append(h)
            return
        self.told["household_gone" if stand.state == "proposed" else "resident_gone"].append(h)

    def _drop_outdated(self, stand: Stand) -> None:
        """A delivered placement that a decision has ended, or that a proposal of the history has replaced."""
        row = self.delivered.get(stand.household_id)
        if row is None:
            return
        a = row.accommodation_id
        over = a in stand.ended or is_ruled_out(stand, a, self.date)
        over |= row.status != "moved_in" and self.standings.withdrawn.get(a, dt.date.min) >= self.date
        if over:
            self.told["placement_outdated"].append(stand.household_id)
        if over or (row.status == "proposed" and (stand.lapsed == a or stand.parked is not None)):
            self.standing.pop(stand.household_id, None)

    def _propose(self, stand: Stand) -> None:
        h, a = stand.household_id, stand.accommodation_id
        assert a is not None and stand.since is not None
        there = self.standing.get(h)
        if there is not None and there.status != "proposed":
            return  # a delivered fact counts before a proposal
        if a not in self.offers:
            self.told["offer_gone"].append(h)
            self.standing.pop(h, None)
            return
        self.standing[h] = Standing(household_id=h, accommodation_id=a, status="proposed", since=stand.since, rooms=stand.rooms or None)
        self.since[h, a] = stand.since

    def _fix(self, stand: Stand, a: str) -> None:
        """Accepted or moved in: kept. Where its offer cannot be found it is not matched elsewhere behind people's backs, but held."""
        h, row = stand.household_id, self.standing.get(stand.household_id)
        if a not in self.offers:
            self.told["fixed_offer_missing"].append(h)
            self.standing.pop(h, None)
            self.overrides = [row for row in self.overrides if row not in self.pins.get(h, [])]
            self._override(h, None, "hold", "offer_missing", None)
            return
        status = stand.state
        if row is not None and row.accommodation_id == a and row.status == "moved_in":
            status = "moved_in"
        elif row is not None and row.accommodation_id != a and row.status != "proposed":
            self.told["decision_over_placement"].append(h)
            if row.status == "moved_in" and stand.state == "accepted" and stand.lives_in is None:
                self._lives_on(h, row.accommodation_id, row.rooms or ())
        self.standing[h] = Standing.model_validate(
            {"household_id": h, "accommodation_id": a, "status": status, "since": stand.since, "rooms": stand.rooms or None}
        )

    def _lives_on(self, household_id: str, offer: str, rooms: tuple[int, ...]) -> None:
        """It sleeps there until it moves on: nobody else may have those beds."""
        if offer in self.offers:
            self.taken[offer].append((household_id, rooms))

    # --- households that belong together, and offers that end -------------------------------------------------------------------

    def keep_parties(self) -> None:
        """While some of a party have accepted, the beds of the others there wait for their answer."""
        for party in _parties(self.instance, self.standing):
            homes = {self.standing[h].accommodation_id for h in party if self.standing[h].status != "proposed"}
            for h in party:
                row = self.standing[h]
                if row.status == "proposed" and row.accommodation_id in homes:
                    self.standing[h] = row.model_copy(update={"status": "accepted"})
                    self.told["waits_for_answer"].append(h)

    def match_anew(self, ending_days: int) -> None:
        """Who has an offer that ends soon, and needs a place beyond that day, looks for the next one from that day on."""
        held = {row.household_id for row in self.overrides if row.action in ("hold", "pin")}
        found = {}
        for h, row in sorted(self.standing.items()):
            household, offer = self.households[h], self.offers[row.accommodation_id]
            if row.status == "proposed" or h in held or household.consent != "yes" or h in self.instance.left_out:
                continue
            if self._ends(offer, household, ending_days):
                found[h] = offer
        for party in _parties(self.instance, self.standing):
            if not found.keys() >= set(party):
                for h in party:
                    found.pop(h, None)
        for h, offer in found.items():
            self._look_further(h, offer)
        for h, stand in self.standings.households.items():  # those who have accepted the next place already
            if stand.lives_in is not None and stand.lives_in in self.offers and h in self.households and h not in self.anew:
                offer = self.offers[stand.lives_in]
                if self._ends(offer, self.households[h], ending_days):
                    self._arrive_later(h, offer)
                    self.anew[h] = Anew(h, offer.accommodation_id, self._end(offer), "moved_in")

    def _ends(self, offer: Accommodation, household: Household, ending_days: int) -> bool:
        end = offer.available_until
        if end is None or end > self.date + dt.timedelta(days=ending_days):
            return False
        return household.leaves is None or household.leaves > end

    @staticmethod
    def _end(offer: Accommodation) -> dt.date:
        assert offer.available_until is not None
        return offer.available_until

    def _look_further(self, household_id: str, offer: Accommodation) -> None:
        row = self.standing.pop(household_id)
        self.anew[household_id] = Anew(household_id, offer.accommodation_id, self._end(offer), row.status)
        self.taken[offer.accommodation_id].append((household_id, row.rooms or ()))
        self._arrive_later(household_id, offer)
        stand = self.standings.of(household_id)
        if stand.state == "proposed" and stand.accommodation_id != offer.accommodation_id:
            self._propose(stand)

    def _arrive_later(self, household_id: str, offer: Accommodation) -> None:
        household = self.households[household_id]
        arrives = max(household.arrives or self.date, self._end(offer), self.date)
        self.new_households[self.households.at(household_id)] = household.model_copy(update={"arrives": arrives})

    # --- the tables ---------------------------------------------------------------------------------------------------------------

    def _override(self, household_id: str, offer: str | None, action: str, reason: str, expires: dt.date | None) -> None:
        self.overrides.append(
            Override.model_validate(
                {"household_id": household_id, "accommodation_id": offer, "action": action, "reason": reason, "decided_by": BY,
                 "expires_at": expires}
            )
        )  # fmt: skip

    def done(self) -> Merged:
        """Everything put together."""
        tables: dict[str, object] = {"standing": tuple(self.standing.values()), "overrides": tuple(self.overrides)}
        if self.new_households:
            tables["households"] = replaced(self.instance.households, dict(self.new_households))
        offers = self._changed_offers()
        if offers:
            tables["accommodations"] = replaced(self.instance.accommodations, dict(offers))
        instance = self.instance.model_copy(update={"closed": frozenset(self.closed)})
        instance = reassembled(instance, counted=("placements", "overrides"), **tables)  # type: ignore[arg-type]
        return Merged(instance, tuple(_notices(self.told)), self.since, self.anew, self.lapsed, frozenset(self.standings.withdrawn))

    def _changed_offers(self) -> dict[int, Accommodation]:
        """Offers that are withdrawn, and those in which beds are taken by people who stand elsewhere in this instance."""
        changed: dict[str, Accommodation] = {}
        for a, residents in sorted(self.taken.items()):
            changed[a] = taken_off(self.offers[a], [(self.households[h], rooms) for h, rooms in residents])
        for a in self.standings.withdrawn:
            if a in self.offers:
                changed[a] = (changed.get(a) or self.offers[a]).model_copy(update={"status": "closed"})
        return {self.offers.at(a): offer for a, offer in changed.items()}


def _parties(instance: Instance, standing: Mapping[str, Standing]) -> list[tuple[str, ...]]:
    """Households with a standing that are bound to share one accommodation, two or more together."""
    pairs = [
        (tie.household_id, tie.other_household_id)
        for tie in pair_ties(instance)
        if tie.kind == "same_accommodation" and tie.binds and tie.other_household_id is not None
    ]
    among = [(g, h) for g, h in pairs if g in standing and h in standing]
    return [party for party in components(sorted({h for pair in among for h in pair}), among) if len(party) > 1]


_WORDS = {
    "household_gone": ("households.csv", mark("{who}: proposed before, and not in this delivery; the proposal is dropped")),
    "resident_gone": ("households.csv", mark("{who}: accepted or moved in before, and not in this delivery; the beds count as free")),
    "household_set_aside": (
        "households.csv",
        mark("{who}: accepted or moved in before, and a faulty row here; the offer takes nobody new in this run"),
    ),
    "offer_gone": ("accommodations.csv", mark("{who}: proposed an offer that is not in this delivery; the proposal is dropped")),
    "fixed_offer_missing": (
        "accommodations.csv",
        mark("{who}: accepted or moved into an offer that is not in this delivery or has a faulty row; on hold until a decision ends that"),
    ),
    "placement_outdated": ("placements.csv", mark("{who}: a decision in the history has ended the placement given here; it is not used")),
    "decision_over_placement": (
        "placements.csv", mark("{who}: another placement here than in the history; the decision in the history counts")
    ),
    "pin_parked": ("overrides.csv", mark("{who}: pinned, but asked to wait; the pin is not used until the pause ends")),
    "pin_declined": ("overrides.csv", mark("{who}: pinned where one side has declined since; the pin is not used")),
    "pin_withdrawn": ("overrides.csv", mark("{who}: pinned to an offer that its host has withdrawn; the pin is not used")),
    "waits_for_answer": (
        "placements.csv", mark("{who}: bound to a household that has accepted; the beds are kept until the answer comes")
    ),
}  # fmt: skip


def _notices(told: Mapping[str, list[str]]) -> Iterable[Notice]:
    """One notice a kind, with the ids concerned; worded so that it is the same of one and of several, in every language."""
    for code, ids in sorted(told.items()):
        file, words = _WORDS[code]
        names = sorted(ids)
        more = f", … (+{len(names) - _NAMED})" if len(names) > _NAMED else ""
        yield Notice.of(file, code, words, who=f"{', '.join(names[:_NAMED])}{more}")
