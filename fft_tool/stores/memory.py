"""Memory as a store."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator, Mapping
from typing import ClassVar
from weakref import WeakValueDictionary

from fft_tool.errors import NotFound
from fft_tool.stores.base import Entry, Handle, Stat, Store, Stored, as_folder

_numbers = itertools.count(1)


class MemoryStore(Store):
    """Objects in a dictionary, for tests and for temporary data.

    A store has a name, by which it can be reopened as long as a reference to it exists.
    """

    _named: ClassVar[WeakValueDictionary[str, MemoryStore]] = WeakValueDictionary()

    def __init__(self, name: str | None = None) -> None:
        self.objects: dict[str, Stored] = {}
        self._lock = threading.Lock()
        self._name = str(next(_numbers)) if name is None else name
        self._named[self._name] = self

    @classmethod
    def named(cls, name: str) -> MemoryStore:
        """Return the store of that name, creating an empty one if there is none."""
        return cls._named.get(name) or MemoryStore(name)

    @property
    def url(self) -> str:
        """``memory:`` and the store's name."""
        return f"memory:{self._name}"

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below the folder ``prefix``, sorted by name."""
        with self._lock:
            objects = sorted((name, stored.stat) for name, stored in self.objects.items())
        for name, stat in objects:
            if name.startswith(as_folder(prefix)):
                yield Entry(name, stat.size, stat.etag)

    def stat(self, name: str) -> Stat:
        """Return what the store knows about an object."""
        return self._find(name).stat

    def open(self, name: str) -> Handle:
        """Open an object for reading."""
        return _MemoryHandle(self._find(name))

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
        content_type: str = "application/octet-stream",  # noqa: ARG002  (never read back)
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing an existing one."""
        stored = _stored(data, metadata or {})
        with self._lock:
            self.objects[name] = stored

    def create(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (never read back)
    ) -> bool:
        """Write an object unless there is one of that name; return whether it was written."""
        stored = _stored(data, {})
        with self._lock:
            return self.objects.setdefault(name, stored) is stored

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        with self._lock:
            self.objects.pop(name, None)


def _stored(data: bytes, metadata: Mapping[str, str]) -> Stored:
    return Stored(bytes(data), Stat(len(data), dict(metadata), os.urandom(16).hex()))


class _MemoryHandle(Handle):
    def __init__(self, stored: Stored) -> None:
        self.stat, self._data = stored.stat, stored.data

    def read(self, most: int | None = None) -> bytes:
        return self._data[:most]

    def close(self) -> None:
        self._data = b""
