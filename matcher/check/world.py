"""The instance as the checker sees it: who stands where, who is left out, who belongs together, and every row by id."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

from matcher.check.exact import Ints, exact
from matcher.check.roles import FOREVER, components, find_fixed, find_left_out, find_protected, rooms_by_household, stays
from matcher.check.tables import Axis, ById, Grouped, column
from matcher.check.travel import OwnTravel, own_travel
from matcher.errors import InternalError
from matcher.model import Accommodation, Household, Instance, Override, Standing, Tie
from matcher.places.travel import same_place
from matcher.policy import Policy

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


@dataclass(frozen=True, slots=True)
class Party:
    """Households, ids ascending, that are placed together or not at all. rooms_needed: 1, or more under `separate`."""

    ids: tuple[str, ...]
    persons: int
    rooms_needed: int


@dataclass(frozen=True)
class World:
    """Everything by id. links: ties between two households of the instance; links_of: the same, under both ids.

    fixed: household → accommodation it is kept in. left_out: household → reason. joined: free households in a party of
    several → it. pins, forbids: overrides that hold on the day. protected: also by ties to who is.
    By position in the instance, length N: persons, rooms_needed (of each alone), arrivals and leaves (ordinals of days, FOREVER).
    guests, lodgings: the rows by class; `party` (persons and rooms of who is placed together), `stay` and `closed` are columns, too.
    """

    instance: Instance
    policy: Policy
    date: dt.date
    travel: OwnTravel
    households: ById[Household]
    offers: ById[Accommodation]
    standing: ById[Standing]
    own_ties: Grouped[Tie]
    links: tuple[Tie, ...]
    links_of: Mapping[str, tuple[Tie, ...]]
    pins: Mapping[str, tuple[Override, ...]]
    forbids: Mapping[str, tuple[Override, ...]]
    held: frozenset[str]
    fixed: Mapping[str, str]
    left_out: Mapping[str, str]
    protected: frozenset[str]
    joined: Mapping[str, Party]
    persons: Ints
    rooms_needed: Ints
    arrivals: Ints
    leaves: Ints
    guests: Axis
    lodgings: Axis
    weights: Mapping[str, Fraction]

    def offer(self, accommodation_id: str) -> Accommodation:
        """The offer of that id. Raises InternalError: validation lets no other id pass."""
        if accommodation_id not in self.offers:
            raise InternalError(f"there is no accommodation {accommodation_id!r}")
        return self.offers[accommodation_id]

    def is_open(self, offer: Accommodation) -> bool:
        """Rule `status`."""
        return offer.status == "open" and offer.accommodation_id not in self.instance.closed

    def is_free(self, household_id: str) -> bool:
        """Whether it is a household that is neither fixed nor left out."""
        return household_id in self.households and household_id not in self.fixed and household_id not in self.left_out

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

    def is_pinned(self, ids: Iterable[str]) -> bool:
        """Whether these households must be placed, if they are a party: one of them is pinned."""
        return any(household_id in self.pins for household_id in ids)

    def stay(self, household_id: str) -> Stay:
        """The nights that a household needs."""
        k = self.households.position[household_id]
        arrival, leaves = int(self.arrivals[k]), int(self.leaves[k])
        return Stay(dt.date.fromordinal(arrival), None if leaves == FOREVER else dt.date.fromordinal(leaves))

    def party_of(self, household_id: str) -> Party:
        """Those with whom a free household is placed."""
        return self.joined.get(household_id) or self.party([household_id])

    def party(self, ids: Sequence[str]) -> Party:
        """These households, ids ascending, as one party. People of two households never share a room where rooms are counted by person."""
        return make_party(self.policy, self.households.position, self.persons, self.rooms_needed, ids)


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
    households: ById[Household] = ById(instance.households, "household_id")
    offers: ById[Accommodation] = ById(instance.accommodations, "accommodation_id")
    standing: ById[Standing] = ById(instance.standing, "household_id")
    ties = instance.ties
    links = tuple(ties[k] for k, other in enumerate(column(ties, "other_household_id")) if other is not None)
    live = [o for o in instance.overrides if o.expires_at is None or o.expires_at >= date]
    pins = _grouped((o.household_id, o) for o in live if o.action == "pin")
    held = frozenset(o.household_id for o in live if o.action == "hold")
    fixed = find_fixed(households, standing)
    left_out = find_left_out(instance, households, fixed, pins, held)
    persons, needed = rooms_by_household(instance, households, policy.rules.room_rule)
    together = [
        (t.household_id, t.other_household_id) for t in links if t.binds and t.kind == "same_accommodation" and t.other_household_id
    ]
    free = {i for pair in together for i in pair if i in households and i not in fixed and i not in left_out}
    joined: dict[str, Party] = {}
    sizes, rooms = persons.copy(), needed.copy()
    for ids in components(free, together):
        party = make_party(policy, households.position, persons, needed, ids)
        for i in ids if len(ids) > 1 else ():
            joined[i] = party
            sizes[households.position[i]], rooms[households.position[i]] = party.persons, party.rooms_needed
    arrivals, leaves, stay = stays(instance, date)
    closed = [int(i in instance.closed) for i in offers.ids] if instance.closed else [0] * len(offers.ids)
    return World(
        instance=instance,
        policy=policy,
        date=date,
        travel=own_travel(instance, policy),
        households=households,
        offers=offers,
        standing=standing,
        own_ties=Grouped(ties, "household_id"),
        links=tuple(tie for tie in links if tie.household_id in households and tie.other_household_id in households),
        links_of=_grouped((end, tie) for tie in links for end in (tie.household_id, tie.other_household_id) if end is not None),
        pins=pins,
        forbids=_grouped((o.household_id, o) for o in live if o.action == "forbid"),
        held=held,
        fixed=fixed,
        left_out=left_out,
        protected=find_protected(households, links),
        joined=joined,
        persons=persons,
        rooms_needed=needed,
        arrivals=arrivals,
        leaves=leaves,
        guests=Axis(instance.households, {"party": sizes * (int(rooms.max(initial=0)) + 1) + rooms, "stay": stay}),
        lodgings=Axis(instance.accommodations, {"closed": np.array(closed, dtype=np.int64)}),
        weights=_weights(policy),
    )


def make_party(policy: Policy, position: Mapping[str, int], persons: Ints, rooms_needed: Ints, ids: Sequence[str]) -> Party:
    """Persons count together; so do rooms, where they are counted by person."""
    rows = [position[i] for i in ids]
    needed = int(rooms_needed[rows].sum()) if policy.rules.room_rule == "separate" else 1
    return Party(tuple(ids), int(persons[rows].sum()), needed)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for key, value in pairs:
        groups[key].append(value)
    return {key: tuple(values) for key, values in groups.items()}


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
