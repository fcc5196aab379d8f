"""A compiled problem says of every pair what the rules and the terms say of it, one pair at a time."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from matcher import costs, rules
from matcher.compile import Compiled, compile_instance
from matcher.errors import InputError
from matcher.layers import LARGEST, Table
from matcher.model import Accommodation, Household, Instance, Spot, Standing, Tie, TieKind, TravelRow
from matcher.parts import ANY_DATE, OPEN_END, Parties, Resource
from matcher.places.travel import same_place
from matcher.policy import Policy, policy_from_plain
from matcher.rooms import rooms_needed
from tests.oracle.tiny import DATE, tiny_case
from tests.runs import INSTANCES, generated, instance_of, policy_of

CASES = 160
LONG = "1.0000000000000000000000000001"


class Held(Sequence[Any]):
    """Rows held by column: only their values are kept, and a row is built when it is asked for."""

    def __init__(self, rows: Sequence[Any]) -> None:
        self.model = type(rows[0]) if rows else None
        self.columns = {f: [getattr(row, f) for row in rows] for f in self.model.model_fields} if self.model else {}
        self.count = len(rows)

    def codes(self, field: str) -> tuple[Any, Sequence[Any]]:
        numbers: dict[Any, int] = {}
        code = np.array([numbers.setdefault(value, len(numbers)) for value in self.columns.get(field, ())], dtype=np.int64)
        return code, list(numbers)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: Any) -> Any:
        assert self.model is not None
        return self.model(**{f: values[range(self.count)[index]] for f, values in self.columns.items()})

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(self.count))


def cases() -> Iterator[tuple[Instance, Policy, dt.date]]:
    """Tiny cases with few and many features, other days, and weights of many digits."""
    for seed in range(CASES):
        more: dict[str, Any] = {} if seed % 3 else {"density": 0.5, "overrides": False, "households": 8, "offers": 6}
        case = tiny_case(seed, nights=seed % 4 == 0, parties=seed % 4 == 1, **more)
        policy = case.policy
        if seed % 5 == 0:
            capped = {"weight": Decimal(LONG), "cap_km": Decimal(LONG) * 300}
            policy = policy_from_plain({"order": policy.order, "travel": {"weight": Decimal(LONG)}, "home": capped, "ties": capped})
        yield case.instance, policy, DATE + dt.timedelta(days=3 if seed % 6 == 0 else 0)


class Reference:
    """Rules and terms of single pairs, straight from the functions that define them."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled, self.policy, self.roles, self.travel = compiled, compiled.policy, compiled.roles, compiled.travel
        self.households = {h.household_id: h for h in compiled.instance.households}
        self.offers = {a.accommodation_id: a for a in compiled.instance.accommodations}
        self.party = {h: p for p in (*self.roles.parties, *self.roles.fixed_parties) for h in p}

    def arrival(self, h: Household) -> dt.date:
        return max(h.arrives or self.roles.date, self.roles.date)

    def rooms(self, h: Household) -> int:
        if self.policy.rules.room_rule != "separate":
            return 0
        known = [m for m in self.compiled.instance.members if m.household_id == h.household_id]
        return rooms_needed(known) + max(0, h.persons - len(known)) if known else h.persons

    def party_sums(self, h: Household) -> tuple[int, int]:
        members = [self.households[i] for i in self.party[h.household_id]]
        return sum(m.persons for m in members), sum(self.rooms(m) for m in members)

    def holds(self, h: Household, a: Accommodation) -> dict[str, bool]:
        policy, party = self.policy, self.party_sums(h)
        host = a.kind == "host_family"
        return {
            "status": rules.status(None, a.status == "open" and a.accommodation_id not in self.compiled.instance.closed),
            "vetted": rules.vetted(None, not host or a.vetted is True or not policy.rules.require_vetted),
            "size": rules.size(party[0], (a.capacity, a.min_persons, a.max_persons)),
            "rent": rules.rent(None if h.max_rent is None else (h.persons, h.max_rent), a.cost_per_person_night),
            "risk": rules.risk(None, rules.offer_risk(a.risk, a.adm1, policy) <= policy.rules.max_risk),
            "needs": rules.needs((h.needs, h.persons), (a.features, a.need_capacity)),
            "pets": rules.pets(h.pets, a.pets),
            "language": rules.language(h.languages, a.languages if host and a.languages else None),
            "kind": rules.kind(h.accepts, a.kind),
            "groups": rules.groups(h.groups, a.groups_only),
            "area": rules.area(h.avoids, a.adm1),
            "dates": rules.dates((self.arrival(h), h.leaves), (a.available_from, a.available_until), policy.short.min_nights),
            "distance": rules.distance((h.spot, h.max_km), a.spot, self.travel),
            "rooms": rules.rooms(party, None if a.rooms is None else (sum(a.rooms), len(a.rooms))),
            "override": self.override(h, a),
            "tie": all(kept for tie, _, kept, _ in self.bonds(h, a) if tie.binds),
        }

    def override(self, h: Household, a: Accommodation) -> bool:
        pin = self.roles.pins.get(h.household_id)
        if pin is not None and not self.names(pin.spot, pin.accommodation_id, a):
            return False
        return not any(self.names(row.spot, row.accommodation_id, a) for row in self.roles.forbids.get(h.household_id, ()))

    @staticmethod
    def names(spot: Spot | None, offer_id: str | None, a: Accommodation) -> bool:
        return a.accommodation_id == offer_id if spot is None else same_place(spot, a.spot)

    def bonds(self, h: Household, a: Accommodation) -> Iterator[tuple[Tie, int, bool, Tie | None]]:
        """(tie, km10, whether a holds it, the tie again if it is a link) of ties to places, offers and fixed households."""
        own = h.household_id
        for tie in self.compiled.instance.ties:
            if tie.other_household_id is None:
                if tie.household_id != own:
                    continue
                if tie.spot is not None:
                    km10 = self.travel.km10(tie.spot, a.spot)
                    yield tie, km10, rules.keeps_place(tie.kind, tie.max_km, km10, same_place(tie.spot, a.spot)), None
                    continue
                assert tie.accommodation_id is not None
                target = self.offers[tie.accommodation_id]
                km10 = self.travel.km10(target.spot, a.spot)
                yield tie, km10, self.keeps(tie, km10, target, a), None
            elif own in (tie.household_id, tie.other_household_id) and own not in self.roles.fixed:
                outward = own == tie.household_id
                standing = self.roles.fixed.get(tie.other_household_id if outward else tie.household_id)
                if standing is not None:
                    target = self.offers[standing.accommodation_id]
                    km10 = self.travel.km10(a.spot, target.spot) if outward else self.travel.km10(target.spot, a.spot)
                    yield tie, km10, self.keeps(tie, km10, target, a), tie

    @staticmethod
    def keeps(tie: Tie, km10: int, target: Accommodation, a: Accommodation) -> bool:
        same_offer = a.accommodation_id == target.accommodation_id
        return rules.keeps(tie.kind, tie.max_km, km10, same_place(target.spot, a.spot), rules.same_site(a, target), same_offer)

    def cost(self, h: Household, a: Accommodation) -> dict[str, int]:
        policy, p, km10 = self.policy, h.persons, self.travel.km10
        soft, linked = [], 0
        for tie, distance, kept, link in self.bonds(h, a):
            if tie.binds:
                continue
            pull = costs.pull_km10(tie.kind, distance, kept, policy)
            if link is None:
                soft.append((costs.tie_weight(tie.weight, tie.relation, policy), pull))
            else:
                assert link.other_household_id is not None
                both = self.households[link.household_id].persons, self.households[link.other_household_id].persons
                linked += costs.linked(costs.link_amount(link.weight, link.relation, *both, policy), pull)
        leads = self.party[h.household_id][0] == h.household_id
        proposed = self.roles.proposed.get(h.household_id)
        return {
            "travel": costs.travel(p, km10(h.spot, a.spot), policy),
            "ties": costs.ties(p, soft, policy),
            "linked": linked,
            "home": costs.home(p, km10(h.origin, a.spot), policy) if h.wants_return and h.origin else 0,
            "wants": costs.wants(p, len(h.wants - a.features), policy),
            "risk": costs.risk(p, rules.offer_risk(a.risk, a.adm1, policy), policy),
            "short": 0 if h.leaves else costs.short(p, self.arrival(h), a.available_until, policy),
            "spare": costs.spare(a.capacity - self.party_sums(h)[0], policy) if leads and not a.shared else 0,
            "move": costs.move(p, policy) if proposed is not None and proposed != a.accommodation_id else 0,
            "rent": costs.rent(p, a.cost_per_person_night, policy),
        }


