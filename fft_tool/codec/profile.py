"""Colour profiles (ICC): from the colours of a source to those of sRGB, as screens expect them.

Only pictures for display are converted. What is analysed are the samples as stored, so that a
profile never changes a spectrum. A profile is a program of a kind, written by whoever made the
file: one that is damaged, too large or of another colour space than the pixels is ignored, as
browsers do.
"""

from __future__ import annotations

import io
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from fft_tool.codec.header import MAX_PROFILE_BYTES

if TYPE_CHECKING:
    from fft_tool.codec.picture_encode import Picture

_SPACES = {1: "GRAY", 3: "RGB"}


def to_srgb(pixels: Picture, profile: bytes | None) -> Picture:
    """Convert pixels (h, w, channels), of 1 to 4 channels, from the colours of a profile to sRGB.

    Opacity is kept. The pixels are returned as they are if there is no profile that suits them.
    """
    from PIL import Image  # noqa: PLC0415  (only pictures for display need it)

    colours = pixels.shape[2] - (pixels.shape[2] in (2, 4))
    if profile is None or space_of(profile) != _SPACES[colours]:
        return pixels
    mode = "L" if colours == 1 else "RGB"
    plain = np.ascontiguousarray(pixels[:, :, :colours])
    image = Image.fromarray(plain[:, :, 0] if colours == 1 else plain)
    shown = _converted(image, profile, mode)
    if shown is None:
        return pixels
    # Greys stay neutral: any of the three channels will do.
    return np.concatenate([shown[:, :, :colours], pixels[:, :, colours:]], axis=2)


def cmyk_to_srgb(image: Any, profile: bytes | None) -> Picture | None:
    """Convert a Pillow image of four inks to sRGB (h, w, 3); None without a profile of inks."""
    if profile is None or image.mode != "CMYK" or space_of(profile) != "CMYK":
        return None
    return _converted(image, profile, "CMYK")


def space_of(profile: bytes) -> str:
    """Colour space of the values that a profile describes, such as RGB; empty if it is damaged."""
    usable = 128 <= len(profile) <= MAX_PROFILE_BYTES and profile[36:40] == b"acsp"
    return profile[16:20].decode("latin-1").strip() if usable else ""


def _converted(image: Any, profile: bytes, mode: str) -> Picture | None:
    from PIL import ImageCms  # noqa: PLC0415  (only pictures for display need it)

    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        converted: Picture = np.asarray(ImageCms.applyTransform(image, _transform(profile, mode)))
        return converted
    return None


@lru_cache(maxsize=2)  # the presets of one image have the same
def _transform(profile: bytes, mode: str) -> Any:
    """Return a transform to sRGB that keeps colours, and maps the darkest black to black."""
    from PIL import ImageCms  # noqa: PLC0415  (as above)

    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
