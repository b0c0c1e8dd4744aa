"""The tables of the database. Migrations create them; a test compares the two.

Ids are integers. Times are aware and in UTC, on every database. Sizes are in bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

QUEUED, RUNNING, DONE, FAILED = STATES = ("queued", "running", "done", "failed")
"""States of a job."""

WAITING, READY = "waiting", "ready"
IMAGE_STATES = (WAITING, READY, FAILED)
"""States of a product image."""

MODES = ("manual", "smart")

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # counts up by itself on both
SHA256 = sa.String(64)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware time in UTC; SQLite would forget the time zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Refuse a time without a time zone, which might be meant in any."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"{value}: has no time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002
        """Return a time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _table(name: str, *items: sa.Column[Any] | sa.Constraint | sa.Index) -> sa.Table:
    """A table whose ids are never used a second time, not even by SQLite."""
    key = sa.Column("id", BIG, primary_key=True, autoincrement=True)
    return sa.Table(name, METADATA, key, *items, sqlite_autoincrement=True)


def _required(name: str, kind: sa.types.TypeEngine[Any] | type, *more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *more, nullable=False)


def _optional(name: str, kind: sa.types.TypeEngine[Any] | type, *more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, *more, nullable=True)


def _one_of(name: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN {values}", name=name)


TENANTS = _table(
    "tenants",
    _required("name", sa.Text),
    _required("created_at", Moment),
    sa.UniqueConstraint("name"),
)

API_KEYS = _table(
    "api_keys",
    _optional("tenant_id", BIG, sa.ForeignKey("tenants.id")),  # None: an administrator's
    _required("label", sa.Text),
    _required("digest", sa.String(64)),
    _required("created_at", Moment),
    _optional("revoked_at", Moment),
    sa.UniqueConstraint("digest"),
)

SESSIONS = _table(
    "sessions",
    _required("key_id", BIG, sa.ForeignKey("api_keys.id")),
    _required("digest", sa.String(64)),
    _required("created_at", Moment),
    _required("seen_at", Moment),
    sa.UniqueConstraint("digest"),
)

ASSETS = _table(
    "assets",
    _required("tenant_id", BIG, sa.ForeignKey("tenants.id")),
    _required("content_hash", SHA256),
    _required("name", sa.Text),
    _required("content_type", sa.Text),
    _required("bytes", sa.BigInteger),
    # None until the job has read the image.
    _optional("format", sa.Text),
    _optional("width", sa.Integer),
    _optional("height", sa.Integer),
    _required("created_at", Moment),
    sa.UniqueConstraint("tenant_id", "content_hash"),
    sa.Index("ix_assets_content_hash", "content_hash"),
)

MEASURES = _table(
    "measures",
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    # None where the record has none.
    _optional("slope", sa.Float),
    _optional("sharpness", sa.Float),  # variance of the Laplacian
    _optional("period", sa.Float),  # of the most prominent wave, in pixels
    _optional("angle", sa.Float),  # of the same, in degrees
    sa.UniqueConstraint("asset_id"),
)

MASKS = _table(
    "masks",
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    _required("sha256", SHA256),
    _required("bytes", sa.BigInteger),
    _required("created_at", Moment),
    sa.UniqueConstraint("asset_id", "sha256"),
    sa.Index("ix_masks_sha256", "sha256"),
)

PRODUCT_IMAGES = _table(
    "product_images",
    _optional("tenant_id", BIG, sa.ForeignKey("tenants.id")),
    _required("product_id", sa.Text),
    _required("mode", sa.Text),
    _required("path", sa.Text),  # relative to the folder of results
    _required("state", sa.Text),
    _optional("width", sa.Integer),
    _optional("height", sa.Integer),
    _optional("bytes", sa.BigInteger),
    _required("created_at", Moment),
    _optional("error_code", sa.Text),
    _optional("error_message", sa.Text),
    sa.UniqueConstraint("path"),
    _one_of("mode", "mode", MODES),
    _one_of("state", "state", IMAGE_STATES),
)

JOBS = _table(
    "jobs",
    _required("kind", sa.Text),
    _optional("asset_id", BIG, sa.ForeignKey("assets.id")),
    _optional("image_id", BIG, sa.ForeignKey("product_images.id")),
    _required("payload", sa.JSON),
    _required("state", sa.Text),
    _required("attempts", sa.Integer),
    _required("due_at", Moment),
    _optional("lease_until", Moment),
    _optional("worker", sa.Text),
    _required("created_at", Moment),
    _optional("started_at", Moment),
    _optional("finished_at", Moment),
    _optional("error_code", sa.Text),
    _optional("error_message", sa.Text),
    sa.Index("ix_jobs_state", "state", "due_at", "id"),
    sa.Index("ix_jobs_asset_id", "asset_id"),
    sa.Index("ix_jobs_image_id", "image_id"),
    _one_of("state", "state", STATES),
)

OPERATION_RUNS = _table(
    "operation_runs",
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    _required("operations", sa.Text),  # canonical text
    _optional("job_id", BIG, sa.ForeignKey("jobs.id")),  # the latest; None while it is being added
    _required("progress", sa.JSON),
    _required("created_at", Moment),
    sa.UniqueConstraint("asset_id", "operations"),
)

RUN_FILES = _table(
    "run_files",
    _required("run_id", BIG, sa.ForeignKey("operation_runs.id")),
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    _required("name", sa.Text),  # relative to the manifest
    _required("role", sa.Text),
    _required("content_type", sa.Text),
    _required("bytes", sa.BigInteger),
    _required("sha256", SHA256),
    _required("created_at", Moment),
    _required("asked_at", Moment),
    sa.UniqueConstraint("run_id", "name"),
    sa.Index("ix_run_files_asked_at", "asked_at"),
    sa.Index("ix_run_files_sha256", "sha256"),
)

POISON_JOBS = _table(
    "poison_jobs",
    _required("job_id", BIG, sa.ForeignKey("jobs.id")),
    _required("kind", sa.Text),
    _required("reason_code", sa.Text),
    _required("reason", sa.Text),
    _required("attempts", sa.Integer),
    _required("created_at", Moment),
    _optional("redriven_at", Moment),
    sa.Index("ix_poison_jobs_job_id", "job_id"),
)

RENDITIONS = _table(
    "renditions",
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    _required("preset", sa.Text),
    _required("format", sa.Text),
    _required("content_type", sa.Text),
    _required("width", sa.Integer),
    _required("height", sa.Integer),
    _required("bytes", sa.BigInteger),
    _required("sha256", SHA256),
    _required("created_at", Moment),
    _required("asked_at", Moment),
    sa.UniqueConstraint("asset_id", "preset", "format"),
    sa.Index("ix_renditions_asked_at", "asked_at"),
    sa.Index("ix_renditions_sha256", "sha256"),
)

ARTIFACTS = _table(
    "artifacts",
    _required("asset_id", BIG, sa.ForeignKey("assets.id")),
    _required("kind", sa.Text),
    _required("recipe", sa.Text),  # canonical text
    _required("name", sa.Text),
    _required("content_type", sa.Text),
    _required("bytes", sa.BigInteger),
    _required("sha256", SHA256),
    _required("created_at", Moment),
    _required("asked_at", Moment),
    sa.UniqueConstraint("asset_id", "kind", "recipe"),
    sa.Index("ix_artifacts_asked_at", "asked_at"),
    sa.Index("ix_artifacts_sha256", "sha256"),
)
