"""When the search dies there is still a plan: what stood already and still holds, filled up, checked, and said to be just that.

The child is replaced by one that really crashes, hangs or takes all memory; nothing of ours is replaced.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matcher import apart, solver
from matcher.bounds import lower_bound
from matcher.compile import compile_instance
from matcher.errors import ContradictionError, InternalError, NoPlanError
from matcher.evaluate import broken, cost_by_stage
from matcher.model import Standing
from matcher.parts import UNPLACED
from matcher.policy import Policy
from matcher.problem import Problem
from matcher.publish import publish
from matcher.result import Result
from matcher.solver import solve
from matcher.strategies import isolated
from matcher.strategies.base import Silent
from matcher.strategies.fallback import fallback, fallback_plan
from matcher.strategies.start import Start
from matcher.verify import verify
from tests.oracle.tiny import tiny_case
from tests.prices.problems import problems
from tests.runs import DATE, changed, generated, instance_of, solved

FOLDER = generated(60, 41, 0.8, 0.6)
MOST_S = 10.0
"""What a night may take beyond its deadline."""

PRELUDE = """
import os, signal, sys, time
from matcher import apart
from matcher.strategies import child
real_plan = child.Ships.on_plan
def after_a_plan(then):
    def on_plan(self, plan, cost):
        real_plan(self, plan, cost)
        exec(then)
    child.Ships.on_plan = on_plan
    apart.main()
"""
ENDS = {
    "crashes at once": "os.abort()",
    "is a segmentation fault": "import ctypes; ctypes.string_at(0)",
    "ends without a word": "os._exit(0)",
    "takes all memory": "hoard = []\nwhile True: hoard.append(bytearray(1 << 26))",
    "hangs": "time.sleep(600)",
    "hangs and is deaf": "[signal.signal(n, signal.SIG_IGN) for n in range(1, 32) if n not in (9, 17, 19)]\ntime.sleep(600)",
    "spins": "\nwhile True: pass",
    "writes rubbish": "os.write(int(sys.argv[1]), b'\\x00' * 7 + b'\\x09' + b'half'); os._exit(3)",
    "crashes after a plan": "after_a_plan('os.abort()')",
    "hangs after a plan": "after_a_plan('time.sleep(600)')",
}


@pytest.fixture
def replace_child(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Children that are started run the given code instead of the search. Returns the list of them."""
    real, started = subprocess.Popen, []

    def replace(code: str) -> list[subprocess.Popen[bytes]]:
        def popen(command: list[str], **options: Any) -> Any:
            started.append(real([sys.executable, "-c", PRELUDE + code, command[-1]], **{**options, "stderr": subprocess.DEVNULL}))
            return started[-1]

        monkeypatch.setattr(apart.subprocess, "Popen", popen)
        return started

    return replace


def night(deadline_s: float = 8.0) -> Result:
    limits: dict[str, Any] = {"time_limit_s": 2.0, "deadline_s": deadline_s, "memory_mib": 1024}
    return solve(instance_of(FOLDER), date=DATE, isolate=True, fallback=True, **limits)


