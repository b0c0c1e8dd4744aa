"""What the records of assets say, by which the gallery is searched and sorted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; it is filled when an asset is analysed."""
    op.create_table(
        "measures",
        sa.Column("id", _BIG, autoincrement=True, nullable=False),
        sa.Column("asset_id", _BIG, nullable=False),
        sa.Column("slope", sa.Float),
        sa.Column("sharpness", sa.Float),
        sa.Column("period", sa.Float),
        sa.Column("angle", sa.Float),
        sa.PrimaryKeyConstraint("id", name="pk_measures"),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.id"], name="fk_measures_asset_id_assets"),
        sa.UniqueConstraint("asset_id", name="uq_measures_asset_id"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("measures")
