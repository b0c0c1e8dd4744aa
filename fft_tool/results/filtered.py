"""The filtered image: every colour channel filtered for itself, at the source's depth.

A filtered channel may have values below black or above white, most of all after a high-pass, which
leaves as much below the mean as above it. They are clipped, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fft_tool.arrays import FloatArray, Pixels, Plane
from fft_tool.image.selection import Selection
from fft_tool.recipe import Recipe
from fft_tool.results.values import Remark
from fft_tool.spectrum.filtering import filter_rows, ready
from fft_tool.spectrum.filters import Applicable
from fft_tool.validate import Json

_WORTH_TELLING = 1e-3  # share of clipped samples from which it is said at the door


@dataclass(frozen=True, slots=True)
class Filtered:
    """A filtered image: ``pixels``, (h, w) or (h, w, channels), and what became of its samples.

    ``channels`` were filtered, ``offsets`` grey levels were added to each. ``samples`` are all that
    were filtered, ``black`` and ``white`` those that were clipped there.
    """

    pixels: Pixels
    channels: tuple[str, ...]
    offsets: tuple[float, ...]
    samples: int
    black: int
    white: int

    def to_json(self) -> Json:
        """Plain values for the record."""
        return {
            "channels": list(self.channels),
            "offsets": list(self.offsets),
            "samples": self.samples,
            "clipped": {"black": self.black, "white": self.white},
        }

    def remarks(self) -> tuple[Remark, ...]:
        """What the person who asked for the image should know."""
        share = (self.black + self.white) / self.samples
        if share < _WORTH_TELLING:
            return ()
        text = (
            f"{100 * share:.1f} % of the filtered samples are clipped, "
            f"{self.black:,} at black and {self.white:,} at white"
        )
        moved = any(self.offsets)
        return (Remark(text) if moved else Remark(text, "offset", "mid", "keeps more of them"),)


def filtered_image(selection: Selection, recipe: Recipe, *, threads: int = 1) -> Filtered:
    """Filter what is selected.

    Of a colour image with ``channel=luma``, the default, every colour channel is filtered and alpha
    kept; with any other channel, only that one, which gives a grey image.
    """
    names, whole = selection.names, selection.channels
    filters = ready(recipe.filter or (), (whole.shape[0], whole.shape[1]))  # once for all channels
    if recipe.channel != "luma" or len(names) == 1:
        pixels, offset, clipped = filtered_plane(
            selection.plane, selection.white, filters, recipe, threads
        )
        name: str = "grey" if len(names) == 1 else recipe.channel
        return Filtered(pixels, (name,), (offset,), pixels.size, *clipped)
    pixels = whole.copy()
    colours = tuple(name for name in names if name != "alpha")
    offsets, counts = [], []
    for index, name in enumerate(names):
        if name in colours:
            plane = np.ascontiguousarray(whole[:, :, index])
            pixels[:, :, index], offset, clipped = filtered_plane(
                plane, selection.white, filters, recipe, threads
            )
            offsets.append(offset)
            counts.append(clipped)
    black, white = (sum(sides) for sides in zip(*counts, strict=True))
    samples = len(colours) * selection.plane.size
    return Filtered(pixels, colours, tuple(offsets), samples, black, white)


def filtered_plane(
    plane: Plane, white: int, filters: tuple[Applicable, ...], recipe: Recipe, threads: int
) -> tuple[Plane, float, tuple[int, int]]:
    """Filter one plane (h, w) with levels from 0 to ``white``, and offset it as the recipe says.

    Returns the plane, what was added to it, and how many samples are clipped at either end.
    """
    offset = float(white / 2 - _mean(plane) if recipe.offset == "mid" else recipe.offset)
    filtered = np.empty_like(plane)

    def place(start: int, levels: FloatArray) -> tuple[int, int]:
        rounded = np.rint(levels + levels.dtype.type(offset))
        clipped = int((rounded < 0).sum()), int((rounded > white).sum())
        filtered[start : start + rounded.shape[0]] = np.clip(rounded, 0, white)
        return clipped

    counts = filter_rows(plane, filters, place, precision=recipe.precision, threads=threads)
    black, top = (sum(sides) for sides in zip(*counts, strict=True))
    return filtered, offset, (black, top)


def _mean(plane: Plane) -> float:
    """Mean of a plane, which no filter changes; exact in any order."""
    return int(plane.sum(dtype=np.uint64)) / plane.size
