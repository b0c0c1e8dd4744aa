from __future__ import annotations

import tracemalloc
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.measures.polar import polar_power
from fft_tool.measures.radial import (
    RadialProfile,
    fit_slope,
    high_frequency_fraction,
    radial_profile,
)
from fft_tool.spectrum.half import Spectrum, frequencies
from tests.support.images import noise

# Oracles that have no types: imported by name, so that mypy takes what they hold as Any.
ndimage = import_module("scipy.ndimage")
fft = import_module("scipy.fft")

SHAPES = [(1, 1), (1, 2), (1, 9), (8, 1), (2, 2), (3, 4), (7, 7), (16, 16), (31, 64), (64, 45)]
FLAT = [(1, 1), (1, 7), (5, 1), (64, 64), (127, 131), (100, 150)]


def transformed(image: NDArray[np.float64], dtype: type = np.float64) -> Spectrum:
    return Spectrum(fft.rfft2(image.astype(dtype)), image.shape[1])


def falling(shape: tuple[int, int], beta: float, seed: int) -> NDArray[np.float64]:
    """Image with random phases and exactly the power f^-beta."""
    fy, fx = frequencies(shape)
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1.0
    half = fft.rfft2(np.random.default_rng(seed).standard_normal(shape))
    image: NDArray[np.float64] = fft.irfft2(half / np.abs(half) * frequency ** (-beta / 2), shape)
    return image


