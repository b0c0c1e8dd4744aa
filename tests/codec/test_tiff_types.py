"""TIFF samples of every type that Pillow keeps, against tifffile, which wrote them."""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from fft_tool.codec import image_file, tiff_decode
from tests.support.images import noise

tifffile = import_module("tifffile")

TYPES: dict[str, Any] = {
    "float 32": noise((33, 47), np.float64).astype(np.float32) - 100,
    "uint 32": noise((33, 47), np.uint32),
    "int 32": noise((33, 47), np.int32),
    "int 16": noise((33, 47), np.int16),
    "int 8": noise((33, 47), np.int8),
    "uint 16": noise((33, 47), np.uint16),
    "rgb 16": noise((33, 47, 3), np.uint16),
    "rgba 16": noise((33, 47, 4), np.uint16),
}
NEEDS_EXTRA = {("uint 32", ">")}  # Pillow has no mode for it


@pytest.mark.parametrize("layout", ["strips", "tiles", "lzw", "deflate, predictor", "packbits"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("name", TYPES)
def test_samples_are_decoded_without_loss(
    name: str, order: str, layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (name, order) not in NEEDS_EXTRA:
        monkeypatch.setattr(tiff_decode, "tifffile_installed", lambda: False)
    pixels, buffer = TYPES[name], io.BytesIO()
    options: dict[str, Any] = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack"}
    if name == "rgba 16":
        options["extrasamples"] = ["unassalpha"]
    layouts: dict[str, dict[str, Any]] = {
        "strips": {"rowsperstrip": 7},
        "tiles": {"tile": (16, 16)},
        "lzw": {"compression": "lzw"},
        "deflate, predictor": {"compression": "zlib", "predictor": True},
        "packbits": {"compression": "packbits"},
    }
    tifffile.imwrite(buffer, pixels, byteorder=order, **options, **layouts[layout])
    found = image_file.decode(buffer.getvalue())
    kind = {"u": "uint", "i": "int", "f": "float"}[pixels.dtype.kind]
    assert (found.header.sample_type, found.header.depth) == (kind, 8 * pixels.dtype.itemsize)
    levels = found.pixels.reshape(pixels.shape).astype(np.float64)
    if found.values is None:
        np.testing.assert_array_equal(levels, pixels)
        return
    assert found.values.exact == (name in ("int 8", "int 16"))
    values = found.values.offset + found.values.step * levels
    within = 1e-9 if found.values.exact else found.values.step / 2 * 1.000001
    np.testing.assert_allclose(values, pixels, rtol=0, atol=within)


def test_the_pixels_can_be_decoded_twice() -> None:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, TYPES["rgb 16"], photometric="rgb")
    image = image_file.open_image(buffer.getvalue())
    for _ in range(2):
        np.testing.assert_array_equal(image.decode().pixels, TYPES["rgb 16"])
