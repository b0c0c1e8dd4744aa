"""Inversion: artifacts as written restore the source's grey levels bit for bit.

Single precision throughout, because the guarantee must hold for the default.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

import fft_tool
from fft_tool import Outputs, Recipe
from fft_tool.results.analysis import transform
from fft_tool.results.spectrum_file import load_spectrum, save_spectrum
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import (
    Inversion,
    quantised,
    restore_plane,
    restore_rows,
    spectrum_of_pictures,
)
from fft_tool.spectrum.preparation import Preparation
from tests.support.images import noise
from tests.support.planes import FAMILIES, SMALL_SHAPES, Plane, Shape, plane_of, planes, source

PICTURES = Recipe(bits=16, metadata=True)
SAVED = Recipe(spectrum=True, phase=False)
LARGE_SHAPES = ((1, 4096), (509, 499))


def from_pictures(outputs: Outputs) -> tuple[Spectrum, Preparation]:
    """Recover the spectrum from the bytes of the artifacts only."""
    record = json.loads(outputs["metadata"].data)
    inversion = Inversion.from_record(record)
    magnitude, phase = outputs["magnitude"].data, outputs["phase"].data
    return spectrum_of_pictures(magnitude, phase, inversion), inversion.preparation


def from_saved(outputs: Outputs) -> tuple[Spectrum, Preparation]:
    return load_spectrum(outputs["spectrum"].data)


def restored_by_pictures(plane: Plane, recipe: Recipe = PICTURES) -> Plane:
    return restore_plane(*from_pictures(fft_tool.run(source(plane), recipe)))


def restored_by_spectrum(plane: Plane, recipe: Recipe = SAVED) -> Plane:
    return restore_plane(*from_saved(fft_tool.run(source(plane), recipe)))


def worst_error(spectrum: Spectrum, preparation: Preparation, plane: Plane) -> float:
    """Largest error in grey levels before rounding: at 0.5 the inversion would fail."""

    def compare(start: int, rows: NDArray[Any]) -> float:
        return float(np.abs(rows - plane[start : start + rows.shape[0]].astype(float)).max())

    return max(restore_rows(spectrum, preparation, compare))


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(plane=planes(96))
def test_every_8_bit_image_is_restored_from_16_bit_pictures(plane: Plane) -> None:
    restored = restored_by_pictures(plane)
    assert restored.dtype == np.uint8
    assert np.array_equal(restored, plane)


@pytest.mark.parametrize("shape", LARGE_SHAPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_8_bit_images_of_every_family_are_restored_from_pictures(family: str, shape: Shape) -> None:
    plane = plane_of(family, shape)
    assert np.array_equal(restored_by_pictures(plane), plane)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "shape"),
    [
        *[("noise", shape) for shape in ((512, 512), (2048, 2048), (4096, 1))],
        *[(family, (1009, 1013)) for family in ("extremes", "checkerboard")],
    ],
)
def test_large_8_bit_images_are_restored_from_pictures_with_a_margin(
    family: str, shape: Shape
) -> None:
    plane = plane_of(family, shape)
    outputs = fft_tool.run(source(plane), PICTURES, threads=2)
    assert worst_error(*from_pictures(outputs), plane) < 0.15  # 0.09 seen
    assert np.array_equal(restore_plane(*from_pictures(outputs)), plane)


@settings(max_examples=150, deadline=None)
@given(plane=planes(96, (65535,)))
def test_every_16_bit_image_is_restored_from_the_saved_spectrum(plane: Plane) -> None:
    restored = restored_by_spectrum(plane)
    assert restored.dtype == np.uint16
    assert np.array_equal(restored, plane)


@pytest.mark.parametrize("shape", LARGE_SHAPES)
@pytest.mark.parametrize("family", FAMILIES)
def test_16_bit_images_of_every_family_are_restored_from_the_saved_spectrum(
    family: str, shape: Shape
) -> None:
    plane = plane_of(family, shape, 65535)
    assert np.array_equal(restored_by_spectrum(plane), plane)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "shape"),
    [
        ("noise", (2048, 2048)),
        *[(family, (1009, 1013)) for family in ("noise", "extremes", "white", "impulse")],
        *[("extremes", shape) for shape in ((3, 99_991), (99_991, 3), (1, 1_000_003))],
    ],
)
def test_large_16_bit_images_are_restored_from_the_saved_spectrum_with_a_margin(
    family: str, shape: Shape
) -> None:
    """Primes are the worst case: they are transformed by way of longer transforms."""
    plane = plane_of(family, shape, 65535)
    outputs = fft_tool.run(source(plane), SAVED, threads=2)
    assert worst_error(*from_saved(outputs), plane) < 0.15  # 0.08 seen
    assert np.array_equal(restore_plane(*from_saved(outputs)), plane)


@settings(max_examples=60, deadline=None)
@given(plane=planes(64, (255, 65535)))
def test_every_image_is_restored_from_the_saved_spectrum_in_double_precision(plane: Plane) -> None:
    assert np.array_equal(
        restored_by_spectrum(plane, Recipe(spectrum=True, precision="double")), plane
    )


PREPARED = {
    "detrended": {"detrend": "linear"},
    "windowed without loss": {"window": "hamming"},
    "both": {"window": "hamming", "detrend": "mean"},
    "periodic": {"periodic": "yes"},
    "periodic, detrended": {"periodic": "yes", "detrend": "linear"},
}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("preparation", PREPARED)
def test_preparation_that_suppresses_no_pixels_is_undone_exactly(
    preparation: str, family: str
) -> None:
    recipe = Recipe.parse({"spectrum": "yes", "phase": "no", **PREPARED[preparation]})
    for shape in ((64, 48), (1, 50), (31, 37)):
        plane = plane_of(family, shape)
        assert np.array_equal(restored_by_spectrum(plane, recipe), plane)


@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_lost_pixels_are_set_to_the_trend_and_all_others_restored_exactly(shape: Shape) -> None:
    plane = noise(shape)
    recipe = Recipe(window="hann", detrend="mean", spectrum=True, precision="double")
    restored = restored_by_spectrum(plane, recipe)
    lost = restored != plane
    assert np.count_nonzero(lost) <= Preparation(255, "hann").at(shape).lost_pixels()
    assert (np.abs(restored[lost] - plane.mean()) <= 0.5 + 1e-6).all()


def test_12_bit_images_are_restored_within_their_own_range() -> None:
    plane = noise((40, 50), white=4095)
    preparation, spectrum = transform(plane, 4095, SAVED)
    spectrum, preparation = load_spectrum(save_spectrum(spectrum, preparation))
    assert preparation.white == 4095
    assert np.array_equal(restore_plane(spectrum, preparation), plane)


def test_levels_are_rounded_and_clipped() -> None:
    levels = np.array([-3.0, -0.4, 0.6, 254.4, 255.3, 300.0])
    assert quantised(levels, 255).tolist() == [0, 0, 1, 254, 255, 255]


def test_any_number_of_threads_restores_the_same_levels() -> None:
    outputs = fft_tool.run(source(noise((900, 700))), Recipe(bits=8, metadata=True))
    alone = restore_plane(*from_pictures(outputs))
    assert np.array_equal(restore_plane(*from_pictures(outputs), threads=3), alone)
