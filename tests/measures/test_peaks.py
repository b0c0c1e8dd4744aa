from __future__ import annotations

import json
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.measures.maxima import MIN_PROMINENCE_DB
from fft_tool.measures.peaks import Peak, find_peaks
from fft_tool.spectrum.half import Spectrum, frequencies
from tests.support.images import noise
from tests.support.waves import PlaneWave

# Oracles that have no types: imported by name, so that mypy takes what they hold as Any.
fft = import_module("scipy.fft")
windows = import_module("scipy.signal.windows")
data = import_module("skimage.data")

WINDOWS = ["boxcar", "hann", "hamming", "blackman"]


def peaks_of(
    image: NDArray[np.float64],
    window: str = "boxcar",
    count: int = 8,
    dtype: type = np.float32,
    step: float = 0.0,
) -> list[Peak]:
    if window != "boxcar":
        height, width = image.shape
        image = (image - image.mean()) * windows.get_window(window, height)[:, None]
        image = image * windows.get_window(window, width)[None, :]
    spectrum = Spectrum(fft.rfft2(image.astype(dtype)), image.shape[1])
    name = "none" if window == "boxcar" else window
    return find_peaks(spectrum, count, window=name, step=step)


def wave(
    shape: tuple[int, int], period: float, angle: float, amplitude: float = 40, phase: float = 0.7
) -> NDArray[np.float64]:
    return PlaneWave(period, angle, amplitude, phase).image(shape)


def falling(shape: tuple[int, int], beta: float, seed: int) -> NDArray[np.float64]:
    """Gaussian noise with mean power f^-beta, in the range of grey levels."""
    fy, fx = frequencies(shape)
    frequency = np.hypot(fy, fx)
    frequency[0, 0] = 1.0
    half = fft.rfft2(np.random.default_rng(seed).standard_normal(shape)) * frequency ** (-beta / 2)
    half[0, 0] = 0.0
    image: NDArray[np.float64] = fft.irfft2(half, shape)
    image *= 40 / image.std()
    return image + 128


def apart(one: float, other: float) -> float:
    """Angle between two directions that are the same when reversed."""
    return abs((one - other + 90) % 180 - 90)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("deviation", [0.0, 5.0, 40.0])