def layer_values(compiled: Compiled) -> tuple[dict[str, Any], dict[str, Any]]:
    """(whether each rule holds, cost of each term), shape (households, offers) each."""
    problem = compiled.problem
    every = np.arange(len(compiled.households)), np.arange(problem.offers)
    holds: dict[str, Any] = {}
    for layer in problem.rules:
        holds[layer.name] = holds.get(layer.name, True) & (layer.block(*every) > 0)
    cost: dict[str, Any] = {}
    for layer in problem.terms:
        cost[layer.name] = cost.get(layer.name, 0) + layer.block(*every)
    return holds, cost


def same_pairs(compiled: Compiled, some: Sequence[int] | None = None) -> int:
    """Compare all pairs (or those of some households); returns how many values were compared."""
    reference, (holds, cost) = Reference(compiled), layer_values(compiled)
    compared = 0
    for i in range(len(compiled.households)) if some is None else some:
        h = reference.households[compiled.households[i]]
        for j, offer_id in enumerate(compiled.offers):
            a = reference.offers[offer_id]
            assert {name: bool(values[i, j]) for name, values in holds.items()} == reference.holds(h, a), (h, a)
            assert {name: int(values[i, j]) for name, values in cost.items()} == reference.cost(h, a), (h, a)
            compared += len(holds) + len(cost)
    return compared


