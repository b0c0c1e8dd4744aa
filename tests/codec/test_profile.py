"""Colour profiles: what is converted to sRGB, and what is left as it is."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from fft_tool.codec import image_file
from fft_tool.codec.header import MAX_PROFILE_BYTES
from fft_tool.codec.profile import cmyk_to_srgb, space_of, to_srgb
from tests.support.images import Pixels, chunk, noise, png_bytes
from tests.support.profiles import (
    BLUE,
    GREEN,
    RED,
    profile_of_greys,
    profile_of_inks,
    profile_of_screen,
)

SWAPPED = profile_of_screen((GREEN, RED, BLUE))
"""A screen whose red looks green."""

INKS = profile_of_inks(full=(136, 208, 195))
"""A press whose cyan looks red."""


def pixel(*values: int) -> Pixels:
    return np.array(values, np.uint8).reshape(1, 1, -1)


def test_colours_become_those_that_the_profile_means() -> None:
    assert to_srgb(pixel(255, 0, 0), SWAPPED).ravel().tolist() == [0, 255, 0]


def test_the_profile_of_srgb_itself_changes_nothing_visible() -> None:
    pixels = noise((40, 40, 3))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    error = np.abs(to_srgb(pixels, srgb).astype(int) - pixels)
    assert error.max() <= 1


def test_greys_are_converted_and_stay_neutral() -> None:
    # Linear light of 128/255 is the sRGB level 188.
    assert to_srgb(pixel(128), profile_of_greys(1.0)).ravel().tolist() == [188]


def test_opacity_is_kept() -> None:
    assert to_srgb(pixel(128, 7), profile_of_greys(1.0)).ravel().tolist() == [188, 7]
    assert to_srgb(pixel(255, 0, 0, 7), SWAPPED).ravel().tolist() == [0, 255, 0, 7]


def test_inks_become_what_the_press_prints() -> None:
    image = Image.new("CMYK", (1, 1), (255, 0, 0, 0))
    red, green, blue = map(int, np.asarray(cmyk_to_srgb(image, INKS)).ravel())
    assert red > 240
    assert max(green, blue) < 15


@pytest.mark.parametrize(
    "profile",
    [
        None,
        b"",
        b"not a profile" * 20,
        SWAPPED[:200],
        INKS,
        profile_of_greys(1.0),
        SWAPPED[:40] + bytes(len(SWAPPED) - 40),
        SWAPPED + bytes(MAX_PROFILE_BYTES),
    ],
    ids=["none", "empty", "noise", "cut", "inks", "greys", "zeros", "large"],
)
def test_a_profile_that_does_not_suit_the_pixels_is_ignored(profile: bytes | None) -> None:
    pixels = noise((3, 3, 3))
    assert np.array_equal(to_srgb(pixels, profile), pixels)


def test_inks_without_a_profile_of_inks_are_not_converted() -> None:
    image = Image.new("CMYK", (1, 1), (255, 0, 0, 0))
    assert cmyk_to_srgb(image, None) is None
    assert cmyk_to_srgb(image, SWAPPED) is None


def test_the_colour_space_is_read_from_the_header() -> None:
    assert [space_of(each) for each in (SWAPPED, INKS, b"short")] == ["RGB", "CMYK", ""]


# Where files keep their profiles.


@pytest.mark.parametrize("container", ["png", "jpeg", "tiff", "webp", "avif"])
def test_profiles_are_found_in_files(container: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, container, icc_profile=SWAPPED)
    assert image_file.open_image(stream.getvalue()).header.profile == SWAPPED


@pytest.mark.parametrize("body", [b"", b"name", b"name\0\0not deflated", b"name\0\0\x78\x9c"])
def test_a_damaged_profile_in_a_png_does_not_spoil_the_image(body: bytes) -> None:
    pixels = noise((3, 3, 3))
    image = image_file.open_image(png_bytes(pixels, chunk(b"iCCP", body)))
    assert image.header.profile is None
    assert np.array_equal(image.decode().pixels, pixels)


def test_a_profile_that_inflates_without_end_is_ignored() -> None:

    body = b"bomb\0\0" + zlib.compress(bytes(4 * MAX_PROFILE_BYTES))
    assert (
        image_file.open_image(png_bytes(noise((3, 3)), chunk(b"iCCP", body))).header.profile is None
    )


def test_profiles_do_not_change_what_is_analysed() -> None:
    pixels = noise((8, 8, 3))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "png", icc_profile=SWAPPED)
    assert np.array_equal(image_file.decode(stream.getvalue()).pixels, pixels)
