"""The DFT compared with its definition, with numpy, and with its known properties."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.spectrum.half import Spectrum, energy, frequencies
from fft_tool.spectrum.transform import forward, forward_rows, inverse, inverse_rows
from tests.support.images import noise
from tests.support.planes import SMALL_SHAPES, Plane, Shape, planes, shapes

LENGTHS = (1, 2, 16, 128, 281, 397)
PRECISIONS = ("single", "double")
# Largest error relative to the largest coefficient of the spectrum, DC set aside.
TOLERANCE = {"single": 1e-6, "double": 1e-12}


def dft_matrix(length: int) -> NDArray[np.complex128]:
    """The DFT by definition: exp(-2πi k n / N), with reduced angles to keep precision."""
    turns = np.outer(np.arange(length), np.arange(length)) % length / length
    return np.asarray(np.exp(-2j * np.pi * turns))


def naive_dft(image: NDArray[Any]) -> NDArray[np.complex128]:
    height, width = image.shape
    full = dft_matrix(height) @ image.astype(np.float64) @ dft_matrix(width)
    return np.asarray(full[:, : width // 2 + 1])


def assert_close(half: NDArray[Any], expected: NDArray[Any], tolerance: float) -> None:
    """Compare DC by its relative error, and other coefficients relative to the largest of them."""
    assert half.shape == expected.shape
    assert half[0, 0] == pytest.approx(expected[0, 0], rel=tolerance, abs=0)
    error, others = np.abs(half - expected), np.abs(expected)
    error[0, 0] = others[0, 0] = 0
    assert error.max() <= tolerance * max(others.max(), 1.0)


@pytest.mark.parametrize("shape", SMALL_SHAPES)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_transform_is_the_dft_as_it_is_defined(shape: Shape, precision: str) -> None:
    image = noise(shape)
    spectrum = forward(image, precision=precision)
    assert_close(spectrum.half, naive_dft(image), TOLERANCE[precision])
    assert spectrum.half.dtype == (np.complex64 if precision == "single" else np.complex128)


@pytest.mark.parametrize("height", LENGTHS)
@pytest.mark.parametrize("width", LENGTHS)
@pytest.mark.parametrize("precision", PRECISIONS)
def test_transform_equals_numpy(height: int, width: int, precision: str) -> None:
    image = noise((height, width), white=65535)
    half = forward(image, precision=precision).half
    assert_close(half, np.fft.rfft2(image.astype(np.float64)), TOLERANCE[precision])


@pytest.mark.parametrize("shape", [(9, 16), (16, 9), (1, 12), (12, 1)])
def test_the_transform_is_separable(shape: Shape) -> None:
    image = noise(shape)
    rows = np.vstack([forward(row[None, :], precision="double").half for row in image])
    columns = np.fft.fft(rows, axis=0)
    np.testing.assert_allclose(forward(image, precision="double").half, columns, atol=1e-9)


@pytest.mark.parametrize("shape", SMALL_SHAPES)
def test_impulse_at_the_origin_has_a_flat_spectrum(shape: Shape) -> None:
    image = np.zeros(shape, np.uint8)
    image[0, 0] = 200
    np.testing.assert_allclose(forward(image).half, 200, rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    bins=st.tuples(st.integers(-3, 3), st.integers(1, 3)),
    amplitude=st.floats(1, 100),
    start=st.floats(-3, 3),
)
def test_a_wave_is_one_coefficient_of_its_angle_period_and_amplitude(
    shape: Shape, bins: tuple[int, int], amplitude: float, start: float
) -> None:
    """The wave runs along ``angle``, counter-clockwise with y up, whatever the image's shape."""
    height, width = shape
    up, right = bins[0] / height, bins[1] / width
    angle, period = math.atan2(up, right), 1 / math.hypot(up, right)
    rows, columns = np.mgrid[:height, :width]
    path = columns * math.cos(angle) - rows * math.sin(angle)
    image = 120 + amplitude * np.cos(2 * np.pi * path / period + start)

    half = forward(image, precision="double").half
    others = np.abs(half)
    others[0, 0] = 0
    row, column = np.unravel_index(others.argmax(), half.shape)
    fy, fx = (axis.ravel()[i] for axis, i in zip(frequencies(shape), (row, column), strict=True))

    assert math.atan2(fy, fx) == pytest.approx(angle)
    assert 1 / math.hypot(fy, fx) == pytest.approx(period)
    assert half[row, column] == pytest.approx(
        amplitude * image.size / 2 * np.exp(1j * start), rel=1e-9
    )
    others[row, column] = 0
    assert others.max() < 1e-9 * amplitude * image.size


