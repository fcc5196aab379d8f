"""The instance as the checker sees it: who stands where, who is left out, who belongs together, and every row by id."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from matcher.check.exact import exact
from matcher.check.rooms import rooms_needed
from matcher.errors import InternalError
from matcher.model import Accommodation, Household, Instance, Member, Override, Standing, Tie
from matcher.places.travel import Travel, same_place, travel_model
from matcher.policy import Policy

ADULT_AGE = 18
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Stay:
    """The nights from `arrival` until before `leaves` (None: open-ended)."""

    arrival: dt.date
    leaves: dt.date | None

    @property
    def empty(self) -> bool:
        """Whether it has no night at all, and so uses nothing."""
        return self.leaves is not None and self.leaves <= self.arrival

    def present(self, night: dt.date | None) -> bool:
        """Whether a bed is used that night; None: any night."""
        if night is None:
            return not self.empty
        return self.arrival <= night and (self.leaves is None or night < self.leaves)


@dataclass(frozen=True)
class Party:
    """Households, by id, that are placed together or not at all. rooms_needed: 1, or more under `separate`."""

    households: tuple[Household, ...]
    rooms_needed: int

    @cached_property
    def ids(self) -> tuple[str, ...]:
        return tuple(h.household_id for h in self.households)

    @cached_property
    def persons(self) -> int:
        return sum(h.persons for h in self.households)


@dataclass(frozen=True)
class World:
    """Everything by id. links: ties between two households of the instance; links_of: the same, under both ids.

    fixed: household → accommodation it is kept in. left_out: household → reason. party_of: free households only.
    pins, forbids: overrides that hold on the day. protected: also by ties to who is.
    """

    instance: Instance
    policy: Policy
    date: dt.date
    travel: Travel
    households: Mapping[str, Household]
    offers: Mapping[str, Accommodation]
    standing: Mapping[str, Standing]
    members: Mapping[str, tuple[Member, ...]]
    own_ties: Mapping[str, tuple[Tie, ...]]
    links: tuple[Tie, ...]
    links_of: Mapping[str, tuple[Tie, ...]]
    pins: Mapping[str, tuple[Override, ...]]
    forbids: Mapping[str, tuple[Override, ...]]
    held: frozenset[str]
    fixed: Mapping[str, str]
    left_out: Mapping[str, str]
    protected: frozenset[str]
    parties: tuple[Party, ...]
    party_of: Mapping[str, Party]
    stays: Mapping[str, Stay]
    weights: Mapping[str, Fraction]

    def offer(self, accommodation_id: str) -> Accommodation:
        """The offer of that id. Raises InternalError: validation lets no other id pass."""
        if accommodation_id not in self.offers:
            raise InternalError(f"there is no accommodation {accommodation_id!r}")
        return self.offers[accommodation_id]

    def is_open(self, offer: Accommodation) -> bool:
        """Rule `status`."""
        return offer.status == "open" and offer.accommodation_id not in self.instance.closed

    def is_stranded(self, household_id: str) -> bool:
        """Whether a required tie, other than `apart`, binds the household to one that is left out."""
        return any(
            tie.binds and tie.kind != "apart" and (end in self.left_out or end not in self.households)
            for tie in self.links_of.get(household_id, ())
            for end in (other_end(tie, household_id),)
        )

    def offer_name(self, household_id: str, accommodation_id: str) -> str:
        """The offer in a sentence about the household: sentences are logged, and nothing logged tells where a protected one goes."""
        return "its offer" if household_id in self.protected else accommodation_id

    def is_pinned(self, party: Party) -> bool:
        """Whether the party must be placed: one of its households is pinned."""
        return any(household_id in self.pins for household_id in party.ids)


def other_end(tie: Tie, household_id: str) -> str:
    """The other household of a tie between two."""
    assert tie.other_household_id is not None
    return tie.other_household_id if tie.household_id == household_id else tie.household_id


def names(override: Override, offer: Accommodation) -> bool:
    """Whether a pin or forbid means this offer: by its id, or any offer at the place."""
    if override.accommodation_id is not None:
        return override.accommodation_id == offer.accommodation_id
    return override.spot is not None and same_place(override.spot, offer.spot)


def read_world(instance: Instance, policy: Policy, date: dt.date) -> World:
    """Sort the rows. Raises UsageError for a travel model that is not installed."""
    households = {h.household_id: h for h in sorted(instance.households, key=lambda h: h.household_id)}
    standing = {row.household_id: row for row in instance.standing}
    members = _grouped((m.household_id, m) for m in instance.members)
    links = tuple(tie for tie in instance.ties if tie.other_household_id is not None)
    live = [o for o in instance.overrides if o.expires_at is None or o.expires_at >= date]
    pins = _grouped((o.household_id, o) for o in live if o.action == "pin")
    held = frozenset(o.household_id for o in live if o.action == "hold")
    fixed = {i: standing[i].accommodation_id for i, h in households.items() if i in standing and _is_kept(standing[i], h)}
    left_out: dict[str, str] = {}
    for i, h in households.items():
        no_adult = i in members and i not in pins and not any((m.age or 0) >= ADULT_AGE for m in members[i])
        reason = _first_reason(h.consent, i in instance.left_out, no_adult, i in held)
        if i not in fixed and reason is not None:
            left_out[i] = reason
    free = [i for i in households if i not in fixed and i not in left_out]
    parties = tuple(make_party(policy, members, [households[i] for i in ids]) for ids in components(free, _together(links)))
    return World(
        instance=instance,
        policy=policy,
        date=date,
        travel=Travel(instance.travel, travel_model(policy.travel.model)),
        households=households,
        offers={a.accommodation_id: a for a in sorted(instance.accommodations, key=lambda a: a.accommodation_id)},
        standing=standing,
        members=members,
        own_ties=_grouped((tie.household_id, tie) for tie in instance.ties),
        links=tuple(tie for tie in links if {tie.household_id, tie.other_household_id} <= households.keys()),
        links_of=_grouped((end, tie) for tie in links for end in (tie.household_id, tie.other_household_id) if end is not None),
        pins=pins,
        forbids=_grouped((o.household_id, o) for o in live if o.action == "forbid"),
        held=held,
        fixed=fixed,
        left_out=left_out,
        protected=_protected(households, links),
        parties=parties,
        party_of={i: party for party in parties for i in party.ids},
        stays={i: Stay(max(h.arrives or date, date), h.leaves) for i, h in households.items()},
        weights=_weights(policy),
    )


def make_party(policy: Policy, members: Mapping[str, tuple[Member, ...]], households: list[Household]) -> Party:
    """The households as one party. People of two households never share a room where rooms are counted by person."""
    needed = 1
    if policy.rules.room_rule == "separate":
        needed = sum(rooms_needed(members.get(h.household_id, ()), h.persons) for h in households)
    return Party(tuple(households), needed)


def components(ids: Iterable[str], pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Ids joined by pairs, each component sorted, components by their first id; pairs with other ids do not count."""
    boss = {i: i for i in ids}

    def find(i: str) -> str:
        while boss[i] != i:
            boss[i] = boss[boss[i]]
            i = boss[i]
        return i

    for one, other in pairs:
        if one in boss and other in boss:
            boss[find(other)] = find(one)
    together: dict[str, list[str]] = defaultdict(list)
    for i in sorted(boss):
        together[find(i)].append(i)
    return list(together.values())


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}


