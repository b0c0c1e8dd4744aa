"""Stripes go at any angle and period, and a picture loses no more than to a mask."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fft_tool.spectrum.filters import Stripe
from fft_tool.spectrum.lengths import smooth
from fft_tool.spectrum.stripes import Lines
from tests.support.known_waves import Canvas, Shape, amplitude, scenery, wave

ANGLES = [0, 5, 22, 36.983, 45, 53, 89, 90, 135, 179.99]


def destriped(image: Canvas, angle: float, longest: float = 64) -> Canvas:
    levels = image.astype(np.float32)
    Stripe(angle, longest).subtract(levels)
    return levels.astype(np.float64)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("period", [2.5, 8, 21.7, 45])
def test_of_plain_stripes_at_most_5_per_cent_stay(angle: float, period: float) -> None:
    stripes = 40 * wave((300, 340), period, angle)
    rest = destriped(128 + stripes, angle)
    assert rest.std() <= 0.05 * stripes.std()
    assert rest.mean() == pytest.approx((128 + stripes).mean(), abs=1e-3)


@pytest.mark.parametrize("angle", [5, 36.983, 80])
def test_long_stripes_go_whole_up_to_0_7_of_the_longest_period(angle: float) -> None:
    stripes = 40 * wave((512, 512), 100, angle)
    assert destriped(128 + stripes, angle, 142).std() <= 0.05 * stripes.std()


def test_the_wave_that_leaked_most() -> None:
    """512², between the bins: of the mask's stripe filter, 64 % stayed."""
    y, x = np.mgrid[:512, :512]
    stripes = 40 * np.cos(2 * np.pi * (40.5 * x - 30.5 * y) / 512 + math.pi)
    angle = math.degrees(math.atan2(30.5, 40.5))
    assert destriped(128 - stripes, angle).std() <= 0.02 * stripes.std()


@pytest.mark.parametrize("shape", [(96, 512), (512, 96), (255, 256), (64, 300)])
@pytest.mark.parametrize("angle", [3, 30, 67.5, 86])
def test_oblong_and_odd_images(shape: Shape, angle: float) -> None:
    stripes = 40 * wave(shape, 11.3, angle)
    assert destriped(128 + stripes, angle).std() <= 0.05 * stripes.std()


@pytest.mark.parametrize("angle", [7, 45, 70])
def test_stripes_over_a_scene_go_and_the_scene_stays(angle: float) -> None:
    scene = scenery((384, 384))
    alone = destriped(scene, angle)
    for period in (3.3, 13, 34):
        cosine, sine = (wave(scene.shape, period, angle, phase) for phase in (0, -math.pi / 2))
        change = destriped(scene + 15 * cosine, angle) - alone
        assert math.hypot(amplitude(change, cosine), amplitude(change, sine)) <= 0.05 * 15
        assert (alone + change - scene).std() <= 1.1 * (alone - scene).std()


@pytest.mark.parametrize("angle", [0, 22, 45, 90])
def test_stripes_without_a_period_go_too(angle: float) -> None:
    """What a faulty line sensor adds: any function of one coordinate, without long periods."""
    random, stripes = np.random.default_rng(7), np.zeros((256, 256))
    for _ in range(40):
        period, phase = math.exp(random.uniform(1, 3.5)), random.uniform(0, 2 * math.pi)
        stripes += wave(stripes.shape, period, angle, phase)
    assert destriped(stripes, angle).std() <= 0.1 * stripes.std()


@pytest.mark.parametrize("angle", [0, 13, 45, 60])
def test_white_detail_loses_the_share_that_the_mask_of_a_ray_has(angle: float) -> None:
    """A line one bin wide through the spectrum: Gaussian, of half a bin's standard deviation."""
    side = 256
    detail = np.random.default_rng(1).normal(0, 20, (side, side))
    turn = math.radians(angle)
    ray = 2 * 0.5 / max(abs(math.cos(turn)), abs(math.sin(turn)))  # in cycles per pixel
    share = math.sqrt(2 * math.pi) * 0.5 / side * ray
    lost = np.square(destriped(detail, angle, 1e6) - detail).mean() / np.square(detail).mean()
    assert lost <= 1.1 * share


def test_angles_half_a_turn_apart_are_one_filter() -> None:
    image = np.random.default_rng(2).uniform(0, 255, (50, 60))
    np.testing.assert_array_equal(destriped(image, 30), destriped(image, 210))
    np.testing.assert_array_equal(destriped(image, 0), destriped(image, 180))


def test_large_structures_and_stripes_across_stay() -> None:
    ground, across = 40 * wave((256, 256), 200, 90), 20 * wave((256, 256), 8, 0)
    image = 128 + ground + across
    np.testing.assert_allclose(destriped(image, 90), image, atol=2)


@pytest.mark.parametrize("slope", [0.0, 0.25, -0.61, 1.0])
def test_a_profile_is_the_function_that_the_image_is_made_of(slope: float) -> None:
    shape = (60, 80)
    lines = Lines(shape, slope)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 100 + 30 * np.cos(2 * np.pi * (x + slope * y) / 3.1)
    start = min(0, slope * (shape[0] - 1))
    expected = 100 + 30 * np.cos(2 * np.pi * (np.arange(lines.samples) + start) / 3.1)
    long = lines.lengths > 10
    np.testing.assert_allclose(lines.profile(image)[long], expected[long], atol=1.5)
    assert lines.counts.sum() == image.size


@pytest.mark.parametrize("length", [1, 2, 3, 7, 97, 1000, 4099, 131071])
def test_smooth_lengths_are_even_and_have_small_factors(length: int) -> None:
    found = smooth(length)
    assert found >= length
    assert found % 2 == 0
    assert found <= 1.2 * length + 2
    for factor in (2, 3, 5):
        while found % factor == 0:
            found //= factor
    assert found == 1
