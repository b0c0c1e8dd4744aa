"""Colour maps: even steps in OKLab, inside sRGB, closed where they must be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fft_tool.spectrum import colourmap
from fft_tool.spectrum.colourmap import colourise, cyclic, oklab_to_linear, sequential

Table = NDArray[np.uint8]
Canvas = NDArray[np.float64]
MAPS = [sequential, cyclic]
CURVES = [colourmap._sequential_curve, colourmap._cyclic_curve]  # noqa: SLF001  (before rounding)


def to_oklab(table: Table) -> Canvas:
    """Ottosson's forward transform, written out channel by channel."""
    encoded = table.astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    red, green, blue = linear.T
    long = np.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = np.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = np.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return np.stack(
        [
            0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
            1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
            0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
        ],
        axis=1,
    )


def steps(colours: Canvas, stride: int = 1) -> Canvas:
    return np.asarray(np.linalg.norm(colours[stride:] - colours[:-stride], axis=1))


@pytest.mark.parametrize(
    ("oklab", "srgb"),
    [((1, 0, 0), (1, 1, 1)), ((0, 0, 0), (0, 0, 0)), ((0.62796, 0.22486, 0.12585), (1, 0, 0))],
)
def test_oklab_of_white_black_and_red_is_as_published(
    oklab: tuple[float, ...], srgb: tuple[float, ...]
) -> None:
    assert oklab_to_linear(np.array([oklab], dtype=float))[0] == pytest.approx(srgb, abs=1e-4)


@pytest.mark.parametrize("curve", CURVES)
def test_the_curve_takes_even_steps(curve: Callable[[], Canvas]) -> None:
    lengths = steps(curve())
    assert lengths.max() / lengths.min() < 1.001


@pytest.mark.parametrize("curve", CURVES)
def test_the_curve_lies_inside_the_srgb_gamut(curve: Callable[[], Canvas]) -> None:
    linear = oklab_to_linear(curve())
    assert linear.min() >= 0
    assert linear.max() <= 1


@pytest.mark.parametrize(("make", "curve"), list(zip(MAPS, CURVES, strict=True)))
def test_the_table_is_the_curve_in_eight_bits(
    make: Callable[[], Table], curve: Callable[[], Canvas]
) -> None:
    table = make()
    assert table.shape == (256, 3)
    assert table.dtype == np.uint8
    assert np.abs(to_oklab(table) - curve()).max() < 0.0035
    # One level of sRGB is most of a step, so evenness shows over a few of them.
    assert steps(to_oklab(table), 8).max() / steps(to_oklab(table), 8).min() < 1.25
    assert steps(to_oklab(table)).min() > 0


@pytest.mark.parametrize("make", MAPS)
def test_tables_are_made_once_the_same_each_time_and_cannot_be_changed(
    make: Callable[[], Table],
) -> None:
    table = make()
    assert make() is table
    assert not table.flags.writeable
    before = table.copy()
    sequential.cache_clear()
    cyclic.cache_clear()
    np.testing.assert_array_equal(make(), before)


def test_sequential_gets_strictly_lighter_from_near_black_to_near_white() -> None:
    lightness = to_oklab(sequential())[:, 0]
    assert (np.diff(lightness) > 0).all()
    assert lightness[0] < 0.12
    assert lightness[-1] > 0.97
    assert (np.diff(colourmap._sequential_curve()[:, 0]) > 0.0025).all()  # noqa: SLF001  (before rounding)


def test_sequential_reads_in_grey() -> None:
    grey = np.asarray(Image.fromarray(sequential()[None]).convert("L")).astype(int)[0]
    assert (np.diff(grey) >= 0).all()
    assert grey[-1] - grey[0] > 235


def test_sequential_goes_through_indigo_violet_orange_and_yellow() -> None:
    _, a, b = colourmap._sequential_curve().T  # noqa: SLF001  (before rounding)
    hue = np.degrees(np.unwrap(np.arctan2(b, a)))
    assert (np.diff(hue) > 0).all()
    passed = hue[[0, 90, 180, 255]]
    assert passed == pytest.approx([-80, -42, 47, 105], abs=10)
    assert np.hypot(a, b)[64:192].min() > 0.14


def test_cyclic_closes_at_plus_and_minus_pi() -> None:
    np.testing.assert_array_equal(cyclic()[0], cyclic()[255])


def test_cyclic_has_constant_lightness_and_passes_every_hue_once() -> None:
    lightness, a, b = to_oklab(cyclic()).T
    assert np.ptp(lightness) < 0.004
    assert np.hypot(a, b).min() > 0.11
    hue = np.unwrap(np.arctan2(b, a))
    assert hue[-1] - hue[0] == pytest.approx(2 * np.pi)
    assert np.diff(hue).min() > 0


def test_cyclic_shows_phase_zero_in_red_and_pi_in_cyan() -> None:
    red, green, blue = cyclic()[127].astype(int)
    assert red > max(green, blue) + 80
    red, green, blue = cyclic()[0].astype(int)
    assert min(green, blue) > red + 80


@given(
    height=st.integers(0, 40),
    width=st.integers(1, 40),
    seed=st.integers(0, 2**32 - 1),
    threads=st.sampled_from([1, 2]),
)
def test_each_pixel_gets_the_colour_of_its_value(
    height: int, width: int, seed: int, threads: int
) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    coloured = colourise(picture, cyclic(), threads=threads)
    assert coloured.dtype == np.uint8
    assert coloured.shape == (height, width, 3)
    for channel in range(3):
        expected = Image.fromarray(picture).point(cyclic()[:, channel].tolist())
        np.testing.assert_array_equal(coloured[..., channel], np.asarray(expected))


def test_pictures_larger_than_a_block_are_coloured_whole() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 700)).astype(np.uint8)
    for each in (picture, picture.T, picture[::-1, ::2]):
        np.testing.assert_array_equal(
            colourise(each, sequential(), threads=2), sequential()[each.astype(int)]
        )


@pytest.mark.parametrize(
    "picture", [np.zeros((2, 2), np.uint16), np.zeros(4, np.uint8), np.zeros((2, 2, 3), np.uint8)]
)
def test_only_grey_8_bit_pictures_are_coloured(picture: Table) -> None:
    with pytest.raises(ValueError, match="expected a 2-D uint8 picture"):
        colourise(picture, sequential())
