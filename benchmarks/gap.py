"""`python -m benchmarks.gap FILE SENSE SECONDS`: a file of the generalized assignment problem, where they are at hand.

A public yardstick for the search. Prints one JSON object.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import measure, python
from matcher import Problem, solve
from matcher.errors import NoPlanError


@dataclass(frozen=True)
class GapFile:
    """name: below the folder. sense: min or max. best: the best known value."""

    name: str
    sense: str
    best: int

    @property
    def family(self) -> str:
        """Where it comes from: its folder, and its class there."""
        folder, file = self.name.split("/")
        return f"{folder} {self.sense}" if folder == "orlib" else f"class {file[0].upper()}"

    def gap(self, value: int) -> float:
        """How far the value is from the best known one, as a share of it."""
        return (value - self.best if self.sense == "min" else self.best - value) / abs(self.best)


def gap_files(folder: Path) -> list[GapFile]:
    """All problems of `best_known.csv`."""
    with (folder / "best_known.csv").open(encoding="utf-8", newline="") as file:
        return [GapFile(row["instance"], row["sense"], int(row["best_known"])) for row in csv.DictReader(file)]


def read_gap(path: Path, sense: str) -> tuple[Problem, int]:
    """`m n`, m rows of n costs, m rows of n uses, m capacities. A file to be maximised is turned round: its value is then the second
    result minus the cost."""
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
    agents, jobs = int(numbers[0]), int(numbers[1])
    size = agents * jobs
    cost = numbers[2 : 2 + size].reshape(agents, jobs).T
    use = numbers[2 + size : 2 + 2 * size].reshape(agents, jobs).T
    top = int(cost.max())
    turned = top - cost if sense == "max" else cost
    return Problem.from_matrix(turned, use, numbers[2 + 2 * size : 2 + 2 * size + agents]), top * jobs


def run_gap(folder: Path, file: GapFile, seconds: float, memory_mib: int) -> dict[str, Any]:
    """Figures of one problem with that time limit."""
    run = measure(python("benchmarks.gap", [str(folder / file.name), file.sense, str(seconds)]), seconds + 120, memory_mib)
    if run.code or run.stopped:
        return {"end": "failed", "message": run.complaint, **run.figures}
    found = json.loads(run.out)
    if "value" in found:
        found["gap"] = file.gap(found["value"])
    return {**found, "best_known": file.best, **run.figures}


def main() -> None:
    """Solve one and print its figures."""
    path, sense, seconds = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    problem, top = read_gap(path, sense)
    started = time.monotonic()
    try:
        result = solve(problem, time_limit_s=seconds)
    except NoPlanError as error:
        print(json.dumps({"end": "no plan", "message": str(error), "solve_s": round(time.monotonic() - started, 3)}))
        return
    value = result.cost.total
    print(json.dumps({
        "end": "ran", "value": top - value if sense == "max" else value, "status": result.status, "strategy": result.strategy,
        "proved_gap": result.gap, "solve_s": round(time.monotonic() - started, 3),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
