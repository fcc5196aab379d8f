"""A strategy in a process of its own: it may crash, hang, or lose its parent, and what it had found so far is kept.

The child is replaced by one that runs a few lines before (or instead of) the real one; everything else is the real thing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from matcher import apart
from matcher.bounds import Prices
from matcher.compile import compile_instance
from matcher.errors import InterruptedSolve, MatcherError, NoPlanError
from matcher.evaluate import broken, cost_by_stage
from matcher.policy import Policy
from matcher.problem import Problem
from matcher.publish import publish
from matcher.result import Plan
from matcher.solver import solve
from matcher.strategies import isolated
from matcher.strategies.base import Limits, Silent
from matcher.verify import verify
from tests.runs import DATE, ROOT, environ, generated, instance_of, is_alive

FOLDER = generated(60, 41, 0.8, 0.6)
GRACE_S = 1.0
SLACK_S = 60.0
"""What a slow or busy machine may add; a child that is not ended sleeps ten times as long."""

PRELUDE = """
import os, signal, sys, time
from matcher import apart
from matcher.strategies import child
from matcher.strategies.exact import Exact
real_plan, real_solve = child.Ships.on_plan, Exact.solve
"""
HANGS_AT_ONCE = "time.sleep(600)"
NEVER_READS = "time.sleep(600)  # standard input stays full"
CRASHES_AT_ONCE = "os.abort()"
ENDS_AT_ONCE = "os._exit(0)"
AFTER_A_PLAN = """
def on_plan(self, plan, cost):
    real_plan(self, plan, cost)
    {then}
child.Ships.on_plan = on_plan
apart.main()
"""
AFTER_A_PROOF = """
real_proof = child.Ships.on_proof
def on_proof(self, stage, prices, bound):
    real_proof(self, stage, prices, bound)
    {then}
child.Ships.on_proof = on_proof
apart.main()
"""
DEAF = "[signal.signal(n, signal.SIG_IGN) for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]; time.sleep(600)"
HALF_A_MESSAGE = "os.write(int(sys.argv[1]), (10 ** 6).to_bytes(8, 'big') + b'half'); os._exit(3)"


class Watch(Silent):
    """Counts what arrives."""

    def __init__(self) -> None:
        self.plans: list[tuple[Plan, Sequence[int]]] = []
        self.proofs: list[tuple[int, int]] = []

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
        self.plans.append((plan, cost))

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:
        self.proofs.append((stage, bound))


@pytest.fixture(scope="module")
def problem() -> Problem:
    return compile_instance(instance_of(FOLDER), Policy(), DATE).problem


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every child that is started, and a short grace."""
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(apart.subprocess, "Popen", popen)
    monkeypatch.setattr(isolated, "GRACE_S", GRACE_S)
    return started


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Python's own handler, whatever native code may have left behind."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def replace_child(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The children that are started from here on run this code instead of `-P -m matcher.apart`."""
    real = apart.subprocess.Popen

    def popen(command: list[str], **options: Any) -> Any:
        assert command[1:4] == ["-P", "-m", "matcher.apart"]
        return real([sys.executable, "-c", PRELUDE + code, command[-1]], **options)

    monkeypatch.setattr(apart.subprocess, "Popen", popen)


def limits(seconds: float = 60.0) -> Limits:
    return Limits(100.0, time.monotonic() + seconds)


def all_gone(children: list[subprocess.Popen[bytes]]) -> bool:
    return all(child.poll() is not None for child in children)


def test_an_ordinary_child_finds_what_the_strategy_finds_here(problem: Problem, children: list[Any]) -> None:
    watch = Watch()
    outcome = isolated.solve_isolated("exact", problem, limits(), watch)
    assert outcome.cut_by is None and outcome.plan is not None
    assert len(children) == 1 and all_gone(children)
    assert watch.plans and watch.proofs
    here = solve(instance_of(FOLDER), date=DATE)
    assert sum(cost_by_stage(problem, outcome.plan)) == here.cost.total