def resources_by_definition(compiled: Compiled) -> list[Resource]:
    """Rows by arrival date exactly where two stays that are or may be there do not overlap."""
    problem, roles = compiled.problem, compiled.roles
    reference = Reference(compiled)

    def stay(household_id: str) -> tuple[int, int]:
        h = reference.households[household_id]
        return reference.arrival(h).toordinal(), OPEN_END if h.leaves is None else h.leaves.toordinal()

    allowed = problem.eligible(np.arange(len(problem.parties)), np.arange(problem.offers))
    out = []
    for j, offer_id in enumerate(compiled.offers):
        offer = reference.offers[offer_id]
        here = [party for party in roles.fixed_parties if roles.fixed[party[0]].accommodation_id == offer_id]
        stays = {stay(h) for q, party in enumerate(roles.parties) if allowed[q, j] for h in party} | {stay(h) for p in here for h in p}
        overlap = all(max(one[0], other[0]) < min(one[1], other[1]) for one in stays for other in stays)
        for date in [ANY_DATE] if overlap else sorted({arrival for arrival, _ in stays}):
            there = [[h for h in p if date == ANY_DATE or stay(h)[0] <= date < stay(h)[1]] for p in here]
            present = [reference.households[h] for p in there for h in p]
            if offer.shared:
                out.append(Resource(j, "persons", 0, date, max(0, offer.capacity - sum(h.persons for h in present))))
                taken = Counter(size for p, some in zip(here, there, strict=True) if some for size in compiled.fixed_rooms[p[0]])
                out += [
                    Resource(j, "rooms", size, date, max(0, number - taken[size])) for size, number in sorted(Counter(offer.rooms).items())
                ]
            else:
                out.append(Resource(j, "unit", 0, date, max(0, 1 - sum(map(bool, there)))))
            for word, limit in offer.need_capacity:
                if word not in offer.features:
                    left = max(0, limit - sum(h.persons for h in present if word in h.needs))
                    out.append(Resource(j, "need", compiled.need_words.index(word), date, left))
    return out


