"""Reading a published run back, as it stands on disk: rows as text says, nothing recomputed."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from sys import intern
from typing import Any, TypeVar

from matcher.errors import Fault, InputError
from matcher.io.tokens import Undecodable, decode, split_records
from matcher.measured import measured_from
from matcher.model import Instance
from matcher.places.osrm import points_of
from matcher.policy import Policy, SolveOptions, WarmStart
from matcher.publish import ALTERNATIVES, PLACEMENT_COLUMNS, UNPLACED_COLUMNS
from matcher.result import TERMS, Alternative, Certificate, Cost, Effort, PlacementRow, Plan, Result, StageProof, UnplacedRow

Row = TypeVar("Row")
LONGEST_NUMBER = 30
_GUARDED = ("=", "+", "-", "@", "'", "\t", "\r")


@dataclass(frozen=True)
class Published:
    """A run's folder. placements: protected ones among them, flagged."""

    placements: tuple[PlacementRow, ...]
    unplaced: tuple[UnplacedRow, ...]
    summary: Mapping[str, Any]
    certificate: Mapping[str, Any]


def read_published(folder: Path | str) -> Published:
    """Read a run's folder. Raises InputError with every fault of every file."""
    folder = Path(folder)
    faults: list[Fault] = []
    placements = _table(folder / "placements.csv", PLACEMENT_COLUMNS, lambda cells: _placement(cells, False), faults)
    if (folder / "placements_protected.csv").exists():
        placements += _table(folder / "placements_protected.csv", PLACEMENT_COLUMNS, lambda cells: _placement(cells, True), faults)
    unplaced = _table(folder / "unplaced.csv", UNPLACED_COLUMNS, _unplaced, faults)
    summary, certificate = (_json(folder / name, faults) for name in ("summary.json", "certificate.json"))
    if faults:
        raise InputError(faults)
    return Published(tuple(placements), tuple(unplaced), summary, certificate)


def with_distances(instance: Instance, policy: Policy, folder: Path | str) -> Instance:
    """The instance with the ways that its run was measured by, where a routing server was asked. Raises InputError: lost, or of another."""
    if policy.travel.model != "osrm":
        return instance
    path = Path(folder) / "distances.json"
    try:
        return instance.model_copy(update={"measured": measured_from(path.read_text(encoding="utf-8"), points_of(instance))})
    except OSError as error:
        raise InputError([Fault(path.name, 0, "", "file_missing", f"cannot be opened: {error.strerror}")]) from None
    except ValueError as error:
        raise InputError([Fault(path.name, 0, "", "file_unreadable", str(error))]) from None


def warm_start_of(run: Published) -> WarmStart:
    """What a later run can begin from."""
    certificate = run.certificate
    stages = certificate.get("stages") or [{}]
    homes = {row.household_id: (row.accommodation_id, row.rooms) for row in run.placements}
    try:
        return WarmStart(
            scale=certificate["scale"], prices=stages[0].get("prices", {}), floors=stages[0].get("floor_prices", {}), homes=homes
        )  # fmt: skip
    except (KeyError, ValueError) as error:
        raise InputError([Fault("certificate.json", 0, "", "file_unreadable", "does not hold prices as a run writes them")]) from error


