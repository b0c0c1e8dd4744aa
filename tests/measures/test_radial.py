from __future__ import annotations

import tracemalloc
from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.polar import polar_power
from fft_tool.measures.radial import (
    high_fraction_of,
    high_frequency_fraction,
    profile_of,
    radial_profile,
)
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.choices import WINDOWS
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.preparation import window_weights
from tests.support.images import noise

# Oracles that have no types: imported by name, so that mypy takes what they hold as Any.
ndimage = import_module("scipy.ndimage")
fft = import_module("scipy.fft")
data = import_module("skimage.data")

SHAPES = [(1, 1), (1, 2), (1, 9), (8, 1), (2, 2), (3, 4), (7, 7), (16, 16), (31, 64), (64, 45)]
FLAT = [(1, 1), (1, 7), (5, 1), (64, 64), (127, 131), (100, 150)]


def transformed(image: NDArray[np.float64], dtype: type = np.float64) -> Spectrum:
    return Spectrum(fft.rfft2(image.astype(dtype)), image.shape[1])


def full_plane(image: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Periodogram of the tapered image, and radius in cycles per pixel · max(h, w)."""
    height, width = image.shape
    longest = max(image.shape)
    ky = np.abs(np.fft.fftfreq(height, 1 / height)).round()
    kx = np.abs(np.fft.fftfreq(width, 1 / width)).round()
    radius = np.sqrt((kx[None, :] * longest / width) ** 2 + (ky[:, None] * longest / height) ** 2)
    sides = [window_weights("hann" if n >= 8 else "none", n) for n in image.shape]
    weights = np.multiply.outer(*sides)
    faded = (image - image.mean()) * weights / np.sqrt(np.mean(weights**2))
    power = np.abs(np.fft.fft2(faded)) ** 2 / image.size
    power[0, 0] = 0.0
    return power, radius


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
    found, usual = (polar_power(tapered(spectrum), n) for n in (sectors, 36))
    assert found.count.sum(axis=1) == pytest.approx(usual.count.sum(axis=1))
    assert found.power.sum(axis=1) == pytest.approx(usual.power.sum(axis=1))


def test_single_precision_spectrum_gives_the_same_profile_to_single_precision() -> None:
    image = noise((60, 81), float)
    single, double = (radial_profile(transformed(image, dtype)) for dtype in (np.float32, float))
    assert single.mean == pytest.approx(double.mean, rel=1e-4)


def test_profile_of_sums_beyond_single_precision_is_exact() -> None:
    half = np.ones((600, 301), np.complex64)
    half[1:, 1:-1] *= 4099.0 + 4099.0j  # its square has more digits than a float32
    found = profile_of(polar_power(tapered(Spectrum(half, 600), taper=False)))
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
def test_constant_image_has_no_power_and_no_fraction(
    shape: tuple[int, int], dtype: type, level: float
) -> None:
    spectrum = transformed(np.full(shape, level), dtype)
    found = radial_profile(spectrum)
    assert not np.any([found.mean, found.std, found.background])
    assert high_frequency_fraction(spectrum) is None


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_high_frequency_fraction_agrees_with_the_full_plane(shape: tuple[int, int]) -> None:
    image = noise(shape, float)
    power, radius = full_plane(image)
    high = power[radius > max(shape) / 4].sum() / power[radius > 0].sum()
    assert high_frequency_fraction(transformed(image)) == pytest.approx(high, rel=1e-11)


def test_quarter_cycle_counts_as_low_and_corners_as_high() -> None:
    y, x = np.mgrid[:20, :24]
    quarter, corner = np.cos(np.pi * x / 2), (-1.0) ** (x + y)
    for image, share in ((quarter, 0), (corner, 1)):
        polar = polar_power(tapered(transformed(image), taper=False))
        assert high_fraction_of(polar) == pytest.approx(share)


def test_white_spectrum_has_the_share_of_high_frequencies_that_its_area_has() -> None:
    white = Spectrum(np.ones((400, 151), np.complex64), 300)
    fraction = high_fraction_of(polar_power(tapered(white, taper=False)))
    assert fraction == pytest.approx(1 - np.pi / 16, abs=1e-3)
    noisy = transformed(np.random.default_rng(8).normal(128, 30, (300, 400)))
    assert high_frequency_fraction(noisy) == pytest.approx(1 - np.pi / 16, abs=0.01)


def test_jumps_at_the_border_are_not_fine_detail() -> None:
    y, x = np.mgrid[:96, :128]
    ramp = 2.0 * x + y
    assert high_frequency_fraction(transformed(ramp)) == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("window", WINDOWS)
def test_energy_of_rounding_is_not_fine_detail(window: str) -> None:
    y, x = np.mgrid[:160, :160] / 160
    smooth = 128 + 60 * np.cos(2 * np.pi * (x + 2 * y)) + 20 * np.cos(2 * np.pi * (3 * x - y))
    weights = np.multiply.outer(window_weights(window, 160), window_weights(window, 160))
    spectrum = transformed(np.rint(smooth) * weights)
    assert high_frequency_fraction(spectrum, window=window) != 0
    assert high_frequency_fraction(spectrum, window=window, step=1.0) == 0


def test_images_with_less_power_than_rounding_adds_are_taken_as_exact() -> None:
    star = np.zeros((64, 64))
    star[30, 40] = 5
    expected = pytest.approx(1 - np.pi / 16, abs=0.01)
    assert high_frequency_fraction(transformed(star), step=1.0) == expected


@pytest.mark.parametrize("name", ["camera", "coins", "grass", "moon"])
def test_blur_takes_fine_detail_away_down_to_nothing(name: str) -> None:
    photograph = getattr(data, name)()[:256, :256].astype(np.float64)
    blurred = [ndimage.gaussian_filter(photograph, sigma) for sigma in (0, 0.5, 1, 2, 4, 8)]
    shares = [high_frequency_fraction(transformed(np.rint(image)), step=1.0) for image in blurred]
    numbers = [share for share in shares if share is not None]
    assert len(numbers) == 6
    assert numbers == sorted(numbers, reverse=True)
    assert numbers[-1] == 0


def test_temporaries_stay_small_for_large_spectra() -> None:
    spectrum = Spectrum(np.ones((3000, 1501), np.complex64), 3000)
    tracemalloc.start()
    try:
        radial_profile(spectrum)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12e6
