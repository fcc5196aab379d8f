"""A small service with an inbox, an outbox and a history, and what must be true of it after every night that ended."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from matcher.history import Run, open_history
from matcher.nightly.inbox import deliver
from matcher.nightly.lock import LOCK
from matcher.nightly.outbox import LATEST, sum_of
from matcher.published import read_published
from tests.runs import ROOT, environ, generated, scratch

DATE = "2026-11-22"
CONFIG = """
inbox = "inbox"
outbox = "outbox"
[solve]
time_limit_s = 20
deadline_s = 40
remedies = {remedies}
[metrics]
textfile = "matcher.prom"
"""


class World:
    """One service in a folder of its own. remedies: whether its nights look for what would help; most tests are not about that."""

    def __init__(self, folder: Path, more: str = "", *, remedies: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "nightly.toml"
        self.config.write_text(CONFIG.format(remedies=str(remedies).lower()) + more, encoding="utf-8")
        self.inbox, self.outbox, self.history = folder / "inbox", folder / "outbox", folder / "history.sqlite"

    def deliver(self, source: Path) -> str:
        """Put a delivery into the inbox; returns its name."""
        return deliver(source, self.inbox).folder.name

    def log(self) -> list[dict[str, Any]]:
        """The lines of the log."""
        path = self.folder / "nightly.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def runs(self) -> tuple[Run, ...]:
        """The history's runs, oldest first."""
        with open_history(self.history) as history:
            return history.runs()[::-1]

    def published(self) -> dict[str, str]:
        """Name and sum of every folder that a reader of the outbox sees."""
        if not self.outbox.exists():
            return {}
        return {p.name: sum_of(p) for p in self.outbox.iterdir() if p.is_dir() and not p.is_symlink() and not p.name.startswith(".")}

    def everything(self) -> dict[str, bytes]:
        """Every file of the outbox, hidden ones too."""
        return {str(p.relative_to(self.outbox)): p.read_bytes() for p in sorted(self.outbox.rglob("*")) if p.is_file() and p.name != LOCK}

    def check(self) -> None:
        """What must hold once a run has ended by itself."""
        with sqlite3.connect(self.history) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.close()
        with open_history(self.history) as history:
            runs = history.runs(outcome="published")
            assert history.unfinished() == ()
            there = self.published()
            assert there.keys() == {run.name for run in runs}, "a result without its row, or a row without its result"
            for run in runs:
                assert there[run.name] == run.folder_sha256, f"{run.name} is not as it was published"
                rows = read_published(self.outbox / run.name).placements
                recorded = {p.household_id: (p.accommodation_id, p.rooms, p.protected) for p in history.proposals(run)}
                assert recorded == {row.household_id: (row.accommodation_id, row.rooms, row.protected) for row in rows}
            newest = history.last_published()
        hidden = {path.name for path in self.outbox.iterdir() if path.name.startswith(".")}
        assert hidden <= {LOCK}, f"left behind: {hidden}"
        if newest is not None:
            assert (self.outbox / LATEST).readlink() == Path(newest.name)


@cache
def tiny() -> Path:
    """An instance that is solved at once."""
    return generated(8, 12, 1.0, 0.0)


@cache
def other() -> Path:
    """Another one of the same size."""
    return generated(8, 13, 1.0, 0.0)


@cache
def faults_library() -> Path:
    """faults.c, compiled. Skips where there is no compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler, to let calls of the operating system fail")
    target = scratch() / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(target), str(Path(__file__).parent / "faults.c"), "-ldl"], check=True)
    return target


class Driver:
    """The process that runs nights in forks of itself. root: below which calls are counted and may fail; None: none are."""

    def __init__(self, root: Path | None = None) -> None:
        more = {} if root is None else {"LD_PRELOAD": str(faults_library()), "FAULT_ROOT": str(root)}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "driver.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=environ(**more), cwd=ROOT,
        )  # fmt: skip

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.communicate(timeout=120)

    def night(self, world: World, date: str = DATE, **order: Any) -> dict[str, Any]:
        """Run one night; see driver.py."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps({"config": str(world.config), "date": date, **order}) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


def wait_until(what: Any, seconds: float = 100.0) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