def same_rest(compiled: Compiled, seed: int) -> None:
    """The arrays by household and by party, and the resources."""
    problem, roles, policy = compiled.problem, compiled.roles, compiled.policy
    reference = Reference(compiled)
    free = [reference.households[h] for h in compiled.households[: compiled.free]]
    assert compiled.households == (*sorted(h for p in roles.parties for h in p), *sorted(roles.fixed))
    assert [tuple(compiled.households[h] for h in party) for party in problem.parties] == list(roles.parties)
    assert problem.persons.tolist() == [h.persons for h in free]
    assert problem.party_persons().tolist() == [sum(reference.households[h].persons for h in p) for p in roles.parties]
    assert problem.unplaced_by_stage().tolist() == [problem.unplaced_by_stage_of(q) for q in range(len(problem.parties))]
    due = [costs.unplaced(h.persons, h.priority, h.waiting_since, roles.date, policy) for h in free]
    assert problem.unplaced_cost.tolist() == due
    assert problem.arrival.tolist() == [reference.arrival(reference.households[h]).toordinal() for h in compiled.households]
    assert problem.must.tolist() == [bool(set(p) & roles.pins.keys()) for p in roles.parties]
    assert problem.barred.tolist() == [p[0] in roles.bereft for p in roles.parties]
    assert problem.private == {q for q, p in enumerate(roles.parties) if roles.protected & set(p)}
    assert problem.room_need.tolist() == [reference.party_sums(reference.households[p[0]])[1] for p in roles.parties]
    assert problem.has_need.tolist() == [[w in reference.households[h].needs for w in compiled.need_words] for h in compiled.households]
    digests = {h: hmac.new(str(seed).encode(), h.encode(), hashlib.sha256).digest() for h in compiled.households[: compiled.free]}
    served = sorted(digests, key=lambda h: (digests[h], h))
    assert [served[rank] for rank in problem.lottery] == list(compiled.households[: compiled.free])
    assert list(problem.resources) == resources_by_definition(compiled)
    assert [r for rows in problem.resources_of for r in rows] == list(range(len(problem.resources)))
    assert all(problem.resources[r].offer == j for j, rows in enumerate(problem.resources_of) for r in rows)
    fixed = [reference.cost(reference.households[h], reference.offers[roles.fixed[h].accommodation_id]) for h in sorted(roles.fixed)]
    beds = [
        costs.spare(sum(compiled.fixed_rooms[p[0]]) - reference.party_sums(reference.households[p[0]])[0], policy)
        for p in roles.fixed_parties
        if (offer := reference.offers[roles.fixed[p[0]].accommodation_id]).shared and offer.rooms is not None
    ]
    assert sum(problem.fixed_cost) == sum(sum(c.values()) for c in fixed) + sum(beds) + sum(cost for _, cost in compiled.fixed_links)


def test_every_pair_of_random_cases_is_what_the_rules_and_terms_say() -> None:
    compared, dated, fixed, parties, large = 0, 0, 0, 0, 0
    for instance, policy, date in cases():
        compiled = compile_instance(instance, policy, date, seed=7)
        compared += same_pairs(compiled)
        same_rest(compiled, 7)
        dated += any(r.date != ANY_DATE for r in compiled.problem.resources)
        fixed += bool(compiled.fixed_home)
        parties += any(len(p) > 1 for p in compiled.problem.parties)
        large += policy.travel.weight == Decimal(LONG)
    assert compared > 40_000 and min(dated, fixed, parties, large) >= 10


@pytest.mark.parametrize("name", ["chasiv-yar", "hard-night", "hard-night-faulty", "generated"])
def test_pairs_of_larger_instances_are_what_the_rules_and_terms_say(name: str) -> None:
    folder = generated(250, 5, 1.0, 0.2) if name == "generated" else INSTANCES / name
    compiled = compile_instance(instance_of(folder), policy_of(folder), DATE, seed=3)
    some = random.Random(1).sample(range(len(compiled.households)), min(25, len(compiled.households)))
    bound = {tie.household_id for tie in instance_of(folder).ties} | compiled.roles.pins.keys() | compiled.roles.forbids.keys()
    some += [i for i, h in enumerate(compiled.households) if h in bound][:40]
    assert same_pairs(compiled, some) > 3000
    same_rest(compiled, 3)


