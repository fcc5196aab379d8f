"""Eligibility: which households may go to which offers (MODEL.md, first table). Hard, and it fails closed.

One function a rule, named by its code. A rule sees only what it needs: `of_household` and `of_offer` pick that out, so a
rule is a small table over classes of households and classes of offers, however many of each there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from matcher.model import Accommodation, Household, Spot
from matcher.places.travel import Travel, same_place
from matcher.policy import Policy
from matcher.rooms import can_hold


@dataclass(frozen=True)
class Applicant:
    """A free household as the rules see it.

    arrival: the later of its own date and the date of the run. party_persons, party_rooms: persons, and rooms needed
    under `room_rule = "separate"` (0: no such need), of its whole party.
    """

    household: Household
    arrival: dt.date
    party_persons: int
    party_rooms: int


@dataclass(frozen=True)
class Rule:
    """A rule: `holds(of_household(applicant), of_offer(accommodation))`."""

    code: str
    of_household: Callable[[Applicant], Hashable]
    of_offer: Callable[[Accommodation], Hashable]
    holds: Callable[[Any, Any], bool]

    def value(self, of_household: Any, of_offer: Any) -> int:
        """1 where the rule holds, else 0."""
        return int(self.holds(of_household, of_offer))


def status(_: None, offer_open: bool) -> bool:
    """The offer is open."""
    return offer_open


def vetted(_: None, fit: bool) -> bool:
    """A host family is vetted, unless the policy relaxes it."""
    return fit


def size(persons: int, offer: tuple[int, int | None, int | None]) -> bool:
    """persons ≤ capacity, min_persons ≤ persons ≤ max_persons; the persons of the whole party."""
    capacity, least, most = offer
    return persons <= capacity and (least is None or least <= persons) and (most is None or persons <= most)


def rent(household: tuple[int, Decimal] | None, cost: Decimal | None) -> bool:
    """persons · cost_per_person_night ≤ max_rent where there is one; an unknown cost is not known to be low enough."""
    if household is None:
        return True
    persons, max_rent = household
    return cost is not None and persons * cost <= max_rent


def risk(_: None, fit: bool) -> bool:
    """The offer's risk ≤ rules.max_risk."""
    return fit


def needs(household: tuple[frozenset[str], int], offer: tuple[frozenset[str], tuple[tuple[str, int], ...]]) -> bool:
    """Every need stands in the features, or has a capacity_NEED of at least the household's persons."""
    wanted, persons = household
    features, need_capacity = offer
    limited = dict(need_capacity)
    return all(need in features or (need in limited and limited[need] >= persons) for need in wanted)


def pets(kinds: frozenset[str], taken: frozenset[str]) -> bool:
    """Every kind of pet is taken."""
    return kinds <= taken


def language(spoken: frozenset[str], host: frozenset[str] | None) -> bool:
    """A host family that names languages shares one with the household."""
    return host is None or bool(spoken & host)


def kind(accepted: frozenset[str], offered: str) -> bool:
    """The household accepts the offer's kind."""
    return not accepted or offered in accepted


def groups(household: frozenset[str], only: frozenset[str]) -> bool:
    """groups_only, where given, meets one of the household's groups."""
    return not only or bool(household & only)


def area(avoided: frozenset[str], oblast: str | None) -> bool:
    """The oblast is known and not avoided, where the household avoids any."""
    return not avoided or (oblast is not None and oblast not in avoided)


def dates(stay: tuple[dt.date, dt.date | None], offer: tuple[dt.date | None, dt.date | None], min_nights: int) -> bool:
    """Available on arrival, and to the end of the stay; for an open-ended stay at least `short.min_nights`."""
    arrival, leaves = stay
    start, end = offer
    if start is not None and start > arrival:
        return False
    if end is None:
        return True
    return (end - arrival).days >= min_nights if leaves is None else leaves <= end


def distance(journey: tuple[Spot, Decimal | None], destination: Spot, travel: Travel) -> bool:
    """km ≤ max_km, and the way is not blocked."""
    origin, max_km = journey
    leg = travel.leg(origin, destination)
    return not leg.blocked and (max_km is None or leg.km10 <= 10 * max_km)


