from __future__ import annotations

import json
from importlib import import_module

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.measures.orientation import (
    Orientation,
    angle_of,
    orientation,
    orientation_of,
    round_angle,
)
from fft_tool.measures.polar import polar_power
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.half import Spectrum, frequencies, multiplicity

fft = import_module("scipy.fft")

SHAPES = [(128, 128), (127, 131), (64, 256), (300, 90), (200, 201)]


def transformed(image: NDArray[np.float64], dtype: type = np.float64) -> Spectrum:
    return Spectrum(fft.rfft2(image.astype(dtype)), image.shape[1])


def wave(shape: tuple[int, int], kx: float, ky_up: float) -> NDArray[np.float64]:
    y, x = np.mgrid[: shape[0], : shape[1]]
    image: NDArray[np.float64] = np.cos(2 * np.pi * (kx * x / shape[1] - ky_up * y / shape[0]) + 1)
    return image


def isotropic(shape: tuple[int, int], beta: float) -> Spectrum:
    """Spectrum whose power is exactly f^-beta."""
    fy, fx = frequencies(shape)
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1.0
    return Spectrum((frequency ** (-beta / 2)).astype(np.complex64), shape[1])


def found_in(spectrum: Spectrum, bins: int = 36) -> Orientation:
    found = orientation(spectrum, bins)
    assert found is not None
    return found


def untapered(spectrum: Spectrum) -> Orientation:
    found = orientation_of(polar_power(tapered(spectrum, taper=False)))
    assert found is not None
    return found


def apart(one: float, other: float) -> float:
    """Angle between two directions that are the same when reversed."""
    return abs((one - other + 90) % 180 - 90)


@settings(max_examples=60, deadline=None)
@example(height=49, width=35, kx=0, ky=6, bins=180)
@given(
    height=st.integers(32, 60),
    width=st.integers(32, 60),
    kx=st.integers(-10, 10),
    ky=st.integers(-10, 10).filter(lambda k: abs(k) > 1),
    bins=st.sampled_from([1, 4, 18, 36, 180]),
)
def test_single_wave_has_its_exact_angle_and_the_largest_bin(
    height: int, width: int, kx: int, ky: int, bins: int
) -> None:
    found = found_in(transformed(wave((height, width), kx, ky)), bins)
    angle = np.degrees(np.arctan2(ky / height, kx / width)) % 180
    assert apart(found.angle, angle) < 1e-6
    assert found.anisotropy == pytest.approx(1, abs=1e-9)
    largest = float(found.angles[int(np.argmax(found.histogram))])
    # The taper spreads the wave over the eight neighbours of its coefficient.
    spread = [
        apart(float(np.degrees(np.arctan2((ky + dy) / height, (kx + dx) / width))), angle)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    ]
    assert apart(largest, angle) <= 90 / bins + (max(spread) if bins > 4 else 0.0) + 1e-4


@pytest.mark.parametrize(
    ("kx", "ky", "angle"), [(24, 0, 0), (0, 24, 90), (20, 20, 45), (-20, 20, 135)]
)
def test_stripes_have_the_angle_of_their_wave_vector_with_y_up(
    kx: int, ky: int, angle: float
) -> None:
    found = found_in(transformed(100 + wave((64, 64), kx, ky), np.float32))
    assert apart(found.angle, angle) < 1e-4
    assert 0 <= found.angle < 180
    assert found.histogram[int(angle / 5)] > 0.94


@pytest.mark.parametrize(("beta", "unevenness"), [(0.0, 1e-6), (1.0, 0.06), (2.0, 0.1)])
@pytest.mark.parametrize("shape", SHAPES)
def test_isotropic_spectrum_is_flat_whatever_the_images_shape(
    shape: tuple[int, int], beta: float, unevenness: float
) -> None:
    found = untapered(isotropic(shape, beta))
    assert found.histogram * 36 == pytest.approx(1, abs=unevenness)
    assert found.anisotropy < 0.01


@pytest.mark.parametrize("shape", SHAPES)
def test_white_noise_is_flat_within_its_scatter(shape: tuple[int, int]) -> None:
    histograms = [
        found_in(transformed(np.random.default_rng(seed).normal(128, 30, shape))).histogram
        for seed in range(24)
    ]
    assert np.mean(histograms, axis=0) * 36 == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("shape", [(8, 8), (9, 14), (40, 31)])
def test_angle_and_anisotropy_agree_with_a_sum_over_every_coefficient(
    shape: tuple[int, int],
) -> None:
    image = np.random.default_rng(1).uniform(0, 255, shape)
    power = np.abs(np.fft.fft2(image)) ** 2
    fy, fx = -np.fft.fftfreq(shape[0])[:, None], np.fft.fftfreq(shape[1])[None, :]
    weighted = np.where(np.hypot(fx, fy) <= 0.5, power * (fx**2 + fy**2), 0.0)
    moment = (weighted * np.exp(2j * np.arctan2(fy, fx))).sum() / weighted.sum()
    found = untapered(transformed(image))
    assert found.anisotropy == pytest.approx(abs(moment), rel=1e-9)
    assert apart(found.angle, float(np.degrees(np.angle(moment)) / 2)) < 1e-6


