"""The bound of a certificate, by hand, and certificates that prove nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from matcher.check import check_bound, check_plan
from matcher.model import Instance
from matcher.result import STAGES
from tests.check.build import DAY, certificate, codes, day, decided, household, instance, offer, plan, policy, road, stands, tie

# Only the road counts: cost units are persons · km · 10. Whoever stays out costs 1000 km a person.
ROAD: dict[str, Any] = {"risk": {"km": 0}, "spare": {"km": 0}, "unplaced": {"km": [1000] * 5, "km_per_day_waited": 0}}
AGREED = {"required": True, "agreed": True}


def bed(i: str, capacity: int = 1, at: str = "B", **more: Any) -> Any:
    return offer(i, capacity, at, shared=True, **more)


def proved(
    world: Instance, where: dict[str, str], value: int, bound: int, *, prices: Any = None, sections: Any = None, **more: Any
) -> tuple[list[str], int | None]:
    """Check a certificate of the one stage `all` together with its plan."""
    rules = policy(**ROAD | (sections or {}))
    placed, unplaced, terms = plan(world, rules, where)
    assert check_plan(world, rules, DAY, placed, unplaced, terms) == []
    floors = {"all": more.pop("floor_prices", {})}
    paper = certificate({"all": bound}, {"all": value}, prices={"all": prices or {}}, floor_prices=floors, **more)
    return check_bound(world, rules, DAY, paper, placed, unplaced)


# A and B, one person each, 10 and 20 km from the one bed in X.
TWO = instance(household("A", 1), household("B", 1, at="C"), bed("X"), road("A", "B", 10), road("C", "B", 20))
BEST = 10_000 + 100


@pytest.mark.parametrize(("price", "bound"), [(0, 300), (700, 1000), (9_800, BEST), (9_900, BEST), (20_000, 0)])
def test_one_price(price: int, bound: int) -> None:
    """L = min(10000, 100 + π) + min(10000, 200 + π) − π."""
    assert proved(TWO, {"A": "X"}, BEST, bound, prices={"X": {"persons": {"": price}}}) == ([], bound)


def test_rounded_up_from_its_scale() -> None:
    """3 L = (300 + 1) + (600 + 1) − 1 = 901, so L = 300⅓ and no plan costs less than 301."""
    assert proved(TWO, {"A": "X"}, BEST, 301, prices={"X": {"persons": {"": 1}}}, scale=3) == ([], 301)


def test_negative_bound() -> None:
    assert proved(TWO, {"A": "X"}, BEST, -10_000, prices={"X": {"persons": {"": 30_000}}}) == ([], -10_000)


@pytest.mark.parametrize("claimed", [299, 301])
def test_claim_must_be_what_is_proved(claimed: int) -> None:
    faults, bound = proved(TWO, {"A": "X"}, BEST, claimed)
    assert codes(faults) == {"bound"} and bound == 300


def test_value_must_be_the_plan_s() -> None:
    faults, bound = proved(TWO, {"A": "X"}, BEST - 1, 300)
    assert codes(faults) == {"value"} and bound == 300


def test_two_prices_of_one_offer() -> None:
    """A needs a lift: A pays 50 + 7 for 2 persons, B 50 for 1; capacities 3 and 2."""
    world = instance(
        household("A", 2, needs=frozenset({"lift"})), household("B", 1), bed("X", 3, need_capacity=(("lift", 2),)), road("A", "B", 10)
    )
    prices = {"X": {"persons": {"": 50}, "need:lift": {"": 7}}}
    assert proved(world, {"A": "X", "B": "X"}, 300, 300, prices=prices) == ([], 300)  # all used: price is paid back
    assert proved(world, {"A": "X", "B": "X"}, 300, 300) == ([], 300)


def test_rooms_take_the_cheapest_set_with_their_spare_beds() -> None:
    """A, 3 persons, {4} with a spare bed or {2, 2} with one: 300 + 100 + min(π4, 2 π2) − π4 − 2 π2; a room 2 is not enough."""
    world = instance(household("A", 3), bed("X", 9, rooms=(2, 2, 4)), road("A", "B", 10))
    rules = policy(**ROAD | {"spare": {"km": 10}})
    placed, unplaced, terms = plan(world, rules, {"A": "X"}, {"A": (4,)})
    assert check_plan(world, rules, DAY, placed, unplaced, terms) == []
    for price2, price4, bound in ((10, 15, 380), (10, 30, 370), (0, 9, 391)):
        paper = certificate({"all": bound}, {"all": 400}, prices={"all": {"X": {"rooms:2": {"": price2}, "rooms:4": {"": price4}}}})
        assert check_bound(world, rules, DAY, paper, placed, unplaced) == ([], bound)


def test_unit_of_a_flat() -> None:
    world = instance(household("A", 1), offer("X", 5), road("A", "B", 10))
    assert proved(world, {"A": "X"}, 100, 100, prices={"X": {"unit": {"": 40}}}) == ([], 100)
    assert proved(world, {"A": "X"}, 100, 100 + 40 - 5 * 40, prices={"X": {"persons": {"": 40}}}) == ([], -60)


def test_facts_are_paid_first_and_crowded_offers_give_nothing() -> None:
    """F = 200 for the two who live there; C' = max(0, 1 − 2) = 0, so A pays and nothing is given back."""
    world = instance(household("A", 1), household("F", 2), bed("X"), road("A", "B", 10), stands("F", "X"))
    prices = {"X": {"persons": {"": 5_000}}}
    assert proved(world, {"F": "X"}, 10_200, 200 + 5_100, prices=prices) == ([], 5_300)
    assert proved(world, {"F": "X"}, 10_200, 10_200, prices={"X": {"persons": {"": 9_900}}}) == ([], 10_200)