def rooms(party: tuple[int, int], sizes: tuple[tuple[int, ...], bool] | None) -> bool:
    """Some set of the offer's rooms can hold the party; an offer not shared is taken with all its rooms."""
    if sizes is None:
        return True
    persons, count = party
    beds, _ = sizes
    return can_hold(beds, persons, count)


def offer_risk(offer: Accommodation, policy: Policy) -> Decimal:
    """The offer's own rating, else the policy's of its oblast, else of the unknown."""
    if offer.risk is not None:
        return offer.risk
    return policy.risk.area.get(offer.adm1 or "", policy.risk.unknown)


def no_key(_: object) -> None:
    """For a rule that does not look at this side."""
    return


def make_rules(policy: Policy, travel: Travel, closed: frozenset[str]) -> tuple[Rule, ...]:
    """The rules over classes, in MODEL.md's order. `override` and `tie` depend on single pairs: see `bonds`."""

    def is_open(a: Accommodation) -> bool:
        return a.status == "open" and a.accommodation_id not in closed

    def is_vetted(a: Accommodation) -> bool:
        return a.kind != "host_family" or a.vetted is True or not policy.rules.require_vetted

    def host_languages(a: Accommodation) -> frozenset[str] | None:
        return a.languages if a.kind == "host_family" and a.languages else None

    return (
        Rule("status", no_key, is_open, status),
        Rule("vetted", no_key, is_vetted, vetted),
        Rule("size", lambda h: h.party_persons, lambda a: (a.capacity, a.min_persons, a.max_persons), size),
        Rule("rent", lambda h: None if h.household.max_rent is None else (h.household.persons, h.household.max_rent),
             lambda a: a.cost_per_person_night, rent),
        Rule("risk", no_key, lambda a: offer_risk(a, policy) <= policy.rules.max_risk, risk),
        Rule("needs", lambda h: (h.household.needs, h.household.persons if h.household.needs else 0),
             lambda a: (a.features, a.need_capacity), needs),
        Rule("pets", lambda h: h.household.pets, lambda a: a.pets, pets),
        Rule("language", lambda h: h.household.languages, host_languages, language),
        Rule("kind", lambda h: h.household.accepts, lambda a: a.kind, kind),
        Rule("groups", lambda h: h.household.groups, lambda a: a.groups_only, groups),
        Rule("area", lambda h: h.household.avoids, lambda a: a.adm1, area),
        Rule("dates", lambda h: (h.arrival, h.household.leaves), lambda a: (a.available_from, a.available_until),
             lambda h, a: dates(h, a, policy.short.min_nights)),
        Rule("distance", lambda h: (h.household.spot, h.household.max_km), lambda a: a.spot, lambda h, a: distance(h, a, travel)),
        Rule("rooms", lambda h: (h.party_persons, h.party_rooms),
             lambda a: None if a.rooms is None else (a.rooms, a.shared), rooms),
    )  # fmt: skip


def same_site(a: Accommodation, b: Accommodation) -> bool:
    """One address: the same offer, or an equal site id (an empty one equals no other)."""
    return a.accommodation_id == b.accommodation_id or (a.site_id is not None and a.site_id == b.site_id)


def keeps(tie_kind: str, max_km: Decimal | None, km10: int, at_same_place: bool, at_same_site: bool, same_offer: bool) -> bool:
    """Does a pair of an accommodation and another one (or a household in it) hold a required tie of this kind?

    near: within max_km. apart: not the same site, and with max_km never nearer than that.
    """
    if tie_kind == "near":
        return max_km is not None and km10 <= 10 * max_km
    if tie_kind == "apart":
        return not at_same_site and (max_km is None or km10 >= 10 * max_km)
    return {"same_place": at_same_place, "same_site": at_same_site, "same_accommodation": same_offer}[tie_kind]


def keeps_place(tie_kind: str, max_km: Decimal | None, km10: int, at_same_place: bool) -> bool:
    """Does an accommodation hold a required tie to a place? apart: not in that settlement, nor within max_km of it."""
    if tie_kind == "near":
        return max_km is not None and km10 <= 10 * max_km
    if tie_kind == "apart":
        return not at_same_place and (max_km is None or km10 > 10 * max_km)
    return at_same_place


__all__ = ["Applicant", "Rule", "keeps", "keeps_place", "make_rules", "offer_risk", "same_place", "same_site"]
