"""One night: take the newest delivery, merge what people decided, solve, verify, publish, record, tell.

Whatever happens, one of these is true afterwards: a result is published and recorded; nothing has changed, because nothing was new;
or yesterday's result stands, and the history, the log and the exit code say why.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from matcher._version import __version__
from matcher.errors import ContradictionError, ExitCode, InputError, InternalError, InterruptedSolve, MatcherError, UsageError
from matcher.history import History, Run, open_history
from matcher.nightly.config import NightlyConfig
from matcher.nightly.hooks import run_hook
from matcher.nightly.inbox import Taken, newest
from matcher.nightly.lock import LockHeld, locked
from matcher.nightly.log import NightLog, night_log
from matcher.nightly.manifest import DeliveryRefused
from matcher.nightly.metrics import Figures, write_metrics
from matcher.nightly.outbox import is_unsettled, put, reconcile, settle, stage
from matcher.nightly.work import Made, Task, prepare, record_of, solve_task, verified

OnProgress = Any


@dataclass(frozen=True)
class Night:
    """How a night ended. run: the published one; where nothing was new, the one that stands."""

    outcome: Literal["published", "unchanged"]
    run: Run
    folder: Path
    seconds: float

    def plain(self) -> dict[str, Any]:
        """For machines: counts and names only."""
        run = self.run
        told = {name: run.counts.get(name, {}) for name in ("persons", "households")}
        return {
            "outcome": self.outcome, "service_date": run.date.isoformat(), "name": run.name, "run": run.id, "folder": str(self.folder),
            "delivery": run.delivery, "status": run.status, "gap": run.gap, **told, "seconds": round(self.seconds, 3), "exit_code": 0,
        }  # fmt: skip


class NightFailed(MatcherError):
    """A night without a result. The message is fit for logs; exit_code is that of what went wrong; outcome: `refused` or `failed`."""

    def __init__(self, message: str, exit_code: ExitCode, outcome: Literal["refused", "failed"]) -> None:
        self.exit_code, self.outcome = exit_code, outcome
        super().__init__(message)


def run_night(config: NightlyConfig, date: dt.date | None = None, *, on_progress: OnProgress | None = None) -> Night:
    """Run the night of a service date (default: today in the service's time zone). See the module.

    Raises LockHeld where another run is at work, UsageError where the log cannot be opened, and NightFailed for everything else.
    """
    with night_log(config.log.file, config.path(config.log.file)) as log:
        return _Night(config, date, log, on_progress).run()


class _Night:
    def __init__(self, config: NightlyConfig, date: dt.date | None, log: NightLog, on_progress: OnProgress | None) -> None:
        self.config, self.log, self.on_progress = config, log, on_progress
        self.by_clock, self.date = date is None, date or config.service_date()
        self.started, self.outbox = time.monotonic(), config.outbox_path
        self.run_id: int | None = None

    def run(self) -> Night:
        self.log.bind(service_date=self.date.isoformat())
        self.log.event("night.started", version=__version__)
        try:
            with locked(self.outbox), open_history(self.config.history_address, create=True) as history:
                try:
                    night = self._in_turn(history)
                except BaseException as error:
                    self._measure(int(_failure(error).exit_code), history)
                    raise
                self._measure(0, history)
        except LockHeld as error:
            self.log.event("night.locked", "warning", message=str(error))
            raise
        except BaseException as error:
            failure = _failure(error)
            told = {"outcome": failure.outcome, "service_date": self.date.isoformat(), "exit_code": int(failure.exit_code)}
            self.log.event("night.failed", "error", **told, message=str(failure), seconds=self._seconds())
            run_hook(self.config.hooks.on_failure, {**told, "message": str(failure)}, self.config.hooks.timeout_s, self.log)
            raise failure from error
        self.log.event(f"night.{night.outcome}", **{k: v for k, v in night.plain().items() if k not in ("outcome", "service_date")})
        if night.outcome == "published":
            run_hook(self.config.hooks.on_success, night.plain(), self.config.hooks.timeout_s, self.log)
        return night

    # --- under the lock -----------------------------------------------------------------------------------------------------------

    def _in_turn(self, history: History) -> Night:
        reconcile(self.outbox, history, self.log)
        with _Entry(history, self.date, self.outbox, self.log) as entry:
            self._believe_the_clock(history)
            taken = newest(self.config.inbox_path, used={run.delivery for run in history.runs(outcome="published")})
            entry.delivery = taken.delivery.name
            self._tell(taken)
            task = prepare(self.config, self.date, taken.delivery, history, self.outbox, self.log)
            before = history.last_published(date=self.date)
            if before is not None and task.same_as(before):
                return Night("unchanged", before, self.outbox / before.name, self._seconds())
            run = entry.begin()
            self.log.bind(run=run.id)
            made = solve_task(task, self.log, self.on_progress)
            run = self._publish(history, run, task, made)
        return Night("published", run, self.outbox / run.name, self._seconds())

    def _believe_the_clock(self, history: History) -> None:
        """A clock that has gone back by a day or more would publish for a date that is over."""
        last = history.last_published()
        if self.by_clock and last is not None and self.date < last.date:
            text = (
                f"the clock says {self.date}, but {last.date} has been published already; set the clock right, or give the date with --date"
            )
            raise UsageError(text)

    def _publish(self, history: History, run: Run, task: Task, made: Made) -> Run:
        began = time.monotonic()
        files = made.files(task, run)
        staged = stage(self.outbox, run, files)
        made.seconds["write"] = time.monotonic() - began
        verified(task, made, staged)
        told = {name: round(made.seconds[name], 3) for name in ("write", "verify")}
        self.log.event("result.verified", status=made.result.status, cost=made.result.cost.total, bound=made.result.bound, seconds=told)
        record = record_of(task, made, files, self._seconds())
        try:
            return put(self.outbox, staged, history, run, record)
        except BaseException:
            if settle(self.outbox, history, run, self.log):
                return history.run(run.id)
            raise

    def _tell(self, taken: Taken) -> None:
        delivery = taken.delivery
        for name in taken.unfinished:
            self.log.event("delivery.unfinished", "warning", delivery=name, message="is still being written; an older one is taken")
        self.log.event("delivery.taken", delivery=delivery.name, rows=delivery.rows, sha256=delivery.manifest.sha256())

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def _measure(self, exit_code: int, history: History) -> None:
        """Write the metrics. A textfile that cannot be written is told, and changes nothing of the night."""
        if self.config.metrics.textfile is None:
            return
        now = dt.datetime.now(dt.UTC)
        try:
            last = history.last_published()
            figures = Figures(exit_code, now, self._seconds()) if last is None else _figures(exit_code, now, self._seconds(), last)
            write_metrics(self.config.path(self.config.metrics.textfile), figures)
        except (OSError, MatcherError) as error:
            self.log.event("metrics.failed", "error", message=_sentence(error))


class _Entry:
    """The history's row of this night. A night that finds nothing new leaves none; one that fails always does."""

    def __init__(self, history: History, date: dt.date, outbox: Path, log: NightLog) -> None:
        self.history, self.date, self.outbox, self.log = history, date, outbox, log
        self.delivery = ""
        self.run: Run | None = None

    def begin(self) -> Run:
        """From here on a crash leaves a trace."""
        self.run = self.history.start(self.date, delivery=self.delivery)
        return self.run

    def __enter__(self) -> _Entry:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        if isinstance(error, DeliveryRefused):
            self.delivery = error.delivery
        failure = _failure(error)
        try:
            run = self.run or self.begin()
            if not is_unsettled(self.outbox, run):  # else the next start finishes it
                self.history.close_run(run, failure.outcome, str(failure))
        except MatcherError as second:
            self.log.event("history.failed", "error", message=_sentence(second))  # what went wrong first is what is told


def _failure(error: BaseException) -> NightFailed:
    """The error in words that are fit for a log: no destinations, no cells."""
    if isinstance(error, NightFailed):
        return error
    if isinstance(error, KeyboardInterrupt | InterruptedSolve):
        return NightFailed("interrupted; nothing was published", ExitCode.INTERRUPTED, "failed")
    if not isinstance(error, MatcherError):
        from traceback import extract_tb

        where = extract_tb(error.__traceback__)[-1]
        text = f"a fault of the program ({type(error).__name__} at {Path(where.filename).name}:{where.lineno}); nothing was published"
        if isinstance(error, OSError):
            text = f"{error.strerror or type(error).__name__} ({Path(where.filename).name}:{where.lineno}); nothing was published"
        return NightFailed(text, ExitCode.INTERNAL, "failed")
    refused = isinstance(error, InputError | DeliveryRefused)
    return NightFailed(_sentence(error), error.exit_code, "refused" if refused else "failed")


def _sentence(error: BaseException) -> str:
    if isinstance(error, ContradictionError):
        return f"fixed decisions contradict each other: {', '.join(error.ids)}; `matcher solve` says how"
    if isinstance(error, InputError):
        where = [f"{fault.file}:{fault.line} {fault.column} {fault.code}".replace("  ", " ") for fault in error.faults[:1]]
        more = f" and {len(error.faults) - 1} more" if len(error.faults) > 1 else ""
        return f"{''.join(where)}{more}; `matcher validate` on the delivery's folder says what to do"  # cells stay where they are
    if isinstance(error, InternalError):
        return f"{str(error).partition(':')[0]}; nothing was published"
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error)


def _figures(exit_code: int, now: dt.datetime, seconds: float, last: Run) -> Figures:
    took = None if last.finished_at is None else (last.finished_at - last.started_at).total_seconds()
    return Figures(
        exit_code, now, seconds, last.finished_at, last.date, took, last.gap, last.status == "fallback",
        last.counts.get("persons", {}), last.counts.get("households", {}),
    )  # fmt: skip