def test_soft_link_to_a_fact_is_part_of_the_arc() -> None:
    """A in X, 10 km from the road and 4 km from F: 100 + 3 · 1 · 40; F = 0 travel. In either direction of the row."""
    for ends in (("A", "F"), ("F", "A")):
        world = instance(
            household("A", 1), household("F", 1), bed("X"), bed("Y", at="C"),
            road("A", "B", 10), road("A", "C", 0), road("B", "C", 4), stands("F", "Y"), tie(*ends),
        )  # fmt: skip
        closed = instance(*world.households, *world.accommodations, *world.travel, *world.standing, *world.ties, closed=frozenset({"Y"}))
        assert proved(closed, {"A": "X", "F": "Y"}, 220, 220) == ([], 220)


def test_links_among_facts_are_part_of_them() -> None:
    world = instance(
        household("E", 1), household("F", 1), bed("X"), bed("Y", at="C"), road("A", "B", 0), road("A", "C", 0), road("B", "C", 4),
        stands("E", "X"), stands("F", "Y"), tie("E", "F"),
    )  # fmt: skip
    assert proved(world, {"E": "X", "F": "Y"}, 120, 120) == ([], 120)


def test_pinned_has_no_way_out() -> None:
    world = instance(*TWO.households, *TWO.accommodations, *TWO.travel, decided("B", "pin", "X"))
    assert proved(world, {"B": "X"}, 10_200, 100 + 200) == ([], 300)
    prices = {"X": {"persons": {"": 50_000}}}
    assert proved(world, {"B": "X"}, 10_200, 10_000 + 50_200 - 50_000, prices=prices) == ([], 10_200)


def test_pinned_where_nothing_is() -> None:
    world = instance(household("A", 1), bed("X"), road("A", "B", 10), decided("A", "pin", "Y"))
    rules = policy(**ROAD)
    paper = certificate({"all": 0}, {"all": 10_000})
    faults, bound = check_bound(world, rules, DAY, paper, *plan(world, rules, {})[:2])
    assert codes(faults) == {"bound"} and bound is None


def test_who_is_bound_to_one_left_out_stays_out() -> None:
    link = tie("A", "L", kind="same_place", **AGREED)
    world = instance(household("A", 1), household("L", 1, consent="no"), bed("X"), road("A", "B", 10), link)
    assert proved(world, {}, 10_000, 10_000) == ([], 10_000)


