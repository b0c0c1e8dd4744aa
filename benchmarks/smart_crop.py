"""Smart crop beside libvips' ``smartcrop``: how much of the subjects of photographs it holds."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from admission import NOT_INSTALLED
from contenders import installed
from numpy.typing import NDArray
from plan import Plan
from table import Goal, Row, Section

from fft_tool.image.saliency import salient_box

sys.path.append(str(Path(__file__).parents[1]))

from tests.support.subjects import SUBJECTS, Cropper, score

Image = NDArray[np.uint8]


def smart_crop(plan: Plan) -> Section:
    """How much of what people look at the crops hold."""
    names = tuple(SUBJECTS)[: plan.photographs]
    ours = _mean(names, _ours)
    peers: dict[str, Cropper] = {"a crop from the centre": _centre}
    if installed("pyvips"):
        peers |= {f"libvips, {kind}": _vips(kind) for kind in ("attention", "entropy")}
    rows = [_row(ours, name, f"{_mean(names, crop):.3f}") for name, crop in peers.items()]
    if not installed("pyvips"):
        rows.append(Row("held", f"{ours:.3f}", "libvips", NOT_INSTALLED, goal=_GOAL))
    return Section(
        "Smart crop",
        f"Share of the subject that crops of four sizes hold, over the most that is possible, mean "
        f"of {len(names)} photographs that scikit-image ships, each also mirrored both ways, "
        "transposed and at half the size. The subjects were boxed by hand, see "
        "`tests/support/subjects.py`.",
        tuple(rows),
    )


_GOAL = Goal(">", 1)


def _row(ours: float, peer: str, its: str) -> Row:
    return Row("held", f"{ours:.3f}", peer, its, ours / float(its), "× as much", _GOAL)


def _mean(names: tuple[str, ...], crop: Cropper) -> float:
    return fmean(score(name, crop, variants=True) for name in names)


def _ours(image: Image, width: int, height: int) -> tuple[int, int]:
    return salient_box(image, width, height)[:2]


def _centre(image: Image, width: int, height: int) -> tuple[int, int]:
    return (image.shape[1] - width) // 2, (image.shape[0] - height) // 2


def _vips(kind: str) -> Cropper:
    pyvips: Any = import_module("pyvips")

    def crop(image: Image, width: int, height: int) -> tuple[int, int]:
        colours: Any = pyvips.Image.new_from_array(np.ascontiguousarray(image))
        colours = colours.copy(interpretation="srgb" if image.ndim == 3 else "b-w")
        cropped = colours.smartcrop(width, height, interesting=kind)
        return -cropped.xoffset, -cropped.yoffset

    return crop
