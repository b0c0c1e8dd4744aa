"""Runs of operations on assets, and the files that they made."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "operation_runs",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("asset_id", _BIG, nullable=False),
        sa.Column("operations", sa.Text, nullable=False),
        sa.Column("job_id", _BIG, nullable=True),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_operation_runs"),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["assets.id"], name="fk_operation_runs_asset_id_assets"
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_operation_runs_job_id_jobs"),
        sa.UniqueConstraint("asset_id", "operations", name="uq_operation_runs_asset_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "run_files",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("run_id", _BIG, nullable=False),
        sa.Column("asset_id", _BIG, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("content_type", sa.Text, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_run_files"),
        sa.ForeignKeyConstraint(
            ["run_id"], ["operation_runs.id"], name="fk_run_files_run_id_operation_runs"
        ),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_run_files_asset_id_assets"),
        sa.UniqueConstraint("run_id", "name", name="uq_run_files_run_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_files_asked_at", "run_files", ["asked_at"])
    op.create_index("ix_run_files_sha256", "run_files", ["sha256"])


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("run_files")
    op.drop_table("operation_runs")
