"""Crops: the four ways to write them, how each is resolved, and what is rejected."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.errors import CropOutside
from fft_tool.image.region import FORM, Box, Centre, Crop, Percent, Square, parse_crop, parse_size
from tests.support.recipes import SIZES, crops, percents

SIDES = st.integers(1, 5000)


@settings(deadline=None)
@given(crop=crops())
def test_crops_survive_the_round_trip_through_text(crop: Crop) -> None:
    assert parse_crop(str(crop)) == crop


@pytest.mark.parametrize(
    ("text", "crop"),
    [
        ("10,20,300,400", Box(10, 20, 300, 400)),
        (" 0, 0, 1, 1 ", Box(0, 0, 1, 1)),
        ("pct:25,25,50,50", Percent(25, 25, 50, 50)),
        ("pct:0,0,100,100", Percent(0, 0, 100, 100)),
        ("pct:12.5,0,1e1,.5", Percent(12.5, 0, 10, 0.5)),
        ("square", Square()),
        ("centre:640,480", Centre(640, 480)),
    ],
)
def test_every_form_is_parsed_as_documented(text: str, crop: Crop) -> None:
    assert parse_crop(text) == crop


@pytest.mark.parametrize(
    ("crop", "text"),
    [
        (Box(1, 2, 3, 4), "1,2,3,4"),
        (Percent(25.0, 0.0, 12.5, 100.0), "pct:25,0,12.5,100"),
        (Square(), "square"),
        (Centre(5, 6), "centre:5,6"),
    ],
)
def test_crops_are_formatted_without_superfluous_digits(crop: Crop, text: str) -> None:
    assert str(crop) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "1,2,3", "1,2,3,4,5", "1,2,3,x", "-1,0,5,5", "1.5,0,5,5", "0,0,0,5", "0,0,5,0"),
        *("0x1,0,5,5", "1_0,0,5,5", "٣,0,5,5", "1234567890,0,5,5", "+1,0,5,5"),
        *("pct:", "pct:1,2,3", "pct:-1,0,5,5", "pct:0,0,0,5", "pct:0,0,101,5", "pct:60,0,41,5"),
        *("pct:nan,0,5,5", "pct:0,0,inf,5", "pct:0,0,5,5,5", "pct:a,b,c,d"),
        *("square:", "square:5", "squares", "centre", "centre:", "centre:5", "centre:0,5"),
        *("centre:5,5,5", "center:5,5", "Square", "middle", "10,10,200,200;rm"),
    ],
)
def test_anything_else_is_rejected_and_the_message_says_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="should"):
        parse_crop(text)


def test_the_error_for_an_unknown_form_lists_all_forms() -> None:
    with pytest.raises(ValueError, match="should be") as caught:
        parse_crop("left half")
    assert FORM in str(caught.value)


@settings(deadline=None)
@given(width=SIDES, height=SIDES, crop=crops())
def test_a_crop_lies_within_the_image_or_is_rejected(width: int, height: int, crop: Crop) -> None:
    try:
        box = crop.resolve(width, height)
    except CropOutside:
        assert isinstance(crop, Box | Centre)
        return
    assert 0 <= box.x < box.x + box.width <= width
    assert 0 <= box.y < box.y + box.height <= height


@settings(deadline=None)
@given(
    width=SIDES,
    height=SIDES,
    x=st.integers(0, 9999),
    y=st.integers(0, 9999),
    extent=st.tuples(SIDES, SIDES),
)
def test_a_box_is_used_unchanged_or_rejected_but_never_clipped(
    width: int, height: int, x: int, y: int, extent: tuple[int, int]
) -> None:
    box = Box(x, y, *extent)
    if x + extent[0] <= width and y + extent[1] <= height:
        assert box.resolve(width, height) == box
    else:
        with pytest.raises(CropOutside, match=f"the image has {width} x {height}"):
            box.resolve(width, height)


@settings(deadline=None)
@given(width=SIDES, height=SIDES, size=st.tuples(SIDES, SIDES))
def test_a_centred_crop_leaves_equal_borders(
    width: int, height: int, size: tuple[int, int]
) -> None:
    if size[0] > width or size[1] > height:
        with pytest.raises(CropOutside, match="larger than the image"):
            Centre(*size).resolve(width, height)
        return
    box = Centre(*size).resolve(width, height)
    assert (box.width, box.height) == size
    assert 0 <= (width - box.x - box.width) - box.x <= 1
    assert 0 <= (height - box.y - box.height) - box.y <= 1


@settings(deadline=None)
@given(width=SIDES, height=SIDES)
def test_square_is_the_largest_centred_one(width: int, height: int) -> None:
    side = min(width, height)
    assert Square().resolve(width, height) == Centre(side, side).resolve(width, height)


@settings(deadline=None)
@given(width=SIDES, height=SIDES, percent=percents())
def test_per_cent_edges_are_rounded_to_pixels_and_never_empty(
    width: int, height: int, percent: Percent
) -> None:
    box = percent.resolve(width, height)
    for start, extent, size, low, count in (
        (percent.x, percent.width, width, box.x, box.width),
        (percent.y, percent.height, height, box.y, box.height),
    ):
        wanted = np.array([start, start + extent]) * size / 100
        if count > 1:
            assert np.abs(np.array([low, low + count]) - wanted).max() <= 0.5 + 1e-9
        else:
            assert low - 1 <= wanted[0]
            assert wanted[1] <= low + 2


@settings(deadline=None)
@given(
    width=st.integers(8, 5000),
    edges=st.sets(st.sampled_from([12.5 * n for n in range(1, 8)])),
)
def test_adjacent_per_cent_crops_cover_every_pixel_once(width: int, edges: set[float]) -> None:
    boxes = [
        Percent(start, 0, stop - start, 100).resolve(width, 5)
        for start, stop in pairwise([0.0, *sorted(edges), 100.0])
    ]
    assert [box.x for box in boxes] == [0, *(box.x + box.width for box in boxes[:-1])]
    assert boxes[-1].x + boxes[-1].width == width


def test_one_hundred_per_cent_is_the_whole_image() -> None:
    for size in range(1, 300):
        assert Percent(0, 0, 100, 100).resolve(size, 3 * size) == Box(0, 0, size, 3 * size)


@settings(deadline=None)
@given(width=SIZES, height=SIZES)
def test_sizes_are_parsed(width: int, height: int) -> None:
    assert parse_size(f"{width},{height}") == (width, height)


@pytest.mark.parametrize("text", ["", "5", "0,5", "5,0", "5,5,5", "-5,5", "a,b", "5x5", "1.5,2"])
def test_invalid_sizes_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="should be w,h"):
        parse_size(text)


def test_the_error_for_a_crop_outside_the_image_names_both_sizes() -> None:
    with pytest.raises(CropOutside, match=r"10,10,200,200.*column 210.*row 210.*100 x 50"):
        Box(10, 10, 200, 200).resolve(100, 50)
