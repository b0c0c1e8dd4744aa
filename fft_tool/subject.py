"""The subject of an analysis: which pixels of the source, and the grey plane made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import codec
from fft_tool.crop import Box
from fft_tool.errors import CropOutside, Fault, RecipeError
from fft_tool.grey import grey_plane
from fft_tool.limits import Limits
from fft_tool.memory import memory_needed
from fft_tool.outputs import Source
from fft_tool.raster import Header, Raster
from fft_tool.recipe import Recipe

Plane = NDArray[np.unsignedinteger[Any]]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is analysed: the chosen region's channels (h, w, channels) and grey plane (h, w)."""

    header: Header
    names: tuple[str, ...]
    white: int
    box: Box
    method: str
    channels: Plane
    plane: Plane


def open_subject(
    source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
) -> Subject:
    """Check, decode, crop, and reduce to one grey plane."""
    image = codec.open_image(source.data, limits)
    (limits or Limits()).check_memory(memory_needed(image.header, recipe))
    return choose_subject(image.decode(), recipe, threads=threads)


def choose_subject(raster: Raster, recipe: Recipe, *, threads: int = 1) -> Subject:
    """Crop, and reduce to one grey plane."""
    height, width = raster.pixels.shape[:2]
    if isinstance(recipe.threshold, int) and recipe.threshold > raster.white:
        allowed = f"should be at most {raster.white}, the white of this image"
        raise RecipeError([Fault("threshold", str(recipe.threshold), allowed)])

    def plane_of(pixels: Plane) -> Plane:
        return grey_plane(
            pixels,
            raster.names,
            white=raster.white,
            channel=recipe.channel,
            background=recipe.background,
            threads=threads,
        )

    if recipe.smart_crop:
        from fft_tool.saliency import salient_box  # noqa: PLC0415  (few recipes need it)

        size = _fitting(recipe.smart_crop, width, height)
        box, method = Box(*salient_box(plane_of(raster.pixels), *size)), "spectral residual"
    elif recipe.crop:
        box, method = recipe.crop.within(width, height), "given"
    else:
        box, method = Box(0, 0, width, height), "whole"
    channels = raster.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    plane = plane_of(channels)
    return Subject(raster.header, raster.names, raster.white, box, method, channels, plane)


def _fitting(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    if size[0] > width or size[1] > height:
        raise CropOutside(
            f"the smart crop {size[0]},{size[1]} is larger than the image, "
            f"which has {width} x {height}"
        )
    return size
