"""Images in a folder, to try the service with."""

from __future__ import annotations

from pathlib import Path

from fft_tool.codec.sniffing import sniff
from fft_tool.errors import UnknownFormat, UsageError

_SNIFFED = 4096  # bytes that tell the format


def images_in(folder: Path) -> list[Path]:
    """Images directly in a folder, sorted by name; other files are passed over.

    Raises :class:`~fft_tool.errors.UsageError` if there are none.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        found = [path for path in files if _is_image(path)]
    except OSError as exc:
        raise UsageError(f"{folder}: {(exc.strerror or str(exc)).lower()}") from exc
    if not found:
        raise UsageError(f"{folder}: there are no images in this folder")
    return found


def _is_image(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            sniff(file.read(_SNIFFED))
        except UnknownFormat:
            return False
    return True