def test_rows_held_by_column_and_rows_in_another_order_make_the_same_problem() -> None:
    rng = random.Random(4)
    compared = 0
    for instance, policy, date in cases():
        compiled = compile_instance(instance, policy, date)
        fields = {name: getattr(instance, name) for name in Instance.model_fields}
        tables = ("households", "accommodations", "members", "ties")
        held = Instance.model_construct(**(fields | {name: Held(fields[name]) for name in tables}))
        mixed = Instance.model_construct(**(fields | {name: tuple(rng.sample(fields[name], len(fields[name]))) for name in tables}))
        for other in (held, mixed):
            again = compile_instance(other, policy, date)
            assert again.households == compiled.households
            assert again.problem.resources == compiled.problem.resources
            assert sorted(map(repr, again.problem.links)) == sorted(map(repr, compiled.problem.links))
            assert again.fixed_rooms == compiled.fixed_rooms
            for left, right in zip((*layer_values(again),), (*layer_values(compiled),), strict=True):
                assert left.keys() == right.keys()
                assert all((left[name] == right[name]).all() for name in left)
            compared += 1
    assert compared == 2 * CASES


def test_limits_are_met_to_the_tenth_of_a_km_in_the_direction_of_the_tie() -> None:
    """Ways of different length there and back; limits at, just below and just above them; places, offers, fixed households."""
    spots = [Spot(lat=50.0, lon=30.0 + i, key=f"k{i}") for i in range(3)]
    ways = tuple(
        TravelRow(origin=spots[i], destination=spots[j], km=Decimal(40 + 10 * i + j)) for i, j in itertools.permutations(range(3), 2)
    )
    offers = tuple(Accommodation(accommodation_id=f"a{i}", spot=spot, capacity=9, shared=True) for i, spot in enumerate(spots))
    lengths = sorted({row.km for row in ways if row.km is not None})
    households = [Household(household_id="fixed", persons=1, spot=spots[0])]
    ties: list[Tie] = []
    for kind, required, length, step in itertools.product(("near", "apart"), (True, False), lengths, ("-0.05", "0", "0.05")):
        targets: tuple[dict[str, Any], ...] = ({"spot": spots[0]}, {"accommodation_id": "a1"}, {"other_household_id": "fixed"}, {})
        for target in targets:
            own = f"h{len(households):04d}"
            households.append(Household(household_id=own, persons=2, spot=spots[1], max_km=length + Decimal(step)))
            back = {"household_id": "fixed", "other_household_id": own}  # the same link, told from the other side
            named = {"household_id": own, **target} if target else back
            ties.append(Tie(kind=kind, required=required, agreed=True, max_km=length + Decimal(step), **named))
    instance = Instance(
        households=tuple(households),
        accommodations=offers,
        ties=tuple(ties),
        travel=ways,
        standing=(Standing(household_id="fixed", accommodation_id="a2", status="moved_in"),),
    )
    compiled = compile_instance(instance, Policy(), DATE)
    assert same_pairs(compiled) > 10_000
    reference, (holds, cost) = Reference(compiled), layer_values(compiled)
    assert 0 < holds["tie"].sum() < holds["tie"].size and 0 < holds["distance"].sum() < holds["distance"].size
    assert cost["linked"].any() and cost["ties"].any() and reference.roles.fixed