@pytest.mark.parametrize("code", [CRASHES_AT_ONCE, ENDS_AT_ONCE])
def test_a_crash_before_any_plan_is_tried_once_more_and_then_said(
    code: str, problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_child(monkeypatch, code)
    watch, started = Watch(), time.monotonic()
    outcome = isolated.solve_isolated("exact", problem, limits(), watch)
    assert (outcome.plan, outcome.cut_by, outcome.infeasible) == (None, "crash", False)
    assert len(children) == 2 and all_gone(children)
    assert watch.plans == [] and time.monotonic() - started < SLACK_S


@pytest.mark.parametrize("then", ["os.abort()", HALF_A_MESSAGE])
def test_a_crash_with_a_plan_in_hand_keeps_it(then: str, problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    replace_child(monkeypatch, AFTER_A_PLAN.format(then=then))
    watch = Watch()
    outcome = isolated.solve_isolated("exact", problem, limits(), watch)
    assert outcome.cut_by == "crash" and outcome.plan is not None
    assert broken(problem, outcome.plan) == []
    assert outcome.plan == watch.plans[-1][0]
    assert len(children) == 2 and all_gone(children)


def test_a_worse_plan_of_the_second_try_does_not_replace_the_better_of_the_first(
    problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first child finds its second plan and dies; the other dies after its first one, which is worse."""
    once = tmp_path / "once"
    code = AFTER_A_PLAN.format(then=f"open({str(once)!r}, 'a').write('x'); len(open({str(once)!r}).read()) in (2, 3) and os.abort()")
    replace_child(monkeypatch, code)
    watch = Watch()
    outcome = isolated.solve_isolated("exact", problem, limits(), watch)
    costs = [tuple(cost) for _, cost in watch.plans]
    assert len(children) == 2, "the case needs a strategy that finds two plans here"
    assert outcome.cut_by == "crash" and outcome.plan is not None
    assert tuple(cost_by_stage(problem, outcome.plan)) == min(costs), costs
    assert costs == sorted(costs, reverse=True), "somebody who looks on saw the plan get worse"


@pytest.mark.parametrize("code", [HANGS_AT_ONCE])
def test_a_child_that_hangs_is_ended_at_the_deadline(
    code: str, problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_child(monkeypatch, code)
    started = time.monotonic()
    outcome = isolated.solve_isolated("exact", problem, limits(1.0), Silent())
    assert (outcome.plan, outcome.cut_by) == (None, "time")
    assert 1.0 <= time.monotonic() - started < 1.0 + GRACE_S + SLACK_S
    assert len(children) == 1 and all_gone(children)


@pytest.mark.parametrize("then", [DEAF, "os.close(int(sys.argv[1])); time.sleep(600)"])
def test_a_child_that_hangs_with_a_plan_in_hand_gives_that_plan(
    then: str, problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace_child(monkeypatch, AFTER_A_PLAN.format(then=then))

    class Clock(Watch):
        """Shows another hour as soon as there is a plan, however long that took."""

        def monotonic(self) -> float:
            return time.monotonic() + 3600 * bool(self.plans)

    clock = Clock()
    if "close" not in then:
        monkeypatch.setattr(isolated, "time", clock)
    started = time.monotonic()
    outcome = isolated.solve_isolated("exact", problem, limits(300.0), clock)
    assert outcome.plan is not None and broken(problem, outcome.plan) == []
    assert outcome.cut_by == ("crash" if "close" in then else "time")
    assert time.monotonic() - started < 2 * GRACE_S + SLACK_S
    assert all_gone(children)


def test_a_child_that_never_reads_its_task_cannot_block(children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is larger than a pipe holds."""
    large = compile_instance(instance_of(generated(300, 42, 1.0, 0.1)), Policy(), DATE).problem
    replace_child(monkeypatch, NEVER_READS)
    started = time.monotonic()
    outcome = isolated.solve_isolated("exact", large, limits(0.5), Silent())
    assert (outcome.plan, outcome.cut_by) == (None, "time")
    assert time.monotonic() - started < 0.5 + GRACE_S + SLACK_S
    assert all_gone(children)


def test_what_was_proved_before_the_crash_is_kept(problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    replace_child(monkeypatch, AFTER_A_PROOF.format(then="os.abort()"))
    watch = Watch()
    outcome = isolated.solve_isolated("exact", problem, limits(), watch)
    assert outcome.cut_by == "crash" and outcome.plan is not None
    assert [end.bound for end in outcome.stages] == [watch.proofs[-1][1]] and not outcome.stages[0].searched


def test_an_error_of_the_strategy_is_an_error_here(problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MatcherError):
        isolated.solve_isolated("no such strategy", problem, limits(), Silent())
    assert all_gone(children)


def test_an_interrupt_keeps_the_plan_in_hand(problem: Problem, children: list[Any], monkeypatch: pytest.MonkeyPatch, ctrl_c: None) -> None:
    replace_child(monkeypatch, AFTER_A_PLAN.format(then="time.sleep(600)"))

    class Impatient(Watch):
        def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:
            super().on_plan(plan, cost)
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()

    started = time.monotonic()
    outcome = isolated.solve_isolated("exact", problem, limits(), Impatient())
    assert outcome.cut_by == "interrupt" and outcome.plan is not None
    assert time.monotonic() - started < SLACK_S and all_gone(children)


class TestThroughSolve:
    """What the caller of solve() sees."""

    def test_a_plan_from_a_crashed_child_is_checked_published_and_verified(
        self, children: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        replace_child(monkeypatch, AFTER_A_PLAN.format(then="os.abort()"))
        result = solve(instance_of(FOLDER), date=DATE, isolate=True)
        assert (result.status, result.effort.cut_by) == ("feasible", "crash")
        assert result.bound <= result.cost.total
        assert verify(FOLDER, publish(result, tmp_path / "out")).right

    def test_a_child_that_only_crashes_is_a_clear_failure(self, children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        replace_child(monkeypatch, CRASHES_AT_ONCE)
        with pytest.raises(MatcherError) as caught:
            solve(instance_of(FOLDER), date=DATE, isolate=True)
        assert caught.value.exit_code in (1, 5)

    def test_a_child_that_only_hangs_is_no_plan_within_the_limits(self, children: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        replace_child(monkeypatch, HANGS_AT_ONCE)
        with pytest.raises(NoPlanError, match="limits"):
            solve(instance_of(FOLDER), date=DATE, isolate=True, time_limit_s=0.5)

    def test_an_interrupt_before_any_plan_is_said(self, children: list[Any], monkeypatch: pytest.MonkeyPatch, ctrl_c: None) -> None:
        replace_child(monkeypatch, HANGS_AT_ONCE)

        def interrupt() -> None:
            while not children:
                time.sleep(0.01)
            time.sleep(0.3)  # until it is waited for
            os.kill(os.getpid(), signal.SIGINT)

        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(InterruptedSolve, match="nothing"):
            solve(instance_of(FOLDER), date=DATE, isolate=True)
        assert all_gone(children)


AFTERWARDS = """
import datetime as dt, os, signal, sys, time
from matcher.io import read_instance
from matcher.solver import solve
solve(read_instance(sys.argv[1]), date=dt.date(2026, 11, 22), isolate=sys.argv[2] == "apart")
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(5)
except KeyboardInterrupt:
    print("caught")
"""


@pytest.mark.parametrize("where", ["here", "apart"])
def test_after_a_solve_an_interrupt_is_still_a_keyboard_interrupt(where: str) -> None:
    """CP-SAT takes the signal's handler away unless it is told not to."""
    done = subprocess.run(
        [sys.executable, "-c", AFTERWARDS, str(FOLDER), where], env=environ(), cwd=ROOT, capture_output=True, text=True, timeout=200,
        check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("caught\n", 0), done


PARENT = """
import os, sys, time
from pathlib import Path
from matcher.compile import compile_instance
from matcher.io import read_instance
from matcher.policy import Policy
from matcher import apart
from matcher.strategies import isolated
from matcher.strategies.base import Limits, Silent
import datetime as dt
problem = compile_instance(read_instance(sys.argv[1]), Policy(), dt.date(2026, 11, 22)).problem
real = apart.subprocess.Popen
def popen(command, **options):
    child = real([sys.executable, "-c", sys.argv[2], command[-1]], **options)
    print(child.pid, flush=True)
    return child
apart.subprocess.Popen = popen
isolated.solve_isolated("exact", problem, Limits(1e9, time.monotonic() + 300), Silent())
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to look for the child")
@pytest.mark.parametrize(
    ("number", "then"),
    [(signal.SIGKILL, "\n    while True: pass"), (signal.SIGTERM, "time.sleep(600)")],
    ids=["busy child of a killed one", "sleeping child of an ended one"],
)
def test_a_child_does_not_outlive_its_parent(number: signal.Signals, then: str) -> None:
    code = PRELUDE + AFTER_A_PLAN.format(then=then)
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(FOLDER), code], stdout=subprocess.PIPE, text=True, env=environ(), cwd=ROOT
    )  # fmt: skip
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
        time.sleep(2.0)  # it has its task by now, or else it reads the end of file instead of one
        assert is_alive(child)
        parent.send_signal(number)
        parent.wait(timeout=SLACK_S)
        deadline = time.monotonic() + SLACK_S
        while is_alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(child)