def _is_kept(row: Standing, household: Household) -> bool:
    """A fact: moved in, or accepted and consent not withdrawn."""
    return row.status == "moved_in" or (row.status == "accepted" and household.consent != "no")


def _first_reason(consent: str, quarantined: bool, no_adult: bool, held: bool) -> str | None:
    if consent != "yes":
        return "no_consent"
    if quarantined:
        return "quarantined"
    if no_adult:
        return "no_adult"
    return "held" if held else None


def _together(links: Iterable[Tie]) -> list[tuple[str, str]]:
    """Pairs that live in one accommodation: required and agreed."""
    return [(t.household_id, t.other_household_id) for t in links if t.binds and t.kind == "same_accommodation" and t.other_household_id]


def _protected(households: Mapping[str, Household], links: Iterable[Tie]) -> frozenset[str]:
    pairs = [(t.household_id, t.other_household_id) for t in links if t.binds and t.kind != "apart" and t.other_household_id]
    groups = components(households, pairs)
    return frozenset(i for group in groups if any(households[j].protected for j in group) for i in group)


def _weights(policy: Policy) -> dict[str, Fraction]:
    """Weights of the policy in cost units (1/10 person-km) per person, km10 or as the name says."""
    return {
        "travel": exact(policy.travel.weight),
        "ties": exact(policy.ties.weight),
        "cap_km10": exact(policy.ties.cap_km) * 10,
        "home": exact(policy.home.weight),
        "home_cap_km10": exact(policy.home.cap_km) * 10,
        "wants": exact(policy.wants.km) * 10,
        "risk": exact(policy.risk.km) * 10,
        "short_365": exact(policy.short.km) * 10 / 365,
        "spare": exact(policy.spare.km) * 10,
        "move": exact(policy.move.km) * 10,
        "rent": exact(policy.rent.km_per_unit) * 30 * 10,
        "floor": exact(policy.floors.km) * 10,
    }
