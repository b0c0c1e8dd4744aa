"""Generate a job of batches whose black and white pixels are known.

``python -m tools.batch_images FOLDER`` writes 5 batches of 20 images in many formats, and prints
the counts as JSON, one line for each image.

Each image consists of cells of 8 × 8 pixels, which are black or white in various greys. The batches
differ in how many are black. A cell is one block of a JPEG, so that even that gives the counts
exactly.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BATCHES, IMAGES = 5, 20
CELL = 8  # pixels
DARKEST_WHITE = 128  # grey level; mid is 127, which is black

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class KnownImage:
    """An image file, its name within the folder of the job, and its true counts."""

    name: str
    batch: int
    data: bytes
    black: int
    white: int


def known_images(
    batches: int = BATCHES, images: int = IMAGES, *, seed: int = 0
) -> Iterator[KnownImage]:
    """Yield the images of a job, the same for the same arguments."""
    for batch in range(1, batches + 1):
        for number in range(1, images + 1):
            yield _known_image(batch, number, share=batch / (batches + 1), seed=seed)


def write_job(folder: Path, images: Sequence[KnownImage]) -> None:
    """Write the images of a job into its folder."""
    for image in images:
        path = folder / image.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(image.data)


def _known_image(batch: int, number: int, *, share: float, seed: int) -> KnownImage:
    rng = np.random.default_rng([seed, batch, number])
    rows, columns = (int(side) for side in rng.integers(12, 33, 2))
    spread = np.clip(share + rng.normal(0, 0.06), 0.02, 0.98)
    field = _smooth(rng.standard_normal((rows, columns)))
    cells = field < np.quantile(field, spread)  # True is black
    extension, encode = _ENCODERS[(batch + number) % len(_ENCODERS)]
    black = int(cells.sum()) * CELL * CELL
    return KnownImage(
        name=f"batch_{batch}/img_{number}.{extension}",
        batch=batch,
        data=encode(cells, rng),
        black=black,
        white=cells.size * CELL * CELL - black,
    )


def _smooth(field: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur a field, so that black and white form patches rather than noise."""
    for axis in (0, 1):
        for _ in range(2):
            field = field + np.roll(field, 1, axis) + np.roll(field, -1, axis)
    return field


def _pixels(cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.kron(cells, np.ones((CELL, CELL), np.bool_))


def _uniform(cells: NDArray[np.bool_], rng: np.random.Generator) -> Bytes:
    """Levels (h, w) that are the same within a cell and far from the threshold."""
    dark, light = rng.integers(10, 90, cells.shape), rng.integers(165, 245, cells.shape)
    return np.kron(np.where(cells, dark, light), np.ones((CELL, CELL), int)).astype(np.uint8)


def _varied(cells: NDArray[np.bool_], rng: np.random.Generator) -> Bytes:
    """Levels (h, w) up to and from the threshold, different in each pixel."""
    black = _pixels(cells)
    dark = rng.integers(0, DARKEST_WHITE, black.shape)
    light = rng.integers(DARKEST_WHITE, 256, black.shape)
    return np.where(black, dark, light).astype(np.uint8)


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def _png(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_varied(cells, rng)), "PNG")


def _png_of_16_bits(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    levels = _varied(cells, rng).astype(np.uint16)
    low = rng.integers(0, 256, levels.shape).astype(np.uint16)
    return _saved(Image.fromarray(levels * 256 + low), "PNG")


def _png_in_colour(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    """All channels of a pixel are black, or all white: so is any mean of them."""
    planes = [_varied(cells, rng) for _ in range(3)]
    return _saved(Image.fromarray(np.stack(planes, axis=-1)), "PNG")


def _jpeg(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_uniform(cells, rng)), "JPEG", quality=90)


def _bmp(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_varied(cells, rng)), "BMP")


def _tiff(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_varied(cells, rng)), "TIFF", compression="tiff_lzw")


def _gif(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_uniform(cells, rng)), "GIF")


def _webp(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    grey = _varied(cells, rng)
    return _saved(Image.fromarray(np.stack([grey] * 3, axis=-1)), "WEBP", lossless=True)


def _pgm(cells: NDArray[np.bool_], rng: np.random.Generator) -> bytes:
    return _saved(Image.fromarray(_varied(cells, rng)), "PPM")


_ENCODERS: tuple[tuple[str, Callable[[NDArray[np.bool_], np.random.Generator], bytes]], ...] = (
    ("png", _png),
    ("jpg", _jpeg),
    ("png", _png_in_colour),
    ("tif", _tiff),
    ("bmp", _bmp),
    ("png", _png_of_16_bits),
    ("webp", _webp),
    ("gif", _gif),
    ("pgm", _pgm),
)


def main() -> None:
    """Write a job, and print what is in it."""
    parser = argparse.ArgumentParser(prog="batch_images", description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--batches", type=int, default=BATCHES)
    parser.add_argument("--images", type=int, default=IMAGES)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    images = list(known_images(options.batches, options.images, seed=options.seed))
    write_job(options.folder, images)
    for image in images:
        told = {"name": image.name, "black": image.black, "white": image.white}
        print(json.dumps(told))


if __name__ == "__main__":
    main()
