"""A measurement is one process tree: timed, weighed, ended when it goes too far, written down at once."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.cases import FIRST_GAP_FILES, LONG, SECONDS, Case, Job, cases, full_jobs, short_jobs
from benchmarks.gap import GapFile, read_gap, run_gap
from benchmarks.measure import Measured, measure
from benchmarks.program import end_of
from benchmarks.records import Records, fingerprint
from benchmarks.rivals.catalogue import RIVALS
from benchmarks.run import Bench
from benchmarks.scout import LINE, missing_scout
from matcher.errors import UsageError
from matcher.solver import solve


def script(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_time_output_and_exit_code() -> None:
    run = measure(script("import time, sys; time.sleep(0.3); print('out'); sys.stderr.write('one\\ntwo\\n\\n'); sys.exit(3)"), 30, 8192)
    assert (run.code, run.out, run.stopped) == (3, "out\n", None)
    assert run.complaint == "exit code 3: two"
    assert 0.3 <= run.wall_s < 20 and run.cpu_s < run.wall_s


def test_cpu_and_memory_of_children_count() -> None:
    child = "x = bytearray(120 << 20)\nimport time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
    run = measure(script(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"), 60, 8192)
    assert run.code == 0, run.errors
    assert run.cpu_s >= 0.5 and run.child_cpu_s >= 0.2
    assert 120 <= run.peak_mib < 400


def test_what_takes_too_long_is_ended_with_its_children() -> None:
    started = time.monotonic()
    run = measure(script("import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"), 1.0, 8192)
    assert run.stopped == "time" and "time" in run.complaint
    assert time.monotonic() - started < 30


def test_what_grows_too_large_is_ended() -> None:
    run = measure(script("import time\nx = []\nwhile True:\n    x.append(bytearray(20 << 20)); time.sleep(0.05)"), 60, 200)
    assert run.stopped == "memory" and run.code != 0


def test_records_outlive_a_stop_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "short.jsonl"
    records = Records(path)
    records.add({"key": "a", "end": "ran"})
    records.add({"key": "b", "end": "failed"})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"key": "c", "en')
    again = Records(path)
    assert list(again.rows) == ["a", "b"]
    again.add({"key": "c", "end": "ran"})
    assert list(Records(path).rows) == ["a", "b", "c"]


def test_a_faulty_line_is_an_error_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "short.jsonl"
    path.write_text('{"key": "a"}\nnonsense\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"short\.jsonl:2"):
        Records(path)


def bench(tmp_path: Path, memory_mib: int = 8192) -> Bench:
    return Bench(tmp_path, Records(tmp_path / "short.jsonl"), memory_mib, tmp_path / "no-files", tmp_path / "no-scout")


def test_a_measurement_is_made_once_and_a_failure_is_written_down(tmp_path: Path) -> None:
    calls: list[int] = []

    def run() -> dict[str, Any]:
        calls.append(1)
        return {"end": "failed", "message": "it broke"}

    first = bench(tmp_path).once("k", {"kind": "run"}, run)
    assert bench(tmp_path).once("k", {"kind": "run"}, run) == first == {"key": "k", "kind": "run", "end": "failed", "message": "it broke"}
    assert len(calls) == 1


def test_ours_and_a_rival_on_one_instance(tmp_path: Path) -> None:
    case = Case(30, 1.0, 0.0, True, 914)
    b = bench(tmp_path)
    ours, greedy = b.job(Job(case, "ours:auto", 20.0)), b.job(Job(case, "greedy", 20.0))
    assert b.job(Job(case, f"ours:{LONG}", 20.0))["cost"] == ours["cost"]
    assert (ours["end"], greedy["end"], ours["verified"]) == ("ran", "ran", True)
    assert ours["bound"] <= ours["cost"] <= greedy["cost"]
    assert ours["persons"] == greedy["persons"] >= ours["placed"] > 0 and ours["peak_mib"] > 50 and greedy["peak_mib"] > 50
    assert {"solve_s", "wall_s", "cpu_s", "km_per_person", "unplaced_cost", "cost", "placed"} <= set(ours) & set(greedy)
    lines = (tmp_path / "short.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["who"] for line in lines] == ["ours:auto", "greedy", f"ours:{LONG}"]
    assert b.known(Job(case, "ours:auto", 20.0)) == ours
    assert b.known(Job(case, "ours:auto", 21.0)) is None


def test_what_runs_out_of_memory_counts_as_failed(tmp_path: Path) -> None:
    row = bench(tmp_path, memory_mib=30).job(Job(Case(30, 1.0, 0.0, True, 914), "greedy", 20.0))
    assert row["end"] == "failed" and "memory" in row["message"]


def test_a_strategy_that_is_not_there_fails_and_is_not_called_refused(tmp_path: Path) -> None:
    row = bench(tmp_path).job(Job(Case(30, 1.0, 0.0, True, 914), "ours:nonsense", 20.0))
    assert row["end"] == "failed" and "nonsense" in row["message"]


def test_the_jobs_are_known_contenders_on_untuned_seeds() -> None:
    names = ("auto", "exact", "prices")
    full, short = list(full_jobs(names)), list(short_jobs(names))
    for jobs in (full, short):
        assert {job.who for job in jobs} <= {*(f"ours:{name}" for name in (*names, LONG)), *RIVALS}
        assert all(job.case.seed > 900 and (job.case, "ours:auto") in {(j.case, j.who) for j in jobs} for job in jobs)
        assert len({(job.case, job.who) for job in jobs}) == len(jobs)
    assert {job.case.households for job in full} == set(SECONDS) == {300, 1_000, 10_000, 33_500, 100_000, 1_000_000}
    assert {(c.beds, c.links) for c in cases(300) if c.rooms} == {(b, n) for b in (0.9, 1.0, 1.15) for n in (0.0, 0.05)}
    assert any(not c.rooms for c in cases(300))
    limit = sum(job.seconds for job in short if not job.who.startswith("ours")) + 10 * len(FIRST_GAP_FILES)
    assert limit < 10 * 60
    assert len({case.key for size in SECONDS for case in cases(size)}) == sum(1 for size in SECONDS for _ in cases(size))


def test_an_assignment_file_in_both_senses(tmp_path: Path) -> None:
    path = tmp_path / "tiny"
    path.write_text("2 3\n 1 5 9\n 4 2 8\n 1 1 1\n 1 1 1\n 2 2\n", encoding="ascii")  # cost of agent 1, of agent 2, uses, capacities
    for sense, best in (("min", 1 + 2 + 8), ("max", 4 + 5 + 9)):
        problem, top = read_gap(path, sense)
        cost = solve(problem).cost.total
        assert (top - cost if sense == "max" else cost) == best
        row = run_gap(tmp_path, GapFile("tiny", sense, best), 5.0, 8192)
        assert (row["end"], row["value"], row["gap"]) == ("ran", best, 0.0)
    assert GapFile("large/c10100", "min", 200).gap(201) == 0.005
    assert GapFile("orlib/gap1-0", "max", 200).gap(199) == 0.005
    assert GapFile("large/c10100", "min", 200).family == "class C"


def test_the_scout_is_left_out_with_a_reason_and_its_line_is_read(tmp_path: Path) -> None:
    assert "is not there" in str(missing_scout(tmp_path))
    line = "PIPE H 1000 J 166 ratio 1.00 seed 901 | prices 0.1+0.2 total 4.8 its 3 | LB1 5 UB 7 unpl 2 gap 0.3882% | 5s:0.4 rss 0.3\n"
    found = LINE.search(f"warming up\n{line}")
    assert found is not None and found.groupdict() == {"offers": "166", "total": "4.8", "unplaced": "2", "gap": "0.3882"}


def test_a_change_of_the_source_is_seen() -> None:
    assert fingerprint("matcher") != fingerprint("benchmarks/rivals")
    assert fingerprint("matcher") == fingerprint("matcher")


def test_how_a_run_of_ours_ended() -> None:
    def ended(code: int, errors: str, stopped: str | None = None) -> str:
        return end_of(Measured(code, "", errors, 1.0, 1.0, 0.0, 10, stopped))

    assert ended(2, "Error: strategy prices cannot serve this instance: too odd") == "refused"
    assert ended(2, "Error: there is no strategy 'x'") == ended(1, "") == ended(5, "", "time") == "failed"
    assert ended(5, "Error: no plan within the limits") == "no plan"


def test_every_strategy_is_compiled_before_anything_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bench, "_ours", lambda self, job: {"end": "ran", "wall_s": 1.0})
    rows = bench(tmp_path).jobs([Job(Case(30, 1.0, 0.0, True, 914), "ours:auto", 20.0)], ("auto", "exact", "prices"))
    assert [(row["kind"], row["who"]) for row in rows] == [
        ("first", "ours:auto"), ("first", "ours:exact"), ("first", "ours:prices"), ("run", "ours:auto"),
    ]  # fmt: skip
