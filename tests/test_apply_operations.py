"""``ft.apply_operations``: every kind of image, and the same results as from a file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import fft_tool as ft
from fft_tool.codec import image_file
from fft_tool.errors import CropOutside, OperationsError, TooManyPixels
from fft_tool.operations.registry import parse_operations
from fft_tool.operations.run import run_operations
from tests.support.images import noise, png_bytes, saved

CHAIN = "blur:3,rotate:12.5:black,resize:50%,sharpen"


def combined(data: bytes, text: str) -> np.ndarray[Any, Any]:
    outputs = run_operations(ft.Source("a.png", data), parse_operations(text))
    pixels = image_file.decode(outputs["combined"].data).pixels
    return pixels[:, :, 0] if pixels.shape[2] == 1 else pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(30, 40), (30, 40, 2), (30, 40, 3), (30, 40, 4)])
def test_every_way_to_pass_an_image_gives_the_combined_image(
    shape: tuple[int, ...], dtype: Any, tmp_path: Path
) -> None:
    pixels = noise(shape, dtype)
    data = png_bytes(pixels)
    path = tmp_path / "image.png"
    path.write_bytes(data)
    expected = combined(data, CHAIN)
    for image in (pixels, data, path, str(path), io.BytesIO(data), np.asfortranarray(pixels)):
        found = ft.apply_operations(image, CHAIN)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(pixels, noise(shape, dtype))


def test_pillow_images_are_turned_upright() -> None:
    image = Image.fromarray(noise((20, 30, 3), np.uint8))
    image.getexif()[274] = 6
    assert ft.apply_operations(image, "invert").shape == (30, 20, 3)


def test_floats_are_quantised_over_the_range_that_is_told() -> None:
    found = ft.apply_operations(np.array([[0.0, 0.5, 1.0]]), "invert", value_range=(0, 1))
    assert found.dtype == np.uint16
    assert found.tolist() == [[65535, 32767, 0]]
    with pytest.raises(ValueError, match="value_range=\\(low, high\\)"):
        ft.apply_operations(np.zeros((3, 3)), "invert")
    with pytest.raises(ValueError, match="leave it out"):
        ft.apply_operations(png_bytes(noise((3, 3))), "invert", value_range=(0, 1))


def test_operations_are_text_or_values() -> None:
    grey = noise((20, 30))
    expected = ft.apply_operations(grey, "blur:3,invert")
    both = parse_operations("blur:3,invert")
    np.testing.assert_array_equal(ft.apply_operations(grey, both), expected)
    np.testing.assert_array_equal(ft.apply_operations(grey, list(both)), expected)
    blurred = ft.apply_operations(grey, both[0])
    np.testing.assert_array_equal(ft.apply_operations(blurred, "invert"), expected)


def test_12_bits_come_out_over_the_whole_range_as_in_the_combined_image() -> None:
    levels = noise((9, 7), white=4095)
    data = b"P5\n7 9\n4095\n" + levels.astype(">u2").tobytes()
    found = ft.apply_operations(data, "invert")
    np.testing.assert_array_equal(np.rint(found / 65535 * 4095), 4095 - levels)
    np.testing.assert_array_equal(found, combined(data, "invert"))


def test_the_result_never_shares_memory_with_the_image() -> None:
    grey = noise((20, 30))
    for text in ("grayscale", "flip", "crop:0,0,30,20", "rotate:0", "resize:100%"):
        assert not np.shares_memory(ft.apply_operations(grey, text), grey)


@pytest.mark.parametrize(
    ("operations", "error", "message"),
    [
        ("", OperationsError, "no operations"),
        ((), OperationsError, "no operations"),
        ("blurr", OperationsError, "did you mean blur"),
        ("crop:0,0,99,99", CropOutside, "30 x 20"),
        ("resize:1%", OperationsError, "no image"),
        ("resize:1000%", TooManyPixels, "at most 5,000"),
        (",".join(["invert"] * 100), OperationsError, "100 operations"),
    ],
)
def test_what_does_not_suit_an_array_or_a_file_is_refused(
    operations: Any, error: Any, message: str
) -> None:
    grey = noise((20, 30))
    for image in (grey, png_bytes(grey)):
        with pytest.raises(error, match=message):
            ft.apply_operations(image, operations, limits=ft.Limits(max_pixels=5_000))


def test_arrays_are_held_to_the_limits_too() -> None:
    with pytest.raises(TooManyPixels):
        ft.apply_operations(noise((20, 30)), "invert", limits=ft.Limits(max_pixels=500))


def test_other_frames_are_told_of_unless_one_is_named() -> None:
    frames = [Image.fromarray(noise((9, 11), np.uint8, seed)) for seed in (1, 2)]
    data = saved(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    with pytest.warns(UserWarning, match="only the first of 2 frames"):
        first = ft.apply_operations(data, "invert")
    np.testing.assert_array_equal(first, 255 - np.asarray(frames[0]))
    second = ft.apply_operations(data, "invert", frame=2)
    np.testing.assert_array_equal(second, 255 - np.asarray(frames[1]))


def test_other_types_are_refused_with_a_remedy() -> None:
    image: Any
    for image in (3, [[1, 2], [3, 4]], None):
        with pytest.raises(TypeError, match="pass"):
            ft.apply_operations(image, "invert")
