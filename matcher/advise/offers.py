"""One more offer that would do for a household: where, of what kind, how large, with what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

import numpy as np

from matcher.advise.trial import Night
from matcher.changes import AddOffer, new_id
from matcher.compile import Compiled
from matcher.errors import InternalError
from matcher.layers import Bools, Ints
from matcher.model import Accommodation, Household, Kind, Spot
from matcher.problem import BLOCKED

MOST_SPOTS = 60
ORDER: tuple[Kind, ...] = ("apartment", "house", "modular", "hotel", "dormitory", "collective_site", "host_family")
SHARED_ORDER: tuple[Kind, ...] = ("collective_site", "dormitory", "hotel", "modular", "house", "apartment", "host_family")


@dataclass(frozen=True)
class Sites:
    """An offer at many places at once, to see where it would do. values: cost of each party there, BLOCKED where it may not be,
    shape (parties, spots). out: cost of leaving each party out."""

    compiled: Compiled
    spots: tuple[Spot, ...]
    values: Ints
    out: Ints


def offer_ladder(night: Night, group: Sequence[str]) -> Iterator[AddOffer]:
    """Offers for a household and all who must be placed with it, from the smallest: one of their own where nobody else would take it,
    then ever larger ones that are shared with those whom the policy puts first."""
    members = [night.compiled.household_of[i] for i in group]
    parties = sorted({night.party_at[i] for i in group})
    alone = len(parties) == 1
    own = pattern(night, members, shared=not alone)
    if own is None:
        return
    sites = at_many(night, own, spots_for(night, members))
    best = _best_spot(night, sites, parties)
    if best is not None:
        yield AddOffer(_at(own, sites.spots[best]))
    shared = pattern(night, members, shared=True)
    assert shared is not None
    sites = at_many(night, shared.model_copy(update={"capacity": _everybody(night)}), spots_for(night, members))
    usable = np.flatnonzero((sites.values[parties] < BLOCKED).all(axis=0))
    if not len(usable):
        return
    spot = int(usable[np.argmin(sites.values[parties][:, usable].sum(axis=0))])
    for capacity in _sizes(night, sites, parties, spot, own.capacity):
        yield AddOffer(_at(shared.model_copy(update={"capacity": capacity}), sites.spots[spot]))


def pattern(night: Night, members: Sequence[Household], *, shared: bool) -> Accommodation | None:
    """An offer that suits all of them, but for its place; None if they accept no kind in common."""
    kinds = set(ORDER)
    for one in members:
        kinds &= one.accepts or set(ORDER)
    kind = next((k for k in (SHARED_ORDER if shared else ORDER) if k in kinds), None)
    if kind is None:
        return None
    rents = [one.max_rent / sum(m.persons for m in members) for one in members if one.max_rent is not None]
    starts = [max(one.arrives or night.date, night.date) for one in members]
    return Accommodation(
        accommodation_id=new_id(a.accommodation_id for a in night.instance.accommodations),
        spot=members[0].spot,
        adm1=members[0].spot.adm1,
        kind=kind,
        capacity=sum(one.persons for one in members),
        shared=shared,
        features=frozenset().union(*(one.needs for one in members)),
        pets=frozenset().union(*(one.pets for one in members)),
        available_from=min(starts) if min(starts) > night.date else None,
        vetted=True if kind == "host_family" else None,
        cost_per_person_night=min(rents).quantize(Decimal("0.01"), ROUND_DOWN) if rents else None,
    )


def spots_for(night: Night, members: Sequence[Household]) -> list[Spot]:
    """Where one would look: where they are, where their ties lead, and where offers are; no oblast rated too dangerous."""
    ids = {one.household_id for one in members}
    ties = [tie for tie in night.instance.ties if tie.household_id in ids and tie.kind != "apart"]
    offers = night.compiled.offer_of
    found = [one.spot for one in members]
    found += [tie.spot for tie in ties if tie.spot is not None]
    found += [offers[tie.accommodation_id].spot for tie in ties if tie.accommodation_id is not None]
    found += [offer.spot for offer in night.instance.accommodations if offer.status == "open"]
    risk = night.policy.risk
    safe = [s for s in found if risk.area.get(s.adm1 or "", risk.unknown) <= night.policy.rules.max_risk]
    distinct = {(s.key, s.lat, s.lon): s for s in safe}
    return list(distinct.values())[:MOST_SPOTS]


def at_many(night: Night, offer: Accommodation, spots: Sequence[Spot]) -> Sites:
    """What the offer would cost everybody at each of these places."""
    taken = {a.accommodation_id for a in night.instance.accommodations}
    changes: list[AddOffer] = []
    for spot in spots:
        new = new_id(taken, "SITE")
        taken.add(new)
        changes.append(AddOffer(_at(offer, spot).model_copy(update={"accommodation_id": new})))
    compiled = night.changed(changes)
    problem = compiled.problem
    if len(problem.parties) != len(night.compiled.problem.parties):
        raise InternalError("one more offer has changed who forms a party")
    at = np.array([compiled.offer_positions[c.offer.accommodation_id] for c in changes], dtype=np.int64)
    every = np.arange(len(problem.parties))
    values = np.full((len(every), len(at)), BLOCKED, dtype=np.int64)
    for low in range(0, len(every), 256):
        block = every[low : low + 256]
        allowed: Bools = problem.eligible(block, at)
        values[low : low + 256] = np.where(allowed, problem.base_cost(block, at).sum(axis=2), BLOCKED)
    return Sites(compiled, tuple(spots), values, problem.unplaced_by_stage().sum(axis=1))


def _waiting(night: Night) -> Ints:
    """Parties without a place who could have one."""
    return np.flatnonzero((night.party_homes < 0) & ~night.compiled.problem.barred)


def _gains(sites: Sites, parties: Ints) -> Ints:
    """What placing each of the parties at each spot would save, below 0 where it may not be there."""
    values = sites.values[parties]
    return np.where(values < BLOCKED, sites.out[parties][:, None] - values, -1)


def _best_spot(night: Night, sites: Sites, parties: Sequence[int]) -> int | None:
    """The cheapest spot for them where nobody else who waits gains more by the offer; else the cheapest; None where they may be nowhere."""
    usable = np.flatnonzero((sites.values[list(parties)] < BLOCKED).all(axis=0))
    if not len(usable):
        return None
    own = _gains(sites, np.array(parties))[:, usable].sum(axis=0)
    others = np.setdiff1d(_waiting(night), parties)
    rival = _gains(sites, others)[:, usable].max(axis=0, initial=-1)
    first = np.flatnonzero(own > rival)
    if not len(first):
        return None
    return int(usable[first[np.argmax(own[first])]])


def _sizes(night: Night, sites: Sites, parties: Sequence[int], spot: int, least: int) -> list[int]:
    """Beds of a shared offer: for the household and those without a place who gain more a person by it, or all others who do, or all."""
    persons = night.compiled.problem.party_persons()
    every = np.setdiff1d(np.arange(len(persons)), parties)
    now = np.where(night.party_homes >= 0, night.here, sites.out)[every]
    values = sites.values[every, spot]
    gains = np.where(values < BLOCKED, now - values, -1)
    size, own = int(persons[list(parties)].sum()), int(_gains(sites, np.array(parties))[:, spot].sum())
    ahead = gains * size > own * persons[every]
    waiting = np.isin(every, _waiting(night))
    beds = [int(persons[every][chosen].sum()) for chosen in (ahead & waiting, ahead, gains >= 0)]
    return sorted({max(least, size + more) for more in beds})


def _everybody(night: Night) -> int:
    return int(night.compiled.problem.party_persons().sum())


def _at(offer: Accommodation, spot: Spot) -> Accommodation:
    return offer.model_copy(update={"spot": spot, "adm1": spot.adm1})
