"""Filters at work: what goes, what stays, and that spectra and grey levels are filtered alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fft_tool.arrays import FloatArray
from fft_tool.spectrum.filtering import apply_filters, filter_rows
from fft_tool.spectrum.filters import memory_of_filters, parse_filters
from fft_tool.spectrum.half import Spectrum, frequencies
from fft_tool.spectrum.transform import forward, inverse
from tests.support.known_waves import Canvas, Shape, amplitude, psnr, scenery, wave

SHAPES = [(64, 64), (63, 65), (98, 49), (1, 40), (37, 1), (1, 1), (2, 2), (3, 2)]
CHAINS = [
    "lowpass:5",
    "stripe:90",
    "stripe:30,16",
    "notch:2,0",
    "notch:4.3,33,0.3",
    "notch:1.5,45,1",
    "notch:1000000,20",
    "bandpass:3,40+stripe:20+notch:7,100",
    "notch:7,100+lowpass:3+highpass:40",
    "stripe:0+notch:5,0",
]


def filtered(image: Canvas, text: str) -> Canvas:
    spectrum = Spectrum(np.fft.rfft2(image), image.shape[1])
    result = apply_filters(spectrum, parse_filters(text))
    return np.fft.irfft2(result.half, s=(image.shape[0], image.shape[1]))


@pytest.mark.parametrize(
    ("text", "kept_long", "kept_short"),
    [
        ("lowpass:10", 1, 0),
        ("highpass:10", 0, 1),
        ("bandpass:4,10", 0, 1),
        ("bandpass:10,64", 1, 0),
        ("notch:24,60", 0, 1),
        ("notch:6,0", 1, 0),
        ("notch:6,180+notch:24,-120", 0, 0),
        ("stripe:0", 1, 0),
        ("stripe:60,48", 0, 1),
        ("lowpass:6", 1, 0.5),
    ],
)
@pytest.mark.parametrize("shape", [(240, 240), (197, 241)])
def test_of_two_waves_the_chosen_one_stays(
    shape: Shape, text: str, kept_long: float, kept_short: float
) -> None:
    long, short = wave(shape, 24, 60), wave(shape, 6, 0)
    image = filtered(70 + 20 * long + 10 * short, text)
    inner = (slice(40, -40), slice(40, -40))  # away from the jump at the borders
    ground = image[inner] - image[inner].mean()
    assert amplitude(ground, long[inner]) == pytest.approx(20 * kept_long, abs=1.2)
    assert amplitude(ground, short[inner]) == pytest.approx(10 * kept_short, abs=0.6)
    assert image.mean() == pytest.approx((70 + 20 * long + 10 * short).mean())


@pytest.mark.parametrize("shape", [(256, 256), (255, 180)])
@pytest.mark.parametrize(("axis", "angle"), [(1, "90"), (0, "0"), (1, "-90")])
def test_taking_stripes_out_restores_the_image(shape: Shape, axis: int, angle: str) -> None:
    truth = scenery(shape)
    lines = np.random.default_rng(9).normal(0, 30, shape).mean(axis, keepdims=True)
    striped = truth + lines * math.sqrt(shape[axis])
    restored = filtered(striped, f"stripe:{angle}")
    assert psnr(restored, truth) > psnr(striped, truth) + 10
    assert psnr(filtered(truth, f"stripe:{angle}"), truth) > 32


def test_taking_a_moire_out_by_its_peak_restores_the_image() -> None:
    truth = scenery((200, 300))
    spoilt = truth + 15 * wave((200, 300), 5.37, 71)
    restored = filtered(spoilt, "notch:5.37,71")
    assert psnr(restored, truth) > psnr(spoilt, truth) + 8


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
@pytest.mark.parametrize("threads", [1, 3])
def test_masks_are_multiplied_and_precision_and_original_kept(dtype: Any, threads: int) -> None:
    shape = (700, 401)
    half = np.fft.rfft2(np.random.default_rng(2).normal(0, 1, shape)).astype(dtype)
    spectrum = Spectrum(half.copy(), shape[1])
    chain = parse_filters("bandpass:3,40+lowpass:5+highpass:100")
    result = apply_filters(spectrum, chain, threads=threads)
    masks = [getattr(each, "mask")(*frequencies(shape), shape) for each in chain]  # noqa: B009
    np.testing.assert_allclose(result.half, half * np.prod(masks, axis=0), rtol=1e-5, atol=1e-4)
    assert result.half.dtype == dtype
    assert result.shape == shape
    np.testing.assert_array_equal(spectrum.half, half)


@pytest.mark.parametrize("text", CHAINS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_filter_keeps_the_mean_and_gives_finite_levels(shape: Shape, text: str) -> None:
    image = np.random.default_rng(1).uniform(0, 255, shape)
    result = filtered(image, text)
    assert np.isfinite(result).all()
    assert result.mean() == pytest.approx(image.mean(), abs=1e-4)
    assert np.abs(result - image).max() < 2 * 255


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("text", CHAINS)
def test_grey_levels_are_filtered_as_their_spectrum_is(
    text: str, precision: str, threads: int
) -> None:
    plane = np.random.default_rng(5).integers(0, 65536, (90, 120)).astype(np.uint16)
    found = np.zeros(plane.shape)

    def place(start: int, rows: FloatArray) -> str:
        found[start : start + rows.shape[0]] = rows
        return str(rows.dtype)

    filters = parse_filters(text)
    kinds = filter_rows(plane, filters, place, precision=precision, threads=threads)
    assert set(kinds) == {"float32" if precision == "single" else "float64"}
    spectrum = apply_filters(forward(plane, precision=precision), filters, threads=threads)
    tolerance = 1 if precision == "single" else 1e-5  # grey levels of 65535
    np.testing.assert_allclose(found, inverse(spectrum), atol=tolerance)


@pytest.mark.parametrize("text", CHAINS)
def test_the_result_does_not_depend_on_the_number_of_threads(text: str) -> None:
    image = np.random.default_rng(6).uniform(0, 255, (700, 600)).astype(np.float32)
    one, three = (
        apply_filters(forward(image), parse_filters(text), threads=threads) for threads in (1, 3)
    )
    np.testing.assert_array_equal(one.half, three.half)


def test_no_filters_give_an_equal_but_separate_spectrum() -> None:
    spectrum = Spectrum(np.ones((3, 3), dtype=np.complex64), 4)
    result = apply_filters(spectrum, ())
    np.testing.assert_array_equal(result.half, spectrum.half)
    assert not np.shares_memory(result.half, spectrum.half)


def test_the_plane_that_is_filtered_is_not_changed() -> None:
    plane = np.random.default_rng(8).integers(0, 256, (40, 50)).astype(np.uint8)
    before = plane.copy()
    filter_rows(plane, parse_filters("stripe:10+notch:5,3+lowpass:4"), lambda _start, _rows: None)
    np.testing.assert_array_equal(plane, before)


def test_memory_is_that_of_the_sides_that_a_chain_has() -> None:
    assert memory_of_filters(parse_filters("lowpass:4"), 4, 4.1) == 4.1
    assert memory_of_filters(parse_filters("stripe:4"), 4, 4.1) == 10
    assert memory_of_filters(parse_filters("stripe:4+lowpass:4"), 4, 4.1) == 10
    assert memory_of_filters(parse_filters("notch:8,4"), 4, 4.1) > 4
