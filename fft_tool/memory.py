"""How much memory an analysis takes, told from the header before anything is decoded."""

from __future__ import annotations

from fft_tool.codec import Header
from fft_tool.recipe import Recipe

FIXED = 96 << 20  # the interpreter, the libraries, and blocks and tables of every thread


def memory_needed(header: Header, recipe: Recipe) -> int:
    """Estimate, in bytes and on the safe side, of the peak memory of a run, source included."""
    pixels = header.width * header.height
    sample = 1 if header.depth <= 8 else 2
    decoding = (2 if header.format == "png" else 3) * header.channels * sample
    kept = (header.channels + (header.channels > 1)) * sample
    half = 4 if recipe.precision == "single" else 8
    picture = recipe.bits // 8 * (3 if recipe.colour else 1)
    pictures = picture * (3 if recipe.phase else 1.5)
    peak = max(
        decoding,
        kept + half + pictures,
        kept + 2 * pictures + half * recipe.metadata,
    )
    if recipe.periodic:
        peak += 40
    if recipe.filter:
        peak += 2 * half
    if recipe.spectrum:
        peak += 3 * half
    return FIXED + round(pixels * peak)
