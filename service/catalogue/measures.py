"""What the record of an asset says in a few numbers, by which assets are searched and sorted."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fft_tool.results.outputs import Artifact
from fft_tool.results.registry import RECORD
from service.database.rows import upsert
from service.database.tables import MEASURES
from service.parts import Parts


def keep_measures(parts: Parts, asset_id: int, made: Iterable[Artifact]) -> None:
    """Keep the measures of an asset, from the record among its artifacts."""
    [record] = (json.loads(each.data) for each in made if each.kind == RECORD)
    with parts.database.begin(lasting=False) as session:
        upsert(session, MEASURES, ("asset_id",), {"asset_id": asset_id, **measures_of(record)})


def measures_of(record: Mapping[str, Any]) -> dict[str, float | None]:
    """Slope, sharpness, and period and angle of the most prominent wave; None if there is none."""
    measures = record["measures"]
    slope, sharpness, peaks = measures["slope"], record["sharpness"], measures["peaks"]
    wave = peaks[0] if peaks else {"period": None, "angle": None}
    return {
        "slope": slope["beta"] if slope else None,
        "sharpness": sharpness["laplacian_variance"] if sharpness else None,
        "period": wave["period"],
        "angle": wave["angle"],
    }
