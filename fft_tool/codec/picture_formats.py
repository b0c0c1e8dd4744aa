"""Formats of pictures to be shown, as plain values: what a door needs to know without encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A format for pictures: its media type, and what its encoder is told.

    ``quality``, from 1 to 100, is the default: pictures that look the same as the original at
    arm's length. ``longest`` is the largest number of pixels that a side may have.
    """

    name: str
    content_type: str
    extension: str
    longest: int
    quality: int = 100
    alpha: bool = True
    module: str = ""
    options: dict[str, Any] = field(default_factory=dict)


PICTURE_FORMATS = {
    each.name: each
    for each in (
        PictureFormat("png", "image/png", "png", (1 << 31) - 1),
        PictureFormat(
            "jpeg",
            "image/jpeg",
            "jpg",
            65_500,
            quality=85,
            alpha=False,
            module="JpegImagePlugin",
            options={"optimize": True},
        ),
        PictureFormat("webp", "image/webp", "webp", 16_383, quality=82, module="WebPImagePlugin"),
        PictureFormat(
            "avif",
            "image/avif",
            "avif",
            65_535,
            quality=65,
            module="AvifImagePlugin",
            # Threads would not change the bytes, but they would take cores that others count on.
            options={"speed": 8, "max_threads": 1},
        ),
    )
}
"""Formats of pictures by name."""
