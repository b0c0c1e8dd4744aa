"""The table of batch statistics, and a view of each job's latest revision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_LATEST = """
CREATE VIEW latest_batch_stats AS
SELECT * FROM batch_stats AS s
WHERE s.revision = (SELECT max(revision) FROM batch_stats WHERE job_id = s.job_id)
"""


def upgrade() -> None:
    """Create table and view."""
    op.create_table(
        "batch_stats",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("batch_id", sa.Integer, nullable=False),
        sa.Column("color", sa.String(5), nullable=False),
        sa.Column("avg_pixels", sa.Double, nullable=True),
        sa.Column("std_pixels", sa.Double, nullable=True),
        sa.Column("min_pixels", sa.BigInteger, nullable=True),
        sa.Column("max_pixels", sa.BigInteger, nullable=True),
        sa.Column("images", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_prefix", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batch_stats"),
        sa.UniqueConstraint(
            "job_id", "revision", "batch_id", "color", name="uq_batch_stats_of_revision"
        ),
        sa.CheckConstraint("color IN ('black', 'white')", name="ck_batch_stats_color"),
    )
    op.execute(_LATEST)


def downgrade() -> None:
    """Drop view and table."""
    op.execute("DROP VIEW latest_batch_stats")
    op.drop_table("batch_stats")
