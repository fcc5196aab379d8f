"""The generalized assignment files of the OR-Library, where they are at hand: a public yardstick for the search."""

from __future__ import annotations

import csv
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from matcher import Problem, solve


@dataclass(frozen=True)
class GapFile:
    """cost, use: shape (jobs, agents). best: the best known value. largest: the file asks for the largest value."""

    name: str
    problem: Problem
    offset: int
    best: int
    largest: bool

    def value(self, cost: int) -> int:
        """The file's own value of a plan of that cost."""
        return self.offset - cost if self.largest else cost


def read_gap(path: Path, sense: str, best: int) -> GapFile:
    """`m n`, m rows of n costs, m rows of n uses, m capacities. A file to be maximised is turned round."""
    numbers = np.array(path.read_text(encoding="ascii").split(), dtype=np.int64)
    agents, jobs = int(numbers[0]), int(numbers[1])
    size = agents * jobs
    cost = numbers[2 : 2 + size].reshape(agents, jobs).T
    use = numbers[2 + size : 2 + 2 * size].reshape(agents, jobs).T
    top = int(cost.max())
    turned = top - cost if sense == "max" else cost
    problem = Problem.from_matrix(turned, use, numbers[2 + 2 * size : 2 + 2 * size + agents])
    return GapFile(f"{path.name} {sense}", problem, top * jobs, best, sense == "max")


def run_gap(folder: Path, seconds: float) -> dict[str, Any]:
    """All files of `orlib/` in both senses: how many are proved optimal, and the seconds they took."""
    with (folder / "best_known.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["instance"].startswith("orlib/")]
    runs: list[dict[str, Any]] = []
    for row in rows:
        case = read_gap(folder / row["instance"], row["sense"], int(row["best_known"]))
        started = time.monotonic()
        result = solve(case.problem, time_limit_s=seconds)
        value = case.value(result.cost.total)
        runs.append({
            "name": case.name,
            "seconds": round(time.monotonic() - started, 3),
            "value": value,
            "best_known": case.best,
            "status": result.status,
            "gap": result.gap,
        })  # fmt: skip
    each: list[float] = [run["seconds"] for run in runs]
    return {
        "files": len({row["instance"] for row in rows}),
        "runs": runs,
        "problems": len(runs),
        "proved": sum(run["status"] == "optimal" for run in runs),
        "best_reached": sum(run["value"] == run["best_known"] for run in runs),
        "seconds": round(sum(each), 1),
        "longest_s": max(each),
    }
