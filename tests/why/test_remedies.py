"""Remedies: the smallest change of the first kind that helps, true when it is solved, and never of what may not change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from matcher import Policy, read_instance, solve
from matcher.advise.remedies import find_remedies, with_remedies
from matcher.changes import REMEDY_KINDS, AddOffer, ChangeHousehold, ChangeTie, Remedies, Remedy, apply
from matcher.i18n import translator
from matcher.policy import policy_from_plain
from matcher.result import LEFT_OUT_REASONS, Result
from matcher.wording.remedies import remedy_sentence
from tests.io.sample import write
from tests.runs import DATE, INSTANCES, generated, instance_of, policy_of, scratch, solved

HOUSEHOLDS = "household_id,persons,place,priority,arrives,leaves,needs,wants,max_km,accepts,avoids,protected,max_rent"
OFFERS = "accommodation_id,place,kind,capacity,shared,features,available_from,available_until,cost_per_person_night"
TIES = "household_id,place,other_household_id,kind,max_km,required,agreed"


def run(name: str, households: list[str], offers: list[str], ties: list[str] | None = None, policy: Policy | None = None) -> Result:
    """A tiny instance, solved; cells left away at the end of a row are empty."""
    files = {"households": _table(HOUSEHOLDS, households), "accommodations": _table(OFFERS, offers), "ties": _table(TIES, ties or [])}
    return solve(read_instance(write(scratch() / f"remedies-{name}", files)), policy, date=DATE)


def _table(header: str, rows: list[str]) -> str:
    width = header.count(",")
    return "".join(f"{row}{',' * (width - row.count(','))}\n" for row in [header, *rows])


def remedy_of(result: Result, household_id: str = "H1") -> Remedy:
    return find_remedies(result).found[household_id]


def holds(result: Result, remedy: Remedy, *, one_best_plan: bool = True) -> None:
    """The change, made on the rows and solved like any instance, places the household and unplaces nobody.

    one_best_plan: no other plan costs as little, so that what the remedy says of the plan with it can be compared, too.
    """
    assert result.instance is not None and result.policy is not None
    instance, policy = apply(result.instance, result.policy, [remedy.change])
    again = solve(instance, policy, date=DATE)
    now = {row.household_id: row for row in again.placements}
    assert remedy.household_id in now, remedy
    assert {row.household_id for row in result.placements} <= set(now), remedy
    if not one_best_plan:
        return
    if remedy.accommodation_id is not None:
        assert now[remedy.household_id].accommodation_id == remedy.accommodation_id
    before = {row.household_id: row.accommodation_id for row in result.placements}
    assert remedy.moved == sum(now[i].accommodation_id != home for i, home in before.items())
    gained = sum(row.persons for i, row in now.items() if i not in before and i != remedy.household_id)
    assert remedy.also_placed == gained or remedy.kind == "offer"  # who is bound to the household is not "also"


def said(remedy: Remedy) -> str:
    return remedy_sentence(remedy, translator("en"))


def test_its_own_date_comes_first_and_by_as_little_as_helps() -> None:
    offers = ["A1,Poltava,apartment,2,,,2026-11-30", "A2,Poltava,apartment,2,,,2026-11-27", "A3,Lviv,apartment,2"]
    result = run("date", ["H1,2,Kharkiv,3,,,,,200"], offers)
    remedy = remedy_of(result)
    assert (remedy.kind, remedy.accommodation_id) == ("arrives", "A2")
    assert said(remedy) == "If the household arrived on 27 November 2026 instead of at once."
    assert remedy.option == ("--change-household", "household_id=H1,arrives=2026-11-27")
    holds(result, remedy)


def test_leaving_earlier() -> None:
    result = run("leaves", ["H1,2,Kharkiv,3,,2026-12-20"], ["A1,Poltava,apartment,2,,,,2026-12-10"])
    remedy = remedy_of(result)
    assert said(remedy) == "If the household left on 10 December 2026 instead of 20 December 2026."
    holds(result, remedy)


def test_a_date_is_not_moved_by_months() -> None:
    result = run("months", ["H1,2,Kharkiv"], ["A1,Poltava,apartment,2,,,2027-03-01"])
    assert remedy_of(result).kind == "offer"


def test_the_longest_journey_by_as_little_as_helps() -> None:
    offers = ["A1,Lviv,apartment,2", "A2,Poltava,apartment,2", "A3,Poltava,apartment,1"]
    result = run("km", ["H1,2,Kharkiv,3,,,,,50", "H2,2,Kharkiv,3,,,,,1100"], offers)
    remedy = remedy_of(result)
    assert remedy.kind == "max_km" and isinstance(remedy.change, ChangeHousehold)
    km = remedy.change.fields["max_km"]
    assert 100 < km < 900 and remedy.accommodation_id == "A2" and remedy.moved == 1  # H2 can go on to Lviv
    assert said(remedy).startswith(
        f"If the household could travel {km} km instead of 50 km; 1 other household would then be proposed another place"
    )
    holds(result, remedy)
    assert result.instance is not None
    shorter = ChangeHousehold("H1", {"max_km": km - 1})
    again = solve(apply(result.instance, Policy(), [shorter])[0], date=DATE)
    assert "H1" not in {row.household_id for row in again.placements}


def test_another_kind_alone() -> None:
    offers = ["A1,Poltava,dormitory,2", "A2,Poltava,hotel,1"]
    result = run("kind", ["H1,2,Kharkiv,3,,,,,,apartment"], offers)
    remedy = remedy_of(result)
    assert said(remedy) == "If the household accepted another kind of accommodation: dormitory."
    holds(result, remedy)


def test_an_avoided_oblast_is_a_question_to_the_family() -> None:
    result = run("avoids", ["H1,2,Kharkiv,3,,,,,,,UA53 UA46"], ["A1,Poltava,apartment,2"])
    remedy = remedy_of(result)
    assert remedy.question and said(remedy) == "Ask the family whether Poltava, which it avoids, would do after all."
    assert remedy.option == ("--change-household", "household_id=H1,avoids=UA46")
    holds(result, remedy)


def test_a_required_tie_is_loosened_by_as_little_as_helps() -> None:
    result = run("tie", ["H1,2,Kharkiv"], ["A1,Poltava,apartment,2", "A2,Lviv,apartment,2"], ["H1,Kyiv,,near,30,yes,"])
    remedy = remedy_of(result)
    assert remedy.kind == "tie" and isinstance(remedy.change, ChangeTie)
    assert 250 < remedy.change.fields["max_km"] < 400 and remedy.accommodation_id == "A1"
    assert said(remedy).startswith("If the household's tie to Kyiv might be 3")
    holds(result, remedy)


def test_a_tie_between_two_households_may_become_a_wish_for_the_one_whom_it_helps() -> None:
    result = run("partner", ["H1,2,Kharkiv,2", "H2,2,Kharkiv"], ["A1,Poltava,apartment,2"], ["H2,,H1,same_place,,yes,yes"])
    found = find_remedies(result).found
    assert said(found["H1"]) == "If the household's tie to H2 were a wish and not a condition."
    assert found["H2"].kind == "offer"  # H1 would get the place
    for remedy in found.values():
        holds(result, remedy)


def test_a_wish_where_the_policy_leaves_it_out() -> None:
    policy = policy_from_plain({"unplaced": {"km": ["400000", "100000", "40000", "20000", "1100"]}, "wants": {"km": "100"}})
    result = run("wish", ["H1,1,Kharkiv,5,,,,school"], ["A1,Poltava,apartment,1"], policy=policy)
    assert [row.reason for row in result.unplaced] == ["policy"]
    remedy = remedy_of(result)
    assert said(remedy) == "If the household did without a wish: a school nearby."
    holds(result, remedy)


def test_one_more_offer_where_nothing_else_helps() -> None:
    result = run("offer", ["H1,3,Kharkiv,3,,,step_free,,300", "H2,3,Kharkiv,2"], ["A1,Poltava,apartment,3"])
    remedy = remedy_of(result)
    assert isinstance(remedy.change, AddOffer) and remedy.kind == "offer"
    offer = remedy.change.offer
    assert (offer.capacity, offer.features, offer.spot.name) == (3, {"step_free"}, "Kharkiv")
    assert said(remedy).startswith("One more offer: apartment for 3 persons in Kharkiv, with: no steps")
    assert remedy.option[1] == "accommodation_id=NEW-1,place=UA63120270010096107,adm1=UA63,capacity=3,shared=no,features=step_free"
    holds(result, remedy)


def test_the_offer_is_large_enough_for_those_whom_the_policy_puts_first() -> None:
    rows = [f"H{n},2,Kharkiv,{1 if n > 1 else 5},,,,,,apartment dormitory" for n in range(1, 5)]
    result = run("ladder", rows, ["A1,Poltava,apartment,1"])
    found = find_remedies(result)
    assert isinstance(found.found["H1"].change, AddOffer) and found.found["H1"].change.offer.capacity == 8
    assert found.found["H1"].also_placed == 6
    for remedy in found.found.values():
        holds(result, remedy)


def test_an_offer_suits_those_as_well_who_would_lose_their_place_by_it() -> None:
    """H2 would leave its beds for the new offer, and H3, whom they do not suit otherwise, would take them from H4: so H4, too, must be
    able to live in the new one."""
    rows = ["H1,2,Kharkiv,4,,,ground_floor", "H2,2,Kharkiv,1", "H3,3,Kharkiv,3,,,lift", "H4,2,Kharkiv,5,,,step_free"]
    result = run("wider", rows, ["A1,Kharkiv,dormitory,4,yes,lift step_free"])
    assert {row.household_id for row in result.placements} == {"H2", "H4"}
    remedy = remedy_of(result)
    assert isinstance(remedy.change, AddOffer) and result.instance is not None
    offer = remedy.change.offer
    assert (offer.shared, offer.features, offer.capacity) == (True, {"ground_floor", "step_free"}, 6)
    assert remedy.also_placed == 3
    holds(result, remedy)
    for beds in range(2, 12):
        plain = AddOffer(offer.model_copy(update={"features": frozenset({"ground_floor"}), "capacity": beds}))
        after = solve(apply(result.instance, Policy(), [plain])[0], date=DATE)
        assert not {"H1", "H2", "H4"} <= {row.household_id for row in after.placements}


def test_a_household_is_placed_together_with_whom_it_is_bound_to() -> None:
    files = ["H1,2,Kharkiv", "H2,3,Kharkiv,3,,,step_free"]
    result = run("party", files, ["A1,Poltava,apartment,2"], ["H1,,H2,near,20,yes,yes"])
    remedy = remedy_of(result, "H2")
    assert isinstance(remedy.change, AddOffer | ChangeTie)
    holds(result, remedy)


def test_a_rent_is_named_that_it_can_pay() -> None:
    result = run("rent", ["H1,2,Kharkiv,3,,,,,,,,,7"], ["A1,Poltava,apartment,2,,,,,4"])
    remedy = remedy_of(result)
    assert "for at most 3.5 a person and night" in said(remedy)
    holds(result, remedy)


@pytest.mark.parametrize(
    ("name", "household", "offer", "ties"),
    [
        ("a need", "H1,2,Kharkiv,3,,,step_free", "A1,Poltava,apartment,2", []),
        ("the persons", "H1,3,Kharkiv", "A1,Poltava,apartment,2", []),
    ],
)
def test_what_may_never_change_is_never_proposed(name: str, household: str, offer: str, ties: list[str]) -> None:
    remedy = remedy_of(run(f"never-{name}", [household], [offer], ties))
    assert remedy.kind == "offer"


def test_nothing_of_a_protected_household_nor_of_who_is_left_out() -> None:
    rows = ["H1,2,Kharkiv,3,,,,,50,,,yes", "H2,2,Kharkiv,3,,,,,50"]
    result = run("protected", rows, ["A1,Lviv,apartment,2", "A2,Lviv,apartment,4"], ["H2,,H1,same_place,,yes,yes"])
    assert find_remedies(result) == Remedies()
    chasiv = solved(INSTANCES / "chasiv-yar")
    assert {row.reason for row in chasiv.unplaced} <= LEFT_OUT_REASONS
    assert find_remedies(chasiv) == Remedies()


def test_effort_bounds_the_search_and_what_was_not_examined_is_said() -> None:
    result = crowded()
    every, nothing = found(), find_remedies(result, 0.001)
    wanted = {row.household_id for row in result.unplaced if row.reason not in LEFT_OUT_REASONS}
    assert nothing == Remedies(not_examined=frozenset(wanted)) == find_remedies(result, 0.01)  # three trials at most would tell nothing
    assert set(every.found) | every.none == wanted and not every.not_examined
    some = find_remedies(result, 0.02)
    assert some.not_examined and some.found.items() <= every.found.items()
    priority = {row.household_id: row.priority or 0 for row in result.unplaced}
    examined = set(some.found) | some.none
    assert max(priority[i] for i in examined) <= min(priority[i] for i in some.not_examined)


def crowded() -> Result:
    return solved(generated(30, 4, 0.6, 0.4))


@cache
def found() -> Remedies:
    return find_remedies(crowded())


def test_every_remedy_of_a_crowded_night_holds() -> None:
    remedies = found()
    assert len(remedies.found) >= 5
    for remedy in remedies.found.values():
        assert remedy.kind in REMEDY_KINDS and remedy.proved
        holds(crowded(), remedy, one_best_plan=False)


def test_the_rows_say_it() -> None:
    result = with_remedies(crowded())
    seen = 0
    for row in result.unplaced:
        assert result.remedies is not None
        remedy = result.remedies.found.get(row.household_id)
        assert row.remedy == ("" if remedy is None else said(remedy))
        seen += remedy is not None
    assert seen >= 5


@pytest.mark.slow
@pytest.mark.parametrize("folder", [INSTANCES / "hard-night", *[(200, seed) for seed in range(1, 51)]], ids=str)
def test_where_a_remedy_exists_everybody_has_one_and_it_holds(folder: Path | tuple[int, int]) -> None:
    path = folder if isinstance(folder, Path) else generated(*folder, 0.9, 0.1)
    result = solve(instance_of(path), policy_of(path), date=DATE)
    remedies = find_remedies(result)
    assert not remedies.not_examined
    for remedy in remedies.found.values():
        holds(result, remedy, one_best_plan=False)
    protected = {row.household_id for row in result.unplaced} - set(remedies.found) - remedies.none
    reasons = {row.household_id: row.reason for row in result.unplaced}
    assert result.instance is not None
    secret = {h.household_id for h in result.instance.households if h.protected}
    assert all(reasons[i] in LEFT_OUT_REASONS or i in secret or reasons[i] == "split_pair" for i in protected)
