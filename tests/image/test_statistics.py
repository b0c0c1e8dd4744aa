from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.arrays import Plane
from fft_tool.image import statistics
from fft_tool.image.sharpness import sharpness
from fft_tool.image.statistics import PERCENTS, describe, otsu_threshold
from tests.support.images import noise

if TYPE_CHECKING:
    from collections.abc import Callable

# Reference implementations without type hints: imported by name, so that mypy treats them as Any.
ndimage = import_module("scipy.ndimage")
entropy = import_module("scipy.stats").entropy
data = import_module("skimage.data")
threshold_otsu = import_module("skimage.filters").threshold_otsu

SHAPES = [(1, 1), (1, 7), (7, 1), (2, 2), (13, 17), (64, 48), (97, 101)]
DEPTHS = [(np.uint8, 255), (np.uint16, 65535), (np.uint16, 4095)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_moments_and_extremes_agree_with_numpy(
    shape: tuple[int, int], dtype: type[Any], white: int
) -> None:
    plane = noise(shape, dtype, white=white)
    found = describe(plane, white=white)
    assert found.pixels == plane.size
    assert found.mean == pytest.approx(np.mean(plane, dtype=np.float64), rel=1e-13)
    assert found.deviation == pytest.approx(np.std(plane, dtype=np.float64), rel=1e-12, abs=1e-12)
    assert (found.minimum, found.maximum) == (plane.min(), plane.max())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_median_and_percentiles_agree_with_numpy(
    shape: tuple[int, int], dtype: type[Any], white: int
) -> None:
    plane = noise(shape, dtype, white=white)
    found = describe(plane, white=white)
    expected = np.percentile(plane, PERCENTS)
    assert list(found.percentiles.values()) == pytest.approx(expected, rel=1e-12, abs=1e-9)
    assert found.median == np.median(plane)


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=40))
def test_percentiles_are_the_exact_interpolation_rounded_once(values: list[int]) -> None:
    found = describe(np.array([values], np.uint16), white=65535)
    ordered = sorted(values)
    for percent, value in found.percentiles.items():
        position = Fraction(percent, 100) * (len(ordered) - 1)
        below = int(position)
        above = min(below + 1, len(ordered) - 1)
        exact = ordered[below] + (position - below) * (ordered[above] - ordered[below])
        assert value == float(exact)


@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_entropy_agrees_with_scipy(dtype: type[Any], white: int) -> None:
    plane = noise((50, 60), dtype, white=white)
    counts = np.bincount(plane.ravel())
    assert describe(plane, white=white).entropy == pytest.approx(entropy(counts, base=2))


def test_entropy_of_a_uniform_histogram_is_its_depth() -> None:
    every_byte = np.arange(256, dtype=np.uint8).reshape(16, 16)
    every_word = np.arange(65536).astype(np.uint16).reshape(256, 256)
    assert describe(every_byte, white=255).entropy == 8.0
    assert describe(every_word, white=65535).entropy == pytest.approx(16.0, rel=1e-14)


@pytest.mark.parametrize("white", [1, 15, 255, 1000, 4095, 65535])
def test_histogram_has_256_equal_bins_over_the_whole_range(white: int) -> None:
    plane = noise((40, 50), np.uint16, white=white)
    found = describe(plane, white=white)
    expected, edges = np.histogram(plane, bins=256, range=(0, white + 1))
    assert found.histogram == tuple(expected)
    assert found.bin_width == edges[1]


def test_clipped_shares_count_the_ends_exactly() -> None:
    plane = np.array([[0, 0, 1, 4094], [4095, 7, 7, 7]], np.uint16)
    found = describe(plane, white=4095)
    assert (found.clipped_black, found.clipped_white) == (2 / 8, 1 / 8)


@pytest.mark.parametrize("threshold", ["mid", "otsu", 0, 100, 255])
def test_black_is_at_most_the_threshold_and_white_is_above(threshold: statistics.Threshold) -> None:
    plane = noise((31, 37), np.uint8, white=255)
    found = describe(plane, white=255, threshold=threshold)
    assert found.black_pixels == np.count_nonzero(plane <= found.threshold)
    assert found.white_pixels == np.count_nonzero(plane > found.threshold)


@pytest.mark.parametrize("white", [1, 255, 4095, 65535])
def test_mid_divides_the_range_into_equal_halves(white: int) -> None:
    every_value = np.arange(white + 1).astype(np.uint16)[None]
    found = describe(every_value, white=white, threshold="mid")
    assert found.black_pixels == found.white_pixels


