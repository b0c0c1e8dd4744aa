"""Admission: memory and output of a run, estimated from the header before anything is decoded.

Memory is estimated from bytes per pixel. These figures come from measurements of the peak memory
of whole processes; a test compares estimate and measurement.

The size of the artifacts is an upper bound: what is written is never larger. It assumes that
pictures do not compress. Phase pictures and spectra indeed do not; whether the others do is known
only after they have been computed, which a limit is meant to prevent. For natural images, the
artifacts take more than half of the bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import isqrt

from fft_tool.codec.header import Header
from fft_tool.image.region import analysed_size
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.mask_files import check_resolved, data_of_masks
from fft_tool.recipe import Recipe
from fft_tool.results.registry import ARTIFACT_KINDS, Extent, wanted_kinds
from fft_tool.results.values import Artifact
from fft_tool.spectrum.choices import MAX_JUMPS

_COSINE_TRANSFORM = 48  # bytes per pixel to restore an image from its periodic component alone
_LARGE_FACTOR = 50  # for larger prime factors, the transform may use a convolution
_TEXTS = 2 << 10  # bytes of the texts inside an artifact, without the recipe
_OBLONG_MARGIN = 32  # 1/32: how much more an oblong image may take than a square one


def admit(header: Header, name: str, recipe: Recipe, limits: Limits, kinds: Sequence[str]) -> None:
    """Reject a source whose analysis would need too much memory or write too many bytes.

    Also rejects a recipe with masks that have not been read, or do not suit the source.
    """
    check_resolved(recipe)
    limits.check_memory(memory_needed(header, recipe))
    limits.check_output(output_size(header, recipe, kinds, name=name))
    extent = _extent(header, recipe, name)
    for kind in kinds:
        ARTIFACT_KINDS[kind].check(extent, recipe)


def memory_needed(header: Header, recipe: Recipe) -> int:
    """Conservative estimate of the peak memory of a run in bytes, including the source."""
    height, width = header.shape
    pixels = height * width
    colours = header.channels * header.level_bytes  # the decoded image
    kept = colours + (header.channels > 1) * header.level_bytes  # and its grey plane
    real = 4 if recipe.precision == "single" else 8
    # The half spectrum has w // 2 + 1 columns: up to as many as the image, if that is narrow.
    half = real * 2 * (width // 2 + 1) / width
    kinds = wanted_kinds(recipe)
    making = sum(kind.memory(recipe, half) + kind.copies * colours for kind in kinds)
    if recipe.metadata and recipe.periodic and height + width > MAX_JUMPS:
        making += _COSINE_TRANSFORM
    peak = max(decoding_memory(header, colours), kept + half + making)
    sides = real * max(
        transform_values(height, 8), transform_values(width, 3)
    )  # columns are copied before transforming
    sides += (height + width) * sum(kind.line_memory(recipe) for kind in kinds)
    windows = 8 * (height + width) if recipe.window != "none" else 0
    # libtiff gets a copy of a TIFF in which the chosen page is the first.
    files = header.file_bytes * (1 + (header.format == "tiff" and header.frame > 1))
    files += sum(map(len, data_of_masks(recipe).values()))
    return FIXED_MEMORY + files + sides + windows + round(pixels * (peak + 1))


def output_size(header: Header, recipe: Recipe, kinds: Iterable[str], *, name: str = "") -> int:
    """Upper bound on the total bytes of artifacts of these ``kinds``, for a source called ``name``.

    Raises :class:`~fft_tool.errors.CropOutside` if the region extends beyond the image.
    """
    extent = _extent(header, recipe, name)
    return sum(ARTIFACT_KINDS[kind].max_bytes(extent, recipe) + extent.texts for kind in kinds)


def _extent(header: Header, recipe: Recipe, name: str) -> Extent:
    height, width = header.shape
    width, height = analysed_size(recipe.crop, recipe.smart_crop, width, height)
    return Extent(
        height,
        width,
        header.channels,
        header.level_bytes,
        texts=_TEXTS + 6 * len(str(recipe).encode()),
        name=len(name.encode(errors="replace")),
    )


def largest_output(pixels: int, recipe: Recipe, kinds: Iterable[str]) -> int:
    """Upper bound on the output of any image of at most ``pixels`` pixels, of any format and shape.

    The bound does not hold for strips a few pixels wide, whose rows are mostly overhead.
    """
    side = isqrt(max(0, pixels - 1)) + 1
    header = Header("png", side, side, channels=4, depth=16)
    whole = replace(recipe, crop=None, smart_crop=None)
    needed = output_size(header, whole, kinds)
    return needed + needed // _OBLONG_MARGIN


class Tally:
    """Counts the bytes of the artifacts of one source, and raises once they exceed the limit."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self._bytes = limits, 0

    def checked(self, artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
        """Yield artifacts as they are made; raise at the one that exceeds the limit."""
        for artifact in artifacts:
            self._bytes += len(artifact.data)
            self._limits.check_output(self._bytes)
            yield artifact


def transform_values(length: int, smooth: int) -> int:
    """Number of values that the transform of one line holds: usually ``smooth`` per sample.

    Lengths with a large prime factor are transformed as convolutions (Bluestein's algorithm),
    whose lines are more than twice as long.
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


def decoding_memory(header: Header, colours: int) -> float:
    """Peak bytes per pixel while decoding: the result and the decoder's own buffers.

    ``colours`` are the bytes per pixel of the result.
    """
    if header.format == "png":
        # Inflated rows, passed on to Pillow, which stores three channels in four bytes.
        composed = 3 * colours if header.frame > 1 else 0
        return 3 * colours + 4 * (header.channels > 1) + composed
    if header.scaled:  # the stored samples, a copy of them, and the levels
        return colours + 2 * header.channels * header.depth / 8 + 8
    # A PNM may be text, of which a copy is made, and numbers of 8 bytes for each 2 characters.
    text = 5 * header.file_bytes / (header.width * header.height)
    gif = 16 if header.frame > 1 else 4  # frames are composed in four channels
    spare = {"webp": 12, "gif": gif, "avif": 8, "pnm": text}
    return 2 * colours + 12 + spare.get(header.format, 0)
