"""Instances, solved once and shared by tests: those that come with the program, and generated ones."""

from __future__ import annotations

import atexit
import csv
import datetime as dt
import io
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from matcher.generate import generate
from matcher.io import read_instance
from matcher.model import Instance
from matcher.policy import Policy, read_policy
from matcher.publish import publish
from matcher.result import Result
from matcher.solver import solve

ROOT = Path(__file__).parent.parent
INSTANCES = ROOT / "instances"
DATE = dt.date(2026, 11, 22)
DAY = DATE.isoformat()


@cache
def scratch() -> Path:
    """A folder for generated instances, gone when the tests end."""
    folder = Path(tempfile.mkdtemp(prefix="matcher-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def generated(households: int, seed: int, beds: float = 0.8, links: float = 0.3) -> Path:
    """The folder of a generated instance."""
    folder = scratch() / f"generated-{households}-{seed}-{beds}-{links}"
    generate(folder, households, seed, beds, links=links)
    return folder


@cache
def instance_of(folder: Path) -> Instance:
    """The instance in a folder; a `-faulty` one in quarantine."""
    return read_instance(folder, quarantine=folder.name.endswith("-faulty"))


@cache
def policy_of(folder: Path) -> Policy:
    """The folder's policy, or the default one."""
    return read_policy(folder / "policy.toml") if (folder / "policy.toml").exists() else Policy()


@cache
def solved(folder: Path) -> Result:
    """The result of a folder, by its own policy."""
    return solve(instance_of(folder), policy_of(folder), date=DATE)


def published(folder: Path, out: Path) -> Path:
    """The files of the folder's result."""
    return publish(solved(folder), out)


def matcher(*arguments: object, cwd: Path = ROOT, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environ(**environment), capture_output=True, text=True, timeout=timeout, check=False
    )


def is_alive(pid: int) -> bool:
    """Is there such a process that has not ended? Needs /proc."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def command(*arguments: object) -> list[str]:
    """The command line as a list."""
    return [sys.executable, "-m", "matcher.cli.app", *map(str, arguments)]


def environ(**changes: str) -> dict[str, str]:
    """The environment of a child, in which the package is found from anywhere."""
    path = os.pathsep.join(p for p in (str(ROOT), os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, "PYTHONPATH": path, **changes}


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_of(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV file, as they stand."""
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    return header, rows


def write_table(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    path.write_text(text.getvalue(), encoding="utf-8")


def shuffled(folder: Path, to: Path, rng: random.Random) -> Path:
    """A copy of an instance with the rows and the columns of every file in another order."""
    to.mkdir(parents=True)
    for path in sorted(folder.iterdir()):
        if path.suffix != ".csv":
            shutil.copy(path, to / path.name)
            continue
        header, rows = table_of(path)
        columns = list(range(len(header)))
        rng.shuffle(columns)
        rng.shuffle(rows)
        write_table(to / path.name, [header[c] for c in columns], [[row[c] for c in columns] for row in rows])
    return to


def files_of(out: Path) -> dict[str, bytes]:
    """Name and bytes of every file of a run but run.json, which is the one that may differ."""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if path.name != "run.json"}


def changed(row: Any, **fields: Any) -> Any:
    """A copy of a frozen model with other values."""
    return row.model_copy(update=fields)
