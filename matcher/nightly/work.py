"""From a delivery to a verified result: what one night computes. Nothing here is seen by anybody yet."""

from __future__ import annotations

import datetime as dt
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from matcher._version import __version__
from matcher.advise.isolated import CutBy, with_remedies_isolated
from matcher.asked import read_decisions
from matcher.columns import codes
from matcher.decided import Merged, merge, proposals_of
from matcher.decisions import record
from matcher.durable import remove_folder, write_file
from matcher.errors import Fault, InputError, InternalError, InterruptedSolve
from matcher.fingerprints import fingerprints
from matcher.history import FileSum, History, Proposal, Run
from matcher.io import read_instance
from matcher.io.tokens import decode
from matcher.model import Instance
from matcher.nightly.config import NightlyConfig
from matcher.nightly.log import NightLog
from matcher.nightly.manifest import DECISIONS, POLICY, Delivery, DeliveryRefused
from matcher.nightly.outbox import WORK, Record, folder_sum
from matcher.policy import Policy, SolveOptions, WarmStart, read_policy
from matcher.publish import LIBRARIES, files, plain_json
from matcher.published import read_published, warm_start_of, with_distances
from matcher.report import Night
from matcher.result import LEFT_OUT_REASONS, TERMS, Result
from matcher.solver import solve
from matcher.stability import changes, changes_csv, endings, endings_csv
from matcher.summary import plain_options, summary
from matcher.verify import judge

WARM = ("warm_start", "warm_from")
"""Options that follow from what was published before."""


@dataclass(frozen=True)
class Task:
    """What is to be solved. delivered: rows and beds as they came. merged: with everybody's decisions, up to number `upto`. based_on:
    the run whose proposals they are about. settings: all options, as recorded. heard: what became of the delivery's decisions."""

    date: dt.date
    delivery: Delivery
    delivered: Mapping[str, int]
    told: Mapping[tuple[str, str], str]
    merged: Merged
    policy: Policy
    options: SolveOptions
    settings: Mapping[str, Any]
    based_on: Run | None
    upto: int
    heard: Mapping[str, Any]
    before: tuple[Proposal, ...] = ()

    @property
    def sums(self) -> dict[str, FileSum]:
        """The delivery's files."""
        return {entry.name: FileSum(entry.size, entry.rows, entry.sha256) for entry in self.delivery.manifest.files}

    def same_as(self, run: Run) -> bool:
        """Was the run made of just this: files, decisions, policy and options?"""
        mine, its = ({k: v for k, v in told.items() if k not in WARM} for told in (self.settings, run.options))
        there = {name: one.sha256 for name, one in run.files.items()} == {name: one.sha256 for name, one in self.sums.items()}
        return there and run.decisions_upto == self.upto and run.policy == self.policy.plain() and mine == its


@dataclass(frozen=True)
class Made:
    """A result, and the seconds that its steps took. remedies_cut_by: what cut the search for what would help, if anything did."""

    result: Result
    seconds: dict[str, float] = field(default_factory=dict)
    remedies_cut_by: CutBy | None = None

    def files(self, task: Task, run: Run) -> dict[str, bytes]:
        """Everything that is published, by name."""
        changed = changes(task.before, self.result, task.merged)
        ending = endings(self.result, task.merged, task.settings["ending_days"])
        out = files(self.result, Night(changed, ending))
        out["changes.csv"], out["ending.csv"] = changes_csv(changed), endings_csv(ending)
        told = json.loads(out["run.json"])
        told["nightly"] = {
            "run": run.id, "service_date": task.date.isoformat(), "started_at": run.started_at.isoformat(), "delivery": task.delivery.name,
            "delivery_sha256": task.delivery.manifest.sha256(), "decisions_upto": task.upto,
            "based_on": None if task.based_on is None else task.based_on.name, "notices": _notices(task.merged),
            "decisions": dict(task.heard), "remedies_cut_by": self.remedies_cut_by,
        }  # fmt: skip
        out["run.json"] = plain_json(told)
        return {name: text.encode("utf-8") for name, text in out.items()}


