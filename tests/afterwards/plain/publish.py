"""A run's folder, all or nothing: staged in a hidden sibling, flushed to disk, renamed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from importlib import metadata
from pathlib import Path
from typing import Any

from matcher._version import __version__
from matcher.errors import UsageError
from matcher.io.csv_out import Cell, rows_text
from matcher.model import Instance
from matcher.result import TERMS, PlacementRow, Result, UnplacedRow
from tests.afterwards.plain.summary import summary

ALTERNATIVES = 3
LIBRARIES = ("ortools", "numpy", "pandas", "pydantic", "typer", "rich", "rapidfuzz")
PLACEMENT_COLUMNS = (
    "household_id", "accommodation_id", "site_id", "place", "persons", "rooms", "status", "km", "minutes", "cost",
    *(f"cost_{term}" for term in TERMS), "tie_km", "ties_kept",
    *(name for i in range(1, ALTERNATIVES + 1) for name in (f"alternative_{i}", f"alternative_{i}_cost")),
    "changed_from",
)  # fmt: skip
UNPLACED_COLUMNS = ("household_id", "persons", "priority", "reason", "explanation", "remedy")
RUN_FILES = frozenset(
    {"placements.csv", "placements_protected.csv", "unplaced.csv", "quarantined.csv", "summary.json", "certificate.json", "run.json",
     "report.html"}
)  # fmt: skip
QUARANTINED_COLUMNS = ("file", "line", "id", "column", "code", "message")

log = logging.getLogger(__name__)


def publish(result: Result, folder: Path | str) -> Path:
    """Write everything of a run to `folder`, which appears whole or not at all. Returns the folder.

    An earlier run in the folder is replaced; a folder that holds anything else is left alone (UsageError). Files get mode
    0600, folders 0700.
    """
    if result.instance is None:
        raise UsageError("only a result of an instance can be published")
    target = Path(folder).resolve()
    check_target(target)
    stage = target.parent / f".{target.name}.staging-{os.getpid()}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _tidy(target)
        stage.mkdir(mode=0o700)
        for name, text in files(result).items():
            _write(stage / name, text)
        _flush(stage)
        _swap(stage, target)
    except BaseException as error:
        _remove(stage)
        if isinstance(error, OSError):
            raise UsageError(f"the results could not be written to {target}: {error.strerror}") from error
        raise
    return target


def check_target(target: Path) -> None:
    """Raise UsageError if the folder cannot become a run's folder: it holds something that is not one."""
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder for the results")
    foreign = sorted(p.name for p in target.iterdir() if p.name not in RUN_FILES) if target.is_dir() else []
    if foreign:
        text = f"{target} holds {foreign[0]!r}, which no run writes, and a new run would replace the folder; name another one"
        raise UsageError(text)
    above = next((p for p in target.parents if p.exists()), target)
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UsageError(f"{above} is not a folder that can be written to; name another place for the results")


def _swap(stage: Path, target: Path) -> None:
    """Put the stage in the target's place. An earlier run is moved aside first and comes back if the rename fails."""
    aside = target.parent / f".{target.name}.replaced-{os.getpid()}"
    if target.exists():
        target.rename(aside)
    try:
        stage.rename(target)
    except BaseException:
        if aside.exists():
            aside.rename(target)
        raise
    try:
        _flush(target.parent)
    except OSError as error:  # the new run is in place and whole; only its survival of a power cut is not sure
        log.warning("the folder above the results could not be flushed to disk: %s", error.strerror)
    finally:
        _remove(aside)


def _tidy(target: Path) -> None:
    """Put right what a run left behind that was killed: an earlier run that it had moved aside comes back, the rest goes."""
    for left in sorted(target.parent.glob(f".{target.name}.*-*")):
        kind, _, number = left.name.removeprefix(f".{target.name}.").partition("-")
        if kind not in ("staging", "replaced") or not number.isdigit() or _is_running(int(number)):
            continue
        if kind == "replaced" and not target.exists():
            left.rename(target)
        else:
            _remove(left)


