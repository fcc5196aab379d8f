"""Runs as jobs: a queue, a few at a time, each with a search in a process of its own; ended ones are kept for a while."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from matcher.errors import ContradictionError, Fault, InputError, InterruptedSolve, MatcherError
from matcher.io.frames_in import instance_from_rows
from matcher.policy import policy_from_plain
from matcher.publish import files
from matcher.result import Result
from matcher.serve.bodies import State, Task
from matcher.serve.settings import Settings
from matcher.solver import solve
from matcher.summary import summary

log = logging.getLogger(__name__)
ENDED: frozenset[State] = frozenset({"done", "failed", "cancelled"})


class Full(Exception):
    """No more runs may wait."""


@dataclass
class Job:
    """One run. Fields change under the lock of `Jobs` alone. error: as in the JSON of the command line."""

    id: str
    state: State = "queued"
    began: float = 0.0
    ended: float = 0.0
    cost: int | None = None
    bound: int | None = None
    result: Result | None = None
    summary: Mapping[str, Any] | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    task: Task | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> float:
        """How long it has been searching."""
        return 0.0 if not self.began else (self.ended or time.monotonic()) - self.began


class Jobs:
    """All runs of a service, by id; for several threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ended: Counter[State] = Counter()
        self.spent_s = 0.0
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(settings.jobs, thread_name_prefix="run")

    def add(self, task: Task) -> Job:
        """Put a run into the queue. Raises Full."""
        with self._lock:
            self._forget()
            if sum(job.state not in ENDED for job in self._jobs.values()) >= self.settings.jobs + self.settings.queue:
                raise Full
            job = Job(secrets.token_hex(8), task=task)
            self._jobs[job.id] = job
        self._pool.submit(self._run, job)
        return job

    def get(self, job_id: str) -> Job | None:
        """A run that is still known."""
        with self._lock:
            self._forget()
            return self._jobs.get(job_id)

    def all(self) -> list[Job]:
        """The runs that are still known, newest first."""
        with self._lock:
            self._forget()
            return list(reversed(self._jobs.values()))

    def cancel(self, job: Job) -> None:
        """Stop it; the best plan so far is kept. Nothing happens to a run that has ended."""
        job.stop.set()
        with self._lock:
            if job.state == "queued":
                self._end(job, "cancelled")

    def drop(self, job: Job) -> None:
        """Stop it and forget it."""
        self.cancel(job)
        with self._lock:
            self._jobs.pop(job.id, None)

    def close(self) -> None:
        """Stop all of them."""
        for job in self.all():
            self.cancel(job)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def count(self, state: State) -> int:
        """How many runs are in that state now."""
        with self._lock:
            return sum(job.state == state for job in self._jobs.values())

    def _run(self, job: Job) -> None:
        with self._lock:
            if job.state != "queued" or job.task is None:
                return
            task = job.task
            job.state, job.began = "running", time.monotonic()
        try:
            result = self._solve(job, task)
            shown, written = summary(result), dict(files(result))
            if not self.settings.protected:
                written.pop("placements_protected.csv", None)
            with self._lock:
                job.result, job.summary, job.files = result, shown, written
                self._end(job, "cancelled" if result.effort.cut_by == "interrupt" else "done")
        except InterruptedSolve:
            with self._lock:
                self._end(job, "cancelled")
        except MatcherError as error:
            with self._lock:
                job.error = plain_error(error)
                self._end(job, "failed")
        except Exception as error:  # noqa: BLE001  (the thread's last resort; a foreign message may quote data, so it is not shown)
            log.error("run %s ended by a fault of the program: %s", job.id, type(error).__name__)
            with self._lock:
                job.error = {"kind": "InternalError", "exit_code": 1, "message": "a fault of the program; please report it"}
                self._end(job, "failed")

    def _solve(self, job: Job, task: Task) -> Result:
        settings, options = self.settings, task.options
        instance = instance_from_rows(dict(task.instance), quarantine=options.quarantine)
        if len(instance.households) > settings.most_households:
            text = f"this service takes at most {settings.most_households} households"
            raise InputError([Fault("households", 0, "", "too_many_rows", text)])
        policy = policy_from_plain(task.policy, "policy", own=False)
        if policy.travel.model == "osrm":
            raise InputError([Fault("policy", 0, "travel.model", "policy_value", "this service asks no routing server; use 'road'")])

        def progress(cost: int | None, bound: int | None) -> None:
            job.cost, job.bound = cost, bound

        return solve(
            instance, policy, on_progress=progress, cancel=job.stop.is_set, date=options.date, seed=options.seed, strategy=options.strategy,
            effort=min(options.effort, settings.most_effort), gap=options.gap, isolate=True, lang=options.lang,
            time_limit_s=min(options.time_limit_s, settings.most_seconds), deadline_s=min(options.time_limit_s, settings.most_seconds) + 10,
            memory_mib=settings.most_memory_mib,
        )  # fmt: skip

    def _end(self, job: Job, state: State) -> None:
        job.state, job.ended, job.task = state, time.monotonic(), None  # what waits no longer holds nothing in memory
        job.began = job.began or job.ended
        self.ended[state] += 1
        self.spent_s += job.seconds

    def _forget(self) -> None:
        """Let go of runs that ended long ago, and of the oldest where there are too many."""
        over = [job for job in self._jobs.values() if job.state in ENDED]
        late = time.monotonic() - 60 * self.settings.keep_minutes
        surplus = len(over) - self.settings.keep
        for k, job in enumerate(over):
            if k < surplus or job.ended < late:
                del self._jobs[job.id]


def plain_error(error: MatcherError) -> dict[str, Any]:
    """As the command line prints it with --json."""
    body: dict[str, Any] = {"kind": type(error).__name__, "exit_code": int(error.exit_code)}
    if isinstance(error, InputError):
        names = ("file", "line", "column", "code", "message")
        return {**body, "faults": [{name: getattr(fault, name) for name in names} for fault in error.faults]}
    if isinstance(error, ContradictionError):
        body["ids"] = list(error.ids)
    return {**body, "message": str(error)}