def full_plane(image: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Periodogram and radius, in cycles per pixel · max(h, w), of every coefficient."""
    height, width = image.shape
    longest = max(image.shape)
    ky = np.abs(np.fft.fftfreq(height, 1 / height)).round()
    kx = np.abs(np.fft.fftfreq(width, 1 / width)).round()
    radius = np.sqrt((kx[None, :] * longest / width) ** 2 + (ky[:, None] * longest / height) ** 2)
    return np.abs(np.fft.fft2(image)) ** 2 / image.size, radius


def profile(power: NDArray[np.floating[Any]], std: float = 0.0) -> RadialProfile:
    mean = power.astype(np.float64)
    rings = np.arange(1, len(mean) + 1)
    return RadialProfile(
        frequency=rings / (2 * len(mean)),
        mean=mean,
        std=std * mean,
        count=np.rint(2 * np.pi * rings).astype(np.int64),
        background=mean,
        rounding=0.0,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_rings_agree_with_labelled_statistics_of_the_full_plane(shape: tuple[int, int]) -> None:
    image = noise(shape, float)
    power, radius = full_plane(image)
    found = radial_profile(transformed(image))
    rings = np.arange(1, max(shape) // 2 + 1)
    labels = np.where(radius <= max(shape) / 2, np.ceil(radius - 0.5), -1)
    assert found.frequency == pytest.approx(rings / max(shape))
    for ring, count, mean, std in zip(rings, found.count, found.mean, found.std, strict=True):
        assert count == np.count_nonzero(labels == ring)
        assert mean == pytest.approx(ndimage.mean(power, labels, ring), rel=1e-11)
        assert std == pytest.approx(
            ndimage.standard_deviation(power, labels, ring), rel=1e-9, abs=2e-7 * mean
        )


@pytest.mark.parametrize("shape", SHAPES)
def test_rings_hold_all_of_the_plane_but_dc_and_corners(shape: tuple[int, int]) -> None:
    _, radius = full_plane(noise(shape, float))
    inside = np.count_nonzero((radius > 0) & (radius <= max(shape) / 2))
    assert radial_profile(transformed(noise(shape, float))).count.sum() == inside


@pytest.mark.parametrize("sectors", [1, 2, 7, 36])
@pytest.mark.parametrize("shape", SHAPES)
def test_polar_sums_do_not_depend_on_sectors(shape: tuple[int, int], sectors: int) -> None:
    spectrum = transformed(noise(shape, float))
    found, usual = polar_power(spectrum, sectors), polar_power(spectrum)
    assert found.count.sum(axis=1) == pytest.approx(usual.count.sum(axis=1))
    assert found.power.sum(axis=1) == pytest.approx(usual.power.sum(axis=1))


def test_single_precision_spectrum_gives_the_same_profile_to_single_precision() -> None:
    image = noise((60, 81), float)
    single, double = (radial_profile(transformed(image, dtype)) for dtype in (np.float32, float))
    assert single.mean == pytest.approx(double.mean, rel=1e-4)


def test_profile_of_sums_beyond_single_precision_is_exact() -> None:
    half = np.ones((600, 301), np.complex64)
    half[1:, 1:-1] *= 4099.0 + 4099.0j  # its square has more digits than a float32
    found = radial_profile(Spectrum(half, 600))
    power, radius = (
        np.full((600, 600), 2 * 4099.0**2 / 360_000),
        full_plane(np.zeros((600, 600)))[1],
    )
    power[0, :] = power[:, 0] = 1 / 360_000
    ring = (radius > 99.5) & (radius <= 100.5)
    assert found.mean[99] == pytest.approx(power[ring].mean(), rel=1e-13)


def test_sharp_lines_do_not_raise_the_background_of_their_rings() -> None:
    y, x = np.mgrid[:128, :128]
    image = noise((128, 128), float)
    lines = 2000 * (np.cos(2 * np.pi * x / 4) + np.cos(2 * np.pi * y / 4))
    plain, lined = radial_profile(transformed(image)), radial_profile(transformed(image + lines))
    assert lined.mean[31] > 100 * plain.mean[31]
    assert lined.background[31] == pytest.approx(plain.background[31], rel=0.2)


@pytest.mark.parametrize("shape", FLAT)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [0.0, 1 / 3, 77.7, 255.0])
def test_constant_image_has_no_power_slope_or_fraction(
    shape: tuple[int, int], dtype: type, level: float
) -> None:
    spectrum = transformed(np.full(shape, level), dtype)
    found = radial_profile(spectrum)
    assert not np.any([found.mean, found.std, found.background])
    assert fit_slope(found) is None
    assert high_frequency_fraction(spectrum) is None


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(32, 160),
    width=st.integers(32, 160),
    beta=st.floats(0, 3),
    seed=st.integers(0, 9),
)
def test_power_law_gives_its_exponent_back(height: int, width: int, beta: float, seed: int) -> None:
    spectrum = transformed(falling((height, width), beta, seed), np.float32)
    slope = fit_slope(radial_profile(spectrum))
    assert slope is not None
    assert slope.beta == pytest.approx(beta, abs=0.05)


@settings(max_examples=20, deadline=None)
@given(short=st.integers(1, 30), width=st.integers(100, 400), beta=st.floats(0, 3))
def test_oblong_power_law_gives_its_exponent_back(short: int, width: int, beta: float) -> None:
    for shape in ((short, width), (width, short)):
        slope = fit_slope(radial_profile(transformed(falling(shape, beta, 1))))
        assert slope is not None
        assert slope.beta == pytest.approx(beta, abs=0.05)


@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0, 3.0])
def test_slopes_of_gaussian_images_scatter_around_the_truth_as_their_errors_say(
    beta: float,
) -> None:
    fy, fx = frequencies((96, 120))
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1.0
    deviations = []
    for seed in range(30):
        half = fft.rfft2(np.random.default_rng(seed).standard_normal((96, 120)))
        slope = fit_slope(radial_profile(Spectrum(half * frequency ** (-beta / 2), 120)))
        assert slope is not None
        deviations.append((slope.beta - beta) / slope.error)
    assert abs(np.mean(deviations)) < 0.6  # three standard errors
    assert 0.6 < np.std(deviations) < 1.5


def test_logarithm_of_a_mean_is_corrected_by_the_rings_own_variance() -> None:
    mean = np.arange(1, 65) ** -2.0
    exact, noisy = profile(mean), profile(mean, std=1.0)
    exact_slope, noisy_slope = fit_slope(exact), fit_slope(noisy)
    assert exact_slope is not None
    assert noisy_slope is not None
    assert exact_slope.beta == pytest.approx(2, abs=1e-12)
    rings, weight = np.arange(4, 58), noisy.count[3:57]
    line = np.polyfit(
        np.log(rings), np.log(mean[3:57]) + 1 / noisy.count[3:57], 1, w=np.sqrt(weight)
    )
    assert noisy_slope.beta == pytest.approx(-line[0], rel=1e-9)


def test_slope_and_error_agree_with_numpys_weighted_fit() -> None:
    rng = np.random.default_rng(5)
    mean = np.exp(rng.normal(0, 0.1, 100)) / np.arange(1, 101)
    found = profile(mean)
    band = (found.frequency >= 0.1) & (found.frequency <= 0.4)
    line, covariance = np.polyfit(
        np.log(found.frequency[band]),
        np.log(found.mean[band]),
        1,
        w=np.sqrt(found.count[band]),
        cov=True,
    )
    slope = fit_slope(found, low=0.1, high=0.4)
    assert slope is not None
    assert slope.beta == pytest.approx(-line[0])
    assert slope.error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert (slope.low, slope.high, slope.bins) == (0.1, 0.4, int(np.count_nonzero(band)))


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (9, 9), (3, 12), (16, 1)])
def test_too_few_rings_have_no_slope(shape: tuple[int, int]) -> None:
    assert fit_slope(radial_profile(transformed(noise(shape, float)))) is None


def test_single_wave_has_no_slope() -> None:
    wave = 128 + 100 * np.cos(2 * np.pi * np.arange(64) / 8)[None, :].repeat(64, 0)
    assert fit_slope(radial_profile(transformed(wave, np.float32))) is None


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_high_frequency_fraction_agrees_with_the_full_plane(shape: tuple[int, int]) -> None:
    image = noise(shape, float)
    power, radius = full_plane(image)
    high = power[radius > max(shape) / 4].sum() / power[radius > 0].sum()
    assert high_frequency_fraction(transformed(image)) == pytest.approx(high, rel=1e-11)


def test_quarter_cycle_counts_as_low_and_corners_as_high() -> None:
    y, x = np.mgrid[:20, :24]
    assert high_frequency_fraction(transformed(np.cos(np.pi * x / 2))) == pytest.approx(0)
    assert high_frequency_fraction(transformed((-1.0) ** (x + y))) == pytest.approx(1)


def test_white_spectrum_has_the_share_of_high_frequencies_that_its_area_has() -> None:
    fraction = high_frequency_fraction(Spectrum(np.ones((400, 151), np.complex64), 300))
    assert fraction == pytest.approx(1 - np.pi / 16, abs=1e-3)


def test_temporaries_stay_small_for_large_spectra() -> None:
    spectrum = Spectrum(np.ones((3000, 1501), np.complex64), 3000)
    tracemalloc.start()
    try:
        radial_profile(spectrum)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12e6
