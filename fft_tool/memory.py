"""How much memory an analysis takes, told from the header before anything is decoded.

The figures are bytes per pixel, measured as the peaks of whole processes; a test holds the estimate
against them.
"""

from __future__ import annotations

from fft_tool.raster import Header
from fft_tool.recipe import Recipe

FIXED = 80 << 20  # the interpreter, the libraries, and blocks and tables of every thread


def memory_needed(header: Header, recipe: Recipe) -> int:
    """Estimate, in bytes and on the safe side, the peak memory of a run, source included."""
    pixels = header.width * header.height
    sample = 1 if header.depth <= 8 else 2
    colours = header.channels * sample  # the decoded image
    kept = colours + (header.channels > 1) * sample  # and its grey plane
    half = 4 if recipe.precision == "single" else 8
    picture = recipe.bits // 8 * (3 if recipe.colour else 1)
    pictures = picture * (3 if recipe.phase else 1.5)  # codes of the half, and the files
    extras = recipe.spectrum * 2 * half + (recipe.filter is not None) * half
    transforming = kept + half + pictures + extras
    certifying = kept + 2 * pictures + half + extras + recipe.periodic * 40
    peak = max(
        _decoding(header, colours),
        transforming,
        certifying if recipe.metadata else 0,
    )
    return FIXED + header.file_bytes + round(pixels * (peak + 1))


def _decoding(header: Header, colours: int) -> float:
    """Peak while the image is decoded: the decoder's own buffers beside the result."""
    if header.format == "png":
        # Inflated rows, handed on to Pillow, which keeps three channels in four bytes.
        return 3 * colours + 4 * (header.channels > 1)
    return 2 * colours + 8 + 12 * (header.format == "webp")
