"""Where a protected household goes stands in placements_protected.csv and nowhere else: no file, no line of output, no explanation.

Every offer of these instances has a place of its own with a name of its own, so that a leak can be searched for as text. An offer
may be named in other households' rows: they are there themselves, or it was an alternative for them.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from typer.testing import CliRunner

from matcher.cli.app import app
from matcher.io import read_instance
from matcher.model import Instance
from matcher.solver import solve
from tests.io.sample import write
from tests.runs import DATE, DAY, INSTANCES, instance_of, rows_of, scratch

SEEDS = range(4)
OFFERS = 24
LAT, LON = 48.0, 24.0


@dataclass
class Draft:
    """Rows of the files."""

    households: list[str] = field(default_factory=lambda: ["household_id,persons,place,priority,protected"])
    offers: list[str] = field(default_factory=lambda: ["accommodation_id,site_id,place,capacity,kind,risk"])
    places: list[str] = field(default_factory=lambda: ["place_id,name,lat,lon,adm1"])
    ties: list[str] = field(default_factory=lambda: ["household_id,place,other_household_id,kind,max_km,required,agreed"])
    placements: list[str] = field(default_factory=lambda: ["household_id,accommodation_id,status"])
    overrides: list[str] = field(default_factory=lambda: ["household_id,accommodation_id,action,reason"])

    def files(self) -> dict[str, str]:
        return {
            "households": _text(self.households), "accommodations": _text(self.offers), "places": _text(self.places),
            "ties": _text(self.ties), "placements": _text(self.placements), "overrides": _text(self.overrides),
        }  # fmt: skip


def _text(rows: list[str]) -> str:
    return "".join(row + "\n" for row in rows)


def draft(seed: int) -> Draft:
    """H1, H2 protected; H3 bound to H1 by a required tie; H4, H5 tied softly to H1 and H2; the rest strangers.

    One protected one lives somewhere that breaks a rule today, one has a pin, one had been proposed another offer.
    """
    rng, out = random.Random(seed), Draft()
    for n in range(1, OFFERS + 1):
        out.places.append(f"place{n},Secretville{n:02},{LAT + rng.random() * 2:.4f},{LON + rng.random() * 8:.4f},UA46")
        kind = "hotel" if rng.random() < 0.1 else "apartment"
        out.offers.append(f"OFFER{n:02},SITE{n:02},place{n},{rng.choice((2, 3, 4, 5)) + 3 * (kind == 'hotel')},{kind},0.1")
    out.offers.append("OFFER90,SITE90,place90,1,hotel,0.9")  # too small and too dangerous for who lives there
    out.places.append("place90,Secretville90,49.9,33.3,UA14")
    out.places.append("origin,Station,49.0,32.0,UA12")
    for n in range(1, 11):
        persons = rng.choice((1, 2, 2, 3))
        out.households.append(f"H{n},{persons},origin,{rng.choice((1, 2, 3))},{'yes' if n in (1, 2, 9) else 'no'}")
    out.ties += [
        f"H3,,H1,{rng.choice(['same_accommodation', 'same_site', 'near'])},30,yes,yes",
        "H4,,H1,near,,no,", "H2,,H5,same_place,,no,", "H6,,H2,apart,20,,", "H7,,H2,apart,,,",
        f"H2,place{rng.randint(1, OFFERS)},,near,,no,",
    ]  # fmt: skip
    out.placements += [
        "H9,OFFER90,moved_in",
        f"H2,OFFER{rng.randint(1, OFFERS):02},proposed",
        f"H8,OFFER{rng.randint(1, OFFERS):02},accepted",
    ]
    out.overrides.append(f"H1,OFFER{rng.randint(1, OFFERS):02},forbid,a reason that nobody may read aloud")
    return out


@dataclass(frozen=True)
class Run:
    """A written run, all that was said on the way, and where the protected ones are."""

    folder: Path
    out: Path
    said: dict[str, str]
    secret: tuple[dict[str, str], ...]
    instance: Instance


def say(*arguments: object) -> str:
    """All that the command prints on both streams."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == 0, (arguments, done.output, done.stderr)
    return done.stdout + done.stderr


