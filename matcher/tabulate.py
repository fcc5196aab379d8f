"""The tables of an instance: its rules and terms over classes of households and classes of offers, with exceptions for
single pairs. What they need of roles, places and bonds is laid out once, in the order of the problem's positions."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from math import floor
from typing import Any

import numpy as np

from matcher import bonds as bonds_
from matcher import costs
from matcher.bonds import gather_bonds
from matcher.columns import codes
from matcher.layers import Bools, Exceptions, Ints, Layer, Table, exceptions, rule_table, table, table_of_rows
from matcher.lookup import ById, Picked, Side, classes
from matcher.model import Accommodation, Household, Instance, Override, Spot
from matcher.places.travel import Travel
from matcher.policy import Policy
from matcher.pulls import Pulls, Ways, capped, names_offers, scaled, spot_key
from matcher.roles import Roles
from matcher.rules import Rule, make_rules, offer_risk
from matcher.seekers import Seekers

_Cost = Callable[[bonds_.At | Mapping[str | None, bonds_.At]], int]
_Row = tuple[int, dict[int, int]]  # default, and values at single offers
TIE_TERMS = ("ties", "linked")


class Tabulator:
    """Households (free ones first, then fixed ones), offers and their places by position, and the layers over them."""

    def __init__(
        self,
        instance: Instance,
        policy: Policy,
        roles: Roles,
        travel: Travel,
        household_of: ById[Household],
        offer_of: ById[Accommodation],
    ) -> None:
        self.instance, self.policy, self.roles, self.travel = instance, policy, roles, travel
        self.household_of, self.offer_of = household_of, offer_of
        self.seekers = Seekers(instance, household_of, roles, count_rooms=policy.rules.room_rule == "separate")
        self.offers = tuple(sorted(offer_of.ids))
        self.offer_position = {a: i for i, a in enumerate(self.offers)}
        self.accommodations = Picked(instance.accommodations, offer_of.positions(self.offers))
        closed = [i for i, a in enumerate(self.offers) if a in instance.closed]
        self.accommodations.flag("closed_now", np.array(closed, dtype=np.int64))
        code, spots = codes(self.accommodations, "spot")
        place, keys = classes(map(spot_key, spots))
        self.place: Ints = place[code]
        first_at = {spot_key(spot): spot for spot in reversed(spots)}
        self.place_spot: list[Spot] = [first_at[key] for key in keys]
        self.ways = Ways(travel, self.place_spot)
        self._add_columns()

    def _add_columns(self) -> None:
        """What the layers look at besides the fields of the rows."""
        seekers, roles = self.seekers, self.roles
        bonds = gather_bonds(self.instance, seekers, roles, self.offer_of, self.policy)
        seekers.add("required", *bonds.required)
        seekers.add("soft", *bonds.soft)
        seekers.add("linked", *bonds.linked)
        seekers.flag("leads", seekers.parties.member[seekers.parties.start[:-1]])
        seekers.flag("has_proposal", seekers.positions(list(roles.proposed)))
        decided = sorted(roles.pins.keys() | roles.forbids.keys())
        number = np.zeros(len(seekers), dtype=np.int64)
        position = seekers.positions(decided)
        number[position[position >= 0]] = np.flatnonzero(position >= 0) + 1
        seekers.add("decided", number, [(None, ()), *((roles.pins.get(h), roles.forbids.get(h, ())) for h in decided)])

    def rule_layers(self) -> tuple[Layer, ...]:
        """Rules over classes, then `override` and `tie`: by place, and by single offers where they name some."""
        pulls = Pulls(self.ways, self.policy)
        layers: list[Layer] = [self._rule(rule) for rule in make_rules(self.policy, self.travel)]
        layers.append(self._by_place("override", Side(("decided",), _spots_decided), self._override_at))
        layers.append(self._single("override", ("decided",), self._override_row, 1))
        layers.append(self._by_place("tie", Side(("required",), _by_place_alone), pulls.all_kept))
        layers.append(self._single("tie", ("required",), self._tie_row, 1))
        return tuple(layers)

    def _rule(self, rule: Rule) -> Table:
        if rule.code == "distance":
            return self._distance(rule)
        row, households = rule.household.classes(self.seekers)
        column, offers = rule.offer.classes(self.accommodations)
        values = ([rule.holds(h, a) for a in offers] for h in households)
        return rule_table(rule.code, row, column, values, (len(households), len(offers)))

    def _distance(self, rule: Rule) -> Table:
        """`rules.distance` for all places at once."""
        spots = list({spot_key(spot): spot for spot in codes(self.seekers, "spot")[1]}.values())
        blocked = dict(zip(map(spot_key, spots), self.travel.blocked_matrix(spots, self.place_spot), strict=True))

        def reached(journey: tuple[Spot, Decimal | None]) -> Bools:
            spot, max_km = journey
            out: Bools = ~blocked[spot_key(spot)]
            if max_km is not None:
                out &= self.ways.km10(spot) <= floor(10 * max_km)
            return out

        return self._by_place(rule.code, rule.household, reached)

    def _by_place(self, name: str, side: Side, held: Callable[[Any], Bools]) -> Table:
        row, keys = side.classes(self.seekers)
        return rule_table(name, row, self.place, map(held, keys), (len(keys), len(self.place_spot)))

    def _single(self, name: str, fields: tuple[str, ...], value: Callable[..., _Row | None], neutral: int) -> Exceptions:
        """A layer of exceptions: `value` is asked once for each distinct value of the fields."""
        row, keys = codes(self.seekers, *fields)
        found = [value(*key) if len(fields) > 1 else value(key) for key in keys]
        concerned = np.flatnonzero(np.array([one is not None for one in found], dtype=np.bool_)[row]).tolist()
        rows = {h: one for h, k in zip(concerned, row[concerned].tolist(), strict=True) if (one := found[k]) is not None}
        return exceptions(name, len(self.seekers), rows, neutral)

    def _override_at(self, spots: tuple[Spot | None, tuple[Spot, ...]]) -> Bools:
        """Rule `override` as far as it concerns places: not pinned to another one, not forbidden there."""
        pinned, forbidden = spots
        out = np.ones(len(self.place_spot), dtype=np.bool_) if pinned is None else self.ways.same_place(pinned).copy()
        for spot in forbidden:
            out &= ~self.ways.same_place(spot)
        return out

    def _override_row(self, decided: tuple[Override | None, tuple[Override, ...]]) -> _Row | None:
        pin, forbids = decided
        if pin is not None and pin.accommodation_id is not None:
            return 0, {self.offer_position[pin.accommodation_id]: 1}
        barred = [row.accommodation_id for row in forbids if row.accommodation_id is not None]
        return (1, {self.offer_position[a]: 0 for a in barred}) if barred else None

    def _tie_row(self, required: bonds_.Row) -> _Row | None:
        """Required ties that tell offers at one spot apart: everywhere the same but at the offers of the targets' sites."""
        row = tuple(b for b in required if bonds_.depends_on_site(b))
        if not row:
            return None
        elsewhere = int(all(b.kind == "apart" for b in row))
        near = self._offers_on_sites([b.target for b in row])
        return elsewhere, {j: int(self._holds_all(row, j)) for j in near}

    def _holds_all(self, row: bonds_.Row, j: int) -> bool:
        views = bonds_.looks(row, self.accommodations[j], self.offer_of)
        return all(bonds_.is_kept(b, views[b.target], self.travel) for b in row if b.kind != "apart") and not any(
            b.kind == "apart" and views[b.target].on_site for b in row
        )

    def _offers_on_sites(self, targets: Sequence[str | None]) -> list[int]:
        """Offers at the sites of the target offers, the targets among them."""
        wanted = {self.offer_position[t] for t in targets if t is not None}
        return sorted(wanted.union(*(self._on_site.get(self.accommodations[j].site_id, ()) for j in wanted)))

    @cached_property
    def _on_site(self) -> dict[str, list[int]]:
        """Positions of the offers of each site id."""
        out: dict[str, list[int]] = defaultdict(list)
        code, sites = codes(self.accommodations, "site_id")
        for j, k in enumerate(code.tolist()):
            if sites[k] is not None:
                out[sites[k]].append(j)
        return dict(out)

    def term_layers(self) -> tuple[Layer, ...]:
        """Terms of an arc but for rooms' spare beds; terms on distances by place, the others by classes of offers."""
        policy, pulls = self.policy, Pulls(self.ways, self.policy)
        self._learn_ways()
        return (
            self._on_ways("travel", Side(("spot", "persons")), self._travel_row),
            self._on_ways("ties", Side(("persons", "soft"), pulls.ties_key), pulls.ties_row),
            self._single("ties", ("persons", "soft"), self._soft_row, 0),
            self._on_ways("linked", Side(("linked",), pulls.linked_key), pulls.linked_row),
            self._single("linked", ("linked",), self._linked_row, 0),
            self._on_ways("home", Side(("wants_return", "origin", "persons"), _home), self._home_row),
            self._term("wants", Side(("wants", "persons"), lambda wants, persons: (wants, persons if wants else 0)), Side(("features",)),
                       lambda h, features: costs.wants(h[1], len(h[0] - features), policy)),
            self._term("risk", Side(("persons",)), Side(("risk", "adm1"), lambda own, adm1: offer_risk(own, adm1, policy)),
                       lambda persons, rating: costs.risk(persons, rating, policy)),
            self._term("short", Side(("leaves", "persons", "arrival"), _open_ended), Side(("available_until",)),
                       lambda h, end: 0 if h is None else costs.short(h[0], h[1], end, policy)),
            self._term("spare", Side(("party_persons", "leads"), lambda persons, leads: persons if leads else None),
                       Side(("shared", "capacity"), lambda shared, capacity: None if shared else capacity),
                       lambda persons, beds: 0 if persons is None or beds is None else costs.spare(beds - persons, policy)),
            self._term("move", Side(("has_proposal", "persons"), lambda had, persons: costs.move(persons, policy) if had else 0), Side(),
                       lambda cost, _: cost),
            exceptions("move", len(self.seekers), self._move_rows(), 0),
            self._term("rent", Side(("persons",)), Side(("cost_per_person_night",)),
                       lambda persons, cost: costs.rent(persons, cost, policy)),
        )  # fmt: skip

    def _term(self, name: str, household: Side, offer: Side, value: Callable[[Any, Any], int]) -> Table:
        return table(name, household.classes(self.seekers), offer.classes(self.accommodations), value)

    def _on_ways(self, name: str, side: Side, value: Callable[[Any], Ints]) -> Table:
        """A term on distances: `value` gives a class of households its costs at every place."""
        row, keys = side.classes(self.seekers)
        return table_of_rows(name, row, self.place, map(value, keys), (len(keys), len(self.place_spot)))

    def _learn_ways(self) -> None:
        """Find all distances that the layers ask for in one go."""
        settled: list[Spot] = []
        wanted: list[Spot] = [*codes(self.seekers, "spot")[1]]
        wanted += [origin for returns, origin in codes(self.seekers, "wants_return", "origin")[1] if returns and origin is not None]
        for sort in ("required", "soft", "linked"):
            bonds = [bond for row in codes(self.seekers, sort)[1] for bond in row]
            wanted += [bond.spot for bond in bonds if not bond.outward]
            settled += [bond.spot for bond in bonds if bond.kind in ("same_place", "apart")]
        self.ways.learn(wanted)
        self.ways.learn_same_place(settled)

    def _travel_row(self, h: tuple[Spot, int]) -> Ints:
        km10 = self.ways.km10(h[0])
        return scaled(km10, h[1] * costs.exact(self.policy.travel.weight), int(km10.max(initial=0)))

    def _home_row(self, h: tuple[Spot, int] | None) -> Ints:
        if h is None:
            return np.zeros(len(self.place_spot), dtype=np.int64)
        cap = costs.UNITS_PER_KM * costs.exact(self.policy.home.cap_km)
        return scaled(capped(self.ways.km10(h[0]), cap), h[1] * costs.exact(self.policy.home.weight) / cap.denominator, cap.numerator)

    def _move_rows(self) -> dict[int, _Row]:
        """Staying costs no change."""
        proposed = self.roles.proposed
        position = self.seekers.positions(list(proposed))
        persons = self.seekers.numbers("persons")
        return {
            h: (0, {self.offer_position[home]: -costs.move(int(persons[h]), self.policy)})
            for h, home in zip(position.tolist(), proposed.values(), strict=True)
            if h >= 0
        }

    def _soft_row(self, persons: int, row: bonds_.Row) -> _Row | None:
        return self._difference(row, lambda at: bonds_.ties_cost(persons, row, at, self.travel, self.policy))

    def _linked_row(self, row: bonds_.Row) -> _Row | None:
        return self._difference(row, lambda at: bonds_.linked_cost(row, at, self.travel, self.policy))

    def _difference(self, row: bonds_.Row, cost: _Cost) -> _Row | None:
        """What a term differs by, at the offers on the targets' sites, from its value by place alone."""
        targets = [b.target for b in row if bonds_.depends_on_site(b)]
        found = {}
        for j in self._offers_on_sites(targets) if targets else ():
            offer = self.accommodations[j]
            delta = cost(bonds_.looks(row, offer, self.offer_of)) - cost(bonds_.At(offer.spot))
            if delta:
                found[j] = delta
        return (0, found) if found else None


def _open_ended(leaves: dt.date | None, persons: int, arrival: dt.date) -> tuple[int, dt.date] | None:
    return None if leaves else (persons, arrival)


def _home(returns: bool, origin: Spot | None, persons: int) -> tuple[Spot, int] | None:
    return (origin, persons) if returns and origin is not None else None


def _by_place_alone(required: bonds_.Row) -> bonds_.Row:
    return tuple(bond for bond in required if not names_offers(bond))


def _spots_decided(decided: tuple[Override | None, Iterable[Override]]) -> tuple[Spot | None, tuple[Spot, ...]]:
    pin, forbids = decided
    return None if pin is None else pin.spot, tuple(row.spot for row in forbids if row.spot is not None)
