"""Decisions that a coordinator would check by eye: each folder beside this file is one, with its reason in why.md."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from matcher import Policy, publish, read_instance, solve
from matcher.errors import ContradictionError, InputError
from matcher.model import Instance
from tests.oracle.brute import Reading, brute_force

CASES = Path(__file__).parent
DATE = dt.date(2026, 11, 22)
QUARANTINED = {"a_misspelt_apart_row"}
CONTRADICTORY = {"a_pin_stays_a_wish_within_the_rules"}
NAMES = sorted(path.name for path in CASES.iterdir() if (path / "why.md").is_file())


@dataclass(frozen=True)
class Case:
    instance: Instance
    policy: Policy
    date: dt.date


def read(name: str) -> Instance:
    return read_instance(CASES / name, quarantine=True) if name in QUARANTINED else read_instance(CASES / name)


def decide(name: str) -> Any:
    return solve(read(name), Policy(), date=DATE)


def where(name: str) -> dict[str, str]:
    """household → offer, or the reason in brackets."""
    result = decide(name)
    found = {row.household_id: row.accommodation_id for row in result.placements}
    return found | {row.household_id: f"({row.reason})" for row in result.unplaced}


def test_a_wheelchair_user_before_a_family() -> None:
    assert where("a_wheelchair_user_before_a_family") == {"wheelchair_user": "flat", "family_of_four": "(no_capacity)"}


def test_wishes_leave_nobody_out() -> None:
    assert where("wishes_leave_nobody_out") == {"family": "flat"}


def test_near_danger_is_not_chosen() -> None:
    assert where("near_danger_is_not_chosen") == {"can_go_far": "far_and_safe", "cannot_go_far": "(no_eligible)"}


def test_sisters_share_a_flat() -> None:
    assert where("sisters_share_a_flat") == {"olha": "flat_for_four", "iryna": "flat_for_four"}


def test_an_unvetted_host_gets_nobody() -> None:
    assert where("an_unvetted_host_gets_nobody") == {"mother_and_child": "(no_eligible)"}


def test_bound_to_one_without_consent() -> None:
    found = where("bound_to_one_without_consent")
    assert found["grandmother"] == "(no_consent)"
    assert found["daughter"] == "(split_pair)"
    assert found["friend"].startswith("flat_")


def test_children_without_an_adult() -> None:
    assert where("children_without_an_adult") == {
        "brother_and_sister": "(no_adult)",
        "ages_unknown": "(no_adult)",
        "decided_by_a_person": "flat_2",
    }


def test_an_overfilled_centre_takes_nobody_new() -> None:
    result = decide("an_overfilled_centre_takes_nobody_new")
    [kept] = result.placements
    assert (kept.household_id, kept.accommodation_id, kept.status) == ("accepted_there", "centre", "accepted")
    [left] = result.unplaced
    assert left.household_id == "new_one"


def test_a_misspelt_apart_row_is_a_fault() -> None:
    with pytest.raises(InputError) as caught:
        read_instance(CASES / "a_misspelt_apart_row")
    assert sorted((fault.file, fault.line) for fault in caught.value.faults) == [("ties.csv", 2), ("ties.csv", 3)]


def test_a_misspelt_apart_row_keeps_both_out() -> None:
    found = where("a_misspelt_apart_row")
    assert found["nobody_named"] == "centre"
    assert found["olena"] == "(quarantined)"  # who was meant by "tarass" nobody can tell, but not both of them are placed
    assert found["maria"] == found["petro"] == "(quarantined)"


@pytest.mark.parametrize("row", ["olenna,taras,apart", "olena,tarass,apart", ",taras,apart", "olena,,apart"])
def test_whatever_is_misspelt_both_are_never_placed(row: str, tmp_path: Path) -> None:
    for file in ("households.csv", "accommodations.csv"):
        (tmp_path / file).write_bytes((CASES / "a_misspelt_apart_row" / file).read_bytes())
    (tmp_path / "ties.csv").write_text(f"household_id,other_household_id,kind\n{row}\n", encoding="utf-8")
    with pytest.raises(InputError):
        read_instance(tmp_path)
    try:
        instance = read_instance(tmp_path, quarantine=True)
    except InputError:
        return  # the household cannot be told: the run stops
    placed = {p.household_id for p in solve(instance, Policy(), date=DATE).placements}
    assert not {"olena", "taras"} <= placed


def test_a_protected_destination(tmp_path: Path) -> None:
    result = decide("a_protected_destination")
    places = {row.household_id: row.accommodation_id for row in result.placements}
    assert places == {"case_4711": "quiet_house", "case_4712": "quiet_house", "neighbours": "flat"}
    assert {row.household_id for row in result.placements if row.protected} == {"case_4711", "case_4712"}

    publish(result, tmp_path / "out")
    files = {path.name: path.read_bytes().decode("utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    own = files.pop("placements_protected.csv")
    assert all(word in own for word in ("case_4711", "case_4712", "quiet_house", "Sokilnyky"))
    assert "neighbours" not in own
    assert "neighbours" in files["placements.csv"]
    for name, text in files.items():
        for who in ("case_4711", "case_4712"):
            assert who not in text or not any(word in text for word in ("quiet_house", "Sokilnyky")), name
        assert name != "placements.csv" or not any(word in text for word in ("case_4711", "case_4712", "quiet_house", "Sokilnyky"))


def test_a_protected_household_with_friends(tmp_path: Path) -> None:
    result = decide("a_protected_household_with_friends")
    places = {row.household_id: row.accommodation_id for row in result.placements}
    assert places == {"case_4711": "quiet_house", "friends": "flat"}
    publish(result, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file() and path.name != "placements_protected.csv":
            assert b"case_4711" not in path.read_bytes(), path.name


def test_steps_that_nobody_has_counted() -> None:
    assert where("steps_that_nobody_has_counted") == {"wheelchair_user": "(no_eligible)"}


def test_a_family_with_a_dog() -> None:
    assert where("a_family_with_a_dog") == {"family_with_dog": "far"}


def test_moved_in_is_home() -> None:
    found = where("moved_in_is_home")
    assert found["lives_there"] == "flat_without_steps"
    assert found["urgent"].startswith("(")


def test_a_proposal_stays_for_small_gains() -> None:
    assert where("a_proposal_stays_for_small_gains") == {"family": "proposed"}


def test_a_proposal_moves_for_large_gains() -> None:
    [row] = decide("a_proposal_moves_for_large_gains").placements
    assert (row.accommodation_id, row.changed_from, row.status) == ("much_nearer", "proposed", "proposed")


def test_apart_by_kilometres() -> None:
    assert where("apart_by_kilometres") == {"she": "in_lviv", "he": "in_ternopil"}


def test_who_has_waited_longer_goes_first() -> None:
    assert where("who_has_waited_longer_goes_first") == {"a_newcomer": "(no_capacity)", "b_waiting_since_spring": "flat"}


def test_unknown_consent_is_not_yes() -> None:
    assert where("unknown_consent_is_not_yes") == {"not_asked_yet": "(no_consent)", "said_no": "(no_consent)", "said_yes": "centre"}


def test_places_without_steps_count_persons() -> None:
    assert where("places_without_steps_count_persons") == {
        "first": "centre",
        "second": "centre",
        "third": "(no_capacity)",
        "large": "(no_eligible)",
        "others": "centre",
    }


def test_a_bed_serves_again() -> None:
    assert where("a_bed_serves_again") == {"for_a_week": "flat", "arrives_friday": "flat", "arrives_thursday": "(no_capacity)"}


def test_consent_withdrawn_frees_the_bed() -> None:
    assert where("consent_withdrawn_frees_the_bed") == {
        "changed_its_mind": "(no_consent)",
        "lives_there": "lived_in_flat",
        "next_one": "accepted_flat",
    }


def test_strangers_never_share_a_room() -> None:
    result = decide("strangers_never_share_a_room")
    assert {row.household_id: row.rooms for row in result.placements} == {"a_woman": (2,), "another_woman": (2,)}
    assert [row.household_id for row in result.unplaced] == ["a_third_woman"]


def test_a_price_that_nobody_has_named() -> None:
    assert where("a_price_that_nobody_has_named") == {"poor_family": "just_right"}


def test_an_avoided_oblast() -> None:
    assert where("an_avoided_oblast") == {"avoids_dnipro": "in_poltava"}


def test_a_road_that_is_blocked() -> None:
    assert where("a_road_that_is_blocked") == {"family": "far"}


def test_a_decision_expires() -> None:
    assert where("a_decision_expires") == {"until_yesterday": "centre", "through_today": "(held)"}


def test_a_wish_for_company_does_not_bind() -> None:
    assert where("a_wish_for_company_does_not_bind") == {"andrii": "flat_for_three", "bohdan": "flat_for_two"}


def test_a_pin_stays_a_wish_within_the_rules() -> None:
    with pytest.raises(ContradictionError) as caught:
        decide("a_pin_stays_a_wish_within_the_rules")
    assert caught.value.ids == ("wheelchair_user",)
    assert "needs" in str(caught.value) or "step_free" in str(caught.value)


def test_every_folder_has_a_test_and_a_reason() -> None:
    assert all(any(test.startswith(f"test_{name}") for test in globals()) for name in NAMES)
    assert all(len((CASES / name / "why.md").read_text(encoding="utf-8").splitlines()) == 1 for name in NAMES)
    assert len(NAMES) >= 16


@pytest.mark.parametrize("name", NAMES)
def test_the_oracle_agrees(name: str) -> None:
    case = Case(read(name), Policy(), DATE)
    best = brute_force(case)
    if name in CONTRADICTORY:
        assert not best.feasible
        return
    result = decide(name)
    assert result.status == "optimal"
    assert result.cost.total == best.cost
    placed = {row.household_id: row.accommodation_id for row in result.placements}
    expected = {h: stay[0] for h, stay in best.placements.items() if stay is not None}
    assert Reading(case).left_out == {row.household_id: row.reason for row in result.unplaced if row.household_id in best.left_out}
    assert placed.keys() == expected.keys()
