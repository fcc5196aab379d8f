"""Results as pandas data frames. A result of a bare problem has none: UsageError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matcher.doors import takes
from matcher.errors import InputError
from matcher.io.frames_out import frame
from matcher.model import Instance
from matcher.result import LEFT_OUT_REASONS, TERMS, PlacementRow, Result, of_instance

if TYPE_CHECKING:
    from matcher.io.frames_out import DataFrame


@takes(result=Result)
def placements_frame(result: Result, *, protected: bool = False) -> DataFrame:
    """Placements, one row a household, indexed by nothing; costs in person-km, distances in km.

    protected: also the destinations of protected households, which are left out by default.
    """
    of_instance(result)
    rows = [_plain(row) for row in result.placements if protected or not row.protected]
    columns = [
        "household_id", "accommodation_id", "site_id", "place", "persons", "rooms", "status", "km", "minutes", "cost",
        *(f"cost_{term}" for term in TERMS), "tie_km", "ties_kept", "changed_from",
    ]  # fmt: skip
    return frame(columns, rows)


def _plain(row: PlacementRow) -> dict[str, Any]:
    return {
        "household_id": row.household_id,
        "accommodation_id": row.accommodation_id,
        "site_id": row.site_id,
        "place": row.place,
        "persons": row.persons,
        "rooms": " ".join(map(str, row.rooms)),
        "status": row.status,
        "km": row.km10 / 10,
        "minutes": None if row.minutes is None else float(row.minutes),
        "cost": row.terms.total / 10,
        **{f"cost_{term}": row.terms[term] / 10 for term in TERMS},
        "tie_km": None if row.tie_km10 is None else row.tie_km10 / 10,
        "ties_kept": row.ties_kept,
        "changed_from": row.changed_from,
    }


@takes(result=Result)
def unplaced_frame(result: Result) -> DataFrame:
    """Everybody without a place, one row a household; `left_out` tells who was not part of the match at all."""
    of_instance(result)
    rows = [
        {
            "household_id": row.household_id,
            "persons": row.persons,
            "priority": row.priority,
            "reason": row.reason,
            "explanation": row.explanation,
            "left_out": row.reason in LEFT_OUT_REASONS,
        }
        for row in result.unplaced
    ]
    return frame(("household_id", "persons", "priority", "reason", "explanation", "left_out"), rows)


@takes(result=Result)
def alternatives_frame(result: Result) -> DataFrame:
    """The next best offers, one row a household and offer, best first. added_cost: person-km that moving there would add, all else as it
    is. Protected households are left out."""
    of_instance(result)
    rows = [
        {"household_id": row.household_id, "rank": rank, "accommodation_id": other.accommodation_id, "added_cost": other.added_cost / 10}
        for row in result.placements
        if not row.protected
        for rank, other in enumerate(row.alternatives, 1)
    ]
    return frame(("household_id", "rank", "accommodation_id", "added_cost"), rows)


@takes(error=InputError)
def faults_frame(error: InputError) -> DataFrame:
    """The faults of an InputError, one row each: file (or the frame's name), line (1-based, in the file, or row of the frame; 0: the whole
    of it), column, code, message."""
    columns = ("file", "line", "column", "code", "message")
    return frame(columns, [{name: getattr(fault, name) for name in columns} for fault in error.faults])


@takes(instance=Instance)
def quarantined_frame(instance: Instance) -> DataFrame:
    """Rows that were set aside (`quarantine=True`), one row a fault, as in quarantined.csv."""
    rows = [
        {"file": row.file, "line": row.line, "id": row.id, "column": fault.column, "code": fault.code, "message": fault.message}
        for row in instance.set_aside
        for fault in row.faults
    ]
    return frame(("file", "line", "id", "column", "code", "message"), rows)
