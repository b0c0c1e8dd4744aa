"""Shifts of images whose shift is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import registration

from fft_tool.measures.shift import Shift, find_shift
from tests.support.images import noise, pink_noise

LARGE = pink_noise((420, 460), np.uint16, seed=5).astype(np.float64)


def seen(right: float, down: float, shape: tuple[int, int] = (200, 256)) -> NDArray[np.float64]:
    """Part of a larger scene which lies so many pixels further to the right and down."""
    fy, fx = np.fft.fftfreq(LARGE.shape[0])[:, None], np.fft.rfftfreq(LARGE.shape[1])
    turned = np.fft.rfft2(LARGE) * np.exp(-2j * np.pi * (fy * down + fx * right))
    return np.fft.irfft2(turned, LARGE.shape)[100 : 100 + shape[0], 100 : 100 + shape[1]]


def shift_of(first: Any, second: Any, **options: Any) -> Shift:
    found = find_shift(first, second, **options)
    assert found is not None
    return found


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64])
@pytest.mark.parametrize(("down", "right"), [(0, 0), (3, -5), (-17, 40)])
def test_a_scene_that_lies_further_right_and_down_has_positive_shifts(
    down: int, right: int, dtype: Any
) -> None:
    image = noise((96, 128), dtype)
    found = shift_of(image, np.roll(image, (down, right), axis=(0, 1)), window="none")
    assert (found.right, found.down) == pytest.approx((right, down), abs=1e-3)
    assert found.peak == pytest.approx(1, abs=1e-3)
    assert found.reliable


@pytest.mark.parametrize("shape", [(200, 256), (199, 255), (64, 250)])
@pytest.mark.parametrize(("right", "down"), [(0.25, 0.5), (-3.3, 5.7), (-9.71, -4.06)])
def test_fractions_of_a_pixel_are_found_although_new_things_come_into_view(
    right: float, down: float, shape: tuple[int, int]
) -> None:
    found = shift_of(seen(0, 0, shape), seen(right, down, shape))
    assert (found.right, found.down) == pytest.approx((right, down), abs=0.03)
    assert found.reliable


def test_the_shift_back_is_the_opposite_one() -> None:
    there, back = (shift_of(*pair) for pair in ((seen(0, 0), seen(4.4, -2.3)),) * 1 for _ in "ab")
    again = shift_of(seen(4.4, -2.3), seen(0, 0))
    assert there == back
    assert (again.right, again.down) == pytest.approx((-there.right, -there.down), abs=1e-3)


@pytest.mark.parametrize("noisy", [0, 300, 2000])
@pytest.mark.parametrize("shape", [(128, 128), (121, 150)])
def test_without_a_window_it_is_that_of_scikit_image_with_opposite_signs(
    shape: tuple[int, int], noisy: float
) -> None:
    image = pink_noise(shape, np.uint16).astype(np.float64)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])
    turned = np.fft.rfft2(image) * np.exp(-2j * np.pi * (fy * 2.37 - fx * 4.61))
    moved = np.fft.irfft2(turned, shape) + np.random.default_rng(1).normal(scale=noisy, size=shape)
    reference: Any = registration
    peer = reference.phase_cross_correlation(image, moved, upsample_factor=100)[0]
    found = shift_of(image, moved, window="none")
    assert (-found.down, -found.right) == pytest.approx(tuple(peer), abs=0.011)


def test_with_a_window_it_is_that_of_scikit_image_for_windowed_images() -> None:
    first, second = seen(0, 0), seen(2.4, -1.2)
    height, width = first.shape
    window = np.outer(*(np.hanning(side + 1)[:-1] for side in (height, width)))
    faded = [(image - image.mean()) * window for image in (first, second)]
    reference: Any = registration
    peer = reference.phase_cross_correlation(*faded, upsample_factor=100)[0]
    found = shift_of(first, second)
    assert (-found.down, -found.right) == pytest.approx(tuple(peer), abs=0.011)


@pytest.mark.parametrize("window", ["hann", "hamming", "blackman", "tukey", "none"])
def test_unrelated_images_are_hardly_ever_reliable(window: str) -> None:
    """Fewer than one in 1000 pairs, by the threshold; none of 120 here."""
    for seed in range(40):
        for make in (noise, pink_noise):
            pair = (make((48, 80), np.uint8, seed=100 * seed + each) for each in (1, 2))
            assert not shift_of(*pair, window=window).reliable


def test_noise_that_hides_the_scene_lowers_the_peak_but_not_the_shift() -> None:
    rng = np.random.default_rng(0)
    peaks = []
    for deviation in (0, 500, 3000):
        pair = (
            image + rng.normal(scale=deviation or 1e-9, size=image.shape)
            for image in (seen(0, 0), seen(6, 2))
        )
        found = shift_of(*pair)
        assert (found.right, found.down) == pytest.approx((6, 2), abs=0.1)
        assert found.reliable
        peaks.append(found.peak)
    assert peaks == sorted(peaks, reverse=True)


def test_a_negative_has_a_negative_peak() -> None:
    image = noise((64, 64))
    found = shift_of(image, 255 - np.roll(image, 2, axis=0), window="none")
    assert (found.right, found.down, found.peak) == pytest.approx((0, 2, -1), abs=1e-3)


def test_brightness_contrast_and_depth_make_no_difference() -> None:
    first, second = seen(0, 0), seen(2.5, 3.25)
    plain = shift_of(first, second)
    for other in (1e-12 * second + 5, 1e15 * second, (second / 2).astype(np.uint16)):
        found = shift_of(first, other)
        assert (found.right, found.down) == pytest.approx((plain.right, plain.down), abs=0.01)


def test_constant_images_have_no_shift() -> None:
    flat = np.full((20, 30), 9, np.uint8)
    assert find_shift(flat, flat) is None
    assert find_shift(noise((20, 30)), flat) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (1, 64), (2, 2), (3, 5), (64, 1), (257, 3)])
def test_any_shape_gives_finite_numbers(shape: tuple[int, int]) -> None:
    found = find_shift(noise(shape, seed=1), noise(shape, seed=2))
    assert found is None or np.isfinite([found.right, found.down, found.peak]).all()


def test_the_number_of_threads_makes_no_difference() -> None:
    pair = noise((700, 600)), noise((700, 600), seed=1)
    assert find_shift(*pair, threads=3) == find_shift(*pair)


def test_images_of_different_shapes_are_refused_with_both_named() -> None:
    with pytest.raises(ValueError, match=r"\(4, 5\) and \(5, 4\): crop or resize"):
        find_shift(noise((4, 5)), noise((5, 4)))