def test_wave_between_coefficients_is_found_once_and_exactly(window: str, deviation: float) -> None:
    (peak,) = peaks_of(noise((256, 256), deviation=deviation) + wave((256, 256), 7.3, 33), window)
    assert peak.period == pytest.approx(7.3, rel=0.0005)
    assert apart(peak.angle, 33) < 0.05
    assert peak.amplitude == pytest.approx(40, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(
    period=st.floats(2.3, 16),
    angle=st.floats(0, 180, exclude_max=True),
    phase=st.floats(0, 6.3),
    window=st.sampled_from(WINDOWS),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_any_single_wave_is_found_once_within_tolerance(
    period: float, angle: float, phase: float, window: str, dtype: type
) -> None:
    image = noise((256, 256), deviation=2) + wave((256, 256), period, angle, phase=phase)
    (peak,) = peaks_of(image, window, dtype=dtype)
    assert peak.period == pytest.approx(period, rel=0.0005)
    assert apart(peak.angle, angle) < 0.03
    assert peak.amplitude == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize("shape", [(96, 512), (300, 64)])
@pytest.mark.parametrize("period", [2.1, 7.7, 23.0, 50.0, 100.0])
def test_waves_in_oblong_images_are_found_once_with_their_amplitude(
    shape: tuple[int, int], period: float
) -> None:
    for angle in (0.0, 22.5, 67.5, 90.0, 112.5, 141.0):
        truth = PlaneWave(period, angle, 40.0)
        if truth.periods_in(shape) >= 2:
            (peak,) = peaks_of(np.rint(128 + truth.image(shape)), step=1.0)
            assert truth.distance(peak, shape) < 0.05
            assert peak.amplitude == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("angle", [0.0, 90.0])
@pytest.mark.parametrize("period", [2.01, 2.03])
def test_wave_near_nyquist_on_an_axis_is_not_taken_for_nyquist(
    period: float, angle: float, window: str
) -> None:
    (peak,) = peaks_of(noise((256, 300), deviation=2) + wave((256, 300), period, angle), window)
    assert peak.period == pytest.approx(period, rel=0.0005)
    assert apart(peak.angle, angle) < 0.05
    assert peak.amplitude == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("angle", [0.0, 71.0, 90.0])
def test_wave_of_few_periods_has_its_amplitude(angle: float, window: str) -> None:
    (peak,) = peaks_of(noise((200, 200), deviation=1) + wave((200, 200), 86, angle), window)
    assert peak.period == pytest.approx(86, rel=0.01)
    assert peak.amplitude == pytest.approx(40, rel=0.03)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("coefficients", [4.3, 5.0, 7.5])
@pytest.mark.parametrize("weak", [4.0, 40.0])
def test_two_close_waves_have_their_own_amplitudes(
    weak: float, coefficients: float, window: str
) -> None:
    shape = (200, 260)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = noise(shape, deviation=0.5)
    for place, amplitude in ((30.3, 40.0), (30.3 + coefficients, weak)):
        image += amplitude * np.cos(2 * np.pi * (place * x / 260 + 41.7 * y / 200) + place)
    found = peaks_of(image, window)
    assert sorted(peak.amplitude for peak in found) == pytest.approx([weak, 40], rel=0.03)


def test_a_wave_of_rounding_is_a_peak_only_of_values_that_were_not_rounded() -> None:
    x = np.arange(320.0)[None, :].repeat(64, 0)
    image = np.rint(128 + 40 * np.cos(2 * np.pi * x / 32 + 1))
    assert len(peaks_of(image, step=0.0)) > 1
    (peak,) = peaks_of(image, step=1.0)
    assert peak.period == pytest.approx(32, rel=1e-4)


def test_a_weak_wave_in_noise_is_no_rounding() -> None:
    image = noise((256, 256), deviation=1) + wave((256, 256), 9, 20, amplitude=0.4)
    (peak,) = peaks_of(np.rint(image), step=1.0)
    assert peak.amplitude == pytest.approx(0.4, rel=0.1)


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(40, 90),
    width=st.integers(40, 90),
    kx=st.integers(-15, 15),
    ky=st.integers(4, 15),
)
def test_wave_on_a_coefficient_has_its_exact_frequency_and_amplitude(
    height: int, width: int, kx: int, ky: int
) -> None:
    y, x = np.mgrid[:height, :width]
    image = 99 + 12.5 * np.cos(2 * np.pi * (kx * x / width - ky * y / height) + 0.3)
    (peak,) = peaks_of(image)
    assert (peak.fx, peak.fy) == pytest.approx((kx / width, ky / height), abs=1e-6)
    assert peak.amplitude == pytest.approx(12.5, rel=1e-4)
    assert peak.frequency == pytest.approx(np.hypot(peak.fx, peak.fy))
    assert peak.period == pytest.approx(1 / peak.frequency)
    assert apart(peak.angle, float(np.degrees(np.arctan2(ky / height, kx / width)))) < 1e-3


@pytest.mark.parametrize(
    ("kx", "ky", "fx", "fy", "angle"),
    [(32, 0, 0.5, 0.0, 0), (0, 32, 0.0, 0.5, 90), (32, 32, 0.5, 0.5, 45)],
)
def test_wave_at_nyquist_has_its_amplitude_once(
    kx: int, ky: int, fx: float, fy: float, angle: float
) -> None:
    y, x = np.mgrid[:64, :64]
    (peak,) = peaks_of(100 + 30 * np.cos(np.pi * (kx * x + ky * y) / 32))
    assert (peak.fx, peak.fy, peak.angle) == pytest.approx((fx, fy, angle))
    assert peak.amplitude == pytest.approx(30, rel=1e-5)


@pytest.mark.parametrize("column", [0, 32])
def test_wave_in_a_column_that_is_its_own_mirror_is_found_once(column: int) -> None:
    y, x = np.mgrid[:64, :64]
    (peak,) = peaks_of(100 + 30 * np.cos(np.pi * (column * x + 18 * y) / 32 + 1))
    assert (abs(peak.fx), peak.fy) == pytest.approx((column / 64, 18 / 64), abs=1e-6)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("angle", [0.4, 89.7, 90.4, 179.6])
def test_wave_whose_neighbours_lie_in_the_mirrored_half_is_exact(angle: float, window: str) -> None:
    (peak,) = peaks_of(noise((256, 256), deviation=1) + wave((256, 256), 7.3, angle), window)
    assert peak.period == pytest.approx(7.3, rel=0.001)
    assert apart(peak.angle, angle) < 0.05


def test_bright_image_does_not_draw_a_low_wave_towards_dc() -> None:
    (peak,) = peaks_of(200 + wave((60, 80), 40, 0, amplitude=5))
    assert peak.period == pytest.approx(40, rel=1e-4)
    assert peak.angle == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("shape", [(1, 300), (300, 1)])
def test_wave_along_a_line_of_pixels_is_found(shape: tuple[int, int]) -> None:
    angle = 0 if shape[0] == 1 else 90
    (peak,) = peaks_of(noise(shape, deviation=3) + wave(shape, 5.3, angle))
    assert peak.period == pytest.approx(5.3, rel=0.005)
    assert peak.angle == pytest.approx(angle, abs=1e-9)


@pytest.mark.parametrize("window", WINDOWS)
def test_several_waves_are_found_strongest_first(window: str) -> None:
    shape = (200, 260)
    truth = [(9.1, 20.0, 40), (5.7, 110.0, 25), (3.4, 75.0, 15), (13.3, 160.0, 8)]
    image = noise(shape, deviation=2) + sum(wave(shape, *each) for each in truth)
    peaks = peaks_of(image, window)
    assert len(peaks) == len(truth)
    for peak, (period, angle, _) in zip(peaks, truth, strict=True):
        assert peak.period == pytest.approx(period, rel=0.01)
        assert apart(peak.angle, angle) < 0.5
    assert peaks_of(image, window, count=2) == peaks[:2]


def test_two_equal_waves_in_one_ring_do_not_hide_each_other() -> None:
    shape = (64, 64)
    image = noise(shape, deviation=1) + wave(shape, 12.8, 0) + wave(shape, 12.8, 90)
    assert sorted(round(peak.angle) % 180 for peak in peaks_of(image)) == [0, 90]


def test_weak_wave_under_a_photograph_is_found() -> None:
    photograph = data.camera().astype(np.float64)
    peaks = peaks_of(photograph + wave(photograph.shape, 6.7, 57, amplitude=4))
    assert peaks[0].period == pytest.approx(6.7, rel=0.005)
    assert apart(peaks[0].angle, 57) < 0.2


@pytest.mark.parametrize("window", ["boxcar", "hann"])
@pytest.mark.parametrize("beta", [0.0, 1.0, 2.0, 3.0])
def test_noise_with_falling_power_has_hardly_any_peaks(beta: float, window: str) -> None:
    shapes = [(40, 40), (61, 127), (32, 200), (256, 256), (1, 500)]
    images = [falling(shape, beta, seed) for shape in shapes for seed in range(4)]
    assert sum(len(peaks_of(image, window)) for image in images) <= 2


@pytest.mark.parametrize("window", ["boxcar", "hann"])
@pytest.mark.parametrize("name", ["camera", "astronaut", "chelsea", "coffee", "grass", "gravel"])
def test_photographs_that_do_not_repeat_have_no_peaks_on_the_axis_cross(
    name: str, window: str
) -> None:
    image = np.asarray(getattr(data, name)(), dtype=np.float64)
    assert len(peaks_of(image.mean(axis=2) if image.ndim == 3 else image, window)) <= 1


@pytest.mark.parametrize("window", ["boxcar", "hann"])
@pytest.mark.parametrize("angle", [0.0, 28.0, 75.0, 133.0])
def test_ridge_of_random_stripes_has_hardly_any_peaks(angle: float, window: str) -> None:
    y, x = np.mgrid[:300, :400]
    along = 450 + x * np.cos(np.radians(angle)) - y * np.sin(np.radians(angle))
    rng = np.random.default_rng(4)
    frequency = np.fft.rfftfreq(1 << 17, 1 / 128)
    random = rng.standard_normal((2, len(frequency))).T @ [1, 1j]
    line = fft.irfft(random * np.exp(-((frequency / 0.1) ** 2) / 2))
    stripes = np.interp(along, np.arange(len(line)) / 128, 40 * line / line.std())
    assert len(peaks_of(stripes + noise((300, 400), deviation=1), window)) <= 1


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "image",
    [np.zeros((1, 1)), np.zeros((16, 16)), np.full((127, 131), 77.7), np.full((1, 97), 255.0)],
)
def test_constant_image_has_no_peaks(image: NDArray[np.float64], dtype: type) -> None:
    assert peaks_of(image, dtype=dtype) == []


