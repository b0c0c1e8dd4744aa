"""Whether the intervals of fitted slopes hold the truth, on random scenes of known exponent.

``python -m tests.system.test_slopes`` prints the table of
docs/decisions/2026-11-27-measuring-through-a-taper.md, in a few minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice, pairwise, product

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.measure import measure
from fft_tool.measures.slope import Slope, fit_slope
from fft_tool.spectrum.choices import WINDOWS
from fft_tool.spectrum.preparation import window_weights
from fft_tool.spectrum.transform import forward
from tests.support.scenes import Image, Shape, cut, periodic, rounded

data = import_module("skimage.data")
ndimage = import_module("scipy.ndimage")

Images = Callable[[Shape, float, int], Iterator[Image]]
EXPONENTS = (0, 1, 2, 3, 4)
SHAPES = ((64, 64), (256, 256), (1024, 1024), (300, 200), (32, 512), (2048, 8))
# All photographs and textures that scikit-image ships without a download.
PHOTOGRAPHS = (
    "astronaut",
    "brick",
    "camera",
    "cell",
    "chelsea",
    "clock",
    "coffee",
    "coins",
    "grass",
    "gravel",
    "hubble_deep_field",
    "immunohistochemistry",
    "moon",
    "page",
    "retina",
    "rocket",
    "text",
)
BLURS = (0.5, 0.7, 1, 1.4, 2, 2.8, 4, 5.6, 8)


def slopes(images: Iterator[Image], window: str, *, whole: bool = False) -> Iterator[Slope | None]:
    for image in images:
        plane = rounded(image) if whole else 128 + 40 * image
        weights = np.multiply.outer(*(window_weights(window, length) for length in plane.shape))
        yield fit_slope(forward(plane * weights), window=window, step=float(whole))


def held(
    images: Images, shape: Shape, beta: float, window: str, count: int, *, whole: bool = False
) -> tuple[int, float, float]:
    """How many intervals hold the exponent; the estimates' mean deviation; their mean error."""
    seed = int(100 * beta) + sum(shape)
    found = slopes(islice(images(shape, beta, seed), count), window, whole=whole)
    pairs = [(slope.beta - beta, slope.error) for slope in found if slope]
    off, error = np.array(pairs).T
    return int(np.count_nonzero(np.abs(off) <= 1.96 * error)), float(off.mean()), error.mean()


@pytest.mark.slow
@pytest.mark.parametrize("images", [periodic, cut])
@pytest.mark.parametrize("shape", [(64, 64), (300, 200), (32, 512), (2048, 8)])
def test_of_a_hundred_intervals_90_to_99_hold_the_exponent(shape: Shape, images: Images) -> None:
    holding = sum(held(images, shape, beta, "none", 40)[0] for beta in EXPONENTS)
    assert 180 <= holding <= 198


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS)
def test_they_do_with_every_window(window: str) -> None:
    shapes: tuple[Shape, ...] = ((96, 96), (1024, 16))
    holding = sum(held(cut, shape, beta, window, 40)[0] for shape in shapes for beta in (0, 2, 4))
    assert 216 <= holding <= 238


@pytest.mark.slow
def test_they_do_in_images_of_whole_grey_levels() -> None:
    holding = sum(held(cut, (256, 256), beta, "none", 40, whole=True)[0] for beta in EXPONENTS)
    assert 180 <= holding <= 198


def grey(name: str) -> NDArray[np.float64]:
    image = np.asarray(getattr(data, name)(), np.float64)
    return image @ (0.299, 0.587, 0.114) if image.ndim == 3 else image


@pytest.mark.slow
@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_blur_takes_fine_detail_from_photographs_and_steepens_their_slope(name: str) -> None:
    photograph = grey(name)
    blurred = [np.rint(ndimage.gaussian_filter(photograph, sigma)) for sigma in BLURS]
    found = [measure(forward(image), step=1.0) for image in blurred]
    shares = [measures.high_frequency_fraction for measures in found]
    assert shares == sorted(shares, key=lambda share: -(share or 0.0))
    assert None not in shares
    fits = [measures.slope for measures in found if measures.slope]
    for fit, later in pairwise(fits):
        assert later.beta > fit.beta - fit.error
    assert fits[-1].beta > fits[0].beta + 1


def main(count: int = 100) -> None:
    """Write the table: intervals that hold of ``count``, and mean deviation ± mean error."""
    heads = " | ".join(f"β = {beta}" for beta in EXPONENTS)
    lines = [f"| images | window | {heads} |", "| --- | --- |" + " --- |" * len(EXPONENTS)]
    for images, shape in product((periodic, cut), SHAPES):
        for window in WINDOWS if shape in ((64, 64), (32, 512)) else WINDOWS[:1]:
            results = [held(images, shape, beta, window, count) for beta in EXPONENTS]
            cells = " | ".join(f"{n} ({off:+.3f} ± {error:.3f})" for n, off, error in results)
            lines.append(f"| {images.__name__} {shape} | {window} | {cells} |")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
