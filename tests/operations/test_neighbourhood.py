"""Blur, sharpening and edges, compared with scipy, OpenCV and scikit-image."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import filters

from fft_tool.operations import convolution
from fft_tool.operations.convolution import gaussian_kernel, mirrored
from fft_tool.operations.gaussian import is_direct
from fft_tool.operations.operation import Layout
from tests.support.images import noise
from tests.support.operations import (
    CHANNELS,
    DTYPES,
    SHAPES,
    Reals,
    applied,
    assert_close,
    random_image,
    rounded,
)

sobel: Any = filters.sobel
unsharp_mask: Any = filters.unsharp_mask

SIGMAS = (0.3, 1, 3, 4.2, 30)  # from less than a pixel to wider than the images


def blurred(pixels: Any, sigma: float) -> Reals:
    """Scipy's Gaussian, with alpha as weights of the colours."""
    channels = pixels.shape[2]
    real, white = pixels.astype(np.float64), float(np.iinfo(pixels.dtype).max)
    if channels in (2, 4):
        real[:, :, :-1] *= real[:, :, -1:] / white
    sigmas = (sigma, sigma, 0)
    found = ndimage.gaussian_filter(real, sigmas, mode="reflect", truncate=4.0)
    if channels in (2, 4):
        alpha = found[:, :, -1:]
        shown = alpha >= 0.5
        found[:, :, :-1] = np.where(shown, found[:, :, :-1] * white / np.where(shown, alpha, 1), 0)
    return np.asarray(found)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("sigma", SIGMAS)
def test_blur_is_scipy_s_gaussian_filter(dtype: Any, channels: int, sigma: float) -> None:
    for shape in SHAPES:
        pixels = random_image(shape, channels, dtype)
        expected = rounded(blurred(pixels, sigma), int(np.iinfo(dtype).max))
        assert_close(applied(f"blur:{sigma}", pixels), expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_blur_is_opencv_s(dtype: Any) -> None:
    pixels = noise((61, 83, 3), dtype)
    expected = cv2.GaussianBlur(
        pixels.astype(np.float64), (25, 25), 3.0, borderType=cv2.BORDER_REFLECT
    )
    assert_close(applied("blur:3", pixels), rounded(expected, int(np.iinfo(dtype).max)))


@pytest.mark.parametrize("sigma", [0.5, 1.7, 4])
def test_both_ways_to_convolve_give_the_same(sigma: float, monkeypatch: pytest.MonkeyPatch) -> None:
    images = [random_image(shape, 4, np.uint16) for shape in SHAPES]
    taps = [applied(f"blur:{sigma}", pixels) for pixels in images]
    monkeypatch.setattr(convolution, "is_direct", lambda *_: False)
    for pixels, expected in zip(images, taps, strict=True):
        assert_close(applied(f"blur:{sigma}", pixels), expected.astype(np.int64))


def test_long_rows_are_convolved_by_transform_so_that_memory_is_bounded() -> None:
    assert is_direct(Layout(3000, 4000, 3, 1), 4)
    assert not is_direct(Layout(30, 3_000_000, 3, 1), 4)
    assert not is_direct(Layout(30, 30, 3, 1), 4.2)


def test_the_kernel_is_a_sampled_gaussian_with_the_sum_one() -> None:
    weights = gaussian_kernel(2.0)
    assert weights.size == 1 + 8
    assert weights[0] + 2 * weights[1:].sum() == pytest.approx(1, abs=1e-15)
    assert weights[2] / weights[0] == pytest.approx(np.exp(-0.5))


def test_lines_are_mirrored_as_often_as_needed() -> None:
    assert mirrored(-5, 8, 3).tolist() == [1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0, 1]
    assert mirrored(-2, 3, 1).tolist() == [0] * 5


@pytest.mark.parametrize("text", ["blur:3", "blur:20", "sharpen:2,3", "resize:50%", "rotate:20"])
def test_colours_of_transparent_pixels_do_not_bleed(text: str) -> None:
    """Opaque blue beside transparent red."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[:, :32] = (255, 0, 0, 0)
    pixels[:, 32:] = (0, 0, 255, 255)
    result = applied(text, pixels)
    shown = result[:, :, 3] > 0
    assert shown.any()
    assert result[shown][:, 0].max() == 0
    assert result[shown][:, 2].min() >= 254


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("amount", "sigma"), [(1, 1), (1.5, 2), (0.5, 9)])
def test_sharpen_is_scikit_image_s_unsharp_mask(
    dtype: Any, channels: int, amount: float, sigma: float
) -> None:
    white = int(np.iinfo(dtype).max)
    for shape in SHAPES:
        pixels = noise((*shape, channels), dtype)
        expected = unsharp_mask(
            pixels.astype(np.float64), sigma, amount, preserve_range=True, channel_axis=2
        )
        assert_close(applied(f"sharpen:{amount},{sigma}", pixels), rounded(expected, white))


def test_sharpen_with_alpha_takes_the_weighted_blur_away() -> None:
    pixels = random_image((30, 40), 4, np.uint8)
    real = pixels[:, :, :3].astype(float)
    expected = real + 2 * (real - blurred(pixels, 1.5)[:, :, :3])
    assert_close(applied("sharpen:2,1.5", pixels)[:, :, :3], rounded(expected, 255))


def test_sharpen_by_nothing_changes_nothing() -> None:
    pixels = random_image((30, 40), 4, np.uint16)
    np.testing.assert_array_equal(applied("sharpen:0", pixels), pixels)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_edges_are_scikit_image_s_sobel(dtype: Any, shape: tuple[int, int]) -> None:
    """Which divides the sum of squares by 2, the number of axes."""
    pixels, white = noise((*shape, 1), dtype), int(np.iinfo(dtype).max)
    expected = sobel(pixels[:, :, 0].astype(np.float64)) * np.sqrt(2)
    assert_close(applied("edges", pixels)[:, :, 0], rounded(expected, white))


def test_edges_of_colours_are_those_of_their_luma_over_black() -> None:
    pixels = random_image((30, 40), 4, np.uint16)
    real = pixels.astype(np.float64)
    luma = (real[:, :, :3] * np.array([19595, 38470, 7471]) / 65536).sum(axis=2)
    luma *= real[:, :, 3] / 65535
    along, down = (
        cv2.Sobel(luma, cv2.CV_64F, x, 1 - x, ksize=3, borderType=cv2.BORDER_REFLECT)
        for x in (1, 0)
    )
    result = applied("edges", pixels)
    assert_close(result[:, :, 0], rounded(np.hypot(along, down) / 4, 65535))
    np.testing.assert_array_equal(result[:, :, 1], pixels[:, :, 3])


def test_a_step_from_black_to_white_gives_white_on_both_sides() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:, 4:] = 255
    assert applied("edges", pixels)[3, :, 0].tolist() == [0, 0, 0, 255, 255, 0, 0, 0]
