"""The tables of the history, for SQLite (STRICT) and PostgreSQL alike.

STRICT tables know INTEGER, REAL, TEXT and BLOB alone, so dates, instants and plain data stand there as text: ISO 8601 and JSON.
The migrations in `migrations/versions` make these tables; a test holds the two against each other.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.types import TypeEngine

WHOLE = BigInteger().with_variant(Integer(), "sqlite")
NUMBER: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")


class Day(TypeDecorator[dt.date]):
    """A date as `2026-11-22`, which sorts as it should."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.date | None:  # noqa: ARG002
        return None if value is None else dt.date.fromisoformat(value)


class Instant(TypeDecorator[dt.datetime]):
    """An instant in UTC, to the microsecond, as `2026-11-22T01:02:03.000004Z`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        return None if value is None else dt.datetime.fromisoformat(value)


class Plain(TypeDecorator[Any]):
    """Plain data as JSON with sorted keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


class Beds(TypeDecorator[tuple[int, ...]]):
    """Sizes of rooms, as in placements.csv: `2 2 4`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[int, ...] | None, dialect: Dialect) -> str:  # noqa: ARG002
        return " ".join(map(str, value or ()))

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[int, ...]:  # noqa: ARG002
        return tuple(map(int, (value or "").split()))


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
STRICT: dict[str, Any] = {"sqlite_strict": True}
COUNTED: dict[str, Any] = {"sqlite_strict": True, "sqlite_autoincrement": True}  # a number is never given twice, after a purge neither

runs = Table(
    "runs",
    metadata,
    Column("id", WHOLE, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("date", Day, nullable=False),
    Column("revision", WHOLE, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("delivery", Text, nullable=False),
    Column("input_sha256", Text, nullable=False),
    Column("policy", Plain, nullable=False),
    Column("options", Plain, nullable=False),
    Column("versions", Plain, nullable=False),
    Column("status", Text),
    Column("strategy", Text),
    Column("cost", WHOLE),
    Column("bound", WHOLE),
    Column("gap", NUMBER),
    Column("cost_terms", Plain, nullable=False),
    Column("counts", Plain, nullable=False),
    Column("timings", Plain, nullable=False),
    Column("decisions_upto", WHOLE, nullable=False),
    Column("based_on", WHOLE),
    Column("folder", Text, nullable=False),
    Column("folder_sha256", Text, nullable=False),
    Column("message", Text, nullable=False),
    Index("ix_runs_date", "date"),
    **COUNTED,
)
run_files = Table(
    "run_files",
    metadata,
    Column("run_id", WHOLE, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("size", WHOLE, nullable=False),
    Column("rows", WHOLE),
    Column("sha256", Text, nullable=False),
    **STRICT,
)
proposals = Table(
    "proposals",
    metadata,
    Column("run_id", WHOLE, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("household_id", Text, primary_key=True),
    Column("accommodation_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("rooms", Beds, nullable=False),
    Column("since", Day, nullable=False),
    Column("persons", WHOLE, nullable=False),
    Column("km10", WHOLE, nullable=False),
    Column("cost", WHOLE, nullable=False),
    Column("protected", WHOLE, nullable=False),
    Index("ix_proposals_household_id", "household_id"),
    **STRICT,
)
decisions = Table(
    "decisions",
    metadata,
    Column("number", WHOLE, primary_key=True, autoincrement=True),
    Column("action", Text, nullable=False),
    Column("household_id", Text),
    Column("accommodation_id", Text),
    Column("reason", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Day, nullable=False),
    Column("valid_through", Day),
    Column("rooms", Beds, nullable=False),
    Column("source", Text, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("key", Text, nullable=False),
    UniqueConstraint("key"),
    Index("ix_decisions_household_id", "household_id"),
    **COUNTED,
)
fingerprints = Table(
    "fingerprints",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("first_run", WHOLE, primary_key=True),
    Column("next_run", WHOLE),
    Column("parts", Text, nullable=False),
    Index("ix_fingerprints_next_run", "next_run"),
    **STRICT,
)
"""What a run was told of a household or an offer, as digests by column: from `first_run` until before `next_run` (NULL: still)."""
