"""What binds rows together: capacity by night, rooms, parties, links, pins, facts. A plan that holds, and one that does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from matcher.check import check_plan
from matcher.model import Instance
from tests.check.build import DAY, codes, day, decided, household, instance, member, offer, plan, policy, road, stands, tie

SHARED = {"shared": True}
AGREED = {"required": True, "agreed": True}
STEP = frozenset({"step_free"})
Where = dict[str, str]
Rooms = dict[str, tuple[int, ...]]
SPLIT = {"A": "X", "B": "Y"}
THREE_STEP_FREE = {"need_capacity": (("step_free", 3),)}


def faults_of(world: Instance, where: Where, rooms: Rooms | None = None, **sections: Any) -> set[str]:
    rules = policy(**sections)
    return codes(check_plan(world, rules, DAY, *plan(world, rules, where, rooms)))


def both(**more: Any) -> Where:
    return {"A": "X", "B": "X"} | more


def pair(a: dict[str, Any] | None = None, b: dict[str, Any] | None = None, *rows: Any, **x: Any) -> Instance:
    """A and B, 2 persons each, and a shared offer X for 4."""
    return instance(household("A", **(a or {})), household("B", **(b or {})), offer("X", **({"capacity": 4} | SHARED | x)), *rows)


def lost(i: str, world: Instance) -> Instance:
    """A quarantined row names the household."""
    return world.model_copy(update={"left_out": frozenset({i})})


# code, a plan that holds, a plan that does not: instance, where, rooms
Case = tuple[Instance, Where, Rooms]
CASES: list[tuple[str, str, Case, Case]] = [
    ("beds", "capacity", (pair(), both(), {}), (pair(capacity=3), both(), {})),
    ("beds by night", "capacity", (pair({"leaves": day(9)}, {"arrives": day(9)}, capacity=2), both(), {}),
     (pair({"leaves": day(10)}, {"arrives": day(9)}, capacity=2), both(), {})),
    ("a stay that is over uses nothing", "capacity", (pair({"leaves": DAY}, {}, capacity=2), both(), {}),
     (pair({"leaves": day(1)}, {}, capacity=2), both(), {})),
    ("beds left by facts", "capacity",
     (pair({}, {}, stands("A", "X")), both(), {}), (pair({}, {}, stands("A", "X"), capacity=3), both(), {})),
    ("facts may overfill, others not", "capacity", (pair({}, {}, stands("A", "X"), stands("B", "X"), capacity=3), both(), {}),
     (pair({}, {}, household("C", 1), stands("A", "X"), stands("B", "X"), capacity=3), both(C="X"), {})),
    ("one unit", "unit", (pair({}, {}, offer("Y"), shared=False), SPLIT, {}), (pair(shared=False), both(), {})),
    ("unit by night", "unit", (pair({"leaves": day(9)}, {"arrives": day(9)}, shared=False), both(), {}),
     (pair({"leaves": day(9)}, {"arrives": day(8)}, shared=False), both(), {})),
    ("rooms of each size", "rooms",
     (pair(rooms=(2, 2, 3)), both(), {"A": (2,), "B": (3,)}), (pair(rooms=(2, 3)), both(), {"A": (2,), "B": (2,)})),
    ("rooms by night", "rooms", (pair({"leaves": day(2)}, {"arrives": day(2)}, rooms=(2,)), both(), {"A": (2,), "B": (2,)}),
     (pair({}, {"arrives": day(2)}, rooms=(2,)), both(), {"A": (2,), "B": (2,)})),
    ("rooms exist", "rooms", (pair(rooms=(2, 3)), {"A": "X"}, {"A": (3,)}), (pair(rooms=(2, 3)), {"A": "X"}, {"A": (4,)})),
    ("rooms hold", "rooms", (pair(rooms=(1, 1)), {"A": "X"}, {"A": (1, 1)}), (pair(rooms=(1, 1)), {"A": "X"}, {"A": (1,)})),
    ("rooms minimal", "rooms", (pair(rooms=(1, 1, 2)), {"A": "X"}, {"A": (2,)}), (pair(rooms=(1, 1, 2)), {"A": "X"}, {"A": (1, 2)})),
    ("rooms ascending", "rooms", (pair({"persons": 3}, {}, rooms=(1, 2)), {"A": "X"}, {"A": (1, 2)}),
     (pair({"persons": 3}, {}, rooms=(1, 2)), {"A": "X"}, {"A": (2, 1)})),
    ("rooms where none are", "rooms", (pair(), {"A": "X"}, {}), (pair(), {"A": "X"}, {"A": (2,)})),
    ("rooms needed", "rooms", (pair(rooms=(2,)), {"A": "X"}, {"A": (2,)}), (pair(rooms=(2,)), {"A": "X"}, {})),
    ("all rooms of a flat", "rooms", (pair(shared=False, rooms=(2, 2)), {"A": "X"}, {"A": (2, 2)}),
     (pair(shared=False, rooms=(2, 2)), {"A": "X"}, {"A": (2,)})),
    ("beds for a need", "need", (pair({"needs": STEP}, {}, need_capacity=(("step_free", 2),)), both(), {}),
     (pair({"needs": STEP}, {"needs": STEP}, **THREE_STEP_FREE), both(), {})),
    ("a need in the features has no limit", "need", (pair({"needs": STEP}, {"needs": STEP}, **THREE_STEP_FREE, features=STEP), both(), {}),
     (pair({"needs": STEP}, {"needs": STEP}, **THREE_STEP_FREE), both(), {})),
    ("party", "party", (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED)), both(), {}),
     (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED)), {"A": "X"}, {})),
    ("party apart", "party", (pair({}, {}, offer("Y"), tie("A", "B", kind="same_accommodation", required=True)), SPLIT, {}),
     (pair({}, {}, offer("Y"), tie("A", "B", kind="same_accommodation", **AGREED)), SPLIT, {})),
    ("party counts together", "size", (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED), max_persons=4), both(), {}),
     (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED), max_persons=3), both(), {})),
    ("party needs beds for all", "size", (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED)), both(), {}),
     (pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED), capacity=3), both(), {})),
    ("a pin places who has no adult", "left_out", (pair({}, {}, member("M", "A", "head", 9), decided("A", "pin", "X")), {"A": "X"}, {}),
     (pair({}, {}, member("M", "A", "head", 9)), {"A": "X"}, {})),
    ("a fact without an adult", "left_out", (pair({}, {}, member("M", "A", "head"), stands("A", "X")), {"A": "X"}, {}),
     (pair({}, {}, member("M", "A", "head"), stands("A", "X", "proposed")), {"A": "X"}, {})),
    ("quarantined facts stay", "left_out", (lost("A", pair({}, {}, stands("A", "X", "accepted"))), {"A": "X"}, {}),
     (lost("A", pair({}, {}, stands("A", "X", "proposed"))), {"A": "X"}, {})),
    ("same_site", "link", (pair({}, {}, offer("Y", site_id="S"), tie("A", "B", kind="same_site", **AGREED), site_id="S"), SPLIT, {}),
     (pair({}, {}, offer("Y"), tie("A", "B", kind="same_site", **AGREED)), SPLIT, {})),
    ("same_place", "link", (pair({}, {}, offer("Y"), tie("A", "B", kind="same_place", **AGREED)), SPLIT, {}),
     (pair({}, {}, offer("Y", at="C"), tie("A", "B", kind="same_place", **AGREED)), SPLIT, {})),
    ("near", "link", (pair({}, {}, offer("Y", at="C"), road("B", "C", 5), tie("A", "B", max_km=Decimal(5), **AGREED)), SPLIT, {}),
     (pair({}, {}, offer("Y", at="C"), road("B", "C", "5.1"), tie("A", "B", max_km=Decimal(5), **AGREED)), SPLIT, {})),
    ("both or neither", "link", (pair({}, {}, tie("A", "B", kind="same_place", required=True)), {"A": "X"}, {}),
     (pair({}, {}, tie("A", "B", kind="same_place", **AGREED)), {"A": "X"}, {})),
    ("apart", "link", (pair({}, {}, tie("A", "B", kind="apart", required=True)), {"A": "X"}, {}),
     (pair({}, {}, tie("A", "B", kind="apart", required=True)), both(), {})),
    ("apart by km", "link",
     (pair({}, {}, offer("Y", at="C"), road("B", "C", 5), tie("A", "B", kind="apart", required=True, max_km=Decimal(5))), SPLIT, {}),
     (pair({}, {}, offer("Y", at="C"), road("B", "C", "4.9"), tie("A", "B", kind="apart", required=True, max_km=Decimal(5))),
      SPLIT, {})),
    ("facts need no link", "link",
     (pair({}, {}, stands("A", "X"), stands("B", "X"), tie("A", "B", kind="apart", required=True)), both(), {}),
     (pair({}, {}, tie("A", "B", kind="apart", required=True)), both(), {})),
    ("bound to one left out", "split_pair", (pair({}, {"consent": "no"}, tie("B", "A", kind="same_place", required=True)), {"A": "X"}, {}),
     (pair({}, {"consent": "no"}, tie("B", "A", kind="same_place", **AGREED)), {"A": "X"}, {})),
    ("pin", "pin", (pair({}, {}, decided("A", "pin", "X")), {"A": "X"}, {}), (pair({}, {}, decided("A", "pin", "X")), {"B": "X"}, {})),
    ("pin of a fact", "pin", (pair({}, {}, stands("A", "X"), decided("A", "pin", at="B")), {"A": "X"}, {}),
     (pair({}, {}, stands("A", "X"), decided("A", "pin", "Y")), {"A": "X"}, {})),
    ("pin lapsed", "pin", (pair({}, {}, decided("A", "pin", "X", expires_at=day(-1))), {"B": "X"}, {}),
     (pair({}, {}, decided("A", "pin", "X", expires_at=DAY)), {"B": "X"}, {})),
    ("hold", "left_out", (pair({}, {}, decided("A", "hold", expires_at=day(-1))), {"A": "X"}, {}),
     (pair({}, {}, decided("A", "hold")), {"A": "X"}, {})),
    ("hold against a fact", "left_out", (pair({}, {}, stands("A", "X"), decided("A", "hold")), {"A": "X"}, {}),
     (pair({}, {}, stands("A", "X", "proposed"), decided("A", "hold")), {"A": "X"}, {})),
    ("consent", "left_out", (pair({"consent": "unknown"}, {}, stands("A", "X", "accepted")), {"A": "X"}, {}),
     (pair({"consent": "no"}, {}, stands("A", "X", "accepted")), {"A": "X"}, {})),
    ("facts stay", "fixed", (pair({}, {}, stands("A", "X")), {"A": "X"}, {}),
     (pair({}, {}, offer("Y"), stands("A", "Y", "accepted")), {"A": "X"}, {})),
    ("facts are placed", "fixed", (pair({}, {}, stands("A", "X")), {"A": "X"}, {}), (pair({}, {}, stands("A", "X")), {}, {})),
]  # fmt: skip


@pytest.mark.parametrize(("name", "code", "good", "bad"), CASES)
def test_plan_holds_or_not(name: str, code: str, good: Case, bad: Case) -> None:
    assert faults_of(*good) == set()
    assert code in faults_of(*bad)


def test_every_code_has_a_case() -> None:
    assert {code for _, code, *_ in CASES} == {
        "capacity", "unit", "rooms", "need", "party", "size", "link", "split_pair", "pin", "left_out", "fixed",
    }  # fmt: skip
    assert len(CASES) >= 35


def test_pinned_and_held() -> None:
    assert "pin" in faults_of(pair({}, {}, decided("A", "pin", "X"), decided("A", "hold")), {})


def test_party_stays_of_different_length() -> None:
    """The unit is used while any of them is there, beds only by who is."""
    same = tie("A", "B", kind="same_accommodation", **AGREED)
    long, short = {"leaves": day(9)}, {"leaves": day(3)}
    late = household("C", 2, arrives=day(3))
    assert faults_of(pair(long, short, same, late, capacity=4), both(C="X")) == set()
    assert faults_of(pair(long, short, same, late, capacity=4, shared=False), both(C="X")) == {"unit"}


# rooms of the offer, standing rows, rooms that are right for each household
FIXED: list[tuple[str, tuple[int, ...], bool, list[Any], dict[str, tuple[int, ...]]]] = [
    ("best set: fewest beds", (2, 3, 4), True, [stands("A", "X")], {"A": (2,)}),
    ("fewest rooms", (1, 1, 2), True, [stands("A", "X")], {"A": (2,)}),
    ("given first, then what is left", (2, 3), True, [stands("A", "X"), stands("B", "X", rooms=(2,))], {"A": (3,), "B": (2,)}),
    ("in order of the ids", (2, 3), True, [stands("B", "X"), stands("A", "X")], {"A": (2,), "B": (3,)}),
    ("none left: the best of all", (2,), True, [stands("A", "X"), stands("B", "X")], {"A": (2,), "B": (2,)}),
    ("none holds: all", (1,), True, [stands("A", "X")], {"A": (1,)}),
    ("flat: all", (2, 1), False, [stands("A", "X")], {"A": (1, 2)}),
    ("given is kept, though it is no room there", (2, 3), True, [stands("A", "X", rooms=(5, 4))], {"A": (4, 5)}),
    ("party: together on the first", (2, 4), True, [stands("A", "X"), stands("B", "X"), tie("A", "B", kind="same_accommodation", **AGREED)],
     {"A": (4,), "B": ()}),
    ("party: given rooms of both", (2, 4), True,
     [stands("A", "X", rooms=(4,)), stands("B", "X", rooms=(2,)), tie("A", "B", kind="same_accommodation", **AGREED)],
     {"A": (2, 4), "B": ()}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rooms", "shared", "rows", "right"), FIXED)
def test_rooms_of_facts(name: str, rooms: tuple[int, ...], shared: bool, rows: list[Any], right: Rooms) -> None:
    world = pair({}, {}, *rows, rooms=rooms, shared=shared)
    placed, unplaced, terms = plan(world, policy(), dict.fromkeys(right, "X"))
    assert {row.household_id: row.rooms for row in placed} == right
    assert check_plan(world, policy(), DAY, placed, unplaced, terms) == []
    wrong = [replace(placed[0], rooms=(7,)), *placed[1:]]
    assert "fixed_rooms" in codes(check_plan(world, policy(), DAY, wrong, unplaced, terms))
    assert len(FIXED) == 10


def test_rooms_of_a_party_stand_on_its_first_row() -> None:
    world = pair({}, {}, tie("A", "B", kind="same_accommodation", **AGREED), rooms=(2, 4))
    placed, unplaced, terms = plan(world, policy(), both(), {"A": (4,)})
    assert check_plan(world, policy(), DAY, placed, unplaced, terms) == []
    turned = [replace(placed[0], rooms=()), replace(placed[1], rooms=(4,))]
    assert "rooms" in codes(check_plan(world, policy(), DAY, turned, unplaced, terms))


def test_separate_rooms_must_be_enough() -> None:
    """Two strangers need two rooms, so {4} is too little and {2, 2} minimal."""
    world = pair(rooms=(2, 2, 4))
    separate = {"rules": {"room_rule": "separate"}}
    assert faults_of(world, {"A": "X"}, {"A": (2, 2)}, **separate) == set()
    assert faults_of(world, {"A": "X"}, {"A": (4,)}, **separate) == {"rooms"}
    assert faults_of(world, {"A": "X"}, {"A": (2, 2, 4)}, **separate) == {"rooms"}
