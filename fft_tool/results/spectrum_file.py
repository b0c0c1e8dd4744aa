"""The half spectrum as a self-contained ``.npz`` file, from which grey levels can be restored."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from fft_tool.errors import BadArtifact
from fft_tool.limits import Limits
from fft_tool.spectrum.half import Spectrum
from fft_tool.spectrum.inversion import check_shape, shape_from
from fft_tool.spectrum.periodic import Jumps
from fft_tool.spectrum.preparation import Preparation

# Spectra are saved uncompressed. Files that were compressed by others are accepted up to this
# ratio: a spectrum hardly compresses, unless it is all zeros.
_SMALL, _MAX_INFLATION = 64 << 20, 16
_ARRAYS = ("half", "shape", "preparation")

GREY_SHA256 = "Grey-SHA256"
"""Key of the text against which a reconstruction is checked: the hash of the grey plane."""
_NOT_OURS = "not a spectrum saved by fft-tool"

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
    ``text`` (JSON, the provenance). If the preparation has jumps, ``jumps`` holds them: w + h
    integers, see :class:`~fft_tool.spectrum.periodic.Jumps`.
    """
    buffer = io.BytesIO()
    arrays = {
        "half": spectrum.half,
        "shape": np.array(spectrum.shape),
        "preparation": np.array(json.dumps(preparation.to_json())),
        "text": np.array(json.dumps(dict(text or {}))),
    }
    if preparation.jumps is not None:
        arrays["jumps"] = np.concatenate([preparation.jumps.across, preparation.jumps.down])
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # its stub takes them for flags
    return buffer.getvalue()


def spectrum_text(data: bytes) -> dict[str, str]:
    """Read the texts that were passed to :func:`save_spectrum`; empty if there are none."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            text = json.loads(str(file["text"])) if "text" in file.files else {}
            return {str(key): str(value) for key, value in dict(text).items()}
    except _DAMAGE as exc:
        raise _damaged(exc) from exc


def load_spectrum(data: bytes, limits: Limits | None = None) -> tuple[Spectrum, Preparation]:
    """Read a file written by :func:`save_spectrum`, within ``limits``."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            if missing := [name for name in _ARRAYS if name not in file.files]:
                raise BadArtifact(f"{_NOT_OURS}: it lacks {' and '.join(missing)}")
            height, width = shape_from(*file["shape"].tolist())
            check_shape((height, width), limits or Limits())
            preparation = Preparation.from_json(json.loads(str(file["preparation"])))
            if preparation.periodic and "jumps" in file.files:
                jumps = Jumps.checked(file["jumps"], (height, width), preparation.white)
                preparation = replace(preparation, jumps=jumps)
            spectrum = Spectrum(file["half"], width)
    except _DAMAGE as exc:
        raise _damaged(exc) from exc
    half = spectrum.half
    sound = half.dtype in (np.complex64, np.complex128) and half.shape[0] == height
    if not (sound and np.isfinite(half).all()):
        raise BadArtifact(f"{_NOT_OURS}: its arrays are inconsistent")
    return spectrum, preparation


def _damaged(exc: Exception) -> BadArtifact:
    """Say what is wrong in terms of the file, not in numpy's or zipfile's."""
    if isinstance(exc, zipfile.BadZipFile | EOFError):
        return BadArtifact(f"{_NOT_OURS}: it is not an .npz file, or is truncated")
    return BadArtifact(f"{_NOT_OURS}: its content is damaged or of another type")


def _refuse_inflation(data: bytes) -> None:
    """Reject an archive that would inflate beyond any plausible spectrum."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inflated = sum(member.file_size for member in archive.infolist())
    most = max(_SMALL, _MAX_INFLATION * len(data))
    if inflated > most:
        raise BadArtifact(
            f"{_NOT_OURS}: {len(data):,} bytes would inflate to "
            f"{inflated:,}, at most {most:,} are accepted"
        )