def prepare(
    config: NightlyConfig, date: dt.date, delivery: Delivery, history: History, outbox: Path, log: NightLog, again: Run | None = None
) -> Task:
    """Read the delivery, compare it with the last one, and merge the decisions. Raises DeliveryRefused and InputError.

    again: a published run that is to be made once more, from the decisions and proposals that it knew. Nothing is recorded then.
    """
    instance, policy = _read(config, delivery, outbox)
    last = history.last_published()
    delivered = {"households": len(instance.households), "beds": _beds(instance)}
    decisions, heard = config.decisions, {}
    if again is None:
        _suspicious(config, delivery, delivered, last)
        heard = _hear(delivery, instance, history, date, log)
        based_on, upto = history.last_published(on=date), history.last_decision()
        standings = history.standings(date, decisions.expire_days, upto=upto)
    else:
        based_on, upto = None if again.based_on is None else history.run(again.based_on), again.decisions_upto
        standings = history.standings(date, decisions.expire_days, of=again)
    options = SolveOptions(
        date=date, seed=config.solve.seed, strategy=config.solve.strategy, effort=config.solve.effort, gap=config.solve.gap,
        time_limit_s=config.solve.time_limit_s, deadline_s=config.solve.deadline_s, memory_mib=config.solve.memory_mib,
        lang=config.solve.lang, isolate=True, fallback=True,
    )  # fmt: skip
    told = fingerprints(instance, policy, options)
    merged = merge(instance, standings, ending_days=decisions.ending_days)
    warm = _warm(config, based_on, outbox, log)
    options = options.model_copy(update={"warm_start": warm})
    settings = {
        **plain_options(options, instance), "deadline_s": options.deadline_s, "memory_mib": options.memory_mib, "warm": config.solve.warm,
        "remedies": config.solve.remedies,
        "expire_days": decisions.expire_days, "ending_days": decisions.ending_days, "lang": options.lang,
        "warm_from": based_on.name if based_on is not None and warm is not None else None,
    }  # fmt: skip
    log.event("decisions.merged", decisions_upto=upto, based_on=None if based_on is None else based_on.name, notices=_notices(merged))
    before = () if based_on is None else history.proposals(based_on)
    return Task(date, delivery, delivered, told, merged, policy, options, settings, based_on, upto, heard, before)


def solve_task(task: Task, log: NightLog, on_progress: Any = None) -> Made:
    """Solve, and look for what would help those without a place in what is left of the deadline. Raises what `solve` raises; a search
    that was interrupted publishes nothing."""
    began = time.monotonic()
    result = solve(task.merged.instance, task.policy, options=task.options, on_progress=on_progress)
    if result.effort.cut_by == "interrupt":
        raise InterruptedSolve("interrupted; nothing was published")
    log.event(
        "result.found", "info" if result.status != "fallback" else "error", status=result.status, strategy=result.strategy,
        cut_by=result.effort.cut_by, seconds=round(time.monotonic() - began, 3),
    )  # fmt: skip
    if not task.settings["remedies"] or all(row.reason in LEFT_OUT_REASONS for row in result.unplaced):
        return Made(result, {**result.effort.seconds})
    assert task.options.deadline_s is not None
    return _with_remedies(result, task.options, began + task.options.deadline_s, log)


def _with_remedies(result: Result, options: SolveOptions, deadline: float, log: NightLog) -> Made:
    """The result with what would help those without a place, as far as the effort goes; deadline: by the clock of `time.monotonic`."""
    began = time.monotonic()
    result, cut_by = with_remedies_isolated(result, options.effort, deadline - began, options.memory_mib)
    if cut_by == "interrupt":
        raise InterruptedSolve("interrupted; nothing was published")
    seconds = time.monotonic() - began
    counts = summary(result).get("remedies", {})
    log.event("remedies.found", "info" if cut_by is None else "warning", **counts, cut_by=cut_by, seconds=round(seconds, 3))
    return Made(result, {**result.effort.seconds, "remedies": seconds}, cut_by)


def verified(task: Task, made: Made, staged: Path) -> None:
    """Check what stands on disk, word by word, with the checker that shares nothing with the solver. Raises InternalError."""
    began = time.monotonic()
    instance = with_distances(task.merged.instance, task.policy, staged)
    violations, _ = judge(instance, task.policy, task.date, read_published(staged))
    made.seconds["verify"] = time.monotonic() - began
    if violations:
        raise InternalError(f"the independent check found the written result wrong: {violations[0]}")


def record_of(task: Task, made: Made, written: Mapping[str, bytes], seconds: float) -> Record:
    """What the history is to hold of the run."""
    result, told = made.result, summary(made.result)
    counts = {name: told[name] for name in ("persons", "households", "by_priority", "ties", "km", "beds")}
    values = {
        "delivery": task.delivery.name, "input_sha256": task.merged.instance.sha256, "files": task.sums, "policy": task.policy.plain(),
        "options": dict(task.settings), "versions": _versions(), "status": result.status, "strategy": result.strategy,
        "cost": result.cost.total, "bound": result.bound, "gap": told["gap"], "cost_terms": {t: result.cost[t] for t in TERMS},
        "counts": {**counts, "delivered": dict(task.delivered)}, "decisions_upto": task.upto,
        "timings": {**{name: round(value, 3) for name, value in made.seconds.items()}, "total": seconds},
        "based_on": None if task.based_on is None else task.based_on.id, "folder_sha256": folder_sum(written),
        "finished_at": dt.datetime.now(dt.UTC),
    }  # fmt: skip
    return Record(values, proposals_of(result.placements, task.merged, task.date), task.told)