@cache
def run(seed: int) -> Run:
    folder = write(scratch() / f"protection-{seed}", draft(seed).files())
    out = scratch() / f"protection-out-{seed}"
    said = {
        "solve": say("solve", folder, "--out", out, "--date", DAY),
        "solve --json": say("solve", folder, "--out", out, "--date", DAY, "--json"),
        "verify": say("verify", folder, out),
        "verify --json": say("verify", folder, out, "--json"),
        "validate": say("validate", folder),
    }
    instance = read_instance(folder)
    for h in instance.households:
        said[f"explain {h.household_id}"] = say("explain", folder, out, h.household_id)
        said[f"explain {h.household_id} --json"] = say("explain", folder, out, h.household_id, "--json")
    return Run(folder, out, said, tuple(rows_of(out / "placements_protected.csv")), instance)


def words_of(row: dict[str, str]) -> dict[str, str]:
    """What would tell where a protected household is. km as a number of its own is looked for in its own row's shape only."""
    return {"accommodation_id": row["accommodation_id"], "site_id": row["site_id"], "place": row["place"]}


def others_name(current: Run, row: dict[str, str]) -> bool:
    """Do rows of other households that are not protected name the offer for themselves?"""
    named = {other["accommodation_id"] for other in rows_of(current.out / "placements.csv")}
    named |= {other[f"alternative_{i}"] for other in rows_of(current.out / "placements.csv") for i in (1, 2, 3)}
    named |= {other["changed_from"] for other in rows_of(current.out / "placements.csv")}
    return row["accommodation_id"] in named


def has_word(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))


def test_the_protected_and_who_is_bound_to_them_stand_in_their_own_file_only() -> None:
    bound = 0
    for seed in SEEDS:
        current = run(seed)
        protected = {row["household_id"] for row in current.secret}
        assert {"H1", "H2", "H3", "H9"} >= protected >= {"H9"}
        bound += "H3" in protected
        public = {row["household_id"] for row in rows_of(current.out / "placements.csv")}
        unplaced = {row["household_id"] for row in rows_of(current.out / "unplaced.csv")}
        assert not public & {"H1", "H2", "H3", "H9"}
        assert public | unplaced | protected == {h.household_id for h in current.instance.households}
    assert bound >= 2


def test_no_other_file_tells_the_destination() -> None:
    looked: Counter[str] = Counter()
    for seed in SEEDS:
        current = run(seed)
        for row in current.secret:
            if others_name(current, row):
                continue
            for path in current.out.iterdir():
                if path.name in ("placements_protected.csv", "certificate.json"):
                    continue
                text = path.read_text(encoding="utf-8")
                for what, word in words_of(row).items():
                    assert not has_word(text, word), f"seed {seed}: {what} {word} of {row['household_id']} stands in {path.name}"
                    looked[path.name] += 1
    assert len(looked) == 6 and min(looked.values()) >= 20, looked


def test_the_certificate_names_no_protected_household() -> None:
    """Nor an offer for its sake: prices are of offers that anybody might want, links of nobody protected."""
    looked = 0
    for seed in SEEDS:
        current = run(seed)
        told = json.loads((current.out / "certificate.json").read_text(encoding="utf-8"))
        named = {household for pair in told["merged_links"] for household in pair}
        assert not named & {"H1", "H2", "H3", "H9"}, seed
        looked += len(current.secret)
    assert looked >= 12