def test_party_pays_together() -> None:
    """A and B in X: 100 + 100 + 2 π, or both out: 20000; C = 2."""
    same = tie("A", "B", kind="same_accommodation", **AGREED)
    world = instance(household("A", 1), household("B", 1), bed("X", 2), road("A", "B", 10), same)
    for price, bound in ((0, 200), (9_000, 200), (9_950, 20_000 - 19_900)):
        assert proved(world, {"A": "X", "B": "X"}, 200, bound, prices={"X": {"persons": {"": price}}}) == ([], bound)


G = frozenset({"g"})
FLOOR = {"floors": {"km": 500, "share": {"g": 1}}}


def test_floors() -> None:
    """B of g (N = P = 1) is 20 km away and A 10 km: μ (1 − 1) + min(10000, 100 + π) + min(10000 + μ, 200 + π) − π."""
    world = instance(household("A", 1), household("B", 1, at="C", groups=G), *TWO.accommodations, *TWO.travel)
    prices = {"X": {"persons": {"": 9_900}}}
    for mu, bound in ((0, 10_100), (50, 10_150), (100, 10_200), (5_000, 10_200)):
        assert proved(world, {"B": "X"}, 10_200, bound, prices=prices, floor_prices={"g": mu}, sections=FLOOR) == ([], bound)
    faults, proof = proved(world, {"B": "X"}, 10_200, 10_200, prices=prices, floor_prices={"g": 5_001}, sections=FLOOR)
    assert codes(faults) == {"floor_prices"} and proof is None
    faults, _ = proved(world, {"B": "X"}, 10_200, 10_200, prices=prices, floor_prices={"w": 1}, sections=FLOOR)
    assert codes(faults) == {"floor_prices"}


def test_floor_with_a_share() -> None:
    """N = ⌈0.5 · 3⌉ = 2 of P = 3: μ (2 − 3) + (100 + 0) + (min(20000 + 2 μ, 200)) = 300 − μ."""
    world = instance(household("A", 1, groups=G), household("B", 2, groups=G), bed("X", 3), road("A", "B", 10))
    sections = {"floors": {"km": 500, "share": {"g": 0.5}}}
    assert proved(world, {"A": "X", "B": "X"}, 300, 290, floor_prices={"g": 10}, sections=sections) == ([], 290)


NIGHTS = instance(household("A", 1, leaves=day(9)), household("B", 1, arrives=day(9)), bed("X"), road("A", "B", 10))


def test_rows_by_night() -> None:
    """A leaves on the day B arrives: one bed each, so (100 + π0) + (100 + π9) − π0 − π9."""
    prices = {"X": {"persons": {DAY.isoformat(): 30, day(9).isoformat(): 50}}}
    assert proved(NIGHTS, {"A": "X", "B": "X"}, 200, 200, prices=prices) == ([], 200)
    high = {"X": {"persons": {day(9).isoformat(): 10_000}}}
    assert proved(NIGHTS, {"A": "X", "B": "X"}, 200, 100, prices=high) == ([], 100)


@pytest.mark.parametrize("night", ["", day(8).isoformat()])
def test_price_of_a_night_that_is_no_row(night: str) -> None:
    faults, bound = proved(NIGHTS, {"A": "X", "B": "X"}, 200, 200, prices={"X": {"persons": {night: 1}}})
    assert "nights" in codes(faults) and bound is None


def test_one_row_where_all_stays_meet() -> None:
    world = instance(household("A", 1, leaves=day(9)), household("B", 1, arrives=day(8)), bed("X", 2), road("A", "B", 10))
    assert proved(world, {"A": "X", "B": "X"}, 200, 200, prices={"X": {"persons": {"": 30}}}) == ([], 200)


# A and B may go to X or Y, 10 km from each other, free of cost but for the tie; one bed each.
def linked(*ties: Any, capacity: int = 1) -> Instance:
    roads = [road("A", "B", 1), road("A", "C", 2), road("B", "C", 10)]
    return instance(household("A", 1), household("B", 1), bed("X", capacity), bed("Y", capacity, at="C"), *roads, *ties)


