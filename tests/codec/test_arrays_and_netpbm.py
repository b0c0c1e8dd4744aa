"""Decoding of .npy arrays and of PBM, PGM and PPM files."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fft_tool.codec import image_file
from fft_tool.errors import FftToolError, UnsupportedImage
from tests.support.images import noise, npy, saved

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<u1", "<u2", ">u2"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 2), (5, 7, 3), (5, 7, 4), (1, 1)])
def test_arrays_of_levels_are_decoded_as_they_are(shape: Any, dtype: str, order: Any) -> None:
    array = np.asarray(RNG.integers(0, 256, shape), dtype, order=order)
    found = image_file.decode(npy(array))
    assert (found.header.format, found.header.frames) == ("npy", 1)
    assert found.pixels.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found.pixels.reshape(shape), array)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<i1", ">i2", "<i4", ">u4", "<i8", ">u8", "<f2", ">f4", "<f8"])
def test_arrays_of_other_numbers_are_scaled(dtype: str, order: Any) -> None:
    array = np.asarray(RNG.integers(-50 * (dtype[1] != "u"), 50, (5, 7)), dtype, order=order)
    found = image_file.decode(npy(array))
    assert found.values
    assert found.values.exact
    assert found.white == 65535
    assert found.pixels.dtype == np.uint16
    values = found.values.offset + found.values.step * found.pixels[:, :, 0]
    np.testing.assert_array_equal(np.rint(values), array)


def test_truth_values_are_black_and_white() -> None:
    found = image_file.decode(npy(np.eye(3, dtype=bool)))
    assert (found.header.depth, found.white) == (1, 255)
    np.testing.assert_array_equal(found.pixels[:, :, 0], np.eye(3) * 255)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(4, 5, 7), (4, 5, 7, 3)])
def test_further_axes_are_frames(shape: Any, order: Any) -> None:
    array = np.asarray(noise(shape), order=order)
    for frame in (1, 2, 4):
        found = image_file.decode(npy(array), frame=frame)
        assert (found.header.frames, found.header.frame) == (4, frame)
        np.testing.assert_array_equal(found.pixels.reshape(shape[1:]), array[frame - 1])


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.zeros((2, 3), complex), "complex numbers: save the real part"),
        (np.array([[{}, 1]]), "Python objects, which are never loaded"),
        (np.zeros((2, 3), "M8[s]"), "values of type M8"),
        (np.zeros((2, 3), "U4"), "values of type U4"),
        (np.zeros((2, 3), [("a", "f4")]), "does not describe a plain array"),
        (np.zeros(9), r"array of shape \(9,\): save images of shape"),
        (np.zeros((2, 3, 4, 5)), "save images of shape"),
        (np.zeros((0, 3)), "is empty"),
    ],
)
def test_other_arrays_are_refused_in_words_that_are_not_numpy_s(array: Any, told: str) -> None:
    with pytest.raises(UnsupportedImage, match=told) as refused:
        image_file.decode(npy(array))
    assert "pickle" not in str(refused.value)


def test_a_pickle_is_never_loaded() -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("the pickle was loaded",))

    with pytest.raises(UnsupportedImage):
        image_file.decode(npy(np.array([[Bomb()]])))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_header_is_read(version: Any) -> None:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.eye(4), version=version)
    assert image_file.decode(buffer.getvalue()).pixels.shape == (4, 4, 1)


@pytest.mark.parametrize("cut", [1, 8])
def test_an_array_with_too_few_or_too_many_bytes_is_corrupt(cut: int) -> None:
    data = npy(np.eye(4))
    for wrong in (data[:-cut], data + bytes(cut)):
        with pytest.raises(FftToolError, match="bytes of samples, its header says 128"):
            image_file.decode(wrong)


# --- Netpbm -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_binary_netpbm_is_decoded_as_pillow_does(mode: str) -> None:
    image = Image.fromarray(noise((5, 9, 3))).convert(mode)
    found = image_file.decode(saved(image, "PPM"))
    expected = np.asarray(image.convert("L") if mode == "1" else image)
    np.testing.assert_array_equal(found.pixels.reshape(expected.shape), expected)
    assert found.header.format == "pnm"


def test_16_bit_grey_keeps_every_bit_and_a_smaller_maximum_is_white() -> None:
    levels = noise((4, 6), white=4095)
    head = b"P5\n# a comment\n6 4\n4095\n"
    found = image_file.decode(head + levels.astype(">u2").tobytes())
    assert (found.white, found.header.depth) == (4095, 12)
    np.testing.assert_array_equal(found.pixels[:, :, 0], levels)


def test_netpbm_as_text() -> None:
    grey = image_file.decode(b"P2\n# c\n3 2\n15\n0 1 2 # d\n3 15 5\n")
    assert grey.pixels[:, :, 0].tolist() == [[0, 17, 34], [51, 255, 85]]
    bits = image_file.decode(b"P1 3 2 101\n0 1 0")
    assert bits.pixels[:, :, 0].tolist() == [[0, 255, 0], [255, 0, 255]]
    colour = image_file.decode(b"P3 1 1 255 1 2 3")
    assert colour.pixels.tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"P2 3 2 15 0 1 2 3 16 5", "above its maximum of 15"),
        (b"P2 3 2 15 0 1 2 3 99999999999999999999999 5", "above its maximum"),
        (b"P5 2 1 15 \x01\x10", "above its maximum of 15"),
        (b"P2 3 2 15 0 1 2 3 -1 5", "not whole numbers"),
        (b"P2 1 1 15 1.5", "not whole numbers"),
        (b"P2 3 2 15 0 1 2 3 4", "truncated"),
        (b"P5 3 2 255 abc", "truncated"),
        (b"P5 3 2 65535 abcdef", "truncated"),
        (b"P4 9 2\n\1\2\3", "truncated"),
        (b"P1 3 2 10100", "truncated"),
        (b"P1 3 2 101202", "above its maximum"),
        (b"P5 0 2 255 a", "0 x 2"),
        (b"P5 2 2 70000 abcdefgh", "up to 70000"),
        (b"P5 2", "header is damaged"),
        (b"P2 1 1 255 " + b" " * 40_000 + b"1", "bytes of text for 1 samples"),
    ],
)
def test_damaged_netpbm_is_refused(data: bytes, told: str) -> None:
    with pytest.raises(FftToolError, match=told):
        image_file.decode(data)