def test_no_cell_of_another_row_is_the_way_of_a_protected_one() -> None:
    """A protected household's id stands in no other file at all, so no row, sentence or number there is about it."""
    for seed in SEEDS:
        current = run(seed)
        for row in current.secret:
            for path in current.out.iterdir():
                if path.name == "placements_protected.csv":
                    continue
                text = path.read_text(encoding="utf-8")
                if path.name == "summary.json":
                    text = " ".join(s for s in json.loads(text)["warnings"] if row["household_id"] not in s or has_word(s, row["place"]))
                assert not has_word(text, row["household_id"]), f"seed {seed}: {row['household_id']} in {path.name}"


def test_nothing_that_is_said_tells_the_destination() -> None:
    looked: Counter[str] = Counter()
    for seed in SEEDS:
        current = run(seed)
        for row in current.secret:
            mine = {f"explain {row['household_id']}", f"explain {row['household_id']} --json"}
            for name, text in current.said.items():
                if others_name(current, row) and name not in mine:
                    continue
                for what, word in words_of(row).items():
                    assert not has_word(text, word), f"seed {seed}: {what} {word} of {row['household_id']} is said by {name}:\n{text}"
                looked[name.split()[0]] += 1
    assert min(looked[name] for name in ("solve", "verify", "explain", "validate")) >= 8, looked


def test_explain_says_only_that_it_is_placed() -> None:
    seen = 0
    for seed in SEEDS:
        current = run(seed)
        for row in current.secret:
            i, persons = row["household_id"], int(row["persons"])
            size = f" ({persons} {'person' if persons == 1 else 'persons'})"
            assert current.said[f"explain {i}"] == f"{i}{size} is placed. It is protected: see placements_protected.csv.\n"
            body = json.loads(current.said[f"explain {i} --json"])
            assert body == {"household_id": i, "persons": persons, "placed": True, "protected": True}
            seen += 1
    assert seen >= 12


def test_who_is_tied_to_a_protected_one_does_not_give_it_away() -> None:
    """H4 and H5 are tied softly to H1 and H2: no distance, no kept tie, no cost of moving tells where those are."""
    seen = 0
    for seed in SEEDS:
        for row in rows_of(run(seed).out / "placements.csv"):
            if row["household_id"] in ("H4", "H5"):
                assert (row["tie_km"], row["ties_kept"], row["cost_linked"]) == ("", "0", "0.0"), row
                assert {row[f"alternative_{i}"] for i in (1, 2, 3)} == {""}
                seen += 1
    assert seen >= 4


def test_numbers_of_the_summary_do_not_give_it_away_by_subtraction() -> None:
    """Kilometres and beds by kind and oblast are those of the other households; who knows their rows learns nothing more."""
    seen = 0
    for seed in SEEDS:
        current = run(seed)
        told = json.loads((current.out / "summary.json").read_text(encoding="utf-8"))
        public = rows_of(current.out / "placements.csv")
        offer = {a.accommodation_id: a for a in current.instance.accommodations}
        assert told["km"]["total"] == pytest.approx(sum(float(row["km"]) * int(row["persons"]) for row in public))
        by_kind: Counter[str] = Counter()
        for row in public:
            by_kind[offer[row["accommodation_id"]].kind] += int(row["persons"])
        assert {kind: table["persons_in"] for kind, table in told["beds"]["by_kind"].items() if table["persons_in"]} == dict(by_kind)
        assert sum(table["persons_in"] for table in told["beds"]["by_oblast"].values()) == sum(by_kind.values())
        seen += len(current.secret)
    assert seen >= 12


def test_beds_left_do_not_tell_which_flat_is_taken() -> None:
    """left counts a flat as taken with all its beds: known minus told would be the size of the protected one's flat."""
    for seed in SEEDS:
        current = run(seed)
        told = json.loads((current.out / "summary.json").read_text(encoding="utf-8"))
        used: Counter[str] = Counter()
        for row in rows_of(current.out / "placements.csv"):
            used[row["accommodation_id"]] += int(row["persons"])
        opened = [a for a in current.instance.accommodations if a.status == "open"]
        without = sum(max(0, a.capacity - used[a.accommodation_id]) if a.shared or not used[a.accommodation_id] else 0 for a in opened)
        persons = sum(int(row["persons"]) for row in current.secret)
        assert without - told["beds"]["left"] in (0, persons), f"seed {seed}: {without} − {told['beds']['left']} beds, {persons} persons"