def test_merged_soft_link() -> None:
    """Apart they cost 10 + 20 + link 300; without it each takes X: 20. Priced at 10 a bed in X: 20 + 20 − 10 = 30."""
    world = linked(tie("A", "B"))
    prices = {"X": {"persons": {"": 10}}}
    assert proved(world, {"A": "X", "B": "Y"}, 330, 20) == ([], 20)
    assert proved(world, {"A": "X", "B": "Y"}, 330, 20, merged=[["A", "B"]]) == ([], 20)  # both in X is a joint placement
    assert proved(world, {"A": "X", "B": "Y"}, 330, 30, prices=prices, merged=[["A", "B"]]) == ([], 30)
    wide = {"X": {"persons": {"": 310}}, "Y": {"persons": {"": 300}}}
    # both in X: 20 + 620; X and Y: 30 + 300 + 610; both in Y: 40 + 600; less 610
    assert proved(world, {"A": "X", "B": "Y"}, 330, 30, prices=wide, merged=[["A", "B"]]) == ([], 30)


@pytest.mark.parametrize(
    ("link", "where", "value", "merged_bound"),
    [
        (tie("A", "B", kind="apart", required=True), {"A": "X", "B": "Y"}, 30, 30),
        (tie("A", "B", kind="same_place", **AGREED), {"A": "X", "B": "X"}, 20, 20),
        (tie("A", "B", max_km=Decimal(10), **AGREED), {"A": "X", "B": "Y"}, 30, 20),
        (tie("B", "A", kind="same_site", **AGREED), {"A": "X", "B": "X"}, 20, 20),
        (tie("B", "A", kind="apart"), {"A": "X", "B": "Y"}, 30, 30),
    ],
)
def test_merged_link_of_each_kind(link: Any, where: dict[str, str], value: int, merged_bound: int) -> None:
    world = linked(link, capacity=2)
    assert proved(world, where, value, 20) == ([], 20)
    assert proved(world, where, value, merged_bound, merged=[["A", "B"]]) == ([], merged_bound)


def test_merged_both_or_neither() -> None:
    """B has no offer left, so A stays out as well: only the merged bound knows."""
    link = tie("A", "B", kind="same_place", **AGREED)
    world = instance(household("A", 1), household("B", 1, pets=frozenset({"dog"})), bed("X", 2), road("A", "B", 10), link)
    assert proved(world, {}, 20_000, 10_100) == ([], 10_100)
    assert proved(world, {}, 20_000, 20_000, merged=[["A", "B"]]) == ([], 20_000)


def test_merged_chain_is_one_tree() -> None:
    """A, B, C mutually apart along a chain: B in Y, A and C in X: 10 + 20 + 10."""
    apart = [tie("A", "B", kind="apart", required=True), tie("C", "B", kind="apart", required=True)]
    base = linked(*apart, capacity=2)
    world = instance(*base.households, household("C", 1), *base.accommodations, *base.travel, *base.ties)
    where = {"A": "X", "B": "Y", "C": "X"}
    assert proved(world, where, 40, 30) == ([], 30)
    assert proved(world, where, 40, 40, merged=[["A", "B"], ["B", "C"]]) == ([], 40)
    faults, bound = proved(world, where, 40, 40, merged=[["A", "B"], ["B", "C"], ["A", "C"]])
    assert codes(faults) == {"merged"} and bound is None


@pytest.mark.parametrize("pair", [["A", "A"], ["A", "nobody"], ["A", "F"], ["A", "P"]])
def test_merged_pairs_are_free_and_of_two_parties(pair: list[str]) -> None:
    rows = [household("F", 1), household("P", 1), bed("Z", at="D"), stands("F", "Z"), tie("A", "P", kind="same_accommodation", **AGREED)]
    base = linked(capacity=2)
    world = instance(*base.households, *base.accommodations, *base.travel, *rows)
    rules = policy(**ROAD)
    placed, unplaced, _ = plan(world, rules, {"F": "Z"})
    faults, bound = check_bound(world, rules, DAY, certificate({"all": 0}, {"all": 0}, merged=[pair]), placed, unplaced)
    assert codes(faults) == {"merged"} and bound is None


