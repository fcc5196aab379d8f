"""Nights that follow one another: decisions delivered and recorded, what changed and what ends, and nothing of protected households."""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from matcher.asked import asked
from matcher.compile import compile_instance
from matcher.decided import merge
from matcher.decisions import record
from matcher.history import History, open_history
from matcher.io import read_instance
from matcher.nightly.config import read_config
from matcher.nightly.night import NightFailed, run_night
from matcher.policy import Policy
from matcher.publish import placements_csv
from matcher.published import read_published
from matcher.result import TERMS
from matcher.solver import solve
from matcher.stability import CHANGES_COLUMNS, ENDING_COLUMNS, RULE_WORDS, TERM_WORDS, changes, changes_csv, endings, endings_csv
from tests.nightly.world import World
from tests.runs import INSTANCES, generated, instance_of

DAY = dt.date(2026, 11, 22)
NEXT = DAY + dt.timedelta(1)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def edited(source: Path, target: Path, name: str, key: str, wanted: str, **cells: str) -> Path:
    """A copy of an instance in which one row has other cells."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    table = rows(target / name)
    assert [row for row in table if row[key] == wanted]
    columns = [*table[0], *(c for c in cells if c not in table[0])]
    with (target / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows([{**row, **cells} if row[key] == wanted else row for row in table])
    return target


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "service", "[decisions]\nexpire_days = 3\nending_days = 20\n")
    made.deliver(INSTANCES / "chasiv-yar")
    return made


def night(world: World, date: dt.date) -> Path:
    return run_night(read_config(world.config), date).folder


def decide(world: World, *decisions: tuple[str, str, str | None]) -> None:
    with open_history(world.history) as history:
        record(history, [asked(action, h, a, "other", "clerk", None, DAY) for action, h, a in decisions], today=DAY)


def test_what_changed_is_told_and_protected_households_by_id_alone(world: World, tmp_path: Path) -> None:
    first = night(world, DAY)
    assert rows(first / "ending.csv") == []
    assert {row["change"] for row in rows(first / "changes.csv")} == {"new", "changed"}
    placed = {row["household_id"]: row["accommodation_id"] for row in rows(first / "placements.csv")}
    hidden = {
        row["household_id"]: row["accommodation_id"] for row in rows(first / "placements_protected.csv") if row["status"] == "proposed"
    }
    proposed = [row["household_id"] for row in rows(first / "placements.csv") if row["status"] == "proposed"]
    accepting, declining, parking = proposed[:3]
    secret = next(iter(hidden))
    decide(world, ("accept", accepting, None), ("decline", declining, None), ("park", parking, None), ("decline", secret, None))
    second = night(world, NEXT)
    found = {row["household_id"]: row for row in rows(second / "changes.csv")}
    assert tuple(next(iter(found.values()))) == CHANGES_COLUMNS
    assert accepting not in found
    assert found[declining]["from"] == placed[declining] and found[declining]["why"].startswith("the pair was declined")
    assert found[parking]["change"] == "dropped" and "held" in found[parking]["why"]
    after = {row["household_id"]: row for row in rows(second / "placements.csv")}
    assert after[accepting]["status"] == "accepted" and after[accepting]["accommodation_id"] == placed[accepting]
    moved = [row for row in found.values() if row["change"] == "changed" and row["from"]]
    kept = [row for row in found.values() if row["change"] == "kept"]
    assert moved and len(kept) > 5 and all(row["from"] == row["to"] for row in kept)
    for row in moved:
        assert row["from"] != row["to"] and row["why"]
        assert bool(row["saves_km"]) == ("person-km" in row["why"])
    everybody = set(hidden) | {row["household_id"] for row in rows(second / "placements_protected.csv")}
    shown = [row for row in found.values() if row["household_id"] in everybody]
    assert [{k: v for k, v in row.items() if v} for row in shown if row["household_id"] == secret] == [
        {"household_id": secret, "change": "changed"}
    ]
    assert all({k: v for k, v in row.items() if v} == {"household_id": row["household_id"], "change": "changed"} for row in shown)


def again(world: World, history: History, date: dt.date):  # type: ignore[no-untyped-def]
    """A night made again, from the history and the delivery alone."""
    run = history.run(date.isoformat())
    config = read_config(world.config)
    instance = read_instance(world.inbox / run.delivery)
    policy = Policy()
    if (world.inbox / run.delivery / "policy.toml").exists():
        from matcher.policy import read_policy

        policy = read_policy(world.inbox / run.delivery / "policy.toml")
    standings = history.standings(date, config.decisions.expire_days, of=run)
    merged = merge(instance, standings, ending_days=config.decisions.ending_days)
    from matcher.published import warm_start_of

    warm = None if run.based_on is None else warm_start_of(read_published(world.outbox / history.run(run.based_on).name))
    assert merged.instance.sha256 == run.input_sha256
    return merged, solve(merged.instance, policy, date=date, warm_start=warm, time_limit_s=60)


def test_a_night_made_again_gives_the_same_bytes(world: World) -> None:
    night(world, DAY)
    proposed = [row["household_id"] for row in rows(world.outbox / "2026-11-22/placements.csv") if row["status"] == "proposed"]
    decide(world, ("accept", proposed[0], None), ("decline", proposed[1], None))
    second = night(world, NEXT)
    decide(world, ("accept", proposed[3], None))
    with open_history(world.history) as history:
        merged, result = again(world, history, NEXT)
        before = history.proposals(history.run("2026-11-22"))
    plain = [row for row in result.placements if not row.protected]
    assert placements_csv(plain).encode() == (second / "placements.csv").read_bytes()
    assert changes_csv(changes(before, result, merged)).encode() == (second / "changes.csv").read_bytes()
    assert endings_csv(endings(result, merged, 20)).encode() == (second / "ending.csv").read_bytes()


def test_proposals_without_an_answer_run_out(world: World) -> None:
    first = night(world, DAY)
    proposed = [row for row in rows(first / "placements.csv") if row["status"] == "proposed"]
    last = night(world, DAY + dt.timedelta(3))
    again = {row["household_id"]: row for row in rows(last / "changes.csv")}
    ran_out = [again[row["household_id"]] for row in proposed if row["household_id"] in again]
    assert ran_out and all("r" in row["why"] and ("run out" in row["why"] or "ran out" in row["why"]) for row in ran_out)
    with open_history(world.history) as history:
        since = {p.since for p in history.proposals(history.run("2026-11-25")) if p.status == "proposed"}
    assert since == {DAY + dt.timedelta(3)}


def test_who_lives_in_an_offer_that_ends_is_matched_anew_in_time(world: World, tmp_path: Path) -> None:
    first = night(world, DAY)
    proposed = [row for row in rows(first / "placements.csv") if row["status"] == "proposed"]
    lodger = next(row for row in proposed if int(row["persons"]) <= 2)
    h, a = lodger["household_id"], lodger["accommodation_id"]
    decide(world, ("accept", h, None), ("move-in", h, None))
    end = NEXT + dt.timedelta(20)
    source = edited(
        INSTANCES / "chasiv-yar", tmp_path / "ends", "accommodations.csv", "accommodation_id", a, available_until=end.isoformat()
    )
    world.deliver(source)
    early = night(world, NEXT - dt.timedelta(1))
    assert rows(early / "ending.csv") == []
    assert {r["household_id"]: r["status"] for r in rows(early / "placements.csv")}[h] == "moved_in"
    second = night(world, NEXT)
    listed = {row["household_id"]: row for row in rows(second / "ending.csv")}
    assert tuple(listed[h]) == ENDING_COLUMNS
    assert (listed[h]["accommodation_id"], listed[h]["until"], listed[h]["nights_left"], listed[h]["status"]) == (
        a, end.isoformat(), "20", "moved_in",
    )  # fmt: skip
    following = {row["household_id"]: row for row in rows(second / "placements.csv")}.get(h)
    if following is None:
        assert "no place yet" in listed[h]["why"]
        return
    assert following["status"] == "proposed" and following["accommodation_id"] == listed[h]["next_accommodation_id"] != a
    decide(world, ("accept", h, None))
    third = night(world, NEXT + dt.timedelta(1))
    listed = {row["household_id"]: row for row in rows(third / "ending.csv")}
    assert (listed[h]["next_accommodation_id"], listed[h]["next_status"]) == (following["accommodation_id"], "accepted")
    others = [row["household_id"] for row in rows(third / "placements.csv") if row["accommodation_id"] == a and row["household_id"] != h]
    assert not others or source is None or not _is_flat(source, a), "somebody else was put into beds that are still slept in"
    decide(world, ("move-in", h, None))
    fourth = night(world, NEXT + dt.timedelta(2))
    assert h not in {row["household_id"] for row in rows(fourth / "ending.csv")}
    assert {r["household_id"]: r["status"] for r in rows(fourth / "placements.csv")}[h] == "moved_in"


def _is_flat(source: Path, offer: str) -> bool:
    return not next(o for o in read_instance(source).accommodations if o.accommodation_id == offer).shared


def test_a_delivery_brings_decisions(world: World, tmp_path: Path) -> None:
    first = night(world, DAY)
    one, two, three = [row for row in rows(first / "placements.csv") if row["status"] == "proposed"][:3]
    source = tmp_path / "with"
    shutil.copytree(INSTANCES / "chasiv-yar", source)
    text = (
        "action,household_id,accommodation_id,reason,by\n"
        f"accept,{one['household_id']},{one['accommodation_id']},agreed,office\n"
        f"decline,{two['household_id']},{two['accommodation_id']},host_not_suitable,office\n"
        f"accept,{three['household_id']},{one['accommodation_id']},agreed,office\n"
        f"withdraw,,{three['accommodation_id']},repairs,office\n"
    )
    (source / "decisions.csv").write_text(text, encoding="utf-8")
    world.deliver(source)
    second = night(world, NEXT)
    placed = {row["household_id"]: row for row in rows(second / "placements.csv")}
    assert placed[one["household_id"]]["status"] == "accepted"
    for row in (two, three):
        assert placed.get(row["household_id"], {}).get("accommodation_id") != row["accommodation_id"]
    with open_history(world.history) as history:
        assert [(d.action, d.source) for d in history.decisions()] == [
            ("accept", "decisions.csv"), ("decline", "decisions.csv"), ("withdraw", "decisions.csv"),
        ]  # fmt: skip
        assert not [notice for notice in read_instance(source).notices if notice.file == "decisions.csv"]
    heard = [line for line in world.log() if line["event"] == "decisions.recorded"]
    assert [(line["recorded"], line["refused"]) for line in heard] == [(3, 1)]
    told = json.loads((second / "run.json").read_text(encoding="utf-8"))
    assert "decisions.csv:4 accommodation_id no_proposal" in json.dumps(told)
    outcome = run_night(read_config(world.config), NEXT).outcome
    assert outcome == "unchanged", "the same decisions, delivered again, were news"
    (source / "decisions.csv").write_text("action,household_id,reason,by\nnonsense,H1,agreed,office\n", encoding="utf-8")
    world.deliver(source)
    with pytest.raises(NightFailed) as caught:
        night(world, NEXT)
    assert caught.value.exit_code == 3 and "decisions.csv:2 action unknown_word" in str(caught.value)


def test_why_is_told_in_the_language_of_the_run() -> None:
    """Everybody is said to have been where somebody else is, so that there is a reason of every sort."""
    folder = generated(150, 21, 0.8, 0.3)
    said: dict[str, set[str]] = {"en": set(), "uk": set()}
    for lang, words in said.items():
        result = solve(instance_of(folder), date=DAY, lang=lang)
        rows_ = list(result.placements)
        moved = [replace(row, accommodation_id=other.accommodation_id) for row, other in zip(rows_, [*rows_[7:], *rows_[:7]], strict=True)]
        gone = [replace(rows_[0], household_id=row.household_id) for row in result.unplaced]
        for change in changes([*moved, *gone], result):
            assert (
                change.change == "changed" or (change.change, change.before) == ("dropped", rows_[0].accommodation_id) or not change.saves10
            )
            words.add(change.why)
    assert len(said["en"]) > 40 and len(said["en"]) == len(said["uk"])
    english = [why for why in said["uk"] if re.search("[a-z]{3}", re.sub(r"\([a-z_]+\)$", "", why))]
    assert not english and any("better by" in why for why in said["en"]) and any("makes room" in why for why in said["en"])


def test_there_are_words_for_every_rule_and_term() -> None:
    problem = compile_instance(instance_of(INSTANCES / "hard-night"), Policy(), DAY).problem
    assert {rule.name for rule in problem.rules} <= RULE_WORDS.keys()
    assert {*TERMS} - {"move", "unplaced", "floors"} <= TERM_WORDS.keys()
