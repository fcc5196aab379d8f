"""The tables of an instance: its rules and terms over classes of households and classes of offers, with exceptions for
single pairs. What they need of roles, places and bonds is laid out once, in the order of the problem's positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from matcher import bonds as bonds_
from matcher import costs
from matcher.bonds import Bonds, gather_bonds
from matcher.layers import Ints, Layer, classes, exceptions, table
from matcher.model import Instance
from matcher.places.travel import Travel
from matcher.policy import Policy
from matcher.roles import Roles
from matcher.rooms import rooms_needed
from matcher.rules import Applicant, make_rules, offer_risk

_Cost = Callable[[bonds_.At | Mapping[str | None, bonds_.At]], int]
TIE_TERMS = ("ties", "linked")


class Tabulator:
    """Households (free ones first, then fixed ones), offers and their places by position, and the layers over them."""

    def __init__(self, instance: Instance, policy: Policy, roles: Roles, travel: Travel) -> None:
        self.instance, self.policy, self.roles, self.travel = instance, policy, roles, travel
        self.household_of = {h.household_id: h for h in instance.households}
        self.offer_of = {a.accommodation_id: a for a in instance.accommodations}
        self.offers = sorted(self.offer_of)
        self.accommodations = [self.offer_of[a] for a in self.offers]
        self.free = [h for party in roles.parties for h in party]
        self.free.sort()
        self.fixed = sorted(roles.fixed)
        self.ids = self.free + self.fixed
        self.position = {h: i for i, h in enumerate(self.ids)}
        self.party_of = {h: party for party in (*roles.parties, *roles.fixed_parties) for h in party}
        self.rooms_of = self._rooms_needed()
        self.applicants = [self._applicant(h) for h in self.ids]
        self.offer_position = {a: i for i, a in enumerate(self.offers)}
        place, self.spots = classes((a.spot.lat, a.spot.lon, a.spot.key) for a in self.accommodations)
        self.place: Ints = place
        first_at = {int(p): a.spot for p, a in reversed(list(zip(place, self.accommodations, strict=True)))}
        self.place_spot = [first_at[p] for p in range(len(self.spots))]
        self.bonds = gather_bonds(instance, roles, policy)

    def _rooms_needed(self) -> dict[str, int]:
        if self.policy.rules.room_rule != "separate":
            return dict.fromkeys(self.ids, 0)
        out = {}
        for h in self.ids:
            known = self.roles.members.get(h)
            persons = self.household_of[h].persons
            out[h] = rooms_needed(known) + max(0, persons - len(known)) if known else persons
        return out

    def _applicant(self, household_id: str) -> Applicant:
        household = self.household_of[household_id]
        party = self.party_of[household_id]
        return Applicant(
            household=household,
            arrival=max(household.arrives or self.roles.date, self.roles.date),
            party_persons=sum(self.household_of[h].persons for h in party),
            party_rooms=sum(self.rooms_of[h] for h in party),
        )

    def rule_layers(self) -> tuple[Layer, ...]:
        """Rules over classes, then `override` and `tie`: by place, and by single offers where they name some."""
        policy, travel = self.policy, self.travel
        layers: list[Layer] = []
        places = (self.place, self.place_spot)
        for rule in make_rules(policy, travel, self.instance.closed):
            rows = [rule.of_household(a) for a in self.applicants]
            if rule.code == "distance":
                layers.append(table(rule.code, rows, places, rule.value))
            else:
                columns = [rule.of_offer(a) for a in self.accommodations]
                layers.append(table(rule.code, rows, columns, rule.value))
        pins, forbids = self.roles.pins, self.roles.forbids
        decided = [(pins.get(h), forbids.get(h, ())) for h in self.ids]
        layers.append(table("override", decided, places, lambda d, spot: int(bonds_.override_holds(d[0], d[1], spot, None))))
        layers.append(exceptions("override", [self._override_row(*d) for d in decided], 1))
        required = [self._bonds(h).required for h in self.ids]
        by_place = [tuple(b for b in row if not _names_offers(b)) for row in required]
        layers.append(table("tie", by_place, places, lambda row, spot: int(all(bonds_.is_kept(b, bonds_.At(spot), travel) for b in row))))
        layers.append(exceptions("tie", [self._tie_row(tuple(b for b in row if bonds_.depends_on_site(b))) for row in required], 1))
        return tuple(layers)

    def _bonds(self, household_id: str) -> Bonds:
        return self.bonds.get(household_id, Bonds())

    def _override_row(self, pin: object, forbids: Sequence[object]) -> tuple[int, dict[int, int]] | None:
        pinned = getattr(pin, "accommodation_id", None)
        if pinned is not None:
            return 0, {self.offer_position[pinned]: 1}
        barred = [a for row in forbids if (a := getattr(row, "accommodation_id", None)) is not None]
        return (1, {self.offer_position[a]: 0 for a in barred}) if barred else None

    def _tie_row(self, row: tuple[bonds_.Bond, ...]) -> tuple[int, dict[int, int]] | None:
        """Required ties that tell offers at one spot apart: everywhere the same but at the offers of the targets' sites."""
        if not row:
            return None
        elsewhere = int(all(b.kind == "apart" for b in row))
        near = self._offers_on_sites([b.target for b in row])
        return elsewhere, {j: int(self._holds_all(row, j)) for j in near}

    def _holds_all(self, row: tuple[bonds_.Bond, ...], j: int) -> bool:
        offer = self.accommodations[j]
        views = bonds_.looks(row, offer, self.offer_of)
        return all(bonds_.is_kept(b, views[b.target], self.travel) for b in row if b.kind != "apart") and not any(
            b.kind == "apart" and views[b.target].on_site for b in row
        )

    def _offers_on_sites(self, targets: Sequence[str | None]) -> list[int]:
        """Offers at the sites of the target offers, the targets among them."""
        wanted = {t for t in targets if t is not None}
        sites = {self.offer_of[t].site_id for t in wanted} - {None}
        return [j for j, a in enumerate(self.accommodations) if a.accommodation_id in wanted or a.site_id in sites]

    def term_layers(self) -> tuple[Layer, ...]:
        """Terms of an arc but for rooms' spare beds; terms on distances by place, the others by classes of offers."""
        policy, travel, ids = self.policy, self.travel, self.ids
        rows = [self.household_of[h] for h in ids]
        places = (self.place, self.place_spot)
        offers = self.accommodations
        lead = {party[0] for party in (*self.roles.parties, *self.roles.fixed_parties)}
        km10 = travel.km10
        soft = [(self.household_of[h].persons, self._bonds(h).soft) for h in ids]
        linked = [self._bonds(h).linked for h in ids]
        unseen = bonds_.At
        return (
            table("travel", [(h.spot, h.persons) for h in rows], places, lambda h, s: costs.travel(h[1], km10(h[0], s), policy)),
            table("ties", soft, places, lambda h, s: bonds_.ties_cost(h[0], h[1], unseen(s), travel, policy)),
            exceptions("ties", [self._soft_row(h, p) for h, (p, _) in zip(ids, soft, strict=True)], 0),
            table("linked", linked, places, lambda row, s: bonds_.linked_cost(row, unseen(s), travel, policy)),
            exceptions("linked", [self._linked_row(row) for row in linked], 0),
            table("home", [(h.origin, h.persons) if h.wants_return and h.origin else None for h in rows], places,
                  lambda h, s: 0 if h is None else costs.home(h[1], km10(h[0], s), policy)),
            table("wants", [(h.wants, h.persons if h.wants else 0) for h in rows], [a.features for a in offers],
                  lambda h, features: costs.wants(h[1], len(h[0] - features), policy)),
            table("risk", [h.persons for h in rows], [offer_risk(a, policy) for a in offers],
                  lambda persons, rating: costs.risk(persons, rating, policy)),
            table("short", [None if a.household.leaves else (a.household.persons, a.arrival) for a in self.applicants],
                  [a.available_until for a in offers], lambda h, end: 0 if h is None else costs.short(h[0], h[1], end, policy)),
            table("spare", [a.party_persons if h in lead else None for h, a in zip(ids, self.applicants, strict=True)],
                  [None if a.shared else a.capacity for a in offers],
                  lambda persons, beds: 0 if persons is None or beds is None else costs.spare(beds - persons, policy)),
            table("move", [costs.move(self.household_of[h].persons, policy) if h in self.roles.proposed else 0 for h in ids],
                  [None for _ in offers], lambda cost, _: cost),
            exceptions("move", [self._move_row(h) for h in ids], 0),
            table("rent", [h.persons for h in rows], [a.cost_per_person_night for a in offers],
                  lambda persons, cost: costs.rent(persons, cost, policy)),
        )  # fmt: skip

    def _move_row(self, household_id: str) -> tuple[int, dict[int, int]] | None:
        """Staying costs no change."""
        if household_id not in self.roles.proposed:
            return None
        home = self.offer_position[self.roles.proposed[household_id]]
        return 0, {home: -costs.move(self.household_of[household_id].persons, self.policy)}

    def _soft_row(self, household_id: str, persons: int) -> tuple[int, dict[int, int]] | None:
        row = self._bonds(household_id).soft
        return self._difference(row, lambda at: bonds_.ties_cost(persons, row, at, self.travel, self.policy))

    def _linked_row(self, row: tuple[bonds_.Bond, ...]) -> tuple[int, dict[int, int]] | None:
        return self._difference(row, lambda at: bonds_.linked_cost(row, at, self.travel, self.policy))

    def _difference(self, row: tuple[bonds_.Bond, ...], cost: _Cost) -> tuple[int, dict[int, int]] | None:
        """What a term differs by, at the offers on the targets' sites, from its value by place alone."""
        near = self._offers_on_sites([b.target for b in row if bonds_.depends_on_site(b)])
        found = {}
        for j in near:
            offer = self.accommodations[j]
            delta = cost(bonds_.looks(row, offer, self.offer_of)) - cost(bonds_.At(offer.spot))
            if delta:
                found[j] = delta
        return (0, found) if found else None


def _names_offers(bond: bonds_.Bond) -> bool:
    """same_site, same_accommodation: nothing about them can be said by place alone; `apart` has a part by place."""
    return bond.target is not None and bond.kind in ("same_site", "same_accommodation")
