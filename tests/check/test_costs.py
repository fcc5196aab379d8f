"""Every term of the objective, by hand."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from matcher.check import check_plan
from matcher.result import TERMS
from tests.check.build import DAY, codes, day, household, instance, offer, plan, policy, road, stands, tie

CLOSE = road("A", "B", 0)
ROOMY = {"capacity": 9, "shared": True}

# name, term, units (1/10 person-km) of H in X, rows, policy
CASES: list[tuple[str, str, int, list[Any], dict[str, Any]]] = [
    ("3 persons, 12.34 km -> 123 tenths", "travel", 369, [household("H", 3), offer("X"), road("A", "B", "12.34")], {}),
    ("12.35 km -> 124, half up", "travel", 124, [household("H", 1), offer("X"), road("A", "B", "12.35")], {}),
    ("reverse row counts", "travel", 50, [household("H", 1), offer("X"), road("B", "A", 5)], {}),
    ("weight 0.5, rounded once: 3 · 1 · 0.5 = 1.5 -> 2", "travel", 2, [household("H", 3), offer("X"), road("A", "B", "0.1")],
     {"travel": {"weight": 0.5}}),
    ("near a place: 2 · 100 km · 3", "ties", 6000, [household("H"), offer("X"), CLOSE, tie("H", at="C"), road("C", "B", 100)], {}),
    ("from the place, not to it", "ties", 600,
     [household("H"), offer("X"), CLOSE, tie("H", at="C"), road("C", "B", 10), road("B", "C", 99)], {}),
    ("capped at 1000 km", "ties", 60000, [household("H"), offer("X"), CLOSE, tie("H", at="C"), road("C", "B", 5000)], {}),
    ("two ties, at most one cap in all", "ties", 60000,
     [household("H"), offer("X"), CLOSE, road("C", "B", 900), tie("H", at="C"), tie("H", at="C")], {}),
    ("weight of relation and row", "ties", 300, [household("H"), offer("X"), CLOSE, road("C", "B", 10),
     tie("H", at="C", relation="work", weight=Decimal("0.25"))], {"ties": {"relation_weight": {"work": 2}}}),
    ("same_place missed", "ties", 60000, [household("H"), offer("X"), CLOSE, tie("H", at="C", kind="same_place")], {}),
    ("same_place kept", "ties", 0, [household("H"), offer("X"), CLOSE, tie("H", at="B", kind="same_place")], {}),
    ("soft apart broken", "ties", 60000, [household("H"), offer("X"), CLOSE, tie("H", at="B", kind="apart")], {}),
    ("soft apart kept", "ties", 0, [household("H"), offer("X"), CLOSE, tie("H", at="C", kind="apart")], {}),
    ("same_site missed", "ties", 60000, [household("H"), offer("X", site_id="S"), CLOSE, offer("Y", site_id="T"),
     tie("H", offer_id="Y", kind="same_site")], {}),
    ("near an accommodation", "ties", 4200, [household("H"), offer("X"), CLOSE, offer("Y", at="C", status="closed"),
     road("C", "B", 70), tie("H", offer_id="Y")], {}),
    ("required ties cost nothing", "ties", 0, [household("H"), offer("X"), CLOSE, road("C", "B", 70),
     tie("H", at="C", required=True, max_km=Decimal(70))], {}),
    ("home 2 · 300 km · 0.1", "home", 600, [household("H", origin={"lat": 0.0, "lon": 3.0, "key": "place:D"}, wants_return=True),
     offer("X"), CLOSE, road("D", "B", 300)], {}),
    ("home capped", "home", 2000, [household("H", origin={"lat": 0.0, "lon": 3.0, "key": "place:D"}, wants_return=True),
     offer("X"), CLOSE, road("D", "B", 3000)], {}),
    ("does not want to return", "home", 0, [household("H", origin={"lat": 0.0, "lon": 3.0, "key": "place:D"}), offer("X"), CLOSE,
     road("D", "B", 300)], {}),
    ("two of three wants unmet", "wants", 2000, [household("H", wants=frozenset({"a", "b", "c"})),
     offer("X", features=frozenset({"b"}), need_capacity=(("a", 9),)), CLOSE], {}),
    ("own risk 2 · 0.5 · 3000", "risk", 30000, [household("H"), offer("X", risk=Decimal("0.5")), CLOSE], {}),
    ("unknown risk 0.3", "risk", 18000, [household("H"), offer("X"), CLOSE], {}),
    ("risk of the oblast", "risk", 6000, [household("H"), offer("X"), CLOSE], {"risk": {"area": {"UA05": 0.1}}}),
    ("short: 2 · 200 · 265/365 = 290.41…", "short", 2904, [household("H"), offer("X", available_until=day(100)), CLOSE], {}),
    ("short from the arrival: 365 nights are enough", "short", 0, [household("H"), offer("X", available_until=day(365)), CLOSE], {}),
    ("arrival in 10 days, 355 nights: 2 · 200 · 10/365 = 10.96", "short", 110,
     [household("H", arrives=day(10)), offer("X", available_until=day(365)), CLOSE], {}),
    ("who leaves has no short stay", "short", 0, [household("H", leaves=day(50)), offer("X", available_until=day(100)), CLOSE], {}),
    ("not shared: 4 − 2 beds", "spare", 200, [household("H"), offer("X"), CLOSE], {}),
    ("shared with rooms: 3 − 2 beds", "spare", 100, [household("H"), offer("X", rooms=(3, 9), **ROOMY), CLOSE], {}),
    ("shared without rooms", "spare", 0, [household("H"), offer("X", **ROOMY), CLOSE], {}),
    ("proposed elsewhere", "move", 2000, [household("H"), offer("X"), offer("Y"), CLOSE, stands("H", "Y", "proposed")], {}),
    ("proposed here", "move", 0, [household("H"), offer("X"), CLOSE, stands("H", "X", "proposed")], {}),
    ("rent 2 · 1.5 · 30 · 0.25", "rent", 225, [household("H"), offer("X", cost_per_person_night=Decimal("1.5")), CLOSE],
     {"rent": {"km_per_unit": 0.25}}),
    ("rent unknown", "rent", 0, [household("H"), offer("X"), CLOSE], {"rent": {"km_per_unit": 1}}),
    ("unplaced priority 3, 10 days: 1 · (40000 + 20)", "unplaced", 400200,
     [household("U", 1, waiting_since=day(-10)), household("H"), offer("X"), CLOSE], {}),
    ("unplaced priority 1, 400 days, 3 persons", "unplaced", 3 * 10 * (400000 + 730),
     [household("U", 3, priority=1, waiting_since=day(-400)), household("H"), offer("X"), CLOSE], {}),
    ("waiting since tomorrow", "unplaced", 120000,
     [household("U", 1, priority=5, waiting_since=day(1)), household("H"), offer("X"), CLOSE], {}),
    ("left out costs nothing", "unplaced", 0, [household("U", 1, consent="no"), household("H"), offer("X"), CLOSE], {}),
    ("linked: 3 · (2 + 1)/2 · 10.1 km = 45.45 -> 454.5 -> 455", "linked", 455, [household("H"), household("G", 1), offer("X"),
     offer("Y", at="C"), CLOSE, road("A", "C", 0), road("B", "C", "10.1"), stands("G", "Y"), tie("H", "G")], {}),
    ("linked, not agreed, same_accommodation missed: cap", "linked", 45000,
     [household("H"), household("G", 1), offer("X"), offer("Y", at="C"),
     CLOSE, road("A", "C", 0), stands("G", "Y"), tie("G", "H", required=True, kind="same_accommodation")], {}),
    ("linked in the direction of the row", "linked", 450, [household("H"), household("G", 1), offer("X"), offer("Y", at="C"), CLOSE,
     road("B", "C", 99), road("C", "B", 10), stands("G", "Y"), tie("G", "H")], {}),
    ("linked, soft apart broken", "linked", 45000, [household("H"), household("G", 1), offer("X", site_id="S"),
     offer("Y", at="C", site_id="S"), CLOSE, stands("G", "Y"), tie("G", "H", kind="apart")], {}),
    ("linked with an unplaced one", "linked", 0, [household("H"), household("U", 1), offer("X"), CLOSE, tie("H", "U")], {}),
    ("floor: ⌈0.5 · 5⌉ = 3 of g, 2 placed", "floors", 50000,
     [household("H", groups=frozenset({"g"})), household("U", 3, groups=frozenset({"g"})),
     offer("X"), CLOSE], {"floors": {"share": {"g": 0.5}}}),
    ("floor kept", "floors", 0, [household("H", groups=frozenset({"g"})), household("U", 2, groups=frozenset({"g"})), offer("X"), CLOSE],
     {"floors": {"share": {"g": 0.5}}}),
    ("floor does not count who gives no consent", "floors", 0, [household("H", groups=frozenset({"g"})),
     household("U", 9, groups=frozenset({"g"}), consent="no"), offer("X"), CLOSE], {"floors": {"share": {"g": 1}}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "term", "units", "rows", "sections"), CASES)
def test_term_by_hand(name: str, term: str, units: int, rows: list[Any], sections: dict[str, Any]) -> None:
    world, rules = instance(*rows), policy(**sections)
    where = {"H": "X"} | ({"G": "Y"} if any(getattr(row, "household_id", None) == "G" for row in world.households) else {})
    rooms = {"H": (3,)} if world.accommodations[0].rooms else {}
    placed, unplaced, terms = plan(world, rules, where, rooms)
    assert terms.get(term, 0) == units
    assert check_plan(world, rules, DAY, placed, unplaced, terms) == []
    assert codes(check_plan(world, rules, DAY, placed, unplaced, terms | {term: units + 1})) == {"cost_terms"}


def test_every_term_has_a_case() -> None:
    assert {term for _, term, *_ in CASES} == set(TERMS)
    assert len(CASES) >= 45


def test_unknown_term_is_a_fault() -> None:
    world = instance(household("H"), offer("X"), CLOSE)
    placed, unplaced, terms = plan(world, policy(), {"H": "X"})
    assert codes(check_plan(world, policy(), DAY, placed, unplaced, terms | {"joy": 1})) == {"cost_terms"}


@pytest.mark.parametrize(("protected", "payer"), [("", "A"), ("A", "A"), ("B", "B"), ("AB", "A")])
def test_link_is_charged_to_the_protected_one(protected: str, payer: str) -> None:
    rows = [household(i, 2, protected=i in protected) for i in "AB"]
    world = instance(*rows, offer("X"), offer("Y", at="C"), road("B", "C", 10), tie("A", "B"))
    placed, unplaced, terms = plan(world, policy(), {"A": "X", "B": "Y"})
    assert {row.household_id: row.terms["linked"] for row in placed} == {"A": 0, "B": 0} | {payer: 600}
    assert check_plan(world, policy(), DAY, placed, unplaced, terms) == []


def test_spare_of_a_party_stands_on_its_first_household() -> None:
    world = instance(household("A"), household("B", 1), offer("X", 6), tie("B", "A", kind="same_accommodation", required=True, agreed=True))
    placed, unplaced, terms = plan(world, policy(), {"A": "X", "B": "X"})
    assert {row.household_id: row.terms["spare"] for row in placed} == {"A": 300, "B": 0}
    assert check_plan(world, policy(), DAY, placed, unplaced, terms) == []
