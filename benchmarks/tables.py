"""The figures as Markdown, so that a reader sees what was compared, on what machine, and what each opponent leaves out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import OURS
from benchmarks.figures import AUTO, Growth, Row, completed, growth, is_ours, proved, ran, ratios, reached
from benchmarks.rivals.catalogue import RIVALS

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NONE = "–"
HEAD = (
    "who", "plans", "solve, s", "solve, CPU s", "whole, s", "whole, CPU s", "memory, MiB", "cost, person-km", "× ours", "persons placed",
    "own bound, person-km", "gap", "gap_placed", "km a person",
)  # fmt: skip

COLUMNS = (
    "Medians over the seeds. *solve*: building the model and solving it, from a compiled problem in memory; *whole*: the process from the "
    "CSV files on (ours also checks and writes; judging a rival's plan is not counted); *memory*: the whole process tree; *× ours*: cost "
    f"as a multiple of {AUTO}; *own bound*: what the contender itself proved over all pairs (the cost itself where a search was closed); "
    "*gap*, *gap_placed*: how far the plan is from the best bound that our runs proved for the instance, as a share of its cost, and of "
    "its cost without the unplaced."
)
SCOUT = (
    "**Not the same instances**: the prototype scripts make their own (no rooms, no links, no nights, fewer rules), from memory, without "
    "files. Its proved gap, given the seconds that ours took to solve, beside ours on our instance with as many households and beds."
)


def markdown(figures: dict[str, Any], plot: str) -> str:
    """Everything that was measured. plot: name of the picture beside the page."""
    runs = completed([row for row in figures["rows"] if row["kind"] == "run"])
    of_kind = {kind: [row for row in figures["rows"] if row["kind"] == kind] for kind in ("first", "gap", "scout")}
    parts = [
        _setting(figures), _who(runs), *_targets(runs), *_ratios(runs), *_sizes(runs), *_scout(runs, of_kind["scout"], figures["no_scout"]),
        *_gap_files(of_kind["gap"]), *_growth(growth(runs), plot), *_first(of_kind["first"]), *_failures(figures["rows"]),
    ]  # fmt: skip
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
    cases = {str(row["case"]): row["case"] for row in figures["rows"] if row["kind"] == "run"}.values()
    seeds = ", ".join(map(str, sorted({case["seed"] for case in cases})))
    text = (
        f"Measured on {figures['date']}: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']:g} GiB, "
        f"{machine['system']}, Python {machine['python']}, OR-Tools {machine['ortools']}. {len(cases)} instances of `matcher generate` "
        f"(seeds {seeds}, none of them used for tuning). One measurement at a time, each in a process of its own."
    )
    return text if not figures["left"] else f"{text} **Not finished: {figures['left']} measurements are still to come.**"


def _who(runs: Sequence[Row]) -> str:
    lines = ["Who is compared:", ""]
    for who in dict.fromkeys(row["who"] for row in runs):
        if who.startswith(f"{OURS}:"):
            strategy, _, effort = who.partition(":")[2].partition("*")
            lines.append(f"- **{who}**: this program with `--strategy {strategy}{f' --effort {effort}' if effort else ''}`.")
        else:
            rival = RIVALS[who]
            lines.append(f"- **{who}**: {rival.about}. Left out: {rival.without}.")
    return "\n".join(lines)


def _targets(runs: Sequence[Row]) -> list[str]:
    rows = []
    for r in reached(runs):
        t = r.target
        given = "" if t.who == AUTO else f", {t.who}, given {t.limit:g} s"
        rows.append((
            f"{t.households:,}{given}", "5 %" if r.linked else "none", str(r.instances), str(r.failed),
            _percent(r.gap) + ("" if r.linked else f" (≤ {t.gap * 100:g} %)"), _percent(r.gap_placed),
            _number(r.seconds, 1) + (f" (≤ {t.seconds:g})" if t.seconds else ""), _number(r.mib, 0) + (f" (≤ {t.mib:,})" if t.mib else ""),
            "yes" if r.met else "no",
        ))  # fmt: skip
    head = ("households", "linked", "instances", "failed", "gap", "gap_placed", "whole process, s", "memory, MiB", "holds")
    text = f"The worst of {AUTO} over all instances of a size with rooms; in brackets what is asked."
    return [f"### What is asked, and what was reached\n\n{text}\n\n{table(head, rows)}"] if rows else []


def _ratios(runs: Sequence[Row]) -> list[str]:
    rows = []
    for v in ratios(runs):
        none = f" ({v.without_plan} without a plan)" if v.without_plan else ""
        rows.append((
            v.group, v.rival, f"{v.instances}{none}", _number(v.cost, 3), _number(v.time, 2), _number(v.solve, 2), str(v.cheaper),
        ))  # fmt: skip
    head = ("instances", "rival", "how many", "cost: ours / theirs", "time, whole: ours / theirs", "time, solving", "rival cheaper on")
    if not rows:
        return []
    text = f"### Ratios\n\n{AUTO} beside each rival on the same instances, medians; below 1 is better for us.\n\n{table(head, rows)}"
    return [f"{text}\n\n{said}" if (said := _users_model(runs)) else text]


def _users_model(runs: Sequence[Row]) -> str:
    """What issue 3 asks for at 10,000 households."""
    found = [v for v in ratios([r for r in runs if r["case"]["households"] == 10_000]) if v.rival == "cp-sat-near30"]
    if not found:
        return ""
    costs = [v.cost for v in found if v.cost is not None]
    time = max(v.time for v in found)
    cost = max(costs, default=None)
    lost = sum(v.without_plan for v in found)
    met = time <= 0.2 and (cost is None or cost <= 0.85)
    lower = "no cost of theirs to compare with" if cost is None else f"{(1 - cost) * 100:.1f} % lower"
    none = f"; it had no plan on {lost} instances" if lost else ""
    return (
        "Asked for at 10,000: at least 15 % lower cost than the user's CP-SAT model (cp-sat-near30) in at most a fifth of its time. "
        f"Reached in the worst group: {lower}, {time:.2f} of its time{none}: {'holds' if met else 'does not hold'}."
    )


def _sizes(runs: Sequence[Row]) -> list[str]:
    parts = [f"### Size by size\n\n{COLUMNS}"]
    for group in dict.fromkeys(row["group"] for row in runs):
        inside = [row for row in runs if row["group"] == group]
        limit = ", ".join(f"{s:g} s" for s in dict.fromkeys(row["seconds"] for row in inside))
        seeds = len({row["case"]["seed"] for row in inside})
        rows = [_contender([row for row in inside if row["who"] == who], inside) for who in dict.fromkeys(row["who"] for row in inside)]
        parts.append(f"**{group}** ({seeds} seed{'s' if seeds > 1 else ''}, limit {limit})\n\n{table(HEAD, rows)}")
    return parts


def _contender(rows: Sequence[Row], inside: Sequence[Row]) -> tuple[str, ...]:
    good = ran(rows)
    ours = {str(row["case"]): row["cost"] for row in ran(inside) if row["who"] == AUTO}
    plans = f"{len(good)} of {len(rows)}"
    if bad := [row["end"] for row in rows if row["end"] != "ran"]:
        plans += f" ({', '.join(dict.fromkeys(bad))})"
    if is_ours(rows[0]) and good:
        plans += f", {sum(row['status'] == 'optimal' for row in good)} optimal"
        plans += ", verified" if all(row["verified"] for row in good) else ", NOT verified"
    times = good or rows
    bounds = [proved(row) if is_ours(row) else row.get("own_bound") for row in good]
    multiples = [row["cost"] / ours[str(row["case"])] for row in good if ours.get(str(row["case"]))]
    persons = [row["persons"] for row in good]
    return (
        rows[0]["who"], plans,
        _middle([row.get("whole_solve_s") for row in times], 1), _middle([row.get("whole_solve_cpu_s") for row in times], 1),
        _middle([row["wall_s"] for row in times], 1), _middle([row["cpu_s"] for row in times], 1),
        _middle([row["peak_mib"] for row in times], 0),
        _middle([row["cost"] / 10 for row in good], 0), _middle(multiples, 4),
        _middle([row["placed"] for row in good], 0) + (f" of {median(persons):,.0f}" if persons else ""),
        _middle([None if b is None or b <= 0 else b / 10 for b in bounds], 0),
        _percent(_median([row.get("true_gap") for row in good])), _percent(_median([row.get("true_gap_placed") for row in good])),
        _middle([row["km_per_person"] for row in good], 1),
    )  # fmt: skip


def _scout(runs: Sequence[Row], rows: Sequence[Row], why_not: str) -> list[str]:
    head = "### The scout\n\n"
    if not rows:
        return [f"{head}Not measured: {why_not}."] if why_not else []
    lines = []
    for row in rows:
        ours = next((r for r in ran(runs) if r["who"] == AUTO and r["case"] == row["case"]), None)
        case = row["case"]
        theirs = (_percent(row.get("gap")), _number(row.get("solve_s"), 1), _number(row["peak_mib"], 0))
        mine = (NONE,) * 3 if ours is None else (_percent(ours["gap"]), _number(ours["solve_s"], 1), _number(ours["peak_mib"], 0))
        lines.append((f"{case['households']:,}, {case['beds']:g} beds a person", *theirs, *mine, row.get("message", "")))
    columns = ("households", "scout: its own gap", "solve, s", "MiB", "ours: gap", "solve, s", "MiB", "remark")
    return [f"{head}{SCOUT}\n\n{table(columns, lines)}"]


def _gap_files(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    lines = []
    for family in dict.fromkeys(row["family"] for row in rows):
        for limit in dict.fromkeys(row["seconds"] for row in rows if row["family"] == family):
            inside = [row for row in rows if row["family"] == family and row["seconds"] == limit]
            good = ran(inside)
            gaps = [row["gap"] for row in good]
            lines.append((
                family, f"{limit:g}", f"{len(good)} of {len(inside)}", str(sum(row["status"] == "optimal" for row in good)),
                str(sum(row["gap"] <= 0 for row in good)), _percent(_median(gaps)), _percent(max(gaps, default=None)),
                _middle([row["solve_s"] for row in good], 1), _number(max((row["solve_s"] for row in good), default=None), 1),
            ))  # fmt: skip
    head = (
        "files",
        "limit, s",
        "with a plan",
        "proved optimal",
        "at the best known",
        "gap, median",
        "gap, worst",
        "s, median",
        "s, longest",
    )
    text = "Gap to the best known value, strategy `auto`; the OR-Library's files in both senses."
    return [f"### Public files of the generalized assignment problem\n\n{text}\n\n{table(head, lines)}"]


def _growth(curves: Sequence[Growth], plot: str) -> list[str]:
    if not curves:
        return []
    sizes = sorted({point[0] for curve in curves for point in curve.points})
    rows = []
    for curve in curves:
        at = {point[0]: point for point in curve.points}
        cells = [f"{at[s][1]:,.1f} s, {at[s][2]:,.0f} MiB" if s in at else NONE for s in sizes]
        rows.append((curve.who, *cells, _number(curve.wall, 2), _number(curve.memory, 2)))
    head = ("who", *(f"{size:,}" for size in sizes), "time ~ size^", "memory ~ size^")
    text = (
        "Medians of the whole process with rooms, no links, one bed a person, and the exponents of the straight lines that fit them on "
        "logarithmic axes. Who is stopped by a limit seems to grow slowly."
    )
    return [f"### Growth\n\n{text}\n\n{table(head, rows)}\n\n![Time and memory against size]({plot})"]


def _first(rows: Sequence[Row]) -> list[str]:
    if not rows:
        return []
    cells = ", ".join(f"{row['who']} {row['wall_s']:g} s" for row in rows)
    text = "Before anything was measured, everybody ran once on 60 households, so that compiled code is in its cache (whole process)"
    return [f"{text}: {cells}."]


def _failures(rows: Sequence[Row]) -> list[str]:
    bad = [row for row in rows if row["end"] != "ran" or row.get("verified") is False]
    if not bad:
        return ["### What went wrong\n\nNothing."]
    lines = [f"- {row['key']}: {row['end']}{': ' + row['message'] if row.get('message') else ''}" for row in bad]
    return ["### What went wrong\n\nRuns that ended without a checked plan:\n\n" + "\n".join(lines)]


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return median(known) if known else None


def _middle(values: Sequence[float | None], digits: int) -> str:
    return _number(_median(values), digits)


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None) -> str:
    return NONE if value is None else f"{value * 100:,.3f} %"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, first column to the left, the others to the right."""
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
