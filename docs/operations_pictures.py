"""Draw ``docs/images/operations.png``: every operation on one photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import fft_tool as ft
from tests.support.subjects import photograph

Pixels = NDArray[np.uint8]

TARGET = Path(__file__).parent / "images" / "operations.png"
TEXTS = (
    *("original", "grayscale", "sepia", "invert", "contrast:1.8"),
    *("brightness:20", "gamma:2", "posterize:3", "equalise", "edges"),
    *("blur:4", "sharpen:3", "rotate:12.5", "rotate:90", "flip"),
    *("crop:58,0,100,75", "resize:50%", "lowpass:16", "highpass:16", "bandpass:6,24"),
    *("notch:9,35", "destripe", "sepia,rotate:-8", "edges,invert", "equalise,posterize:4,blur:1"),
)
COLUMNS = 5
WIDTH, HEIGHT = 200, 150
GAP, CAPTION = 12, 24
STRIPED = ("notch:9,35", "destripe")


def main() -> None:
    """Write the sheet."""
    image = sample()
    rows = -(-len(TEXTS) // COLUMNS)
    size = GAP + COLUMNS * (WIDTH + GAP), GAP + rows * (HEIGHT + CAPTION + GAP)
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(14)
    for place, text in enumerate(TEXTS):
        row, column = divmod(place, COLUMNS)
        x, y = GAP + column * (WIDTH + GAP), GAP + row * (HEIGHT + CAPTION + GAP)
        tile = Image.fromarray(shown(image, text))
        tile.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        sheet.paste(tile, (x + (WIDTH - tile.width) // 2, y + (HEIGHT - tile.height) // 2))
        draw.text((x + WIDTH / 2, y + HEIGHT + 5), text, fill="#222222", font=font, anchor="mt")
    # Five bits of each channel look the same and take half the bytes.
    coarse = np.minimum((np.asarray(sheet, np.int64) + 4) // 8 * 8, 255).astype(np.uint8)
    Image.fromarray(coarse).save(TARGET, optimize=True)


def sample() -> Pixels:
    """Return the photograph, as large as a tile."""
    return colours(ft.apply_operations(photograph("astronaut.png"), "crop:0,0,512,384,resize:200"))


def shown(image: Pixels, text: str) -> Pixels:
    """Return what an operation makes of the photograph; for waves and stripes, half of it."""
    if text == "original":
        return image
    if text not in STRIPED:
        return colours(ft.apply_operations(image, text))
    before = striped(image, text)
    after = colours(ft.apply_operations(before, text))
    half = image.shape[1] // 2
    after[:, :half] = before[:, :half]
    after[:, half - 1 : half + 1] = 255
    return after


def striped(image: Pixels, text: str) -> Pixels:
    """Add what an operation removes: one wave, or rows of uneven brightness."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    if text == "destripe":
        added = np.random.default_rng(4).normal(0, 18, (image.shape[0], 1)) + 0 * x
    else:
        turn = np.radians(35)
        added = 35 * np.cos(2 * np.pi / 9 * (x * np.cos(turn) - y * np.sin(turn)))
    room = image * (180 / 255) + 37  # so that nothing is clipped
    levels: Pixels = np.rint(room + added[:, :, None]).clip(0, 255).astype(np.uint8)
    return levels


def colours(pixels: NDArray[np.unsignedinteger]) -> Pixels:
    """RGB pixels of an 8-bit image that may be grey."""
    rgb: Pixels = (pixels if pixels.ndim == 3 else np.stack([pixels] * 3, axis=2)).astype(np.uint8)
    return rgb


if __name__ == "__main__":
    main()
