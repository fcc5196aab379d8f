"""The oracle against answers worked out by hand, and its search against a plain enumeration of all plans."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest

from matcher.model import Accommodation, Household, Instance, Member, Override, Spot, Standing, Tie, TravelRow
from matcher.policy import policy_from_plain
from tests.oracle.brute import STAGE_COUNT, Reading, brute_force, fewest_rooms, half_up, minimal_sets
from tests.oracle.tiny import DATE, TinyCase, tiny_case

# Travel rows make every distance a round number: hub → A 100 km, hub → B 250 km, A → B 60 km, B → A 40 km.
HUB = Spot(lat=48.0, lon=37.0, key="k:hub", adm1="UA14")
A = Spot(lat=49.0, lon=30.0, key="k:a", adm1="UA05")
B = Spot(lat=49.5, lon=25.0, key="k:b", adm1="UA61")
TRAVEL = (
    TravelRow(origin=HUB, destination=A, km=Decimal(100)),
    TravelRow(origin=HUB, destination=B, km=Decimal(250)),
    TravelRow(origin=A, destination=B, km=Decimal(60)),
    TravelRow(origin=B, destination=A, km=Decimal(40)),
)
FREE_OF_RISK = {"risk": {"unknown": 0}}


def household(hid: str, persons: int = 2, **more: Any) -> Household:
    return Household(household_id=hid, persons=persons, spot=HUB, **more)


def offer(aid: str, spot: Spot = A, capacity: int = 2, **more: Any) -> Accommodation:
    return Accommodation(accommodation_id=aid, spot=spot, adm1=spot.adm1, capacity=capacity, **more)


def case(households: list[Household], offers: list[Accommodation], policy: dict[str, Any] | None = None, **more: Any) -> TinyCase:
    rows: dict[str, Any] = {name: tuple(value) for name, value in more.items()}
    instance = Instance(households=tuple(households), accommodations=tuple(offers), travel=TRAVEL, **rows)
    return TinyCase(-1, instance, policy_from_plain({**FREE_OF_RISK, **(policy or {})}), DATE)


def where(tiny: TinyCase) -> dict[str, str | None]:
    result = brute_force(tiny)
    assert result.feasible
    return {h: None if stay is None else stay[0] for h, stay in result.placements.items()}


def test_halves_go_up() -> None:
    assert [half_up(Fraction(n, 2)) for n in (0, 1, 2, 3)] == [0, 1, 1, 2]


def test_the_cost_of_one_household_by_hand() -> None:
    # 2 persons, 100 km: 2000 units. Spare: 3 - 2 beds at 10 km: 100. Risk 0.3 unknown at 3000 km: 2 * 900 km = 18000.
    result = brute_force(case([household("h")], [offer("a", capacity=3)], {"risk": {}}))
    assert result.terms == {"travel": 2000, "spare": 100, "risk": 18000}
    assert result.cost == 20100


def test_every_term_by_hand() -> None:
    h = household(
        "h", 3, origin=B, wants_return=True, wants=frozenset({"lift", "garden"}), waiting_since=DATE - dt.timedelta(days=10), priority=2
    )
    a = offer(
        "a", capacity=4, risk=Decimal("0.1"), cost_per_person_night=Decimal("2.5"), available_until=DATE + dt.timedelta(days=100),
        features=frozenset({"lift"}), shared=True, rooms=(1, 2, 2, 4),
    )  # fmt: skip
    tie = Tie(household_id="h", spot=B, weight=Decimal("0.5"), relation="parent")
    policy = {"rent": {"km_per_unit": Decimal("0.1")}, "ties": {"relation_weight": {"parent": Decimal("1.5")}}}
    standing = Standing(household_id="h", accommodation_id="gone", status="proposed")
    result = brute_force(case([h], [a, offer("gone", capacity=1)], policy, ties=[tie], standing=[standing]))
    assert result.terms == {
        "travel": 3 * 1000,
        "ties": 3 * 900,  # 3 persons * 0.5 * 1.5 * 3 * 40 km (from B to A) = 270 km
        "home": 3 * 40,  # 0.1 * 40 km each
        "wants": 3 * 500,
        "risk": 3 * 3000,
        "short": 4356,  # 3 * 200 * 265 / 365 = 435.616… km
        "move": 3 * 1000,
        "rent": 3 * 75,  # 2.5 * 30 * 0.1 km each
    }  # {1, 2} holds three without a bed left
    assert result.placements["h"] == ("a", (1, 2))
    reading = Reading(case([h], [a], policy))
    assert reading.unplaced("h") == 3 * (100000 + 20) * 10


def test_near_ties_are_capped_each_and_together() -> None:
    ties = [Tie(household_id="h", spot=B, weight=Decimal(9)), Tie(household_id="h", spot=HUB)]
    policy = {"ties": {"cap_km": Decimal(50), "weight": Decimal(2)}}
    # 9 * 2 * 40 + 1 * 2 * 50 = 820 km a person, but at most 50 * 2 = 100
    who, offers = [household("h", 1)], [offer("a", capacity=1)]
    assert brute_force(case(who, offers, policy, ties=ties)).terms["ties"] == 1000
    assert brute_force(case(who, offers, policy, ties=ties[1:])).terms["ties"] == 1000
    assert brute_force(case(who, offers, {"ties": {"weight": Decimal(2)}}, ties=ties[1:])).terms["ties"] == 2000


def test_two_want_one_bed_and_the_more_urgent_gets_it() -> None:
    tiny = case([household("early", priority=4), household("late", priority=1)], [offer("a")])
    assert where(tiny) == {"early": None, "late": "a"}


def test_eight_stages_in_strict_order() -> None:
    tiny = case([household("h", 1, priority=5), household("i", 1, priority=1)], [offer("a", capacity=1)], {"order": "strict"})
    assert brute_force(tiny).cost == (0, 0, 0, 0, 120_000, 0, 0, 1000)


def test_strict_order_puts_an_urgent_person_before_many_others() -> None:
    # one person of priority 1 or ten of priority 3: weighted 4,000,000 against 4,000,000 + more waiting
    many, one = household("many", 10, waiting_since=DATE - dt.timedelta(days=300)), household("one", 1, priority=1)
    offers = [offer("a", capacity=10)]
    assert where(case([many, one], offers)) == {"many": "a", "one": None}
    assert where(case([many, one], offers, {"order": "strict"})) == {"many": None, "one": "a"}


def test_minimal_sets_of_rooms() -> None:
    assert sorted(minimal_sets((2, 2, 4), 3, 0)) == [(2, 2), (4,)]
    assert sorted(minimal_sets((2, 2, 4), 3, 2)) == [(2, 2), (2, 4)]
    assert minimal_sets((2, 2), 5, 0) == []


def people(*who: tuple[str, str | None, int | None]) -> list[Member]:
    return [Member(member_id=str(i), household_id="h", relation=r, sex=s, age=age) for i, (r, s, age) in enumerate(who)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("who", "rooms"),
    [
        ([("head", "f", 40), ("partner", "m", 41)], 1),
        ([("head", "f", 40), ("child", "m", 9)], 1),
        ([("head", "f", 40), ("child", "m", 10)], 2),
        ([("head", "f", 40), ("partner", "m", 40), ("child", "f", 12), ("child", "m", 12)], 3),
        ([("head", "f", 40), ("partner", "m", 40), ("child", "f", 12), ("child", "f", 17)], 2),
        ([("head", "f", 40), ("child", "f", 12), ("child", "m", 8), ("child", "m", 13)], 3),
        ([("head", "f", 40), ("child", "f", None), ("child", "f", 8)], 2),
        ([("head", None, 17), ("sibling", None, 17)], 2),
        ([("head", "f", 17), ("sibling", "f", 16)], 1),
        ([("head", "f", 40), ("sibling", "f", 5), ("parent", "f", 70)], 2),
        ([("head", "f", 40), ("other", "f", 5)], 2),
    ],
)
def test_rooms_that_a_family_needs(who: list[tuple[str, str | None, int | None]], rooms: int) -> None:
    assert fewest_rooms(people(*who)) == rooms


def test_a_household_takes_whole_rooms() -> None:
    centre = offer("c", capacity=8, shared=True, rooms=(2, 2, 4))
    result = brute_force(case([household("h", 3), household("i", 4)], [centre]))
    assert result.placements == {"h": ("c", (2, 2)), "i": ("c", (4,))}
    assert brute_force(case([household("h", 3), household("i", 3), household("j", 1)], [centre])).terms["unplaced"] == 400_000


def test_a_party_is_placed_whole_or_not_at_all() -> None:
    tie = Tie(household_id="h", other_household_id="i", kind="same_accommodation", required=True, agreed=True)
    assert where(case([household("h"), household("i")], [offer("a", capacity=3), offer("b", B)], ties=[tie])) == {"h": None, "i": None}
    tiny = case([household("h"), household("i", 1)], [offer("a", capacity=4), offer("b", B)], ties=[tie])
    assert brute_force(tiny).terms == {"travel": 3000, "spare": 100}


def test_without_agreement_a_required_link_only_costs() -> None:
    tie = Tie(household_id="h", other_household_id="i", kind="same_accommodation", required=True)
    result = brute_force(case([household("h"), household("i", 1)], [offer("a"), offer("b", capacity=1)], ties=[tie]))
    assert result.terms == {"travel": 3000, "linked": 45_000}  # 3 * 1.5 persons * 1000 km


def test_required_near_is_measured_from_the_row_s_household() -> None:
    offers = [offer("a", capacity=2), offer("b", B, capacity=3)]
    big, small = household("big", 3), household("small", 2)  # big fits only b; B → A is 40 km, A → B 60 km

    def near(one: str, other: str) -> dict[str, str | None]:
        tie = Tie(household_id=one, other_household_id=other, required=True, agreed=True, max_km=Decimal(50))
        return where(case([big, small], offers, ties=[tie]))

    assert near("big", "small") == {"big": "b", "small": "a"}
    assert near("small", "big") == {"big": None, "small": None}


def test_apart_is_kept_by_sites_and_kilometres() -> None:
    offers = [offer("a", site_id="s"), offer("b", site_id="s")]
    tie = Tie(household_id="h", other_household_id="i", kind="apart", required=True)
    assert list(where(case([household("h"), household("i")], offers, ties=[tie])).values()).count(None) == 1
    apart_sites = [offer("a"), offer("b", B)]
    assert None not in where(case([household("h"), household("i")], apart_sites, ties=[tie])).values()
    far = tie.model_copy(update={"max_km": Decimal(70)})
    assert list(where(case([household("h"), household("i")], apart_sites, ties=[far])).values()).count(None) == 1
    exactly = tie.model_copy(update={"max_km": Decimal(40)})  # never nearer than 40 km: 40 is allowed
    assert None not in where(case([household("h"), household("i")], apart_sites, ties=[exactly])).values()


def test_a_link_to_who_is_left_out() -> None:
    offers = [offer("a"), offer("b")]
    who = [household("h", consent="no"), household("i")]
    near = Tie(household_id="h", other_household_id="i", required=True, agreed=True, max_km=Decimal(50))
    result = brute_force(case(who, offers, ties=[near]))
    assert result.left_out == {"h": "no_consent"} and result.placements["i"] is None and result.terms == {"unplaced": 800_000}
    apart = Tie(household_id="h", other_household_id="i", kind="apart", required=True)
    for falls_away in (near.model_copy(update={"agreed": False}), apart):
        assert where(case(who, offers, ties=[falls_away]))["i"] is not None


def test_fixed_ones_take_their_beds_even_too_many() -> None:
    centre = offer("c", capacity=3, shared=True)
    standing = [Standing(household_id="h", accommodation_id="c", status="moved_in")]
    who = [household("h", 5, consent="no"), household("i", 1), household("j", 1)]
    result = brute_force(case(who, [centre, offer("a", capacity=1)], standing=standing))
    assert result.left_out == {} and result.placements["h"] == ("c", ())
    assert result.terms == {"travel": 6000, "unplaced": 400_000}


def test_rooms_of_the_fixed_are_chosen_after_the_given_ones() -> None:
    centre = offer("c", capacity=9, shared=True, rooms=(2, 3, 4))
    standing = [
        Standing(household_id="g", accommodation_id="c", status="accepted"),
        Standing(household_id="h", accommodation_id="c", status="accepted", rooms=(2,)),
    ]
    tiny = case([household("g"), household("h"), household("i", 4)], [centre], standing=standing)
    result = brute_force(tiny)
    assert result.placements == {"g": ("c", (3,)), "h": ("c", (2,)), "i": ("c", (4,))}
    assert result.terms["spare"] == 100


def test_a_link_to_a_fixed_household_is_a_tie_to_its_place() -> None:
    standing = [Standing(household_id="h", accommodation_id="b", status="accepted")]
    link = Tie(household_id="h", other_household_id="i", kind="same_place", required=True, agreed=True)
    offers = [offer("a"), offer("b", B), offer("c", B, capacity=3)]
    assert where(case([household("h"), household("i")], offers, standing=standing, ties=[link])) == {"h": "b", "i": "c"}
    flat = link.model_copy(update={"kind": "same_accommodation"})  # the flat is gone
    assert where(case([household("h"), household("i")], offers, standing=standing, ties=[flat])) == {"h": "b", "i": None}


def test_a_bed_is_free_again_for_who_comes_later() -> None:
    first = household("first", leaves=DATE + dt.timedelta(days=5))
    later = household("later", arrives=DATE + dt.timedelta(days=5))
    sooner = household("later", arrives=DATE + dt.timedelta(days=4))
    assert where(case([first, later], [offer("a")])) == {"first": "a", "later": "a"}
    assert list(where(case([first, sooner], [offer("a")])).values()).count(None) == 1


def test_an_offer_that_ends() -> None:
    tiny = case([household("h")], [offer("a", available_until=DATE + dt.timedelta(days=89))])
    assert where(tiny) == {"h": None}
    tiny = case([household("h")], [offer("a", available_until=DATE + dt.timedelta(days=90))])
    assert brute_force(tiny).terms["short"] == 3014  # 2 * 200 * 275 / 365 = 301.3698… km
    tiny = case([household("h", leaves=DATE + dt.timedelta(days=9))], [offer("a", available_until=DATE + dt.timedelta(days=9))])
    assert "short" not in brute_force(tiny).terms


def test_floors_count_missing_persons() -> None:
    floor = {"floors": {"share": {"women": Decimal("0.5")}, "km": Decimal(30000)}}
    women, others = household("w", 3, groups=frozenset({"women"})), household("o", 3, priority=2)
    assert where(case([women, others], [offer("a", capacity=3)])) == {"w": None, "o": "a"}
    assert where(case([women, others], [offer("a", capacity=3)], floor)) == {"w": None, "o": "a"}
    floor["floors"]["km"] = Decimal(100000)  # 2 missing persons: 200,000 km against 3 * 60,000
    assert where(case([women, others], [offer("a", capacity=3)], floor)) == {"w": "a", "o": None}


def test_overrides() -> None:
    offers = [offer("a"), offer("b", B)]

    def decided(**more: Any) -> dict[str, str | None]:
        return where(case([household("h")], offers, overrides=[Override(household_id="h", **more)]))

    yesterday = DATE - dt.timedelta(days=1)
    assert decided(action="forbid", accommodation_id="a") == {"h": "b"}
    assert decided(action="forbid", spot=A) == {"h": "b"}
    assert decided(action="pin", spot=B) == {"h": "b"}
    assert decided(action="pin", accommodation_id="b", expires_at=DATE) == {"h": "b"}
    assert decided(action="pin", accommodation_id="b", expires_at=yesterday) == {"h": "a"}
    assert decided(action="hold") == {"h": None}
    assert not brute_force(
        case([household("h", 3)], offers, overrides=[Override(household_id="h", action="pin", accommodation_id="a")])
    ).feasible


def test_needs_that_an_offer_meets_for_so_many() -> None:
    centre = offer("c", capacity=9, shared=True, need_capacity=(("step_free", 4),))
    who = [household(h, 2, needs=frozenset({"step_free"})) for h in ("h", "i", "j")]
    assert brute_force(case(who, [centre])).terms["unplaced"] == 800_000
    everywhere = centre.model_copy(update={"features": frozenset({"step_free"})})
    assert "unplaced" not in brute_force(case(who, [everywhere])).terms


def test_blocked_in_either_direction() -> None:
    tiny = case([household("h")], [offer("a")])
    for origin, destination in ((HUB, A), (A, HUB)):
        rows = (TravelRow(origin=origin, destination=destination, blocked=True),)
        instance = tiny.instance.model_copy(update={"travel": rows})
        assert where(replace(tiny, instance=instance)) == {"h": None}


def every_plan_best(tiny: TinyCase) -> tuple[int, ...] | None:
    """The best value by building every plan whole and asking what is wrong with it."""
    reading = Reading(tiny)
    best = None
    for chosen in product(*([None, *reading.stays(party)] for party in reading.parties)):
        plan = {**dict.fromkeys(reading.left_out), **reading.fixed_plan()}
        for party, stay in zip(reading.parties, chosen, strict=True):
            plan.update(dict.fromkeys(party.ids, stay))
        if reading.faults(plan):
            continue
        stages = reading.stages(plan)
        assert len(stages) == STAGE_COUNT and sum(stages) == sum(reading.terms(plan).values())
        value = stages if tiny.policy.order == "strict" else (sum(stages),)
        best = value if best is None or value < best else best
    return best


@pytest.mark.parametrize("seed", range(60))
def test_the_search_finds_what_plain_enumeration_finds(seed: int) -> None:
    tiny = tiny_case(seed, households=3, offers=3, pins="any")
    found = brute_force(tiny)
    best = every_plan_best(tiny)
    if best is None:
        assert not found.feasible
    else:
        assert (found.cost if isinstance(found.cost, tuple) else (found.cost,)) == best


def test_a_seed_gives_one_case() -> None:
    assert tiny_case(7) == tiny_case(7)
    assert tiny_case(7, links=True) != tiny_case(7, links=False)


def test_every_feature_matters_often() -> None:
    """Over some hundred seeds every rule decides pairs alone, and every term is paid."""
    decided: dict[str, int] = {}
    paid: dict[str, int] = {}
    reasons: dict[str, int] = {}
    placed = 0
    for seed in range(400):
        tiny = tiny_case(seed)
        reading, result = Reading(tiny), brute_force(tiny)
        assert result.feasible and not reading.faults(result.placements)
        placed += any(result.placements[h] is not None for h in reading.free)
        for term in result.terms:
            paid[term] = paid.get(term, 0) + 1
        for reason in result.left_out.values():
            reasons[reason] = reasons.get(reason, 0) + 1
        for h in reading.free:
            for a in reading.offers:
                if len(broken := reading.rule_faults(h, a)) == 1:
                    decided[broken[0]] = decided.get(broken[0], 0) + 1
    codes = "status vetted rent risk needs pets language kind groups area dates distance override tie".split()
    assert all(decided.get(code, 0) >= 10 for code in codes), decided
    assert len(paid) == 12 and all(count >= 8 for count in paid.values()), paid
    assert len(reasons) == 4 and all(count >= 8 for count in reasons.values()), reasons
    assert placed >= 200
