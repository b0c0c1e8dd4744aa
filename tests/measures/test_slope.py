from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.slope import fit_slope
from fft_tool.spectrum.choices import WINDOWS
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.preparation import window_weights
from fft_tool.spectrum.transform import forward
from tests.support.scenes import Image, Shape, cut, periodic, rounded, scene

data = import_module("skimage.data")
ndimage = import_module("scipy.ndimage")

Images = Callable[[Shape, float, int], Iterator[Image]]


def windowed(image: NDArray[np.floating], window: str) -> Spectrum:
    weights = np.multiply.outer(*(window_weights(window, length) for length in image.shape))
    return forward((image + 3) * weights)


@pytest.mark.parametrize("images", [periodic, cut])
@pytest.mark.parametrize(("shape", "beta"), [((64, 64), 0), ((96, 64), 2), ((64, 64), 4)])
def test_intervals_hold_the_exponent_of_the_scene(
    shape: Shape, beta: float, images: Images
) -> None:
    found = [fit_slope(forward(image)) for image in islice(images(shape, beta, 1), 64)]
    slopes = [slope for slope in found if slope]
    off = np.array([(slope.beta - beta) / slope.error for slope in slopes])
    assert len(slopes) == 64
    assert 57 <= np.count_nonzero(np.abs(off) < 1.96) <= 64
    assert abs(off.mean()) < 0.45  # three standard errors of a mean and a bit
    assert 0.7 < off.std() < 1.2


@pytest.mark.parametrize("window", WINDOWS)
def test_intervals_hold_with_every_window(window: str) -> None:
    images = islice(cut((64, 80), 3, 2), 48)
    found = [fit_slope(windowed(image, window), window=window) for image in images]
    off = np.array([(slope.beta - 3) / slope.error for slope in found if slope])
    assert len(off) == 48
    assert np.count_nonzero(np.abs(off) < 1.96) >= 43
    assert off.std() > 0.6


@pytest.mark.parametrize("shape", [(24, 400), (1500, 8), (1, 900)])
def test_intervals_hold_in_oblong_images(shape: Shape) -> None:
    found = [fit_slope(forward(image)) for image in islice(periodic(shape, 2, 3), 24)]
    off = np.array([(slope.beta - 2) / slope.error for slope in found if slope])
    assert len(off) == 24
    assert np.count_nonzero(np.abs(off) < 1.96) >= 21


def test_error_falls_with_the_number_of_pixels_and_rises_with_a_window() -> None:
    rng = np.random.default_rng(4)
    small, large = (fit_slope(forward(scene((n, n), 2, rng))) for n in (64, 256))
    narrow = fit_slope(windowed(scene((256, 256), 2, rng), "hamming"), window="hamming")
    assert small is not None
    assert large is not None
    assert narrow is not None
    assert large.error == pytest.approx(small.error / 4, rel=0.35)
    assert narrow.error > 1.2 * large.error


def test_steep_scene_on_whole_grey_levels_keeps_its_slope() -> None:
    for image in islice(cut((256, 256), 4, 5), 6):
        found = fit_slope(forward(rounded(image)), step=1.0)
        assert found is not None
        assert abs(found.beta - 4) < 3 * found.error
        assert found.error < 0.12


@pytest.mark.parametrize("name", ["camera", "coins", "grass"])
def test_blur_raises_the_slope(name: str) -> None:
    photograph = getattr(data, name)()[:300, :300].astype(np.float64)
    found = [
        fit_slope(forward(np.rint(ndimage.gaussian_filter(photograph, sigma))), step=1.0)
        for sigma in (0, 0.5, 1, 2, 4, 8)
    ]
    slopes = [slope.beta for slope in found if slope]
    assert len(slopes) == 6
    assert slopes == sorted(slopes)


def test_an_image_that_follows_no_power_law_has_a_large_error() -> None:
    rng = np.random.default_rng(6)
    law = fit_slope(forward(scene((200, 200), 2, rng)))
    bent = fit_slope(forward(scene((200, 200), 0, rng) + 100 * scene((200, 200), 6, rng)))
    assert law is not None
    assert bent is not None
    assert bent.error > 5 * law.error


def test_only_the_band_that_is_asked_for_is_fitted() -> None:
    rng = np.random.default_rng(7)
    fine, coarse = scene((300, 300), 0, rng), 30 * scene((300, 300), 4, rng)
    spectrum = forward(fine + coarse)
    low, high = fit_slope(spectrum, high=0.05), fit_slope(spectrum, low=0.3)
    assert low is not None
    assert high is not None
    assert low.beta == pytest.approx(4, abs=3 * low.error)
    assert high.beta == pytest.approx(0, abs=0.5)
    assert low.high <= 0.05
    assert high.low >= 0.3


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (9, 9), (3, 12), (16, 1), (4, 500)])
def test_too_few_rings_have_no_slope(shape: Shape) -> None:
    assert fit_slope(forward(np.random.default_rng(0).uniform(0, 255, shape))) is None


@pytest.mark.parametrize("level", [0.0, 1 / 3, 255.0])
def test_images_without_detail_have_no_slope(level: float) -> None:
    wave = 100 * np.cos(2 * np.pi * np.arange(64) / 8)[None, :].repeat(64, 0)
    for precision in ("single", "double"):
        for image in (np.full((64, 64), level), level + wave):
            assert fit_slope(forward(image, precision=precision)) is None


@pytest.mark.parametrize("period", [2.01, 2.3, 3.7, 9.1, 40.3])
@pytest.mark.parametrize("shape", [(96, 512), (64, 300), (256, 256)])
def test_spectrum_of_one_line_gives_no_overflow_and_no_absurd_exponent(
    shape: tuple[int, int], period: float
) -> None:
    y, x = np.mgrid[: shape[0], : shape[1]]
    for angle in np.radians([0, 10, 45, 88, 90]):
        phase = 2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period
        slope = fit_slope(forward(128 + 40 * np.cos(phase)))
        assert slope is None or abs(slope.beta) < 20
