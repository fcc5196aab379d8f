"""Pins that cannot all be kept: the smallest set that conflicts is named, held against brute force over all subsets."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from matcher.errors import ContradictionError
from matcher.io import read_instance
from matcher.model import Instance, Override
from matcher.solver import solve
from tests.io.sample import write
from tests.oracle.brute import Reading, brute_force
from tests.oracle.tiny import TinyCase, tiny_case
from tests.runs import DATE, changed

H, A = "household_id,persons,place", "accommodation_id,place,capacity,kind"


def pins_of(case: TinyCase) -> dict[str, Override]:
    """Pins in force of households that are free to move."""
    reading = Reading(case)
    rows = [o for o in reading.overrides if o.action == "pin"]
    return {o.household_id: o for o in rows if o.household_id in reading.free}


def with_pins(case: TinyCase, kept: set[str]) -> TinyCase:
    """The case without the other pins: who loses its pin may be anywhere, or stay out."""
    rows = tuple(o for o in case.instance.overrides if o.action != "pin" or o.household_id in kept)
    return replace(case, instance=changed(case.instance, overrides=rows))


def smallest_conflicts(case: TinyCase) -> tuple[int, set[frozenset[str]]]:
    """(size, all sets of so many pins, as household ids, that cannot be kept)."""
    pins = sorted(pins_of(case))
    for size in range(1, len(pins) + 1):
        sets = [frozenset(kept) for kept in itertools.combinations(pins, size)]
        found = {kept for kept in sets if not brute_force(with_pins(case, set(kept))).feasible}
        if found:
            return size, found
    raise AssertionError("no conflict at all")


def breaks_a_rule(case: TinyCase, household_id: str) -> bool:
    """Has the pinned one (with its party) no offer by the rules alone, or is it bound to one left out?"""
    reading = Reading(case)
    party = next(party for party in reading.parties if household_id in party.ids)
    alone = replace(case, instance=changed(case.instance, overrides=with_pins(case, set(party.ids)).instance.overrides))
    return reading.split(party) or not Reading(alone).stays(party)


OPTIONS: tuple[dict[str, object], ...] = (
    {"density": 0.03, "overrides": True, "households": 5, "offers": 2, "roomy": False},
    {"density": 0.05, "overrides": True, "rooms": True, "households": 5, "offers": 2, "sites": True},
    {"density": 0.03, "overrides": True, "links": True, "households": 5, "offers": 3, "roomy": True},
)


def contradictory(options: dict[str, object], first_seed: int, seeds: int) -> list[TinyCase]:
    """Cases whose pins each pass the rules, but that have no plan."""
    found = []
    for seed in range(first_seed, first_seed + seeds):
        case = tiny_case(seed, pins="any", **options)  # type: ignore[arg-type]
        pins = pins_of(case)
        if len(pins) < 2 or brute_force(case).feasible or any(breaks_a_rule(case, h) for h in pins):
            continue
        found.append(case)
    return found


@pytest.mark.parametrize("number", range(len(OPTIONS)))
def test_the_set_that_is_named_conflicts_and_no_smaller_one_does(number: int) -> None:
    sizes: Counter[int] = Counter()
    for case in contradictory(OPTIONS[number], 800_000 + 10_000 * number, 700):
        with pytest.raises(ContradictionError) as caught:
            solve(case.instance, case.policy, date=case.date)
        named = frozenset(caught.value.ids)
        size, smallest = smallest_conflicts(case)
        assert named <= pins_of(case).keys(), f"{named} are not all pinned: {caught.value}\n{case}"
        assert not brute_force(with_pins(case, set(named))).feasible, f"{sorted(named)} can be kept\n{smallest}\n{case}"
        assert named in smallest, f"named {sorted(named)}, smallest {smallest}\n{case}"
        assert all(h in str(caught.value) for h in named)
        sizes[size] += 1
    assert sum(sizes.values()) >= 12 and len(sizes) >= 2, sizes


def test_pins_that_break_rules_are_named_all_at_once() -> None:
    """Where a pin has no offer by the rules alone, that is said of every such pin, before anything is searched."""
    seen: Counter[str] = Counter()
    for seed in range(850_000, 850_350):
        case = tiny_case(seed, pins="any", overrides=True, needs=True, roomy=False, density=0.15)
        pins = pins_of(case)
        wrong = {h for h in pins if breaks_a_rule(case, h)}
        if not wrong:
            continue
        with pytest.raises(ContradictionError) as caught:
            solve(case.instance, case.policy, date=case.date)
        assert set(caught.value.ids) >= wrong, f"{caught.value}, wrong {wrong}\n{case}"
        seen["one" if len(wrong) == 1 else "several"] += 1
    assert seen["one"] >= 40 and seen["several"] >= 8, seen


def pinned(folder: Path, households: str, offers: str, *rows: str, **files: str) -> Instance:
    """An instance with overrides `household,offer,action`."""
    overrides = "household_id,accommodation_id,action\n" + "".join(row + "\n" for row in rows)
    texts = {"households": households, "accommodations": offers, "overrides": overrides, **files}
    return read_instance(write(folder, texts))


RULE_CASES = {
    "status": (f"{H}\nH1,1,Lviv\n", f"{A},status\nA1,Lviv,4,hotel,closed\n"),
    "vetted": (f"{H}\nH1,1,Lviv\n", f"{A}\nA1,Lviv,4,host_family\n"),
    "size": (f"{H}\nH1,5,Lviv\n", f"{A}\nA1,Lviv,4,hotel\n"),
    "rent": (f"{H},max_rent\nH1,1,Lviv,5\n", f"{A},cost_per_person_night\nA1,Lviv,4,hotel,6\n"),
    "risk": (f"{H}\nH1,1,Lviv\n", f"{A},risk\nA1,Lviv,4,hotel,0.61\n"),
    "needs": (f"{H},needs\nH1,1,Lviv,step_free\n", f"{A}\nA1,Lviv,4,hotel\n"),
    "pets": (f"{H},pets\nH1,1,Lviv,dog\n", f"{A},pets\nA1,Lviv,4,hotel,cat\n"),
    "language": (f"{H},languages\nH1,1,Lviv,uk\n", f"{A},languages,vetted\nA1,Lviv,4,host_family,pl,yes\n"),
    "kind": (f"{H},accepts\nH1,1,Lviv,house\n", f"{A}\nA1,Lviv,4,hotel\n"),
    "groups": (f"{H}\nH1,1,Lviv\n", f"{A},groups_only\nA1,Lviv,4,hotel,women\n"),
    "area": (f"{H},avoids\nH1,1,Lviv,UA46\n", f"{A}\nA1,Lviv,4,hotel\n"),
    "dates": (f"{H}\nH1,1,Lviv\n", f"{A},available_from\nA1,Lviv,4,hotel,2026-12-01\n"),
    "distance": (f"{H},max_km\nH1,1,Poltava,5\n", f"{A}\nA1,Lviv,4,hotel\n"),
    "rooms": (f"{H}\nH1,3,Lviv\n", f"{A},rooms\nA1,Lviv,4,hotel,2\n"),
}


@pytest.mark.parametrize("code", RULE_CASES)
def test_the_rule_that_a_pin_breaks_is_named(code: str, tmp_path: Path) -> None:
    households, offers = RULE_CASES[code]
    instance = pinned(tmp_path, households, offers, "H1,A1,pin")
    with pytest.raises(ContradictionError) as caught:
        solve(instance, date=DATE)
    assert caught.value.ids == ("H1",) and caught.value.exit_code == 4
    assert f"{code}:" in str(caught.value), str(caught.value)


def test_a_tie_that_a_pin_breaks_is_named(tmp_path: Path) -> None:
    ties = "household_id,place,kind,required,max_km\nH1,Poltava,near,yes,50\n"
    instance = pinned(tmp_path, f"{H}\nH1,1,Lviv\n", f"{A}\nA1,Lviv,4,hotel\n", "H1,A1,pin", ties=ties)
    with pytest.raises(ContradictionError, match="tie:"):
        solve(instance, date=DATE)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        (("H1,A1,pin", "H1,A2,pin"), "2 pins"),
        (("H1,A1,pin", "H1,,hold"), "hold"),
        (("H1,A1,pin", "H1,A2,forbid"), "forbid"),
    ],
)
def test_decisions_that_contradict_on_paper_are_named(rows: tuple[str, ...], word: str, tmp_path: Path) -> None:
    instance = pinned(tmp_path, f"{H}\nH1,1,Lviv\nH2,1,Lviv\n", f"{A}\nA1,Lviv,4,hotel\nA2,Lviv,4,hotel\n", *rows)
    with pytest.raises(ContradictionError, match=word) as caught:
        solve(instance, date=DATE)
    assert caught.value.ids == ("H1",)


def test_a_pin_against_an_accepted_placement_is_named(tmp_path: Path) -> None:
    placements = "household_id,accommodation_id,status\nH1,A2,accepted\n"
    offers = f"{A}\nA1,Lviv,4,hotel\nA2,Lviv,4,hotel\n"
    instance = pinned(tmp_path, f"{H}\nH1,1,Lviv\n", offers, "H1,A1,pin", placements=placements)
    with pytest.raises(ContradictionError, match="accepted") as caught:
        solve(instance, date=DATE)
    assert caught.value.ids == ("H1",)


def test_two_of_many_pins_are_named_where_two_do_not_fit(tmp_path: Path) -> None:
    """Nine pins; H3 and H7 want one flat. The others are in nobody's way and are not named."""
    households = f"{H}\n" + "".join(f"H{i},2,Lviv\n" for i in range(1, 10))
    offers = f"{A}\n" + "".join(f"A{i},Lviv,2,apartment\n" for i in range(1, 10))
    rows = [f"H{i},A{3 if i == 7 else i},pin" for i in range(1, 10)]
    with pytest.raises(ContradictionError) as caught:
        solve(pinned(tmp_path, households, offers, *rows), date=DATE)
    assert caught.value.ids == ("H3", "H7")


