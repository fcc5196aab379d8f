"""What-if, sweep, advice, fairness and the promised lottery: what they say is what solving says, and no file is touched."""

from __future__ import annotations

import hashlib
import json
import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher import Policy, advise, fairness, read_instance, solve, sweep, whatif
from matcher.advise.curve import curve_svg
from matcher.advise.fair import envy
from matcher.advise.remedies import find_remedies
from matcher.advise.trial import Night
from matcher.changes import AddOffer, CloseOffer, Remedy, SetPolicy, apply
from matcher.cli.app import app
from matcher.commitment import broken_promises, commit, lots, read_commitment
from matcher.errors import InputError, UsageError
from matcher.i18n import translator
from matcher.io.change import read_household_change, read_new_household, read_new_offer, read_policy_change, read_tie_change
from matcher.model import Instance
from matcher.policy import policy_from_plain
from matcher.publish import publish
from matcher.result import Result
from tests.io.sample import write
from tests.runs import DATE, DAY, generated, instance_of, scratch, shuffled, solved

FILES = {
    "households": "household_id,persons,place,priority,groups,max_km,arrives\nH1,2,Kharkiv,2,older_person,,\nH2,3,Kharkiv,3,,100,\n"
    "H3,1,Sumy,4,older_person,,2026-11-25\n",
    "accommodations": "accommodation_id,place,kind,capacity\nA1,Poltava,apartment,2\nA2,Lviv,apartment,2\n",
    "ties": "household_id,place,kind,max_km,required\nH1,Lviv,near,,\nH3,Kyiv,near,50,yes\n",
    "places": "place_id,name,lat,lon,adm1\ndepot,Depot,49.5,34.5,UA53\n",
}


@pytest.fixture(scope="module")
def folder() -> Path:
    return write(scratch() / "again", FILES)


@pytest.fixture(scope="module")
def instance(folder: Path) -> Instance:
    return read_instance(folder)


@pytest.fixture(scope="module")
def result(instance: Instance) -> Result:
    return solve(instance, date=DATE)


