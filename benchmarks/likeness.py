"""How much two images are alike, beside scikit-image, imagehash and plain numpy, on one core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
from admission import Candidate, refused
from contenders import OURS, installed
from images import pink
from measure import race
from numpy.typing import NDArray
from PIL import Image
from plan import Plan
from reference import WrongResult
from rows import shape_text, speed_row
from table import Goal, Row, Section

import fft_tool as ft
from fft_tool.image.comparison import psnr
from fft_tool.image.structure import structural_similarity

Plane = NDArray[np.uint8]
Numbers = Sequence[float] | NDArray[Any]

WHITE = 255
SHIFT = 7, -12  # rows and columns by which the second image is shifted, for the measure of that
GOAL = Goal("≥", 1)


@dataclass(frozen=True, slots=True)
class Measure:
    """Our measure of two images, and a peer's, which needs a ``module``.

    They are equal within ``error``. ``moved`` says that the second image is to be shifted.
    """

    name: str
    peer: str
    module: str
    ours: Callable[[Plane, Plane], Numbers]
    its: Callable[[Plane, Plane], Numbers]
    error: float
    moved: bool = False


def likeness(plan: Plan) -> Section:
    """Measures of two images, each beside what computes the same."""
    with _one_core():
        rows = [_row(each, side, plan) for side in plan.compared_sides for each in MEASURES]
    return Section(
        "Comparing two images",
        "8-bit grey, in process, on one core. Results are equal: PSNR, SSIM (7 × 7 windows) and "
        "ring correlation to five digits, the hash to the bit, and the shift, which scikit-image "
        "looks for in steps of 1/100 pixel, to 1/50 pixel. The shift is measured without a window, "
        "as scikit-image has none; the ring correlation with Hann's, beside plain numpy with "
        "`rfft2` and `bincount`. Nearly all the time of a hash is Pillow's resampling, which both "
        "use.",
        tuple(rows),
    )


def _row(measure: Measure, side: int, plan: Plan) -> Row:
    first, second = _pair(side)
    if measure.moved:
        second = np.roll(first, SHIFT, axis=(0, 1))
    ours, its = partial(measure.ours, first, second), partial(measure.its, first, second)

    def check() -> None:
        if not np.allclose(ours(), its(), rtol=0, atol=measure.error):
            raise WrongResult(f"{measure.name} is not that of {measure.peer}")

    absent = refused([Candidate(measure.peer, installed(measure.module), check)])
    calls = {OURS: ours} if absent else {OURS: ours, measure.peer: its}
    times = race(calls, plan.effort)
    what = f"{measure.name}, {shape_text(side, side)}"
    figure = absent.get(measure.peer) or times[measure.peer]
    return speed_row(what, times[OURS], measure.peer, figure, GOAL)


def _pair(side: int) -> tuple[Plane, Plane]:
    """An image, and the same with noise."""
    first = pink(side)
    noise = np.random.default_rng(1).normal(scale=12, size=first.shape)
    return first, np.rint(first + noise).clip(0, WHITE).astype(np.uint8)


@contextmanager
def _one_core() -> Iterator[None]:
    """Keep this process, and whatever threads libraries start, on one core."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


# Ours.


def _psnr(first: Plane, second: Plane) -> Numbers:
    return [psnr(first, second, white=WHITE) or 0.0]


def _ssim(first: Plane, second: Plane) -> Numbers:
    return [structural_similarity(first, second, span=WHITE) or 0.0]


def _hash(first: Plane, second: Plane) -> Numbers:
    hashes = ft.perceptual_hash(first), ft.perceptual_hash(second)
    return [bit for each in hashes for bit in map(int, f"{each.bits:064b}")]


def _shift(first: Plane, second: Plane) -> Numbers:
    found = ft.find_shift(first, second, window="none")
    return [found.down, found.right] if found else []


def _rings(first: Plane, second: Plane) -> Numbers:
    return ft.ring_correlation(first, second).correlation[:-1]


# Theirs.


def _skimage_psnr(first: Plane, second: Plane) -> Numbers:
    metrics: Any = import_module("skimage.metrics")
    return [metrics.peak_signal_noise_ratio(first, second, data_range=WHITE)]


def _skimage_ssim(first: Plane, second: Plane) -> Numbers:
    metrics: Any = import_module("skimage.metrics")
    return [metrics.structural_similarity(first, second, data_range=WHITE)]


def _imagehash(first: Plane, second: Plane) -> Numbers:
    phash: Any = import_module("imagehash").phash
    hashes = [phash(Image.fromarray(plane)).hash.ravel() for plane in (first, second)]
    return np.concatenate(hashes).astype(int)


def _skimage_shift(first: Plane, second: Plane) -> Numbers:
    registration: Any = import_module("skimage.registration")
    back, _, _ = registration.phase_cross_correlation(first, second, upsample_factor=100)
    return [-float(each) for each in back]


def _numpy_rings(first: Plane, second: Plane) -> Numbers:
    side = first.shape[0]
    weights = np.hanning(side + 1)[:-1]
    window = np.outer(weights, weights)
    f, g = (np.fft.rfft2((plane - plane.mean()) * window) for plane in (first, second))
    radius = np.hypot(np.fft.fftfreq(side, 1 / side)[:, None], np.arange(side // 2 + 1))
    ring = np.rint(radius).astype(np.intp).ravel()
    twice = np.full((1, side // 2 + 1), 2.0)
    twice[0, [0, -1]] = 1.0
    products = (f * g.conj()).real, np.abs(f) ** 2, np.abs(g) ** 2
    cross, power, other = (np.bincount(ring, (each * twice).ravel()) for each in products)
    curve: NDArray[np.float64] = cross / np.sqrt(power * other)
    return curve[1 : side // 2]


MEASURES = (
    Measure("PSNR", "scikit-image", "skimage", _psnr, _skimage_psnr, 1e-5),
    Measure("SSIM", "scikit-image", "skimage", _ssim, _skimage_ssim, 1e-5),
    Measure("perceptual hash", "imagehash", "imagehash", _hash, _imagehash, 0),
    Measure("shift", "scikit-image", "skimage", _shift, _skimage_shift, 0.02, moved=True),
    Measure("ring correlation", "numpy", "numpy", _rings, _numpy_rings, 1e-5),
)