@pytest.mark.parametrize("how", ["takes all memory", "hangs and is deaf", "crashes at once"])
def test_there_is_a_verified_plan_whatever_the_child_does(
    how: str, replace_child: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(isolated, "GRACE_S", 1.0)
    children = replace_child(ENDS[how])
    started = time.monotonic()
    result = night()
    assert time.monotonic() - started < 8.0 + MOST_S
    assert len(children) == 2, "one more try"
    assert all(child.poll() is not None for child in children)
    assert (result.status, result.proved_by, result.strategy) == ("fallback", None, "fallback")
    assert "died twice" in result.why or "its time was over" in result.why
    assert result.bound <= result.cost.total
    verdict = verify(FOLDER, publish(result, tmp_path / "out"))
    assert verdict.right, verdict.violations


@pytest.mark.slow
def test_fifty_children_that_hang_crash_or_exceed_memory(replace_child: Any, tmp_path: Path) -> None:
    seen: dict[str, set[str]] = {}
    for number in range(50):
        how = sorted(ENDS)[number % len(ENDS)]
        replace_child(ENDS[how])
        started = time.monotonic()
        result = night(deadline_s=3.0 + number % 5)
        assert time.monotonic() - started < 3.0 + number % 5 + MOST_S, how
        verdict = verify(FOLDER, publish(result, tmp_path / str(number)))
        assert verdict.right, (how, verdict.violations)
        seen.setdefault(how, set()).add(result.status)
    assert len(seen) == len(ENDS)
    assert all(states == {"fallback"} for how, states in seen.items() if "after a plan" not in how), seen


def test_proposals_that_still_hold_are_kept(replace_child: Any) -> None:
    """All but one, whose offer has closed since."""
    folder = generated(60, 43, 0.8, 0.0)  # nobody bound to anybody, who would have to leave with them
    before = solved(folder)
    rows = tuple(Standing(household_id=r.household_id, accommodation_id=r.accommodation_id, status="proposed") for r in before.placements)
    instance = instance_of(folder)
    gone = next(r.accommodation_id for r in before.placements if r.persons > 1)
    offers = tuple(changed(a, status="closed") if a.accommodation_id == gone else a for a in instance.accommodations)
    replace_child(ENDS["crashes at once"])
    after = solve(changed(instance, standing=rows, accommodations=offers), date=DATE, isolate=True, fallback=True)
    assert after.status == "fallback"
    stayed = {row.household_id: row.accommodation_id for row in after.placements}
    moved = [r.household_id for r in before.placements if r.accommodation_id != gone and stayed.get(r.household_id) != r.accommodation_id]
    assert moved == []
    assert gone not in stayed.values()
    assert len(before.placements) > 20


def test_a_search_that_breaks_a_promise_is_no_reason_for_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> Any:
        raise InternalError("strategy x broke a promise: bed counted twice")

    monkeypatch.setattr(solver, "_run", fails)
    seen = refused = 0
    for seed in range(60):
        case = tiny_case(910_000 + seed, density=0.15, links=True, parties=True, standing=True, rooms=True, nights=True, overrides=True)
        try:
            result = solve(case.instance, case.policy, date=case.date, fallback=True)  # checked by the independent checker
        except (ContradictionError, NoPlanError):
            refused += 1
            continue
        assert result.status == "fallback" and result.bound <= result.cost.total
        seen += 1
    assert seen > 40 and refused < 15, (seen, refused)


def random_start(problem: Problem, rng: random.Random) -> Start:
    """Everybody somewhere, often where they may not be; prices of anything."""
    offers = np.array([rng.choice([UNPLACED, *range(problem.offers)]) for _ in problem.parties], dtype=np.int64)
    prices = np.array([rng.choice([0.0, rng.random() * 1000]) for _ in problem.resources])
    floors = np.array([rng.random() * 1e6 for _ in problem.floors])
    rooms = tuple((2,) if a != UNPLACED and problem.sizes[a] is not None else () for a in offers.tolist())
    return Start(prices, floors, offers, rooms)


def test_a_fallback_holds_every_promise_and_keeps_what_it_can() -> None:
    plans = kept = placed = 0
    for number, problem in enumerate(problems(150, first=500)):
        rng = random.Random(number)
        start = random_start(problem, rng)
        plan = fallback_plan(problem, start)
        if plan is None:
            assert problem.must.any()
            continue
        assert broken(problem, plan) == []
        plans += 1
        home = [plan.home[party[0]] for party in problem.parties]
        kept += sum(a == b != UNPLACED for a, b in zip(home, start.offers.tolist(), strict=True))
        placed += sum(a != UNPLACED for a in home)
        outcome = fallback(problem, start, None)
        assert outcome is not None and outcome.plan == plan
        if outcome.stages:
            bound = lower_bound(problem, outcome.stages[0].prices, ()).rounded(outcome.stages[0].prices.scale)
            assert bound <= sum(cost_by_stage(problem, plan))
    assert plans > 100 and kept > 50 and placed > kept, (plans, kept, placed)


def test_whoever_fits_nowhere_else_is_filled_in() -> None:
    """No household stays out while an offer that it may go to could take it: greedy leaves nothing lying about."""
    problem = compile_instance(instance_of(generated(80, 3, 1.3, 0.0)), Policy(), DATE).problem
    nowhere = np.full(len(problem.parties), UNPLACED, dtype=np.int64)
    start = Start(np.zeros(len(problem.resources)), np.zeros(len(problem.floors)), nowhere, ((),) * len(problem.parties))
    plan = fallback_plan(problem, start)
    assert plan is not None
    left = problem.capacity.copy()
    for q, party in enumerate(problem.parties):
        if plan.home[party[0]] != UNPLACED:
            for r, amount in problem.use(q, plan.home[party[0]], plan.rooms[q]):
                left[r] -= amount
    arcs, out = problem.arcs(), 0
    for e, q in enumerate(arcs.party.tolist()):
        if plan.home[problem.parties[q][0]] == UNPLACED:
            span = slice(arcs.start[e], arcs.start[e + 1])
            assert (left[arcs.resource[span]] < arcs.amount[span]).any()
            out += 1
    assert out > 0


def test_a_large_instance_is_not_bounded_along_its_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """With millions of pairs that takes longer than the night has; here every instance counts as large."""
    problem = compile_instance(instance_of(FOLDER), Policy(), DATE).problem
    hand = isolated._Hand(problem, Silent())
    assert hand.outcome("time").forest
    monkeypatch.setattr(isolated, "MOST_PAIRS", 10)
    assert hand.outcome("time").forest == ()


def test_without_the_option_nothing_changes(replace_child: Any) -> None:
    replace_child(ENDS["crashes at once"])
    with pytest.raises(NoPlanError):
        solve(instance_of(FOLDER), date=DATE, isolate=True)
