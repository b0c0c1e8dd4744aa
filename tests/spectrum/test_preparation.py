"""Windows compared with scipy, detrending compared with least squares, and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.signal import get_window

from fft_tool.spectrum.choices import DETRENDS, WINDOWS
from fft_tool.spectrum.preparation import (
    SMALLEST_UNDONE_WEIGHT,
    Preparation,
    Trend,
    prepare,
    window_weights,
)
from tests.support.images import noise
from tests.support.planes import Plane, Shape, planes, shapes

# A quarter of the length at each end is tapered, which scipy calls alpha = 0.5.
SCIPY_NAMES: dict[str, Any] = {
    "none": "boxcar",
    "hann": "hann",
    "hamming": "hamming",
    "blackman": "blackman",
    "tukey": ("tukey", 0.5),
}


def full_window(name: str, shape: Shape) -> NDArray[np.float64]:
    return np.outer(window_weights(name, shape[0]), window_weights(name, shape[1]))


def applied(preparation: Preparation, plane: Plane) -> NDArray[Any]:
    return preparation.at(plane.shape).apply(plane, 0, plane.shape[0], np.float64)


def undone(preparation: Preparation, values: NDArray[Any]) -> NDArray[Any]:
    height, width = values.shape
    return preparation.at((height, width)).undo(values, 0)


def test_every_window_has_a_reference() -> None:
    assert set(WINDOWS) == set(SCIPY_NAMES)


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("length", [*range(1, 40), 128, 281, 512])
def test_windows_agree_with_the_periodic_ones_of_scipy(name: str, length: int) -> None:
    expected = get_window(SCIPY_NAMES[name], length, fftbins=True)
    np.testing.assert_allclose(window_weights(name, length), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", WINDOWS)
def test_weights_lie_between_0_and_1(name: str) -> None:
    for length in range(1, 70):
        weights = window_weights(name, length)
        assert weights.min() >= 0
        assert weights.max() <= 1 + 1e-15


def test_the_error_for_an_unknown_window_lists_all_windows() -> None:
    with pytest.raises(ValueError, match=r"unknown window 'kaiser'.*hann, hamming, blackman"):
        window_weights("kaiser", 8)


@settings(max_examples=60, deadline=None)
@given(shape=shapes(), level=st.integers(0, 65535), detrend=st.sampled_from(("mean", "linear")))
def test_detrending_a_constant_leaves_exactly_nothing(
    shape: Shape, level: int, detrend: str
) -> None:
    plane = np.full(shape, level, np.uint16)
    assert not applied(prepare(plane, white=65535, detrend=detrend), plane).any()


@settings(max_examples=60, deadline=None)
@given(shape=shapes(), slopes=st.tuples(st.integers(-200, 200), st.integers(-200, 200)))
def test_linear_detrending_of_a_plane_leaves_nothing(shape: Shape, slopes: tuple[int, int]) -> None:
    rows, columns = np.indices(shape)
    tilted = slopes[0] * rows + slopes[1] * columns
    plane = (tilted - tilted.min()).astype(np.uint16)
    preparation = prepare(plane, white=65535, detrend="linear")
    np.testing.assert_allclose(applied(preparation, plane), 0, atol=1e-8)
    if shape[0] > 1 and shape[1] > 1:
        found = (preparation.trend.per_row, preparation.trend.per_column)
        assert found == pytest.approx(slopes, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(plane=planes(40, (255, 65535)))
def test_linear_detrending_is_the_least_squares_fit(plane: Plane) -> None:
    rows, columns = np.indices(plane.shape).reshape(2, -1)
    design = np.stack([np.ones(plane.size), rows, columns], axis=1)
    fitted = design @ np.linalg.lstsq(design, plane.ravel().astype(float), rcond=None)[0]
    trend = prepare(plane, white=65535, detrend="linear").trend
    found = trend.rows((plane.shape[0], plane.shape[1]), 0, plane.shape[0])
    np.testing.assert_allclose(found.ravel(), fitted, atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(plane=planes(40, (255, 65535)))
def test_mean_detrending_subtracts_the_mean(plane: Plane) -> None:
    preparation = prepare(plane, white=65535, detrend="mean")
    assert preparation.trend.level == pytest.approx(float(plane.mean()))
    assert preparation.trend == Trend(preparation.trend.level)
    assert abs(applied(preparation, plane).mean()) < 1e-9


@settings(max_examples=80, deadline=None)
@given(
    plane=planes(40, (255, 65535)),
    window=st.sampled_from(WINDOWS),
    detrend=st.sampled_from(DETRENDS),
)
def test_undo_restores_every_pixel_that_the_window_has_kept(
    plane: Plane, window: str, detrend: str
) -> None:
    shape = (plane.shape[0], plane.shape[1])
    preparation = prepare(plane, white=65535, window=window, detrend=detrend)
    back = undone(preparation, applied(preparation, plane))
    kept = full_window(window, shape) >= SMALLEST_UNDONE_WEIGHT
    np.testing.assert_allclose(back[kept], plane[kept], rtol=0, atol=1e-7)
    # Suppressed pixels are set to the trend, which is all that is known about them.
    trend = preparation.trend.rows(shape, 0, shape[0])
    np.testing.assert_allclose(back[~kept], trend[~kept], rtol=0, atol=1e-9)
    assert preparation.at(shape).lost_pixels() == np.count_nonzero(~kept)


@pytest.mark.parametrize("window", WINDOWS)
def test_lost_pixels_are_counted_on_large_images_too(window: str) -> None:
    shape = (3000, 211)
    lost = np.count_nonzero(full_window(window, shape) < SMALLEST_UNDONE_WEIGHT)
    assert Preparation(255, window).at(shape).lost_pixels() == lost


def test_rectangle_and_hamming_lose_nothing_and_hann_loses_its_first_row_and_column() -> None:
    assert Preparation(255).at((8, 8)).lost_pixels() == 0
    assert Preparation(255, "hamming").at((64, 64)).lost_pixels() == 0
    assert Preparation(255, "hann").at((8, 8)).lost_pixels() == 8 + 8 - 1


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 30), window=st.sampled_from(WINDOWS), detrend=st.sampled_from(DETRENDS))
def test_blocks_of_rows_make_up_the_whole(cut: int, window: str, detrend: str) -> None:
    plane = noise((30, 17))
    preparation = prepare(plane, white=255, window=window, detrend=detrend)
    whole = applied(preparation, plane)
    prepared = preparation.at(plane.shape)
    parts = [prepared.apply(plane, *span, np.float64) for span in ((0, cut), (cut, 30))]
    assert np.array_equal(np.vstack(parts), whole)
    undone_parts = [prepared.undo(part, start) for part, start in zip(parts, (0, cut), strict=True)]
    assert np.array_equal(np.vstack(undone_parts), undone(preparation, whole))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("window", ["none", "hann"])
def test_prepared_rows_have_the_type_asked_for(dtype: type[np.floating[Any]], window: str) -> None:
    plane = noise((5, 6))
    rows = prepare(plane, white=255, window=window).at(plane.shape).apply(plane, 1, 3, dtype)
    assert rows.dtype == dtype
    assert rows.shape == (2, 6)


PREPARATIONS = st.builds(
    Preparation,
    white=st.integers(1, 65535),
    window=st.sampled_from(WINDOWS),
    detrend=st.sampled_from(DETRENDS),
    trend=st.builds(Trend, *[st.floats(allow_nan=False, allow_infinity=False)] * 3),
    periodic=st.booleans(),
)


@settings(deadline=None)
@given(preparation=PREPARATIONS)
def test_preparations_survive_the_round_trip_through_json(preparation: Preparation) -> None:
    assert Preparation.from_json(preparation.to_json()) == preparation


def _trend(level: Any) -> dict[str, Any]:
    return {"level": level, "per_row": 0.0, "per_column": 0.0}


NAN, INFINITY = float("nan"), float("inf")
GARBAGE: dict[str, list[Any]] = {
    "white": [0, -1, 65536, None, "white", [], INFINITY, NAN],
    "window": ["kaiser", "", None, 7, ["hann"], {}],
    "detrend": ["quadratic", None, 0],
    "trend": [None, 5, {}, [1, 2, 3], {"level": 0.0}, *map(_trend, ("x", None, NAN, INFINITY))],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in GARBAGE.items() for value in values]
)
def test_invalid_values_in_a_record_are_rejected(key: str, value: Any) -> None:
    """Python's JSON parser accepts NaN and Infinity, which are not valid grey levels."""
    values = Preparation(255, detrend="mean").to_json() | {key: value}
    with pytest.raises((KeyError, TypeError, ValueError)):
        Preparation.from_json(values)


@pytest.mark.parametrize("key", list(Preparation(255).to_json()))
def test_a_missing_key_in_a_record_is_rejected(key: str) -> None:
    values = Preparation(255).to_json()
    del values[key]
    with pytest.raises((KeyError, TypeError, ValueError)):
        Preparation.from_json(values)


def test_preparations_know_what_they_keep() -> None:
    assert Preparation(255).trivial
    assert not Preparation(255, periodic=True).trivial
    assert Preparation(255, periodic=True).keeps_levels
    assert not Preparation(255, window="hann").keeps_levels
    assert not Preparation(255, detrend="mean").keeps_levels
