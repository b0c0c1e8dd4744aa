"""Willem van Schaik's PngSuite: every colour type, depth, filter and ancillary chunk."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fft_tool.codec import image_file
from fft_tool.errors import ImageError
from tests.support.images import chunks_of

cv2 = import_module("cv2")  # these two have no types: whatever they hold is Any
imagecodecs = import_module("imagecodecs")

SUITE = Path(__file__).parents[1] / "corpora" / "pngsuite"
FILES = sorted(SUITE.glob("*.png"))
CORRUPT = [path for path in FILES if path.name.startswith("x")]
SOUND = [path for path in FILES if path not in CORRUPT]
PIXELS_PER_METRE = {"cdun2c08.png": 1000}  # cdf, cdh, cds only say that pixels are not square

every_sound_file = pytest.mark.parametrize("path", SOUND, ids=lambda path: path.stem)


@contextmanager
def silence() -> Iterator[None]:
    """No warnings, and nothing that C libraries print to the standard error."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def with_channels(pixels: Any) -> Any:
    return pixels if pixels.ndim == 3 else pixels[:, :, None]


def test_the_suite_is_complete() -> None:
    assert (len(SOUND), len(CORRUPT)) == (161, 14)
    assert (SUITE / "PngSuite.LICENSE").is_file()


@pytest.mark.parametrize("path", CORRUPT, ids=lambda path: path.stem)
def test_corrupt_files_are_refused(path: Path) -> None:
    with pytest.raises(ImageError) as refused:
        image_file.decode(path.read_bytes())
    assert len(str(refused.value)) > 20, "a sentence, not a word"


@every_sound_file
def test_pixels_agree_with_libpng(path: Path) -> None:
    data = path.read_bytes()
    with silence():
        expected = with_channels(imagecodecs.png_decode(data))
    found = image_file.decode(data)
    assert found.pixels.dtype == expected.dtype
    np.testing.assert_array_equal(found.pixels, expected)


@every_sound_file
def test_pixels_agree_with_opencv_if_it_keeps_them(path: Path) -> None:
    data = path.read_bytes()
    with silence():
        read = with_channels(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
    found = image_file.decode(data)
    assert found.pixels.dtype == read.dtype
    if found.names == ("grey", "alpha"):
        if read.shape[2] == 1:  # a transparent grey level: OpenCV drops it
            np.testing.assert_array_equal(found.pixels[:, :, :1], read)
            return
        assert np.ptp(read[:, :, :3], axis=2).max() == 0
        read = read[:, :, 2:]  # grey and alpha come as BGRA
    elif read.shape[2] >= 3:
        read = read[:, :, [2, 1, 0, 3][: read.shape[2]]]
    np.testing.assert_array_equal(found.pixels, read)


@every_sound_file
def test_headers_agree_with_the_pixels(path: Path) -> None:
    data = path.read_bytes()
    image = image_file.open_image(data)
    head, raster = image.header, image.decode()
    stored = next(chunks_of(data))[1]
    assert (head.width, head.height) == tuple(
        int.from_bytes(stored[at : at + 4], "big") for at in (0, 4)
    )
    assert head.depth == stored[8]
    assert (
        raster.pixels.shape
        == (head.height, head.width, head.channels)
        == (
            *head.shape,
            len(raster.names),
        )
    )
    assert raster.pixels.dtype == (np.uint16 if head.depth == 16 else np.uint8)
    assert raster.white == (65535 if head.depth == 16 else 255)
    assert (head.format, head.frames, head.orientation) == ("png", 1, 1)


@every_sound_file
def test_channels_follow_the_colour_type_and_transparency(path: Path) -> None:
    kinds = dict(chunks_of(path.read_bytes()))
    colour, transparent = kinds[b"IHDR"][9], b"tRNS" in kinds
    names = ("grey",) if colour in (0, 4) else ("red", "green", "blue")
    if colour in (4, 6) or transparent:
        names = (*names, "alpha")
    assert image_file.decode(path.read_bytes()).names == names


@every_sound_file
def test_the_pixel_size_is_that_of_the_phys_chunk(path: Path) -> None:
    head = image_file.open_image(path.read_bytes()).header
    density = PIXELS_PER_METRE.get(path.name)
    assert head.pixel_size_um == ((1e6 / density, 1e6 / density) if density else None)
    assert head.pixel_size_from == ("PNG pHYs" if density else None)