@pytest.mark.parametrize("name", ["chasiv-yar", "hard-night"])
def test_the_instances_that_come_along_keep_their_secrets(name: str, tmp_path: Path) -> None:
    folder = INSTANCES / name
    text = say("solve", folder, "--out", tmp_path / "out", "--date", DAY, "--no-remedies")
    secret = rows_of(tmp_path / "out" / "placements_protected.csv")
    assert {row["household_id"] for row in secret} == ({"H031"} if name == "chasiv-yar" else {"N014", "N015"})
    current = Run(folder, tmp_path / "out", {}, tuple(secret), instance_of(folder))
    for row in secret:
        assert not has_word(text, row["household_id"])
        for path in (tmp_path / "out").iterdir():
            if path.name not in ("placements_protected.csv", "certificate.json"):
                found = path.read_text(encoding="utf-8")
                assert not has_word(found, row["household_id"]), path.name
                assert others_name(current, row) or not has_word(found, row["accommodation_id"]), path.name
        for arguments in (("explain", folder, tmp_path / "out", row["household_id"]),):
            assert say(*arguments).endswith("is placed. It is protected: see placements_protected.csv.\n")


CONTRADICTIONS = {
    "a pin that a rule forbids": ("", "H9,OFFER12,pin,\n", "OFFER12"),
    "a pin that does not fit": ("", "H1,OFFER01,pin,\nH8,OFFER01,pin,\nH2,OFFER01,pin,\n", "OFFER01"),
    "a pin against an accepted placement": ("H1,OFFER02,accepted\n", "H1,OFFER03,pin,\n", "OFFER02"),
    "two pins": ("", "H1,OFFER02,pin,\nH1,OFFER03,pin,\n", "OFFER02"),
}


@pytest.mark.parametrize(("placements", "overrides", "word"), CONTRADICTIONS.values(), ids=list(CONTRADICTIONS))
def test_contradictions_of_protected_ones_are_named_without_the_place(placements: str, overrides: str, word: str, tmp_path: Path) -> None:
    files = {
        "households": _text(["household_id,persons,place,protected", "H1,2,Lviv,yes", "H2,2,Lviv,yes", "H8,2,Lviv,yes", "H9,9,Lviv,yes"]),
        "accommodations": _text(["accommodation_id,place,capacity", *(f"OFFER{n:02},Poltava,3" for n in range(1, 13))]),
        "placements": f"household_id,accommodation_id,status\n{placements}",
        "overrides": f"household_id,accommodation_id,action,reason\n{overrides}",
    }
    folder = write(tmp_path / "in", files)
    done = CliRunner().invoke(app, ["solve", str(folder), "--out", str(tmp_path / "out"), "--date", DAY])
    assert done.exit_code == 4, done.output
    said = done.stdout + done.stderr
    assert "H1" in said or "H9" in said
    for row in csv.DictReader(io.StringIO(files["accommodations"])):
        assert not has_word(said, row["accommodation_id"]), said
    assert word not in said
    assert not (tmp_path / "out").exists()


def test_the_library_keeps_the_same_silence() -> None:
    """explain() and str(result) of a library call."""
    from matcher.explain import explain

    result = solve(instance_of(INSTANCES / "chasiv-yar"), date=DATE)
    row = next(row for row in result.placements if row.household_id == "H031")
    assert row.protected
    told = explain(result, "H031")
    assert told.hidden and (told.accommodation_id, told.place, told.km10, told.cost) == (None, None, None, None)
    assert not any("H031" in sentence for sentence in result.warnings)