@pytest.mark.parametrize(("stripes", "angle"), [("vertical", 0.0), ("horizontal", 90.0)])
def test_vertical_stripes_have_angle_0_and_horizontal_ones_90(stripes: str, angle: float) -> None:
    rows, columns = np.mgrid[:32, :48]
    image = np.where((columns if stripes == "vertical" else rows) // 2 % 2, 255, 0)
    power = np.abs(forward(image).half)
    power[0, 0] = 0
    row, column = np.unravel_index(power.argmax(), power.shape)
    fy, fx = frequencies((32, 48))
    assert math.degrees(math.atan2(abs(fy[row, 0]), fx[0, column])) == pytest.approx(angle)


@settings(max_examples=40, deadline=None)
@given(shape=shapes(40), shift=st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
def test_shifting_the_image_changes_only_the_phase(shape: Shape, shift: tuple[int, int]) -> None:
    image = noise(shape)
    fy, fx = frequencies(shape)
    # Moving down by a row is opposite to fy, which points up.
    turn = np.exp(-2j * np.pi * (fx * shift[1] - fy * shift[0]))
    moved = forward(np.roll(image, shift, (0, 1)), precision="double").half
    expected = forward(image, precision="double").half * turn
    np.testing.assert_allclose(moved, expected, atol=1e-9 * 255 * image.size)


@settings(max_examples=40, deadline=None)
@given(
    shape=shapes(40), seed=st.integers(0, 99), factors=st.tuples(st.floats(-9, 9), st.floats(-9, 9))
)
def test_transform_is_linear(shape: Shape, seed: int, factors: tuple[float, float]) -> None:
    first, second = noise(shape, seed=seed), noise(shape, seed=seed + 1)
    mixed = forward(factors[0] * first + factors[1] * second, precision="double").half
    apart = [forward(image, precision="double").half for image in (first, second)]
    expected = factors[0] * apart[0] + factors[1] * apart[1]
    np.testing.assert_allclose(mixed, expected, atol=1e-9 * 255 * first.size)


@settings(max_examples=80, deadline=None)
@given(plane=planes(64, (255, 65535)), precision=st.sampled_from(PRECISIONS))
def test_energy_obeys_parseval(plane: Plane, precision: str) -> None:
    spectrum = forward(plane, precision=precision)
    squares = plane.size * float(np.square(plane.astype(np.float64)).sum())
    assert energy(spectrum) == pytest.approx(squares, rel=1e-6 if precision == "single" else 1e-12)


@settings(max_examples=100, deadline=None)
@given(shape=shapes(400), level=st.integers(0, 65535), precision=st.sampled_from(PRECISIONS))
def test_constant_image_has_nothing_but_dc(shape: Shape, level: int, precision: str) -> None:
    """Exactly zero, even in single precision: a log scale would make rounding noise visible."""
    spectrum = forward(np.full(shape, level, np.uint16), precision=precision)
    assert spectrum.dc == pytest.approx(level * shape[0] * shape[1], rel=1e-7)
    spectrum.half[0, 0] = 0
    assert not spectrum.half.any()


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (509, 499), (700, 1024)])
def test_any_number_of_threads_gives_the_same_bits(
    shape: Shape, threads: int, precision: str
) -> None:
    image = noise(shape)
    alone = forward(image, precision=precision)
    shared = forward(image, precision=precision, threads=threads)
    assert shared.half.tobytes() == alone.half.tobytes()
    assert inverse(shared, threads=threads).tobytes() == inverse(alone).tobytes()
    assert energy(shared, threads=threads) == energy(alone)


@settings(max_examples=100, deadline=None)
@given(plane=planes(96, (255, 65535)), precision=st.sampled_from(PRECISIONS))
def test_the_inverse_restores_the_image(plane: Plane, precision: str) -> None:
    image = inverse(forward(plane, precision=precision))
    assert image.dtype == (np.float32 if precision == "single" else np.float64)
    worst = np.abs(image.astype(np.float64) - plane).max()
    assert worst <= (2e-6 if precision == "single" else 1e-14) * 65535


@pytest.mark.parametrize("shape", [(281, 397), (509, 499), (512, 512)])
def test_brightness_does_not_reduce_the_accuracy_of_details(shape: Shape) -> None:
    """Noise of one grey level just below 16-bit white survives in single precision."""
    image = 65535 - noise(shape, white=1).astype(np.uint16)
    assert np.abs(inverse(forward(image)).astype(np.float64) - image).max() < 0.01


