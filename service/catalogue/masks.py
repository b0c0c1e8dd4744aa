"""Masks that were painted over the spectrum of an asset: grey PNG files that recipes name.

A mask is kept as long as its asset, since a link to a repaired image names it, and nothing else
could make it again.
"""

from __future__ import annotations

import sqlalchemy as sa

from fft_tool.mask_files import Read
from fft_tool.spectrum.masks import LARGEST_FILE, MaskFile, too_large
from service.catalogue.assets import asset_row
from service.catalogue.kept import Kept
from service.database.rows import insert_once
from service.database.tables import MASKS
from service.errors import BadRequest, NotHere, TooLarge
from service.parts import Parts
from service.references import Blob, keeping

MOST = 1000
"""Masks of an asset."""


def keep_mask(parts: Parts, asset_id: int, data: bytes, tenant: str | None) -> MaskFile:
    """Keep a mask for an asset that a tenant may see; the same bytes are kept once.

    Its name tells masks apart where several lie in one folder. Raises
    :class:`~service.errors.NotHere`, :class:`~service.errors.TooLarge`,
    :class:`~service.errors.BadRequest` if the asset has too many masks, or
    :class:`~fft_tool.errors.RecipeError` unless the bytes begin a grey PNG of its size.
    """
    if len(data) > LARGEST_FILE:
        raise TooLarge(too_large(len(data)))
    blob = Blob(data, "image/png")
    with parts.database.read() as session:
        asset = asset_row(session, asset_id, tenant)
        count = session.execute(sa.select(sa.func.count()).where(MASKS.c.asset_id == asset_id))
        full = count.scalar_one() >= MOST
    mask = MaskFile(f"mask-{blob.sha256[:8]}.png").resolved(data)
    mask.check((asset.height, asset.width))
    if full:
        raise BadRequest(f"asset {asset_id} has {MOST:,} masks already: use one of them")
    with keeping(parts, blob) as session:
        row = {
            "asset_id": asset_id,
            "sha256": blob.sha256,
            "bytes": len(data),
            "created_at": parts.clock.now(),
        }
        insert_once(session, MASKS, ["asset_id", "sha256"], row)
    return mask


def find_mask(parts: Parts, asset_id: int, sha256: str, tenant: str | None) -> Kept:
    """Find a mask of an asset that a tenant may see; raises :class:`~service.errors.NotHere`."""
    found = sa.select(MASKS.c.bytes).where(MASKS.c.asset_id == asset_id, MASKS.c.sha256 == sha256)
    with parts.database.read() as session:
        asset_row(session, asset_id, tenant)
        size = session.execute(found).scalar()
    if size is None:
        raise NotHere(f"asset {asset_id} has no mask with the SHA-256 {sha256[:64]!r}")
    return Kept(sha256, "image/png", f"mask-{sha256[:8]}.png", size)


def masks_of(parts: Parts, asset_id: int, tenant: str | None) -> Read:
    """How the masks of an asset are read that a filter names."""

    def read(mask: MaskFile) -> bytes:
        if mask.sha256 is None:
            raise ValueError("here a mask needs its SHA-256, as the spectrum studio writes it")
        try:
            kept = find_mask(parts, asset_id, mask.sha256, tenant)
        except NotHere as exc:
            raise ValueError(f"{exc}: paint or upload it in the spectrum studio") from exc
        return parts.blobs.read(kept.sha256, kept.bytes)

    return read
