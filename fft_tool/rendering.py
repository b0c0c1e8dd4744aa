"""From image bytes to renditions: copies of an image for display, in the sizes of presets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fft_tool.admission import decoding_memory
from fft_tool.codec import image_file
from fft_tool.codec.header import Header
from fft_tool.image.presets import Preset, Rendition
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.results.outputs import Source

if TYPE_CHECKING:
    from fft_tool.codec.picture_encode import Picture

DEFAULT = "default"
"""PNG or JPEG, whichever suits a picture."""

DEFAULT_FORMATS = ("png", "jpeg")
"""Formats of default renditions."""

_LOSSLESS = frozenset({"png", "gif", "bmp", "tiff", "pnm", "npy"})
_ENCODING = 8 << 20  # bytes that an encoder takes beside the pixels, and the file itself


def render(
    source: Source,
    presets: Sequence[Preset],
    picture_format: str = DEFAULT,
    limits: Limits | None = None,
    *,
    threads: int = 1,
    on_header: Callable[[Header], None] = lambda _: None,
) -> tuple[Rendition, ...]:
    """Make one rendition for each preset, all of the first frame.

    >>> import numpy as np
    >>> data = image_file.encode_image(np.zeros((300, 450), np.uint8), 255)
    >>> [made] = render(Source("a.png", data), [Preset("thumb", 100, 100)], "webp")
    >>> made.width, made.height, made.format
    (100, 67, 'webp')

    Images are turned upright, keep their aspect and their opacity, and are never enlarged. Colours
    are converted to sRGB if the file has a profile: a picture without one is taken to be sRGB, and
    looks right everywhere. ``picture_format`` is a key of
    :data:`~fft_tool.codec.picture_formats.PICTURE_FORMATS`, or :data:`DEFAULT`: PNG if the image is
    transparent anywhere, or if it was stored without loss and PNG takes no more bytes, as with
    drawings; JPEG otherwise. No metadata of the source is carried over.

    The same arguments give the same bytes. Raises the permanent errors of
    :mod:`fft_tool.errors`.
    """
    from fft_tool.codec.profile import to_srgb  # noqa: PLC0415  (loads numpy)
    from fft_tool.image.renditions import scaled_down, to_eight_bits  # noqa: PLC0415  (as above)

    limits = limits or Limits()
    image = image_file.open_image(source.data, limits)
    header = image.header
    limits.check_memory(memory_needed(header, presets))
    on_header(header)
    pixels = to_eight_bits(image.decode(shown=True), threads=threads)
    height, width = pixels.shape[:2]
    made = list[Rendition]()
    for preset in presets:
        size = preset.size_of(width, height)
        picture = to_srgb(scaled_down(pixels, size), header.profile)
        name, data = _encoded(picture, picture_format, header.format, threads)
        made.append(Rendition(preset.name, name, *size, data))
        limits.check_output(sum(len(each.data) for each in made), "the renditions")
    return tuple(made)


def memory_needed(header: Header, presets: Sequence[Preset]) -> int:
    """Conservative estimate of the peak memory of :func:`render` in bytes, including the source."""
    height, width = header.shape
    colours = header.channels * header.level_bytes
    # Pixels as decoded, with 8 bits, and in order for Pillow, which stores them twice in 4 bytes
    # if they have an opacity.
    scaling = colours + 2 * header.channels + 8
    peak = max(decoding_memory(header, colours), scaling)
    sizes = [preset.size_of(width, height) for preset in presets]
    # A picture in sRGB, and as it is encoded; and all files.
    pictures = sum(4 * w * h for w, h in sizes) + max((24 * w * h for w, h in sizes), default=0)
    return FIXED_MEMORY + _ENCODING + header.file_bytes + round(height * width * peak) + pictures


def _encoded(picture: Picture, wanted: str, stored_as: str, threads: int) -> tuple[str, bytes]:
    """Encode a picture; returns the name of the format and the bytes."""
    from fft_tool.codec.picture_encode import encode  # noqa: PLC0415  (loads numpy)

    if wanted != DEFAULT:
        return wanted, encode(picture, wanted, threads=threads)
    transparent = picture.shape[2] in (2, 4)
    if transparent:
        return "png", encode(picture, "png", threads=threads)
    photo = encode(picture, "jpeg")
    if stored_as in _LOSSLESS:
        drawing = encode(picture, "png", threads=threads)
        if len(drawing) <= len(photo):
            return "png", drawing
    return "jpeg", photo