def test_the_inverse_does_not_modify_its_spectrum() -> None:
    spectrum = forward(noise((20, 30)))
    before = spectrum.half.copy()
    inverse(spectrum)
    assert np.array_equal(spectrum.half, before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64, np.float32, np.float64])
def test_image_may_have_any_real_type_and_is_not_changed(dtype: Any) -> None:
    image = noise((12, 17)).astype(dtype)
    before = image.copy()
    half = forward(image, precision="double").half
    np.testing.assert_allclose(half, np.fft.rfft2(image.astype(float)), atol=1e-8)
    assert np.array_equal(image, before)


def test_image_may_be_a_view_with_any_strides() -> None:
    image = noise((40, 60))[::-2, 5:45:3]
    expected = forward(image.copy()).half
    assert np.array_equal(forward(image).half, expected)
    assert np.array_equal(forward(image.T.copy()).half, forward(image.T).half)


def test_rows_can_be_read_and_returned_in_blocks() -> None:
    """Blocks in any order, each row once: large images need no floating-point copy."""
    image = noise((1500, 700))
    asked: list[tuple[int, int]] = []

    def read(start: int, stop: int) -> NDArray[Any]:
        asked.append((start, stop))
        return image[start:stop]

    spectrum = forward_rows(read, image.shape, precision="double")
    assert_close(spectrum.half, np.fft.rfft2(image), 1e-12)
    assert len(asked) > 1
    assert [row for start, stop in asked for row in range(start, stop)] == list(range(1500))

    back = np.full(image.shape, np.nan)

    def take(start: int, rows: NDArray[Any]) -> int:
        back[start : start + rows.shape[0]] = rows
        return start

    starts = inverse_rows(spectrum, take)
    assert starts == sorted(starts)
    np.testing.assert_allclose(back, image, atol=1e-9)


@pytest.mark.parametrize(("shape", "width"), [((4, 3), 6), ((4, 3), 3), ((3,), 4), ((2, 2, 2), 2)])
def test_a_half_that_does_not_match_its_width_is_rejected(
    shape: tuple[int, ...], width: int
) -> None:
    with pytest.raises(ValueError, match="does not match width"):
        Spectrum(np.zeros(shape, np.complex64), width)


# Faint signals on large offsets


@pytest.mark.parametrize("offset", [0.4, 1e3, 1e6, 1e9, -1e6])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_an_offset_costs_floating_point_images_no_accuracy(offset: float, precision: str) -> None:
    """All coefficients but DC are those of the image without the offset."""
    faint = np.random.default_rng(0).normal(0, 1, (64, 81))
    image = faint + offset
    expected = np.fft.rfft2(image - offset)  # what the offset has rounded away is not there
    assert_close_beside_dc(forward(image, precision=precision).half, expected, TOLERANCE[precision])


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64])
def test_an_offset_costs_whole_numbers_no_accuracy(dtype: Any) -> None:
    faint = noise((64, 81))
    image = faint.astype(dtype) + dtype(1 << 30)
    assert_close_beside_dc(
        forward(image).half, np.fft.rfft2(faint.astype(float)), TOLERANCE["single"]
    )


def test_the_offset_of_images_in_single_precision_costs_no_accuracy() -> None:
    image = noise((64, 81)).astype(np.float32) / np.float32(1 << 16) + np.float32(0.5)
    exact = image.astype(np.float64)
    expected = np.fft.rfft2(exact - exact.mean())
    assert_close_beside_dc(forward(image).half, expected, TOLERANCE["single"])


def assert_close_beside_dc(half: NDArray[Any], expected: NDArray[Any], tolerance: float) -> None:
    error, others = np.abs(half - expected), np.abs(expected)
    error[0, 0] = others[0, 0] = 0
    assert error.max() <= tolerance * others.max()


@pytest.mark.parametrize("level", [0.3, 1e6 + 0.1, -1e-3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_floating_point_images_have_nothing_but_dc(level: float, dtype: Any) -> None:
    image = np.full((37, 64), level, dtype)
    half = forward(image).half
    assert half[0, 0] == pytest.approx(float(image[0, 0]) * image.size, rel=1e-7)
    half[0, 0] = 0
    assert not half.any()


def test_the_mean_of_the_image_is_kept() -> None:
    image = noise((50, 70), np.float64) + 1e6
    assert forward(image).dc / image.size == pytest.approx(image.mean(), rel=1e-7)
