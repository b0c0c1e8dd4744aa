"""The record of an asset's usual analysis."""

from __future__ import annotations

import json

from fft_tool.errors import FftToolError
from fft_tool.validate import Json
from service.catalogue import artifacts, assets
from service.parts import Parts


def find_record(parts: Parts, asset: assets.Asset) -> Json | None:
    """The record of an asset, made again if it was purged.

    None if the asset is not analysed yet, or if it cannot be made now.
    """
    if asset.job.state != "done":
        return None
    try:
        kept = artifacts.find_artifact(parts, asset.asset_id, "record", {}, asset.tenant_name)
        record: Json = json.loads(parts.blobs.read(kept.sha256, kept.bytes))
    except FftToolError:
        return None
    return record
