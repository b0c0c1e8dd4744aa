"""Scaling of measured values to levels, which lead back to the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fft_tool.codec import image_file
from fft_tool.codec.values import scale
from fft_tool.errors import RecipeError, UnsupportedImage
from tests.support.images import noise, npy, png_bytes

RNG = np.random.default_rng(7)


def given_back(values: Any, **options: Any) -> tuple[Any, Any]:
    levels, found = scale(np.asarray(values)[:, :, None], **options)
    assert levels.dtype == np.uint16
    return found.offset + found.step * levels[:, :, 0].astype(np.float64), found


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("spread", [1e-3, 1.0, 6e4])
def test_floats_are_given_back_to_within_half_a_step(dtype: Any, spread: float) -> None:
    values = (RNG.uniform(-1, 1, (300, 40)) * spread / 2).astype(dtype)
    back, found = given_back(values)
    assert np.abs(back - values).max() <= found.step / 2 * (1 + 1e-9)
    assert (found.minimum, found.maximum) == (values.min(), values.max())
    assert found.step == pytest.approx((found.maximum - found.minimum) / 65535)
    assert not found.exact


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        (np.int8, -128, 127),
        (np.int16, -32768, 32767),
        (np.int16, -5, 995),
        (np.int32, 10**9, 10**9 + 65535),
        (np.uint32, 2**32 - 40, 2**32 - 1),
        (np.int64, -(2**63), -(2**63) + 60_000),
        (np.uint64, 2**53, 2**53 + 2),
        (np.float32, -2000, 40_000),
        (np.int32, 7, 7),
    ],
)
def test_whole_numbers_that_span_few_values_are_given_back_exactly(
    dtype: Any, low: int, high: int
) -> None:
    values = np.array([[low, high], [high, low + (high - low) // 3]], dtype)
    levels, found = scale(values[:, :, None])
    assert found.exact
    steps = [round(found.step * int(level)) for level in levels.ravel()]
    assert [int(found.offset) + step for step in steps] == [int(value) for value in values.ravel()]


@pytest.mark.parametrize("dtype", [np.int32, np.uint32, np.int64, np.uint64])
def test_whole_numbers_that_span_more_are_scaled_and_not_called_exact(dtype: Any) -> None:
    info = np.iinfo(dtype)
    values = RNG.integers(info.min, info.max, (20, 30), dtype, endpoint=True)
    back, found = given_back(values)
    assert not found.exact
    assert np.abs(back - values.astype(np.float64)).max() <= found.step / 2 * (1 + 1e-6)


def test_values_outside_a_given_range_are_clipped_and_counted() -> None:
    back, found = given_back([[-1.0, 0.0, 0.5], [1.0, 1.5, 9.0]], value_range=(0.0, 1.0))
    assert found.clipped == 3
    assert (found.minimum, found.maximum) == (-1.0, 9.0)
    np.testing.assert_allclose(back, np.array([[0, 0, 0.5], [1, 1, 1]]), atol=found.step / 2)


def test_a_range_of_whole_steps_keeps_whole_numbers_exact() -> None:
    values = RNG.integers(-1000, 1000, (9, 9)).astype(np.int32)
    back, found = given_back(values, value_range=(-32768.0, 32767.0))
    assert found.exact
    np.testing.assert_array_equal(np.rint(back), values)


def test_all_colours_share_a_scale_and_opacity_has_its_own() -> None:
    values = RNG.uniform(-50, 50, (8, 9, 4))
    values[:, :, 3] = RNG.uniform(0, 1, (8, 9))
    levels, found = scale(values)
    assert found.minimum == values[:, :, :3].min()
    back = found.offset + found.step * levels[:, :, :3]
    np.testing.assert_allclose(back, values[:, :, :3], atol=found.step)
    np.testing.assert_array_equal(levels[:, :, 3], np.rint(values[:, :, 3] * 65535))
    values[0, 0, 3] = 2
    with pytest.raises(UnsupportedImage, match="opacity, which should be from 0 to 1"):
        scale(values)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_counted_in_the_error(wrong: float) -> None:
    values = np.ones((30, 40))
    values[3, 4:7] = wrong
    with pytest.raises(UnsupportedImage, match="3 of 1,200 values are NaN or infinite"):
        image_file.decode(npy(values))


@pytest.mark.parametrize("values", [[[-1e308, 1e308]], [[0.0, 5e-324]]])
def test_spreads_beyond_double_precision_are_refused(values: Any) -> None:
    with pytest.raises(UnsupportedImage, match="multiply them by a constant"):
        scale(np.array(values)[:, :, None])


@pytest.mark.parametrize("data", [png_bytes(noise((4, 5))), npy(noise((4, 5), np.uint16))])
def test_a_range_for_levels_that_are_analysed_as_they_are_is_a_fault(data: bytes) -> None:
    with pytest.raises(RecipeError, match=r"range='0,1': .*analysed as they are: leave it out"):
        image_file.decode(data, value_range=(0, 1))
