"""2-D Fourier analysis of images: pictures of the spectrum that give the image back exactly.

>>> import fft_tool
>>> outputs = fft_tool.run(fft_tool.Source("forest.png", data), fft_tool.Recipe(bits=16))
>>> outputs["magnitude"].data  # PNG bytes
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Artifact",
    "FftToolError",
    "Limits",
    "Outputs",
    "Raster",
    "Recipe",
    "Source",
    "Spectrum",
    "decode",
    "forward",
    "inverse",
    "paint",
    "run",
]

if TYPE_CHECKING:
    from fft_tool.codec.image_file import decode
    from fft_tool.codec.raster import Raster
    from fft_tool.errors import FftToolError
    from fft_tool.limits import Limits
    from fft_tool.pipeline import run
    from fft_tool.recipe import Recipe
    from fft_tool.results.outputs import Artifact, Outputs, Source
    from fft_tool.spectrum.half import Spectrum
    from fft_tool.spectrum.pictures import paint
    from fft_tool.spectrum.transform import forward, inverse

_HOMES = {
    "Artifact": "results.outputs",
    "FftToolError": "errors",
    "Limits": "limits",
    "Outputs": "results.outputs",
    "Raster": "codec.raster",
    "Recipe": "recipe",
    "Source": "results.outputs",
    "Spectrum": "spectrum.half",
    "decode": "codec.image_file",
    "forward": "spectrum.transform",
    "inverse": "spectrum.transform",
    "paint": "spectrum.pictures",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that ``fft-tool --help`` need not load numpy."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
