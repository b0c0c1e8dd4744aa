"""Fourier ring correlation of images whose signal and noise are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.ring_correlation import THRESHOLDS, RingCorrelation, ring_correlation
from tests.support.images import noise, pink_noise

Doubles = NDArray[np.float64]
Shape = tuple[int, int]


def radius(shape: Shape) -> Doubles:
    found: Doubles = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1]))
    return found


def pair_with(ratio: Callable[[Doubles], Doubles], shape: Shape, seed: int) -> list[Doubles]:
    """Two images of one scene, each with white noise of its own.

    ``ratio`` gives the power of the scene over that of the noise at each frequency.
    """
    rng = np.random.default_rng(seed)
    white = np.fft.rfft2(rng.normal(size=shape))
    scene = np.fft.irfft2(white * np.sqrt(ratio(radius(shape))), shape)
    return [scene + rng.normal(size=shape) for _ in range(2)]


def falling(at: float) -> Callable[[Doubles], Doubles]:
    """Ratio of a scene that falls as the fourth power, and is 1/6 at a frequency."""
    return lambda q: (1 / 6) * (at / np.maximum(q, 1e-3)) ** 4


@pytest.mark.parametrize("shape", [(256, 256), (200, 331), (127, 128)])
@pytest.mark.parametrize("window", ["hann", "none"])
def test_it_is_what_the_ratio_of_signal_to_noise_says(shape: Shape, window: str) -> None:
    def ratio(q: Doubles) -> Doubles:
        return 4 * np.exp(-((q / 0.2) ** 2))

    curves = [ring_correlation(*pair_with(ratio, shape, seed), window=window) for seed in range(8)]
    found = np.mean([curve.correlation for curve in curves], axis=0)
    expected = ratio(curves[0].frequency) / (1 + ratio(curves[0].frequency))
    independent = len(curves) * curves[0].count / curves[0].correlated
    error = (1 - expected**2) / np.sqrt(independent)
    beyond = np.abs(found - expected)[5:] / error[5:]
    assert np.mean(beyond < 2) > 0.9  # of normal errors, 95 in 100 are within two deviations
    assert beyond.max() < 5


@pytest.mark.parametrize("at", [0.1, 0.2, 0.35])
def test_the_resolution_is_where_the_ratio_falls_below_the_threshold(at: float) -> None:
    """At 1/7 the ratio is 1/6."""
    found = [
        ring_correlation(*pair_with(falling(at), (384, 384), seed)).resolution("0.143")
        for seed in range(10)
    ]
    assert None not in found
    assert np.mean(np.array(found, float)) == pytest.approx(at, rel=0.06)
    assert np.std(np.array(found, float)) < 0.02


def test_half_a_bit_is_where_each_coefficient_of_the_mean_carries_it() -> None:
    """A ratio of 0.2071 in each image, 0.4142 in their mean: log2(1.4142) is one half."""
    curve = ring_correlation(*pair_with(falling(0.2), (384, 384), 0))
    many = replace(curve, count=curve.count * 10**8)
    assert many.threshold("half-bit") == pytest.approx(0.2071 / 1.2071, abs=1e-3)
    assert (curve.threshold("half-bit") > many.threshold("half-bit")).all()
    assert curve.threshold("half-bit")[0] > 2 * curve.threshold("half-bit")[-1]
    half, seventh = curve.resolution("half-bit"), curve.resolution("0.143")
    assert half is not None
    assert seventh is not None
    assert half < seventh


@pytest.mark.parametrize("shape", [(64, 64), (63, 64), (33, 130), (512, 300)])
@pytest.mark.parametrize("window", ["hann", "blackman", "none"])
def test_identical_images_correlate_fully_up_to_nyquist(shape: Shape, window: str) -> None:
    for image in (noise(shape), pink_noise(shape, np.uint16)):
        curve = ring_correlation(image, image, window=window)
        assert curve.correlation == pytest.approx(1, abs=1e-6)
        for name in THRESHOLDS:
            assert curve.resolution(name) == 0.5


@pytest.mark.parametrize("shape", [(64, 64), (256, 256), (50, 400)])
def test_unrelated_images_have_no_resolution(shape: Shape) -> None:
    for seed in range(40 if shape[0] < 256 else 10):
        curve = ring_correlation(
            noise(shape, np.float64, seed=2 * seed), noise(shape, np.float64, seed=2 * seed + 1)
        )
        assert [curve.resolution(name) for name in THRESHOLDS] == [None, None]


def test_a_detail_that_one_image_lacks_does_not_correlate() -> None:
    image = noise((256, 256), np.float64)
    coarse = np.fft.irfft2(np.fft.rfft2(image) * (radius((256, 256)) < 0.25), (256, 256))
    curve = ring_correlation(image, coarse + noise((256, 256), deviation=1e-3, seed=1))
    for name in THRESHOLDS:
        assert curve.resolution(name) == pytest.approx(0.25, abs=0.012)


def test_a_shift_takes_detail_away() -> None:
    """By s pixels along x it multiplies by the cosine of 2π fx s: in a ring, by J0(2π q s)."""
    image = noise((256, 256), np.float64)
    moved = np.roll(image, 1, axis=1)
    curve = ring_correlation(image, moved, window="none")
    zero = 2.4048 / (2 * np.pi)  # the first one of J0
    around = np.abs(curve.frequency - zero) < 0.02
    assert curve.correlation[around].mean() == pytest.approx(0, abs=0.03)
    assert curve.resolution("0.143") == pytest.approx(0.34, abs=0.02)


def test_a_negative_anticorrelates() -> None:
    image = noise((64, 80))
    curve = ring_correlation(image, 255 - image)
    assert curve.correlation == pytest.approx(-1, abs=1e-6)
    assert curve.resolution() is None


def plain(first: Doubles, second: Doubles) -> Doubles:
    """The same in plain numpy, for square images."""
    side = first.shape[0]
    weights = np.hanning(side + 1)[:-1]
    f, g = (np.fft.fft2((x - x.mean()) * np.outer(weights, weights)) for x in (first, second))
    k = np.fft.fftfreq(side, 1 / side)
    ring = np.rint(np.hypot(k[:, None], k)).astype(int).ravel()
    products = (f * g.conj()).real, np.abs(f) ** 2, np.abs(g) ** 2
    cross, power, other = (np.bincount(ring, each.ravel()) for each in products)
    curve: Doubles = cross / np.sqrt(power * other)
    return curve[1 : side // 2 + 1]


@pytest.mark.parametrize("side", [64, 101, 256])
def test_it_agrees_with_plain_numpy(side: int) -> None:
    first, second = pair_with(falling(0.2), (side, side), 3)
    curve = ring_correlation(first, second)
    expected = plain(first, second)
    if side % 2 == 0:  # the last ring of ours ends at Nyquist, that of the other one beyond
        curve_inner, expected = curve.correlation[:-1], expected[:-1]
    else:
        curve_inner = curve.correlation
    assert curve_inner == pytest.approx(expected, abs=1e-5)
    assert curve.frequency == pytest.approx(np.arange(1, side // 2 + 1) / side)


def test_counts_are_those_of_the_full_spectrum() -> None:
    curve = ring_correlation(noise((40, 64)), noise((40, 64)))
    ky, kx = np.fft.fftfreq(40)[:, None], np.fft.fftfreq(64)
    q = np.hypot(ky, kx)
    assert curve.count.sum() == np.count_nonzero((q > 0) & (q <= 0.5))


def test_constant_images_have_nothing_in_common() -> None:
    flat = np.full((40, 40), 3, np.uint8)
    for pair in ((flat, flat), (flat, noise((40, 40)))):
        curve = ring_correlation(*pair)
        assert not curve.correlation.any()
        assert curve.resolution() is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 2), (1, 64), (64, 1), (3, 500)])
def test_any_shape_gives_finite_numbers(shape: Shape) -> None:
    curve = ring_correlation(noise(shape, seed=1), noise(shape, seed=2))
    for name in THRESHOLDS:
        assert np.isfinite(curve.threshold(name)).all()
        curve.resolution(name)
    assert np.isfinite(curve.correlation).all()


@pytest.mark.parametrize("scale", [1e-200, 1e-12, 1e30, 1e200])
def test_contrast_makes_no_difference(scale: float) -> None:
    first, second = pair_with(falling(0.2), (64, 64), 4)
    expected = ring_correlation(first, second).correlation
    found = ring_correlation(first * scale, second).correlation
    assert found == pytest.approx(expected, abs=1e-5)


def test_the_number_of_threads_makes_no_difference() -> None:
    pair = noise((700, 600)), noise((700, 600), seed=1)
    one, three = (ring_correlation(*pair, threads=threads) for threads in (1, 3))
    assert (one.correlation == three.correlation).all()


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match=r"\(4, 5\) and \(5, 4\): crop or resize"):
        ring_correlation(noise((4, 5)), noise((5, 4)))
    curve: RingCorrelation = ring_correlation(noise((9, 9)), noise((9, 9)))
    with pytest.raises(ValueError, match=r"'half': should be one of 0\.143, half-bit"):
        curve.resolution("half")
