"""One more offer that would do for a household: where, of what kind, how large, with what."""

from __future__ import annotations

from collections.abc import Sequence
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


@dataclass(frozen=True)
class Ladder:
    """Offers for a household and all who must be placed with it. own: one of their own, where nobody else should gain more by it.
    shared: one for others too, None if they may live in none. beds: for them alone; with those who wait there and are more urgent; with
    all who wait and are more urgent; and for everybody who may live there."""

    own: AddOffer | None
    shared: AddOffer | None = None
    beds: tuple[int, ...] = ()

    @property
    def new(self) -> str:
        """Id of the shared offer."""
        assert self.shared is not None
        return self.shared.offer.accommodation_id

    def with_beds(self, beds: int) -> AddOffer:
        """The shared offer with so many beds."""
        assert self.shared is not None
        return AddOffer(self.shared.offer.model_copy(update={"capacity": beds}))


def offer_ladder(night: Night, group: Sequence[str], also: Sequence[str] = ()) -> Ladder:
    """One more offer for a household and all who must be placed with it, as small and as near as the prices say that it may be.

    also: others whom it has to suit; then it is shared.
    """
    members = [night.compiled.household_of[i] for i in group]
    others = [night.compiled.household_of[i] for i in also]
    parties = sorted({night.party_at[i] for i in group})
    spots = spots_for(night, members)
    size = sum(one.persons for one in members)
    alone = None
    if len(parties) == 1 and not others and (own := pattern(night, members, shared=False)) is not None:
        sites = at_many(night, own, spots)
        best = _best_spot(night, sites, parties)
        alone = None if best is None else AddOffer(_at(own, sites.spots[best]))
    shared = pattern(night, members, shared=True, also=others)
    if shared is None:
        return Ladder(alone)
    sites = at_many(night, shared.model_copy(update={"capacity": _everybody(night)}), spots)
    gains = _own_gains(sites, parties)
    suits = (sites.values[sorted({night.party_at[i] for i in also})] < BLOCKED).all(axis=0)
    if not (suits & (gains > 0)).any():
        return Ladder(alone)
    persons = night.compiled.problem.party_persons()
    there, anywhere = _ahead(night, sites, parties)
    spot = int(np.argmax(np.where(suits, gains, -1)))
    most = int(persons[sites.values[:, spot] < BLOCKED].sum())
    beds = (size, *(min(size + more, most) for more in (int(there[spot]), anywhere)), most)
    return Ladder(alone, AddOffer(_at(shared, sites.spots[spot])), beds)


def pattern(night: Night, members: Sequence[Household], *, shared: bool, also: Sequence[Household] = ()) -> Accommodation | None:
    """An offer with room for the members that suits all of them and others, but for its place; None if they accept no kind in common."""
    every = [*members, *also]
    kinds = set(ORDER)
    for one in every:
        kinds &= one.accepts or set(ORDER)
    kind = next((k for k in (SHARED_ORDER if shared else ORDER) if k in kinds), None)
    if kind is None:
        return None
    rents = [one.max_rent / sum(m.persons for m in members) for one in members if one.max_rent is not None]
    rents += [one.max_rent / one.persons for one in also if one.max_rent is not None]
    starts = [max(one.arrives or night.date, night.date) for one in every]
    return Accommodation(
        accommodation_id=new_id(a.accommodation_id for a in night.instance.accommodations),
        spot=members[0].spot,
        adm1=members[0].spot.adm1,
        kind=kind,
        capacity=sum(one.persons for one in members),
        shared=shared,
        features=frozenset().union(*(one.needs for one in every)),
        pets=frozenset().union(*(one.pets for one in every)),
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
    named = [s for s in safe if s.name]  # a place with a name can be looked for; a point on the map only where there is nothing else
    distinct = {(s.key, s.lat, s.lon): s for s in named or safe}
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


def _waits(night: Night) -> Bools:
    """Which parties are without a place and could have one."""
    return (night.party_homes < 0) & ~night.compiled.problem.barred


def _own_gains(sites: Sites, parties: Sequence[int]) -> Ints:
    """What placing all of them at each spot would save, -1 where one of them may not be there."""
    values = sites.values[list(parties)]
    saved: Ints = (sites.out[list(parties)][:, None] - values).sum(axis=0)
    return np.where((values < BLOCKED).all(axis=0), saved, -1)


def _gains(night: Night, sites: Sites) -> Ints:
    """What each party would save the plan by moving to each spot, the place that it leaves being worth its price; -1 where it may not
    be there. Without prices, a place that is left is worth what it costs there now."""
    market = night.market
    now = np.where(night.party_homes >= 0, night.here, sites.out) if market is None else market.least // market.scale
    return np.where(sites.values < BLOCKED, now[:, None] - sites.values, -1)


def _best_spot(night: Night, sites: Sites, parties: Sequence[int]) -> int | None:
    """Where they gain most beside those who would gain by the offer too; None where somebody who waits gains more everywhere."""
    own = _own_gains(sites, parties)
    others = np.ones(len(sites.out), dtype=np.bool_)
    others[list(parties)] = False
    gains = _gains(night, sites)
    rival = gains[others].max(axis=0, initial=0)
    waits = _waits(night) & others
    first = np.flatnonzero((own > 0) & (own > (sites.out[waits][:, None] - sites.values[waits]).max(axis=0, initial=0)))
    return int(first[np.argmax((own - rival)[first])]) if len(first) else None


def _ahead(night: Night, sites: Sites, parties: Sequence[int]) -> tuple[Ints, int]:
    """Persons who wait and are dearer to leave out: who may live at each spot, and all, as others may make room by moving there."""
    persons = night.compiled.problem.party_persons()
    size, own = int(persons[list(parties)].sum()), int(sites.out[list(parties)].sum())
    ahead = _waits(night) & (sites.out * size > own * persons)
    ahead[list(parties)] = False
    there = (persons * ahead) @ (sites.values < BLOCKED)
    return np.asarray(there), int(persons[ahead].sum())


def _everybody(night: Night) -> int:
    return int(night.compiled.problem.party_persons().sum())


def _at(offer: Accommodation, spot: Spot) -> Accommodation:
    return offer.model_copy(update={"spot": spot, "adm1": spot.adm1})