def strict(bounds: dict[str, int], values: dict[str, int], **more: Any) -> dict[str, Any]:
    return certificate(dict.fromkeys(STAGES, 0) | bounds, dict.fromkeys(STAGES, 0) | values, **more)


def test_strict_order_stage_by_stage() -> None:
    """A (priority 1) and B (priority 5) for one bed, A 10 km away, B 20.

    unplaced_1: min(10000, π) − π with π = 0: 0. unplaced_5: min(10000 λ1, π) + min(10000, π) − π − 0 λ1 = 10000 at π = 10000, λ1 = 1.
    rest: min(10000 λ1, 100 + π) + min(10000 λ5, 200 + π) − π − 10000 λ5 = 100 at π = 9900, λ = 1.
    """
    world = instance(household("A", 1, priority=1), household("B", 1, at="C", priority=5), *TWO.accommodations, *TWO.travel)
    rules = policy(**ROAD, order="strict")
    placed, unplaced, terms = plan(world, rules, {"A": "X"})
    assert check_plan(world, rules, DAY, placed, unplaced, terms) == []
    values = {"unplaced_5": 10_000, "rest": 100}
    prices = {"unplaced_5": {"X": {"persons": {"": 20_000}}}, "rest": {"X": {"persons": {"": 19_800}}}}
    multipliers = {"unplaced_5": [2, 0, 0, 0], "rest": [2, 0, 0, 0, 2, 0, 0]}
    paper = strict({"unplaced_5": 10_000, "rest": 100}, values, scale=2, prices=prices, multipliers=multipliers)
    assert check_bound(world, rules, DAY, paper, placed, unplaced) == ([], 10_100)
    lazy = strict({"unplaced_5": 0, "rest": 300}, values, scale=2)
    faults, bound = check_bound(world, rules, DAY, lazy, placed, unplaced)
    assert codes(faults) == {"bound"} and bound == 0  # nobody need travel where staying out is free in this stage
    paper["stages"][4]["value"] = 9_999
    assert codes(check_bound(world, rules, DAY, paper, placed, unplaced)[0]) == {"value"}


def test_strict_order_ties_before_rest() -> None:
    """X is 10 km away and 5 km from the relatives, Y 2 and 9: ties 150 first, then the rest 100 of all plans with ties 150."""
    roads = [road("A", "B", 10), road("A", "C", 2), road("D", "B", 5), road("D", "C", 9)]
    world = instance(household("A", 1), bed("X"), bed("Y", at="C"), *roads, tie("A", at="D"))
    rules = policy(**ROAD, order="strict")
    placed, unplaced, _ = plan(world, rules, {"A": "X"})
    # ties: min(10000 λ3, 150, 270) with λ3 = 1; rest: min(10000, 100 + 150 λ, 20 + 270 λ) − 150 λ at λ = 2/3
    values = {"ties": 150, "rest": 100}
    multipliers = {"ties": [0, 0, 3, 0, 0, 0], "rest": [0, 0, 3, 0, 0, 0, 2]}
    paper = strict(values, values, scale=3, multipliers=multipliers)
    assert check_bound(world, rules, DAY, paper, placed, unplaced) == ([], 250)


def test_strict_floor_price_is_limited_by_the_weight_of_the_floors() -> None:
    """Before the floors' own stage a missing person costs nothing; after it λ times its cost."""
    world = instance(household("A", 1, groups=G), bed("X"), road("A", "B", 10))
    rules = policy(**ROAD, **FLOOR, order="strict")
    placed, unplaced, _ = plan(world, rules, {"A": "X"})
    for stage, weight in (("unplaced_1", 0), ("floors", 2), ("rest", 3)):
        multipliers = {"rest": [0, 0, 0, 0, 0, 3, 0]}
        for price, right in ((5_000 * weight, True), (5_000 * weight + 1, False)):
            paper = strict({}, {"rest": 100}, scale=2, floor_prices={stage: {"g": price}}, multipliers=multipliers)
            faults, _ = check_bound(world, rules, DAY, paper, placed, unplaced)
            assert ("floor_prices" not in codes(faults)) == right


