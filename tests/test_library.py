"""The library as others use it: what is public, what it says of itself, threads, cancel, silence; and schemas that are true."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import shutil
import threading
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import matcher
from matcher import (
    InputError,
    InterruptedSolve,
    Policy,
    alternatives_frame,
    faults_frame,
    quarantined_frame,
    schemas,
    solve,
)
from matcher.nightly.config import read_config
from matcher.nightly.night import run_night
from matcher.policy import policy_from_plain
from matcher.told import plain
from tests.nightly.world import World
from tests.places.routing import Playing, from_record
from tests.runs import DATE, INSTANCES, ROOT, generated, instance_of, policy_of, rows_of, solved
from tests.runs import matcher as command

EXAMPLES = sorted(path for path in INSTANCES.iterdir() if path.is_dir())


def test_what_is_public_is_typed_documented_and_named_in_the_docs() -> None:
    text = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    counted = 0
    for name in matcher.__all__:
        thing = getattr(matcher, name)
        assert f"`{name}`" in text or f"`{name}(" in text, f"docs/library.md does not tell of {name}"
        if inspect.isfunction(thing):
            assert inspect.getdoc(thing) and "return" in thing.__annotations__, name
            counted += 1
        if inspect.isclass(thing) and issubclass(thing, matcher.MatcherError):
            assert thing.__doc__ and thing.exit_code in range(1, 131)
    assert counted > 12
    assert (ROOT / "matcher" / "py.typed").exists()
    assert set(matcher.__all__) - {"__version__"} == set(matcher._MODULE_OF), "one list"


def test_nothing_is_printed_and_the_frames_say_what_the_rows_say(capfd: pytest.CaptureFixture[str]) -> None:
    instance = instance_of(INSTANCES / "hard-night-faulty")
    result = solve(instance, policy_of(INSTANCES / "hard-night-faulty"), date=DATE, on_progress=lambda cost, bound: None)
    others, aside = alternatives_frame(result), quarantined_frame(instance)
    shown = [row for row in result.placements if not row.protected]
    assert len(others) == sum(len(row.alternatives) for row in shown) > 0
    assert list(others["rank"])[:1] == [1] and set(others["household_id"]) <= {row.household_id for row in shown}
    assert len(aside) == sum(len(row.faults) for row in instance.set_aside) > 3
    with pytest.raises(InputError) as caught:
        matcher.read_instance(INSTANCES / "hard-night-faulty")
    assert list(faults_frame(caught.value)["code"]) == [fault.code for fault in caught.value.faults]
    assert capfd.readouterr() == ("", "")


def test_several_threads_solve_at_once_and_nothing_is_mixed_up() -> None:
    folders = [generated(20, 1), generated(25, 2), generated(15, 3)]
    policies = [Policy(), policy_from_plain({"travel": {"model": "road"}}, own=False)]
    tasks = [(instance_of(folder), policy, seed) for folder in folders for policy in policies for seed in (1, 2)]
    alone = [solve(instance, policy, date=DATE, seed=seed) for instance, policy, seed in tasks]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda task: solve(task[0], task[1], date=DATE, seed=task[2]), tasks))
    assert len(tasks) == 12
    for one, other in zip(alone, together, strict=True):
        assert (one.plan, one.cost, one.bound, tuple(one.placements)) == (other.plan, other.cost, other.bound, tuple(other.placements))


def test_a_search_can_be_cancelled_from_another_thread() -> None:
    instance, seen, stop = instance_of(INSTANCES / "pokrovsk-month"), [], threading.Event()

    def watch(cost: int | None, bound: int | None) -> None:
        seen.append((cost, bound))
        if cost is not None:
            stop.set()

    start = time.monotonic()
    result = solve(instance, policy_of(INSTANCES / "pokrovsk-month"), date=DATE, on_progress=watch, cancel=stop.is_set, time_limit_s=300)
    assert result.effort.cut_by == "interrupt" and result.status == "feasible" and len(result.placements) > 100
    assert seen and time.monotonic() - start < 60
    with pytest.raises(InterruptedSolve):
        solve(instance, date=DATE, cancel=lambda: True)


def test_a_cancel_that_never_comes_changes_nothing() -> None:
    instance = instance_of(generated(20, 1))
    assert solve(instance, date=DATE, cancel=lambda: False).plan == solve(instance, date=DATE).plan


@cache
def validator(name: str) -> Any:
    return jsonschema_rs.Draft202012Validator(schemas()[name])


def test_schemas_hold_for_every_file_that_is_shipped_and_written(tmp_path: Path) -> None:
    rows = 0
    for folder in EXAMPLES:
        for path in sorted(folder.glob("*.csv")):
            check = validator(path.stem)
            for row in rows_of(path) if "faulty" not in folder.name else ():
                check.validate(row)
                rows += 1
    assert rows > 1500
    assert jsonschema_rs.meta.is_valid(schemas()["instance"]) and all(map(jsonschema_rs.meta.is_valid, schemas().values()))
    with Playing(from_record()) as server:
        policy = policy_from_plain({"travel": {"model": "osrm", "osrm_url": server.url}, "order": "strict"}, own=False)
        matcher.publish(solve(instance_of(INSTANCES / "chasiv-yar"), policy, date=DATE), tmp_path / "osrm")
    matcher.publish(solve(instance_of(INSTANCES / "hard-night-faulty"), date=DATE), tmp_path / "faulty")
    for out in (tmp_path / "osrm", tmp_path / "faulty"):
        for name in ("summary", "certificate", "run", "distances"):
            if (out / f"{name}.json").exists():
                validator(name).validate(json.loads((out / f"{name}.json").read_text(encoding="utf-8")))
        for name in ("placements", "placements_protected", "unplaced", "quarantined"):
            for row in rows_of(out / f"{name}.csv") if (out / f"{name}.csv").exists() else ():
                validator("placements_out" if name.startswith("placements") else name).validate(row)
    assert (tmp_path / "osrm" / "distances.json").exists()


def test_the_schema_of_explanations_holds_for_everybody() -> None:
    kinds = set()
    for folder in (INSTANCES / "chasiv-yar", INSTANCES / "hard-night"):
        result = matcher.with_remedies(solved(folder), effort=0.1) if folder.name == "hard-night" else solved(folder)
        for found in matcher.explanations(result):
            said = json.loads(json.dumps(plain(found)))
            validator("explanation").validate(said)
            kinds.add((said["placed"], said["protected"], bool(said.get("others")), said.get("remedy") is not None))
    assert {(placed, hidden) for placed, hidden, _, _ in kinds} >= {(True, False), (False, False), (True, True)} and len(kinds) >= 5


def test_the_schemas_of_nights_hold_for_what_they_read_and_write(tmp_path: Path) -> None:
    world = World(tmp_path, "[decisions]\nending_days = 400\n")
    delivery = tmp_path / "delivery"
    shutil.copytree(INSTANCES / "chasiv-yar", delivery)
    world.deliver(delivery)
    config = read_config(world.config)
    first = run_night(config, DATE)
    ends = {row["accommodation_id"] for row in rows_of(delivery / "accommodations.csv") if row["available_until"]}
    going = next(row["household_id"] for row in rows_of(first.folder / "placements.csv") if row["accommodation_id"] in ends)
    decided = f"action,household_id,reason,by\naccept,{going},agreed,hotline\ndecline,H009,other,hotline\n"
    (delivery / "decisions.csv").write_text(decided, encoding="utf-8")
    name = world.deliver(delivery)
    second = run_night(config, DATE + dt.timedelta(1))
    told = [("decisions", row) for row in rows_of(delivery / "decisions.csv")]
    told += [(kind, row) for night in (first, second) for kind in ("changes", "ending") for row in rows_of(night.folder / f"{kind}.csv")]
    told += [("manifest", json.loads((world.inbox / name / "manifest.json").read_text(encoding="utf-8")))]
    told += [("nightly", tomllib.loads(path.read_text(encoding="utf-8"))) for path in (world.config, ROOT / "deploy" / "nightly.toml")]
    told += [("run", json.loads((second.folder / "run.json").read_text(encoding="utf-8")))]
    for kind, content in told:
        validator(kind).validate(content)
    assert {kind for kind, _ in told} == {"decisions", "changes", "ending", "manifest", "nightly", "run"} and len(told) > 50
    assert not validator("decisions").is_valid({"action": "accept", "reason": "because", "by": "hotline"})
    assert not validator("nightly").is_valid({"inbox": "in", "outbox": "out", "solve": {"sed": 1}})


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("households", {"household_id": "H1", "persons": "two", "place": "Kyiv"}),
        ("households", {"household_id": "H1", "persons": 2}),
        ("households", {"household_id": "H1", "persons": 2, "lat": 50}),
        ("accommodations", {"accommodation_id": "A1", "capacity": 2, "place": "Kyiv", "kind": "castle"}),
        ("accommodations", {"accommodation_id": "A1", "capacity": 2, "place": "Kyiv", "capacity_step_free": "some"}),
        ("instance", {"households": []}),
        ("policy", {"travel": {"model": "teleport"}}),
        ("policy", {"travl": {}}),
        ("error", {"error": {"kind": "KeyError"}}),
    ],
)
def test_schemas_refuse_what_is_wrong(name: str, wrong: dict[str, object]) -> None:
    assert not validator(name).is_valid(wrong)


def test_the_command_prints_and_writes_them(tmp_path: Path) -> None:
    assert json.loads(command("schema").stdout) == schemas()
    assert json.loads(command("schema", "summary", "--json").stdout) == schemas()["summary"]
    assert command("schema", "--out", tmp_path / "s").returncode == 0
    assert {path.name for path in (tmp_path / "s").iterdir()} == {f"{name}.schema.json" for name in schemas()}
    wrong = command("schema", "nothing", "--json")
    assert wrong.returncode == 2 and "summary" in wrong.stderr
    validator("error").validate(json.loads(wrong.stdout))
    faulty = json.loads(command("validate", INSTANCES / "hard-night-faulty", "--json").stdout)
    assert faulty
