"""Renditions: copies of an asset in the sizes of the presets, made once, or again when needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from fft_tool.codec.picture_formats import PICTURE_FORMATS
from fft_tool.image.presets import Preset, Rendition
from fft_tool.rendering import DEFAULT, DEFAULT_FORMATS
from fft_tool.results.outputs import Source
from fft_tool.spelling import did_you_mean
from service.catalogue.assets import asset_row
from service.catalogue.kept import Kept, note_request
from service.database.rows import upsert
from service.database.tables import RENDITIONS
from service.errors import NotHere
from service.parts import Parts
from service.references import Blob, keeping

OFFERED = ("avif", "webp")
"""Formats that are made for clients that ask for them, the smallest first."""

_UNIQUE = ("asset_id", "preset", "format")


def find_rendition(
    parts: Parts, asset_id: int, preset_name: str, picture_format: str, tenant: str | None
) -> Kept:
    """Find a rendition of an asset that a tenant may see, or make it now.

    ``picture_format`` is one of :data:`OFFERED`, or :data:`~fft_tool.rendering.DEFAULT`: PNG or
    JPEG, whichever suits the image. Raises :class:`~service.errors.NotHere` if there is no such
    asset or preset, :class:`~service.errors.Busy`, or what keeps the image from being decoded.
    """
    preset = _preset(parts, preset_name)
    with parts.database.read() as session:
        asset = asset_row(session, asset_id, tenant)
        row = session.execute(_kept(asset_id, preset_name, picture_format)).first()
    if row is not None and _fits(row, preset, asset):
        note_request(parts, RENDITIONS, row)
        return _as_kept(asset.name, row)
    source = Source(asset.name, parts.blobs.read(asset.content_hash, asset.bytes))
    limits = parts.settings.limits
    made = parts.workbench.run(
        lambda child, patience: child.render(
            source, [preset], picture_format, limits, patience=patience
        )
    )
    keep_renditions(parts, asset_id, made)
    with parts.database.read() as session:
        row = session.execute(_kept(asset_id, preset_name, picture_format)).one()
    return _as_kept(asset.name, row)


def keep_renditions(parts: Parts, asset_id: int, made: Sequence[Rendition]) -> None:
    """Keep renditions of an asset, in place of those that there may be."""
    now = parts.clock.now()
    blobs = [Blob(each.data, PICTURE_FORMATS[each.format].content_type) for each in made]
    with keeping(parts, *blobs, lasting=False) as session:
        for each, blob in zip(made, blobs, strict=True):
            values = {
                "asset_id": asset_id,
                "preset": each.preset,
                "format": each.format,
                "content_type": blob.content_type,
                "width": each.width,
                "height": each.height,
                "bytes": len(each.data),
                "sha256": blob.sha256,
                "created_at": now,
                "asked_at": now,
            }
            upsert(session, RENDITIONS, _UNIQUE, values)


def _preset(parts: Parts, name: str) -> Preset:
    presets = {each.name: each for each in parts.settings.presets}
    if name not in presets:
        known, near = ", ".join(presets), did_you_mean(name, presets)
        raise NotHere(f"there is no preset {name[:40]!r}, only {known}{near}")
    return presets[name]


def _kept(asset_id: int, preset: str, picture_format: str) -> sa.Select[Any]:
    formats = DEFAULT_FORMATS if picture_format == DEFAULT else (picture_format,)
    return sa.select(*RENDITIONS.c).where(
        RENDITIONS.c.asset_id == asset_id,
        RENDITIONS.c.preset == preset,
        RENDITIONS.c.format.in_(formats),
    )


def _fits(row: sa.Row[Any], preset: Preset, asset: sa.Row[Any]) -> bool:
    """Whether a rendition has the size of its preset, which may have been set anew since."""
    if asset.width is None:
        return True  # it was made a moment ago
    return (row.width, row.height) == preset.size_of(asset.width, asset.height)


def _as_kept(asset_name: str, row: sa.Row[Any]) -> Kept:
    extension = PICTURE_FORMATS[row.format].extension
    name = f"{asset_name.rpartition('.')[0] or asset_name}_{row.preset}.{extension}"
    return Kept(row.sha256, row.content_type, name, row.bytes)
