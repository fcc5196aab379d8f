"""`python -m benchmarks`: measure, print, and write the tables of docs/performance.md."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cases import ROOT, Case, generated_cases, own_cases
from benchmarks.gap import run_gap
from benchmarks.program import run_program
from benchmarks.rivals import run_rivals
from benchmarks.tables import markdown, write_between_markers

SEEDS = (101, 102, 103, 104, 105)
GAP_FOLDER = ROOT.parent / "shared" / "bench" / "gap"
PAGE, DATA = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.json"


def main() -> None:
    """Everything, or with --quick one small part of it that writes nothing."""
    options = _options()
    seeds = SEEDS[:1] if options.quick else SEEDS
    seconds = min(options.seconds, 5.0) if options.quick else options.seconds
    with tempfile.TemporaryDirectory(prefix="matcher-bench-") as name:
        folder = Path(name)
        cases = own_cases()[:1] if options.quick else own_cases()
        cases += generated_cases(folder / "in", seeds, *([(1.0,)] if options.quick else []))
        runs = [_run(case, folder / "out" / str(i), seconds) for i, case in enumerate(cases)]
    gap_files = run_gap(options.gap, seconds) if options.gap.is_dir() and not options.quick else None
    figures = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": _machine(),
        "seconds": seconds,
        "seeds": " ".join(map(str, seeds)),
        "runs": runs,
        "gap_files": gap_files,
    }
    text = markdown(figures)
    print(text)
    if not options.quick:
        DATA.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        write_between_markers(PAGE, text)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two instances, 5 s each; prints, and leaves the docs as they are")
    parser.add_argument("--seconds", type=float, default=20.0, help="time limit of each run, ours and theirs (default 20)")
    parser.add_argument("--gap", type=Path, default=GAP_FOLDER, help="folder of the public assignment files, left out if not there")
    return parser.parse_args()


def _run(case: Case, out: Path, seconds: float) -> dict[str, Any]:
    print(f"{case.name} …", file=sys.stderr, flush=True)
    program = run_program(case.folder, out, seconds)
    return {"name": case.name, "group": case.group, "program": program, **run_rivals(case.folder, seconds)}


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "ortools": metadata.version("ortools"),
    }


if __name__ == "__main__":
    main()
