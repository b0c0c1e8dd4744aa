"""Masks that were painted over the spectra of assets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "masks",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("asset_id", _BIG, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_masks"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_masks_asset_id_assets"),
        sa.UniqueConstraint("asset_id", "sha256", name="uq_masks_asset_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_masks_sha256", "masks", ["sha256"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("masks")
