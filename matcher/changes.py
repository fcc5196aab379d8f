"""One change of an instance or its policy, as data: what a what-if asks for and what a remedy proposes.

Changes are applied to rows, so that whoever repeats one on the files gets the same instance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from matcher.errors import UsageError
from matcher.model import Accommodation, Household, Instance, Spot, Tie
from matcher.policy import Policy, policy_from_plain


@dataclass(frozen=True)
class SetPolicy:
    """Another value of one key of the policy. key: as `ties.weight`. value: plain data; numbers may be text."""

    key: str
    value: Any


@dataclass(frozen=True)
class CloseOffer:
    """An offer that is not open any more. Who stands there by an accepted placement or has moved in stays."""

    accommodation_id: str


@dataclass(frozen=True)
class AddOffer:
    """One more offer. Its id must be new."""

    offer: Accommodation


@dataclass(frozen=True)
class AddHousehold:
    """One more household. Its id must be new."""

    household: Household


@dataclass(frozen=True)
class ChangeHousehold:
    """Other values of some fields of a household."""

    household_id: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class ChangeTie:
    """Other values of some fields of a tie, told by its own row."""

    tie: Tie
    fields: Mapping[str, Any]


Change = SetPolicy | CloseOffer | AddOffer | AddHousehold | ChangeHousehold | ChangeTie

REMEDY_KINDS: tuple[str, ...] = ("arrives", "leaves", "max_km", "accepts", "wants", "tie", "avoids", "offer")
"""Kinds of remedies in the order in which they are tried."""


@dataclass(frozen=True)
class Remedy:
    """The smallest single change found that places a household and unplaces nobody, verified by solving the changed instance.

    kind: of REMEDY_KINDS. change: what to change; `before` what the changed field was, None where it was empty. question: it has
    to be asked of the family, not decided. accommodation_id: where it would be (the new offer's id for `offer`), None where that is
    not told. also_placed: persons of other households who get a place by it, too. moved: households that would move elsewhere.
    proved: the changed instance was solved to its optimum.
    """

    household_id: str
    kind: str
    change: Change
    before: Any = None
    question: bool = False
    accommodation_id: str | None = None
    also_placed: int = 0
    moved: int = 0
    proved: bool = True

    @property
    def option(self) -> tuple[str, str]:
        """The option of `matcher whatif` that shows it, and its value."""
        return as_option(self.change)


@dataclass(frozen=True)
class Remedies:
    """What was found for the households without a place. none: examined, and no change of the listed kinds helps. not_examined: the
    effort did not reach so far. Protected households, and those left out, stand in none of them."""

    found: Mapping[str, Remedy] = field(default_factory=dict)
    none: frozenset[str] = frozenset()
    not_examined: frozenset[str] = frozenset()


def apply(instance: Instance, policy: Policy, changes: Iterable[Change]) -> tuple[Instance, Policy]:
    """The changed instance and policy. Raises UsageError for ids that are not there or there already, InputError for a policy."""
    given: Iterable[object] = changes
    for change in given:
        if isinstance(change, SetPolicy):
            policy = _with_value(policy, change)
        elif isinstance(change, Change):
            instance = _changed(instance, change)
        else:
            raise UsageError(f"changes must be those of matcher.changes, such as CloseOffer, not {type(change).__name__}")
    return instance, policy


def _with_value(policy: Policy, change: SetPolicy) -> Policy:
    plain = policy.plain()
    *path, last = change.key.split(".")
    table: Any = plain
    for name in path:
        table = table.setdefault(name, {}) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        raise UsageError(f"there is no key {change.key!r} in a policy; see docs/model.md for all keys")
    table[last] = change.value
    return policy_from_plain(plain, "--set")


def _changed(instance: Instance, change: Change) -> Instance:
    if isinstance(change, CloseOffer):
        return _with_row(instance, "accommodations", "accommodation_id", change.accommodation_id, {"status": "closed"})
    if isinstance(change, ChangeHousehold):
        return _with_row(instance, "households", "household_id", change.household_id, change.fields)
    if isinstance(change, ChangeTie):
        ties = list(instance.ties)
        if change.tie not in ties:
            raise UsageError(f"{change.tie.household_id} has no such tie")
        ties[ties.index(change.tie)] = change.tie.model_copy(update=dict(change.fields))
        return instance.model_copy(update={"ties": tuple(ties), "sha256": ""})
    if isinstance(change, AddOffer):
        return _with_one_more(instance, "accommodations", "accommodation_id", change.offer)
    assert isinstance(change, AddHousehold)
    return _with_one_more(instance, "households", "household_id", change.household)


def _with_row(instance: Instance, rows: str, name: str, row_id: str, fields: Mapping[str, Any]) -> Instance:
    table = list(getattr(instance, rows))
    at = next((i for i, row in enumerate(table) if getattr(row, name) == row_id), None)
    if at is None:
        raise UsageError(f"{rows} has no {name} {row_id!r}")
    table[at] = table[at].model_copy(update=dict(fields))
    return instance.model_copy(update={rows: tuple(table), "sha256": ""})


def _with_one_more(instance: Instance, rows: str, name: str, row: Accommodation | Household) -> Instance:
    table, new = list(getattr(instance, rows)), getattr(row, name)
    if any(getattr(other, name) == new for other in table):
        raise UsageError(f"{rows} has the {name} {new!r} already; choose another one")
    table = sorted([*table, row], key=lambda each: str(getattr(each, name)))
    return instance.model_copy(update={rows: tuple(table), "sha256": ""})


def new_id(taken: Sequence[str] | Iterable[str], prefix: str = "NEW") -> str:
    """An id that is not taken: NEW-1, NEW-2 …"""
    known, number = set(taken), 1
    while f"{prefix}-{number}" in known:
        number += 1
    return f"{prefix}-{number}"


def as_option(change: Change) -> tuple[str, str]:
    """The option of `matcher whatif` that makes the change, and its value."""
    if isinstance(change, SetPolicy):
        return "--set", f"{change.key}={change.value}"
    if isinstance(change, CloseOffer):
        return "--close", change.accommodation_id
    if isinstance(change, ChangeHousehold):
        return "--change-household", _pairs({"household_id": change.household_id, **change.fields})
    if isinstance(change, ChangeTie):
        row = change.tie
        target: dict[str, Any] = {"other_household_id": row.other_household_id}
        if row.other_household_id is None:
            target = {"accommodation_id": row.accommodation_id} if row.spot is None else {"place": row.spot}
        return "--change-tie", _pairs({"household_id": row.household_id, **target, **change.fields})
    if isinstance(change, AddOffer):
        return "--add-offer", _pairs(_told(change.offer, Accommodation))
    return "--add-household", _pairs(_told(change.household, Household))


def _told(row: Accommodation | Household, model: type[Accommodation | Household]) -> dict[str, Any]:
    """The fields of a row that are not the model's defaults. `shared` always: its default depends on the kind."""
    out = {}
    for name, about in model.model_fields.items():
        value = getattr(row, name)
        if name == "need_capacity":
            out.update({f"capacity_{word}": limit for word, limit in value})
        elif name == "shared" or about.is_required() or value != about.default:
            out[name] = value
    return out


def _pairs(fields: Mapping[str, Any]) -> str:
    parts = []
    for name, value in fields.items():
        if name in ("spot", "place") and isinstance(value, Spot):
            parts += _place(value)
        else:
            parts.append(f"{name}={cell(value)}")
    return ",".join(parts)


def _place(spot: Spot) -> list[str]:
    """A spot as cells that lead to it again."""
    kind, _, key = (spot.key or "").partition(":")
    if kind in ("katottg", "place"):
        return [f"place={key}"]
    return [f"lat={spot.lat!r}", f"lon={spot.lon!r}"]


def cell(value: Any) -> str:
    """A value as the text of a CSV cell."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, frozenset | tuple | list):
        return " ".join(sorted(map(str, value)) if isinstance(value, frozenset) else map(str, value))
    return str(value)
