"""The frame or page that is asked for, in every format that can hold several."""

from __future__ import annotations

import io
import struct
import zlib
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fft_tool.codec import image_file
from fft_tool.errors import CorruptImage, RecipeError, TooCostly
from fft_tool.limits import Limits
from tests.support.images import (
    chunk,
    header,
    noise,
    png_bytes,
    png_file,
    saved,
    scanlines,
    tiff_directory,
)

tifffile = import_module("tifffile")


def animated(kind: str, frames: list[Any], **options: Any) -> bytes:
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def seen_by_pillow(data: bytes, frame: int, mode: str) -> Any:
    image = Image.open(io.BytesIO(data))
    image.seek(frame - 1)
    return np.asarray(image.convert(mode))


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "TIFF", "GIF", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_each_frame_of_an_animation_is_decoded(kind: str, mode: str) -> None:
    frames = [Image.fromarray(noise((12, 17, len(mode)), seed=seed)) for seed in range(4)]
    if kind == "GIF":
        frames = [image.quantize(50, method=Image.Quantize.FASTOCTREE) for image in frames]
    data = animated(kind, frames, **({"lossless": True} if kind == "WEBP" else {}))
    for number in range(1, 5):
        found = image_file.decode(data, frame=number)
        assert (found.header.frames, found.header.frame) == (4, number)
        shown = seen_by_pillow(data, number, "RGBA")[:, :, : found.pixels.shape[2]]
        np.testing.assert_array_equal(found.pixels, shown)
    with pytest.raises(RecipeError, match="should be at most 4: the file has 4 frames"):
        image_file.decode(data, frame=5)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_each_page_of_a_tiff_is_decoded(dtype: Any, big: bool, order: str) -> None:
    stack = noise((5, 9, 11)).astype(dtype)
    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, stack, photometric="minisblack", bigtiff=big, byteorder=order, compression="zlib"
    )
    for page in (1, 3, 5):
        found = image_file.decode(buffer.getvalue(), frame=page)
        levels = found.pixels[:, :, 0].astype(np.float64)
        if found.values:
            levels = found.values.offset + found.values.step * levels
        np.testing.assert_allclose(levels, stack[page - 1], atol=1e-9)


def test_pages_of_a_tiff_may_differ_in_size_and_type() -> None:
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(noise((9, 11)))
        file.write(noise((5, 6, 3), np.uint16), photometric="rgb")
    found = image_file.decode(buffer.getvalue(), frame=2)
    np.testing.assert_array_equal(found.pixels, noise((5, 6, 3), np.uint16))


def test_the_second_page_is_checked_as_the_first_is() -> None:
    first = saved(Image.fromarray(noise((4, 4))), "TIFF")
    (start,) = struct.unpack_from("<I", first, 4)
    (count,) = struct.unpack_from("<H", first, start)
    link = start + 2 + 12 * count
    second = struct.pack("<H", 4) + b"".join(
        struct.pack("<HHII", tag, 4, 1, value)
        for tag, value in ((256, 64), (257, 64), (322, 44_032), (323, 44_032))
    )
    data = first[:link] + struct.pack("<I", len(first)) + first[link + 4 :] + second + bytes(4)
    assert image_file.decode(data).header.frames == 2
    with pytest.raises(TooCostly, match="tiles of 44,032"):
        image_file.decode(data, frame=2)


@pytest.mark.parametrize("data", [png_bytes(noise((4, 5))), b"P5 1 1 255\n\7"])
def test_a_single_image_has_no_second_frame(data: bytes) -> None:
    with pytest.raises(RecipeError, match=r"frame='2': should be at most 1: .* a single image"):
        image_file.decode(data, frame=2)


def test_frames_that_take_all_before_them_are_bounded() -> None:
    frames = [Image.fromarray(noise((10, 10, 3), seed=seed)) for seed in range(4)]
    data, limits = animated("PNG", frames), Limits(max_pixels=399)
    assert image_file.decode(data, limits, frame=3).header.frame == 3
    with pytest.raises(TooCostly, match=r"frame 4 of an animation .* 400 pixels in total"):
        image_file.decode(data, limits, frame=4)


# --- animated PNG -----------------------------------------------------------------------------


def control(shape: Any, place: Any = (0, 0), dispose: int = 0, blend: int = 0) -> bytes:
    values = (0, shape[1], shape[0], place[1], place[0], 1, 10, dispose, blend)
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", *values))


def packed(pixels: Any) -> bytes:
    size, height = pixels.dtype.itemsize, pixels.shape[0]
    rows = pixels.astype(f">u{size}").reshape(height, -1).view(np.uint8)
    return zlib.compress(scanlines(rows, size * pixels.shape[2]))


def apng(canvas: Any, parts: list[tuple[Any, Any, int, int]], *, hidden: bool = False) -> bytes:
    """An animation of the canvas and of parts: pixels, place, disposal and blending."""
    depth = 8 * canvas.dtype.itemsize
    chunks = [
        header(canvas.shape[1], canvas.shape[0], depth, {3: 2, 4: 6}[canvas.shape[2]]),
        chunk(b"acTL", struct.pack(">II", len(parts) + (not hidden), 0)),
    ]
    if not hidden:
        chunks.append(control(canvas.shape))
    chunks.append(chunk(b"IDAT", packed(canvas)))
    for pixels, place, dispose, blend in parts:
        chunks.append(control(pixels.shape, place, dispose, blend))
        chunks.append(chunk(b"fdAT", bytes(4) + packed(pixels)))
    return png_file(*chunks)