@pytest.mark.parametrize("window", ["hann", "blackman"])
def test_leakage_of_dc_through_a_window_is_no_peak(window: str) -> None:
    taper = windows.get_window(window, 64)
    spectrum = Spectrum(fft.rfft2(200 * taper[:, None] * taper[None, :]), 64)
    assert find_peaks(spectrum, window=window) == []


def test_ramp_has_no_peaks() -> None:
    y, x = np.mgrid[:100, :140]
    assert peaks_of(0.6 * x + 1.1 * y) == []


def test_stripes_have_their_harmonics_and_nothing_else() -> None:
    image = np.where(np.arange(320) % 16 < 8, 200.0, 50.0)[None, :].repeat(200, 0)
    peaks = peaks_of(image)
    assert [peak.period for peak in peaks] == pytest.approx([16, 16 / 3, 16 / 5, 16 / 7], rel=1e-4)
    assert {peak.angle for peak in peaks} == {0.0}


@settings(max_examples=80, deadline=None)
@given(
    height=st.integers(1, 24),
    width=st.integers(1, 24),
    kind=st.sampled_from(["noise", "bits", "impulse", "checkerboard", "step"]),
    seed=st.integers(0, 50),
)
def test_every_result_is_finite_and_in_range(height: int, width: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    image = {
        "noise": rng.uniform(0, 255, (height, width)),
        "bits": 255.0 * rng.integers(0, 2, (height, width)),
        "impulse": 255.0 * ((x == width // 2) & (y == height // 2)),
        "checkerboard": 255.0 * ((x + y) % 2),
        "step": 255.0 * (x >= width // 2),
    }[kind]
    peaks = peaks_of(image)
    assert len(peaks) <= 8
    for peak in peaks:
        assert 0 <= peak.angle < 180
        assert -0.5 < peak.fx <= 0.5
        assert 0 <= peak.fy <= 0.5
        assert peak.prominence_db >= MIN_PROMINENCE_DB
        assert peak.amplitude > 0
        json.dumps(peak.to_json(), allow_nan=False)
