"""The scout: rough prototype scripts outside the repository, which make instances of their own and are compared on these alone."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import measure

SCRIPT = "pipe2.py"
LINE = re.compile(r"^PIPE H \d+ J (?P<offers>\d+) .*total (?P<total>[\d.]+) .*unpl (?P<unplaced>\d+) gap (?P<gap>[-\d.]+)%", re.MULTILINE)


def missing_scout(folder: Path) -> str | None:
    """Why it cannot be run, or None."""
    if not (folder / "bundles" / SCRIPT).is_file():
        return f"{folder / 'bundles' / SCRIPT} is not there"
    if importlib.util.find_spec("scipy") is None:
        return "it needs scipy, which is not installed"
    return None


def run_scout(folder: Path, work: Path, households: int, beds: float, seconds: float, seed: int, memory_mib: int) -> dict[str, Any]:
    """Its own proved gap after `seconds` on an instance of its own generator. It runs in a copy, where it may write."""
    copy = work / "scout"
    if not copy.exists():
        shutil.copytree(folder / "bundles", copy)
        for file in (copy, *copy.rglob("*")):
            file.chmod(0o755)
    command = [sys.executable, SCRIPT, str(households), f"{seconds:g}", f"{beds:g}", str(seed)]
    run = measure(command, 3 * seconds + 300, memory_mib, copy)
    found = LINE.search(run.out)
    if run.code or run.stopped or found is None:
        return {"end": "failed", "message": run.complaint or "it printed no result", **run.figures}
    return {
        "end": "ran", "offers": int(found["offers"]), "solve_s": float(found["total"]), "gap": float(found["gap"]) / 100,
        "unplaced_households": int(found["unplaced"]), **run.figures,
    }  # fmt: skip
