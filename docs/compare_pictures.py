"""Draw the picture of ``docs/compare.md``: the ring correlation of a scene with noise."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import fft_tool as ft
from fft_tool.comparing import compare_pair
from fft_tool.image.matching import match
from fft_tool.report.rings import ring_plot

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "compare_rings.svg"
NOISE = 40  # grey levels


def picture() -> str:
    """Curve of two exposures of the landscape, each with noise of its own."""
    scene = ft.decode((ROOT / "input_images" / "landscape.png").read_bytes()).pixels[:, :, 0]
    rng = np.random.default_rng(0)
    first, second = (
        np.rint(scene + rng.normal(scale=NOISE, size=scene.shape)).clip(0, 255).astype(np.uint8)
        for _ in range(2)
    )
    return ring_plot(compare_pair(match(first, second, (255, 255))).rings)


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
