"""Presets: sizes of renditions, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fft_tool.image.presets import FORM, Preset, parse_presets

sides = st.integers(1, 3000)
small = st.integers(1, 300)


@given(sides, sides, small, small)
def test_sizes_are_those_of_pillow_s_thumbnail(
    width: int, height: int, across: int, down: int
) -> None:
    image = Image.new("1", (width, height))
    image.thumbnail((across, down), Image.Resampling.NEAREST)
    assert Preset("p", across, down).size_of(width, height) == image.size


@given(sides, sides, small, small)
def test_a_rendition_fits_and_is_never_larger_than_the_image(
    width: int, height: int, across: int, down: int
) -> None:
    wide, high = Preset("p", across, down).size_of(width, height)
    assert 1 <= wide <= min(width, across)
    assert 1 <= high <= min(height, down)
    assert wide == min(width, across) or high == min(height, down)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3000, 2000), (100, 67)),
        ((2000, 3000), (67, 100)),
        ((100, 100), (100, 100)),
        ((5, 3), (5, 3)),
        ((1, 5000), (1, 100)),
        ((100_000, 1), (100, 1)),
    ],
)
def test_sizes_in_a_box_of_100_pixels(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert Preset("thumb", 100, 100).size_of(*size) == expected


def test_presets_are_written_as_names_with_sizes() -> None:
    assert parse_presets(FORM) == (
        Preset("thumb", 100, 100),
        Preset("card", 400, 400),
        Preset("zoom", 1200, 1200),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "should be names with sizes"),
        ("thumb", "'thumb': should be"),
        ("thumb=0", "from 1 to"),
        ("thumb=100x99999", "from 1 to"),
        ("thumb=100x", "'thumb=100x': should be"),
        ("../etc=100", "should be"),
        ("Thumb=100", "should be"),
        ("a=1 b=2 a=3", "a is given twice"),
    ],
)
def test_other_texts_are_refused_with_what_is_allowed(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_presets(text)
