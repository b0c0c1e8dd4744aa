"""Records of images, for pages that show what is in them."""

from __future__ import annotations

import json

from fft_tool.errors import FftToolError
from service.catalogue import artifacts
from service.catalogue.assets import Asset
from service.parts import Parts


def record_of(parts: Parts, asset: Asset) -> dict[str, object] | None:
    """The record of an image, made again if it was purged; None if that cannot be done now."""
    try:
        kept = artifacts.find_artifact(parts, asset.asset_id, "record", {}, asset.tenant_name)
        record: dict[str, object] = json.loads(parts.blobs.read(kept.sha256, kept.bytes))
    except FftToolError:
        return None
    return record
