"""The tables of the catalogue, of product images, and of jobs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_MOMENT = sa.DateTime(timezone=True)

_TABLES = ("tenants", "api_keys", "assets", "product_images", "jobs", "poison_jobs")
_RESULTS = ("renditions", "artifacts")


def upgrade() -> None:
    """Create the tables, each after those that it refers to."""
    _create(
        "tenants",
        _required("name", sa.Text),
        _required("created_at", _MOMENT),
        _unique("tenants", "name"),
    )
    _create(
        "api_keys",
        _optional("tenant_id", _BIG),
        _required("label", sa.Text),
        _required("digest", sa.String(64)),
        _required("created_at", _MOMENT),
        _optional("revoked_at", _MOMENT),
        _reference("api_keys", "tenant_id", "tenants"),
        _unique("api_keys", "digest"),
    )
    _create(
        "assets",
        _required("tenant_id", _BIG),
        _required("content_hash", sa.String(64)),
        _required("name", sa.Text),
        _required("content_type", sa.Text),
        _required("bytes", sa.BigInteger),
        _optional("format", sa.Text),
        _optional("width", sa.Integer),
        _optional("height", sa.Integer),
        _required("created_at", _MOMENT),
        _reference("assets", "tenant_id", "tenants"),
        _unique("assets", "tenant_id", "content_hash"),
    )
    op.create_index("ix_assets_content_hash", "assets", ["content_hash"])
    _create(
        "product_images",
        _optional("tenant_id", _BIG),
        _required("product_id", sa.Text),
        _required("mode", sa.Text),
        _required("path", sa.Text),
        _required("state", sa.Text),
        _optional("width", sa.Integer),
        _optional("height", sa.Integer),
        _optional("bytes", sa.BigInteger),
        _required("created_at", _MOMENT),
        _optional("error_code", sa.Text),
        _optional("error_message", sa.Text),
        _reference("product_images", "tenant_id", "tenants"),
        _unique("product_images", "path"),
        _check("product_images", "mode", "mode IN ('manual', 'smart')"),
        _check("product_images", "state", "state IN ('waiting', 'ready', 'failed')"),
    )
    _create(
        "jobs",
        _required("kind", sa.Text),
        _optional("asset_id", _BIG),
        _optional("image_id", _BIG),
        _required("payload", sa.JSON),
        _required("state", sa.Text),
        _required("attempts", sa.Integer),
        _required("due_at", _MOMENT),
        _optional("lease_until", _MOMENT),
        _optional("worker", sa.Text),
        _required("created_at", _MOMENT),
        _optional("started_at", _MOMENT),
        _optional("finished_at", _MOMENT),
        _optional("error_code", sa.Text),
        _optional("error_message", sa.Text),
        _reference("jobs", "asset_id", "assets"),
        _reference("jobs", "image_id", "product_images"),
        _check("jobs", "state", "state IN ('queued', 'running', 'done', 'failed')"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state", "due_at", "id"])
    op.create_index("ix_jobs_asset_id", "jobs", ["asset_id"])
    op.create_index("ix_jobs_image_id", "jobs", ["image_id"])
    _create(
        "poison_jobs",
        _required("job_id", _BIG),
        _required("kind", sa.Text),
        _required("reason_code", sa.Text),
        _required("reason", sa.Text),
        _required("attempts", sa.Integer),
        _required("created_at", _MOMENT),
        _optional("redriven_at", _MOMENT),
        _reference("poison_jobs", "job_id", "jobs"),
    )
    op.create_index("ix_poison_jobs_job_id", "poison_jobs", ["job_id"])
    _create(
        "renditions",
        _required("asset_id", _BIG),
        _required("preset", sa.Text),
        _required("format", sa.Text),
        _required("content_type", sa.Text),
        _required("width", sa.Integer),
        _required("height", sa.Integer),
        _required("bytes", sa.BigInteger),
        _required("sha256", sa.String(64)),
        _required("created_at", _MOMENT),
        _required("asked_at", _MOMENT),
        _reference("renditions", "asset_id", "assets"),
        _unique("renditions", "asset_id", "preset", "format"),
    )
    _create(
        "artifacts",
        _required("asset_id", _BIG),
        _required("kind", sa.Text),
        _required("recipe", sa.Text),
        _required("name", sa.Text),
        _required("content_type", sa.Text),
        _required("bytes", sa.BigInteger),
        _required("sha256", sa.String(64)),
        _required("created_at", _MOMENT),
        _required("asked_at", _MOMENT),
        _reference("artifacts", "asset_id", "assets"),
        _unique("artifacts", "asset_id", "kind", "recipe"),
    )
    for name in _RESULTS:
        op.create_index(f"ix_{name}_asked_at", name, ["asked_at"])
        op.create_index(f"ix_{name}_sha256", name, ["sha256"])


def downgrade() -> None:
    """Drop the tables, each before those that it refers to."""
    for name in (*_RESULTS, *reversed(_TABLES)):
        op.drop_table(name)


def _create(name: str, *items: sa.Column[Any] | sa.Constraint) -> None:
    key = sa.Column("id", _BIG, autoincrement=True, nullable=False)
    primary = sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
    op.create_table(name, key, *items, primary, sqlite_autoincrement=True)


def _required(name: str, kind: sa.types.TypeEngine[Any] | type) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any] | type) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=True)


def _reference(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=f"uq_{table}_{columns[0]}")


def _check(table: str, name: str, rule: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(rule, name=f"ck_{table}_{name}")
