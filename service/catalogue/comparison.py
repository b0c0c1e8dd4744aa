"""Comparing images: one that came with an asset, or two assets with each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fft_tool.recipe import Recipe
from fft_tool.results.likeness import Comparison, Likeness
from fft_tool.results.outputs import Source
from service.catalogue.assets import source_of
from service.parts import Parts


@dataclass(frozen=True, slots=True)
class Compared:
    """How much an image is like an asset: the originals, and the renditions by preset."""

    asset_id: int
    originals: Comparison
    presets: Mapping[str, Likeness]


def compare(parts: Parts, asset_id: int, name: str, path: Path, tenant: str | None) -> Compared:
    """Compare an asset that a tenant may see with the image in a file, of which nothing is kept.

    The work is done at once, by the workbench. Raises :class:`~service.errors.NotHere`,
    :class:`~service.errors.Busy`, or what keeps one of the two images from being decoded.
    """
    asset = source_of(parts, asset_id, tenant)
    other = Source(name or "image", path.read_bytes())
    settings = parts.settings
    whole, shown = parts.workbench.run(
        lambda child, patience: child.compare_renditions(
            asset, other, settings.presets, settings.limits, patience=patience
        )
    )
    return Compared(asset_id, whole, shown)


def compare_assets(parts: Parts, first: int, second: int, tenant: str | None) -> Comparison:
    """Compare two assets that a tenant may see, as ``fft-tool compare`` does.

    Those that differ in size are scaled down to a common one, as by ``--fit``. Raises the errors of
    :func:`compare`.
    """
    one, other = (source_of(parts, each, tenant) for each in (first, second))
    limits = parts.settings.limits
    return parts.workbench.run(
        lambda child, patience: child.compare_sources(
            one, other, Recipe(), limits, fit=True, patience=patience
        )
    )


def difference_of_assets(parts: Parts, first: int, second: int, tenant: str | None) -> bytes:
    """Picture (PNG) of the differences between two assets that a tenant may see, as above."""
    one, other = (source_of(parts, each, tenant) for each in (first, second))
    limits = parts.settings.limits
    return parts.workbench.run(
        lambda child, patience: child.picture_difference(
            one, other, Recipe(), limits, fit=True, patience=patience
        )
    )
