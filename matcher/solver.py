"""The door to solving: compile, choose a strategy, run it, settle equal cases, check the plan, make the Result."""

from __future__ import annotations

import datetime as dt
import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from matcher.bounds import Prices, lower_bound
from matcher.check import check_plan
from matcher.compile import Compiled, compile_instance
from matcher.conflicts import refuse_impossible_pins, smallest_conflict
from matcher.doors import takes
from matcher.errors import InternalError, InterruptedSolve, NoPlanError
from matcher.evaluate import broken, cost_by_stage
from matcher.lottery import settle_equals
from matcher.model import Instance
from matcher.places.models import ready
from matcher.policy import Policy, SolveOptions, WarmStart, naming, usual_limit
from matcher.problem import UNPLACED, Problem
from matcher.result import Certificate, Cost, Effort, Plan, Result, StageProof
from matcher.rows import Rows, plan_cost
from matcher.strategies.base import WORK_PER_EFFORT, Limits, Outcome, Silent, StageEnd, Watch
from matcher.strategies.exact import no_prices
from matcher.strategies.fallback import fallback
from matcher.strategies.isolated import solve_isolated
from matcher.strategies.registry import choose
from matcher.strategies.start import Start
from matcher.warnings import plan_warnings

FALLBACK = "fallback"
"""Stands for the strategy where none has found the plan."""
log = logging.getLogger(__name__)
OnProgress = Callable[[int | None, int | None], None]
Cancel = Callable[[], bool]


@takes(what=(Instance, Problem), policy=Policy | None, options=SolveOptions | None, on_progress=Callable | None, cancel=Callable | None)
def solve(
    what: Instance | Problem,
    policy: Policy | None = None,
    *,
    options: SolveOptions | None = None,
    on_progress: OnProgress | None = None,
    cancel: Cancel | None = None,
    **changes: Any,
) -> Result:
    """Place the households of an instance (or solve a bare `Problem`).

    options: how hard to search; `changes` are its fields given one by one (time_limit_s=30, seed=7, date=…).
    on_progress: called with (cost of the plan in hand, proved bound), each None while there is none.
    cancel: asked several times a second, such as the `is_set` of a threading.Event; once it says True the search stops, and the best plan
    so far is checked and returned, with `effort.cut_by` "interrupt". A run that may be cancelled searches in a process of its own.
    Both are called in the caller's thread. Several threads may solve at once.

    Raises InputError (policy), UsageError (a choice that is not there), ContradictionError (fixed decisions), NoPlanError
    (limits), InterruptedSolve (no plan yet when interrupted), InternalError (a broken promise: nothing to publish).
    """
    given = options or SolveOptions()
    options = SolveOptions.model_validate({**{name: getattr(given, name) for name in SolveOptions.model_fields}, **changes})
    if options.date is None:
        options = options.model_copy(update={"date": dt.datetime.now().astimezone().date()})
    if options.time_limit_s is None:
        households = len(what.persons) if isinstance(what, Problem) else len(what.households)
        limit = min(usual_limit(households), 0.9 * (options.deadline_s or math.inf))
        options = options.model_copy(update={"time_limit_s": limit})
    watch = _Tell(on_progress) if on_progress is not None else Silent()
    if isinstance(what, Problem):
        return _solve_problem(what, options, watch, cancel)
    policy = policy or Policy()
    with naming(policy):
        return _solve_instance(what, policy, options, watch, cancel)


class _Tell:
    """Turns what a strategy reports into (cost, bound) in whole units, for the stage it is in."""

    def __init__(self, on_progress: OnProgress) -> None:
        self.on_progress = on_progress
        self.stage = 0
        self.cost: Sequence[int] | None = None
        self.bound: int | None = None

    def on_plan(self, plan: Plan, cost: Sequence[int]) -> None:  # noqa: ARG002
        self.cost = cost
        self._tell()

    def on_proof(self, stage: int, prices: Prices, bound: int) -> None:  # noqa: ARG002
        self.stage, self.bound = stage, bound
        self._tell()

    def _tell(self) -> None:
        self.on_progress(None if self.cost is None else self.cost[self.stage], self.bound)


def _run(
    problem: Problem, options: SolveOptions, watch: Watch, start: Start | None = None, cancel: Cancel | None = None
) -> tuple[Outcome, str, str]:
    """(outcome, strategy, why)."""
    chosen, why = choose(options.strategy, problem)
    assert options.time_limit_s is not None
    deadline = time.monotonic() + options.time_limit_s
    last = None if options.deadline_s is None else deadline - options.time_limit_s + options.deadline_s
    limits = Limits(
        WORK_PER_EFFORT * options.effort, deadline, options.gap, options.seed, start, last, options.memory_mib, effort=options.effort
    )
    if options.isolate or cancel is not None:
        outcome = solve_isolated(chosen.name, problem, limits, watch, cancel)
    else:
        outcome = chosen.solve(problem, limits, watch)
    if outcome.plan is not None and (faults := broken(problem, outcome.plan)):
        raise InternalError(f"strategy {chosen.name} broke a promise: {faults[0]}")
    return outcome, chosen.name, why