def say(*arguments: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == code, (arguments, done.output, done.stderr)
    return done.stdout if code == 0 else done.stdout + done.stderr


def test_changes_are_read_by_the_rules_of_the_files(instance: Instance) -> None:
    offer = read_new_offer('"place=Lviv",capacity=4,features=step_free lift,kind=hotel', instance).offer
    assert (offer.accommodation_id, offer.capacity, offer.features, offer.shared) == ("NEW-1", 4, {"step_free", "lift"}, True)
    assert read_new_offer("place=depot,capacity=2", instance).offer.spot.key == "place:depot"
    household = read_new_household("persons=2,place=Sumy,priority=1,household_id=H9", instance).household
    assert (household.household_id, household.priority, household.max_km) == ("H9", 1, None)
    assert read_household_change("household_id=H2,max_km=", instance).fields == {"max_km": None}
    assert read_policy_change("ties.weight=1") == SetPolicy("ties.weight", 1)
    assert read_policy_change("order=strict") == SetPolicy("order", "strict")
    tie = read_tie_change("household_id=H3,place=Kyiv,required=no", instance)
    assert tie.tie.household_id == "H3" and tie.fields == {"required": False}
    for wrong in ("place=Nowhereville,capacity=2", "place=Lviv,capacity=many", "place=Lviv"):
        with pytest.raises(InputError) as caught:
            read_new_offer(wrong, instance)
        assert {fault.file for fault in caught.value.faults} == {"--add-offer"}
    for wrong in ("capacity", "place=Lviv,place=Kyiv,capacity=2", "place=Lviv,capacity=2,beds=3"):
        with pytest.raises(UsageError):
            read_new_offer(wrong, instance)
    for reader, text in ((read_household_change, "household_id=H7,max_km=3"), (read_tie_change, "household_id=H1,place=Kyiv,weight=2")):
        with pytest.raises(UsageError):
            reader(text, instance)


def test_the_option_that_a_remedy_names_makes_its_change() -> None:
    crowded = solved(generated(30, 4, 0.6, 0.4))
    rows, seen = crowded.instance, 0
    assert rows is not None
    readers = {"--add-offer": read_new_offer, "--change-household": read_household_change, "--change-tie": read_tie_change}
    for remedy in find_remedies(crowded, 0.1).found.values():
        assert isinstance(remedy, Remedy)
        option, text = remedy.option
        again = apply(rows, Policy(), [readers[option](text, rows)])[0]
        assert again == apply(rows, Policy(), [remedy.change])[0]
        seen += 1
    assert seen >= 3


def test_what_if_is_the_difference_of_two_results(instance: Instance, result: Result) -> None:
    changes = [CloseOffer("A2"), read_new_offer("place=Poltava,capacity=3", instance), SetPolicy("ties.weight", 1)]
    found = whatif(result, changes)
    assert found == whatif(instance, changes, date=DATE)
    after = solve(*apply(instance, Policy(), changes), date=DATE)
    assert (found.after.cost, found.after.bound, found.after.persons) == (after.cost, after.bound, sum(r.persons for r in after.placements))
    now = {row.household_id: row.accommodation_id for row in after.placements}
    then = {row.household_id: row.accommodation_id for row in result.placements}
    assert set(found.placed) == now.keys() - then.keys() and set(found.unplaced) == then.keys() - now.keys()
    assert {m.household_id: (m.before, m.after) for m in found.moved} == {
        i: (then[i], now[i]) for i in then.keys() & now.keys() if then[i] != now[i]
    }
    assert found.placed or found.moved or found.unplaced
    with pytest.raises(UsageError):
        whatif(result, [CloseOffer("A9")])
    with pytest.raises(InputError):
        whatif(result, [SetPolicy("ties.wieght", 1)])


def test_what_if_on_the_command_line_touches_no_file(folder: Path) -> None:
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    text = say("whatif", folder, "--date", DAY, "--quiet", "--close", "A2", "--add-offer", "place=Kharkiv,capacity=3")
    assert ("persons placed" in text and "A2 → NEW-1" in text) or "H2" in text
    body = json.loads(say("whatif", folder, "--date", DAY, "--quiet", "--json", "--change-household", "household_id=H2,max_km="))
    assert body["changes"] == [["--change-household", "household_id=H2,max_km="]]
    assert {"before", "after", "placed", "unplaced", "moved"} < set(body)
    assert before == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert "say what changes" in say("whatif", folder, "--date", DAY, code=2)
    assert "--add-offer" in say("whatif", folder, "--date", DAY, "--add-offer", "place=Lviv,capacity=x", code=3)


def test_a_sweep_gives_a_table_and_a_picture(folder: Path, instance: Instance, tmp_path: Path) -> None:
    text = say("sweep", folder, "ties.weight", "--values", "0,3", "--svg", tmp_path / "c.svg", "--csv", tmp_path / "c.csv", "--date", DAY)
    assert "ties.weight" in text
    points = sweep(instance, "ties.weight", [0, 3], date=DATE)
    lines = (tmp_path / "c.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "ties.weight,persons,km,ties_kept,ties,cost,proved" and len(lines) == 3
    for line, point in zip(lines[1:], points, strict=True):
        assert line.split(",")[:5] == [point.value, str(point.persons), str(point.km10 / 10), str(point.ties_kept), str(point.ties)]
        assert point.proved
        policy = policy_from_plain({"ties": {"weight": point.value}})
        assert point.cost == solve(instance, policy, date=DATE).cost.total
    assert points[0].km10 < points[1].km10 and points[0].ties_kept < points[1].ties_kept
    root = ET.fromstring((tmp_path / "c.svg").read_text(encoding="utf-8"))
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 2
    evil = curve_svg("<script>", points, translator("en"))
    assert "<script>" not in evil and "&lt;script&gt;" in evil
    assert "ties.wieght" in say("sweep", folder, "ties.wieght", "--values", "1", "--date", DAY, code=3)


def test_advice_is_verified_by_solving(result: Result, folder: Path, tmp_path: Path) -> None:
    found = advise(result)
    assert found.leads and not found.not_examined
    assert [lead.worth // lead.capacity for lead in found.leads] == sorted(
        (lead.worth // lead.capacity for lead in found.leads), reverse=True
    )
    assert result.instance is not None
    for lead in found.leads[:4]:
        change = read_new_offer(lead.option[1], result.instance)
        after = solve(apply(result.instance, Policy(), [change])[0], date=DATE)
        assert lead.cost == result.cost.total - after.cost.total > 0
        assert lead.persons == sum(r.persons for r in after.placements) - sum(r.persons for r in result.placements)
    assert {entry[0] for entry in found.waiting} == {row.household_id for row in result.unplaced}
    nothing = advise(result, 0.0001)
    assert not nothing.leads and nothing.not_examined == nothing.candidates > 0
    publish(result, tmp_path / "out")
    assert "Offers most worth finding" in say("advise", folder, tmp_path / "out", "--effort", "0.1")
    body = json.loads(say("advise", folder, tmp_path / "out", "--json", "--most", "2"))
    assert len(body["offers"]) == 2 and body["offers"][0]["option"][0] == "--add-offer"


def test_fairness_by_hand(result: Result, folder: Path, tmp_path: Path) -> None:
    found = fairness(result)
    rows = {row.household_id: row for row in result.placements}
    assert set(rows) == {"H1"}  # H2 is too far from everything, H3 bound to Kyiv
    assert [(s.key, s.households, s.persons, s.households_placed, s.persons_placed) for s in found.groups] == [("older_person", 2, 3, 1, 2)]
    by_priority = {s.key: s for s in found.priorities}
    assert set(by_priority) == {"2", "3", "4"}
    assert by_priority["2"].km10_per_person == rows["H1"].km10 and by_priority["3"].km10_per_person is None
    assert (by_priority["2"].ties_kept, by_priority["2"].ties) == (1, 1)
    assert {s.key for s in found.origins} == {"UA63", "UA59"}
    publish(result, tmp_path / "out")
    assert "By group" in say("fairness", folder, tmp_path / "out")
    assert json.loads(say("fairness", folder, tmp_path / "out", "--json"))["envy"]["households"] == found.envy.households


def test_the_price_of_a_floor_is_what_it_costs_everybody() -> None:
    households = "household_id,persons,place,priority,groups\nH1,2,Kharkiv,3,\nH2,2,Kharkiv,5,older_person\n"
    files = {"households": households, "accommodations": "accommodation_id,place,capacity\nA1,Poltava,2\n"}
    rows = read_instance(write(scratch() / "floor", files))
    policy = policy_from_plain({"floors": {"km": "100000", "share": {"older_person": "1"}}})
    found = fairness(solve(rows, policy, date=DATE))
    (floor,) = found.floors
    assert (floor.group, floor.wanted, floor.placed, floor.persons, floor.cost, floor.proved) == ("older_person", 2, 2, 0, 0, True)
    assert fairness(solve(rows, policy, date=DATE), 0).floors == (replace(floor, persons=None, cost=None, proved=False),)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nobody_envies_in_strict_order_but_for_facts_decisions_and_ties(seed: int) -> None:
    rows = instance_of(generated(30, seed, 0.6, 0.4))
    strict = solve(rows, policy_from_plain({"order": "strict"}), date=DATE)
    assert strict.status == "optimal"
    found = envy(Night(strict))
    assert found.weighed == 0 and found.households == found.fixed + found.pinned + found.linked


def test_a_promised_lottery_can_be_checked(instance: Instance, folder: Path, tmp_path: Path) -> None:
    promise = commit(instance, 7)
    assert promise.households == 3
    assert promise.ids_sha256 == hashlib.sha256(b"H1\nH2\nH3\n").hexdigest()
    assert read_commitment(json.dumps(promise.plain()), "p.json") == promise
    other = read_instance(shuffled(folder, tmp_path / "shuffled", random.Random(1)))
    assert commit(other, 7) == promise and commit(other, 8) != promise
    kept = solve(instance, date=DATE, seed=7)
    assert broken_promises(promise, instance, kept) == []
    assert any("seed" in fault for fault in broken_promises(promise, instance, solve(instance, date=DATE, seed=8)))
    more = apply(instance, Policy(), [read_new_household("household_id=H4,persons=1,place=Lviv", instance)])[0]
    assert any("list of ids" in fault for fault in broken_promises(promise, more))
    assert any("changed" in fault for fault in broken_promises(replace(promise, seed=8), instance))
    assert sorted(i for i, _ in lots(7, ["H1", "H2", "H3"])) == ["H1", "H2", "H3"]


def test_a_run_that_served_equal_cases_out_of_order_is_noticed() -> None:
    files = {"households": "household_id,persons,place\n" + "".join(f"H{n},2,Kharkiv\n" for n in range(1, 5)),
             "accommodations": "accommodation_id,place,capacity\nA1,Poltava,2\n"}  # fmt: skip
    rows = read_instance(write(scratch() / "lots", files))
    fair = solve(rows, date=DATE, seed=7)
    (row,) = fair.placements
    assert row.household_id == lots(7, [f"H{n}" for n in range(1, 5)])[0][0]
    loser = next(out.household_id for out in fair.unplaced)
    forged = replace(fair, placements=(replace(row, household_id=loser),))
    assert broken_promises(commit(rows, 7), rows, fair) == []
    assert any("equal cases" in fault for fault in broken_promises(commit(rows, 7), rows, forged))


def test_the_lottery_on_the_command_line(folder: Path, tmp_path: Path) -> None:
    say("lottery", "commit", folder, "--seed", "7", "--out", tmp_path / "p.json")
    say("solve", folder, "--out", tmp_path / "out", "--date", DAY, "--seed", "7", "--no-remedies")
    assert "was kept" in say("lottery", "verify", tmp_path / "p.json", folder, tmp_path / "out")
    assert json.loads(say("lottery", "verify", tmp_path / "p.json", folder, "--json"))["kept"] is True
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    assert "bad.json" in say("lottery", "verify", tmp_path / "bad.json", folder, code=3)
    changed = json.loads((tmp_path / "p.json").read_text(encoding="utf-8")) | {"seed": 9}
    (tmp_path / "other.json").write_text(json.dumps(changed), encoding="utf-8")
    assert "not kept" in say("lottery", "verify", tmp_path / "other.json", folder, code=1)


def test_a_new_offer_may_not_have_an_id_that_is_taken(instance: Instance) -> None:
    offer = read_new_offer("accommodation_id=A1,place=Lviv,capacity=2", instance)
    assert isinstance(offer, AddOffer)
    with pytest.raises(UsageError, match="already"):
        apply(instance, Policy(), [offer])
