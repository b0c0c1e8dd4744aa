"""Smart crop by the phase spectrum: finds what is unlike the rest, whatever the image's form."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fft_tool.image.saliency import saliency_map, salient_box

ndimage: Any = import_module("scipy.ndimage")  # scipy comes without types

Image = NDArray[np.unsignedinteger[Any]]
Canvas = NDArray[np.float64]
Box = tuple[int, int, int, int]


def grid(shape: tuple[int, int]) -> tuple[Canvas, Canvas]:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float64)
    return rows, columns


def to_pixels(canvas: Canvas, dtype: Any = np.uint8) -> Image:
    eight_bit = np.clip(np.rint(canvas), 0, 255).astype(np.uint8)
    return eight_bit if dtype is np.uint8 else eight_bit.astype(np.uint16) * 257


def texture(shape: tuple[int, int], seed: int = 0) -> Canvas:
    rows, columns = grid(shape)
    weave = 25 * np.sin(0.6 * columns) * np.sin(0.5 * rows)
    return 110 + weave + np.random.default_rng(seed).normal(0, 4, shape)


def with_disc(canvas: Canvas, row: float, column: float, radius: float) -> Canvas:
    rows, columns = grid((canvas.shape[0], canvas.shape[1]))
    inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return np.where(inside, 235.0, canvas)


def contains(box: Box, row: float, column: float, margin: float = 0.0) -> bool:
    x, y, width, height = box
    return (
        x <= column - margin
        and column + margin <= x + width
        and y <= row - margin
        and row + margin <= y + height
    )


def plain(*planes: Canvas) -> Canvas:
    """Phases of the quaternion transform, step by step, on cells that need no reduction."""
    longest = max(planes[0].shape)
    fringe = -(-longest // 4)
    spectra = []
    for plane in opponents(*planes):
        continued = np.pad(plane - np.mean(plane), fringe, mode="edge")
        for row, column in np.ndindex(continued.shape):
            for place, length in ((row, continued.shape[0]), (column, continued.shape[1])):
                depth = min(place, length - 1 - place) + 0.5
                continued[row, column] *= np.sin(np.pi / 2 * min(depth / fringe, 1)) ** 2
        spectra.append(np.fft.fft2(continued))
    modulus = np.sqrt(np.sum(np.abs(spectra) ** 2, axis=0))
    modulus += 0.1 * np.sqrt(np.mean(modulus**2))
    frequency = np.hypot(*np.meshgrid(*map(np.fft.fftfreq, modulus.shape), indexing="ij"))
    total = np.zeros(planes[0].shape)
    for scale in (1, 2, 4, 8):
        band = np.exp(-0.5 * (frequency * scale / 0.4) ** 2)
        parts = [np.abs(np.fft.ifft2(each / modulus * band)) ** 2 for each in spectra]
        energy = np.sum(parts, axis=0)[fringe:-fringe, fringe:-fringe]
        smooth = np.sqrt(ndimage.gaussian_filter(energy, 2.5 / 64 * longest, mode="reflect"))
        total += smooth / smooth.max() / 4
    if len(planes) == 3:
        total += 2 * ndimage.gaussian_filter(skin(*planes), 2.5 / 64 * longest, mode="reflect")
    return np.asarray(total / total.max(), dtype=np.float64)


def opponents(*planes: Canvas) -> list[Canvas]:
    if len(planes) == 1:
        return [*planes]
    red, green, blue = planes
    return [0.299 * red + 0.587 * green + 0.114 * blue, red - green, (red + green) / 2 - blue]


def skin(red: Canvas, green: Canvas, blue: Canvas) -> Canvas:
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = ((0.564 * (blue - luma) + 0.078) / 0.055) ** 2
    chroma = chroma + ((0.713 * (red - luma) - 0.094) / 0.047) ** 2
    return np.asarray(np.exp(-chroma / 2) * np.clip((luma - 0.16) / 0.23, 0, 1))


@pytest.mark.parametrize("shape", [(64, 64), (128, 96), (61, 127), (5, 40), (1, 37), (23, 1)])
def test_map_agrees_with_a_plain_implementation_of_the_paper(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)
    np.testing.assert_allclose(saliency_map(plane), plain(plane / 255.0), atol=2e-6)
    colour = np.random.default_rng(4).integers(0, 256, (*shape, 3)).astype(np.uint8)
    expected = plain(*np.moveaxis(colour / 255.0, 2, 0))
    np.testing.assert_allclose(saliency_map(colour), expected, atol=2e-6)


@pytest.mark.parametrize("shape", [(256, 200), (129, 300), (513, 40)])
def test_larger_images_are_averaged_over_square_cells(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(5).integers(0, 65536, shape).astype(np.uint16)
    size = -(-max(shape) // 128)
    cells = [
        [plane[y : y + size, x : x + size].mean() / 65535 for x in range(0, shape[1], size)]
        for y in range(0, shape[0], size)
    ]
    np.testing.assert_allclose(saliency_map(plane), plain(np.array(cells)), atol=2e-6)


@pytest.mark.parametrize(
    ("shape", "cells"),
    [((128, 1), (128, 1)), ((129, 128), (65, 64)), ((1000, 300), (125, 38)), ((2, 3), (2, 3))],
)
def test_the_longer_side_has_at_most_128_cells(
    shape: tuple[int, int], cells: tuple[int, int]
) -> None:
    plane = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    assert saliency_map(plane).shape == cells


@settings(max_examples=40, deadline=None)
@given(
    row=st.integers(20, 180),
    column=st.integers(20, 280),
    depth=st.sampled_from([np.uint8, np.uint16]),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_bright_disc_on_a_texture_is_wholly_inside_the_window(
    row: int, column: int, depth: Any, seed: int
) -> None:
    plane = to_pixels(with_disc(texture((200, 300), seed), row, column, 12), depth)
    assert contains(salient_box(plane, 40, 40), row, column, margin=12)


@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 7), column=st.integers(0, 7))
def test_the_one_bar_that_lies_across_is_found_among_upright_bars(row: int, column: int) -> None:
    rows, columns = np.mod(grid((256, 256)), 32) - 15.5
    upright = (np.abs(columns) < 3) & (np.abs(rows) < 11)
    across = (np.abs(rows) < 3) & (np.abs(columns) < 11)
    here = (slice(32 * row, 32 * row + 32), slice(32 * column, 32 * column + 32))
    upright[here] = across[here]
    box = salient_box(to_pixels(np.where(upright, 200.0, 60.0)), 36, 36)
    assert contains(box, 32 * row + 15.5, 32 * column + 15.5, margin=11)


@settings(max_examples=30, deadline=None)
@given(
    row=st.integers(0, 350),
    column=st.integers(0, 130),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_rough_patch_on_smooth_ground_is_found_up_to_the_border(
    row: int, column: int, seed: int
) -> None:
    rows, columns = grid((400, 180))
    canvas = 60 + rows / 8 + 30 * np.sin(columns / 60)
    patch = np.random.default_rng(seed).normal(0, 45, (50, 50))
    canvas[row : row + 50, column : column + 50] += patch
    assert contains(salient_box(to_pixels(canvas), 60, 60), row + 25, column + 25, margin=15)


def test_a_step_between_opposite_borders_does_not_beat_an_object() -> None:
    _, columns = grid((200, 200))
    plane = to_pixels(with_disc(20 + columns * 0.9, 60, 100, 10))
    assert contains(salient_box(plane, 40, 40), 60, 100, margin=10)


@pytest.mark.parametrize("shift", [(0, 30), (40, 0), (36, -48), (-20, -20)])
def test_the_window_moves_with_the_object(shift: tuple[int, int]) -> None:
    def box(row: int, column: int) -> Box:
        ground = np.full((256, 256), 90.0)
        return salient_box(to_pixels(with_disc(ground, row, column, 14)), 50, 50)

    x, y, _, _ = box(120, 130)
    moved_x, moved_y, _, _ = box(120 + shift[0], 130 + shift[1])
    assert abs(moved_y - y - shift[0]) <= 4
    assert abs(moved_x - x - shift[1]) <= 4


def test_twice_the_size_gives_twice_the_box() -> None:
    plane = to_pixels(with_disc(texture((128, 128)), 40, 90, 8))
    x, y, _, _ = salient_box(plane, 30, 24)
    doubled = salient_box(plane.repeat(2, axis=0).repeat(2, axis=1), 60, 48)
    assert doubled == (2 * x, 2 * y, 60, 48)


@pytest.mark.parametrize("shape", [(64, 64), (301, 173), (1, 500), (97, 1)])
def test_sixteen_bits_give_exactly_what_eight_bits_give(shape: tuple[int, int]) -> None:
    plane = np.random.default_rng(11).integers(0, 256, shape).astype(np.uint8)
    wide = plane.astype(np.uint16) * 257
    np.testing.assert_array_equal(saliency_map(plane), saliency_map(wide))
    window = (max(1, shape[1] // 3), max(1, shape[0] // 3))
    assert salient_box(plane, *window) == salient_box(wide, *window)


def test_brightness_and_contrast_do_not_matter() -> None:
    dim = to_pixels(with_disc(texture((100, 140)), 30, 50, 9)).astype(np.uint16)
    bright = (dim * 200 + 5000).astype(np.uint16)
    np.testing.assert_allclose(saliency_map(bright), saliency_map(dim), atol=1e-6)


@pytest.mark.parametrize("value", [0, 1, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (64, 48), (129, 300)])
def test_a_constant_image_has_no_saliency_and_a_centred_window(
    shape: tuple[int, int], value: int
) -> None:
    plane = np.full(shape, value, dtype=np.uint8)
    assert not saliency_map(plane).any()
    height, width = (shape[0] + 1) // 2, (shape[1] + 2) // 3
    expected = ((shape[1] - width) // 2, (shape[0] - height) // 2, width, height)
    assert salient_box(plane, width, height) == expected


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_window_of_any_image_lies_inside_it_and_the_map_is_sound(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 12)), data.draw(st.integers(1, 300)))
    if data.draw(st.booleans()):
        shape = shape[::-1]
    width = data.draw(st.integers(1, shape[1]))
    height = data.draw(st.integers(1, shape[0]))
    levels = data.draw(st.sampled_from([1, 2, 256]))
    seed = data.draw(st.integers(0, 2**32 - 1))
    plane = np.random.default_rng(seed).integers(0, levels, shape).astype(np.uint8)
    saliency = saliency_map(plane)
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    assert saliency.min() >= 0
    assert saliency.max() in (0.0, 1.0)
    x, y, got_width, got_height = salient_box(plane, width, height)
    assert (got_width, got_height) == (width, height)
    assert 0 <= x <= shape[1] - width
    assert 0 <= y <= shape[0] - height


@pytest.mark.parametrize(("shape", "width", "height"), [((150, 70), 11, 40), ((40, 260), 97, 7)])
def test_no_other_window_holds_more_saliency(
    shape: tuple[int, int], width: int, height: int
) -> None:
    plane = to_pixels(with_disc(texture(shape, 2), 18, 30, 6))
    size = -(-max(shape) // 128)
    pixels = saliency_map(plane).astype(np.float64)
    rows, columns = grid((-(-shape[0] // size), -(-shape[1] // size)))
    away = ((2 * rows + 1) * size / shape[0] - 1) ** 2 + (
        (2 * columns + 1) * size / shape[1] - 1
    ) ** 2
    weights = 0.5 + 0.5 * np.exp(-0.5 * away / 0.7**2)
    pixels = (pixels * weights).repeat(size, 0).repeat(size, 1)[: shape[0], : shape[1]]
    sums = np.lib.stride_tricks.sliding_window_view(pixels, (height, width)).sum((2, 3))
    x, y, _, _ = salient_box(plane, width, height)
    assert sums[y, x] >= sums.max() * (1 - 1e-5)


def test_of_two_equal_objects_as_far_from_the_centre_the_left_or_upper_is_taken() -> None:
    half = to_pixels(with_disc(np.full((65, 101), 80.0), 32, 15, 5))
    twins = np.maximum(half, half[:, ::-1])
    across = salient_box(twins, 21, 21)
    assert contains(across, 32, 15, margin=5)
    x, y, _, _ = salient_box(np.ascontiguousarray(twins.T), 21, 21)
    assert (y, x) == across[:2]


def test_views_and_read_only_planes_are_taken_as_they_are() -> None:
    plane = to_pixels(with_disc(texture((180, 180)), 60, 120, 10))
    plane.setflags(write=False)
    view = plane[::-1, ::2]
    assert salient_box(view, 30, 30) == salient_box(np.ascontiguousarray(view), 30, 30)


@settings(max_examples=20, deadline=None)
@given(row=st.integers(20, 180), column=st.integers(20, 280), seed=st.integers(0, 2**32 - 1))
def test_a_disc_that_differs_in_colour_alone_is_found(row: int, column: int, seed: int) -> None:
    ground = texture((200, 300), seed)
    green, disc = (-30.0, 15.3, 0.0), (40.0, -20.4, 0.0)  # none of them changes the luma
    inside = with_disc(np.zeros(ground.shape), row, column, 12) > 0
    colour = np.stack([ground + np.where(inside, disc[k], green[k]) for k in range(3)], axis=2)
    assert contains(salient_box(to_pixels(colour), 40, 40), row, column, margin=12)


def test_of_two_equal_objects_the_one_with_the_colour_of_skin_is_taken() -> None:
    ground = np.full((120, 200), 90.0)
    left, right = (with_disc(ground, 60, column, 12) > 200 for column in (50, 150))
    skin_tone, blue_tone = (224, 172, 140), (140, 172, 224)
    for face, other, column in ((left, right, 50), (right, left, 150)):
        colour = np.stack([ground] * 3, axis=2)
        colour[face], colour[other] = skin_tone, blue_tone
        assert contains(salient_box(to_pixels(colour), 40, 40), 60, column, margin=12)


def test_a_grey_image_in_colours_gives_what_the_grey_image_gives() -> None:
    plane = to_pixels(with_disc(texture((150, 90)), 40, 60, 9))
    colour = np.stack([plane] * 3, axis=2)
    assert salient_box(colour, 30, 30) == salient_box(plane, 30, 30)