def _start(compiled: Compiled, warm: WarmStart) -> Start:
    """An earlier run in the positions of this one; what is no longer there is left out."""
    problem = compiled.problem
    prices = np.zeros(len(problem.resources))
    for r in range(len(problem.resources)):
        accommodation, resource, date = compiled.resource_name(r)
        prices[r] = max(0, warm.prices.get(accommodation, {}).get(resource, {}).get(date, 0)) / warm.scale
    floors = np.array([min(max(0, warm.floors.get(f.group, 0)) / warm.scale, f.least_rate) for f in problem.floors])
    offers = np.full(len(problem.parties), UNPLACED, dtype=np.int64)
    rooms: list[tuple[int, ...]] = [()] * len(problem.parties)
    for q, party in enumerate(problem.parties):
        home, taken = warm.homes.get(compiled.households[party[0]], ("", ()))
        position = compiled.offer_positions.get(home, UNPLACED)
        if position != UNPLACED:
            offers[q], rooms[q] = position, taken if problem.sizes[position] is not None else ()
    return Start(prices, floors, offers, tuple(rooms))


def _rescued(
    compiled: Compiled, options: SolveOptions, watch: Watch, start: Start | None, cancel: Cancel | None
) -> tuple[Outcome, str, str]:
    """As `_run`; where the search dies, or the clock cuts it, what stood already and what is cheapest, unless it found better."""
    found, name, what = None, "", "broke a promise"
    try:
        found, name, why = _run(compiled.problem, options, watch, start, cancel)
        if found.infeasible or found.cut_by == "interrupt" or (found.plan is not None and found.cut_by not in ("crash", "time")):
            return found, name, why
        what = "died twice" if found.cut_by == "crash" else "had found nothing better when its time was over"
    except InternalError as error:
        log.error("the search failed, so what stood already is kept: %s", str(error).partition(":")[0])  # no positions in a log
    rescue = fallback(compiled.problem, _standing(compiled, start), found)
    if rescue is None and found is None:
        raise NoPlanError("the search broke a promise, and pinned households do not all fit without one")
    if rescue is None:
        assert found is not None
        return found, name, why
    log.warning("the search %s; the plan keeps what stood already and fills up with what is cheapest", what)
    return rescue, FALLBACK, f"the search {what}: proposals that still hold are kept, everybody else has the cheapest offer that was left"


def _standing(compiled: Compiled, start: Start | None) -> Start:
    """Where everybody was proposed to be, by the instance itself; else by the earlier run."""
    problem = compiled.problem
    if start is None:
        nowhere = np.full(len(problem.parties), UNPLACED, dtype=np.int64)
        start = Start(np.zeros(len(problem.resources)), np.zeros(len(problem.floors)), nowhere, ((),) * len(problem.parties))
    if not compiled.instance.standing:
        return start
    stood = {row.household_id: row for row in compiled.instance.standing if row.status == "proposed"}
    offers, rooms = start.offers.copy(), list(start.rooms)
    for q, party in enumerate(problem.parties):
        row = stood.get(compiled.households[party[0]])
        position = UNPLACED if row is None else compiled.offer_positions.get(row.accommodation_id, UNPLACED)
        if row is not None and position != UNPLACED and row.rooms is not None and problem.sizes[position] is not None:
            rooms[q] = tuple(sorted(row.rooms))
        elif position != start.offers[q]:
            rooms[q] = ()
        offers[q] = position
    return Start(start.prices, start.floors, offers, tuple(rooms))


def _no_plan(outcome: Outcome) -> Exception:
    if outcome.cut_by == "interrupt":
        return InterruptedSolve("interrupted before there was any plan; nothing was written")
    if outcome.infeasible:
        return NoPlanError("there is no plan: not everybody who must be placed can be")
    return NoPlanError("no plan within the limits of time and effort; allow more with --time-limit or --effort")


def _solve_problem(problem: Problem, options: SolveOptions, watch: Watch, cancel: Cancel | None) -> Result:
    started = time.monotonic()
    outcome, name, why = _run(problem, options, watch, cancel=cancel)
    if outcome.plan is None:
        raise _no_plan(outcome)
    plan = settle_equals(problem, outcome.plan)
    costs = cost_by_stage(problem, plan)
    stages = tuple(
        _proof(problem, s, end, costs, {}, {}) for s, end in enumerate(_complete(problem, outcome, costs))
    )  # fmt: skip
    return Result(
        *_verdict(stages), name, why, plan, Cost({"arcs": sum(costs)}), sum(s.bound for s in stages), stages, None, (), (), (),
        Effort(outcome.work, outcome.cut_by, {"solve": time.monotonic() - started}), options=options,
    )  # fmt: skip


