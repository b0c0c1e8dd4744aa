"""Blobs: the bytes of sources, renditions and artifacts, stored under their own SHA-256.

Equal bytes are kept once, whoever sent them. Storing takes as long for bytes that are there
already as for new ones, since they are written again in any case: otherwise, a tenant could time
uploads to learn which images others have.

Rows of the database refer to blobs. A blob is written before the row that refers to it, so no row
ever points to nothing; a blob without any row is deleted by the sweep, which leaves new ones alone:
their rows may be about to be committed. Deleting and writing the same bytes at the same time is
settled by :mod:`service.catalogue.purge`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fft_tool.errors import NotFound
from fft_tool.stores.base import Store

FOLDER = "blobs"
_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class BlobEntry:
    """A blob in a listing: its SHA-256, and its size in bytes.

    ``modified`` is when it was written, in seconds since 1970; None if the store does not know.
    """

    sha256: str
    size: int
    modified: float | None


class Blobs:
    """Blobs in a store, such as a folder or ``s3://bucket/prefix``.

    ``lasting`` is the same store, but with it, files survive a loss of power, which takes longer.

    >>> from fft_tool.stores.memory import MemoryStore
    >>> blobs = Blobs(MemoryStore())
    >>> name = blobs.put(b"abc")
    >>> name[:8], blobs.read(name)
    ('ba7816bf', b'abc')
    """

    def __init__(self, store: Store, lasting: Store | None = None) -> None:
        self.store = store
        self._lasting = lasting or store

    def put(
        self,
        data: bytes,
        content_type: str = "application/octet-stream",
        *,
        sha256: str | None = None,
        lasting: bool = True,
    ) -> str:
        """Write bytes, also if they are there already; return their SHA-256 in hexadecimal.

        Who knows the hash already may pass it, as large files take milliseconds to hash. What is
        not ``lasting`` may be lost with the power, or cut short.
        """
        sha256 = sha256 or hashlib.sha256(data).hexdigest()
        self._store(lasting=lasting).write(_name(sha256), data, content_type=content_type)
        return sha256

    def put_file(self, path: Path, sha256: str, content_type: str, *, lasting: bool = True) -> None:
        """Write the bytes of a file whose hash is known; nobody may change it any more."""
        store = self._store(lasting=lasting)
        store.write_file(_name(sha256), path, content_type=content_type)

    def read(self, sha256: str, size: int | None = None) -> bytes:
        """Read a blob, which should have ``size`` bytes, if that is known.

        Raises :class:`~fft_tool.errors.NotFound` if there is none, or only a part of it, as a loss
        of power may leave.
        """
        data = self.store.read(_name(sha256)).data
        if size is not None and len(data) != size:
            raise NotFound(f"only {len(data):,} of {size:,} bytes are left of blob {sha256}")
        return data

    def exists(self, sha256: str) -> bool:
        """Whether there is such a blob."""
        return self.store.exists(_name(sha256))

    def delete(self, sha256: str) -> None:
        """Delete a blob, if there is one."""
        self.store.delete(_name(sha256))

    def entries(self) -> Iterator[BlobEntry]:
        """All blobs, sorted, without reading any."""
        try:
            listed = self.store.entries(FOLDER)
        except NotFound:  # nothing has been written yet
            return
        for entry in listed:
            sha256 = entry.name.rpartition("/")[2]
            if _is_hash(sha256) and entry.name == _name(sha256):
                yield BlobEntry(sha256, entry.size, entry.modified)

    def _store(self, *, lasting: bool) -> Store:
        return self._lasting if lasting else self.store


def _name(sha256: str) -> str:
    if not _is_hash(sha256):
        raise NotFound(f"{sha256!r} is not a SHA-256 in hexadecimal")
    return f"{FOLDER}/{sha256[:2]}/{sha256}"


def _is_hash(text: str) -> bool:
    return len(text) == 64 and _DIGITS.issuperset(text)
