"""Images that have just arrived, before they are decoded."""

from __future__ import annotations

from pathlib import Path

from fft_tool.codec.sniffing import sniff
from fft_tool.errors import EmptyImage
from fft_tool.limits import Limits

_SNIFFED = 4096  # bytes that tell the format


def format_of(path: Path, limits: Limits) -> str:
    """Format of the image in a file, by its first bytes: one that is accepted.

    Raises :class:`~fft_tool.errors.UnknownFormat`, :class:`~fft_tool.errors.EmptyImage` or
    :class:`~fft_tool.errors.TooManyBytes`.
    """
    with path.open("rb") as file:
        beginning = file.read(_SNIFFED)
    if not beginning:
        raise EmptyImage("the file is empty")
    limits.check_bytes(path.stat().st_size)
    image_format = sniff(beginning)
    limits.check_format(image_format)
    return image_format
