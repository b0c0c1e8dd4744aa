"""The folder of finished product images, which may be shared over a network (NFS).

An image appears whole: it is written under a temporary name, brought to the disk, and renamed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fft_tool.errors import StoreError
from fft_tool.stores.folder import FolderStore
from service.errors import NotHere

SUFFIXES = (".jpg", ".jpeg")
CONTENT_TYPE = "image/jpeg"

_LONGEST_NAME, _LONGEST_PATH = 255, 1024  # characters


@dataclass(frozen=True, slots=True)
class Result:
    """An image in the folder: its bytes, and their SHA-256 in hexadecimal."""

    data: bytes
    sha256: str


class Results:
    """The folder of finished product images.

    >>> results = Results(Path("processed_images"))
    >>> results.write("abc-123-17.jpg", b"...")
    >>> results.read("abc-123-17.jpg").data
    b'...'
    """

    def __init__(self, folder: Path) -> None:
        self._store = FolderStore(folder, durable=True)

    def write(self, path: str, data: bytes) -> None:
        """Write an image, over one of the same name; it is on the disk when this returns."""
        self._store.write(path, data, content_type=CONTENT_TYPE)

    def read(self, path: str) -> Result:
        """Read an image by its path within the folder.

        Raises :class:`~service.errors.NotHere`, with the same message, for whatever is not a JPEG
        file of the folder: names that lead out of it, links that do, hidden and special files. It
        raises :class:`~fft_tool.errors.StoreUnavailable` if the folder does not answer.
        """
        if not _is_path(path):
            raise _nothing()
        try:
            with self._store.open(path) as handle:
                data = handle.read()
        except StoreError as exc:
            if exc.transient:
                raise
            raise _nothing() from exc
        return Result(data, hashlib.sha256(data).hexdigest())


def _is_path(text: str) -> bool:
    """Whether a text is the path of an image, as far as can be told without looking."""
    names = text.split("/")
    return (
        len(text) <= _LONGEST_PATH
        and text.lower().endswith(SUFFIXES)
        and text.isprintable()
        and not any(character in text for character in '\\:<>|?*"')
        and all(name and name[0] != "." and len(name) <= _LONGEST_NAME for name in names)
    )


def _nothing() -> NotHere:
    return NotHere("there is no such image, or it is not ready yet")
