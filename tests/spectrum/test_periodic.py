"""Moisan's periodic-plus-smooth decomposition against the paper, there and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool import Recipe
from fft_tool.results.analysis import transform
from fft_tool.spectrum.choices import DETRENDS
from fft_tool.spectrum.periodic import Jumps, add_smooth, remove_smooth, restore_smooth
from fft_tool.spectrum.transform import forward, inverse
from tests.support.images import noise
from tests.support.planes import SMALL_SHAPES, Plane, Shape, planes


def moisan(image: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Periodic and smooth component, straight from the paper's definition 1 and theorem 3.

    The boundary image is written out in full and transformed as it is.
    """
    u = image.astype(np.float64)
    height, width = u.shape
    v = np.zeros_like(u)
    v[0, :] += u[0, :] - u[-1, :]
    v[-1, :] += u[-1, :] - u[0, :]
    v[:, 0] += u[:, 0] - u[:, -1]
    v[:, -1] += u[:, -1] - u[:, 0]
    q, r = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    divisor = 4 - 2 * np.cos(2 * np.pi * q / height) - 2 * np.cos(2 * np.pi * r / width)
    divisor[0, 0] = 1
    transformed = np.fft.fft2(v) / divisor
    transformed[0, 0] = 0
    smooth = np.fft.ifft2(transformed).real
    return u - smooth, smooth


def periodic_part(image: NDArray[Any], *, threads: int = 1) -> NDArray[Any]:
    spectrum = forward(image, precision="double", threads=threads)
    remove_smooth(spectrum, Jumps.of(image), threads=threads)
    return inverse(spectrum)


@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_periodic_component_agrees_with_moisan(shape: Shape) -> None:
    image = noise(shape)
    np.testing.assert_allclose(periodic_part(image), moisan(image)[0], rtol=0, atol=1e-10)


@settings(max_examples=60, deadline=None)
@given(plane=planes(48, (255, 65535)))
def test_periodic_component_of_any_image_agrees_with_moisan(plane: Plane) -> None:
    tolerance = 1e-12 * 65535 * max(plane.shape)
    np.testing.assert_allclose(periodic_part(plane), moisan(plane)[0], rtol=0, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(plane=planes(32), detrend=st.sampled_from(DETRENDS))
def test_periodic_component_is_that_of_the_detrended_image(plane: Plane, detrend: str) -> None:
    recipe = Recipe.parse({"periodic": "yes", "detrend": detrend, "precision": "double"})
    preparation, spectrum = transform(plane, 255, recipe)
    shape = (plane.shape[0], plane.shape[1])
    detrended = plane - preparation.trend.rows(shape, 0, shape[0])
    np.testing.assert_allclose(inverse(spectrum), moisan(detrended)[0], rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(plane=planes(48, (255, 65535)))
def test_split_can_be_undone(plane: Plane) -> None:
    restored = restore_smooth(moisan(plane)[0])
    np.testing.assert_allclose(restored, plane, rtol=0, atol=1e-11 * 65535 * max(plane.shape))


@pytest.mark.parametrize("shape", [(300, 211), (512, 512)])
def test_split_can_be_undone_after_single_precision(shape: Shape) -> None:
    plane = noise(shape)
    spectrum = forward(plane)
    remove_smooth(spectrum, Jumps.of(plane))
    assert spectrum.half.dtype == np.complex64
    assert np.array_equal(np.rint(restore_smooth(inverse(spectrum))), plane)


@settings(max_examples=30, deadline=None)
@given(plane=planes(48))
def test_mean_stays_with_the_periodic_component(plane: Plane) -> None:
    assert periodic_part(plane).mean() == pytest.approx(plane.mean(), abs=1e-9)


def test_an_image_without_jumps_is_unchanged() -> None:
    """Its opposite borders agree, so there is nothing to remove."""
    image = noise((24, 36))
    image[-1], image[:, -1] = image[0], image[:, 0]
    image[-1, -1] = image[-1, 0] = image[0, -1] = image[0, 0]
    np.testing.assert_allclose(periodic_part(image), image, rtol=0, atol=1e-10)


def test_cross_disappears_from_the_spectrum_of_a_ramp() -> None:
    """A ramp's own spectrum is nothing but the cross of its jumps at the border."""
    rows, columns = np.indices((96, 120))
    image = (rows + 2 * columns).astype(np.uint16) * 100

    def energy_on_the_axes(half: NDArray[Any]) -> float:
        power = np.square(np.abs(half))
        return float(power[0, 1:].sum() + power[1:, 0].sum())

    spectrum = forward(image, precision="double")
    before = energy_on_the_axes(spectrum.half)
    remove_smooth(spectrum, Jumps.of(image))
    assert energy_on_the_axes(spectrum.half) < before / 20


@pytest.mark.parametrize("shape", [(1, 900), (900, 1), (401, 307)])
def test_any_number_of_threads_gives_the_same_bits(shape: Shape) -> None:
    image = noise(shape)
    alone = periodic_part(image)
    assert np.array_equal(periodic_part(image, threads=3), alone)
    assert np.array_equal(restore_smooth(alone, threads=3), restore_smooth(alone))


@settings(max_examples=60, deadline=None)
@given(plane=planes(48, (255, 65535)), gradient=st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_adding_the_smooth_component_undoes_its_removal(
    plane: Plane, gradient: tuple[float, float]
) -> None:
    spectrum, jumps = forward(plane, precision="double"), Jumps.of(plane)
    before = spectrum.half.copy()
    remove_smooth(spectrum, jumps, gradient=gradient)
    add_smooth(spectrum, jumps, gradient=gradient)
    tolerance = 1e-15 * (np.abs(before).max() + 1e5 * plane.size)
    np.testing.assert_allclose(spectrum.half, before, rtol=0, atol=tolerance)


@settings(max_examples=40, deadline=None)
@given(plane=planes(48, (255, 4095, 65535)))
def test_jumps_are_kept_as_text_without_loss(plane: Plane) -> None:
    jumps = Jumps.of(plane)
    shape = (plane.shape[0], plane.shape[1])
    back = Jumps.from_text(jumps.to_text(65535), shape, 65535)
    assert back.across.tolist() == (plane[-1].astype(int) - plane[0]).tolist()
    assert back.down.tolist() == (plane[:, -1].astype(int) - plane[:, 0]).tolist()


def test_a_small_error_at_the_border_stays_small_with_the_jumps() -> None:
    """Without them it tilts the whole image, the more the larger that is."""
    plane = np.tile(np.rint(127 + 100 * np.sin(np.arange(2048) * np.pi / 2)), (4, 1)).astype(
        np.uint16
    )
    wave = 0.01 * np.cos(np.arange(2048) * np.pi / 2)
    off = np.tile(wave, (4, 1))
    spectrum = forward(plane, precision="double")
    remove_smooth(spectrum, Jumps.of(plane))
    without = restore_smooth(inverse(spectrum) + off) - plane
    add_smooth(spectrum, Jumps.of(plane))
    assert np.abs(without).max() > 5
    assert np.abs(inverse(spectrum) + off - plane).max() < 0.011
