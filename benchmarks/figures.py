"""What follows from the measurements: gaps to the best proved bound, ratios, targets, growth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.cases import LONG, OURS

Row = dict[str, Any]
AUTO, PATIENT = f"{OURS}:auto", f"{OURS}:{LONG}"


def is_ours(row: Row) -> bool:
    """Is it a run of the program?"""
    return str(row["who"]).startswith(f"{OURS}:")


def ran(rows: Iterable[Row]) -> list[Row]:
    """Those that ended with a plan."""
    return [row for row in rows if row["end"] == "ran"]


def proved(row: Row) -> int:
    """What a run of ours proved that no plan can cost less than: the cost itself where a search was closed, else its certificate."""
    return int(row["cost"] if row["status"] == "optimal" else row["bound"])


def completed(rows: Sequence[Row]) -> list[Row]:
    """Rows of runs with what only all rows of an instance can tell.

    best_bound: the best bound that the program proved for the instance in any run, by prices or by a closed search (None: none);
    true_gap, true_gap_placed: how far the plan is from it; whole_solve_s, whole_solve_cpu_s: building the
    model and solving.
    """
    known: dict[str, list[Row]] = {}
    for row in rows:
        known.setdefault(str(row["case"]), []).append(row)
    out = []
    for row in rows:
        mine = [r for r in ran(known[str(row["case"])]) if is_ours(r)]
        bound = max((proved(r) for r in mine), default=None)
        more: Row = {"best_bound": bound}
        if row["end"] == "ran" and bound is not None:
            more["true_gap"] = (row["cost"] - bound) / max(1, abs(row["cost"]))
            more["true_gap_placed"] = (row["cost"] - bound) / max(1, row["cost"] - row["unplaced_cost"])
        for name in ("solve_s", "solve_cpu_s"):
            if row.get(name) is not None:
                more[f"whole_{name}"] = row[name] + row.get(name.replace("solve", "build"), 0.0)
        out.append({**row, **more})
    return out


@dataclass(frozen=True)
class Versus:
    """One of ours beside one rival on the same instances, medians. cost, time: ours as a multiple of theirs; time: of whole processes.
    cheaper: instances on which the rival's plan cost less than ours."""

    group: str
    rival: str
    instances: int
    without_plan: int
    cost: float | None
    time: float
    solve: float | None
    cheaper: int


def ratios(rows: Sequence[Row]) -> list[Versus]:
    """`auto` beside every rival in every group. A rival that failed or had no plan counts with its time, not with a cost."""
    out = []
    for group in dict.fromkeys(row["group"] for row in rows):
        inside = [row for row in rows if row["group"] == group]
        ours = {str(row["case"]): row for row in ran(inside) if row["who"] == AUTO}
        for who in dict.fromkeys(row["who"] for row in inside if not is_ours(row)):
            pairs = [(ours[str(r["case"])], r) for r in inside if r["who"] == who and str(r["case"]) in ours]
            if not pairs:
                continue
            costs = [a["cost"] / b["cost"] for a, b in pairs if b["end"] == "ran" and b["cost"]]
            solves = [a["solve_s"] / b["whole_solve_s"] for a, b in pairs if b.get("whole_solve_s")]
            out.append(Versus(
                group, who, len(pairs), sum(b["end"] != "ran" for _, b in pairs), median(costs) if costs else None,
                median(a["wall_s"] / b["wall_s"] for a, b in pairs), median(solves) if solves else None, sum(c > 1 for c in costs),
            ))  # fmt: skip
    return out


@dataclass(frozen=True)
class Target:
    """What issue 3 asks for at a size: gap as a share, seconds of the whole process, MiB. limit: seconds of search it is given."""

    households: int
    gap: float
    seconds: float | None = None
    mib: int | None = None
    who: str = AUTO
    limit: float | None = None


TARGETS = (
    Target(1_000, 0.003, 8),
    Target(1_000, 0.0015, who=PATIENT, limit=60),
    Target(10_000, 0.001, 20),
    Target(33_500, 0.0015, 60),
    Target(1_000_000, 0.003, 600, 6 * 1024),
)


@dataclass(frozen=True)
class Reached:
    """The worst of `auto` over all beds and seeds with rooms, against a target. gap counts without links alone."""

    target: Target
    linked: bool
    instances: int
    failed: int
    gap: float | None
    gap_placed: float | None
    seconds: float | None
    mib: int | None

    @property
    def met(self) -> bool:
        """Does everything that was measured hold what is asked?"""
        if self.failed or self.gap is None or self.seconds is None or self.mib is None:
            return False
        near = self.linked or self.gap <= self.target.gap
        soon = self.target.seconds is None or self.seconds <= self.target.seconds
        return near and soon and (self.target.mib is None or self.mib <= self.target.mib)


def reached(rows: Sequence[Row]) -> list[Reached]:
    """Every target of a size that was measured."""
    out = []
    for target in TARGETS:
        for linked in (False, True):
            mine = [
                row for row in rows
                if row["who"] == target.who and row["case"]["households"] == target.households and row["case"]["rooms"]
                and bool(row["case"]["links"]) == linked
            ]  # fmt: skip
            if mine:
                good = ran(mine)
                worst: dict[str, Any] = {
                    name: max((row[name] for row in good), default=None) for name in ("gap", "gap_placed", "wall_s", "peak_mib")
                }
                out.append(Reached(target, linked, len(mine), len(mine) - len(good), *worst.values()))
    return out


@dataclass(frozen=True)
class Growth:
    """Medians by size: wall seconds and MiB of the whole process, seconds of solving; and exponents fitted to them (None with fewer
    than two sizes)."""

    who: str
    points: tuple[tuple[int, float, float, float | None], ...]
    wall: float | None
    memory: float | None


def growth(rows: Sequence[Row]) -> list[Growth]:
    """Everybody who ended at two sizes or more, on instances with rooms, without links and with as many beds as persons."""
    base = [row for row in ran(rows) if row["case"]["rooms"] and not row["case"]["links"] and row["case"]["beds"] == 1.0]
    out = []
    for who in dict.fromkeys(row["who"] for row in base):
        mine = [row for row in base if row["who"] == who]
        points: list[tuple[int, float, float, float | None]] = []
        for size in sorted({row["case"]["households"] for row in mine}):
            here = [row for row in mine if row["case"]["households"] == size]
            solves = [row["whole_solve_s"] for row in here if row.get("whole_solve_s") is not None]
            points.append(
                (size, median(r["wall_s"] for r in here), median(r["peak_mib"] for r in here), median(solves) if solves else None)
            )
        if len(points) > 1:
            wall, memory = exponent([(p[0], p[1]) for p in points]), exponent([(p[0], p[2]) for p in points])
            out.append(Growth(who, tuple(points), wall, memory))
    return out


def exponent(points: Sequence[tuple[float, float]]) -> float | None:
    """k of the best line log y = k log x + c by least squares, None with fewer than two points."""
    logs = [(math.log(x), math.log(y)) for x, y in points if x > 0 and y > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    x_mean, y_mean = (sum(p[i] for p in logs) / len(logs) for i in (0, 1))
    return sum((x - x_mean) * (y - y_mean) for x, y in logs) / sum((x - x_mean) ** 2 for x, _ in logs)
