"""Assets of the tests: uploaded without HTTP, and looked at in the tables and the store."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from service.catalogue.assets import Uploaded, upload
from service.parts import Parts
from tests.support.images import pink_noise, png_bytes
from tests.support.service import work_off

TENANT = "acme"


def photo(seed: int = 0, shape: tuple[int, int] = (150, 200)) -> bytes:
    """A PNG of a photo in colour, a different one for each seed."""
    planes = [pink_noise(shape, seed=3 * seed + place) for place in range(3)]
    return png_bytes(np.stack(planes, axis=2))


def add_asset(
    parts: Parts, data: bytes | None = None, *, tenant: str = TENANT, name: str = "photo.png"
) -> Uploaded:
    """Upload an image, by default a photo."""
    with tempfile.NamedTemporaryFile(dir=parts.settings.temporary) as file:
        file.write(photo() if data is None else data)
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return upload(parts, tenant, name, Path(file.name), sha256)


def add_done(parts: Parts, data: bytes | None = None, **more: str) -> int:
    """Upload an image and do its job; return the id of the asset."""
    uploaded = add_asset(parts, data, **more)
    assert work_off(parts) == 1
    return uploaded.asset_id


def rows(parts: Parts, table: sa.Table) -> list[dict[str, Any]]:
    """All rows of a table, in the order of their ids."""
    with parts.database.read() as session:
        found = session.execute(sa.select(table).order_by(table.c.id))
        return [dict(row._mapping) for row in found]  # noqa: SLF001  (public, in spite of its name)


def blobs(parts: Parts) -> set[str]:
    """Hashes of all blobs."""
    return {entry.sha256 for entry in parts.blobs.entries()}
