"""A run's folder, all or nothing: staged in a hidden sibling, flushed to disk, renamed."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from matcher._version import __version__
from matcher.columns import Ints
from matcher.doors import PATH, takes
from matcher.durable import flush_folder, remove_folder, replace_file, write_file
from matcher.errors import UsageError
from matcher.io.csv_out import Cell, field, rows_text
from matcher.io.run_tables import RESULTS, results_parquet, results_workbook
from matcher.model import Instance
from matcher.placed import AT_ONCE, NO_TIE, Held, Placements
from matcher.report import Night, page, report_data
from matcher.result import TERMS, PlacementRow, Result, UnplacedRow
from matcher.summary import summary

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
     "report.html", "distances.json", "changes.csv", "ending.csv"}
)  # fmt: skip
ALSO = ("xlsx", "parquet")
QUARANTINED_COLUMNS = ("file", "line", "id", "column", "code", "message")

log = logging.getLogger(__name__)


@takes(result=Result, folder=PATH, also=Collection)
def publish(result: Result, folder: Path | str, *, also: Collection[str] = ()) -> Path:
    """Write everything of a run to `folder`, which appears whole or not at all. Returns the folder.

    also: "xlsx" for all tables as one workbook (results.xlsx), "parquet" for each as a Parquet file; protected rows stand in
    neither. An earlier run in the folder is replaced; a folder that holds anything else is left alone (UsageError). Files get mode
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
        texts = files(result)
        contents: dict[str, str | bytes] = {**texts, **_more(texts, also)}
        for name, content in contents.items():
            write_file(stage / name, content)
        flush_folder(stage)
        _swap(stage, target)
    except BaseException as error:
        remove_folder(stage)
        if isinstance(error, OSError):
            raise UsageError(f"the results could not be written to {target}: {error.strerror}") from error
        raise
    return target


def check_target(target: Path) -> None:
    """Raise UsageError if the folder cannot become a run's folder: it holds something that is not one."""
    if target.exists() and not target.is_dir():
        raise UsageError(f"{target} is a file; name a folder for the results")
    known = RUN_FILES | {RESULTS} | {name.removesuffix(".csv") + ".parquet" for name in RUN_FILES if name.endswith(".csv")}
    foreign = sorted(p.name for p in target.iterdir() if p.name not in known) if target.is_dir() else []
    if foreign:
        text = f"{target} holds {foreign[0]!r}, which no run writes, and a new run would replace the folder; name another one"
        raise UsageError(text)
    above = next((p for p in target.parents if p.exists()), target)
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise UsageError(f"{above} is not a folder that can be written to; name another place for the results")


def write_page(path: Path, text: str) -> None:
    """Write a page, whole or not at all, in the place of an earlier one. Raises UsageError where that cannot be."""
    try:
        replace_file(path, text)
    except OSError as error:
        raise UsageError(f"the page could not be written to {path}: {error.strerror}") from error


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
        flush_folder(target.parent)
    except OSError as error:  # the new run is in place and whole; only its survival of a power cut is not sure
        log.warning("the folder above the results could not be flushed to disk: %s", error.strerror)
    finally:
        remove_folder(aside)


def _tidy(target: Path) -> None:
    """Put right what a run left behind that was killed: an earlier run that it had moved aside comes back, the rest goes."""
    for left in sorted(target.parent.glob(f".{target.name}.*-*")):
        kind, _, number = left.name.removeprefix(f".{target.name}.").partition("-")
        if kind not in ("staging", "replaced") or not number.isdigit() or _is_running(int(number)):
            continue
        if kind == "replaced" and not target.exists():
            left.rename(target)
        else:
            remove_folder(left)


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


def _more(texts: Mapping[str, str], also: Collection[str]) -> dict[str, bytes]:
    """The tables once more, in the other forms that are asked for."""
    if set(also) - set(ALSO):
        raise UsageError(f"results can also be written as {' or '.join(ALSO)}, not as {sorted(set(also) - set(ALSO))[0]!r}")
    out = {RESULTS: results_workbook(texts)} if "xlsx" in also else {}
    return {**out, **results_parquet(texts)} if "parquet" in also else out


