"""Waves and scenes of known truth, as floating-point arrays, and how close an image is to them."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fft_tool.spectrum.half import frequencies

Canvas: TypeAlias = NDArray[np.float64]
Shape: TypeAlias = tuple[int, int]


def wave(shape: Shape, period: float, angle: float = 0.0, phase: float = 0.3) -> Canvas:
    """A cosine of ``period`` px with its wave vector at ``angle`` degrees, y up."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    turn = math.radians(angle)
    path = columns * math.cos(turn) - rows * math.sin(turn)
    return np.asarray(np.cos(2 * np.pi * path / period + phase), dtype=np.float64)


def amplitude(image: Canvas, like: Canvas) -> float:
    """Amplitude of the wave ``like`` within ``image``."""
    return float(np.sum(image * like) / np.sum(like * like))


def psnr(image: Canvas, truth: Canvas) -> float:
    """Peak signal-to-noise ratio in dB, for a white of 255."""
    return float(10 * np.log10(255**2 / np.mean(np.square(image - truth))))


def scenery(shape: Shape, seed: int = 4) -> Canvas:
    """Grey image with a 1/f amplitude spectrum, as photographs have."""
    white = np.random.default_rng(seed).normal(0, 1, shape)
    fy, fx = frequencies(shape)
    half = np.fft.rfft2(white) / np.hypot(np.hypot(fy, fx), 1 / max(shape))
    image = np.fft.irfft2(half, s=shape)
    return np.asarray(128 + 40 * (image - image.mean()) / image.std(), dtype=np.float64)
