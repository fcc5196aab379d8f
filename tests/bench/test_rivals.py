"""Rivals solve the very same problem: their plans hold, cost what they say, and never less than the optimum."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.rivals.__main__ import Clock, judge, run
from benchmarks.rivals.catalogue import RIVALS, rival
from benchmarks.rivals.offered import Offered
from benchmarks.rivals.serve import Serve
from matcher.compile import Compiled, compile_instance
from matcher.errors import UsageError
from matcher.evaluate import broken, cost_by_stage
from matcher.generate import generate
from matcher.io import read_instance
from matcher.policy import Policy
from matcher.problem import UNPLACED
from matcher.result import Plan
from matcher.rows import Rows, plan_cost
from matcher.solver import solve
from tests.runs import DATE

SMALL = [(40, 911, 0.9, 0.3), (50, 912, 1.0, 0.0), (50, 913, 1.15, 0.2)]


@pytest.fixture(scope="module", params=SMALL, ids=lambda p: f"{p[0]}-{p[1]}")
def compiled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    folder: Path = tmp_path_factory.mktemp("case")
    households, seed, beds, links = request.param
    generate(folder, households, seed, beds, links=links)
    return compile_instance(read_instance(folder), Policy(), DATE)


@pytest.fixture(scope="module")
def optimum(compiled: Compiled) -> int:
    result = solve(compiled.problem, isolate=False)
    assert result.status == "optimal"
    return result.cost.total


def test_the_instances_have_what_is_to_be_tested(tmp_path: Path) -> None:
    seen: dict[str, int] = {"binding": 0, "soft": 0, "rooms": 0, "pins": 0, "fixed": 0, "joint": 0}
    for i, (households, seed, beds, links) in enumerate(SMALL):
        folder = tmp_path / str(i)
        generate(folder, households, seed, beds, links=links)
        problem = (made := compile_instance(read_instance(folder), Policy(), DATE)).problem
        seen["binding"] += sum(link.binds for link in problem.links)
        seen["soft"] += sum(not link.binds for link in problem.links)
        seen["rooms"] += sum(sizes is not None for sizes in problem.sizes)
        seen["pins"] += int(problem.must.sum())
        seen["fixed"] += len(made.fixed_home)
    assert min(seen[name] for name in ("binding", "soft", "rooms", "fixed")) > 0, seen


@pytest.mark.parametrize("name", list(RIVALS))
def test_a_plan_holds_and_costs_what_it_says_and_no_less_than_the_optimum(compiled: Compiled, optimum: int, name: str) -> None:
    end, arcs = run(rival(name), compiled.problem, 10.0, Clock())
    assert end.plan is not None
    assert broken(compiled.problem, end.plan) == []
    said = judge(compiled, end.plan)
    assert said["cost"] == sum(cost_by_stage(compiled.problem, end.plan)) >= optimum
    assert (arcs is None) == (name in ("greedy", "flow"))
    if name == "cp-sat-all" and end.status == "OPTIMAL":
        assert said["cost"] == optimum == end.bound
    if name.endswith("-all"):
        assert end.bound is not None and end.bound <= optimum + 0.01 * abs(optimum) * 1e-2 and said["cost"] <= optimum * 1.0002


def test_persons_and_kilometres_are_those_of_the_rows(compiled: Compiled) -> None:
    end, _ = run(rival("greedy"), compiled.problem, 1.0, Clock())
    assert end.plan is not None
    rows = Rows(compiled, end.plan, with_alternatives=False).placements()
    terms = plan_cost(compiled, end.plan, rows)
    said = judge(compiled, end.plan)
    assert said["placed"] == sum(row.persons for row in rows) > 0
    assert said["km_per_person"] == pytest.approx(terms["travel"] / 10 / said["placed"], abs=0.006)
    assert said["unplaced_cost"] == terms["unplaced"]


def test_a_plan_that_does_not_hold_is_not_judged(compiled: Compiled) -> None:
    everybody = Plan((0,) * len(compiled.problem.persons), ((),) * len(compiled.problem.parties))
    with pytest.raises(RuntimeError, match="does not hold"):
        judge(compiled, everybody)


def listed(arcs: Any) -> set[Any]:
    return {
        (q, a, rooms, int(cost.sum()), tuple(sorted(zip(arcs.resource[i:j].tolist(), arcs.amount[i:j].tolist(), strict=True))))
        for q, a, rooms, cost, i, j in zip(
            arcs.party.tolist(), arcs.offer.tolist(), arcs.rooms, arcs.cost, arcs.start[:-1].tolist(), arcs.start[1:].tolist(), strict=True
        )
    }


def test_all_offers_give_all_arcs_of_the_problem(compiled: Compiled) -> None:
    problem = compiled.problem
    written = Offered(problem).arcs(*Offered(problem).nearest(problem.offers))
    assert listed(written) == listed(problem.arcs())
    assert len(written) == len(problem.arcs()) > 100
    assert (np.diff(written.party) >= 0).all()


def test_candidates_are_some_of_the_arcs_and_the_nearest_are_the_cheapest(compiled: Compiled) -> None:
    problem, offered = compiled.problem, Offered(compiled.problem)
    every = listed(problem.arcs())
    for offers, costs in (offered.nearest(4), offered.well_chosen(5)):
        assert listed(offered.arcs(offers, costs)) < every
        for row in offers:
            there = row[row >= 0]
            assert len(set(there.tolist())) == len(there)
    offers, costs = offered.nearest(4)
    for q in range(len(problem.parties)):
        may = np.flatnonzero(problem.eligible(np.array([q]), np.arange(problem.offers))[0])
        full = problem.base_cost(np.array([q]), may)[0].sum(axis=1)
        assert sorted(full.tolist())[:4] == costs[q, offers[q] >= 0].tolist()


def test_greedy_serves_the_urgent_before_the_others(compiled: Compiled) -> None:
    problem, serve = compiled.problem, Serve(Offered(compiled.problem))
    order = serve.order()
    assert sorted(order.tolist()) == list(range(len(problem.parties)))
    each = problem.unplaced_by_stage().sum(axis=1)[order] / problem.party_persons()[order]
    free = np.log2(each[~problem.must[order]]).astype(int)
    assert (np.diff(free) <= 0).all()
    serve.all(order)
    home = serve.home
    assert (home[problem.barred] == UNPLACED).all()


def test_an_unknown_rival_is_an_error_that_lists_them() -> None:
    with pytest.raises(UsageError, match=r"nobody.*greedy, flow, cp-sat-all"):
        rival("nobody")
