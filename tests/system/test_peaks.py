"""Peaks on a grid of known truth: no wave missed, none invented, amplitudes to 3 %."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from fft_tool.measures.peaks import find_peaks
from fft_tool.spectrum.half import frequencies
from fft_tool.spectrum.preparation import window_weights
from fft_tool.spectrum.transform import forward
from tests.support.waves import PlaneWave

PERIODS = (2.1, 2.3, 2.7, 3.1, 4.0, 5.3, 7.7, 11.0, 16.4, 23.0, 32.0, 50.0, 71.0, 100.0)
ANGLES = (0, 1, 5, 12, 22.5, 30, 37, 45, 53, 60, 67.5, 78, 85, 89)
SHAPES = [(96, 512), (512, 96), (64, 300), (300, 64), (128, 128), (200, 333)]


GRIDS = [
    *((shape, "none", deviation) for shape in SHAPES for deviation in (0.0, 5.0)),
    *((SHAPES[2], window, 5.0) for window in ("hann", "hamming", "blackman", "tukey")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "window", "deviation"), GRIDS)
def test_each_wave_is_the_only_peak_at_its_place_with_its_amplitude(
    shape: tuple[int, int], window: str, deviation: float
) -> None:
    rng = np.random.default_rng(1)
    weights = np.multiply.outer(*(window_weights(window, length) for length in shape))
    for period, angle, turned in product(PERIODS, ANGLES, (0, 90)):
        truth = PlaneWave(period, angle + turned, 40.0, rng.uniform(0, 2 * np.pi))
        if truth.periods_in(shape) < 2:
            continue
        image = np.rint(128 + truth.image(shape) + rng.normal(0, deviation, shape))
        peaks = find_peaks(forward(image * weights), window=window, step=1.0)
        assert len(peaks) == 1, (truth, peaks)
        assert truth.distance(peaks[0], shape) < 0.1, (truth, peaks)
        assert peaks[0].amplitude == pytest.approx(40, rel=0.03), truth


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1, 2])
@pytest.mark.parametrize("window", ["none", "hann"])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0, 3.0])
def test_noise_has_a_peak_in_one_image_of_a_hundred_at_most(
    beta: float, window: str, cut: int
) -> None:
    """Also where the frame cuts the image out of a larger scene."""
    rng = np.random.default_rng(0)
    shapes = [(16, 16), (24, 40), (40, 40), (61, 127), (32, 200), (64, 300), (128, 128), (1, 500)]
    found = 0
    for height, width in shapes * 25:
        scene = (cut * height, cut * width)
        fy, fx = frequencies(scene)
        frequency = np.hypot(fy, fx)
        frequency[0, 0] = np.inf
        spectrum = np.fft.rfft2(rng.standard_normal(scene)) * frequency ** (-beta / 2)
        image = np.fft.irfft2(spectrum, scene)[:height, :width]
        image *= 40 / image.std()
        weights = np.multiply.outer(window_weights(window, height), window_weights(window, width))
        found += bool(find_peaks(forward((128 + image) * weights), window=window))
    assert found <= 2