def over(above: Any, below: Any) -> Any:
    """Porter and Duff's "over", of pixels that are not premultiplied."""
    alpha, under = above[..., 3:] / 255, below[..., 3:] / 255
    total = alpha + under * (1 - alpha)
    mixed = above[..., :3] * alpha + below[..., :3] * under * (1 - alpha)
    safe = np.where(total > 0, total, 1)
    return np.rint(np.concatenate([np.where(total > 0, mixed / safe, 0), total * 255], -1))


def test_parts_replace_or_cover_and_are_kept_cleared_or_undone() -> None:
    canvas = noise((8, 9, 4))
    one, two, three, four = (noise((3, 4, 4), seed=seed) for seed in range(1, 5))
    places = [(0, 0), (2, 3), (5, 5), (1, 4)]
    parts = [(one, places[0], 0, 0), (two, places[1], 1, 1), (three, places[2], 2, 0)]
    data = apng(canvas, [*parts, (four, places[3], 0, 1)])

    shown = canvas.astype(float)

    def spot(place: Any) -> Any:
        return shown[place[0] : place[0] + 3, place[1] : place[1] + 4]

    expected = [shown.copy()]
    spot(places[0])[:] = one
    expected.append(shown.copy())
    spot(places[1])[:] = over(two, spot(places[1]))
    expected.append(shown.copy())
    spot(places[1])[:] = 0
    before = shown.copy()
    spot(places[2])[:] = three
    expected.append(shown.copy())
    shown = before
    spot(places[3])[:] = over(four, spot(places[3]))
    expected.append(shown.copy())
    for number, frame in enumerate(expected, 1):
        found = image_file.decode(data, frame=number).pixels
        assert np.abs(found - frame).max() <= (number > 2), f"frame {number}"


def test_16_bit_frames_keep_every_bit() -> None:
    canvas, part = noise((6, 7, 3), np.uint16), noise((2, 3, 3), np.uint16, seed=1)
    found = image_file.decode(apng(canvas, [(part, (1, 2), 0, 1)]), frame=2).pixels
    canvas[1:3, 2:5] = part
    np.testing.assert_array_equal(found, canvas)


def test_an_image_outside_the_animation_is_the_first_frame() -> None:
    canvas, part = noise((6, 7, 3)), noise((6, 7, 3), seed=1)
    data = apng(canvas, [(part, (0, 0), 0, 0)], hidden=True)
    assert image_file.decode(data).header.frames == 2
    np.testing.assert_array_equal(image_file.decode(data, frame=1).pixels, canvas)
    np.testing.assert_array_equal(image_file.decode(data, frame=2).pixels, part)


@pytest.mark.parametrize("place", [(5, 0), (0, 6), (2**31, 0)])
def test_a_part_outside_the_canvas_is_corrupt(place: Any) -> None:
    data = apng(noise((6, 7, 3)), [(noise((3, 3, 3)), place, 0, 0)])
    assert image_file.decode(data).header.frames == 2
    with pytest.raises(CorruptImage, match="outside its canvas"):
        image_file.decode(data, frame=2)


def test_a_frame_that_is_announced_but_missing_is_corrupt() -> None:
    data = png_bytes(noise((5, 7)), chunk(b"acTL", struct.pack(">II", 3, 0)))
    with pytest.raises(CorruptImage, match="no frame 2, though it announces 3"):
        image_file.decode(data, frame=2)


def test_a_frame_with_too_little_data_is_corrupt() -> None:
    canvas = noise((6, 7, 3))
    data = apng(canvas, [(canvas, (0, 0), 0, 0)])
    short = data.replace(
        chunk(b"fdAT", bytes(4) + packed(canvas)), chunk(b"fdAT", bytes(4) + packed(canvas[:5]))
    )
    with pytest.raises(CorruptImage, match="not as long as the header says"):
        image_file.decode(short, frame=2)


# --- GIF --------------------------------------------------------------------------------------


def test_a_gif_without_an_image_is_corrupt() -> None:
    with pytest.raises(CorruptImage, match="no image data"):
        image_file.decode(b"GIF89a" + struct.pack("<HHBBB", 4, 4, 0, 0, 0) + b";")


def test_frames_of_a_gif_beyond_its_screen_count_towards_the_limit() -> None:
    data = saved(Image.fromarray(noise((4, 4))), "GIF")
    at = data.index(b",", 13)
    wide = data[: at + 5] + struct.pack("<HH", 60_000, 60_000) + data[at + 9 :]
    with pytest.raises(Exception, match="60000 x 60000 = 3,600,000,000 pixels"):
        image_file.open_image(wide)


def test_an_exif_block_with_pages_does_not_disturb() -> None:
    block = tiff_directory((274, "H", [6]))
    found = image_file.decode(
        saved(Image.fromarray(noise((4, 6))), "JPEG", exif=b"Exif\0\0" + block)
    )
    assert (found.header.frames, found.pixels.shape) == (1, (6, 4, 1))
