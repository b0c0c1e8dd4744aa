from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import fft_tool
from fft_tool.codec import png_encode
from fft_tool.image.statistics import PixelStatistics, Threshold, describe
from fft_tool.recipe import Recipe
from fft_tool.results.histogram import (
    BAR,
    FOOT,
    HEAD,
    HEADING,
    HEIGHTS,
    LEFT,
    MANY,
    RIGHT,
    WIDTH,
    drawn_planes,
    histogram_picture,
    powers_of_ten,
    round_counts,
)
from fft_tool.results.registry import ARTIFACT_KINDS, Extent
from tests.support.images import noise

PLOT = HEIGHTS[1]  # rows of a plot that is alone


def statistics(values: list[int], white: int = 255, threshold: Threshold = 255) -> PixelStatistics:
    return describe(np.array([values], np.uint16), white=white, threshold=threshold)


def darkness(found: PixelStatistics) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Darkness of the plot's bars, shape (rows, 256), without grid and axis."""
    picture = histogram_picture({"grey": found})
    plot = 765 - picture[HEAD : HEAD + PLOT, LEFT:RIGHT].sum(-1, dtype=int)
    return np.asarray(plot[:, ::BAR], np.int64)


@pytest.mark.parametrize("white", [1, 255, 4095, 65535])
@pytest.mark.parametrize("values", [[0], [1], [0, 1], [0] * 12_345 + [1]])
@pytest.mark.parametrize("threshold", ["mid", "otsu", 0, 1])
def test_every_histogram_gives_a_picture_of_the_same_shape(
    values: list[int], white: int, threshold: Threshold
) -> None:
    picture = histogram_picture({"grey": statistics(values, white, threshold)})
    assert picture.shape == (HEAD + PLOT + FOOT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


def test_same_statistics_give_the_same_bytes() -> None:
    values = np.random.default_rng(0).integers(0, 256, 5_000).tolist()
    first, second = (histogram_picture({"grey": statistics(values)}) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_background_is_white_to_the_edges() -> None:
    picture = histogram_picture({"grey": statistics([0, 0, 0, 255, 255], threshold="mid")})
    frame = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (frame == 255).all()


def test_the_fullest_bin_reaches_the_top_and_an_empty_one_stays_empty() -> None:
    dark = darkness(statistics([40] * 9 + [200]))
    full, empty = dark[:, 40], dark[:, 41]
    assert (full > 400).all()
    assert (empty[:-1] < 100).all()


def test_heights_of_linear_bars_are_proportional_to_counts() -> None:
    dark = darkness(statistics([10] * 400 + [20] * 200 + [30] * 100))
    heights = [np.count_nonzero(dark[:-1, value] > 400) for value in (10, 20, 30)]
    assert heights == pytest.approx([PLOT, PLOT / 2, PLOT / 4], abs=2)


def test_logarithmic_bars_show_what_linear_ones_hide() -> None:
    dark = darkness(statistics([10] * 1_000_000 + [20]))
    rare = dark[:-1, 20] > 100
    assert np.count_nonzero(rare) == pytest.approx(PLOT * np.log(2) / np.log(1_000_001), abs=2)
    assert np.count_nonzero(dark[:-1, 20] > 400) == 0


def test_the_threshold_line_lies_between_black_and_white() -> None:
    picture = histogram_picture({"grey": statistics([5, 250], threshold=99)})
    row = picture[HEAD + 4, LEFT:RIGHT]
    marked = np.flatnonzero((row == (208, 83, 36)).all(axis=-1))
    assert marked.size == 2
    assert abs(marked.mean() - 100 * BAR) <= 1


def test_a_colour_image_has_a_panel_for_luma_and_each_colour() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[..., 0], pixels[..., 1], pixels[..., 2] = 64, 128, 192
    names = ("red", "green", "blue")
    planes = {name: describe(pixels[..., place]) for place, name in enumerate(names)}
    found = {"grey": describe(pixels[..., 0]), **planes, "alpha": describe(pixels[..., 1])}
    drawn = drawn_planes(found, "luma")
    assert list(drawn) == ["luma", *names]
    picture = histogram_picture(drawn)
    assert picture.shape == (HEAD + 4 * MANY + 3 * HEADING + FOOT, WIDTH, 3)
    for place, (name, level) in enumerate(zip(names, (64, 128, 192), strict=True), start=1):
        bar = picture[HEAD + place * (MANY + HEADING) + 20, LEFT + level * BAR]
        assert bar.argmax() == names.index(name), "the bar has the colour of its channel"


def test_the_channel_that_is_analysed_comes_first_and_once() -> None:
    found = {name: statistics([0, 1]) for name in ("grey", "red", "green", "blue")}
    assert list(drawn_planes(found, "green")) == ["green", "red", "blue"]
    assert list(drawn_planes({"grey": found["grey"]}, "luma")) == ["grey"]
    assert list(drawn_planes({"grey": found["grey"]}, "red")) == ["grey"]


def test_the_record_has_the_numbers_of_every_panel() -> None:
    pixels = noise((32, 48, 3))
    outputs = fft_tool.analyze(pixels, histogram=True, metadata=True)
    assert outputs.record is not None
    found = outputs.record["statistics"]
    for place, name in enumerate(("red", "green", "blue")):
        expected = np.bincount(pixels[..., place].ravel(), minlength=256).tolist()
        assert found[name]["histogram"]["counts"] == expected
    assert sum(found["grey"]["histogram"]["counts"]) == 32 * 48


def test_no_picture_is_larger_than_admission_assumes() -> None:
    rng = np.random.default_rng(0)
    jagged = [level for level in range(0, 256, 2) for _ in range(rng.integers(1, 400))]
    planes = {name: statistics(jagged) for name in ("luma", "red", "green", "blue")}
    bound = ARTIFACT_KINDS["histogram"].max_bytes(Extent(1, 1, 3, 1, 0, 0), Recipe())
    assert len(png_encode.encode(histogram_picture(planes))) < bound / 2


@pytest.mark.parametrize("most", [1, 9, 10, 99, 12_345, 999_999_999])
@pytest.mark.parametrize("number", [2, 3, 6])
def test_numbers_on_the_axes_are_round_and_few(most: int, number: int) -> None:
    ticks = round_counts(most, number)
    assert 1 <= len(ticks) <= number + 1
    assert str(ticks.step).strip("0") in ("1", "2", "5")
    assert len(powers_of_ten(most, number)) <= number + 1


def test_importing_the_module_does_not_load_pillow() -> None:
    program = "import sys, fft_tool.results.histogram; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
