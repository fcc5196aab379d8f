"""Nights look for what would help those without a place: within their deadline, the same again, and never at the plan's expense."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from matcher.advise import isolated
from matcher.advise.remedies import with_remedies
from matcher.history import open_history
from matcher.nightly.config import read_config
from matcher.nightly.log import night_log
from matcher.nightly.night import run_night
from matcher.nightly.replay import replay, was_cut
from matcher.policy import SolveOptions
from matcher.report import data_of_page
from tests.nightly.lookers import crashes, fails, hangs, takes_all_memory
from tests.nightly.world import DATE, World, tiny, wait_until
from tests.runs import DATE as DAY
from tests.runs import ROOT, environ, rows_of, solved

SLACK_S = 20.0
"""What a slow machine may add."""


def test_a_night_says_what_would_help_and_says_it_again(tmp_path: Path) -> None:
    world = World(tmp_path, remedies=True)
    world.deliver(tiny())
    night = run_night(read_config(world.config), DAY)
    told = {row["household_id"]: row["remedy"] for row in rows_of(night.folder / "unplaced.csv")}
    alone = with_remedies(solved(tiny()))
    assert told == {row.household_id: row.remedy or "" for row in alone.unplaced} and any(told.values())
    summary = json.loads((night.folder / "summary.json").read_text(encoding="utf-8"))
    assert summary["remedies"]["found"] == sum(map(bool, told.values())) and summary["remedies"]["not_examined"] == 0
    page = data_of_page((night.folder / "report.html").read_text(encoding="utf-8"))
    helped = [dict(zip(page["unplaced"]["fields"], row, strict=True)) for row in page["unplaced"]["rows"]]
    assert {row["id"]: row["remedy"]["en"] for row in helped if row["remedy"]} == {h: words for h, words in told.items() if words}
    (line,) = [line for line in world.log() if line["event"] == "remedies.found"]
    assert (line["found"], line["not_examined"], line["cut_by"]) == (sum(map(bool, told.values())), 0, None)
    with open_history(world.history) as history, night_log("nightly.jsonl", world.folder / "nightly.jsonl") as log:
        (run,) = history.runs()
        assert not was_cut(read_config(world.config), run)
        assert replay(read_config(world.config), history, run, log) == ()
    world.check()


def test_a_night_that_is_not_to_look_does_not(tmp_path: Path) -> None:
    world = World(tmp_path, remedies=False)
    world.deliver(tiny())
    night = run_night(read_config(world.config), DAY)
    assert not any(row["remedy"] for row in rows_of(night.folder / "unplaced.csv"))
    assert "remedies" not in json.loads((night.folder / "summary.json").read_text(encoding="utf-8"))
    world.config.write_text(world.config.read_text(encoding="utf-8").replace("remedies = false", "remedies = true"), encoding="utf-8")
    assert run_night(read_config(world.config), DAY).run.name == f"{DATE}.2", "another option, another result"


@pytest.mark.parametrize(
    ("look", "cut_by", "examined"), [(hangs, "time", None), (crashes, "crash", 1), (takes_all_memory, "crash", 0), (fails, "crash", 0)]
)
def test_whatever_the_search_for_them_does_the_plan_stands(
    look: Any, cut_by: str, examined: int | None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Replaced is the function that the process runs; what it does is real."""
    monkeypatch.setattr(isolated, "LOOK", f"tests.nightly.lookers:{look.__name__}")
    result, began = solved(tiny()), time.monotonic()
    started, real = [], subprocess.Popen

    def popen(*command: Any, **given: Any) -> Any:
        started.append(real(*command, **given))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    limit = 4.0 if look is hangs else 60.0
    found, cut = isolated.with_remedies_isolated(result, 1.0, limit, 2048)
    assert cut == cut_by and found.remedies is not None and found.placements == result.placements
    assert time.monotonic() - began < limit + SLACK_S
    seen = len(found.remedies.found) + len(found.remedies.none)
    assert examined in (None, seen) and len(found.remedies.not_examined) == 2 - seen
    assert all(process.poll() is not None for process in started)
    if look is fails:
        assert "Traceback" not in capfd.readouterr().err, "a night's log on standard error is nothing but JSON"


def test_a_night_whose_clock_cuts_them_is_whole_and_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(isolated, "LOOK", "tests.nightly.lookers:hangs")
    real = SolveOptions.model_copy

    def hurried(options: SolveOptions, *, update: Any) -> SolveOptions:
        return real(options, update={**update, "deadline_s": 8.0, "time_limit_s": 5.0})

    monkeypatch.setattr(SolveOptions, "model_copy", hurried)
    world = World(tmp_path, remedies=True)
    world.deliver(tiny())
    began = time.monotonic()
    night = run_night(read_config(world.config), DAY)
    assert time.monotonic() - began < 8.0 + SLACK_S and night.run.status == "optimal"
    assert was_cut(read_config(world.config), night.run)
    (line,) = [line for line in world.log() if line["event"] == "remedies.found"]
    assert line["cut_by"] == "time" and line["level"] == "warning" and line["not_examined"] >= 1
    world.check()


PARENT = """
import subprocess, sys
from matcher.advise import isolated
from tests.nightly.lookers import result_of
real = subprocess.Popen
def popen(command, **given):
    child = real(command, **given)
    print(child.pid, flush=True)
    return child
result = result_of(sys.argv[1])
subprocess.Popen = popen
isolated.with_remedies_isolated(result, 1000.0, 600.0)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for the process")
def test_the_process_that_looks_does_not_outlive_a_night_that_is_killed() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(ROOT / "instances" / "hard-night")], stdout=subprocess.PIPE, text=True, env=environ(), cwd=ROOT
    )
    assert parent.stdout is not None
    with parent.stdout:
        child = Path(f"/proc/{int(parent.stdout.readline())}/stat")
        wait_until(lambda: cpu_ticks(child) > 0)
        parent.kill()
        parent.wait(timeout=100)
        wait_until(lambda: not child.exists() or child.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z")


def cpu_ticks(stat: Path) -> int:
    return int(stat.read_text(encoding="ascii").rpartition(")")[2].split()[11])