def test_the_threshold_method_is_reported() -> None:
    plane = noise((5, 5), np.uint8, white=255)
    thresholds: list[statistics.Threshold] = ["mid", "otsu", 9]
    methods = [describe(plane, white=255, threshold=t).threshold_method for t in thresholds]
    assert methods == ["mid", "otsu", "given"]


@pytest.mark.parametrize("name", ["camera", "coins", "page", "moon", "text"])
def test_otsu_agrees_with_scikit_image(name: str) -> None:
    plane = getattr(data, name)()
    assert describe(plane, white=255, threshold="otsu").threshold == threshold_otsu(plane)


def test_otsu_agrees_with_scikit_image_on_16_bits() -> None:
    rng = np.random.default_rng(2)
    dark, bright = rng.normal(9_000, 1_500, 3_000), rng.normal(47_000, 4_000, 5_000)
    plane = np.concatenate([dark, bright]).clip(0, 65535).astype(np.uint16).reshape(80, 100)
    assert describe(plane, white=65535, threshold="otsu").threshold == threshold_otsu(plane)


@settings(deadline=None)
@given(
    st.one_of(
        st.lists(st.integers(0, 5), min_size=2, max_size=24),
        st.lists(st.integers(0, 10**8), min_size=2, max_size=24),
    )
)
def test_otsu_is_the_smallest_threshold_that_maximises_the_variance_between(
    counts: list[int],
) -> None:
    def variance_between(threshold: int) -> Fraction:
        classes = counts[: threshold + 1], counts[threshold + 1 :]
        starts = 0, threshold + 1
        if not all(map(any, classes)):
            return Fraction(-1)
        sums = [sum(part) for part in classes]
        means = [
            Fraction(sum(n * v for v, n in enumerate(part, start)), sum(part))
            for part, start in zip(classes, starts, strict=True)
        ]
        return sums[0] * sums[1] * (means[1] - means[0]) ** 2

    occupied = sum(map(bool, counts))
    best = max(range(len(counts)), key=variance_between)
    expected = best if occupied > 1 else (len(counts) - 1) // 2
    assert otsu_threshold(np.array(counts, np.int64)) == expected


@pytest.mark.parametrize("value", [0, 127, 128, 255])
@pytest.mark.parametrize("threshold", ["mid", "otsu"])
def test_constant_image_is_black_or_white_by_the_midpoint(
    value: int, threshold: statistics.Threshold
) -> None:
    found = describe(np.full((9, 5), value, np.uint8), white=255, threshold=threshold)
    assert found.threshold == 127
    assert found.white_pixels == (45 if value > 127 else 0)
    assert (found.mean, found.deviation, found.entropy) == (value, 0, 0)
    assert set(found.percentiles.values()) == {found.median} == {value}


@pytest.mark.parametrize(
    "view",
    [
        lambda plane: plane[::2, 1:],
        lambda plane: plane[:, ::-3],
        lambda plane: plane.T,
        np.asfortranarray,
        lambda plane: plane[3:4, 1:8],
    ],
)
@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_views_give_the_same_result_as_copies(
    view: Callable[[Plane], Plane], dtype: type[Any], white: int
) -> None:
    plane = view(noise((33, 41), dtype, white=white))
    assert describe(plane, white=white) == describe(plane.copy(), white=white)
    assert sharpness(plane, white=white) == sharpness(plane.copy(), white=white)


