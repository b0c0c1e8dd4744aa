"""The subject of an analysis: which pixels of the source, and the grey plane made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fft_tool import codec
from fft_tool.crop import Box
from fft_tool.errors import Fault, RecipeError
from fft_tool.grey import grey_plane
from fft_tool.header import Header
from fft_tool.limits import Limits
from fft_tool.memory import memory_needed
from fft_tool.output_size import analysed_size, output_size
from fft_tool.outputs import Source
from fft_tool.raster import Raster
from fft_tool.recipe import Recipe

Plane = NDArray[np.unsignedinteger[Any]]
OnHeader = Callable[[Header], None]


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
    source: Source,
    recipe: Recipe,
    limits: Limits | None = None,
    *,
    kinds: Sequence[str] = (),
    threads: int = 1,
    on_header: OnHeader = lambda _: None,
) -> Subject:
    """Check, decode, crop, and reduce to one grey plane.

    ``kinds`` are those of the artifacts that will be made, whose size is checked too.
    ``on_header`` is told what the source is, before it is decoded.
    """
    limits = limits or Limits()
    image = codec.open_image(source.data, limits)
    check_header(image.header, source.name, recipe, limits, kinds)
    on_header(image.header)
    return choose_subject(image.decode(), recipe, threads=threads)


def check_header(
    header: Header, name: str, recipe: Recipe, limits: Limits, kinds: Sequence[str]
) -> None:
    """Refuse what would take too much memory, or leave too much behind: nothing is decoded yet."""
    limits.check_memory(memory_needed(header, recipe))
    limits.check_output(output_size(header, recipe, kinds, name=name))


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

        size = analysed_size(recipe, width, height)
        box, method = Box(*salient_box(plane_of(raster.pixels), *size)), "spectral residual"
    elif recipe.crop:
        box, method = recipe.crop.within(width, height), "given"
    else:
        box, method = Box(0, 0, width, height), "whole"
    channels = raster.pixels[box.y : box.y + box.height, box.x : box.x + box.width]
    plane = plane_of(channels)
    return Subject(raster.header, raster.names, raster.white, box, method, channels, plane)
