"""Photographs with a subject, and how much of it a crop holds.

The photographs are those that scikit-image ships; the boxes around what one looks at were drawn by
hand, before any method was tried on them. Where an image has several subjects, one is enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any, TypeAlias

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels, the last two excluded."""

Cropper: TypeAlias = Callable[[NDArray[np.uint8], int, int], tuple[int, int]]
"""From an image (h, w) or (h, w, 3), a width and a height to the left and top of the crop."""

SUBJECTS: dict[str, tuple[Box, ...]] = {
    "astronaut.png": ((150, 20, 305, 195),),  # her head
    "camera.png": ((160, 60, 330, 205),),  # head and camera
    "chelsea.png": ((130, 70, 350, 270),),  # the cat's face
    "coffee.png": ((170, 10, 420, 255),),  # the cup
    "rocket.jpg": ((303, 125, 342, 415),),
    "clock_motion.png": ((143, 90, 287, 215),),
    "motorcycle_left.png": ((100, 120, 680, 450),),
    "motorcycle_right.png": ((75, 120, 625, 450),),
    "cell.png": ((355, 290, 505, 455),),
    "retina.jpg": ((130, 540, 330, 740),),  # the optic disc
    "moon.png": ((90, 55, 150, 120), (290, 75, 390, 190), (215, 380, 300, 470)),  # craters, maria
    "microaneurysms.png": ((12, 18, 21, 27), (46, 67, 53, 74)),
    "ihc.png": ((240, 300, 390, 505),),  # the gland that lies alone
    "logo.png": ((155, 90, 300, 260),),  # the snake's head
}


def photograph(name: str) -> NDArray[np.uint8]:
    """Give a photograph of scikit-image as grey (h, w) or colour (h, w, 3), on white."""
    image = Image.open(Path(skimage.__file__).parent / "data" / name)
    if image.mode == "L":
        return np.asarray(image)
    flat = Image.new("RGBA", image.size, "white")
    flat.alpha_composite(image.convert("RGBA"))
    return np.asarray(flat.convert("RGB"))


def held(crop: Box, subject: Box) -> float:
    """How much of the subject a crop holds, over the most that a crop of its size can hold."""
    shares = []
    for first, last in ((0, 2), (1, 3)):
        common = min(crop[last], subject[last]) - max(crop[first], subject[first])
        most = min(crop[last] - crop[first], subject[last] - subject[first])
        shares.append(max(0, common) / most)
    return shares[0] * shares[1]


def score(name: str, crop: Cropper, *, variants: bool = False) -> float:
    """Mean of `held` over crops of four sizes, 0 to 1.

    The sizes are a square that lies within the subject, the subject's own, 1.3 times that, and
    a square of 1.8 times its longer side, none larger than the image. With ``variants``, each is
    tried on the image mirrored both ways, transposed, and at half the size, too.
    """
    image, boxes = photograph(name), SUBJECTS[name]
    tried = [(image, boxes), *(_variants(image, boxes) if variants else ())]
    return fmean(
        max(held((x, y, x + width, y + height), box) for box in found)
        for pixels, found in tried
        for width, height in _sizes(found, pixels.shape)
        for x, y in [crop(pixels, width, height)]
    )


def _variants(
    image: NDArray[np.uint8], boxes: tuple[Box, ...]
) -> Iterator[tuple[NDArray[np.uint8], tuple[Box, ...]]]:
    height, width = image.shape[:2]
    yield image[:, ::-1], tuple((width - r, t, width - x, b) for x, t, r, b in boxes)
    yield image[::-1], tuple((x, height - b, r, height - t) for x, t, r, b in boxes)
    yield image.swapaxes(0, 1), tuple((t, x, b, r) for x, t, r, b in boxes)
    small: Any = Image.fromarray(image).resize((width // 2, height // 2), Image.Resampling.BOX)
    yield np.asarray(small), tuple((x // 2, t // 2, r // 2, b // 2) for x, t, r, b in boxes)


def _sizes(boxes: tuple[Box, ...], shape: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    left, top, right, bottom = max(boxes, key=_area)
    width, height = right - left, bottom - top
    small, large = round(0.8 * min(width, height)), round(1.8 * max(width, height))
    for across, down in (
        (small, small),
        (width, height),
        (round(1.3 * width), round(1.3 * height)),
        (min(large, *shape[:2]), min(large, *shape[:2])),
    ):
        yield max(4, min(across, shape[1])), max(4, min(down, shape[0]))


def _area(box: Box) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])
