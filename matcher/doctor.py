"""Is everything that a night needs as it should be? Looks, tries, and leaves no trace."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import insert, select, text

from matcher.errors import MatcherError
from matcher.history import tables as t
from matcher.history.database import HEAD, version_of
from matcher.history.store import History, blank_run, open_history

LATE_H = 26
"""A night is late when none has succeeded for so many hours: a day, and two for a slow one or a clock change."""
LEAST_FREE_MIB = 500
CLOCK_S = 120
EARLIEST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""No clock that is right shows an earlier time: this program did not exist."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. what: a word. message: a sentence, with what to do where it is not right."""

    what: str
    right: bool
    message: str


def examine(
    address: str, *, inbox: Path | None = None, outbox: Path | None = None, now: dt.datetime | None = None, late_h: float = LATE_H
) -> tuple[Finding, ...]:
    """Look at the history and at the folders of the nights. now: the time, UTC."""
    moment = now or dt.datetime.now(dt.UTC)
    findings = []
    path: Path | None = None
    try:
        with open_history(address) as history:
            path = history.path
            findings += [_writes(history), *_is_whole(history), *_last_run(history, moment, late_h), _clock(history, moment)]
    except MatcherError as error:
        findings.append(Finding("history", False, str(error)))
        findings.append(_plain_clock(moment))
    folders = [("inbox", inbox, False), ("outbox", outbox, True)]
    findings += [_folder(name, folder, write) for name, folder, write in folders if folder is not None]
    places = [folder for folder in (None if path is None else path.parent, outbox, inbox) if folder is not None]
    findings += _disks(places)
    return tuple(findings)


def _writes(history: History) -> Finding:
    """A row is written and taken back."""
    try:
        with history.writing() as connection:
            connection.execute(insert(t.runs).values(**blank_run(dt.date(2026, 1, 1), EARLIEST, "doctor")))
            connection.rollback()
    except MatcherError as error:
        return Finding("history", False, f"{error}. Look at its rights, and at who else is using it")
    return Finding("history", True, f"{history} can be read and written")


def _is_whole(history: History) -> Iterator[Finding]:
    with history.reading() as connection:
        if history.path is not None:
            problems = list(connection.execute(text("PRAGMA integrity_check(3)")).scalars())
            orphans = connection.execute(text("PRAGMA foreign_key_check")).first()
            right = problems == ["ok"] and orphans is None
            problem = problems[0] if problems != ["ok"] else "rows of runs that are not there"
        else:
            for table in t.metadata.sorted_tables:  # reads every page
                connection.execute(select(text("count(*)")).select_from(table)).scalar()
            right, problem = True, ""
    schema = version_of(history.engine)
    words = f"whole, schema {schema}" if right else f"damaged ({problem}); restore a backup: matcher history restore"
    yield Finding("database", right and schema == HEAD, words)
    if history.path is not None:
        mode = stat.S_IMODE(history.path.stat().st_mode)
        advice = f": others may read who lives where; chmod 600 {history.path}" if mode & 0o077 else ""
        yield Finding("rights", not advice, f"{mode:o}{advice}")


def _last_run(history: History, now: dt.datetime, late_h: float) -> Iterator[Finding]:
    last = history.last_published()
    newest = next(iter(history.runs(limit=1)), None)
    if last is None:
        yield Finding("last run", False, "no run has ever been published; run `matcher nightly`")
    else:
        ended = last.finished_at or last.started_at
        hours = (now - ended).total_seconds() / 3600
        words = f"{last.name} was published {hours:.0f} hours ago"
        late = "; a night is missing: look at the timer, at the log, and at `matcher runs list`"
        yield Finding("last run", hours <= late_h, words + (late if hours > late_h else ""))
    if newest is not None and newest.outcome in ("refused", "failed", "crashed"):
        yield Finding("newest run", False, f"run {newest.id} for {newest.date.isoformat()} was {newest.outcome}: {newest.message}")
    for run in history.unfinished():
        hours = (now - run.started_at).total_seconds() / 3600
        if hours > 1:
            text_ = f"run {run.id} began {hours:.0f} hours ago and has not ended; the next run of `matcher nightly` puts that right"
            yield Finding("unfinished run", False, text_)


def _clock(history: History, now: dt.datetime) -> Finding:
    """Not before what has been recorded, and not far from the database server's clock."""
    if not (finding := _plain_clock(now)).right:
        return finding
    newest = next(iter(history.runs(limit=1)), None)
    if newest is not None and newest.started_at > now + dt.timedelta(seconds=CLOCK_S):
        return Finding("clock", False, f"it shows {now:%Y-%m-%d %H:%M} UTC, but a run was recorded later than that; set it right")
    if history.path is None:
        with history.reading() as connection:
            theirs = connection.execute(text("SELECT now()")).scalar_one()
        off = abs((theirs - now).total_seconds())
        if off > CLOCK_S:
            return Finding("clock", False, f"it is {off:.0f} seconds off the database server's")
    return finding


def _plain_clock(now: dt.datetime) -> Finding:
    right = now >= EARLIEST
    return Finding("clock", right, f"{now:%Y-%m-%d %H:%M} UTC" + ("" if right else ": that is in the past; set it right"))


def _folder(name: str, folder: Path, write: bool) -> Finding:
    """A file is written and taken away again, or the folder is listed."""
    try:
        if write:
            folder_there = folder if folder.exists() else next(above for above in folder.parents if above.exists())
            with tempfile.TemporaryFile(dir=folder_there) as file:
                file.write(b"x")
                file.flush()
                os.fsync(file.fileno())
        else:
            next(folder.iterdir(), None)
    except OSError as error:
        return Finding(name, False, f"{folder} cannot be {'written to' if write else 'read'}: {error.strerror}")
    return Finding(name, True, f"{folder} can be {'written to' if write else 'read'}")


def _disks(folders: Sequence[Path]) -> Iterator[Finding]:
    """Each disk once."""
    seen: set[int] = set()
    for folder in folders:
        there: Callable[[Path], bool] = Path.exists
        place = next(above for above in (folder, *folder.parents) if there(above))
        device = place.stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        free = shutil.disk_usage(place).free // (1 << 20)
        files = os.statvfs(place)
        full = free < LEAST_FREE_MIB or (files.f_files > 0 and files.f_favail < 1000)
        more = f"; at least {LEAST_FREE_MIB} MiB (and 1,000 more files) should fit: delete old results, purge the history" if full else ""
        yield Finding("disk", not full, f"{free:,} MiB free at {place}{more}")
