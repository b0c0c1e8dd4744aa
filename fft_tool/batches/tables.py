"""The table of the database. Its columns are the fields of a row; migrations create it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fft_tool.batches.rows import COLUMNS, Row

METADATA = sa.MetaData()

_TYPES: dict[type, type[sa.types.TypeEngine[Any]]] = {
    str: sa.Text,
    int: sa.Integer,
    float: sa.Double,
}
_OWN_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "id": sa.String(32),
    "color": sa.String(5),
    "min_pixels": sa.BigInteger(),
    "max_pixels": sa.BigInteger(),
    "created_at": sa.DateTime(timezone=True),
}
_OPTIONAL = ("avg_pixels", "std_pixels", "min_pixels", "max_pixels")

UNIQUE = ("job_id", "revision", "batch_id", "color")

BATCH_STATS = sa.Table(
    "batch_stats",
    METADATA,
    *(
        sa.Column(
            column.name,
            _OWN_TYPES.get(column.name) or _TYPES[column.type](),
            nullable=column.name in _OPTIONAL,
        )
        for column in COLUMNS
    ),
    sa.PrimaryKeyConstraint("id", name="pk_batch_stats"),
    sa.UniqueConstraint(*UNIQUE, name="uq_batch_stats_of_revision"),
    sa.CheckConstraint("color IN ('black', 'white')", name="ck_batch_stats_color"),
)


def values_of(row: Row) -> dict[str, Any]:
    """Values of a row for the table; times are no longer texts."""
    return {**row.to_json(), "created_at": datetime.fromisoformat(row.created_at)}


def row_of(values: Mapping[str, Any]) -> Row:
    """Row of the table's values; its time is a text again."""
    return Row(**{**values, "created_at": text_of(values["created_at"])})


def text_of(moment: datetime) -> str:
    """A time of the table, ISO 8601 in UTC; SQLite forgets the time zone."""
    known = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return known.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
