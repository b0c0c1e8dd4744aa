"""The half spectrum as a self-contained ``.npz`` file, from which grey levels can be restored."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np

from fft_tool.errors import BadArtifact
from fft_tool.limits import Limits
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import check_shape, shape_from
from fft_tool.spectrum.preparation import Preparation

# Spectra are saved uncompressed. Files that were compressed by others are accepted up to this
# ratio: a spectrum hardly compresses, unless it is all zeros.
_SMALL, _MAX_INFLATION = 64 << 20, 16


# Raised by numpy and zipfile on damaged files; deeply nested JSON raises a RecursionError.
_DAMAGE = (
    OSError,
    KeyError,
    TypeError,
    ValueError,
    EOFError,
    MemoryError,
    RuntimeError,
    zlib.error,
    zipfile.BadZipFile,
)


def save_spectrum(
    spectrum: Spectrum, preparation: Preparation, text: Mapping[str, str] | None = None
) -> bytes:
    """Write the half spectrum as a self-contained ``.npz`` file.

    It holds ``half`` (complex, (h, w // 2 + 1)), ``shape`` (h, w), ``preparation`` (JSON) and
    ``text`` (JSON, the provenance).
    """
    buffer = io.BytesIO()
    np.savez(
        buffer,
        half=spectrum.half,
        shape=np.array(spectrum.shape),
        preparation=np.array(json.dumps(preparation.to_json())),
        text=np.array(json.dumps(dict(text or {}))),
    )
    return buffer.getvalue()


def spectrum_text(data: bytes) -> dict[str, str]:
    """Read the texts that were passed to :func:`save_spectrum`."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            text: dict[str, str] = json.loads(str(file["text"]))
            return text
    except _DAMAGE as exc:
        raise BadArtifact(f"not a spectrum saved by fft-tool: {exc}") from exc


def load_spectrum(data: bytes, limits: Limits | None = None) -> tuple[Spectrum, Preparation]:
    """Read a file written by :func:`save_spectrum`, within ``limits``."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            height, width = shape_from(*file["shape"].tolist())
            check_shape((height, width), limits or Limits())
            preparation = Preparation.from_json(json.loads(str(file["preparation"])))
            spectrum = Spectrum(file["half"], width)
    except _DAMAGE as exc:
        raise BadArtifact(f"not a spectrum saved by fft-tool: {exc}") from exc
    half = spectrum.half
    sound = half.dtype in (np.complex64, np.complex128) and half.shape[0] == height
    if not (sound and np.isfinite(half).all()):
        raise BadArtifact("not a spectrum saved by fft-tool: its arrays are inconsistent")
    return spectrum, preparation


def _refuse_inflation(data: bytes) -> None:
    """Reject an archive that would inflate beyond any plausible spectrum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inflated = sum(member.file_size for member in archive.infolist())
    most = max(_SMALL, _MAX_INFLATION * len(data))
    if inflated > most:
        raise BadArtifact(
            f"not a spectrum saved by fft-tool: {len(data):,} bytes would inflate to "
            f"{inflated:,}, at most {most:,} are accepted"
        )
