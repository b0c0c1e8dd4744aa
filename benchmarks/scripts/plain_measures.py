"""Counting and measuring with Pillow and numpy, as such scripts are usually written."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def counts(data: bytes) -> tuple[int, int]:
    """Black and white pixels of an image file, on either side of the middle."""
    grey = _grey(data)
    white = int((grey > 127).sum())
    return grey.size - white, white


def measures(data: bytes) -> dict[str, float]:
    """Statistics of an image file, and the slope of its radial power spectrum."""
    grey = _grey(data)
    levels = np.bincount(grey.ravel(), minlength=256)
    power = np.abs(np.fft.fftshift(np.fft.fft2(grey - grey.mean()))) ** 2
    height, width = grey.shape
    y, x = np.indices(grey.shape)
    radius = np.hypot(y - height // 2, x - width // 2).astype(int)
    profile = np.bincount(radius.ravel(), power.ravel()) / np.bincount(radius.ravel())
    ring = np.arange(1, min(height, width) // 2)
    slope, _ = np.polyfit(np.log(ring), np.log(profile[ring]), 1)
    return {
        "mean": float(grey.mean()),
        "standard_deviation": float(grey.std()),
        "minimum": float(grey.min()),
        "maximum": float(grey.max()),
        "median": float(np.searchsorted(levels.cumsum(), grey.size / 2)),
        "slope": float(-slope),
    }


def _grey(data: bytes) -> NDArray[Any]:
    return np.array(Image.open(io.BytesIO(data)).convert("L"))
