"""Measuring: one job after the other, each written down as soon as it is done."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import OURS, SEEDS, Case, Job
from benchmarks.gap import GapFile, gap_files, run_gap
from benchmarks.measure import measure, python
from benchmarks.program import run_program
from benchmarks.records import Records, Row, fingerprint
from benchmarks.scout import missing_scout, run_scout

RIVAL_GRACE_S = 240.0
"""Reading, compiling, candidates, building the model and judging the plan take time of their own, which no limit counts."""
GRACE_A_HOUSEHOLD_S = 0.002
FIRST, FIRST_S = Case(60, 1.0, 0.05, True, 900), 300.0


@dataclass(frozen=True)
class Bench:
    """work: folder for instances, outputs and records. memory_mib: what a measurement may take. files: the folder of the assignment
    files. scout: folder of the scout."""

    work: Path
    records: Records
    memory_mib: int
    files: Path
    scout: Path

    def once(self, key: str, row: Row, run: Callable[[], dict[str, Any]]) -> Row:
        """The measurement of that key, made now if it has not been made before."""
        if key not in self.records.rows:
            started = time.monotonic()
            print(f"{time.strftime('%H:%M:%S')} {key} …", file=sys.stderr, flush=True)
            figures = run()
            gap = f", gap {figures['gap']:.3%}" if figures.get("gap") is not None else ""
            message = f": {figures['message']}" if "message" in figures else ""
            print(f"         {figures['end']}{gap}{message} ({time.monotonic() - started:.0f} s)", file=sys.stderr, flush=True)
            self.records.add({"key": key, **row, **figures})
        return self.records.rows[key]

    def jobs(self, jobs: Iterable[Job], names: Iterable[str] = ()) -> list[Row]:
        """All jobs. Everybody, and every strategy of `names` (which `auto` may choose), is run once on a tiny instance first, so that
        compiled code is in its cache; that is written down too."""
        jobs = list(jobs)
        everybody = dict.fromkeys([*(f"{OURS}:{name}" for name in names), *(job.who for job in jobs)])
        first = [self.job(Job(FIRST, who, FIRST_S), kind="first") for who in everybody]
        return first + [self.job(job) for job in jobs]

    def job(self, job: Job, kind: str = "run") -> Row:
        """One job."""
        key, row = _described(job, kind)
        return self.once(key, row, lambda: self._ours(job) if _is_ours(job) else self._rival(job))

    def known(self, job: Job) -> Row | None:
        """What has been measured of a job with the code as it is."""
        return self.records.rows.get(_described(job, "run")[0])

    def _instance(self, case: Case) -> Path:
        return case.folder(self.work / "in" / fingerprint("matcher/generate"))

    def _ours(self, job: Job) -> dict[str, Any]:
        folder, out = self._instance(job.case), self.work / "out"
        give_up_s = 60.0 + GRACE_A_HOUSEHOLD_S * job.case.households
        shutil.rmtree(out, ignore_errors=True)
        return run_program(folder, out, job.who.partition(":")[2], job.seconds, give_up_s, self.memory_mib)

    def _rival(self, job: Job) -> dict[str, Any]:
        folder = self._instance(job.case)
        give_up_s = RIVAL_GRACE_S + GRACE_A_HOUSEHOLD_S * job.case.households
        run = measure(python("benchmarks.rivals", [job.who, str(folder), str(job.seconds)]), job.seconds + give_up_s, self.memory_mib)
        if run.code or run.stopped:
            return {"end": "failed", "message": run.complaint, **run.figures}
        found = json.loads(run.out.splitlines()[-1])
        figures = run.figures
        figures["wall_s"] = round(figures["wall_s"] - found["judge_s"], 2)
        figures["cpu_s"] = round(figures["cpu_s"] - found["judge_cpu_s"], 2)
        return {**found, "end": "ran" if "cost" in found else "no plan", **figures}

    def gap(self, seconds: Iterable[float], names: tuple[str, ...] | None = None) -> list[Row]:
        """The assignment files with each of these time limits; none if they are not there."""
        if not (self.files / "best_known.csv").is_file():
            print(f"no assignment files: {self.files} is not there", file=sys.stderr)
            return []
        files = [file for file in gap_files(self.files) if names is None or file.name in names]
        return [self._gap(file, limit) for file in files for limit in seconds]

    def _gap(self, file: GapFile, seconds: float) -> Row:
        code = fingerprint("matcher")
        row = {"kind": "gap", "name": file.name, "sense": file.sense, "family": file.family, "seconds": seconds, "code": code}
        key = f"gap {file.name} {file.sense} {seconds:g}s {code}"
        return self.once(key, row, lambda: run_gap(self.files, file, seconds, self.memory_mib))

    def scouted(self, rows: list[Row]) -> tuple[list[Row], str]:
        """The scout at the size and beds of each of our runs without links and with rooms, given the seconds that ours took to
        solve; and why there is none, if there is none."""
        why = missing_scout(self.scout)
        if why is not None:
            print(f"no scout: {why}", file=sys.stderr)
            return [], why
        found = []
        for row in rows:
            case = row.get("case", {})
            if row["kind"] == "run" and row["who"] == f"{OURS}:auto" and row["end"] == "ran" and not case["links"] and case["rooms"]:
                if case["households"] >= 1_000 and case["seed"] == SEEDS[case["households"]][0]:
                    found.append(self._scout(Case(**case), max(2.0, round(row["solve_s"], 1))))
        return found, ""

    def _scout(self, case: Case, seconds: float) -> Row:
        row = {"kind": "scout", "case": dataclasses.asdict(case), "group": case.group, "who": "scout", "seconds": seconds}
        key = f"scout {case.households} {case.beds:g} {case.seed} {seconds:g}s"
        return self.once(
            key, row, lambda: run_scout(self.scout, self.work, case.households, case.beds, seconds, case.seed, self.memory_mib)
        )  # fmt: skip


def _is_ours(job: Job) -> bool:
    return job.who.startswith(f"{OURS}:")


def _described(job: Job, kind: str) -> tuple[str, Row]:
    """(key, what is known before measuring)."""
    code = fingerprint("matcher") if _is_ours(job) else fingerprint("benchmarks/rivals", "matcher/generate")
    row = {
        "kind": kind,
        "case": dataclasses.asdict(job.case),
        "group": job.case.group,
        "who": job.who,
        "seconds": job.seconds,
        "code": code,
    }
    return f"{kind} {job.case.key} {job.who} {job.seconds:g}s {code}", row
