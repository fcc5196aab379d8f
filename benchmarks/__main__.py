"""`python -m benchmarks`: measure, print, and write what was measured as JSON, Markdown and SVG."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.cases import FIRST_GAP_FILES, ROOT, SECONDS, Job, full_jobs, short_jobs
from benchmarks.figures import completed, growth
from benchmarks.plot import plot
from benchmarks.records import Records
from benchmarks.run import Bench
from benchmarks.tables import markdown, write_between_markers
from matcher.errors import UsageError
from matcher.strategies.registry import NAMES

SHARED = ROOT.parent / "shared"
NAME = "performance"


def main() -> None:
    """Measure what is asked for and not there yet, then write everything."""
    options = _options()
    records = Records(options.work / ("full.jsonl" if options.full else "short.jsonl"))
    if options.fresh:
        records.clear()
    bench = Bench(options.work, records, options.memory, options.gap, options.scout)
    jobs = list(full_jobs(NAMES, options.sizes, options.seeds) if options.full else short_jobs(NAMES))
    if options.only:
        jobs = [job for job in jobs if job.who in options.only]
    try:
        rows, no_scout = _measured(bench, jobs, options)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here, and --report writes what is there", file=sys.stderr)
        sys.exit(130)
    left = sum(not bench.known(job) for job in jobs)
    figures = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine(),
        "left": left,
        "no_scout": no_scout,
        "rows": rows,
    }
    print(write(figures, options.work, docs=options.docs))


def _measured(bench: Bench, jobs: list[Job], options: argparse.Namespace) -> tuple[list[dict[str, Any]], str]:
    """(rows, why there is no scout). With --report only what has been measured before."""
    if options.report:
        rows = [row for job in jobs if (row := bench.known(job))]
        whos = {row["who"] for row in rows}
        return [
            *rows,
            *(r for r in bench.records.rows.values() if r["kind"] in ("gap", "scout") or (r["kind"] == "first" and r["who"] in whos)),
        ], ""
    rows = bench.jobs(jobs, NAMES)
    scout, no_scout = bench.scouted(rows)
    gap = bench.gap((10.0, 60.0) if options.full else (10.0,), None if options.full else FIRST_GAP_FILES)
    return [*rows, *scout, *gap], no_scout


def write(figures: dict[str, Any], work: Path, *, docs: bool) -> str:
    """Write JSON, Markdown and SVG into `work`, and with `docs` into docs/ as well. Returns the Markdown."""
    text = markdown(figures, f"{NAME}.svg")
    picture = plot(growth(completed([row for row in figures["rows"] if row["kind"] == "run"])))
    data = json.dumps(figures, ensure_ascii=False, indent=1) + "\n"
    for folder in (work, *([ROOT / "docs"] if docs else [])):
        (folder / f"{NAME}.json").write_text(data, encoding="utf-8")
        (folder / f"{NAME}.svg").write_text(picture, encoding="utf-8")
    (work / f"{NAME}.md").write_text(text + "\n", encoding="utf-8")
    if docs:
        write_between_markers(ROOT / "docs" / f"{NAME}.md", text)
    return text


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all sizes, beds, links, rooms and seeds: hours; goes on where it was stopped")
    parser.add_argument("--sizes", type=_sizes, default=tuple(SECONDS), help="of --full: only these numbers of households, e.g. 300,1000")
    parser.add_argument("--seeds", type=int, default=5, help="of --full: so many seeds of each size at the most")
    parser.add_argument("--only", type=lambda text: text.split(","), help="only these contenders, e.g. ours:auto,greedy")
    parser.add_argument("--report", action="store_true", help="measure nothing, write what has been measured with the code as it is")
    parser.add_argument("--docs", action="store_true", help="write into docs/ as well")
    parser.add_argument("--fresh", action="store_true", help="forget what has been measured before")
    parser.add_argument(
        "--work", type=Path, default=ROOT / "out" / "bench", help="folder for instances and measurements (default out/bench)"
    )
    parser.add_argument(
        "--memory", type=int, default=8 * 1024, help="MiB at which a measurement is ended and counts as failed (default 8192)"
    )
    parser.add_argument(
        "--gap", type=Path, default=SHARED / "bench" / "gap", help="folder of the public assignment files, left out if not there"
    )
    parser.add_argument("--scout", type=Path, default=SHARED / "scout", help="folder of the scout, left out if not there")
    return parser.parse_args()


def _sizes(text: str) -> tuple[int, ...]:
    sizes = tuple(int(part) for part in text.split(","))
    if unknown := [size for size in sizes if size not in SECONDS]:
        raise argparse.ArgumentTypeError(f"{unknown} not among {', '.join(map(str, SECONDS))}")
    return sizes


def machine() -> dict[str, Any]:
    """What it was measured on."""
    cpu = Path("/proc/cpuinfo")
    names = (
        [line.partition(":")[2].strip() for line in cpu.read_text(encoding="utf-8").splitlines() if line.startswith("model name")]
        if cpu.exists()
        else []
    )
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "ortools": metadata.version("ortools"),
    }


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        sys.exit(str(error))
