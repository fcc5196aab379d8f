"""Runs with their files and proposals, and decisions, to which rows are only ever added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NUMBER: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
APPEND_ONLY = "decisions are only ever added to"


def upgrade() -> None:
    """From an empty database."""
    op.create_table(
        "runs",
        sa.Column("id", WHOLE, primary_key=True, autoincrement=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("name", "date")),
        sa.Column("revision", WHOLE, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("outcome", "started_at")),
        sa.Column("finished_at", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("delivery", "input_sha256", "policy", "options", "versions")),
        sa.Column("status", sa.Text),
        sa.Column("strategy", sa.Text),
        sa.Column("cost", WHOLE),
        sa.Column("bound", WHOLE),
        sa.Column("gap", NUMBER),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("cost_terms", "counts", "timings")),
        sa.Column("decisions_upto", WHOLE, nullable=False),
        sa.Column("based_on", WHOLE),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("folder", "folder_sha256", "message")),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_date", "runs", ["date"])
    op.create_table(
        "run_files",
        sa.Column("run_id", WHOLE, sa.ForeignKey("runs.id", ondelete="CASCADE", name="fk_run_files_run_id"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("rows", WHOLE),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "name", name="pk_run_files"),
        sqlite_strict=True,
    )
    op.create_table(
        "proposals",
        sa.Column("run_id", WHOLE, sa.ForeignKey("runs.id", ondelete="CASCADE", name="fk_proposals_run_id"), primary_key=True),
        sa.Column("household_id", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("accommodation_id", "status", "rooms", "since")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("persons", "km10", "cost", "protected")),
        sa.PrimaryKeyConstraint("run_id", "household_id", name="pk_proposals"),
        sqlite_strict=True,
    )
    op.create_index("ix_proposals_household_id", "proposals", ["household_id"])
    op.create_table(
        "decisions",
        sa.Column("number", WHOLE, primary_key=True, autoincrement=True),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("household_id", sa.Text),
        sa.Column("accommodation_id", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("reason", "side", "decided_by", "decided_at")),
        sa.Column("valid_through", sa.Text),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("rooms", "source", "recorded_at", "key")),
        sa.PrimaryKeyConstraint("number", name="pk_decisions"),
        sa.UniqueConstraint("key", name="uq_decisions_key"),
        sqlite_strict=True,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_decisions_household_id", "decisions", ["household_id"])
    _guard(op.get_bind().dialect.name)


def _guard(dialect: str) -> None:
    """The database itself refuses to change a decision, or to delete one outside a purge."""
    if dialect == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER decisions_no_{verb.lower()} BEFORE {verb} ON decisions BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
            )
        return
    op.execute(f"CREATE FUNCTION decisions_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$")
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER decisions_no_{verb.lower()} BEFORE {verb} ON decisions FOR EACH ROW EXECUTE FUNCTION decisions_refuse()"
        )