def test_rows_by_date_stand_exactly_where_two_stays_may_not_overlap() -> None:
    """Many arrivals and leavings, some of them on one day, some stays of no nights; rules keep some households from some offers."""
    rng = random.Random(11)
    base = instance_of(generated(120, 9, 1.0, 0.1))
    dated = []
    for few in (0.03, 0.03, 0.06, 0.06, 0.1, 0.5):
        households = []
        for h in base.households:
            arrives = DATE + dt.timedelta(days=rng.randint(-1, 30)) if rng.random() < 2 * few else None
            leaves = (arrives or DATE) + dt.timedelta(days=rng.randint(0, 60)) if rng.random() < few else None
            households.append(h.model_copy(update={"arrives": arrives, "leaves": leaves}))
        compiled = compile_instance(base.model_copy(update={"households": tuple(households)}), Policy(), DATE)
        same_rest(compiled, 0)
        by_date = {r.offer for r in compiled.problem.resources if r.date != ANY_DATE}
        dated.append(len(by_date) / compiled.problem.offers)
    assert sum(0.1 < share < 0.9 for share in dated) >= 2, dated


@pytest.mark.parametrize(("arrives", "dated"), [(8, False), (9, False), (10, True), (11, True)])
def test_one_leaves_on_the_day_the_other_comes(arrives: int, dated: bool) -> None:
    day = DATE + dt.timedelta(days=10)
    spot = Spot(lat=50.0, lon=30.0)
    first = Household(household_id="g", persons=1, spot=spot, leaves=day)
    second = Household(household_id="h", persons=1, spot=spot, arrives=DATE + dt.timedelta(days=arrives))
    offer = Accommodation(accommodation_id="a", spot=spot, capacity=1, shared=True)
    problem = compile_instance(Instance(households=(first, second), accommodations=(offer,)), Policy(), DATE).problem
    assert [r.date for r in problem.resources] == ([DATE.toordinal(), second.arrives.toordinal()] if dated else [ANY_DATE])  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["near", "apart", "same_place", "same_site", "same_accommodation"])
def test_a_link_within_a_party_costs_what_it_costs_in_one_offer(kind: TieKind) -> None:
    """Most hold wherever the party is; `apart` never does, and a known way from a place to itself can be too long."""
    odd, plain = Spot(lat=50.0, lon=30.0, key="odd"), Spot(lat=50.0, lon=31.0, key="plain")
    households = tuple(Household(household_id=h, persons=2, spot=plain) for h in "gh")
    offers = tuple(Accommodation(accommodation_id=f"a{i}", spot=spot, capacity=9) for i, spot in enumerate((odd, plain, odd)))
    one = Tie(household_id="g", other_household_id="h", kind="same_accommodation", required=True, agreed=True)
    for required, max_km, weight in itertools.product((False, True), (None, Decimal(40), Decimal(50)), (Decimal(1), Decimal("0.37"))):
        if kind == "near" and required and max_km is None:
            continue
        tie = Tie(household_id="h", other_household_id="g", kind=kind, required=required, agreed=True, max_km=max_km, weight=weight)
        ways = (TravelRow(origin=odd, destination=odd, km=Decimal(45)),)
        instance = Instance(households=households, accommodations=offers, ties=(one, tie, tie), travel=ways)
        compiled = compile_instance(instance, Policy(), DATE)
        assert list(compiled.problem.parties) == [(0, 1)]
        want = []
        for offer in offers:
            km10 = 450 if offer.spot is odd else 0
            kept = rules.keeps(kind, max_km, km10, True, True, True)
            amount = costs.link_amount(weight, None, 2, 2, Policy())
            soft = 2 * costs.linked(amount, costs.pull_km10(kind, km10, kept, Policy()))
            want.append(soft if not required else 0 if kept else -1)
        assert {q: cost.tolist() for q, cost in compiled.problem.party_cost.items()} == ({0: want} if any(want) else {})


@pytest.mark.parametrize("term", ["travel", "home", "ties"])
def test_costs_that_are_too_large_are_faults_of_the_input(term: str) -> None:
    """Up to the limit they are counted exactly; above it the term is named."""
    here, there = Spot(lat=50.0, lon=30.0), Spot(lat=50.0, lon=40.0)
    offer = Accommodation(accommodation_id="a", spot=there, capacity=1)
    policy = policy_from_plain({term: {"weight": Decimal(10**9)}})

    def compiled(persons: int) -> Compiled:
        household = Household(household_id="h", persons=persons, spot=here, origin=here, wants_return=True)
        ties = (Tie(household_id="h", spot=here),)
        return compile_instance(Instance(households=(household,), accommodations=(offer,), ties=ties), policy, DATE)

    km10 = compiled(1).travel.km10(here, there)
    most = LARGEST // (km10 * 10**9)
    assert 1 <= most < 50
    assert compiled(most).term_cost(0, 0)[term] == most * km10 * 10**9
    with pytest.raises(InputError, match=f"numbers_too_large.*{term}"):
        compiled(most + 1)


