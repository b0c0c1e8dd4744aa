"""Memory as a store."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping

from fft_tool.errors import NotFound
from fft_tool.stores.base import Accept, Stat, Stored, as_folder


class MemoryStore:
    """Objects in a dictionary: for tests, and for doors that keep nothing."""

    url = "memory:"

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._lock = threading.Lock()

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below the folder ``prefix``, sorted."""
        with self._lock:
            entries = sorted((name, stored.stat.size) for name, stored in self.objects.items())
        return (entry for entry in entries if entry[0].startswith(as_folder(prefix)))

    def stat(self, name: str) -> Stat:
        """Tell what is kept about an object."""
        return self._find(name).stat

    def read(self, name: str, *, first: int | None = None, accept: Accept | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes, if ``accept`` does not refuse it."""
        stored = self._find(name)
        if accept is not None:
            accept(stored.stat)
        return Stored(stored.data[:first], stored.stat)

    def _find(self, name: str) -> Stored:
        try:
            return self.objects[name]
        except KeyError:
            raise NotFound(f"{name}: does not exist") from None

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (nobody asks for it)
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        stat = Stat(len(data), dict(metadata or {}), os.urandom(16).hex())
        with self._lock:
            self.objects[name] = Stored(bytes(data), stat)
