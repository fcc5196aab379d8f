"""What the history holds, as plain data: runs, proposals and decisions. No database here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Outcome = Literal["running", "published", "refused", "failed", "crashed"]
OUTCOMES: tuple[Outcome, ...] = ("running", "published", "refused", "failed", "crashed")
Action = Literal["accept", "decline", "move-in", "move-out", "withdraw", "park"]
Side = Literal["household", "host", "office"]
State = Literal["waiting", "proposed", "accepted", "moved_in"]

REASONS: Mapping[Action, Mapping[str, Side]] = {
    "accept": {"agreed": "household", "agreed_by_phone": "household", "agreed_in_person": "household", "agreed_by_carer": "household"},
    "decline": {
        "too_far": "household",
        "too_small": "household",
        "not_accessible": "household",
        "away_from_family": "household",
        "no_school": "household",
        "no_work": "household",
        "no_treatment": "household",
        "too_expensive": "household",
        "pets": "household",
        "unsafe": "household",
        "found_other": "household",
        "goes_home": "household",
        "changed_mind": "household",
        "no_answer": "household",
        "host_changed_mind": "host",
        "host_not_suitable": "host",
        "host_let_to_other": "host",
        "host_too_many": "host",
        "host_pets": "host",
        "host_no_answer": "host",
    },
    "move-in": {"arrived": "household"},
    "move-out": {
        "left": "household",
        "went_home": "household",
        "found_other": "household",
        "moved_on": "household",
        "conflict": "household",
        "died": "household",
        "host_ended": "host",
        "unsafe": "office",
    },
    "withdraw": {
        "host_changed_mind": "host",
        "host_let_to_other": "host",
        "host_needs_it": "host",
        "host_no_answer": "host",
        "host_ill": "host",
        "repairs": "host",
        "damaged": "host",
        "unsafe": "office",
        "not_vetted": "office",
    },
    "park": {
        "in_hospital": "household",
        "asked_to_wait": "household",
        "travelling": "household",
        "unreachable": "household",
        "documents": "office",
        "being_checked": "office",
    },
}
"""The codes of each action, and whose word it is. `other`, `host_other` and `office_other` go with every action."""
OTHERS: Mapping[str, Side] = {"other": "household", "host_other": "host", "office_other": "office"}
ACTIONS: tuple[Action, ...] = tuple(REASONS)


def reasons_of(action: Action) -> Mapping[str, Side]:
    """Every reason code that goes with an action, and whose word it is."""
    return {**REASONS[action], **OTHERS}


@dataclass(frozen=True, slots=True)
class FileSum:
    """A file that a run read: bytes, rows (None where they were not counted), SHA-256 in hexadecimal."""

    size: int
    rows: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run, as it was recorded. Costs in 1/10 person-km; instants in UTC.

    id: number in this database, ascending in the order of recording. name: service date, and from the second published result
    of a date on its revision: `2026-11-22.2`. What is not known (a run that was refused has no cost) is None or empty.
    delivery: name of the folder in the inbox. status: optimal, feasible, fallback. decisions_upto: number of the last decision
    that the run knew; based_on: id of the published run whose proposals it began from. folder, folder_sha256: what it published.
    message: one sentence, for refused, failed and crashed runs.
    """

    id: int
    name: str
    date: dt.date
    revision: int
    outcome: Outcome
    started_at: dt.datetime
    finished_at: dt.datetime | None = None
    delivery: str = ""
    input_sha256: str = ""
    files: Mapping[str, FileSum] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    strategy: str | None = None
    cost: int | None = None
    bound: int | None = None
    gap: float | None = None
    cost_terms: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, Any] = field(default_factory=dict)
    timings: Mapping[str, float] = field(default_factory=dict)
    decisions_upto: int = 0
    based_on: int | None = None
    folder: str = ""
    folder_sha256: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A placement of a run: a proposal, or what stood already (`accepted`, `moved_in`).

    rooms: beds of the rooms taken, as in placements.csv. since: the first date from which on it was proposed every time.
    km10: tenths of a km. cost: 1/10 person-km. protected: nothing of it may be shown but the household's id.
    """

    household_id: str
    accommodation_id: str
    status: str
    rooms: tuple[int, ...]
    since: dt.date
    persons: int
    km10: int
    cost: int
    protected: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided. Never changed and never taken back: a later one counts more.

    number: ascending in the order of recording, 0 for one not recorded yet. household_id: None for a withdrawal that names the
    offer alone. accommodation_id: None for `park`. until: valid through that day. by: a role or a code, never a name.
    decided_at: the day. rooms: of an accepted proposal, as it was proposed. source: `command`, or the file it came from.
    """

    action: Action
    household_id: str | None
    accommodation_id: str | None
    reason: str
    side: Side
    by: str
    decided_at: dt.date
    until: dt.date | None = None
    rooms: tuple[int, ...] = ()
    source: str = "command"
    number: int = 0
    recorded_at: dt.datetime | None = None
    key: str = ""
