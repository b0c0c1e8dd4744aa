"""Notches: a wave goes to the borders, whatever its phase; away from them the notch is Gaussian."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fft_tool.spectrum.filters import Notch
from tests.support.known_waves import Canvas, Shape, scenery, wave


def notched(image: Canvas, notch: Notch) -> Canvas:
    levels = image.astype(np.float32)
    notch.subtract(levels)
    return levels.astype(np.float64)


@pytest.mark.parametrize("shape", [(200, 240), (97, 61), (48, 300)])
@pytest.mark.parametrize("angle", [0, 13, 45, 90, 150])
@pytest.mark.parametrize("period", [2.3, 5.1, 8, 21.7])
def test_no_level_of_a_wave_stays_at_the_borders(shape: Shape, angle: float, period: float) -> None:
    stripes = 40 * wave(shape, period, angle, 1.0)
    rest = notched(128 + stripes, Notch(period, angle)) - 128 - stripes.mean()
    assert np.abs(rest).max() < 0.5


@pytest.mark.parametrize(("period", "angle"), [(8.03, 20), (8, 20.2)])
def test_a_wave_named_nearly_right_goes_nearly(period: float, angle: float) -> None:
    stripes = 40 * wave((300, 300), 8, 20)
    rest = notched(128 + stripes, Notch(period, angle)) - 128
    assert np.abs(rest).max() < 4


@pytest.mark.parametrize("angle", [0.0, 33.0, 90.0, 160.0])
def test_away_from_the_borders_the_notch_is_gaussian_and_as_wide_as_told(angle: float) -> None:
    inner = (slice(150, -150), slice(150, -150))
    for ratio, gain in ((1, 0), (1.2, 1 - math.exp(-0.5)), (0.6, 1 - math.exp(-2)), (2, 1)):
        image = wave((400, 400), 8 / ratio, angle)
        kept = notched(image, Notch(8, angle, 0.2))[inner].std() / image[inner].std()
        assert kept == pytest.approx(gain, abs=0.005)


def test_a_notch_is_at_least_one_and_a_half_bins_wide_along_each_axis() -> None:
    assert Notch(8, 0, 0).radius((40, 80)) == (1.5 / 40, 1.5 / 80)
    assert Notch(8, 0, 0.5).radius((40, 80)) == (0.5 / 8, 0.5 / 8)


def test_a_scene_under_a_wave_comes_back() -> None:
    scene = scenery((200, 300))
    restored = notched(scene + 15 * wave(scene.shape, 5.37, 71), Notch(5.37, 71))
    alone = notched(scene, Notch(5.37, 71))
    np.testing.assert_allclose(restored, alone, atol=0.1)
    assert (alone - scene).std() < 0.05 * scene.std()


def test_a_constant_image_and_its_mean_stay() -> None:
    for shape in ((1, 1), (1, 30), (30, 1), (20, 20)):
        levels = np.full(shape, 77.0)
        np.testing.assert_allclose(notched(levels, Notch(4, 30)), levels, atol=1e-4)


def test_a_wave_along_a_side_of_one_pixel_takes_nothing() -> None:
    image = np.random.default_rng(3).uniform(0, 255, (37, 1))
    np.testing.assert_allclose(notched(image, Notch(2.5, 0)), image, atol=1e-3)
