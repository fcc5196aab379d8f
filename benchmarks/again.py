"""`python -m benchmarks.again [HOUSEHOLDS] [SEED] [BEDS] [LINKS]`: a night after a night. 3 % of the households and of the offers have
changed, the plan of the night before is known: how long does a warm start take against a cold one, and how many placements move that
could stay? BEDS: a person; LINKS: share of the households that are linked.

Each run is a process of its own, as a user starts it. Prints one JSON object a line.
"""

from __future__ import annotations

import csv
import json
import random
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.cases import DATE, FIRST_SEED
from benchmarks.measure import measure, python
from matcher import generate

SHARE, LIMIT_S, MEMORY_MIB = 0.03, 300.0, 8 * 1024
Row = dict[str, str]


def main() -> None:
    """Both nights, and what changed between them."""
    households = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else FIRST_SEED
    beds = float(sys.argv[3]) if len(sys.argv) > 3 else 1.0
    links = float(sys.argv[4]) if len(sys.argv) > 4 else 0.05
    with tempfile.TemporaryDirectory() as scratch:
        below = Path(scratch)
        generate(below / "first", households, seed, beds, links=links)
        first = _solve(below / "first", below / "first-out")
        shutil.copytree(below / "first", below / "second")
        before = {row["household_id"]: row["accommodation_id"] for row in _rows(below / "first-out" / "placements.csv")}
        gone = change(below / "second", before, random.Random(seed))
        runs = {
            "cold": _solve(below / "second", below / "cold"),
            "warm": _solve(below / "second", below / "warm", "--warm", str(below / "first-out")),
        }
        print(json.dumps({"households": households, "seed": seed, "beds": beds, "links": links, "first": first}))
        for name, figures in runs.items():
            now = {row["household_id"]: row["accommodation_id"] for row in _rows(below / name / "placements.csv")}
            valid = {h for h, a in before.items() if h not in gone and a not in gone}
            moved = sum(now.get(h) != before[h] for h in valid)
            print(
                json.dumps(
                    {"run": name, **figures, "still_valid": len(valid), "moved": moved, "share_moved": round(moved / max(1, len(valid)), 5)}
                )
            )


def change(folder: Path, before: dict[str, str], chance: random.Random) -> set[str]:
    """Change 3 % of the rows: households leave or become more urgent, offers close or get a bed more. The plan of the night before is
    written as proposals. Returns the ids of who and what cannot be as before."""
    gone: set[str] = set()
    named = {value for name in ("overrides", "placements") for row in _rows(folder / f"{name}.csv") for value in row.values()}

    def household(row: Row) -> None:
        if chance.random() < 0.5 or row["household_id"] in named:
            row["priority"] = str(1 + int(row["priority"] or 2) % 5)
        else:
            row["consent"] = "no"
            gone.add(row["household_id"])

    def offer(row: Row) -> None:
        if chance.random() < 0.5 or row["accommodation_id"] in named:
            row["capacity"] = str(int(row["capacity"]) + 1)
        else:
            row["status"] = "closed"
            gone.add(row["accommodation_id"])

    _edit(folder / "households.csv", household, chance)
    _edit(folder / "accommodations.csv", offer, chance)
    file = folder / "placements.csv"
    standing = _rows(file)
    known = {row["household_id"] for row in standing}
    rows = [
        *standing,
        *({"household_id": h, "accommodation_id": a, "status": "proposed"} for h, a in sorted(before.items()) if h not in known),
    ]
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ["household_id", "accommodation_id", "status", "since", "rooms"], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return gone


def _edit(file: Path, edit: Callable[[Row], None], chance: random.Random) -> None:
    rows = _rows(file)
    for i in chance.sample(range(len(rows)), round(SHARE * len(rows))):
        edit(rows[i])
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _rows(file: Path) -> list[Row]:
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def _solve(folder: Path, out: Path, *more: str) -> dict[str, float | int | str | None]:
    arguments = ["solve", str(folder), "--out", str(out), "--date", DATE, "--time-limit", str(LIMIT_S), "--no-remedies", "--quiet", *more]
    run = measure(python("matcher.cli.app", arguments), LIMIT_S + 120, MEMORY_MIB)
    if run.code or run.stopped:
        raise SystemExit(f"{folder.name}: {run.complaint}")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    report = json.loads((out / "run.json").read_text(encoding="utf-8"))
    return {
        "wall_s": run.figures["wall_s"],
        "cpu_s": run.figures["cpu_s"],
        "solve_s": report["seconds"]["solve"],
        "gap": summary["gap"],
        "cost": summary["cost"],
        "cut_by": report["cut_by"],
    }


if __name__ == "__main__":
    main()
