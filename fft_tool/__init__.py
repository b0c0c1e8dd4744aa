"""2-D Fourier analysis of images: pictures of the spectrum that give the image back exactly.

>>> import numpy as np
>>> import fft_tool as ft
>>> y = np.arange(96)[:, None]
>>> grey = np.tile(128 + 50 * np.cos(2 * np.pi * y / 8), (1, 128))
>>> spectrum = ft.transform(grey)
>>> (peak,) = ft.find_peaks(spectrum, count=3)
>>> round(peak.period, 2), round(peak.angle, 2)
(8.0, 90.0)
>>> back = ft.inverse(ft.apply_filter(spectrum, "notch:8,90"))
>>> outputs = ft.analyze(grey, value_range=(0, 255), crop="square", bits=16)
>>> outputs["magnitude"].data[1:4]
b'PNG'
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"

# Every public name and the module that defines it. Type checkers read __init__.pyi; a test checks
# that the two agree.
_MODULES = {
    "Artifact": "results.outputs",
    "FftToolError": "errors",
    "Limits": "limits",
    "Outputs": "results.outputs",
    "Raster": "codec.raster",
    "Recipe": "recipe",
    "Source": "results.outputs",
    "Spectrum": "spectrum.half",
    "analyze": "library",
    "apply_filter": "library",
    "apply_operations": "library",
    "compare": "image.comparison",
    "decode": "codec.image_file",
    "describe": "image.statistics",
    "find_peaks": "measures.peaks",
    "find_shift": "measures.shift",
    "inverse": "spectrum.transform",
    "magnitude": "library",
    "measure": "measures.measure",
    "perceptual_hash": "measures.perceptual_hash",
    "phase": "library",
    "radial_profile": "measures.radial",
    "reconstruct": "library",
    "ring_correlation": "measures.ring_correlation",
    "run": "pipeline",
    "saliency_map": "image.saliency",
    "sharpness": "image.sharpness",
    "transform": "library",
}

__all__ = sorted(_MODULES)  # noqa: PLE0605  (sorted() returns a list)


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that ``fft-tool --help`` does not load numpy."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415  (needed on first use only)

    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