def _is_running(number: int) -> bool:
    """Is there another process of that number? Our own leftovers are ours to tidy."""
    if number == os.getpid():
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _remove(folder: Path) -> None:
    """Remove a folder for good: it may hold protected destinations, so one failure or interrupt on the way is not the end."""
    for _ in range(3):
        try:
            shutil.rmtree(folder, ignore_errors=True)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        if not folder.exists():
            return
    log.warning("%s could not be removed", folder)


def _write(path: Path, text: str) -> None:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def files(result: Result) -> dict[str, str]:
    """Name and text of every file of a run. Only run.json differs between runs of the same input and options."""
    instance = result.instance
    assert instance is not None and result.certificate is not None
    out = {
        "placements.csv": placements_csv(row for row in result.placements if not row.protected),
        "unplaced.csv": rows_text(UNPLACED_COLUMNS, [_unplaced(row) for row in result.unplaced]),
        "quarantined.csv": quarantined_csv(instance),
        "summary.json": plain_json(summary(result)),
        "certificate.json": plain_json(result.certificate.plain()),
        "run.json": plain_json(_run(result)),
    }
    secret = [row for row in result.placements if row.protected]
    if secret:
        out["placements_protected.csv"] = placements_csv(secret)
    return out


def plain_json(data: Any) -> str:
    """JSON as written to files: two spaces, no escapes for Cyrillic, a newline at the end."""
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def placements_csv(rows: Iterable[PlacementRow]) -> str:
    """placements.csv as text."""
    return rows_text(PLACEMENT_COLUMNS, [_placement(row) for row in rows])


def tenths(value: int) -> Decimal:
    """Units of 1/10 with one decimal."""
    return Decimal(value).scaleb(-1)


def _placement(row: PlacementRow) -> Sequence[Cell]:
    others: list[Cell] = []
    for i in range(ALTERNATIVES):
        known = i < len(row.alternatives)
        others += [row.alternatives[i].accommodation_id, tenths(row.alternatives[i].added_cost)] if known else [None, None]
    return [
        row.household_id, row.accommodation_id, row.site_id, row.place, row.persons, " ".join(map(str, row.rooms)), row.status,
        tenths(row.km10), row.minutes, tenths(row.terms.total), *(tenths(row.terms[term]) for term in TERMS),
        None if row.tie_km10 is None else tenths(row.tie_km10), row.ties_kept, *others, row.changed_from,
    ]  # fmt: skip


def _unplaced(row: UnplacedRow) -> Sequence[Cell]:
    return [row.household_id, row.persons, row.priority, row.reason, row.explanation, row.remedy]


def quarantined_csv(instance: Instance) -> str:
    """quarantined.csv as text."""
    return rows_text(QUARANTINED_COLUMNS, _quarantined(instance))


def _quarantined(instance: Instance) -> list[Sequence[Cell]]:
    """One line for each fault of each row set aside."""
    rows = sorted(instance.set_aside, key=lambda row: (row.file, row.id or "", row.line))
    return [[row.file, row.line, row.id, f.column, f.code, f.message] for row in rows for f in row.faults]


def _run(result: Result) -> dict[str, Any]:
    libraries = {name: metadata.version(name) for name in LIBRARIES}
    return {
        "version": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "libraries": libraries,
        "seconds": {name: round(value, 3) for name, value in result.effort.seconds.items()},
        "peak_memory_mib": _peak_memory_mib(),
        "effort": round(result.effort.work, 3),
        "cut_by": result.effort.cut_by,
    }


def _peak_memory_mib() -> int | None:
    """Peak resident memory of this process and its children in MiB; None where the system does not tell."""
    try:
        import resource  # not on every system
    except ImportError:
        return None
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return max(peaks) // (1024 if sys.platform != "darwin" else 1024 * 1024)