def set_stage(key: str, value: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda paper: paper["stages"][0].update({key: value})


BROKEN: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("certificate", lambda paper: paper.update(scale=0)),
    ("certificate", lambda paper: paper.update(scale=True)),
    ("certificate", lambda paper: paper.update(scale="1")),
    ("certificate", lambda paper: paper.pop("bound")),
    ("certificate", lambda paper: paper.update(bound=1.5)),
    ("certificate", lambda paper: paper.pop("stages")),
    ("certificate", lambda paper: paper.update(stages=[])),
    ("certificate", lambda paper: paper.update(stages=[3])),
    ("certificate", lambda paper: paper.update(merged_links=[["A"]])),
    ("certificate", lambda paper: paper.update(merged_links=None)),
    ("certificate", lambda paper: paper.update(prices={})),
    ("certificate", set_stage("name", "rest")),
    ("certificate", set_stage("multipliers", [1])),
    ("certificate", set_stage("value", None)),
    ("certificate", set_stage("floor_prices", [])),
    ("certificate", set_stage("prices", {"X": 3})),
    ("certificate", set_stage("prices", {"X": {"persons": {"": -1}}})),
    ("certificate", set_stage("prices", {"X": {"persons": {"": 0.5}}})),
    ("certificate", set_stage("prices", {"X": {"persons": {"20261122": 1}}})),
    ("certificate", set_stage("prices", {"X": {"persons": {"someday": 1}}})),
    ("prices", set_stage("prices", {"Y": {"persons": {"": 1}}})),
    ("prices", set_stage("prices", {"X": {"unit": {"": 1}}})),
    ("prices", set_stage("prices", {"X": {"rooms:2": {"": 1}}})),
    ("prices", set_stage("prices", {"X": {"need:lift": {"": 1}}})),
]


@pytest.mark.parametrize(("code", "change"), BROKEN)
def test_certificate_that_proves_nothing(code: str, change: Callable[[dict[str, Any]], Any]) -> None:
    rules = policy(**ROAD)
    placed, unplaced, _ = plan(TWO, rules, {"A": "X"})
    paper = certificate({"all": 300}, {"all": BEST}, prices={"all": {"X": {"persons": {"": 0}}}})
    assert check_bound(TWO, rules, DAY, paper, placed, unplaced) == ([], 300)
    wrong = copy.deepcopy(paper)
    change(wrong)
    if code == "prices":
        wrong["prices"] = wrong["stages"][0]["prices"]
    faults, bound = check_bound(TWO, rules, DAY, wrong, placed, unplaced)
    assert code in codes(faults) and bound is None
    assert len(BROKEN) == 24


def test_plan_that_is_not_whole_has_no_value() -> None:
    rules = policy(**ROAD)
    placed, unplaced, _ = plan(TWO, rules, {"A": "X"})
    faults, bound = check_bound(TWO, rules, DAY, certificate({"all": 300}, {"all": BEST}), placed, unplaced[1:])
    assert codes(faults) == {"once"} and bound is None


def test_bound_above_the_plan_is_told() -> None:
    """A plan that breaks a rule can be cheaper than every right one."""
    world = instance(*TWO.households, bed("X", 1), *TWO.travel)
    rules = policy(**ROAD)
    placed, unplaced, _ = plan(world, rules, {"A": "X", "B": "X"})
    paper = certificate({"all": BEST}, {"all": 300}, prices={"all": {"X": {"persons": {"": 9_900}}}})
    faults, _ = check_bound(world, rules, DAY, paper, placed, unplaced)
    assert any("above the plan's" in fault for fault in faults)


def test_prices_of_any_size() -> None:
    huge = 10**40
    prices = {"X": {"persons": {"": huge}}}
    assert proved(TWO, {"A": "X"}, BEST, 20_000 - huge, prices=prices) == ([], 20_000 - huge)
