"""File formats of artifacts: media types, and how to read the provenance texts inside a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A file format: its media type, and a function that reads the texts inside a file.

    ``texts`` verifies the whole file first, and raises an error of :mod:`fft_tool.errors` if it is
    damaged. It is None if the format does not carry texts.
    """

    content_type: str
    texts: Callable[[bytes], dict[str, str]] | None = None


def _png_texts(data: bytes) -> dict[str, str]:
    from fft_tool.codec import png_file  # noqa: PLC0415  (loads numpy, not needed for media types)

    png_file.parse(data)
    return png_file.read_text(data)


def _npz_texts(data: bytes) -> dict[str, str]:
    from fft_tool.results import spectrum_file  # noqa: PLC0415  (as above)

    spectrum_file.load_spectrum(data)
    return spectrum_file.spectrum_text(data)


FORMATS = {
    "png": Format("image/png", _png_texts),
    "npz": Format("application/x-npz", _npz_texts),
    "json": Format("application/json"),
}
"""Formats by file extension."""
