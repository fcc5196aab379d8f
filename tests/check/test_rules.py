"""Every rule of the eligibility table, by a pair that it lets pass and a pair that it does not."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from matcher.check import check_plan
from matcher.check.rules import RULES
from tests.check.build import DAY, codes, day, decided, household, instance, member, offer, plan, policy, road, stands, tie

Rows = list[Any]
SEPARATE = {"rules": {"room_rule": "separate"}}


def one(h: dict[str, Any] | None = None, a: dict[str, Any] | None = None, *rows: Any) -> Rows:
    """H in X, 100 km away."""
    return [household("H", **(h or {})), offer("X", **(a or {})), road("A", "B", 100), *rows]


HOST = {"kind": "host_family", "vetted": True}
# code, what passes, what does not, policy
CASES: list[tuple[str, Rows, Rows, dict[str, Any]]] = [
    ("status", one(), one(a={"status": "planned"}), {}),
    ("vetted", one(a=HOST), one(a={"kind": "host_family"}), {}),
    ("size", one({"persons": 4}), one({"persons": 5}), {}),
    ("size", one(a={"min_persons": 2}), one(a={"min_persons": 3}), {}),
    ("size", one(a={"max_persons": 2}), one(a={"max_persons": 1}), {}),
    ("rent", one({"max_rent": Decimal("0.6")}, {"cost_per_person_night": Decimal("0.3")}),
     one({"max_rent": Decimal("0.6")}, {"cost_per_person_night": Decimal("0.3000000000000000000000000000001")}), {}),
    ("rent", one({"max_rent": Decimal(0)}, {"cost_per_person_night": Decimal(0)}), one({"max_rent": Decimal(9)}), {}),
    ("risk", one(a={"risk": Decimal("0.6")}), one(a={"risk": Decimal("0.61")}), {}),
    ("risk", one(a={"adm1": "UA05"}), one(a={"adm1": "UA14"}), {"risk": {"area": {"UA14": 0.9}}}),
    ("risk", one(a={"risk": Decimal(0)}), one(), {"risk": {"unknown": 0.7}}),
    ("needs", one({"needs": frozenset({"lift"})}, {"features": frozenset({"lift"})}), one({"needs": frozenset({"lift"})}), {}),
    ("needs", one({"needs": frozenset({"lift"})}, {"need_capacity": (("lift", 2),)}),
     one({"needs": frozenset({"lift"})}, {"need_capacity": (("lift", 1),)}), {}),
    ("pets", one({"pets": frozenset({"dog"})}, {"pets": frozenset({"dog", "cat"})}), one({"pets": frozenset({"dog"})}), {}),
    ("language", one({"languages": frozenset({"uk"})}, HOST | {"languages": frozenset({"uk", "pl"})}),
     one({}, HOST | {"languages": frozenset({"pl"})}), {}),
    ("language", one({}, {"languages": frozenset({"pl"})}),
     one({"languages": frozenset({"uk"})}, HOST | {"languages": frozenset({"pl"})}), {}),
    ("kind", one({"accepts": frozenset({"apartment"})}), one({"accepts": frozenset({"hotel"})}), {}),
    ("groups", one({"groups": frozenset({"w"})}, {"groups_only": frozenset({"w"})}), one({}, {"groups_only": frozenset({"w"})}), {}),
    ("area", one({"avoids": frozenset({"UA14"})}), one({"avoids": frozenset({"UA05"})}), {}),
    ("area", one({}, {"adm1": None}), one({"avoids": frozenset({"UA14"})}, {"adm1": None}), {}),
    ("dates", one({}, {"available_from": DAY}), one({}, {"available_from": day(1)}), {}),
    ("dates", one({"arrives": day(1)}, {"available_from": day(1)}), one({"arrives": day(-9)}, {"available_from": day(1)}), {}),
    ("dates", one({"leaves": day(9)}, {"available_until": day(9)}), one({"leaves": day(10)}, {"available_until": day(9)}), {}),
    ("dates", one({}, {"available_until": day(90)}), one({}, {"available_until": day(89)}), {}),
    ("distance", one({"max_km": Decimal(100)}), one({"max_km": Decimal("99.99")}), {}),
    ("distance", one(), [household("H"), offer("X"), road("B", "A", 100, blocked=True)], {}),
    ("rooms", one({"persons": 4}, {"capacity": 9, "rooms": (2, 2)}), one({"persons": 5}, {"capacity": 9, "rooms": (2, 2)}), {}),
    ("rooms", one({}, {"rooms": (2, 2)}), one({}, {"rooms": (4,)}), SEPARATE),
    ("override", one({}, {}, decided("H", "forbid", "Y")), one({}, {}, decided("H", "forbid", "X")), {}),
    ("override", one({}, {}, decided("H", "forbid", at="B", expires_at=day(-1))), one({}, {}, decided("H", "forbid", at="B")), {}),
    ("override", one({}, {}, decided("H", "pin", at="B")), one({}, {}, decided("H", "pin", at="C")), {}),
    ("tie", one({}, {}, tie("H", at="A", required=True, max_km=Decimal(100))),
     one({}, {}, tie("H", at="A", required=True, max_km=Decimal("99.9"))), {}),
    ("tie", one({}, {}, tie("H", at="B", required=True, kind="same_place")),
     one({}, {}, tie("H", at="A", required=True, kind="same_place")), {}),
    ("tie", one({}, {}, tie("H", at="A", required=True, kind="apart")), one({}, {}, tie("H", at="B", required=True, kind="apart")), {}),
    ("tie", one({}, {}, tie("H", at="A", required=True, kind="apart", max_km=Decimal("99.9"))),
     one({}, {}, tie("H", at="A", required=True, kind="apart", max_km=Decimal(100))), {}),
    ("tie", one({}, {"site_id": "S"}, tie("H", offer_id="Y", required=True, kind="same_site"), offer("Y", at="C", site_id="S")),
     one({}, {}, tie("H", offer_id="Y", required=True, kind="same_site"), offer("Y", at="B")), {}),
    ("tie", one({}, {}, tie("H", offer_id="X", required=True, kind="same_accommodation")),
     one({}, {}, tie("H", offer_id="Y", required=True, kind="same_accommodation"), offer("Y", status="closed")), {}),
    ("tie", one({}, {}, tie("H", offer_id="Y", required=True, kind="apart", max_km=Decimal(7)), offer("Y", at="C"), road("C", "B", 7)),
     one({}, {}, tie("H", offer_id="Y", required=True, kind="apart", max_km=Decimal("7.1")), offer("Y", at="C"), road("C", "B", 7)), {}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "good", "bad", "sections"), CASES)
def test_rule_lets_pass_and_stops(code: str, good: Rows, bad: Rows, sections: dict[str, Any]) -> None:
    rooms = {"H": next(row.rooms for row in good if getattr(row, "accommodation_id", None) == "X" and hasattr(row, "rooms")) or ()}
    rules = policy(**sections)
    assert check_plan(instance(*good), rules, DAY, *plan(instance(*good), rules, {"H": "X"}, rooms)) == []
    faults = check_plan(instance(*bad), rules, DAY, *plan(instance(*bad), rules, {"H": "X"}, rooms))
    assert code in codes(faults), faults


def test_every_rule_has_a_case() -> None:
    assert {code for code, *_ in CASES} == set(RULES)
    assert len(CASES) >= 35


def test_offer_named_by_a_quarantined_row_is_closed() -> None:
    rows = one()
    assert "status" in codes(
        check_plan(instance(*rows, closed=frozenset({"X"})), policy(), DAY, *plan(instance(*rows), policy(), {"H": "X"}))
    )


@pytest.mark.parametrize("from_free", [True, False])
def test_required_tie_to_a_fixed_household_is_measured_in_its_direction(from_free: bool) -> None:
    ends = ("H", "F") if from_free else ("F", "H")
    link = tie(ends[0], ends[1], required=True, agreed=True, max_km=Decimal(10))
    base = [household("H"), household("F"), offer("X"), offer("Y", at="C"), stands("F", "Y"), link]
    near = [road("B", "C", 10), road("C", "B", 11)] if from_free else [road("B", "C", 11), road("C", "B", 10)]
    far = [road("B", "C", 11), road("C", "B", 10)] if from_free else [road("B", "C", 10), road("C", "B", 11)]
    where = {"H": "X", "F": "Y"}
    good, bad = instance(*base, *near), instance(*base, *far)
    assert check_plan(good, policy(), DAY, *plan(good, policy(), where)) == []
    assert codes(check_plan(bad, policy(), DAY, *plan(bad, policy(), where))) == {"tie"}


def test_fixed_household_may_break_every_rule() -> None:
    rows = one(
        {"persons": 9, "pets": frozenset({"dog"})}, {"capacity": 1, "status": "closed"}, stands("H", "X"), member("M", "H", "head", 9)
    )
    assert check_plan(instance(*rows), policy(), DAY, *plan(instance(*rows), policy(), {"H": "X"})) == []
