"""Draw the pictures of ``docs/library.md``: a spectrum, a repaired image and a saliency map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import fft_tool as ft
from fft_tool.codec.image_file import encode_image

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Write the pictures into ``docs/images``."""
    image = ft.decode((ROOT / "input_images" / "landscape_striped.png").read_bytes())
    grey = image.pixels[:, :, 0]
    spectrum = ft.transform(grey)
    repaired = ft.inverse(ft.apply_filter(spectrum, "stripe:90"))
    levels = np.rint(repaired).clip(0, 255).astype(np.uint8)
    saliency = np.rint(255 * ft.saliency_map(grey)).astype(np.uint8)
    pictures = {
        "library_spectrum.png": spectrum._repr_png_(),
        "library_repaired.png": encode_image(levels, 255),
        "library_saliency.png": encode_image(np.kron(saliency, np.ones((2, 2), np.uint8)), 255),
    }
    for name, data in pictures.items():
        (IMAGES / name).write_bytes(data)


if __name__ == "__main__":
    main()
