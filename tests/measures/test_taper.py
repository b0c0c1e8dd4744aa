from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.measures.polar import folded_rows
from fft_tool.measures.taper import tapered
from fft_tool.spectrum.choices import WINDOWS
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.preparation import window_weights

fft = import_module("scipy.fft")

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 8), (8, 2), (8, 8), (9, 12), (17, 64), (48, 37)]
Image = NDArray[np.float64]


def transformed(image: Image, dtype: type = np.float64) -> Spectrum:
    return Spectrum(fft.rfft2(image.astype(dtype)), image.shape[1])


def noise(shape: tuple[int, int], seed: int = 0) -> Image:
    return np.random.default_rng(seed).uniform(0, 255, shape)


def hann(length: int) -> Image:
    """Weights of the taper along one side."""
    return window_weights("hann" if length >= 8 else "none", length)


def weights_of(shape: tuple[int, int], window: str) -> tuple[Image, Image]:
    """Weights of the window, and of the taper that is added to it."""
    own = np.multiply.outer(*(window_weights(window, length) for length in shape))
    added = np.multiply.outer(*(hann(length) for length in shape))
    return own, added if window in ("none", "hamming", "tukey") else np.ones(shape)


def tapered_in_pixels(image: Image, window: str = "none") -> NDArray[np.complex128]:
    """Full spectrum of the image without its mean, times the weights, of the energy of noise."""
    own, added = weights_of(image.shape, window)
    centred = image - (own * image).sum() / own.sum()
    plane: NDArray[np.complex128] = np.fft.fft2(centred * own * added)
    plane /= np.sqrt(np.mean((own * added) ** 2))
    plane[0, 0] = 0.0
    return plane


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("shape", SHAPES)
def test_convolution_of_the_spectrum_is_multiplication_of_the_image(
    shape: tuple[int, int], window: str
) -> None:
    image = noise(shape) + 100
    own, _ = weights_of(shape, window)
    view = tapered(transformed(image * own), window)
    ky, kx = np.indices((2 * shape[0], 2 * shape[1])) - np.array(shape)[:, None, None]
    expected = tapered_in_pixels(image, window)[ky % shape[0], kx % shape[1]]
    assert view.values(ky, kx) == pytest.approx(expected, abs=1e-9 * image.sum())


@pytest.mark.parametrize("window", ["none", "hamming", "tukey"])
@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_of_rows_hold_the_power_of_the_tapered_image(
    shape: tuple[int, int], window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fft_tool.measures.polar._BLOCK", 64)
    monkeypatch.setattr("fft_tool.measures.polar._MIN_ROWS", 3)
    monkeypatch.setattr("fft_tool.measures.polar._WIDE", 20)
    monkeypatch.setattr("fft_tool.measures.polar._COLUMNS", 7)
    image = noise(shape) + 100
    own, _ = weights_of(shape, window)
    power = np.abs(tapered_in_pixels(image, window)) ** 2
    seen = 0
    for rows in folded_rows(tapered(transformed(image * own), window)):
        ky = rows.first + np.arange(len(rows.up))
        columns = slice(rows.left, rows.left + rows.up.shape[1])
        assert rows.down == pytest.approx(power[ky, columns], abs=1e-9 * power.max())
        assert rows.up == pytest.approx(power[-ky, columns], abs=1e-9 * power.max())
        seen += rows.up.size
    assert seen == (shape[0] // 2 + 1) * (shape[1] // 2 + 1)


@pytest.mark.parametrize("window", WINDOWS)
def test_white_noise_keeps_its_level_with_every_window(window: str) -> None:
    image = np.random.default_rng(1).normal(1000, 10, (160, 256))
    own, _ = weights_of(image.shape, window)
    view = tapered(transformed(image * own, np.float32), window)
    ky, kx = np.arange(160)[:, None], np.arange(256)
    level = float(np.square(np.abs(view.values(ky, kx))).mean()) / image.size
    assert level == pytest.approx(100, rel=0.05)


@pytest.mark.parametrize("window", WINDOWS)
def test_gain_gives_the_amplitude_of_a_wave_back(window: str) -> None:
    y, x = np.indices((96, 120))
    own, _ = weights_of((96, 120), window)
    image = 128 + 20 * np.cos(2 * np.pi * (10 * x / 120 + 20 * y / 96) + 1)
    view = tapered(transformed(image * own), window)
    magnitude = float(np.abs(view.values(np.array([20]), np.array([10])))[0])
    assert 2 * magnitude / image.size / view.gain == pytest.approx(20, rel=1e-3)


def test_without_a_taper_the_spectrum_is_read_as_it_is() -> None:
    image = noise((20, 31))
    view = tapered(transformed(image), taper=False)
    expected = np.fft.fft2(image)
    expected[0, 0] = 0.0
    assert view.values(np.arange(20)[:, None], np.arange(31)) == pytest.approx(expected)
    assert view.gain == 1
