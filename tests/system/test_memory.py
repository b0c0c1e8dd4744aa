"""The estimate of memory, compared with the measured peak of whole processes."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import fft_tool
from fft_tool.admission import memory_needed
from fft_tool.codec import png_encode
from fft_tool.codec.header import Header
from tests.support.command import said_of_file
from tests.support.images import chunk, noise, npy, pink_noise, png_file, saved

MIB = 1 << 20
SIDES = (256, 1280)
KINDS = (
    *("interlaced", "palette", "palette, alpha", "key colour", "rgb 16", "rgba 16", "tiff", "bmp"),
    *("webp", "jpeg", "progressive jpeg", "turned jpeg", "cmyk jpeg", "gif", "avif", "ppm", "pgm"),
    *("float tiff", "double tiff", "rgb 16 tiff", "float npy", "long npy"),
)
# VmHWM starts from zero with each program; ru_maxrss would include the memory of pytest.
SCRIPT = """
import pathlib, re, sys
import fft_tool
from fft_tool import admission
from fft_tool.codec import image_file
from fft_tool.mask_files import read_file, resolve_masks
data = pathlib.Path(sys.argv[1]).read_bytes()
recipe = resolve_masks(fft_tool.Recipe.parse_text(sys.argv[2]), read_file)
print(admission.memory_needed(image_file.open_image(data).header, recipe))
outputs = fft_tool.run(fft_tool.Source("image", data), recipe, threads=2)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
)


def needed_and_taken(data: bytes, recipe: str, folder: Path) -> tuple[int, int]:
    needed, taken = map(int, said_of_file(SCRIPT, data, recipe, folder=folder).split())
    return needed, taken


@lru_cache
def file(kind: str, side: int) -> bytes:
    grey = pink_noise((side, side))
    colour = np.stack([grey, grey.T, grey[::-1]], axis=2)
    image, palette = Image.fromarray(colour), Image.fromarray(colour).quantize(255)
    turned = Image.Exif()
    turned[274] = 6
    makers: dict[str, Callable[[], bytes]] = {
        "grey": lambda: saved(Image.fromarray(grey), "PNG", compress_level=1),
        "rgb": lambda: saved(image, "PNG", compress_level=1),
        "rgb 16": lambda: png_encode.encode(noise((side, side, 3), np.uint16)),
        "rgba 16": lambda: png_encode.encode(noise((side, side, 4), np.uint16)),
        "interlaced": lambda: interlaced(colour),
        "palette": lambda: saved(palette, "PNG", compress_level=1),
        "palette, alpha": lambda: saved(
            palette, "PNG", compress_level=1, transparency=bytes(range(255))
        ),
        "key colour": lambda: saved(image, "PNG", compress_level=1, transparency=(1, 2, 3)),
        "progressive jpeg": lambda: saved(image, "JPEG", progressive=True),
        "turned jpeg": lambda: saved(image, "JPEG", exif=turned),
        "avif": lambda: saved(image, "AVIF", speed=10),
        "pgm": lambda: b"P2 %d %d 255 " % (side, side) + b" ".join(b"%d" % v for v in grey.flat),
        "float tiff": lambda: tiff(grey.astype(np.float32)),
        "double tiff": lambda: tiff(noise((side, side), np.float64), compression="zlib"),
        "rgb 16 tiff": lambda: tiff(noise((side, side, 3), np.uint16), photometric="rgb"),
        "float npy": lambda: npy(noise((side, side), np.float64)),
        "long npy": lambda: npy(np.asfortranarray(noise((side, side), np.int64))),
        "cmyk jpeg": lambda: saved(image.convert("CMYK"), "JPEG"),
    }
    return makers[kind]() if kind in makers else saved(image, kind.upper())


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    import_module("tifffile").imwrite(buffer, pixels, **options)
    return buffer.getvalue()