@pytest.mark.parametrize("pixels", [1, 3, 8, 50, 64])
@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_tiling_does_not_change_the_numbers(
    pixels: int, dtype: type[Any], white: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plane = noise((23, 31), dtype, white=white)
    whole = describe(plane, white=white), sharpness(plane, white=white)
    monkeypatch.setattr(statistics, "_COUNTED_AT_ONCE", pixels)
    monkeypatch.setattr("fft_tool.image.sharpness._FILTERED_AT_ONCE", pixels)
    monkeypatch.setattr("fft_tool.image.sharpness._FILTERED_COLUMNS", min(pixels, 5))
    assert (describe(plane, white=white), sharpness(plane, white=white)) == whole


@pytest.mark.parametrize("shape", [(2048, 4096), (1, 1 << 23), (1 << 23, 1), (3, 1 << 21)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_temporary_memory_stays_small_whatever_the_shape(
    shape: tuple[int, int], dtype: type[Any]
) -> None:
    plane = np.zeros(shape, dtype)
    tracemalloc.start()
    describe(plane, white=255)
    sharpness(plane, white=255)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 7_000_000


@pytest.mark.parametrize(
    ("plane", "white", "threshold", "message"),
    [
        (np.zeros((0, 3), np.uint8), 255, "mid", "at least one pixel"),
        (
            np.zeros((2, 3, 3), np.uint8),
            255,
            "mid",
            "pass one channel",
        ),
        (np.zeros((2, 3), np.float32), 255, "mid", "uint8 or uint16"),
        (np.zeros((2, 3), np.uint8), 256, "mid", "white=256"),
        (np.zeros((2, 3), np.uint8), 0, "mid", "white=0"),
        (np.full((2, 3), 4096, np.uint16), 4095, "mid", "up to 4096"),
        (np.zeros((2, 3), np.uint8), 255, 256, "0 … 255"),
        (np.zeros((2, 3), np.uint8), 255, -1, "0 … 255"),
        (np.zeros((2, 3), np.uint8), 255, "median", "'mid', 'otsu'"),
    ],
)
def test_invalid_arguments_are_named_in_the_error(
    plane: Plane, white: int, threshold: statistics.Threshold, message: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        describe(plane, white=white, threshold=threshold)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("value", [0, 255])
def test_json_is_plain_and_free_of_nan(shape: tuple[int, int], value: int) -> None:
    plane = np.full(shape, value, np.uint8)
    found = describe(plane, white=255, threshold="otsu").to_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert sum(found["histogram"]["counts"]) == plane.size
    sharp = sharpness(plane, white=255)
    assert sharp is None or set(sharp.to_json().values()) == {0.0}


@pytest.mark.parametrize("shape", [(3, 3), (3, 40), (40, 3), (13, 17), (64, 48), (20, 2500)])
@pytest.mark.parametrize(("dtype", "white"), DEPTHS)
def test_sharpness_agrees_with_scipy(shape: tuple[int, int], dtype: type[Any], white: int) -> None:
    plane = noise(shape, dtype, white=white)
    unit = plane / white
    interior = (slice(1, -1), slice(1, -1))
    laplacian = ndimage.laplace(unit)[interior]
    slopes = [ndimage.sobel(unit, axis)[interior] / 8 for axis in (0, 1)]
    found = sharpness(plane, white=white)
    assert found is not None
    assert found.laplacian_variance == pytest.approx(np.var(laplacian), rel=1e-11, abs=1e-15)
    assert found.gradient_energy == pytest.approx(np.mean(slopes[0] ** 2 + slopes[1] ** 2))


def test_sharpness_is_the_same_for_8_and_16_bits() -> None:
    plane = data.camera()
    assert sharpness(plane, white=255) == sharpness(plane.astype(np.uint16) * 257, white=65535)


def test_sharpness_falls_when_the_image_is_blurred() -> None:
    plane = data.camera()
    found = [
        sharpness(ndimage.gaussian_filter(plane, radius), white=255) for radius in (0, 0.7, 1.5, 4)
    ]
    for measure in ("laplacian_variance", "gradient_energy"):
        values = [getattr(one, measure) for one in found]
        assert values == sorted(values, reverse=True)
        assert len(set(values)) == len(values)


def test_full_contrast_does_not_overflow() -> None:
    checks = np.indices((40, 40)).sum(axis=0) % 2
    for dtype, white in ((np.uint8, 255), (np.uint16, 65535)):
        found = sharpness((checks * white).astype(dtype), white=white)
        assert found is not None
        assert found.laplacian_variance == 16.0


def test_a_ramp_has_its_slope_and_no_curvature() -> None:
    ramp = np.tile(np.arange(0, 200, 2, dtype=np.uint8), (50, 1))
    found = sharpness(ramp, white=255)
    assert found is not None
    assert found.laplacian_variance == 0.0
    assert found.gradient_energy == pytest.approx((2 / 255) ** 2, rel=1e-14)


def test_constant_curvature_has_no_variance() -> None:
    parabola = np.tile((np.arange(200) ** 2).astype(np.uint16), (50, 1))
    found = sharpness(parabola, white=65535)
    assert found is not None
    assert found.laplacian_variance == 0.0


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 9), (9, 2)])
def test_images_without_interior_pixels_have_no_sharpness(shape: tuple[int, int]) -> None:
    assert sharpness(noise(shape, np.uint8, white=255), white=255) is None
