"""Assets: the images that tenants have uploaded, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from fft_tool.results.outputs import Source
from service.catalogue.kept import Kept
from service.database.engine import Session
from service.database.rows import insert_once
from service.database.tables import (
    ARTIFACTS,
    ASSETS,
    FAILED,
    JOBS,
    QUEUED,
    RENDITIONS,
    TENANTS,
)
from service.errors import NotHere
from service.incoming import format_of
from service.jobs.table import enqueue, redrive
from service.parts import Parts
from service.references import BlobFile, keeping

KIND = "asset"
"""Kind of the job that makes the renditions and the analysis of an asset."""

MEDIA_TYPES = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "avif": "image/avif",
    "pnm": "image/x-portable-anymap",
    "npy": "application/x-npy",
}
"""Media types of the formats that are accepted, whatever the client says."""

Entry = TypeVar("Entry", "RenditionEntry", "ArtifactEntry")


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What became of an upload: the asset, the state of its job, and the SHA-256 of its bytes."""

    asset_id: int
    status: str
    content_hash: str
    job_id: int


@dataclass(frozen=True, slots=True)
class AssetJob:
    """The job of an asset: its state, the attempts that have begun, and why the last one failed."""

    job_id: int
    state: str
    attempts: int
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class RenditionEntry:
    """A rendition that is kept; sizes in pixels and bytes."""

    preset: str
    format: str
    content_type: str
    width: int
    height: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ArtifactEntry:
    """An artifact that is kept, and the recipe that it was made by."""

    kind: str
    recipe: str
    name: str
    content_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Asset:
    """An asset, and what there is of it. ``width`` and ``height`` are None until it was read."""

    asset_id: int
    tenant_name: str
    name: str
    content_hash: str
    content_type: str
    bytes: int
    format: str
    width: int | None
    height: int | None
    created_at: datetime
    job: AssetJob
    renditions: tuple[RenditionEntry, ...]
    artifacts: tuple[ArtifactEntry, ...]


def upload(parts: Parts, tenant: str, name: str, path: Path, sha256: str) -> Uploaded:
    """Take an image of a tenant, and queue the job that makes its renditions and its analysis.

    The same bytes from the same tenant give the same asset and the same job, also when they are
    sent at the same moment; a job that has failed is queued again. Only the first bytes are looked
    at here: whether they begin an image of a format that is accepted. ``sha256`` is the hash of the
    file, which may be deleted afterwards, but not changed.

    Raises :class:`~fft_tool.errors.UnknownFormat`, :class:`~fft_tool.errors.EmptyImage` or
    :class:`~fft_tool.errors.TooManyBytes`.
    """
    image_format = format_of(path, parts.settings.limits)
    now = parts.clock.now()
    blob = BlobFile(path, sha256, MEDIA_TYPES[image_format])
    with keeping(parts, blob) as session:
        row = {"name": tenant, "created_at": now}
        tenant_id, _ = insert_once(session, TENANTS, ["name"], row)
        values = {
            "tenant_id": tenant_id,
            "content_hash": blob.sha256,
            "name": name or f"image.{image_format}",
            "content_type": blob.content_type,
            "bytes": path.stat().st_size,
            "format": image_format,
            "created_at": now,
        }
        asset_id, added = insert_once(session, ASSETS, ["tenant_id", "content_hash"], values)
        if added:
            job_id, state = enqueue(session, KIND, {}, now=now, asset_id=asset_id), QUEUED
        else:
            job = _job_of(session, asset_id)
            job_id, state = job.job_id, job.state
        if state == FAILED and redrive(session, job_id, now=now):
            state = QUEUED
    if state == QUEUED:
        parts.queue.wake(job_id)
    return Uploaded(asset_id, state, blob.sha256, job_id)


def find_asset(parts: Parts, asset_id: int, tenant: str | None) -> Asset:
    """Find an asset that a tenant may see, and what is kept of it.

    Raises :class:`~service.errors.NotHere`.
    """
    with parts.database.read() as session:
        row = asset_row(session, asset_id, tenant)
        renditions = _all(session, RENDITIONS, asset_id, RenditionEntry, ("preset", "format"))
        artifacts = _all(session, ARTIFACTS, asset_id, ArtifactEntry, ("kind", "recipe"))
        return Asset(
            asset_id=asset_id,
            tenant_name=row.tenant_name,
            name=row.name,
            content_hash=row.content_hash,
            content_type=row.content_type,
            bytes=row.bytes,
            format=row.format,
            width=row.width,
            height=row.height,
            created_at=row.created_at,
            job=_job_of(session, asset_id),
            renditions=renditions,
            artifacts=artifacts,
        )


def source_of(parts: Parts, asset_id: int, tenant: str | None) -> Source:
    """Read the image of an asset that a tenant may see, under the name that it came with.

    Raises :class:`~service.errors.NotHere`.
    """
    with parts.database.read() as session:
        row = asset_row(session, asset_id, tenant)
    return Source(row.name, parts.blobs.read(row.content_hash, row.bytes))


def find_source(parts: Parts, asset_id: int, tenant: str | None) -> Kept:
    """Find the image of an asset that a tenant may see, as it was uploaded.

    Raises :class:`~service.errors.NotHere`.
    """
    with parts.database.read() as session:
        row = asset_row(session, asset_id, tenant)
    return Kept(row.content_hash, row.content_type, row.name, row.bytes)


def asset_row(session: Session, asset_id: int, tenant: str | None) -> Any:
    """Row of an asset, with its ``tenant_name``; raises :class:`~service.errors.NotHere`.

    What another tenant has is not here: the message is that for an asset that does not exist.
    """
    found = (
        sa.select(*ASSETS.c, TENANTS.c.name.label("tenant_name"))
        .join_from(ASSETS, TENANTS)
        .where(ASSETS.c.id == asset_id)
    )
    if tenant is not None:
        found = found.where(TENANTS.c.name == tenant)
    row = session.execute(found).one_or_none()
    if row is None:
        raise NotHere(f"there is no asset {asset_id}")
    return row


def _job_of(session: Session, asset_id: int) -> AssetJob:
    columns = (JOBS.c.id, JOBS.c.state, JOBS.c.attempts, JOBS.c.error_code, JOBS.c.error_message)
    found = sa.select(*columns).where(JOBS.c.asset_id == asset_id, JOBS.c.kind == KIND)
    return AssetJob(*session.execute(found.order_by(JOBS.c.id.desc()).limit(1)).one())


def _all(
    session: Session, table: sa.Table, asset_id: int, kind: type[Entry], order: Sequence[str]
) -> tuple[Entry, ...]:
    """Rows of an asset as values of a dataclass, in the order of some columns."""
    columns = [table.c[each.name] for each in fields(kind)]
    found = sa.select(*columns).where(table.c.asset_id == asset_id)
    rows = session.execute(found.order_by(*(table.c[name] for name in order)))
    return tuple(kind(*row) for row in rows)
