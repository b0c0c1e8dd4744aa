"""Draw ``docs/images/smart_crop.png``: photographs, and what smart crop keeps of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import fft_tool as ft
from fft_tool.image.saliency import salient_box
from tests.support.subjects import photograph

CROPS = {
    "astronaut.png": (180, 180),
    "camera.png": (256, 180),
    "chelsea.png": (256, 230),
    "coffee.png": (270, 270),
    "rocket.jpg": (140, 300),
    "moon.png": (128, 128),
}
HEIGHT = 200


def main() -> None:
    """Write the picture: photographs in the upper row, their saliency in the lower one."""
    columns = [_column(name, *size) for name, size in CROPS.items()]
    gap = np.full((columns[0].shape[0], 6, 3), 255, np.uint8)
    parts = [part for column in columns for part in (column, gap)][:-1]
    target = Path(__file__).parent / "images" / "smart_crop.png"
    Image.fromarray(np.concatenate(parts, axis=1)).quantize(256).save(target, optimize=True)


def _column(name: str, width: int, height: int) -> np.ndarray:
    image = photograph(name)
    x, y, width, height = salient_box(image, width, height)
    colours = np.stack([image] * 3, axis=2) if image.ndim == 2 else image
    shown = (colours * 0.4).astype(np.uint8)
    kept = slice(y, y + height), slice(x, x + width)
    shown[kept] = colours[kept]
    saliency = np.rint(255 * ft.saliency_map(image)).astype(np.uint8)
    across = round(HEIGHT * image.shape[1] / image.shape[0])
    lower = Image.fromarray(saliency).convert("RGB").resize((across, HEIGHT))
    upper = Image.fromarray(shown).resize((across, HEIGHT))
    return np.concatenate(
        [np.asarray(upper), np.full((6, across, 3), 255), np.asarray(lower)]
    ).astype(np.uint8)


if __name__ == "__main__":
    main()
