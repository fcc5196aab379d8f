"""What would help most: the offers most worth finding, ranked by the capacity prices, each verified by solving with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from matcher.advise.offers import Sites, at_many, pattern
from matcher.advise.remedies import UNITS, bound_search
from matcher.advise.trial import Budget, Night, Tried
from matcher.advise.whatif import kept_and_km
from matcher.changes import AddOffer, Remedy, as_option
from matcher.doors import NUMBER, WHOLE, takes
from matcher.layers import Ints
from matcher.model import Accommodation, Household, Spot
from matcher.places.called import names
from matcher.problem import BLOCKED
from matcher.result import LEFT_OUT_REASONS, Result
from matcher.worth import Advice, Lead

MOST = 10
MOST_PATTERNS = 40
MOST_PLACES = 60
A_PLACE = 2
"""Leads at most for one pattern, so that the list is not the same flat ten times."""
SHARED_BEDS = 10


@dataclass(frozen=True)
class Candidate:
    """An offer that may be worth finding. worth: what the capacity prices say it would save, in cost units."""

    offer: Accommodation
    worth: int


@takes(result=Result, effort=NUMBER, most=WHOLE)
def advise(result: Result, effort: float = 1.0, most: int = MOST) -> Advice:
    """The offers most worth finding, and what would help the households that wait longest; both bounded by the effort.

    Raises UsageError for a result of a bare problem.
    """
    found = look_for(Night(result), Budget(UNITS * effort), most)
    return replace(found, waiting=tuple(_waiting(result, effort, most)))


def look_for(night: Night, budget: Budget, most: int = MOST) -> Advice:
    """The offers most worth finding, as far as the budget goes."""
    candidates = _candidates(night)
    leads: list[Lead] = []
    tried = 0
    for candidate in candidates:
        if len(leads) >= most:
            break
        change = AddOffer(candidate.offer)
        compiled = night.changed([change])
        if not budget.take(compiled):
            break
        tried += 1
        found = night.solve(compiled)
        if found is not None and found.cost < night.cost:
            leads.append(_lead(night, candidate, change, found))
    return Advice(tuple(leads), len(candidates), len(candidates) - tried)


def _waiting(result: Result, effort: float, most: int) -> Iterator[tuple[str, int, Remedy | None, bool]]:
    """Who waits longest without a place, and what would help them."""
    night = Night(result)
    search = bound_search(night, effort)
    households = night.compiled.household_of
    days = {
        row.household_id: (night.date - since).days if (since := households[row.household_id].waiting_since) is not None else 0
        for row in result.unplaced
        if row.reason not in LEFT_OUT_REASONS and row.household_id in households
    }
    wanted = sorted(search.wanted(result.unplaced), key=lambda i: (-days[i], i))[:most]
    known = result.remedies
    for household_id in wanted:
        if known is not None and household_id not in known.not_examined:
            yield household_id, days[household_id], known.found.get(household_id), True
        else:
            yield household_id, days[household_id], *search.find(household_id)


def _candidates(night: Night) -> list[Candidate]:
    """Offers that the prices say are worth something, most a bed first: ten beds are harder to find than a flat."""
    found: list[Candidate] = []
    for one in _patterns(night):
        sites = at_many(night, one, _places(night))
        worth = _worth(night, sites, one)
        best = [int(s) for s in np.argsort(-worth, kind="stable")[:A_PLACE] if worth[s] > 0]
        found += [Candidate(one.model_copy(update={"spot": sites.spots[s], "adm1": sites.spots[s].adm1}), int(worth[s])) for s in best]
    return sorted(found, key=lambda c: (-c.worth // c.offer.capacity, c.offer.capacity, c.offer.spot.name or "", sorted(c.offer.features)))


def _patterns(night: Night) -> list[Accommodation]:
    """What those without a place would need, the most frequent first: a flat for one of them, and a shared place for several."""
    protected = night.compiled.roles.protected
    counts: Counter[Accommodation] = Counter()
    shared: Counter[Accommodation] = Counter()
    for q in np.flatnonzero((night.party_homes < 0) & ~night.compiled.problem.barred).tolist():
        members = [night.compiled.household_of[night.compiled.households[h]] for h in night.compiled.problem.parties[q]]
        if protected.isdisjoint(one.household_id for one in members):
            plain = [_bare(one) for one in members]
            for which, count in ((False, counts), (True, shared)):
                if (found := pattern(night, plain, shared=which)) is not None:
                    count[found.model_copy(update={"capacity": SHARED_BEDS} if which else {})] += 1
    ranked = [*counts.most_common(MOST_PATTERNS - 10), *shared.most_common(10)]
    return [one for one, _ in ranked]


def _bare(household: Household) -> Household:
    """What an offer has to suit, without what differs from household to household."""
    return household.model_copy(update={"max_rent": None, "arrives": None, "spot": Spot(lat=0.0, lon=0.0)})


def _places(night: Night) -> list[Spot]:
    """Where one would look: where offers are, where ties lead, and where those without a place are; the most frequent first."""
    risk, most = night.policy.risk, night.policy.rules.max_risk
    out = {i for i in night.party_at if i not in night.homes}
    spots = [a.spot for a in night.instance.accommodations if a.status == "open"]
    spots += [tie.spot for tie in night.instance.ties if tie.spot is not None and tie.household_id in out]
    spots += [night.compiled.household_of[i].spot for i in sorted(out)]
    counts = Counter((s.key, s.lat, s.lon) for s in spots)
    first = {(s.key, s.lat, s.lon): s for s in reversed(spots)}
    safe = [key for key in counts if risk.area.get(first[key].adm1 or "", risk.unknown) <= most]
    chosen = sorted(safe, key=lambda key: (-counts[key], str(key)))[:MOST_PLACES]
    return [first[key] for key in chosen]


def _worth(night: Night, sites: Sites, offer: Accommodation) -> Ints:
    """What the offer would save at each spot by the prices: the best party for a flat; for a shared place those who gain most a bed."""
    market = night.market
    now = sites.out.copy() if market is None else market.least // market.scale
    placed = night.party_homes >= 0
    if market is None:
        now[placed] = night.here[placed]
    persons = night.compiled.problem.party_persons()
    gains = np.where(sites.values < BLOCKED, now[:, None] - sites.values, 0)
    gains[persons > offer.capacity] = 0
    if not offer.shared:
        return np.asarray(gains.max(axis=0, initial=0))
    worth = np.zeros(gains.shape[1], dtype=np.int64)
    for s in range(gains.shape[1]):
        left = offer.capacity
        for q in np.argsort(-gains[:, s] / persons, kind="stable").tolist():
            if gains[q, s] <= 0 or left == 0:
                break
            if persons[q] <= left:
                left -= int(persons[q])
                worth[s] += gains[q, s]
    return worth


def _lead(night: Night, candidate: Candidate, change: AddOffer, found: Tried) -> Lead:
    offer, households = candidate.offer, night.compiled.household_of
    gained, lost = found.homes.keys() - night.homes.keys(), night.homes.keys() - found.homes.keys()
    english, ukrainian = names(offer.spot)
    before, after = kept_and_km(night.compiled, night.plan), kept_and_km(found.compiled, found.plan)
    return Lead(
        place=english,
        place_uk=ukrainian,
        adm1=offer.adm1,
        kind=offer.kind,
        capacity=offer.capacity,
        features=tuple(sorted(offer.features)),
        pets=tuple(sorted(offer.pets)),
        worth=candidate.worth,
        households=len(gained) - len(lost),
        persons=sum(households[i].persons for i in gained) - sum(households[i].persons for i in lost),
        cost=night.cost - found.cost,
        ties=after[0] - before[0],
        km10=after[1] - before[1],
        proved=found.proved,
        option=as_option(change),
    )
