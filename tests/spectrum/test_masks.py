"""Masks that are pictures: compared with numpy, images of known truth, and masks of all faults."""

from __future__ import annotations

import hashlib
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fft_tool.errors import RecipeError
from fft_tool.spectrum.filtering import apply_filters
from fft_tool.spectrum.filters import LowPass, Notch, memory_of_filters, memory_of_lines
from fft_tool.spectrum.half import frequencies
from fft_tool.spectrum.masks import LARGEST_FILE, Mask, MaskFile
from fft_tool.spectrum.transform import forward, inverse
from tests.support.images import chunk, header, noise, png_bytes, png_file, saved

Shape = tuple[int, int]

SHAPES = [(48, 64), (47, 64), (48, 63), (47, 63), (1, 40), (37, 1), (1, 1), (2, 2), (1, 2), (3, 1)]


def gains_of(levels: NDArray[Any], white: float) -> NDArray[np.float64]:
    """Gains in the order of ``numpy.fft.fft2``."""
    given = np.fft.ifftshift(levels / white)
    mirror = np.roll(given[::-1, ::-1], (1, 1), axis=(0, 1))
    gains: NDArray[np.float64] = np.minimum(given, mirror)
    gains[0, 0] = 1
    return gains


def by_numpy(image: NDArray[Any], levels: NDArray[Any], white: float) -> NDArray[np.complex128]:
    found: NDArray[np.complex128] = np.fft.ifft2(np.fft.fft2(image) * gains_of(levels, white))
    return found


