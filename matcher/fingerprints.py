"""What a run was told, as short digests by household, offer and column, so that two runs can be compared without keeping the data.

A fingerprint is text: `max_km=1f0a22c9 needs=03d4e8b1 ties=…`, one part for each column that is filled. Digests have 32 bits: enough to
see that something changed, and too short to stand for the value.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from matcher.columns import codes
from matcher.io.digest import canonical_text
from matcher.model import Accommodation, Household, Instance, Row
from matcher.policy import Policy, SolveOptions

Key = tuple[str, str]
"""(kind, id): `household` or `accommodation` and its id; `policy`, `options`, `travel`, `places` and nothing."""
_OF_HOUSEHOLDS = {"members": "members", "ties": "ties", "standing": "placements", "overrides": "overrides"}


def fingerprints(instance: Instance, policy: Policy, options: SolveOptions) -> dict[Key, str]:
    """The fingerprints of everything that a run was told, as delivered: decisions of the history are not among it."""
    parts: dict[Key, dict[str, str]] = defaultdict(dict)
    _rows(parts, "household", Household, instance.households, "household_id")
    _rows(parts, "accommodation", Accommodation, instance.accommodations, "accommodation_id")
    for field, sheet in _OF_HOUSEHOLDS.items():
        for household_id, lines in _by_household(getattr(instance, field)).items():
            parts["household", household_id][sheet] = _short("\n".join(sorted(lines)))
    for household_id in instance.left_out:
        parts["household", household_id]["quarantined"] = _short("left out")
    for accommodation_id in instance.closed:
        parts["accommodation", accommodation_id]["quarantined"] = _short("closed")
    for sheet in ("travel", "places"):
        rows: Sequence[Row] = getattr(instance, sheet)
        if rows:
            parts[sheet, ""][sheet] = _short("\n".join(canonical_text(row) for row in rows))
    parts["policy", ""] = {name: _short(text) for name, text in _flat(policy.plain())}
    told = options.model_dump(mode="json", exclude={"date", "warm_start", "isolate"})
    parts["options", ""] = {name: _short(text) for name, text in _flat(told)}
    return {key: " ".join(f"{name}={digest}" for name, digest in sorted(found.items())) for key, found in sorted(parts.items())}


def changed_parts(before: str | None, after: str | None) -> tuple[str, ...]:
    """Columns in which two fingerprints differ. `added` or `removed` where one of them is not there."""
    if before is None or after is None:
        return () if before == after else ("added",) if before is None else ("removed",)
    old, new = (dict(part.split("=", 1) for part in text.split()) for text in (before, after))
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _rows(parts: dict[Key, dict[str, str]], kind: str, model: type[Row], rows: Sequence[Row], id_field: str) -> None:
    """A part for each column of each row that is not at its default; each distinct value is digested once."""
    code, ids = codes(rows, id_field)
    names = [ids[k] for k in code.tolist()]
    for name in names:
        parts[kind, name] = {}
    for field, info in model.model_fields.items():
        if field == id_field:
            continue
        code, values = codes(rows, field)
        digests = [None if _is_default(value, info) else _short(canonical_text(value)) for value in values]
        column = _column(field)
        for name, k in zip(names, code.tolist(), strict=True):
            digest = digests[k]
            if digest is not None:
                parts[kind, name][column] = digest


def _is_default(value: Any, info: Any) -> bool:
    return value is None or (not info.is_required() and value == info.default)


def _column(field: str) -> str:
    """The column of the file, as people know it."""
    return {"spot": "place", "need_capacity": "capacity_NEED"}.get(field, field)


def _by_household(rows: Sequence[Row]) -> dict[str, list[str]]:
    """The lines of a table by the household they are about; a tie between two households is about both."""
    lines: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        text = canonical_text(row)
        lines[getattr(row, "household_id")].append(text)  # noqa: B009  (every row of these tables has one)
        other = getattr(row, "other_household_id", None)
        if other is not None:
            lines[other].append(text)
    return lines


def _flat(data: Mapping[str, Any], above: str = "") -> list[tuple[str, str]]:
    """Keys of nested tables as `unplaced.km`, with their values as text."""
    out: list[tuple[str, str]] = []
    for name, value in sorted(data.items()):
        if isinstance(value, Mapping):
            out += _flat(value, f"{above}{name}.")
        else:
            out.append((f"{above}{name}", repr(value)))
    return out


def _short(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