def _solve_instance(instance: Instance, policy: Policy, options: SolveOptions, watch: Watch, cancel: Cancel | None) -> Result:
    clock = _Clock()
    assert options.date is not None
    instance = ready(instance, policy)
    compiled = compile_instance(instance, policy, options.date, options.seed)
    refuse_impossible_pins(compiled)
    clock.lap("compile")
    start = None if options.warm_start is None else _start(compiled, options.warm_start)
    if options.fallback:
        outcome, name, why = _rescued(compiled, options, watch, start, cancel)
    else:
        outcome, name, why = _run(compiled.problem, options, watch, start, cancel)
    clock.lap("solve")
    if outcome.plan is None:
        if outcome.infeasible and compiled.roles.pins:
            raise smallest_conflict(compiled)
        if outcome.infeasible:
            raise InternalError("the search found no plan although nobody is pinned, so everybody could be left unplaced")
        raise _no_plan(outcome)
    plan = settle_equals(compiled.problem, outcome.plan)
    rows = Rows(compiled, plan)
    placements, unplaced = rows.placements(), rows.unplaced(options.lang)
    cost = plan_cost(compiled, plan, placements)
    clock.lap("explain")
    if faults := check_plan(instance, policy, options.date, placements, unplaced, cost.terms):
        raise InternalError("the independent check found the plan wrong, nothing is published: " + "; ".join(faults[:5]))
    clock.lap("check")
    certificate = _certificate(compiled, outcome, cost_by_stage(compiled.problem, plan))
    status, proved_by = _verdict(certificate.stages)
    if name == FALLBACK:
        status, proved_by = "fallback", None
    return Result(
        status, proved_by, name, why, plan, cost, certificate.bound, certificate.stages, certificate, placements, unplaced,
        plan_warnings(compiled, options.lang), Effort(outcome.work, outcome.cut_by, clock.laps), instance, policy, options,
    )  # fmt: skip


class _Clock:
    """Seconds spent by step."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.laps[name] = now - self.last
        self.last = now


def _complete(problem: Problem, outcome: Outcome, costs: Sequence[int]) -> list[StageEnd]:
    """The ends of all stages: those not reached get prices of nothing. Stages before are held at the plan's values, and every
    bound is counted anew from just what will be published."""
    ends = []
    for s in range(len(problem.stages)):
        held = tuple(costs[:s])
        reached = outcome.stages[s] if s < len(outcome.stages) else None
        prices = no_prices(problem, s, held) if reached is None else replace(reached.prices, held=held)
        bound = lower_bound(problem, prices, outcome.forest).rounded(prices.scale)
        end = StageEnd(prices, bound, reached is not None and reached.searched)
        ends.append(end)
    return ends


def _proof(
    problem: Problem,
    stage: int,
    end: StageEnd,
    costs: Sequence[int],
    prices: dict[str, dict[str, dict[str, int]]],
    floor_prices: dict[str, int],
) -> StageProof:
    by_prices = costs[stage] <= end.bound
    proved_by = "prices" if by_prices else "search" if end.searched else None
    closed = by_prices or end.searched
    return StageProof(
        problem.stages[stage], costs[stage], end.bound, closed, proved_by, end.prices.multipliers, prices, floor_prices
    )  # fmt: skip


def _certificate(compiled: Compiled, outcome: Outcome, costs: Sequence[int]) -> Certificate:
    problem = compiled.problem
    stages = []
    for s, end in enumerate(_complete(problem, outcome, costs)):
        prices: dict[str, dict[str, dict[str, int]]] = {}
        for r, price in enumerate(end.prices.capacity):
            if price:
                accommodation, resource, date = compiled.resource_name(r)
                prices.setdefault(accommodation, {}).setdefault(resource, {})[date] = int(price)
        floors = {f.group: int(m) for f, m in zip(problem.floors, end.prices.floors, strict=True) if m}
        stages.append(_proof(problem, s, end, costs, prices, floors))
    pairs = [_first_ids(compiled, pair) for pair in outcome.forest]
    scale = outcome.stages[0].prices.scale if outcome.stages else no_prices(problem, 0, ()).scale
    return Certificate(scale, tuple(stages), tuple(sorted(pairs)), sum(s.bound for s in stages))


def _first_ids(compiled: Compiled, pair: tuple[int, int]) -> tuple[str, str]:
    first, second = sorted(compiled.households[compiled.problem.parties[q][0]] for q in pair)
    return first, second


def _verdict(stages: Sequence[StageProof]) -> tuple[Any, str | None]:
    """(status, proved_by): optimal only if every stage is closed."""
    if not all(s.closed for s in stages):
        return "feasible", None
    return "optimal", "prices" if all(s.proved_by == "prices" for s in stages) else "search"
