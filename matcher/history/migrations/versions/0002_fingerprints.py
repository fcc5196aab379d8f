"""What each run was told of every household and offer, as digests, so that `runs diff` can name the input that changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Runs recorded before have none; a difference from or to one of them cannot name its cause."""
    op.create_table(
        "fingerprints",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("first_run", WHOLE, primary_key=True),
        sa.Column("next_run", WHOLE),
        sa.Column("parts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "first_run", name="pk_fingerprints"),
        sqlite_strict=True,
    )
    op.create_index("ix_fingerprints_next_run", "fingerprints", ["next_run"])
