"""Selection: the region of an image that is analysed, and its grey plane."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fft_tool.arrays import Pixels, Plane
from fft_tool.codec.header import Header
from fft_tool.codec.raster import Raster
from fft_tool.codec.values import ValueScale
from fft_tool.image.grey import COLOURS, grey_plane
from fft_tool.image.region import Box, Crop, analysed_size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Selection:
    """The region to analyse: its channels (h, w, channels) and its grey plane (h, w).

    ``names`` are the names of the channels, ``white`` is the largest value that they can hold,
    ``box`` is the position of the region, and ``method`` says how it was chosen. ``values`` says
    which values the levels stand for, if they were scaled.
    """

    header: Header
    names: tuple[str, ...]
    white: int
    box: Box
    method: str
    channels: Pixels
    plane: Plane
    values: ValueScale | None = None


def select(
    raster: Raster,
    *,
    crop: Crop | None = None,
    smart_crop: tuple[int, int] | None = None,
    channel: str = "luma",
    background: tuple[int, int, int] = (255, 255, 255),
    threads: int = 1,
) -> Selection:
    """Crop an image and reduce it to one grey plane.

    ``crop`` is a region; ``smart_crop`` is the width and height of the most salient region, which
    is found by the colours unless ``channel`` names one of them. ``channel`` is the channel to use
    as grey; transparent pixels are composited over ``background``.
    """
    height, width = raster.pixels.shape[:2]

    def plane_of(pixels: Pixels, channel: str) -> Plane:
        return grey_plane(
            pixels,
            raster.names,
            white=raster.white,
            channel=channel,
            background=background,
            threads=threads,
        )

    if smart_crop:
        from fft_tool.image.saliency import salient_box_of  # noqa: PLC0415  (few recipes need it)

        size = analysed_size(None, smart_crop, width, height)
        planes = (plane_of(raster.pixels, name) for name in seen_channels(raster, channel))
        box, method = Box(*salient_box_of(planes, (height, width), *size)), "phase spectrum"
    elif crop:
        box, method = crop.resolve(width, height), "given"
    else:
        box, method = Box(0, 0, width, height), "whole"
    channels = raster.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    plane = plane_of(channels, channel)
    return Selection(
        raster.header,
        raster.names,
        raster.white,
        box,
        method,
        channels,
        plane,
        values=raster.values,
    )


def saliency_of(raster: Raster, *, threads: int = 1) -> NDArray[np.float32]:
    """Saliency map in which :func:`select` finds the most salient region of the whole image.

    See :func:`fft_tool.image.saliency.saliency_map`; what is transparent is put on white.
    """
    from fft_tool.image.saliency import saliency_map_of  # noqa: PLC0415  (few recipes need it)

    planes = (
        grey_plane(raster.pixels, raster.names, white=raster.white, channel=name, threads=threads)
        for name in seen_channels(raster, "luma")
    )
    return saliency_map_of(planes, raster.pixels.shape[:2])


def seen_channels(raster: Raster, channel: str) -> tuple[str, ...]:
    """Channels in which the most salient region is looked for, if ``channel`` is the grey one."""
    return COLOURS if channel == "luma" and set(COLOURS) <= set(raster.names) else (channel,)