def test_three_that_fit_two_by_two_are_named_together(tmp_path: Path) -> None:
    households, offers = f"{H}\nH1,2,Lviv\nH2,2,Lviv\nH3,2,Lviv\nH4,1,Lviv\n", f"{A}\nA1,Lviv,5,hotel\nA2,Lviv,5,hotel\n"
    with pytest.raises(ContradictionError) as caught:
        solve(pinned(tmp_path, households, offers, "H1,A1,pin", "H2,A1,pin", "H3,A1,pin", "H4,A2,pin"), date=DATE)
    assert caught.value.ids == ("H1", "H2", "H3")


@pytest.mark.parametrize("kind", ["same_place", "same_site", "near"])
def test_both_pins_of_two_who_are_bound_are_named_where_either_alone_could_be_kept(kind: str, tmp_path: Path) -> None:
    """H1 and H2 go to one town or nowhere; H1 is pinned to Lviv, H2 to Poltava. Neither pin is wrong without the other."""
    households = f"{H}\nH1,2,Lviv\nH2,2,Lviv\n"
    offers = f"{A},site_id\nA1,Lviv,4,hotel,S1\nA2,Poltava,4,hotel,S2\n"
    ties = f"household_id,other_household_id,kind,required,agreed,max_km\nH1,H2,{kind},yes,yes,30\n"
    for rows in (("H1,A1,pin",), ("H2,A2,pin",)):
        alone = solve(pinned(tmp_path / rows[0][:2], households, offers, *rows, ties=ties), date=DATE)
        assert len(alone.placements) == 2
    with pytest.raises(ContradictionError) as caught:
        solve(pinned(tmp_path / "both", households, offers, "H1,A1,pin", "H2,A2,pin", ties=ties), date=DATE)
    assert caught.value.ids == ("H1", "H2"), str(caught.value)