def files(result: Result, night: Night | None = None) -> dict[str, str]:
    """Name and text of every file of a run. Only run.json differs between runs of the same input and options."""
    instance = result.instance
    assert instance is not None and result.certificate is not None
    placements = Placements.of(result.placements)
    secret = placements.protected
    numbers = summary(result)
    lang = "en" if result.options is None else result.options.lang
    out = {
        "placements.csv": placements_csv(placements.take(~secret) if secret.any() else placements),
        "unplaced.csv": rows_text(UNPLACED_COLUMNS, [_unplaced(row) for row in result.unplaced]),
        "quarantined.csv": quarantined_csv(instance),
        "summary.json": plain_json(numbers),
        "certificate.json": plain_json(result.certificate.plain()),
        "run.json": plain_json(_run(result)),
        "report.html": page(report_data(result, numbers, night), lang),
    }
    if secret.any():
        out["placements_protected.csv"] = placements_csv(placements.take(secret))
    if instance.measured is not None:
        out["distances.json"] = instance.measured.text()
    return out


def plain_json(data: Any) -> str:
    """JSON as written to files: two spaces, no escapes for Cyrillic, a newline at the end."""
    return json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def placements_csv(rows: Sequence[PlacementRow]) -> str:
    """placements.csv as text, column by column: each distinct text is made once."""
    held = Placements.of(rows)
    parts = [rows_text(PLACEMENT_COLUMNS, [])]
    for low in range(0, len(held), AT_ONCE):
        columns = _columns(held.take(slice(low, low + AT_ONCE)))
        parts.append("".join(",".join(line) + "\n" for line in zip(*columns, strict=True)))
    return "".join(parts)


def _columns(held: Placements) -> list[Sequence[str]]:
    """The cells of some placements, by column."""
    offers: dict[int, str] = {-1: ""}
    for a in {*held.offer.tolist(), *held.alternatives.ravel().tolist()} - {-1}:
        offers[a] = field(held.offers[a])
    others: list[Sequence[str]] = []
    for i in range(ALTERNATIVES):
        known = i < held.alternatives.shape[1]
        at = held.alternatives[:, i].tolist() if known else [-1] * len(held)
        added = _tenths(held.added[:, i]) if known else [""] * len(held)
        others += [[offers[a] for a in at], [cost if a >= 0 else "" for a, cost in zip(at, added, strict=True)]]
    tie_km = [text if km10 != NO_TIE else "" for text, km10 in zip(_tenths(held.tie_km10), held.tie_km10.tolist(), strict=True)]
    return [
        [field(household_id) for household_id in held.household_ids],
        [offers[a] for a in held.offer.tolist()],
        _fields(held.site),
        _fields(held.place),
        list(map(str, held.persons.tolist())),
        _fields((held.rooms[0], [" ".join(map(str, rooms)) for rooms in held.rooms[1]])),
        _fields(held.status),
        _tenths(held.km10),
        _fields(held.minutes),
        _tenths(held.terms.sum(axis=0)),
        *(_tenths(term) for term in held.terms),
        tie_km,
        list(map(str, held.ties_kept.tolist())),
        *others,
        _fields(held.changed_from),
    ]


def _fields(held: Held) -> list[str]:
    code, values = held
    known: dict[int, str] = {}
    for k in np.unique(code).tolist():
        known[k] = field(values[k])
    return list(map(known.__getitem__, code.tolist()))


def _tenths(values: Ints) -> list[str]:
    """Units of 1/10 with one decimal, each."""
    if not values.any():
        return ["0.0"] * len(values)
    return [f"{v // 10}.{v % 10}" if v >= 0 else f"-{-v // 10}.{-v % 10}" for v in values.tolist()]


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
