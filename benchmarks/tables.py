"""The figures as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
Run = dict[str, Any]
NONE = "none"


def markdown(figures: dict[str, Any]) -> str:
    """Everything that was measured, as docs/performance.md shows it."""
    runs: list[Run] = figures["runs"]
    groups = [[run for run in runs if run["group"] == name] for name in dict.fromkeys(run["group"] for run in runs)]
    parts = [_setting(figures), _size_table(groups), _program_table(groups), _rival_table(groups)]
    if figures["gap_files"] is not None:
        parts.append(_gap_sentence(figures["gap_files"]))
    return "\n\n".join(parts)


def write_between_markers(page: Path, text: str) -> None:
    """Replace what stands between the markers of the page. Raises ValueError if they are not there."""
    head, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} lacks the markers {BEGIN} and {END}")
    page.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}", encoding="utf-8")


def _setting(figures: dict[str, Any]) -> str:
    machine = figures["machine"]
    return (
        f"Measured on {figures['date']}: {machine['cores']} cores, {machine['system']}, Python {machine['python']}, OR-Tools "
        f"{machine['ortools']}; time limit {figures['seconds']:g} s for each; seeds {figures['seeds']}. "
        "A line for several seeds shows the median, with least and most in brackets."
    )


def _size_table(groups: Sequence[Sequence[Run]]) -> str:
    head = ("instance", "runs", "households", "offers", "allowed pairs with rooms", "links")
    rows = []
    for group in groups:
        sizes = [[run["problem"][name] for run in group] for name in ("households", "offers", "arcs", "links")]
        rows.append((group[0]["group"], str(len(group)), *(_span(size, 0) for size in sizes)))
    return _table(head, rows)


def _program_table(groups: Sequence[Sequence[Run]]) -> str:
    head = (
        "this program", "proved optimal", "verified", "proved gap", "gap of the certificate alone", "whole process, s", "of it search, s",
        "verify, s", "memory, MiB",
    )  # fmt: skip
    rows = []
    for group in groups:
        good = [run for run in group if "error" not in run["program"]]
        cells = (
            f"{sum(run['program']['status'] == 'optimal' for run in good)} of {len(group)}",
            f"{sum(run['program']['verified'] for run in good)} of {len(group)}",
            _span([proved_gap(run) * 100 for run in good], 2, " %"),
            _span([run["program"]["gap"] * 100 for run in good], 2, " %"),
            _span([run["program"]["wall_s"] for run in good], 1),
            _span([run["program"]["solve_s"] for run in good], 1),
            _span([run["program"]["verify_s"] for run in good], 1),
            _span([run["program"]["peak_mib"] for run in good], 0),
        )
        failed = len(group) - len(good)
        rows.append((group[0]["group"] + (f" ({failed} failed)" if failed else ""), *cells))
    return _table(head, rows)


def proved_gap(run: Run) -> float:
    """0 where an exact search proved the plan optimal, else the gap of the certificate."""
    program = run["program"]
    return 0.0 if program["status"] == "optimal" else float(program["gap"])


def _rival_table(groups: Sequence[Sequence[Run]]) -> str:
    head = (
        "cost as a multiple of ours", "greedy", "plain CP-SAT", "its own gap", "persons placed: ours, greedy, plain", "plain, s",
        "plain, MiB",
    )  # fmt: skip
    rows = []
    for group in groups:
        good = [run for run in group if "error" not in run["program"]]
        rows.append((
            group[0]["group"],
            _span([_ratio(run, "greedy") for run in good], 3, " ×"),
            _span([_ratio(run, "plain") for run in good], 3, " ×"),
            _span([_own_gap(run) for run in good], 1, " %"),
            ", ".join(_middle([run[who]["placed"] for run in good]) for who in ("program", "greedy", "plain")),
            _span([run["plain"]["build_s"] + run["plain"]["solve_s"] for run in good], 1),
            _span([run["plain"]["peak_mib"] for run in good], 0),
        ))  # fmt: skip
    return _table(head, rows)


def _ratio(run: Run, who: str) -> float | None:
    return None if run[who]["cost"] is None else run[who]["cost"] / run["program"]["cost"]


def _own_gap(run: Run) -> float | None:
    """What CP-SAT itself can say about its plan, in per cent; never above 100: that a cost is not negative anybody knows."""
    plain = run["plain"]
    return None if plain["cost"] is None else 100 * (plain["cost"] - max(0.0, plain["bound"])) / plain["cost"]


def _gap_sentence(gap: dict[str, Any]) -> str:
    return (
        f"OR-Library, generalized assignment, {gap['files']} files in both senses: {gap['proved']} of {gap['problems']} problems "
        f"proved optimal, {gap['best_reached']} at the best known value; {gap['seconds']:g} s for all, {gap['longest_s']:.1f} s "
        "for the longest."
    )


def _span(values: Sequence[float | None], digits: int, unit: str = "") -> str:
    """Median (least to most); one number if they are all the same to a reader; missing values are counted."""
    known = [v for v in values if v is not None]
    if not known:
        return NONE
    low, middle, high = (f"{v:,.{digits}f}" for v in (min(known), median(known), max(known)))
    missing = f", {len(values) - len(known)} {NONE}" if len(known) < len(values) else ""
    return f"{middle}{unit}{missing}" if low == high else f"{middle}{unit} ({low} to {high}{missing})"


def _middle(values: Sequence[float | None]) -> str:
    known = [v for v in values if v is not None]
    return f"{median(known):,.0f}" if known else NONE


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
