"""The program as a user runs it: one process, from the CSV files to the written and checked plan."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.cases import DATE, ROOT

GRACE_S = 120.0


def run_module(module: str, arguments: list[str], seconds: float) -> tuple[subprocess.CompletedProcess[str], float]:
    """(how `python -m module` ended, its wall time). `seconds`: when it is given up."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in paths if path))
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=False, timeout=seconds, env=environment
    )
    return done, time.monotonic() - started


def run_program(folder: Path, out: Path, seconds: float) -> dict[str, Any]:
    """Figures of one run of `matcher solve`; {"error": …} if it ended badly. Costs and bounds in 1/10 person-km."""
    arguments = ["solve", str(folder), "--out", str(out), "--date", DATE, "--time-limit", str(seconds), "--quiet"]
    done, wall_s = run_module("matcher.cli.app", arguments, seconds + GRACE_S)
    if done.returncode != 0:
        return {"error": f"exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}", "wall_s": round(wall_s, 2)}
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    run = json.loads((out / "run.json").read_text(encoding="utf-8"))
    checked, verify_s = run_module("matcher.cli.app", ["verify", str(folder), str(out), "--quiet"], GRACE_S)
    kept = ("status", "proved_by", "cost", "bound", "gap", "gap_placed", "gap_km_per_person")
    return {
        **{name: summary[name] for name in kept},
        "persons": sum(summary["persons"].values()),
        "placed": summary["persons"]["placed"],
        "wall_s": round(wall_s, 2),
        "solve_s": run["seconds"]["solve"],
        "peak_mib": run["peak_memory_mib"],
        "cut_by": run["cut_by"],
        "verified": checked.returncode == 0,
        "verify_s": round(verify_s, 2),
    }
