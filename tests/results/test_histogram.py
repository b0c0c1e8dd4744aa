from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fft_tool.image.statistics import PixelStatistics, Threshold, describe
from fft_tool.results.histogram import BAR, BOTTOM, HEIGHT, LEFT, TOP, WIDTH, histogram_picture


def statistics(values: list[int], white: int = 255, threshold: Threshold = 255) -> PixelStatistics:
    return describe(np.array([values], np.uint16), white=white, threshold=threshold)


def darkness(found: PixelStatistics) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Darkness of the plot's bars, shape (rows, 256), without grid and axis."""
    plot = 765 - histogram_picture(found)[TOP:BOTTOM, LEFT : LEFT + 256 * BAR].sum(-1, dtype=int)
    return np.asarray(plot[:, ::BAR], np.int64)


@pytest.mark.parametrize("white", [1, 255, 4095, 65535])
@pytest.mark.parametrize("values", [[0], [1], [0, 1], [0] * 12_345 + [1]])
@pytest.mark.parametrize("threshold", ["mid", "otsu", 0, 1])
def test_every_histogram_gives_a_picture_of_the_same_shape(
    values: list[int], white: int, threshold: Threshold
) -> None:
    picture = histogram_picture(statistics(values, white, threshold))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert picture.dtype == np.uint8
    assert picture.flags.c_contiguous


def test_same_statistics_give_the_same_bytes() -> None:
    values = np.random.default_rng(0).integers(0, 256, 5_000).tolist()
    first, second = (histogram_picture(statistics(values)) for _ in range(2))
    assert first.tobytes() == second.tobytes()


def test_the_background_is_white_to_the_edges() -> None:
    picture = histogram_picture(statistics([0, 0, 0, 255, 255], threshold="mid"))
    frame = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (frame == 255).all()


def test_the_fullest_bin_reaches_the_top_and_an_empty_one_stays_empty() -> None:
    dark = darkness(statistics([40] * 9 + [200]))
    full, empty = dark[:, 40], dark[:, 41]
    assert (full > 400).all()
    assert (empty < 100).all()


def test_heights_of_linear_bars_are_proportional_to_counts() -> None:
    dark = darkness(statistics([10] * 400 + [20] * 200 + [30] * 100))
    heights = [np.count_nonzero(dark[:, value] > 400) for value in (10, 20, 30)]
    plot = BOTTOM - TOP
    assert heights == pytest.approx([plot, plot / 2, plot / 4], abs=1)


def test_logarithmic_bars_show_what_linear_ones_hide() -> None:
    dark = darkness(statistics([10] * 1_000_000 + [20]))
    rare = dark[:, 20] > 100
    assert np.count_nonzero(rare) == pytest.approx(
        (BOTTOM - TOP) * np.log(2) / np.log(1_000_001), abs=1
    )
    assert np.count_nonzero(dark[:, 20] > 400) == 0


def test_the_threshold_line_lies_between_black_and_white() -> None:
    picture = histogram_picture(statistics([5, 250], threshold=99))
    above_plot = picture[TOP - 3, LEFT : LEFT + 256 * BAR]
    marked = np.flatnonzero((above_plot != 255).any(axis=-1))
    assert marked.tolist() == [100 * BAR]


def test_importing_the_module_does_not_load_pillow() -> None:
    program = "import sys, fft_tool.results.histogram; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
