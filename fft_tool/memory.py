"""How much memory an analysis takes, told from the header before anything is decoded.

The figures are bytes per pixel, measured as the peaks of whole processes; a test holds the estimate
against them.
"""

from __future__ import annotations

from fft_tool.header import Header
from fft_tool.recipe import Recipe

_LARGE_FACTOR = 50  # beyond which the transform may prefer a convolution

FIXED = 80 << 20  # the interpreter, the libraries, and blocks and tables of every thread


def memory_needed(header: Header, recipe: Recipe) -> int:
    """Estimate, in bytes and on the safe side, the peak memory of a run, source included."""
    height, width = header.shape
    pixels = height * width
    sample = 1 if header.depth <= 8 else 2
    colours = header.channels * sample  # the decoded image
    kept = colours + (header.channels > 1) * sample  # and its grey plane
    real = 4 if recipe.precision == "single" else 8
    # The half spectrum has w // 2 + 1 columns: in the narrowest images as many as the whole.
    oblong = 2 * (width // 2 + 1) / width
    half = real * oblong
    picture = recipe.bits // 8 * (3 if recipe.colour else 1)
    pictures = picture * (1 + oblong / 2) * (2 if recipe.phase else 1)  # files, and codes
    extras = recipe.spectrum * 2 * half + (recipe.filter is not None) * half
    transforming = kept + half + pictures + extras
    certifying = kept + 2 * pictures + half + extras + recipe.periodic * 40
    peak = max(
        _decoding(header, colours),
        transforming,
        certifying if recipe.metadata else 0,
    )
    sides = real * max(_line(height, 8), _line(width, 3))  # columns are gathered first
    return FIXED + header.file_bytes + sides + round(pixels * (peak + 1))


def _line(length: int, smooth: int) -> int:
    """Numbers that the transform of a line keeps: ``smooth`` for each of its length.

    Lengths with a large prime factor are transformed as convolutions (Bluestein's algorithm), with
    lines that are more than twice as long.
    """
    return length * (20 if _largest_prime_factor(length) > _LARGE_FACTOR else smooth)


def _largest_prime_factor(number: int) -> int:
    largest, factor = 1, 2
    while factor * factor <= number:
        while number % factor == 0:
            number //= factor
            largest = factor
        factor += 1
    return max(largest, number)


def _decoding(header: Header, colours: int) -> float:
    """Peak while the image is decoded: the decoder's own buffers beside the result."""
    if header.format == "png":
        # Inflated rows, handed on to Pillow, which keeps three channels in four bytes.
        return 3 * colours + 4 * (header.channels > 1)
    return 2 * colours + 8 + 12 * (header.format == "webp")
