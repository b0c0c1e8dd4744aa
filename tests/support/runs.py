"""Runs of the whole pipeline on arrays, and their records as they stand in their files."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from numpy.typing import NDArray

import fft_tool
from fft_tool import Outputs, Recipe
from tests.support.planes import source

EVERYTHING = Recipe.parse(
    {
        "crop": "pct:10,10,75,60",
        "bits": "16",
        "spectrum": "yes",
        "histogram": "yes",
        "filter": "lowpass:4",
        "metadata": "yes",
        "detrend": "linear",
        "window": "hann",
    }
)


def run(pixels: NDArray[Any], **texts: Any) -> Outputs:
    return fft_tool.run(source(pixels), Recipe.parse(texts))


def record_of(outputs: Outputs) -> dict[str, Any]:
    """The record as it stands in its file, which must be JSON in the strict sense."""

    def refuse(word: str) -> NoReturn:
        raise AssertionError(f"the record holds {word}")

    record: dict[str, Any] = json.loads(outputs["metadata"].data, parse_constant=refuse)
    assert record == json.loads(json.dumps(outputs.record))
    return record
