"""Eligibility: which households may go to which offers (MODEL.md, first table). Hard, and it fails closed.

One function a rule, named by its code. A rule sees only what it needs: its two sides name the fields that it looks at, so a
rule is a small table over classes of households and classes of offers, however many of each there are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from matcher.lookup import Side
from matcher.model import Accommodation, Spot
from matcher.places.travel import Travel, same_place
from matcher.policy import Policy


@dataclass(frozen=True)
class Rule:
    """A rule: `holds(what it sees of the household, what it sees of the offer)`.

    Fields are those of the rows; besides them a household has `arrival` (the later of its own date and the date of the run),
    `party_persons` and `party_rooms` (persons, and rooms needed under `room_rule = "separate"`, else 0, of its whole party),
    an offer has `closed_now` (closed for this run).
    """

    code: str
    household: Side
    offer: Side
    holds: Callable[[Any, Any], bool]


def status(_: object, offer_open: bool) -> bool:
    """The offer is open."""
    return offer_open


def vetted(_: object, fit: bool) -> bool:
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


def risk(_: object, fit: bool) -> bool:
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


def rooms(party: tuple[int, int], sizes: tuple[int, int] | None) -> bool:
    """Some set of the offer's rooms can hold the party: the set of all of them can. sizes: (their beds, their number)."""
    if sizes is None:
        return True
    persons, count = party
    beds, number = sizes
    return persons <= beds and count <= number


def offer_risk(own: Decimal | None, adm1: str | None, policy: Policy) -> Decimal:
    """The offer's own rating, else the policy's of its oblast, else of the unknown."""
    return own if own is not None else policy.risk.area.get(adm1 or "", policy.risk.unknown)


def make_rules(policy: Policy, travel: Travel) -> tuple[Rule, ...]:
    """The rules over classes, in MODEL.md's order. `override` and `tie` depend on single pairs: see `bonds`."""

    def is_open(state: str, closed_now: bool) -> bool:
        return state == "open" and not closed_now

    def is_fit(offered: str, is_vetted: bool | None) -> bool:
        return offered != "host_family" or is_vetted is True or not policy.rules.require_vetted

    def host_languages(offered: str, spoken: frozenset[str]) -> frozenset[str] | None:
        return spoken if offered == "host_family" and spoken else None

    def is_safe(own: Decimal | None, adm1: str | None) -> bool:
        return offer_risk(own, adm1, policy) <= policy.rules.max_risk

    nothing = Side()
    return (
        Rule("status", nothing, Side(("status", "closed_now"), is_open), status),
        Rule("vetted", nothing, Side(("kind", "vetted"), is_fit), vetted),
        Rule("size", Side(("party_persons",)), Side(("capacity", "min_persons", "max_persons")), size),
        Rule("rent", Side(("persons", "max_rent"), lambda persons, most: None if most is None else (persons, most)),
             Side(("cost_per_person_night",)), rent),
        Rule("risk", nothing, Side(("risk", "adm1"), is_safe), risk),
        Rule("needs", Side(("needs", "persons"), lambda wanted, persons: (wanted, persons if wanted else 0)),
             Side(("features", "need_capacity")), needs),
        Rule("pets", Side(("pets",)), Side(("pets",)), pets),
        Rule("language", Side(("languages",)), Side(("kind", "languages"), host_languages), language),
        Rule("kind", Side(("accepts",)), Side(("kind",)), kind),
        Rule("groups", Side(("groups",)), Side(("groups_only",)), groups),
        Rule("area", Side(("avoids",)), Side(("adm1",)), area),
        Rule("dates", Side(("arrival", "leaves")), Side(("available_from", "available_until")),
             lambda h, a: dates(h, a, policy.short.min_nights)),
        Rule("distance", Side(("spot", "max_km")), Side(("spot",)), lambda h, a: distance(h, a, travel)),
        Rule("rooms", Side(("party_persons", "party_rooms")),
             Side(("rooms",), lambda sizes: None if sizes is None else (sum(sizes), len(sizes))), rooms),
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


__all__ = ["Rule", "keeps", "keeps_place", "make_rules", "offer_risk", "same_place", "same_site"]