def test_tensor_is_that_of_the_images_gradient() -> None:
    # Smooth enough to have no power in the corners, so that Parseval holds without them.
    half = fft.rfft2(np.random.default_rng(2).standard_normal((48, 60)))
    fy, fx = frequencies((48, 60))
    half *= (np.hypot(fy, fx) < 0.4) * (1 + fx)
    along_x, along_y = (fft.irfft2(2j * np.pi * f * half, (48, 60)) for f in (fx, fy))
    products = [(a * b).sum() for a, b in ((along_x,) * 2, (along_x, along_y), (along_y,) * 2)]
    expected = np.array(products) / (products[0] + products[2])
    assert untapered(Spectrum(half, 60)).tensor == pytest.approx(tuple(expected), rel=1e-9)


def test_corners_do_not_count() -> None:
    half = np.ones((64, 33), np.complex64)
    fy, fx = frequencies((64, 64))
    brighter = np.where(np.hypot(fy, fx) > 0.5, 100, half).astype(np.complex64)
    plain, bright = untapered(Spectrum(half, 64)), untapered(Spectrum(brighter, 64))
    assert np.array_equal(plain.histogram, bright.histogram)
    assert plain.tensor == bright.tensor


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    bins=st.integers(1, 40),
    seed=st.integers(0, 5),
)
def test_result_is_normalised_for_every_shape(
    height: int, width: int, bins: int, seed: int
) -> None:
    image = np.random.default_rng(seed).uniform(0, 255, (height, width))
    found = orientation(transformed(image), bins)
    if height == width == 1:
        assert found is None
        return
    assert found is not None
    assert found.histogram.sum() == pytest.approx(1)
    assert found.histogram.min() >= 0
    assert 0 <= found.angle < 180
    assert 0 <= found.anisotropy <= 1
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(("shape", "angle"), [((1, 50), 0.0), ((50, 1), 90.0)])
def test_lines_of_pixels_have_one_direction(shape: tuple[int, int], angle: float) -> None:
    found = found_in(transformed(np.random.default_rng(0).uniform(0, 255, shape)))
    assert (found.angle, found.anisotropy) == (angle, 1.0)


@pytest.mark.parametrize("image", [np.zeros((9, 9)), np.full((31, 17), 99.9), np.ones((1, 1))])
def test_constant_image_has_no_orientation(image: NDArray[np.float64]) -> None:
    assert orientation(transformed(image, np.float32)) is None


def test_checkerboard_whose_only_wave_is_beyond_nyquist_has_no_orientation() -> None:
    y, x = np.mgrid[:32, :32]
    assert orientation(transformed(255.0 * ((x + y) % 2), np.float32)) is None


def test_mirrored_and_turned_images_have_mirrored_and_turned_orientations() -> None:
    rng = np.random.default_rng(3)
    half = fft.rfft2(rng.standard_normal((64, 64)))
    fy, fx = frequencies((64, 64))
    image = fft.irfft2(half * (np.abs(fx + 0.5 * fy) < 0.05), (64, 64))
    found = found_in(transformed(image))
    back = -np.arange(64)  # about the first pixel, where the window begins
    assert apart(found_in(transformed(image[:, back])).angle, -found.angle) < 1e-6
    assert apart(found_in(transformed(image.T[back])).angle, found.angle + 90) < 1e-6


@pytest.mark.parametrize("angle", [10.0, 37.0, 80.0, 143.0])
@pytest.mark.parametrize("shape", [(64, 64), (50, 140), (200, 40)])
def test_stripes_that_do_not_fit_the_frame_have_one_direction(
    shape: tuple[int, int], angle: float
) -> None:
    periods = np.cos(np.radians(angle)) * shape[1] / 7.3, np.sin(np.radians(angle)) * shape[0] / 7.3
    found = found_in(transformed(100 + wave(shape, *periods)))
    assert apart(found.angle, angle) < 0.2
    assert found.anisotropy > 0.99


@pytest.mark.parametrize(("kx", "ky", "angle"), [(1, 0, 0), (0, 1, 90), (3, 1, 18.43)])
def test_shading_has_the_direction_of_its_gradient(kx: int, ky: int, angle: float) -> None:
    y, x = np.mgrid[:64, :64]
    found = found_in(transformed(1.0 * (kx * x - ky * y)))
    assert apart(found.angle, angle) < 5
    assert found.anisotropy > 0.9


def test_oblong_pixels_turn_the_physical_angle() -> None:
    found = found_in(transformed(wave((64, 64), 8, 8)))
    angle, anisotropy = found.physical((2.0, 1.0))
    assert angle == pytest.approx(np.degrees(np.arctan2(2, 1)))
    assert anisotropy == pytest.approx(1)
    assert found.physical((3.0, 3.0)) == pytest.approx((found.angle, found.anisotropy))


def test_angles_stay_below_180_when_made_and_when_rounded() -> None:
    assert angle_of(1.0, -1e-30) == 0.0
    assert angle_of(-1.0, 0.0) == 0.0
    assert round_angle(179.99999) == 0.0


def test_weights_follow_multiplicity() -> None:
    # A wave on the y axis stands twice in the half's first column, once in others.
    both = transformed(wave((96, 96), 0, 30) + wave((96, 96), 30, 0))
    assert multiplicity(96)[0, 0] == 1
    found = found_in(both)
    assert found.anisotropy == pytest.approx(0, abs=1e-9)
    assert found.histogram[[0, 18]] == pytest.approx(0.5, abs=0.01)
