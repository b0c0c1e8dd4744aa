"""From image bytes to a crop for display: a given region, or the one that stands out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from fft_tool.admission import decoding_memory
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.image.region import Box
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.results.outputs import Source

_ENCODING = 8 << 20  # bytes that the encoder takes beside the pixels, and the file itself
_PICTURED = 384  # pixels of the longer side of a picture of saliency, which has 128 cells at most
_COLOUR = (255, 90, 31)  # of that picture


@dataclass(frozen=True, slots=True)
class AtMost:
    """The size in pixels of a region that is to be found.

    >>> AtMost(800, 400).within(600, 600)
    (600, 300)
    """

    width: int
    height: int

    def within(self, width: int, height: int) -> tuple[int, int]:
        """The largest size of the same aspect that fits into an image, and is not larger."""
        share = min(Fraction(1), Fraction(width, self.width), Fraction(height, self.height))
        return max(1, round(self.width * share)), max(1, round(self.height * share))


@dataclass(frozen=True, slots=True)
class Cropped:
    """A crop as JPEG, and where it is in the image, upright, in pixels."""

    box: Box
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Salient:
    """The most salient region of an image, and a picture of its saliency.

    ``picture`` is a PNG of the aspect of the upright image, to be laid over it: one colour, whose
    opacity is the saliency.
    """

    box: Box
    picture: bytes = field(repr=False)


def crop(
    source: Source,
    region: Box | AtMost,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: Callable[[Header], None] = lambda _: None,
) -> Cropped:
    """Cut a region out of an image, the first frame if there are several, and encode it as JPEG.

    >>> import numpy as np
    >>> grey = np.zeros((64, 96), np.uint8)
    >>> grey[20:28, 40:48] = 200
    >>> source = Source("a.png", image_file.encode_image(grey, 255))
    >>> crop(source, Box(8, 4, 32, 16)).box
    Box(x=8, y=4, width=32, height=16)
    >>> box = crop(source, AtMost(24, 16)).box
    >>> box.x <= 40 < 48 <= box.x + box.width, box.y <= 20 < 28 <= box.y + box.height
    (True, True)

    The image is turned upright first; a :class:`~fft_tool.image.region.Box` is in pixels of the
    upright image, and has to lie within it. Of a size (:class:`AtMost`), the most salient region is
    taken, as :func:`fft_tool.image.saliency.salient_box` finds it; an image that is smaller gives
    the largest region of the same aspect. Nothing is enlarged. Colours are converted to sRGB if the
    file has a profile, what is transparent is put on white, and no metadata of the source is
    carried over.

    The same arguments give the same bytes. Raises the permanent errors of
    :mod:`fft_tool.errors`.
    """
    import numpy as np  # noqa: PLC0415  (whoever only names a region does not need it)

    from fft_tool.codec.picture_encode import encode  # noqa: PLC0415  (as above)
    from fft_tool.codec.profile import to_srgb  # noqa: PLC0415  (as above)
    from fft_tool.codec.raster import Raster  # noqa: PLC0415  (as above)
    from fft_tool.image.renditions import to_eight_bits  # noqa: PLC0415  (as above)
    from fft_tool.image.selection import select  # noqa: PLC0415  (as above)

    limits = limits or Limits()
    image = image_file.open_image(source.data, limits)
    header = image.header
    height, width = header.shape
    if isinstance(region, Box):
        box, size = region.resolve(width, height), None
    else:
        box, size = None, region.within(width, height)
    limits.check_memory(memory_needed(header, size or (region.width, region.height)))
    on_header(header)
    pixels = to_eight_bits(image.decode(shown=True), threads=threads)
    raster = Raster(pixels, 255, header)
    selection = select(raster, crop=box, smart_crop=size, threads=threads)
    picture = to_srgb(selection.channels.astype(np.uint8, copy=False), header.profile)
    made = Cropped(selection.box, encode(picture, "jpeg"))
    limits.check_output(len(made.data), "the crop", "choose a smaller region")
    return made


def find_salient(
    source: Source,
    size: AtMost,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: Callable[[Header], None] = lambda _: None,
) -> Salient:
    """Find the region that :func:`crop` takes for a ``size``, and picture why.

    >>> import numpy as np
    >>> grey = np.zeros((64, 96), np.uint8)
    >>> grey[20:28, 40:48] = 200
    >>> source = Source("a.png", image_file.encode_image(grey, 255))
    >>> found = find_salient(source, AtMost(24, 16))
    >>> found.box == crop(source, AtMost(24, 16)).box
    True

    Raises the permanent errors of :mod:`fft_tool.errors`.
    """
    import numpy as np  # noqa: PLC0415  (whoever only names a region does not need it)

    from fft_tool.codec.picture_encode import encode  # noqa: PLC0415  (as above)
    from fft_tool.codec.raster import Raster  # noqa: PLC0415  (as above)
    from fft_tool.image.renditions import to_eight_bits  # noqa: PLC0415  (as above)
    from fft_tool.image.saliency import box_of_map, spread  # noqa: PLC0415  (as above)
    from fft_tool.image.selection import saliency_of  # noqa: PLC0415  (as above)

    limits = limits or Limits()
    image = image_file.open_image(source.data, limits)
    header = image.header
    height, width = header.shape
    limits.check_memory(memory_needed(header, (_PICTURED, _PICTURED)))
    on_header(header)
    pixels = to_eight_bits(image.decode(shown=True), threads=threads)
    saliency = saliency_of(Raster(pixels, 255, header), threads=threads)
    box = Box(*box_of_map(saliency, header.shape, *size.within(width, height)))
    opacity = np.rint(255 * spread(saliency, header.shape, _PICTURED)).astype(np.uint8)
    colours = np.broadcast_to(np.array(_COLOUR, np.uint8), (*opacity.shape, 3))
    return Salient(box, encode(np.dstack([colours, opacity]), "png"))


def memory_needed(header: Header, size: tuple[int, int]) -> int:
    """Conservative estimate of the peak memory of :func:`crop` in bytes, including the source."""
    height, width = header.shape
    colours = header.channels * header.level_bytes
    # Pixels as decoded, with 8 bits, and one plane of them.
    peak = max(decoding_memory(header, colours), colours + header.channels + 1)
    picture = 24 * size[0] * size[1]  # in sRGB, on white, and as it is encoded
    return FIXED_MEMORY + _ENCODING + header.file_bytes + round(height * width * peak) + picture