def _read(config: NightlyConfig, delivery: Delivery, outbox: Path) -> tuple[Instance, Policy]:
    """The instance, from a private copy of just the bytes that were checked; and the policy."""
    faults: list[Fault] = []
    policy, instance = Policy(), None
    with _copied(delivery, outbox) as folder:
        try:
            if config.policy is not None:
                policy = read_policy(config.path(config.policy))
            elif POLICY in delivery.data:
                policy = read_policy(folder / POLICY)
        except InputError as error:
            faults += error.faults
        try:
            instance = read_instance(folder, quarantine=config.solve.quarantine, encoding=delivery.manifest.encoding)
        except InputError as error:
            faults += error.faults
    if faults or instance is None:
        raise InputError(faults)
    return instance, policy


@contextmanager
def _copied(delivery: Delivery, outbox: Path) -> Iterator[Path]:
    folder = outbox / f"{WORK}{delivery.name}"
    folder.mkdir(mode=0o700)
    try:
        for name, data in delivery.data.items():
            if name != DECISIONS:  # which is no part of an instance
                write_file(folder / name, data)
        yield folder
    finally:
        remove_folder(folder)


def _beds(instance: Instance) -> int:
    """Persons that open offers can take."""
    code, values = codes(instance.accommodations, "capacity", "status")
    beds = np.array([capacity if status == "open" else 0 for capacity, status in values], dtype=np.int64)
    return int(beds[code].sum()) if len(values) else 0


def _hear(delivery: Delivery, instance: Instance, history: History, date: dt.date, log: NightLog) -> dict[str, Any]:
    """Record the decisions that came with the delivery. A file that a published run has heard already is not heard again: what did not
    fit then might fit the proposals that this very run has made, and the same night twice must change nothing.

    Rows that do not fit what stands are told and passed over. Raises InputError where the file itself is faulty: nothing is recorded.
    """
    if DECISIONS not in delivery.data:
        return {}
    mine = next(entry.sha256 for entry in delivery.manifest.files if entry.name == DECISIONS)
    if any(DECISIONS in run.files and run.files[DECISIONS].sha256 == mine for run in history.runs(outcome="published")):
        return {}
    rows = read_decisions(decode(delivery.data[DECISIONS], delivery.manifest.encoding), DECISIONS)
    known = {
        "household": frozenset(codes(instance.households, "household_id")[1]),
        "accommodation": frozenset(codes(instance.accommodations, "accommodation_id")[1]),
    }
    heard = record(history, rows, today=date, source=DECISIONS, pass_over=True, delivered=known)
    counts = {"recorded": len(heard.new), "known": len(heard.repeated), "refused": len(heard.refused)}
    log.event("decisions.recorded", "warning" if heard.refused else "info", **counts)
    return {**counts, "refused": [str(fault) for fault in heard.refused]}


def _suspicious(config: NightlyConfig, delivery: Delivery, delivered: Mapping[str, int], last: Run | None) -> None:
    """Fewer than half of what there was is more often an export that broke off than the truth."""
    before = {} if last is None else last.counts.get("delivered", {})
    for name, least in (("households", config.limits.households), ("beds", config.limits.beds)):
        if delivered[name] < least * before.get(name, 0):
            text = f"it has {delivered[name]:,} {name}, the last one had {before[name]:,}: less than {least:.0%}"
            raise DeliveryRefused(
                "shrunk", delivery.name, f"{text}. If that is right, lower [limits] {name} in the configuration for one night"
            )


def _warm(config: NightlyConfig, based_on: Run | None, outbox: Path, log: NightLog) -> WarmStart | None:
    """Prices and plan of the run before. Without them the search only takes longer, so that is told, and no reason to stop."""
    if based_on is None or not config.solve.warm:
        return None
    try:
        return warm_start_of(read_published(outbox / based_on.name))
    except InputError as error:
        log.event(
            "warm.none", "warning", folder=based_on.name, message=f"cannot be read, so the search starts cold: {error.faults[0].file}"
        )
        return None


def _notices(merged: Merged) -> dict[str, int]:
    """How often each thing did not fit between history and delivery; names stand in changes.csv."""
    counts: dict[str, int] = {}
    for notice in merged.notices:
        counts[notice.code] = counts.get(notice.code, 0) + 1
    return counts


def _versions() -> dict[str, str]:
    return {"matcher": __version__, "python": ".".join(map(str, sys.version_info[:3])), **{n: metadata.version(n) for n in LIBRARIES}}