def result_of(run: Published, instance: Instance, policy: Policy, date: dt.date) -> Result:
    """The run as a result again, as far as its folder tells: for explaining it and trying changes on it. Its plan as positions is empty.

    Raises InputError where summary.json or certificate.json lack what a run writes.
    """
    summary, certificate = run.summary, run.certificate
    try:
        options = {name: summary["options"][name] for name in ("seed", "strategy", "effort", "gap")}
        lang = summary["options"].get("lang", "en")
        stages = tuple(
            StageProof(
                s["name"], int(s["value"]), int(s["bound"]), s["value"] <= s["bound"], None, tuple(s["multipliers"]), s["prices"],
                s["floor_prices"],
            )
            for s in certificate["stages"]
        )  # fmt: skip
        links = tuple((str(g), str(h)) for g, h in certificate["merged_links"])
        terms = {term: value for term, value in summary["cost_terms"].items() if value}
        proof = Certificate(int(certificate["scale"]), stages, links, int(certificate["bound"]))
        return Result(
            summary["status"], summary["proved_by"], summary["strategy"]["name"], summary["strategy"]["why"], Plan((), ()),
            Cost(terms), proof.bound, stages, proof, run.placements, run.unplaced, tuple(summary["warnings"]),
            Effort(), instance, policy, SolveOptions(date=date, lang=lang, **options),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        text = "lacks what a run writes there, or it cannot be read"
        raise InputError([Fault("summary.json", 0, "", "file_unreadable", f"this file or certificate.json {text}")]) from error


def _json(path: Path, faults: list[Fault]) -> Mapping[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        faults.append(Fault(path.name, 0, "", "file_missing", f"cannot be opened: {error.strerror}"))
        return {}
    except ValueError as error:
        faults.append(Fault(path.name, 0, "", "file_unreadable", f"is not JSON: {error}"))
        return {}
    if not isinstance(data, dict):
        faults.append(Fault(path.name, 0, "", "file_unreadable", "is not a JSON object"))
        return {}
    return data


def _table(path: Path, columns: tuple[str, ...], make: Callable[[dict[str, str]], Row], faults: list[Fault]) -> list[Row]:
    try:
        text = decode(path.read_bytes(), "utf-8")
    except OSError as error:
        faults.append(Fault(path.name, 0, "", "file_missing", f"cannot be opened: {error.strerror}"))
        return []
    except Undecodable as error:
        faults.append(Fault(path.name, error.line, "", "bad_encoding", error.message))
        return []
    records = split_records(text, ",")
    header = next(records, None)
    if header is None or header.cells != columns:
        faults.append(Fault(path.name, 1, "", "bad_header", "does not have the columns that a run writes"))
        return []
    rows = []
    for record in records:
        if record.problem or len(record.cells) != len(columns):
            faults.append(Fault(path.name, record.line, "", record.problem or "wrong_cell_count", "is not a row that a run writes"))
            continue
        try:
            rows.append(make({name: _unguarded(cell) for name, cell in zip(columns, record.cells, strict=True)}))
        except (ValueError, InvalidOperation):
            faults.append(Fault(path.name, record.line, "", "not_a_number", "holds a number that cannot be read"))
    return rows


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_GUARDED) else cell


def _tenths(text: str) -> int:
    """A number with one decimal as whole tenths."""
    units, point, tenth = text.partition(".")
    if point and len(tenth) == 1 and len(text) <= LONGEST_NUMBER and (units + tenth).isdecimal():
        return int(units + tenth)  # as nearly all are written
    value = Decimal(text)
    if not value.is_finite() or len(text) > LONGEST_NUMBER or abs(value.adjusted()) > LONGEST_NUMBER:
        raise ValueError(text)
    if value.scaleb(1) != value.scaleb(1).to_integral_value():
        raise ValueError(text)
    return int(value.scaleb(1))


def _placement(cells: dict[str, str], protected: bool) -> PlacementRow:
    terms = Cost({term: value for term in TERMS if (value := _tenths(cells[f"cost_{term}"]))})
    if terms.total != _tenths(cells["cost"]):
        raise ValueError("cost")
    others = [(cells[f"alternative_{i}"], cells[f"alternative_{i}_cost"]) for i in range(1, ALTERNATIVES + 1)]
    if any(cost and not name for name, cost in others):
        raise ValueError("alternative")
    return PlacementRow(
        household_id=cells["household_id"],
        accommodation_id=intern(cells["accommodation_id"]),
        site_id=intern(cells["site_id"]),
        place=intern(cells["place"]),
        persons=int(cells["persons"]),
        rooms=tuple(map(int, cells["rooms"].split())),
        status=intern(cells["status"]),
        km10=_tenths(cells["km"]),
        minutes=Decimal(cells["minutes"]) if cells["minutes"] else None,
        terms=terms,
        tie_km10=_tenths(cells["tie_km"]) if cells["tie_km"] else None,
        ties_kept=int(cells["ties_kept"]),
        alternatives=tuple(Alternative(intern(name), _tenths(cost)) for name, cost in others if name),
        changed_from=cells["changed_from"],
        protected=protected,
    )


def _unplaced(cells: dict[str, str]) -> UnplacedRow:
    persons, priority = (int(cells[name]) if cells[name] else None for name in ("persons", "priority"))
    words = (intern(cells[name]) for name in ("reason", "explanation", "remedy"))
    return UnplacedRow(cells["household_id"], persons, priority, *words)
