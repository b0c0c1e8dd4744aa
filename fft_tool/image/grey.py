"""Conversion of channels to the grey plane that is analysed, at the source's own depth.

Luma is ITU-R BT.601, ``0.299 R + 0.587 G + 0.114 B``, in 16-bit fixed point and rounded to whole
grey levels, so that bit-for-bit reconstruction is well defined. Transparent pixels are first
composited over the background. Values are used as stored, without gamma or colour profile.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fft_tool.arrays import Pixels
from fft_tool.errors import RecipeError, RecipeFault
from fft_tool.parallel import map_rows, rows_per_block

LUMA_WEIGHTS = (19595, 38470, 7471)  # of 65536
COLOURS = ("red", "green", "blue")


def grey_plane(
    pixels: Pixels,
    names: tuple[str, ...],
    *,
    white: int,
    channel: str = "luma",
    background: tuple[int, int, int] = (255, 255, 255),
    threads: int = 1,
) -> Pixels:
    """Reduce ``pixels`` (h, w, channels), with channels called ``names``, to one plane (h, w).

    ``background`` is an 8-bit colour. The alpha channel itself is returned unchanged.
    """
    if channel == "alpha" and "alpha" in names:
        return pixels[:, :, names.index("alpha")]
    colours = [name for name in names if name != "alpha"]
    if channel != "luma" and channel not in colours:
        have = ", ".join(names)
        raise RecipeError([RecipeFault("channel", channel, f"should be luma or one of: {have}")])
    wanted = colours if channel == "luma" else [channel]
    if names == ("grey",):
        return pixels[:, :, 0]

    height, width = pixels.shape[:2]
    plane = np.empty((height, width), pixels.dtype)
    levels = _background_levels(background, wanted, white)

    def reduce(start: int, stop: int) -> None:
        rows = pixels[start:stop]
        parts = [rows[:, :, names.index(name)].astype(np.uint32) for name in wanted]
        if "alpha" in names:
            alpha = rows[:, :, -1].astype(np.uint32)
            parts = [
                _over(part, alpha, level, white) for part, level in zip(parts, levels, strict=True)
            ]
        plane[start:stop] = _luma(*parts) if len(parts) == 3 else parts[0]

    map_rows(reduce, height, rows_per_block(4 * width * len(names)), threads=threads)
    return plane


def _over(
    colour: NDArray[np.uint32], alpha: NDArray[np.uint32], level: int, white: int
) -> NDArray[np.uint32]:
    """Composite ``colour`` over ``level`` by ``alpha``, rounded. 16-bit sums just fit."""
    colour *= alpha
    colour += level * (white - alpha) + white // 2
    colour //= white
    return colour


def _luma(
    red: NDArray[np.uint32], green: NDArray[np.uint32], blue: NDArray[np.uint32]
) -> NDArray[np.uint32]:
    """Weighted sum of the channels, rounded. The weights add up to 65536: 16-bit sums just fit."""
    red *= LUMA_WEIGHTS[0]
    green *= LUMA_WEIGHTS[1]
    blue *= LUMA_WEIGHTS[2]
    red += green
    red += blue
    red += 1 << 15
    red >>= 16
    return red


def _background_levels(
    background: tuple[int, int, int], wanted: list[str], white: int
) -> list[int]:
    """Background level of each wanted channel, 0 … ``white``; for a grey source, its luma."""
    scaled = [(level * white + 127) // 255 for level in background]
    if wanted == ["grey"]:
        weighted = sum(w * level for w, level in zip(LUMA_WEIGHTS, scaled, strict=True))
        return [(weighted + (1 << 15)) >> 16]
    return [scaled[COLOURS.index(name)] for name in wanted]
