"""How many bytes a run leaves behind, told from the header before anything is decoded.

The estimate is an upper bound, never below what is written. It takes pictures as if they did not
compress: phase pictures and spectra do not, and whether the others do is known only once they have
been computed, which is what a limit is there to prevent. Natural images stay above half of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from math import isqrt

from fft_tool.errors import CropOutside
from fft_tool.header import Header
from fft_tool.limits import Limits
from fft_tool.naming import RECORD
from fft_tool.outputs import Artifact
from fft_tool.recipe import Recipe

# A record's sections, none of which grows with the image, and the texts inside an artifact.
_RECORD = 64 << 10
_TEXTS = 2 << 10
_HISTOGRAM = 64 << 10  # a drawing of fixed size
# What frames blocks and chunks that do not compress: at most 1 in 128, and once a row's chunk.
_FRAMING, _CHUNK = 128, 64
_ROUGHLY = 32  # oblong images have rows of another length: 1 in 32 more than a square one


def output_size(header: Header, recipe: Recipe, kinds: Iterable[str], *, name: str = "") -> int:
    """Most bytes that artifacts of these ``kinds`` take together, for a source called ``name``.

    Raises :class:`~fft_tool.errors.CropOutside` where there is no such region.
    """
    height, width = header.shape
    width, height = analysed_size(recipe, width, height)
    sample = 1 if header.depth <= 8 else 2
    picture = recipe.bits // 8 * (3 if recipe.colour else 1)
    coefficient = 8 if recipe.precision == "single" else 16
    texts = _TEXTS + 6 * len(str(recipe).encode())
    names = 6 * len(name.encode(errors="replace"))  # JSON writes a character in up to six
    sizes = {
        "crop": _png(height, width * header.channels * sample),
        "histogram": _HISTOGRAM,
        "filtered": _png(height, width * sample),
        "spectrum": height * (width // 2 + 1) * coefficient + 4 * texts,
        "phase": _png(height, width * picture),
        "magnitude": _png(height, width * picture),
        RECORD: _RECORD + 10 * names,
    }
    return sum(sizes[kind] + texts for kind in kinds)


def largest_output(pixels: int, recipe: Recipe, kinds: Iterable[str]) -> int:
    """Most bytes that an image of up to so many ``pixels`` takes, of whatever format and sides.

    The exceptions are strips of a few pixels' width, whose rows are all framing.
    """
    side = isqrt(max(0, pixels - 1)) + 1
    header = Header("png", side, side, channels=4, depth=16)
    whole = replace(recipe, crop=None, smart_crop=None)
    needed = output_size(header, whole, kinds)
    return needed + needed // _ROUGHLY


class Tally:
    """Counts the bytes of the artifacts of one source, and stops as soon as they are too many."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._bytes = limits, 0

    def passing(self, artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
        """Pass artifacts on as they are made; refuses the one that makes them too many bytes."""
        for artifact in artifacts:
            self._bytes += len(artifact.data)
            self._limits.check_output(self._bytes)
            yield artifact


def analysed_size(recipe: Recipe, width: int, height: int) -> tuple[int, int]:
    """Width and height of what a recipe analyses of an image of ``width`` × ``height``.

    Raises :class:`~fft_tool.errors.CropOutside` where there is no such region.
    """
    if recipe.smart_crop:
        across, down = recipe.smart_crop
        if across > width or down > height:
            raise CropOutside(
                f"the smart crop {across},{down} is larger than the image, "
                f"which has {width} x {height}"
            )
        return across, down
    if recipe.crop is None:
        return width, height
    box = recipe.crop.within(width, height)
    return box.width, box.height


def _png(height: int, row_bytes: int) -> int:
    """Most bytes of a PNG file: rows with their filter byte, all of them stored."""
    raw = height * (1 + row_bytes)
    chunks = 1 + raw // (1 << 18)
    return raw + raw // _FRAMING + _CHUNK * min(height, chunks)
