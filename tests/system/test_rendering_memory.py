"""The memory predicted for renditions, compared with the measured peak of whole processes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fft_tool.codec import png_encode
from tests.support.command import said_of_file
from tests.support.images import noise
from tests.support.profiles import profile_of_inks, profile_of_screen

MIB = 1 << 20
SCRIPT = """
import pathlib, re, sys
import fft_tool
from fft_tool.codec import image_file
from fft_tool.image.presets import FORM, parse_presets
from fft_tool.rendering import memory_needed, render
data = pathlib.Path(sys.argv[1]).read_bytes()
presets = parse_presets(FORM)
print(memory_needed(image_file.open_image(data).header, presets))
render(fft_tool.Source("image", data), presets, sys.argv[2], threads=2)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(int(peak[1]) * 1024)
"""

pytestmark = [
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="peak memory is read from /proc"
    ),
    pytest.mark.slow,
]


def saved(mode: str, container: str, side: int, **options: object) -> bytes:
    bands = len(mode)
    pixels = noise((side, side, bands)) if bands > 1 else noise((side, side))
    stream = io.BytesIO()
    Image.frombytes(mode, (side, side), pixels.tobytes()).save(stream, container, **options)
    return stream.getvalue()


def photo(container: str) -> bytes:
    """A photo of a phone: turned, and with a profile."""
    exif = Image.Exif()
    exif[274] = 6
    return saved("RGB", container, 3000, exif=exif, icc_profile=profile_of_screen())


SOURCES = {
    "jpeg": lambda: photo("jpeg"),
    "webp": lambda: photo("webp"),
    "png": lambda: photo("png"),
    "inks": lambda: saved("CMYK", "jpeg", 2500, icc_profile=profile_of_inks((136, 208, 195))),
    "glass": lambda: saved("RGBA", "png", 2500),
    "grey": lambda: saved("L", "tiff", 4000),
    "deep grey": lambda: png_encode.encode(noise((3000, 3000), np.uint16)),
    "deep glass": lambda: png_encode.encode(noise((2000, 2000, 4), np.uint16)),
    "narrow": lambda: png_encode.encode(noise((30, 300_007))),
    "small": lambda: png_encode.encode(noise((8, 8))),
}


@pytest.mark.parametrize("picture_format", ["default", "avif"])
@pytest.mark.parametrize("kind", SOURCES)
def test_the_prediction_is_safe_and_not_excessive(
    kind: str, picture_format: str, tmp_path: Path
) -> None:
    data = SOURCES[kind]()
    said = said_of_file(SCRIPT, data, picture_format, folder=tmp_path)
    needed, taken = map(int, said.split())
    assert taken <= needed <= 4 * taken, f"{needed / MIB:.0f} MiB for {taken / MIB:.0f} MiB"
