"""Decisions as people write them: as words of a command, or as rows of a decisions.csv. Not yet held against anything."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from matcher.errors import Fault, InputError
from matcher.history.records import ACTIONS, Action, reasons_of
from matcher.io.cells import CellError, iso_date, shown
from matcher.io.codebook import clean
from matcher.io.tokens import RecordReader, is_blank

COLUMNS = ("action", "household_id", "accommodation_id", "reason", "by", "until", "decided_at")
_ALSO = {"household": "household_id", "accommodation": "accommodation_id", "decided_by": "by", "expires_at": "until"}
_REQUIRED = ("action", "reason", "by")
_NO_END = ("move-in", "move-out")


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision as somebody wrote it: not yet held against anything. line: in its file; 0 on the command line."""

    action: Action
    household_id: str | None
    accommodation_id: str | None
    reason: str
    by: str
    until: dt.date | None = None
    decided_at: dt.date | None = None
    line: int = 0

    @property
    def key(self) -> str:
        """The same for the same words, so that a file that is handed in again is not recorded again."""
        words = [self.action, self.household_id, self.accommodation_id, self.reason, self.by, self.until, self.decided_at]
        return hashlib.sha256(json.dumps(words, default=str, ensure_ascii=False).encode()).hexdigest()


def asked(
    action: str, household_id: str | None, accommodation_id: str | None, reason: str, by: str, until: dt.date | None,
    decided_at: dt.date | None = None, file: str = "decide", line: int = 0,
) -> Asked:  # fmt: skip
    """A decision from its words. Raises InputError that names every word at fault and lists the choices."""
    faults = []

    def fault(column: str, code: str, message: str) -> None:
        faults.append(Fault(file, line, column, code, message))

    verb = action.strip().casefold().replace("_", "-")
    if verb not in ACTIONS:
        fault("action", "unknown_word", f"{shown(action)} is none of {', '.join(ACTIONS)}")
        raise InputError(faults)
    known: Action = next(one for one in ACTIONS if one == verb)
    code = reason.strip().casefold()
    if code not in reasons_of(known):
        fault("reason", "unknown_word", f"{shown(reason)} is no reason for `{known}`; these are: {', '.join(reasons_of(known))}")
    if not by.strip():
        fault("by", "required", "fill `by` with a role or a code, not a name")
    if household_id is None and (known != "withdraw" or accommodation_id is None):
        fault("household_id", "required", "name the household" if known != "withdraw" else "name the accommodation, or who is offered it")
    if accommodation_id is not None and known == "park":
        fault("accommodation_id", "not_needed", "`park` is about the household alone")
    if until is not None and known in _NO_END:
        fault("until", "not_needed", f"`{known}` has no end")
    if faults:
        raise InputError(faults)
    return Asked(known, household_id, accommodation_id, code, by.strip(), until, decided_at, line)


def read_decisions(text: str, file: str = "decisions.csv") -> tuple[Asked, ...]:
    """The rows of a decisions.csv, decoded already. Raises InputError with every fault."""
    first = text.lstrip("\r\n").partition("\n")[0]
    reader = RecordReader(text, ";" if first.count(";") > first.count(",") else ",")
    header: tuple[str, ...] = ()
    while not reader.done and not header:
        record = reader.record()
        header = () if is_blank(record.cells) else tuple(_column(cell) for cell in record.cells)
    faults = _header_faults(header, file)
    if faults:
        raise InputError(faults)
    rows: list[Asked] = []
    while not reader.done:
        record = reader.record()
        if is_blank(record.cells):
            continue
        cells = [clean(cell, True) for cell in record.cells]
        if not rows and not faults and all(cell.startswith("#") for cell in cells if cell):
            continue  # HXL tags
        if record.problem or len(cells) != len(header):
            message = "the cells of this row cannot be told apart, or it has more or fewer of them than the header"
            faults.append(Fault(file, record.line, "", record.problem or "wrong_cell_count", message))
            continue
        try:
            rows.append(_row(dict(zip(header, cells, strict=True)), file, record.line))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return tuple(rows)


def _column(cell: str) -> str:
    name = cell.strip().strip("\ufeff").casefold()
    return _ALSO.get(name, name)


def _header_faults(header: Sequence[str], file: str) -> list[Fault]:
    if not header:
        return [Fault(file, 0, "", "empty_file", "the file is empty; it needs at least its header line")]
    faults = []
    missing = [name for name in _REQUIRED if name not in header]
    if missing:
        faults.append(Fault(file, 1, "", "missing_column", f"the header lacks {', '.join(f'`{name}`' for name in missing)}"))
    for name in COLUMNS:
        if header.count(name) > 1:
            faults.append(Fault(file, 1, name, "duplicate_column", "the header has this column more than once"))
    return faults


def _row(cells: dict[str, str], file: str, line: int) -> Asked:
    faults: list[Fault] = []

    def day(column: str) -> dt.date | None:
        text = cells.get(column, "")
        try:
            return iso_date(text) if text else None
        except CellError as error:
            faults.append(Fault(file, line, column, error.code, error.message))
            return None

    until, decided_at = day("until"), day("decided_at")
    words = [cells.get(name, "") for name in ("action", "household_id", "accommodation_id", "reason", "by")]
    try:
        made = asked(words[0], words[1] or None, words[2] or None, words[3], words[4], until, decided_at, file, line)
    except InputError as error:
        raise InputError([*faults, *error.faults]) from None
    if faults:
        raise InputError(faults)
    return made
