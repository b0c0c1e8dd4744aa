"""A file in memory of which a few bytes are replaced, without a copy of the rest."""

from __future__ import annotations

import io
from typing import Any


class Patched(io.RawIOBase):
    """Stream of ``data`` with ``patch`` in place of the bytes at ``place``.

    >>> Patched(b"0123456789", 4, b"ab").read()
    b'0123ab6789'
    """

    def __init__(self, data: bytes, place: int, patch: bytes) -> None:
        self._data, self._place, self._patch = memoryview(data), place, patch
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Position in the stream."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, and return it."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if start + offset < 0:
            raise ValueError(f"position {start + offset} is before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes, and return their number."""
        target = memoryview(buffer).cast("B")
        start = self._at
        count = max(0, min(len(target), len(self._data) - start))
        target[:count] = self._data[start : start + count]
        first = max(start, self._place)
        last = min(start + count, self._place + len(self._patch))
        if first < last:
            patch = self._patch[first - self._place : last - self._place]
            target[first - start : last - start] = patch
        self._at += count
        return count

    def readall(self) -> bytes:
        """Read the rest."""
        rest = bytearray(max(0, len(self._data) - self._at))
        self.readinto(rest)
        return bytes(rest)
