"""Coordinates of the half spectrum, and its relation to the full one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from fft_tool.spectrum.half import Spectrum, energy, frequencies, multiplicity
from fft_tool.spectrum.transform import forward
from tests.support.images import noise
from tests.support.planes import SMALL_SHAPES, Shape, shapes


@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_frequencies_agree_with_numpy_with_y_up(shape: Shape) -> None:
    fy, fx = frequencies(shape)
    assert np.array_equal(fy[:, 0], -np.fft.fftfreq(shape[0]))
    assert np.array_equal(fx[0], np.fft.rfftfreq(shape[1]))
    assert (fy.shape, fx.shape) == ((shape[0], 1), (1, shape[1] // 2 + 1))


@settings(deadline=None)
@given(shape=shapes())
def test_no_frequency_is_beyond_nyquist(shape: Shape) -> None:
    assert all(np.abs(axis).max() <= 0.5 for axis in frequencies(shape))


@settings(deadline=None)
@given(shape=shapes())
def test_multiplicity_counts_every_coefficient_of_the_full_spectrum(shape: Shape) -> None:
    height, width = shape
    assert height * multiplicity(width).sum() == height * width


@settings(max_examples=50, deadline=None)
@given(shape=shapes(40))
def test_weighted_half_has_the_energy_of_the_full_spectrum(shape: Shape) -> None:
    image = noise(shape)
    full = np.square(np.abs(np.fft.fft2(image))).sum()
    assert energy(forward(image, precision="double")) == pytest.approx(full, rel=1e-12)


def test_shape_and_dc_are_those_of_the_image() -> None:
    for shape in ((5, 6), (5, 7)):  # halves of one shape
        image = noise(shape)
        spectrum = forward(image)
        assert spectrum.half.shape == (5, 4 if shape[1] > 5 else 3)
        assert spectrum.shape == shape
        assert spectrum.dc == pytest.approx(int(image.sum()))


def test_energy_of_a_large_spectrum_is_summed_without_losing_digits() -> None:
    half: Any = np.full((3000, 501), 0.125 + 0.125j, np.complex64)
    assert energy(Spectrum(half, 1000)) == 3000 * 1000 / 32
