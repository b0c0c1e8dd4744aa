"""Product images: crops that are made at once, and crops that are made by a job.

Each image has a row, which is written before its file: so every file in the folder of results
belongs to a row, and an image that is lost half-way leaves a row that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from fft_tool.cropping import AtMost, Cropped, Salient
from fft_tool.errors import FftToolError
from fft_tool.results.outputs import Source
from service.database.engine import Session
from service.database.rows import insert_once
from service.database.tables import FAILED, PRODUCT_IMAGES, READY, TENANTS, WAITING
from service.errors import NotHere
from service.incoming import format_of
from service.jobs.table import enqueue
from service.parts import Parts
from service.products.asked import ManualCrop, SmartCrop
from service.products.names import path_of
from service.products.results import Results
from service.references import Blob, BlobFile, keeping

KIND = "smart-crop"
"""Kind of the job that makes a smart crop."""

SOURCE_NAME = "source image"  # in messages; names of clients are not trusted


@dataclass(frozen=True, slots=True)
class ProductImage:
    """An image of a product that was made, or is to be made: its id, and its path for clients."""

    image_id: int
    path: str


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """What has become of an image: ``waiting``, ``ready`` or ``failed``, and why."""

    image_id: int
    status: str
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class FoundImage:
    """Everything about an image; ``width``, ``height`` and ``bytes`` are None until it is ready."""

    id: int
    product_id: str
    path: str
    state: str
    width: int | None
    height: int | None
    bytes: int | None
    error_message: str | None


def crop_manually(parts: Parts, tenant: str | None, asked: ManualCrop, data: bytes) -> ProductImage:
    """Crop an image at once, and save the crop.

    Raises the errors of :func:`fft_tool.cropping.crop`, and :class:`~service.errors.Busy`.
    """
    source, limits = Source(SOURCE_NAME, data), parts.settings.limits
    made = parts.workbench.run(
        lambda child, patience: child.crop(source, asked.box, limits, patience=patience)
    )
    with parts.database.begin() as session:
        image = _add(parts, session, tenant, asked.product_id, "manual")
    try:
        save(parts, image.image_id, image.path, made)
    except FftToolError as exc:
        told = {"state": FAILED, "error_code": exc.code, "error_message": exc.public}
        with parts.database.begin() as session:
            _update(session, image.image_id, told)
        raise
    return image


def crop_smartly(
    parts: Parts, tenant: str | None, asked: SmartCrop, path: Path, sha256: str
) -> ProductImage:
    """Take the image in a file, and queue the job that finds and saves its most salient region.

    Only the first bytes are looked at here: whether they begin an image of a format that is
    accepted. The image is kept until the job is done. ``sha256`` is the hash of the file, which may
    be deleted afterwards, but not changed.
    """
    format_of(path, parts.settings.limits)
    return queue_smart_crop(parts, tenant, asked, BlobFile(path, sha256))


def queue_smart_crop(
    parts: Parts, tenant: str | None, asked: SmartCrop, blob: Blob | BlobFile
) -> ProductImage:
    """Queue the job that finds and saves the most salient region of an image."""
    with keeping(parts, blob) as session:
        image = _add(parts, session, tenant, asked.product_id, "smart")
        payload = {
            "source": blob.sha256,
            "width": asked.size.width,
            "height": asked.size.height,
        }
        now = parts.clock.now()
        job_id = enqueue(session, KIND, payload, now=now, image_id=image.image_id)
    parts.queue.wake(job_id)
    return image


def find_salient(parts: Parts, data: bytes, size: AtMost) -> Salient:
    """Find the region that a smart crop of a size takes, and picture why; nothing is kept."""
    source, limits = Source(SOURCE_NAME, data), parts.settings.limits
    return parts.workbench.run(
        lambda child, patience: child.find_salient(source, size, limits, patience=patience)
    )


def status_of(parts: Parts, image_id: int) -> ImageStatus:
    """What has become of an image; raises :class:`~service.errors.NotHere`."""
    columns = PRODUCT_IMAGES.c
    found = sa.select(columns.id, columns.state, columns.error_code, columns.error_message)
    with parts.database.read() as session:
        row = session.execute(found.where(columns.id == image_id)).one_or_none()
    if row is None:
        raise NotHere(f"there is no image {image_id}")
    return ImageStatus(*row)


def find_image(parts: Parts, image_id: int, tenant: str | None) -> FoundImage:
    """Find an image of a tenant (None: of any); raises :class:`~service.errors.NotHere`."""
    columns = (PRODUCT_IMAGES.c[each.name] for each in fields(FoundImage))
    found = sa.select(*columns).where(PRODUCT_IMAGES.c.id == image_id)
    if tenant is not None:
        found = found.join(TENANTS).where(TENANTS.c.name == tenant)
    with parts.database.read() as session:
        row = session.execute(found).one_or_none()
    if row is None:
        raise NotHere(f"there is no image {image_id}")
    return FoundImage(*row)


def path_of_image(parts: Parts, image_id: int) -> str:
    """Path of an image in the folder of results; raises :class:`~service.errors.NotHere`."""
    found = sa.select(PRODUCT_IMAGES.c.path).where(PRODUCT_IMAGES.c.id == image_id)
    with parts.database.read() as session:
        path: str | None = session.scalar(found)
    if path is None:
        raise NotHere(f"there is no image {image_id}")
    return path


def save(parts: Parts, image_id: int, path: str, made: Cropped) -> None:
    """Write the file of an image, then note that it is ready. Doing it twice does no harm."""
    Results(parts.settings.processed_images).write(path, made.data)
    values = {
        "state": READY,
        "width": made.box.width,
        "height": made.box.height,
        "bytes": len(made.data),
        "error_code": None,
        "error_message": None,
    }
    with parts.database.begin() as session:
        _update(session, image_id, values)


def _add(
    parts: Parts, session: Session, tenant: str | None, product_id: str, mode: str
) -> ProductImage:
    """Add the row of an image that is not ready yet; its path holds the id that it gets."""
    now = parts.clock.now()
    tenant_id = None
    if tenant is not None:
        tenant_id, _ = insert_once(session, TENANTS, ["name"], {"name": tenant, "created_at": now})
    row = {
        "tenant_id": tenant_id,
        "product_id": product_id,
        "mode": mode,
        "path": uuid4().hex,  # for the moment
        "state": WAITING,
        "created_at": now,
    }
    added = sa.insert(PRODUCT_IMAGES).values(row).returning(PRODUCT_IMAGES.c.id)
    image_id = int(session.execute(added).scalar_one())
    path = path_of(product_id, image_id)
    _update(session, image_id, {"path": path})
    return ProductImage(image_id, path)


def _update(session: Session, image_id: int, values: Mapping[str, Any]) -> None:
    one = sa.update(PRODUCT_IMAGES).where(PRODUCT_IMAGES.c.id == image_id)
    session.execute(one.values(**values))