@pytest.mark.parametrize("cap", ["0", "0.0000000000000000000000000001"])
def test_the_largest_weights_of_nothing_cost_nothing(cap: str) -> None:
    """No factor is too large where no kilometre counts: a household at its tie's place, or a cap of (next to) nothing."""
    here = Spot(lat=50.0, lon=30.0)
    most = Decimal(10**9)
    policy = policy_from_plain(
        {"travel": {"weight": most}, "home": {"weight": most, "cap_km": Decimal(cap)},
         "ties": {"weight": most, "cap_km": Decimal(cap), "relation_weight": {"parent": most}}}
    )  # fmt: skip
    households = [
        Household(household_id=h, persons=persons, spot=here, origin=here, wants_return=True) for h, persons in (("g", 1), ("h", 50))
    ]
    ties = [
        Tie(household_id="h", relation="parent", weight=Decimal(10**6), kind=kind, spot=here) for kind in ("near", "same_place", "near")
    ] + [Tie(household_id="h", other_household_id="g", relation="parent", weight=Decimal(10**6))]
    instance = Instance(
        households=tuple(households),
        accommodations=(Accommodation(accommodation_id="a", spot=here, capacity=60, shared=True),),
        ties=tuple(ties),
        standing=(Standing(household_id="g", accommodation_id="a", status="moved_in"),),
    )
    compiled = compile_instance(instance, policy, DATE)
    assert same_pairs(compiled) > 0
    assert not any(compiled.term_cost(0, 0)[term] for term in ("travel", "home", "ties", "linked"))


def test_tables_are_as_narrow_as_their_values() -> None:
    """32 bits for a term, 64 where they are needed, 8 for a rule; what is read is always 64 bits wide."""
    wide = Accommodation(accommodation_id="a", spot=Spot(lat=50.0, lon=30.0), capacity=50)
    instance = Instance(households=(Household(household_id="h", persons=50, spot=Spot(lat=44.0, lon=22.0)),), accommodations=(wide,))
    one = np.zeros(1, dtype=np.int64)
    for weight, width in ((1, np.int32), (1_000_000, np.int64)):
        problem = compile_instance(instance, policy_from_plain({"travel": {"weight": weight}}), DATE).problem
        table = next(layer for layer in problem.terms if layer.name == "travel")
        assert isinstance(table, Table) and table.value.dtype == width
        assert table.block(one, one).dtype == table.pairs(one, one).dtype == np.int64
        assert all(layer.value.dtype == np.int8 for layer in problem.rules if isinstance(layer, Table))


def test_parties_in_arrays_are_the_tuples_they_stand_for() -> None:
    rng = random.Random(2)
    for _ in range(50):
        members = list(range(rng.randint(0, 9)))
        rng.shuffle(members)
        cuts = sorted({0, len(members), *(rng.randint(0, len(members)) for _ in range(4))})
        tuples = tuple(tuple(members[low:high]) for low, high in itertools.pairwise(cuts))
        parties = Parties.of(tuples)
        assert parties == tuples and list(parties) == list(tuples) and hash(parties) == hash(tuples)
        assert [parties[q] for q in range(-len(tuples), len(tuples))] == [tuples[q] for q in range(-len(tuples), len(tuples))]
        assert parties[1:] == tuples[1:] and len(parties) == len(tuples)
        with pytest.raises(IndexError):
            parties[len(tuples)]
    assert Parties.singles(3) == ((0,), (1,), (2,))
    assert [Parties.singles(3)[q] for q in (0, -1)] == [(0,), (2,)]
