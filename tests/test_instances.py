"""The instances that come with the program, and the stories that their README files tell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from matcher import Policy, read_instance, solve
from matcher.errors import InputError
from matcher.model import Instance, Spot
from matcher.places.gazetteer import gazetteer
from matcher.places.travel import great_circle_km
from matcher.policy import TiesPolicy, read_policy
from matcher.result import REASONS, PlacementRow, Result

INSTANCES = Path(__file__).parent.parent / "instances"
DATE = dt.date(2026, 11, 22)
NO_PULL = "ties count for nothing"


@cache
def instance(name: str) -> Instance:
    return read_instance(INSTANCES / name, quarantine=name.endswith("-faulty"))


@cache
def solved(name: str, date: dt.date = DATE, policy: str = "its own") -> Result:
    file = INSTANCES / name / "policy.toml"
    own = read_policy(file) if file.exists() else Policy()
    return solve(instance(name), Policy(ties=TiesPolicy(weight=Decimal(0))) if policy == NO_PULL else own, date=date)


def placed(result: Result) -> dict[str, PlacementRow]:
    return {row.household_id: row for row in result.placements}


def spot(name: str, row: PlacementRow) -> Spot:
    return next(a.spot for a in instance(name).accommodations if a.accommodation_id == row.accommodation_id)


def km(name: str, row: PlacementRow, place: str) -> float:
    return great_circle_km(spot(name, row), gazetteer().resolve(place))


@pytest.mark.parametrize("name", sorted(folder.name for folder in INSTANCES.iterdir() if folder.is_dir()))
def test_every_instance_tells_its_story_and_reads_as_it_says(name: str) -> None:
    assert len((INSTANCES / name / "README.md").read_text(encoding="utf-8")) > 500
    if name.endswith("-faulty"):
        with pytest.raises(InputError):
            read_instance(INSTANCES / name)
    else:
        assert instance(name).notices == ()


class TestChasivYar:
    NAME = "chasiv-yar"
    NOBODY = frozenset({"A39", "A40", "A41", "A42", "A43", "A44", "A45"})

    def test_the_plan_is_proved_optimal_and_only_who_did_not_agree_is_left_out(self) -> None:
        result = solved(self.NAME)
        assert result.status == "optimal"
        assert [(row.household_id, row.reason) for row in result.unplaced] == [("H060", "no_consent")]
        assert not self.NOBODY & {row.accommodation_id for row in result.placements}

    @pytest.mark.parametrize("date", [DATE, dt.date(2027, 3, 1)])
    def test_the_grandmother_comes_near_her_grandchild_though_others_want_the_flat(self, date: dt.date) -> None:
        home = placed(solved(self.NAME, date))["H017"]
        assert km(self.NAME, home, "Lviv") < 20
        lviv = gazetteer().resolve("Lviv").key
        assert sum(tie.spot is not None and tie.spot.key == lviv for tie in instance(self.NAME).ties) >= 5

    def test_where_nearness_to_family_counts_for_nothing_she_stays_nearer_home(self) -> None:
        home = placed(solved(self.NAME, policy=NO_PULL))["H017"]
        assert km(self.NAME, home, "Lviv") > 150

    def test_who_must_be_near_is_near_and_who_must_be_apart_is_apart(self) -> None:
        home = {name: spot(self.NAME, row) for name, row in placed(solved(self.NAME)).items()}
        assert great_circle_km(home["H005"], home["H006"]) < 10
        assert great_circle_km(home["H028"], home["H029"]) > 35
        plan = placed(solved(self.NAME))
        assert plan["H044"].accommodation_id == plan["H045"].accommodation_id

    def test_decisions_and_facts_stand(self) -> None:
        plan = placed(solved(self.NAME))
        assert (plan["H033"].accommodation_id, plan["H050"].accommodation_id, plan["H051"].accommodation_id) == ("A20", "A02", "A16")
        assert plan["H026"].accommodation_id == "A18"
        assert plan["H059"].accommodation_id == "A17"
        assert {name for name, row in plan.items() if row.protected} == {"H031"}


class TestPokrovskMonth:
    NAME = "pokrovsk-month"

    def test_it_has_the_size_that_the_charity_reported(self) -> None:
        month = instance(self.NAME)
        assert len(month.households) == 370
        assert len(month.accommodations) == 170
        assert sum(household.persons for household in month.households) == len(month.members) == 1000
        assert sum(member.age is not None and member.age < 18 for member in month.members) == 300
        assert sum("limited_mobility" in household.groups for household in month.households) == 60

    @pytest.mark.slow
    def test_nearly_everybody_is_placed_and_the_gap_is_small(self) -> None:
        result = solved(self.NAME)
        assert sum(row.persons for row in result.placements) > 900
        assert result.gap < 0.01


class TestHardNight:
    NAME = "hard-night"
    REASON = {
        **dict.fromkeys(("N001", "N002", "N031"), "no_consent"),
        **dict.fromkeys(("N004", "N011"), "held"),
        **dict.fromkeys(("N005", "N006", "N009"), "no_eligible"),
        **dict.fromkeys(("N007", "N008"), "tie"),
        **dict.fromkeys(("N010", "N012"), "split_pair"),
        "N003": "no_adult",
        "N013": "policy",
    }

    def test_there_are_a_third_more_people_than_beds(self) -> None:
        night = instance(self.NAME)
        persons = sum(household.persons for household in night.households)
        nobody = {"O25", "O26", "O27", "O28"}
        beds = sum(offer.capacity for offer in night.accommodations if offer.accommodation_id not in nobody)
        assert (persons, beds) == (293, 220)

    def test_every_reason_but_quarantine_occurs_where_the_readme_says(self) -> None:
        result = solved(self.NAME)
        reason = {row.household_id: row.reason for row in result.unplaced}
        assert set(reason.values()) == set(REASONS) - {"quarantined"}
        assert {name: reason.get(name) for name in self.REASON} == self.REASON

    def test_the_plan_is_proved_optimal(self) -> None:
        assert solved(self.NAME).status == "optimal"

    def test_decisions_and_facts_stand(self) -> None:
        plan = placed(solved(self.NAME))
        fixed = {"N022": "O05", "N024": "O09", "N025": "O04", "N028": "O03", "N029": "O13"}
        assert {name: plan[name].accommodation_id for name in fixed} == fixed
        assert plan["N023"].place == "Poltava"
        assert not {"O25", "O26", "O27", "O28"} & {row.accommodation_id for row in plan.values()}

    def test_beds_serve_again_on_another_night(self) -> None:
        plan = placed(solved(self.NAME))
        guests: dict[str, int] = {}
        for row in plan.values():
            guests[row.accommodation_id] = guests.get(row.accommodation_id, 0) + row.persons
        crowded = [a for a in instance(self.NAME).accommodations if guests.get(a.accommodation_id, 0) > a.capacity]
        assert crowded  # more guests in all than beds, though never in one night


class TestHardNightFaulty:
    NAME = "hard-night-faulty"

    def test_strict_reading_names_every_fault_at_once(self) -> None:
        with pytest.raises(InputError) as caught:
            read_instance(INSTANCES / self.NAME)
        assert len(caught.value.faults) == 12

    def test_quarantine_leaves_out_whom_a_faulty_row_names_and_closes_the_offers(self) -> None:
        assert instance(self.NAME).left_out == {"N050", "N060", "N065", "N124", "N127"}
        assert instance(self.NAME).closed == {"O12", "O18"}

    def test_with_it_every_reason_occurs(self) -> None:
        result = solved(self.NAME)
        reason = {row.household_id: row.reason for row in result.unplaced}
        assert set(reason.values()) == set(REASONS)
        quarantined = {name for name, code in reason.items() if code == "quarantined"}
        assert quarantined >= {"N050", "N060", "N065", "N124", "N127"}

    def test_but_for_the_rows_added_it_is_the_hard_night(self) -> None:
        for file in (INSTANCES / "hard-night").glob("*.csv"):
            lines = file.read_text(encoding="utf-8").splitlines()
            assert (INSTANCES / self.NAME / file.name).read_text(encoding="utf-8").splitlines()[: len(lines)] == lines