def filtered(image: NDArray[Any], mask: Any, precision: str = "double") -> NDArray[Any]:
    spectrum = forward(image, precision=precision)
    return inverse(apply_filters(spectrum, (mask,)))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_an_image_is_filtered_as_numpy_does_it(shape: Shape, dtype: Any, white: int) -> None:
    image, levels = noise(shape, np.uint8, 1).astype(float), noise(shape, dtype, 2)
    expected = by_numpy(image, levels, white)
    assert np.abs(expected.imag).max() < 1e-10  # what numpy makes of it is real
    for mask in (Mask.of(levels), MaskFile("a.png").resolved(png_bytes(levels))):
        np.testing.assert_allclose(filtered(image, mask), expected.real, atol=1e-4)
        np.testing.assert_allclose(filtered(image, mask, "single"), expected.real, atol=1e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_gains_are_from_0_to_1_keep_the_mean_and_are_the_same_by_blocks(shape: Shape) -> None:
    mask = Mask.of(np.minimum(noise(shape, np.uint8), 40))
    fy, fx = frequencies(shape)
    whole = mask.mask(fy, fx, shape)
    assert whole.dtype == np.float32
    assert whole.shape == (shape[0], shape[1] // 2 + 1)
    assert whole[0, 0] == 1
    assert whole.min() >= 0
    assert np.delete(whole.ravel(), 0).max(initial=0) <= np.float32(40 / 255)
    blocks = [mask.mask(fy[top : top + 7], fx, shape) for top in range(0, shape[0], 7)]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


@pytest.mark.parametrize("shape", SHAPES)
def test_white_keeps_everything_bit_for_bit(shape: Shape) -> None:
    spectrum = forward(noise(shape, np.uint8))
    for levels in (np.ones(shape), np.full(shape, 255, np.uint8), np.ones(shape, bool)):
        result = apply_filters(spectrum, (Mask.of(levels),))
        np.testing.assert_array_equal(result.half, spectrum.half)


@pytest.mark.parametrize("shape", SHAPES)
def test_black_keeps_the_mean_alone(shape: Shape) -> None:
    image = noise(shape, np.uint8).astype(float)
    result = filtered(image, Mask.of(np.zeros(shape, bool)))
    np.testing.assert_allclose(result, image.mean(), atol=1e-9)


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("shape", [(48, 64), (45, 63)])
def test_one_black_point_on_either_side_removes_one_of_two_waves(shape: Shape, side: int) -> None:
    y, x = np.indices(shape)
    turns = 2 * np.pi * (5 * y / shape[0] - 9 * x / shape[1])
    stays = 100 + 20 * np.cos(2 * np.pi * 7 * x / shape[1] + 1)
    levels = np.full(shape, 255, np.uint8)
    levels[shape[0] // 2 + 5 * side, shape[1] // 2 - 9 * side] = 0
    result = filtered(stays + 30 * np.cos(turns), Mask.of(levels))
    np.testing.assert_allclose(result, stays, atol=1e-10)


@pytest.mark.parametrize("shape", SHAPES)
def test_an_asymmetric_mask_is_its_symmetric_minimum(shape: Shape) -> None:
    levels = noise(shape, np.uint16)
    symmetric = np.fft.fftshift(gains_of(levels, 65535))
    spectrum = forward(noise(shape, np.uint8), precision="double")
    one, other = (apply_filters(spectrum, (Mask.of(each),)) for each in (levels, symmetric))
    np.testing.assert_array_equal(one.half, other.half)


def test_masks_and_other_filters_are_applied_in_order() -> None:
    image = noise((40, 52), np.uint8)
    levels = noise((40, 52), np.uint8, 3)
    spectrum = forward(image, precision="double")
    step = apply_filters(spectrum, (Notch(7, 100),))
    step = apply_filters(step, (MaskFile("a.png").resolved(png_bytes(levels)),))
    step = apply_filters(step, (LowPass(3),))
    chain = (Notch(7, 100), MaskFile("a.png").resolved(png_bytes(levels)), LowPass(3))
    np.testing.assert_allclose(apply_filters(spectrum, chain).half, step.half, atol=1e-7)


# Arrays


@pytest.mark.parametrize(
    ("array", "told"),
    [
        (np.ones((3, 4), np.int32), "pass booleans, uint8, uint16, or floating-point"),
        (np.full((3, 4), 1.5), "from 1.5 to 1.5: they should be from 0 .* to 1"),
        (np.full((3, 4), -0.5), "from 0 .* to 1"),
        (np.full((3, 4), np.nan), "NaN"),
        (np.ones((3, 4, 3)), "3-D array of shape"),
        (np.ones((0, 4)), "empty"),
        ([[1.0]], "list is not a numpy array"),
    ],
    ids=lambda value: None if isinstance(value, str) else type(value).__name__,
)
def test_arrays_that_are_not_masks_are_refused(array: Any, told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        Mask.of(array)


def test_big_endian_levels_are_levels() -> None:
    levels = noise((5, 6), np.uint16)
    fy, fx = frequencies((5, 6))
    native = Mask.of(levels).mask(fy, fx, (5, 6))
    np.testing.assert_array_equal(Mask.of(levels.astype(">u2")).mask(fy, fx, (5, 6)), native)


# Files


def resolved(data: bytes) -> MaskFile:
    return MaskFile("repair.png").resolved(data)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "the file is empty; a mask is a grey PNG file"),
        (b"not an image", "a mask is a grey PNG file"),
        (saved(Image.new("L", (6, 4)), "tiff"), "tiff is not accepted here, only png"),
        (saved(Image.new("L", (6, 4)), "jpeg"), "jpeg is not accepted here, only png"),
        (png_bytes(noise((4, 6)))[:-20], "a mask is a grey PNG file"),
        (png_bytes(noise((4, 6, 3))), "6 x 4 pixels, has colour: save it in grey"),
        (png_bytes(noise((4, 6, 4))), "6 x 4 pixels, has transparency: save it in grey"),
        (png_bytes(noise((4, 6, 2))), "6 x 4 pixels, has transparency: save it in grey"),
        (saved(Image.new("P", (6, 4)), "png"), "6 x 4 pixels, has colour"),
        (png_bytes(noise((6, 4))), "the mask has 4 x 6 pixels, but what is filtered has 6 x 4"),
        (png_bytes(noise((400, 600))), r"the mask has 600 x 400 pixels, but .* has 6 x 4"),
        (
            saved(
                Image.new("L", (6, 4)),
                "png",
                save_all=True,
                append_images=[Image.new("L", (6, 4), 9)],
            ),
            "6 x 4 pixels, has 2 frames",
        ),
        (png_file(header(100_000, 100_000), chunk(b"IDAT", b"x")), "header says 100000 x 100000"),
    ],
    ids=range(13),
)
def test_files_that_are_not_masks_for_the_image_are_refused(data: bytes, told: str) -> None:
    mask = resolved(data)
    with pytest.raises(RecipeError, match=told) as caught:
        mask.check((4, 6))
    (fault,) = caught.value.faults
    assert (fault.key, fault.value) == ("filter", str(mask))
    with pytest.raises(RecipeError, match=told):
        mask.decoded((4, 6))


def test_a_mask_that_cannot_be_decoded_is_a_faulty_recipe() -> None:
    mask = resolved(png_file(header(6, 4), chunk(b"IDAT", b"not compressed")))
    with pytest.raises(RecipeError, match=r"mask:repair\.png,"):
        mask.decoded((4, 6))


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_few_bits_are_scaled_to_black_and_white(depth: int) -> None:
    width = 8 // depth
    rows = bytes([0, 0b00001111]) + bytes([0, 0])  # each with the byte of its filter
    mask = resolved(png_file(header(width, 2, depth), chunk(b"IDAT", zlib.compress(rows))))
    found = mask.decoded((2, width))
    expected = np.zeros((2, width))
    expected[0, width // 2 :] = 1
    np.testing.assert_array_equal(found.levels / found.white, expected)


# Names and bytes


def test_bytes_give_the_base_name_and_the_sha256() -> None:
    data = png_bytes(noise((4, 6)))
    digest = hashlib.sha256(data).hexdigest()
    mask = MaskFile("masks/of_plants/repair.png").resolved(data)
    assert str(mask) == f"mask:repair.png,{digest}"
    assert mask == MaskFile("repair.png", digest)  # the bytes are those that the text names
    assert hash(mask) == hash(MaskFile("repair.png", digest))
    assert mask.data == data
    assert MaskFile("repair.png", digest.upper()).resolved(data) == mask


def test_other_bytes_than_those_of_the_sha256_are_refused() -> None:
    with pytest.raises(ValueError, match=f"has the SHA-256 {hashlib.sha256(b'b').hexdigest()}"):
        MaskFile("a.png", hashlib.sha256(b"a").hexdigest()).resolved(b"b")


def test_more_bytes_than_any_mask_has_are_refused() -> None:
    with pytest.raises(ValueError, match=r"268,435,457 bytes, at most 268,435,456"):
        MaskFile("a.png").resolved(bytes(LARGEST_FILE + 1))


def test_every_mask_takes_memory() -> None:
    one = (MaskFile("a.png"),)
    assert memory_of_filters(one, 4, 4.1) > memory_of_filters((LowPass(4),), 4, 4.1)
    assert memory_of_filters(one * 2, 4, 4.1) > memory_of_filters(one, 4, 4.1)
    assert memory_of_lines(one) > memory_of_lines((LowPass(4),))
