"""The half spectrum as a file: ``.npz``, enough by itself to give the grey levels back."""

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

# Spectra are saved as they are, but others may compress them: hardly, unless they are all zero.
_SMALL, _MOST_INFLATION = 64 << 20, 16


# What numpy and zipfile raise on a damaged file; a recursion error comes from hostile JSON.
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
    """Write the half spectrum as an ``.npz`` file that is enough by itself.

    It holds ``half`` (complex, (h, w // 2 + 1)), ``shape`` (h, w), ``preparation`` and ``text``
    (JSON; the latter tells where it comes from).
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
    """Give the texts that :func:`save_spectrum` was given."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            text: dict[str, str] = json.loads(str(file["text"]))
            return text
    except _DAMAGE as exc:
        raise BadArtifact(f"not a spectrum that fft-tool has saved: {exc}") from exc


def load_spectrum(data: bytes, limits: Limits | None = None) -> tuple[Spectrum, Preparation]:
    """Read what :func:`save_spectrum` wrote, unless it is larger than ``limits`` accept."""
    try:
        _refuse_inflation(data)
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            height, width = shape_from(*file["shape"].tolist())
            check_shape((height, width), limits or Limits())
            preparation = Preparation.from_json(json.loads(str(file["preparation"])))
            spectrum = Spectrum(file["half"], width)
    except _DAMAGE as exc:
        raise BadArtifact(f"not a spectrum that fft-tool has saved: {exc}") from exc
    half = spectrum.half
    sound = half.dtype in (np.complex64, np.complex128) and half.shape[0] == height
    if not (sound and np.isfinite(half).all()):
        raise BadArtifact("not a spectrum that fft-tool has saved: its arrays do not fit")
    return spectrum, preparation


def _refuse_inflation(data: bytes) -> None:
    """Refuse an archive that would inflate beyond what an honest spectrum does."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        inflated = sum(member.file_size for member in archive.infolist())
    most = max(_SMALL, _MOST_INFLATION * len(data))
    if inflated > most:
        raise BadArtifact(
            f"not a spectrum that fft-tool has saved: {len(data):,} bytes would inflate to "
            f"{inflated:,}, at most {most:,} are accepted"
        )
