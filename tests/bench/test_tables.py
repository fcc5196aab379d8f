"""What is said about the measurements follows from them, failures and refusals among it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from benchmarks.__main__ import machine, write
from benchmarks.cases import Case
from benchmarks.figures import completed, exponent, growth, ratios, reached
from benchmarks.plot import plot
from benchmarks.tables import markdown, table, write_between_markers

SMALL, LARGE = Case(1_000, 1.0, 0.0, True, 901), Case(10_000, 1.0, 0.0, True, 901)
Row = dict[str, Any]


def row(case: Case, who: str, end: str = "ran", **figures: Any) -> Row:
    common = {
        "kind": "run",
        "key": f"run {case.key} {who}",
        "case": dataclasses.asdict(case),
        "group": case.group,
        "who": who,
        "seconds": 60.0,
    }
    measured = {"wall_s": 10.0, "cpu_s": 9.0, "peak_mib": 300}
    if end != "ran":
        return {**common, **measured, "end": end, **figures}
    good = {"cost": 1000, "unplaced_cost": 600, "placed": 95, "persons": 100, "km_per_person": 50.0, "solve_s": 5.0, "solve_cpu_s": 4.0}
    mine = {"bound": 990, "status": "feasible", "gap": 0.01, "gap_placed": 0.025, "verified": True}
    return {
        **common,
        **measured,
        "end": end,
        **good,
        **(mine if who.startswith("ours:") else {"own_bound": None, "build_s": 1.0}),
        **figures,
    }


def rows() -> list[Row]:
    return [
        row(SMALL, "ours:auto", gap=0.001, wall_s=4.0, peak_mib=200),
        row(SMALL, "ours:exact", status="optimal", cost=998),
        row(SMALL, "ours:prices", end="refused", message="exit code 2: strategy prices cannot serve this instance: too | odd"),
        row(SMALL, "greedy", cost=2000, wall_s=2.0, peak_mib=100, placed=80),
        row(LARGE, "ours:auto", gap=0.0005, wall_s=15.0, peak_mib=800),
        row(LARGE, "greedy", cost=1600, wall_s=20.0, peak_mib=400),
        row(LARGE, "cp-sat-near30", cost=1250, wall_s=100.0, build_s=20.0, solve_s=60.0),
        row(LARGE, "highs-good12", end="failed", message="ended from outside: over its limit of memory"),
        row(LARGE, "scip-good12", end="no plan", status="unknown", solve_s=60.0, build_s=5.0),
    ]


def figures(some: list[Row], **more: Any) -> dict[str, Any]:
    return {"date": "2026-11-22", "machine": machine(), "left": 0, "no_scout": "", "rows": some, **more}


def test_gaps_are_to_the_best_bound_of_any_of_ours() -> None:
    done = {(r["group"], r["who"]): r for r in completed(rows())}
    assert done[SMALL.group, "greedy"]["true_gap"] == (2000 - 998) / 2000
    assert done[SMALL.group, "greedy"]["true_gap_placed"] == (2000 - 998) / 1400
    assert done[SMALL.group, "ours:auto"]["true_gap"] == 2 / 1000
    assert done[LARGE.group, "greedy"]["best_bound"] == 990
    assert done[LARGE.group, "cp-sat-near30"]["whole_solve_s"] == 80.0
    assert "true_gap" not in done[LARGE.group, "highs-good12"]


def test_ratios_are_ours_by_theirs_and_count_what_failed() -> None:
    found = {(v.group, v.rival): v for v in ratios(completed(rows()))}
    user = found[LARGE.group, "cp-sat-near30"]
    assert (user.cost, user.time, user.solve, user.cheaper, user.without_plan) == (0.8, 0.15, 5.0 / 80, 0, 0)
    assert found[LARGE.group, "highs-good12"].without_plan == 1 and found[LARGE.group, "highs-good12"].cost is None
    cheaper = ratios(completed([row(SMALL, "ours:auto"), row(SMALL, "greedy", cost=999)]))
    assert cheaper[0].cheaper == 1


def test_targets_take_the_worst_and_a_failure_does_not_hold() -> None:
    found = {(r.target.households, r.linked): r for r in reached(completed(rows()))}
    assert set(found) == {(1_000, False), (10_000, False)}
    assert found[1_000, False].met and found[10_000, False].met
    other = dataclasses.replace(SMALL, beds=0.9)
    worse = found_of([*rows(), row(other, "ours:auto", gap=0.0031, wall_s=5.0)])
    assert (worse.gap, worse.instances, worse.met) == (0.0031, 2, False)
    failed = found_of([*rows(), row(other, "ours:auto", end="failed", message="x")])
    assert (failed.failed, failed.met) == (1, False)
    assert not found_of([row(SMALL, "ours:auto", gap=0.001, wall_s=8.5)]).met
    patient = found_of([row(SMALL, "ours:auto*20", gap=0.001, wall_s=62.0)])
    assert patient.met and patient.target.limit == 60


def found_of(some: list[Row]) -> Any:
    return next(r for r in reached(completed(some)) if r.target.households == 1_000)


def test_growth_is_the_slope_on_logarithmic_axes() -> None:
    assert exponent([(10, 3), (100, 300), (1000, 30_000)]) == pytest.approx(2.0)
    assert exponent([(10, 3)]) is None
    curves = {curve.who: curve for curve in growth(completed(rows()))}
    assert set(curves) == {"ours:auto", "greedy"}
    assert curves["greedy"].wall == pytest.approx(1.0)
    assert curves["greedy"].points == ((1_000, 2.0, 100, 6.0), (10_000, 20.0, 400, 6.0))


def test_the_page_shows_everything_and_its_tables_are_square() -> None:
    file = {"kind": "gap", "family": "class C", "seconds": 10.0}
    gap = [
        {**file, "key": "g1", "end": "ran", "gap": 0.002, "status": "feasible", "solve_s": 9.9},
        {**file, "key": "g2", "end": "no plan", "message": "none", "wall_s": 10.0},
    ]
    scout = [
        {**row(LARGE, "scout"), "kind": "scout", "key": "s1", "gap": 0.002, "solve_s": 5.1},
        {**row(SMALL, "scout", end="failed", message="it broke"), "kind": "scout", "key": "s2"},
    ]
    first = [{**row(SMALL, "greedy"), "kind": "first", "key": "f"}]
    text = markdown(figures([*first, *rows(), *gap, *scout], left=3), "picture.svg")
    width = 0
    for line in text.splitlines():
        bars = line.replace("\\|", "").count("|") if line.startswith("|") else 0
        assert bars == width or not (bars and width), line
        width = bars
    for said in (
        "3 measurements are still to come", "0 of 1 (refused)", "0 of 1 (failed)", "0 of 1 (no plan)", "too | odd",
        "over its limit of memory",
        "**cp-sat-near30**", "20.0 % lower, 0.15 of its time: holds", "![Time and memory against size](picture.svg)", "1 of 2",
        "it broke",
        "Not the same instances", "seeds 901", "1 of 1, 1 optimal, verified", "greedy 10 s",
    ):  # fmt: skip
        assert said in text, said
    assert text.count("highs-good12") >= 3


def test_a_plan_that_does_not_verify_is_said_to_be_wrong() -> None:
    text = markdown(figures([row(SMALL, "ours:auto", verified=False, message="verify: exit code 1: wrong")]), "p.svg")
    assert "NOT verified" in text and "verify: exit code 1: wrong" in text


def test_nothing_measured_is_still_a_page() -> None:
    text = markdown(figures([], no_scout="it is not there"), "p.svg")
    assert "Not measured: it is not there." in text and "Nothing." in text


def test_the_picture_is_xml_with_a_curve_for_everybody() -> None:
    curves = growth(completed(rows()))
    root = ET.fromstring(plot(curves))
    tags = [element.tag.rpartition("}")[2] for element in root.iter()]
    assert tags.count("polyline") == 2 * len(curves) == 4
    assert ET.fromstring(plot([])) is not None


def test_a_cell_with_a_bar_does_not_break_the_table() -> None:
    assert table(("a", "b"), [("x|y", "1")]).splitlines()[-1] == "| x\\|y | 1 |"


def test_the_page_is_replaced_between_its_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("head\n<!-- figures: begin -->old<!-- figures: end -->\ntail\n", encoding="utf-8")
    write_between_markers(page, "new")
    assert page.read_text(encoding="utf-8") == "head\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\ntail\n"
    page.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="markers"):
        write_between_markers(page, "new")


def test_all_three_files_are_written(tmp_path: Path) -> None:
    text = write(figures(rows()), tmp_path, docs=False)
    assert (tmp_path / "performance.md").read_text(encoding="utf-8") == text + "\n"
    assert json.loads((tmp_path / "performance.json").read_text(encoding="utf-8"))["rows"] == rows()
    assert (tmp_path / "performance.svg").read_text(encoding="utf-8").startswith("<svg")
