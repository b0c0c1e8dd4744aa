"""From the bytes of two images to everything that says how much they are alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fft_tool.admission import decoding_memory
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.image.presets import Preset
from fft_tool.image.region import analysed_size
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.recipe import Recipe
from fft_tool.results.likeness import Comparison, Displacement, Likeness, Rings
from fft_tool.results.outputs import Source

if TYPE_CHECKING:
    from fft_tool.arrays import Pixels, Plane
    from fft_tool.codec.raster import Raster
    from fft_tool.image.matching import Pair
    from fft_tool.image.selection import Selection
    from fft_tool.measures.perceptual_hash import PerceptualHash

OnHeader = Callable[[Header], None]

_WORKING = 16  # bytes per pixel: two half spectra and a correlation surface in single precision
_SHOWING = 14  # bytes per pixel of an image that is made smaller for display


def compare_sources(
    first: Source,
    second: Source,
    recipe: Recipe | None = None,
    limits: Limits | None = None,
    *,
    fit: bool = False,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Comparison:
    """Compare the grey planes of two images.

    >>> import numpy as np
    >>> data = [image_file.encode_image(np.eye(32, dtype=np.uint8) * k, 255) for k in (255, 250)]
    >>> found = compare_sources(Source("a.png", data[0]), Source("b.png", data[1]))
    >>> round(found.likeness.psnr_db, 1), found.likeness.hash_distance, found.shift.right
    (49.2, 0, 0.0)

    ``recipe`` chooses region, channel, background, frame and range of both. Images that differ in
    depth are compared at the higher one. Those that differ in size raise
    :class:`~fft_tool.errors.DifferentSizes`, unless they are to ``fit``: see
    :func:`fft_tool.image.matching.match`. Raises the permanent errors of :mod:`fft_tool.errors`.
    """
    pair = _read_pair(first, second, recipe, limits, fit=fit, threads=threads, on_header=on_header)
    return compare_pair(pair, threads=threads)


def picture_difference(
    first: Source,
    second: Source,
    recipe: Recipe | None = None,
    limits: Limits | None = None,
    *,
    fit: bool = False,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> bytes:
    """Absolute differences of two grey planes as PNG: the largest one is white, equality black.

    The arguments are those of :func:`compare_sources`, and so are the errors.
    """
    pair = _read_pair(first, second, recipe, limits, fit=fit, threads=threads, on_header=on_header)
    return difference_of_pair(pair, threads=threads)


def difference_of_pair(pair: Pair, *, threads: int = 1) -> bytes:
    """:func:`picture_difference` of two planes."""
    import numpy as np  # noqa: PLC0415  (loads numpy)

    from fft_tool.codec import png_encode  # noqa: PLC0415  (as above)

    low, high = np.minimum(pair.first, pair.second), np.maximum(pair.first, pair.second)
    high -= low
    levels = high * (255 / max(1, int(high.max())))
    return png_encode.encode(np.rint(levels).astype(np.uint8), threads=threads)


def _read_pair(
    first: Source,
    second: Source,
    recipe: Recipe | None,
    limits: Limits | None,
    *,
    fit: bool,
    threads: int,
    on_header: OnHeader,
) -> Pair:
    from fft_tool.image.matching import match  # noqa: PLC0415  (loads numpy)

    one, other = (
        read_plane(source, recipe, limits, threads=threads, on_header=on_header)
        for source in (first, second)
    )
    return match(one.plane, other.plane, (one.white, other.white), fit=fit, threads=threads)


def read_plane(
    source: Source,
    recipe: Recipe | None = None,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Selection:
    """Decode one of two images, whose grey plane is to be compared.

    The memory limit is checked as if the other one was of the same size.
    """
    from fft_tool.image.selection import select  # noqa: PLC0415  (loads numpy)

    recipe, limits = recipe or Recipe(), limits or Limits()
    image = image_file.open_image(
        source.data, limits, frame=recipe.frame or 1, value_range=recipe.range
    )
    height, width = image.header.shape
    analysed_size(recipe.crop, recipe.smart_crop, width, height)
    limits.check_memory(memory_needed(image.header))
    on_header(image.header)
    return select(
        image.decode(),
        crop=recipe.crop,
        smart_crop=recipe.smart_crop,
        channel=recipe.channel,
        background=recipe.background,
        threads=threads,
    )


def compare_pair(pair: Pair, *, threads: int = 1) -> Comparison:
    """Everything about two planes: how alike their pixels are, shift, and ring correlation."""
    from fft_tool.measures.ring_correlation import THRESHOLDS, ring_correlation  # noqa: PLC0415  (loads numpy)
    from fft_tool.measures.shift import find_shift  # noqa: PLC0415  (as above)

    shift = find_shift(pair.first, pair.second, threads=threads)
    curve = ring_correlation(pair.first, pair.second, threads=threads)
    rings = Rings(
        tuple(curve.frequency.tolist()),
        tuple(curve.correlation.tolist()),
        tuple(curve.threshold("half-bit").tolist()),
        {name: curve.resolution(name) for name in THRESHOLDS},
    )
    displacement = (
        None if shift is None else Displacement(shift.right, shift.down, shift.peak, shift.reliable)
    )
    return Comparison(_likeness(pair, threads), displacement, rings)


def compare_renditions(
    first: Source,
    second: Source,
    presets: Sequence[Preset],
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> tuple[Comparison, Mapping[str, Likeness]]:
    """Compare two images as they are shown: whole, and in the size of each preset, by its name.

    >>> import numpy as np
    >>> images = [np.tile(np.arange(width, dtype=np.uint8), (90, 1)) for width in (120, 100)]
    >>> sources = [Source("a.png", image_file.encode_image(each, 255)) for each in images]
    >>> whole, by_preset = compare_renditions(*sources, [Preset("thumb", 60, 60)])
    >>> whole.likeness.width, by_preset["thumb"].width, by_preset["thumb"].fitted
    (100, 60, True)

    Renditions are those of :func:`fft_tool.rendering.render`, before they are encoded. Where the
    aspects differ, so do their sizes: then both are scaled down to a common one, as with ``fit`` in
    :func:`compare_sources`.
    """
    from fft_tool.image.matching import match  # noqa: PLC0415  (loads numpy)

    limits = limits or Limits()
    images = [image_file.open_image(source.data, limits) for source in (first, second)]
    for image in images:
        limits.check_memory(memory_needed(image.header))
    wholes: list[Plane] = []
    shown: list[Sequence[Plane]] = []
    whites: list[int] = []
    for image in images:
        on_header(image.header)
        raster = image.decode(shown=True)
        wholes.append(_grey(raster.pixels, raster.white, threads))
        whites.append(raster.white)
        shown.append(tuple(_renditions(raster, presets, threads)))
    found = {}
    for preset, one, other in zip(presets, *shown, strict=True):
        pair = match(one, other, (255, 255), fit=True, threads=threads)
        found[preset.name] = _likeness(pair, threads)
    pair = match(wholes[0], wholes[1], (whites[0], whites[1]), fit=True, threads=threads)
    del wholes
    return compare_pair(pair, threads=threads), found


def _renditions(raster: Raster, presets: Sequence[Preset], threads: int) -> Iterator[Plane]:
    """Grey planes of the renditions of an image, of 8 bits."""
    from fft_tool.codec.profile import to_srgb  # noqa: PLC0415  (loads numpy)
    from fft_tool.image.renditions import scaled_down, to_eight_bits  # noqa: PLC0415  (as above)

    pixels = to_eight_bits(raster, threads=threads)
    height, width = pixels.shape[:2]
    for preset in presets:
        picture = scaled_down(pixels, preset.size_of(width, height))
        yield _grey(to_srgb(picture, raster.header.profile), 255, threads)


def _grey(pixels: Pixels, white: int, threads: int) -> Plane:
    """Luma of pixels (h, w, channels), what is transparent on white."""
    from fft_tool.codec.raster import CHANNEL_NAMES  # noqa: PLC0415  (loads numpy)
    from fft_tool.image.grey import grey_plane  # noqa: PLC0415  (as above)

    return grey_plane(pixels, CHANNEL_NAMES[pixels.shape[2]], white=white, threads=threads)


def _hashes(pair: Pair) -> tuple[PerceptualHash, PerceptualHash]:
    from fft_tool.measures.perceptual_hash import perceptual_hash  # noqa: PLC0415  (loads numpy)

    first, second = (perceptual_hash(each, white=pair.white) for each in (pair.first, pair.second))
    return first, second


def _likeness(pair: Pair, threads: int) -> Likeness:
    from fft_tool.image.comparison import compare  # noqa: PLC0415  (loads numpy)

    found = compare(pair.first, pair.second, data_range=pair.white, threads=threads)
    first, second = _hashes(pair)
    height, width = pair.first.shape
    identical = found.max_difference == 0
    return Likeness(
        width=width,
        height=height,
        fitted=pair.fitted,
        white=pair.white,
        identical=identical,
        psnr_db=None if identical else found.psnr,
        ssim=found.ssim,
        mean_difference=found.mean_difference,
        max_difference=found.max_difference,
        correlation=found.correlation,
        hashes=(str(first), str(second)),
        hash_distance=first.distance(second),
    )


def memory_needed(header: Header) -> int:
    """Conservative estimate of the peak memory of a comparison in bytes, both files included.

    It is that of two such images, whose planes are kept while one is decoded at a time.
    """
    colours = header.channels * header.level_bytes
    decoding = max(decoding_memory(header, colours), colours + _SHOWING)
    planes = 2 * 2  # brought to 16 bits
    peak = max(header.level_bytes + decoding, planes + _WORKING)
    return FIXED_MEMORY + 2 * header.file_bytes + round(header.height * header.width * peak)
