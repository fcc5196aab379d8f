"""A night may be killed, or lose its disk, at any instant: the next one puts everything right, and nothing is ever half there."""

from __future__ import annotations

import datetime as dt
import errno
import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.nightly.world import DATE, Driver, World, faults_library, other, tiny
from tests.runs import command, environ

DAYS = [f"2026-11-{day}" for day in range(22, 30)]


def seen_then_there(before: dict[str, str], world: World) -> None:
    """Whatever a reader could see is still there."""
    after = world.published()
    assert before.items() <= after.items(), "a result that was there has gone or changed"


def kill_some(folder: Path, seed: int, kills: int, at_calls: bool, remedies: bool = False) -> Counter[str]:
    """Nights of several dates, killed again and again, with ordinary ones in between. Returns what was seen."""
    rng, seen, world = random.Random(seed), Counter[str](), World(folder, remedies=remedies)
    world.deliver(tiny())
    with Driver(folder if at_calls else None) as driver:
        first = driver.night(world, DAYS[0])
        assert first["code"] == 0, first
        length, calls = first["seconds"], first.get("calls", 0)
        day, lost = dt.date(2026, 11, 22), 0
        while seen["killed"] < kills:
            if not lost:  # what was begun has ended: another date, or news for this one
                day += dt.timedelta(rng.random() < 0.7)
                world.deliver(rng.choice([tiny(), other()]))
            order = {"at": rng.randint(1, calls + 10)} if at_calls else {"delay": rng.random() * length * 1.15}
            ended = driver.night(world, day.isoformat(), **order)
            seen["killed"] += ended["killed"]
            there = world.published()
            lost += 1
            if not ended["killed"] or lost >= 4:
                again = driver.night(world, day.isoformat())
                assert again["code"] == 0, again
                world.check()
                seen_then_there(there, world)
                assert any(name.startswith(day.isoformat()) for name in world.published())
                seen[again["outcome"]] += 1
                lost = 0
        assert driver.night(world, day.isoformat())["code"] == 0
        world.check()
    seen["results"] = len(world.published())
    seen["crashed"] += sum(run.outcome == "crashed" for run in world.runs())
    seen["finished later"] += sum(line["event"] == "reconcile.published" for line in world.log())
    return seen


def test_ten_kills_at_random_instants(tmp_path: Path) -> None:
    assert kill_some(tmp_path, 1, 10, at_calls=False)["killed"] == 10


def test_ten_kills_at_calls_that_change_something(tmp_path: Path) -> None:
    assert kill_some(tmp_path, 2, 10, at_calls=True)["killed"] == 10


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_three_hundred_kills(seed: int, tmp_path: Path) -> None:
    seen = kill_some(tmp_path, 100 + seed, 50, at_calls=seed % 2 == 1, remedies=seed == 0)
    assert seen["killed"] == 50 and seen["results"] > 5, seen
    if seed % 2 == 1:
        assert seen["crashed"] > 5 and seen["finished later"] > 0, seen


def fail_each(folder: Path, chosen: int | None, error: int) -> Counter[str]:
    """Let each call of a night fail in turn (or some of them): the night fails or not, the next one is whole."""
    seen, rng = Counter[str](), random.Random(error)
    template = World(folder / "template")
    template.deliver(tiny())
    with Driver(folder) as driver:
        assert driver.night(template, DAYS[0])["code"] == 0
        world = template
        calls = driver.night(world, DAYS[1], at=10**6)["calls"]
        assert calls > 40, "too few calls are seen; is the history written past them?"
        world.deliver(other())
        numbers = range(1, calls + 1) if chosen is None else sorted(rng.sample(range(1, calls + 1), chosen))
        for number, at in enumerate(numbers):
            if number % 2 == 0:
                world.deliver(other() if number % 4 else tiny())
            day = f"2027-{1 + number // 28:02d}-{1 + number % 28:02d}"
            before = world.published()
            ended = driver.night(world, day, at=at, error=error)
            assert not ended["killed"] and ended["code"] in (0, 1, 2), ended
            seen["failed" if ended["code"] else "went on"] += 1
            there = world.published()
            assert before.items() <= there.items()
            again = driver.night(world, day)
            assert again["code"] == 0, (at, ended, again)
            world.check()
            seen_then_there(there, world)
            seen[again["outcome"]] += 1
    return seen


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["disk full", "disk broken"])
def test_some_calls_that_fail(error: int, tmp_path: Path) -> None:
    seen = fail_each(tmp_path, 4, error)
    assert seen["failed"] + seen["went on"] == 4 and seen["failed"] >= 1, seen


@pytest.mark.slow
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO], ids=["disk full", "disk broken"])
def test_each_call_that_fails(error: int, tmp_path: Path) -> None:
    seen = fail_each(tmp_path, None, error)
    assert seen["failed"] > 20 and seen["published"] > 10, seen


def race(world: World) -> list[int]:
    """Two runs of one night at once; their exit codes."""
    line = command("nightly", "--config", world.config, "--date", DATE, "--quiet")
    both = [subprocess.Popen(line, env=environ(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    told = [one.communicate(timeout=300)[1] for one in both]
    codes = sorted(one.returncode for one in both)
    assert 75 not in codes or any(b"another run holds the lock" in text for text in told)
    return codes


def test_a_race_has_one_result(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.deliver(tiny())
    assert race(world) in ([0, 75], [0, 0])
    world.check()
    assert world.published().keys() == {DATE} and len(world.runs()) == 1


@pytest.mark.slow
def test_fifty_races_have_one_result_each(tmp_path: Path) -> None:
    seen: Counter[tuple[int, ...]] = Counter()
    for number in range(50):
        world = World(tmp_path / str(number))
        world.deliver(tiny())
        seen[tuple(race(world))] += 1
        world.check()
        assert world.published().keys() == {DATE} and len(world.runs()) == 1
    assert seen.keys() <= {(0, 75), (0, 0)} and seen[0, 75] > 25, seen


def test_the_faults_are_real(tmp_path: Path) -> None:
    """The compiled library counts what SQLite writes as well."""
    assert faults_library().exists()
    world = World(tmp_path)
    world.deliver(tiny())
    with Driver(tmp_path / "history.sqlite") as driver:
        calls = driver.night(world, DATE, at=10**6)["calls"]
    assert calls > 10
