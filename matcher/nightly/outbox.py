"""The outbox: a folder a published night, `latest` pointing at the newest, and what makes both survive a crash at any instant.

    stage, flush → history rows, journal, rename → commit → `latest` → journal away

Until the rename nobody sees anything. Between rename and commit the journal has all that the history still lacks, so whoever starts
next can finish what was begun (`reconcile`). Everything here happens under the outbox's lock; what another run's process has left
behind is therefore nobody's any more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matcher.durable import flush_folder, remove_folder, replace_file, write_file
from matcher.errors import InternalError, UsageError
from matcher.history import FileSum, History, Proposal, Run
from matcher.nightly.log import NightLog

LATEST = "latest"
STAGING, JOURNAL, WORK = ".staging-", ".journal-", ".work-"
LEFT = "its process ended without a word: killed, a power cut, or out of memory"


@dataclass(frozen=True)
class Record:
    """What the history is to hold of a published run. values: fields of `Run`; fingerprints: by (kind, id)."""

    values: Mapping[str, Any]
    proposals: Sequence[Proposal]
    fingerprints: Mapping[tuple[str, str], str]


def folder_sum(files: Mapping[str, bytes]) -> str:
    """One SHA-256 over the files of a folder, by name."""
    lines = [f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in sorted(files.items())]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def sum_of(folder: Path) -> str:
    """The same of a folder on disk. Raises OSError."""
    return folder_sum({path.name: path.read_bytes() for path in folder.iterdir()})


def stage(outbox: Path, run: Run, files: Mapping[str, bytes]) -> Path:
    """Write the files of a run aside and flush them to disk. Raises OSError."""
    folder = outbox / f"{STAGING}{run.id}"
    folder.mkdir(mode=0o700)
    for name in sorted(files):
        write_file(folder / name, files[name])
    flush_folder(folder)
    return folder


def put(outbox: Path, staged: Path, history: History, run: Run, record: Record) -> Run:
    """Publish: the history's rows and the folder appear together, then `latest` points there. Returns the run as recorded.

    Raises UsageError where a folder of that name is in the way, OSError and HistoryError; `reconcile` then tells what became of it.
    """
    with history.publishing(run, **record.values) as publication:
        publication.add_proposals(record.proposals)
        publication.add_fingerprints(record.fingerprints)
        target = outbox / publication.name
        if target.exists() or target.is_symlink():
            raise UsageError(f"{target} is there, but not in the history (was an older backup restored?); move it away and run again")
        journal = _journal(outbox, run)
        replace_file(journal, _plain(publication.name, record))
        staged.rename(target)
        flush_folder(outbox)
    point(outbox, history)
    journal.unlink()
    return history.run(run.id)


def settle(outbox: Path, history: History, run: Run, log: NightLog) -> bool:
    """After `put` has raised: is the run published all the same? What could be finished is; what could not is as if never begun.

    Raises what stops it (a history that cannot be written): then all stays as it is, and the next start goes on from there.
    """
    journal = _journal(outbox, run)
    if journal.exists():
        _finish(outbox, journal, history, log)
        point(outbox, history)
    remove_folder(outbox / f"{STAGING}{run.id}")
    return history.run(run.id).outcome == "published"


def is_unsettled(outbox: Path, run: Run) -> bool:
    """Has the run begun to publish, and has nobody found out yet whether it did?"""
    return _journal(outbox, run).exists()


def point(outbox: Path, history: History) -> None:
    """Let `latest` point at the newest published run, in one step."""
    newest = history.last_published()
    link = outbox / LATEST
    if newest is None or (link.is_symlink() and os.readlink(link) == newest.name):  # noqa: PTH115  (the text, not a path)
        return
    if link.exists() and not link.is_symlink():
        raise UsageError(f"{link} is not a link; move it away, so that it can point at the newest result")
    stage = outbox / f"{STAGING}{LATEST}"
    stage.unlink(missing_ok=True)
    stage.symlink_to(newest.name)
    stage.rename(link)
    flush_folder(outbox)


def reconcile(outbox: Path, history: History, log: NightLog) -> None:
    """Finish or undo what earlier runs have left unfinished. Changes nothing where there is nothing."""
    for journal in sorted(outbox.glob(f"{JOURNAL}*")):
        _finish(outbox, journal, history, log)
    for left in sorted([*outbox.glob(f"{STAGING}*"), *outbox.glob(f"{WORK}*"), *outbox.glob(".*.staging-*")]):
        log.event("reconcile.removed", "warning", name=left.name)
        if left.is_dir() and not left.is_symlink():
            remove_folder(left)
        else:
            left.unlink()
    for run in history.unfinished():
        log.event("reconcile.crashed", "warning", run=run.id, service_date=str(run.date))
        history.close_run(run, "crashed", LEFT)
    point(outbox, history)
    _compare(outbox, history, log)


def _finish(outbox: Path, journal: Path, history: History, log: NightLog) -> None:
    """A run that died while it published: if its folder is in place, its rows follow; else there is nothing of it."""
    name, record = _read(journal)
    run = history.run(int(journal.name.removeprefix(JOURNAL)))
    folder = outbox / name
    if run.outcome == "running" and folder.is_dir():
        if sum_of(folder) != record.values["folder_sha256"]:
            raise InternalError(f"{folder} is not what was about to be published; move it away and run again")
        with history.publishing(run, **record.values) as publication:
            if publication.name != name:
                raise InternalError(f"{folder} stands where the history expects {publication.name}; move it away and run again")
            publication.add_proposals(record.proposals)
            publication.add_fingerprints(record.fingerprints)
        log.event("reconcile.published", "warning", run=run.id, folder=name)
    journal.unlink()


def _compare(outbox: Path, history: History, log: NightLog) -> None:
    """Say what is only here, or only there; people move folders, and nothing is deleted for it."""
    published = {run.name for run in history.runs(outcome="published")}
    there = {path.name for path in outbox.iterdir() if path.is_dir() and not path.is_symlink() and not path.name.startswith(".")}
    for name in sorted(there - published):
        log.event("outbox.unknown", "warning", folder=name, message="stands in the outbox, but not in the history")


def _journal(outbox: Path, run: Run) -> Path:
    return outbox / f"{JOURNAL}{run.id}"


def _plain(name: str, record: Record) -> str:
    values = {**record.values, "files": {n: asdict(f) for n, f in record.values["files"].items()}}
    values["finished_at"] = values["finished_at"].isoformat()
    proposals = [{**asdict(p), "since": p.since.isoformat()} for p in record.proposals]
    marks = [[kind, one, parts] for (kind, one), parts in record.fingerprints.items()]
    return json.dumps({"name": name, "values": values, "proposals": proposals, "fingerprints": marks}, ensure_ascii=False)


def _read(journal: Path) -> tuple[str, Record]:
    plain = json.loads(journal.read_text(encoding="utf-8"))
    values = plain["values"]
    values["files"] = {name: FileSum(**sums) for name, sums in values["files"].items()}
    values["finished_at"] = dt.datetime.fromisoformat(values["finished_at"])
    proposals = [Proposal(**{**p, "since": dt.date.fromisoformat(p["since"]), "rooms": tuple(p["rooms"])}) for p in plain["proposals"]]
    return plain["name"], Record(values, proposals, {(kind, one): parts for kind, one, parts in plain["fingerprints"]})