def interlaced(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of seven passes, of pixels (h, w, 3)."""
    height, width = pixels.shape[:2]
    starts_and_steps = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2))
    rows = b""
    for y, x, down, across in (*starts_and_steps, (0, 1, 2, 2), (1, 0, 2, 1)):
        part = pixels[y::down, x::across]
        flat = np.ascontiguousarray(part).reshape(part.shape[0], -1)
        rows += np.pad(flat, ((0, 0), (1, 0))).tobytes()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1))
    return png_file(head, chunk(b"IDAT", zlib.compress(rows, 1)))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "recipe"),
    [
        ("grey", ""),
        ("grey", "bits=16 metadata=yes"),
        ("grey", "spectrum=yes"),
        ("grey", "periodic=yes"),
        ("grey", "precision=double filter=lowpass:8"),
        ("grey", "filter=stripe:37+notch:8,20"),
        ("rgb 16", "filter=stripe:37"),
        ("rgb", "filter=notch:2.5,20,1"),
        ("rgb", ""),
        ("rgb", "colour=yes histogram=yes"),
        ("grey", "smart-crop=500,400"),
        ("grey", "precision=double spectrum=yes periodic=yes metadata=yes"),
        ("grey", "bits=16 detrend=linear periodic=yes metadata=yes"),
        *((kind, "metadata=yes") for kind in KINDS),
    ],
)
def test_the_estimate_is_safe_and_not_excessive(kind: str, recipe: str, tmp_path: Path) -> None:
    needed, taken = needed_and_taken(file(kind, 2048), recipe, tmp_path)
    assert taken <= needed <= 2.5 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "recipe"),
    [
        ("grey", ""),
        ("rgb", "phase=no"),
        ("rgba 16", "phase=no"),
        ("cmyk jpeg", "phase=no"),
        ("webp", "phase=no"),
        ("tiff", "phase=no"),
        ("grey", "phase=no filter=stripe:37"),
        ("grey", "phase=no filter=notch:8,20+lowpass:3"),
        ("rgb", "phase=no filter=lowpass:3"),
    ],
)
def test_the_estimate_grows_at_least_as_fast_as_the_memory(
    kind: str, recipe: str, tmp_path: Path
) -> None:
    small, large = (needed_and_taken(file(kind, side), recipe, tmp_path) for side in SIDES)
    needed, taken = (after - before for before, after in zip(small, large, strict=True))
    pixels = SIDES[1] ** 2 - SIDES[0] ** 2
    assert taken <= needed, f"{needed / pixels:.1f} B/px for {taken / pixels:.1f} B/px"


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe",
    [
        "bits=16 metadata=yes",
        "spectrum=yes precision=double",
        "filter=stripe:30+notch:8,40",
        "filter=notch:2.5,40,1",
    ],
)
@pytest.mark.parametrize(
    "shape",
    [(3_000_000, 1), (1, 3_000_000), (1_500_000, 2), (9, 333_333), (3_000_017, 1), (1, 3_000_017)],
)
def test_the_estimate_is_safe_for_narrow_images(
    shape: tuple[int, int], recipe: str, tmp_path: Path
) -> None:
    needed, taken = needed_and_taken(png_encode.encode(noise(shape)), recipe, tmp_path)
    assert taken <= needed <= 2.5 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "channels", "dtype"),
    [((2048, 2048), 1, np.uint8), ((2048, 2048), 3, np.uint16), ((3_000_000, 1), 1, np.uint16)],
    ids=str,
)
@pytest.mark.parametrize("masks", [1, 3])
def test_the_estimate_is_safe_with_masks(
    shape: tuple[int, int], channels: int, dtype: Any, masks: int, tmp_path: Path
) -> None:
    """Those masks take most that have 16 bits and do not compress."""
    file = tmp_path / "mask.png"
    file.write_bytes(png_encode.encode(noise(shape, np.uint16)))
    image = noise((*shape, channels) if channels > 1 else shape, dtype)
    recipe = f"filter={'+'.join([f'mask:{file}'] * masks)}"
    needed, taken = needed_and_taken(png_encode.encode(image), recipe, tmp_path)
    assert taken <= needed <= 2.5 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"


@pytest.mark.slow
def test_the_estimate_is_safe_if_the_jumps_are_too_many_to_be_kept(tmp_path: Path) -> None:
    data = png_encode.encode(noise((3, 1_000_000)))
    needed, taken = needed_and_taken(data, "bits=16 periodic=yes metadata=yes", tmp_path)
    assert taken <= needed <= 2.5 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"


def test_a_length_that_is_transformed_as_a_convolution_needs_more() -> None:
    recipe = fft_tool.Recipe()
    smooth, prime = (
        memory_needed(Header("png", 1, height, 1, 8), recipe) for height in (3_000_000, 2_999_999)
    )
    assert prime > smooth


def test_more_pixels_channels_depth_and_outputs_never_need_less() -> None:
    def needed(header: Header, **texts: str) -> int:
        return memory_needed(header, fft_tool.Recipe.parse(texts))

    plain = Header("png", 1000, 1000, 1, 8)
    base = needed(plain)
    assert needed(Header("png", 2000, 1000, 1, 8)) > base
    assert needed(Header("png", 1000, 1000, 1, 16)) > base
    assert needed(Header("png", 1000, 1000, 3, 8)) > base
    assert needed(Header("tiff", 1000, 1000, 1, 8)) >= base
    assert needed(plain, phase="no") <= base
    assert needed(plain, precision="double") > base
    for texts in (
        {"bits": "16"}, {"colour": "yes"}, {"metadata": "yes"}, {"spectrum": "yes"},
        {"periodic": "yes"}, {"filter": "lowpass:8"}, {"histogram": "yes"}, {"crop": "square"},
    ):  # fmt: skip
        assert needed(plain, **texts) >= base
