"""The program as a user runs it: one process, from the CSV files to the written and checked plan."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.cases import DATE
from benchmarks.measure import Measured, measure, python
from matcher.errors import ExitCode

KEPT = ("status", "proved_by", "cost", "bound", "gap", "gap_placed", "gap_km_per_person")


def run_program(folder: Path, out: Path, strategy: str, seconds: float, give_up_s: float, memory_mib: int) -> dict[str, Any]:
    """Figures of one run of `matcher solve`, and whether `matcher verify` agrees; or "failed", "refused" or "no plan"
    with a message.

    strategy: NAME, or NAME*EFFORT. Costs and bounds in 1/10 person-km.
    """
    name, _, effort = strategy.partition("*")
    arguments = ["solve", str(folder), "--out", str(out), "--date", DATE, "--time-limit", str(seconds), "--strategy", name, "--quiet"]
    arguments += ["--effort", effort] if effort else []
    run = measure(python("matcher.cli.app", arguments), seconds + give_up_s, memory_mib)
    if run.code or run.stopped:
        return {"end": end_of(run), "message": run.complaint, **run.figures}
    return {"end": "ran", **_figures(folder, out, run), **_verified(folder, out, give_up_s, memory_mib)}


def end_of(run: Measured) -> str:
    """failed, refused or no plan."""
    if run.stopped:
        return "failed"
    if run.code == ExitCode.USAGE and "cannot serve" in run.errors:
        return "refused"
    return "no plan" if run.code == ExitCode.NO_PLAN else "failed"


def _figures(folder: Path, out: Path, run: Measured) -> dict[str, Any]:
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    report = json.loads((out / "run.json").read_text(encoding="utf-8"))
    file = folder / "policy.toml"
    policy = tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    person_km = summary["cost_terms"]["travel"] / 10 / policy.get("travel", {}).get("weight", 1.0)
    placed = summary["persons"]["placed"]
    return {
        **{name: summary[name] for name in KEPT},
        "unplaced_cost": summary["cost_terms"]["unplaced"],
        "strategy": summary["strategy"],
        "persons": placed + summary["persons"]["unplaced"],
        "placed": placed,
        "km_per_person": round(person_km / max(1, placed), 2),
        "solve_s": report["seconds"]["solve"],
        "solve_cpu_s": round(run.child_cpu_s, 2) or None,
        "parts_s": report["seconds"],
        "cut_by": report["cut_by"],
        **run.figures,
    }


def _verified(folder: Path, out: Path, give_up_s: float, memory_mib: int) -> dict[str, Any]:
    check = measure(python("matcher.cli.app", ["verify", str(folder), str(out), "--quiet"]), give_up_s, memory_mib)
    said = {"verified": check.code == 0 and not check.stopped, "verify_s": round(check.wall_s, 2), "verify_mib": check.peak_mib}
    return said if said["verified"] else {**said, "message": f"verify: {check.complaint}"}
