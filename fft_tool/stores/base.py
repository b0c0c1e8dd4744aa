"""The interface that all stores implement.

Names are relative to the store, with ``/`` between folders. Writes are atomic. Exceptions of the
operating system and of S3 clients are translated to subclasses of
:class:`~fft_tool.errors.StoreError`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from fft_tool.errors import NotFound, StoreError

# Called with a name that cannot be listed, which ends in a slash if it is a folder, and the reason.
OnFault = Callable[[str, StoreError], None]


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store knows about an object, apart from its content.

    ``size`` is in bytes. ``metadata`` holds the user-defined entries (``x-amz-meta-*`` in S3, with
    keys without that prefix). ``etag`` changes with the content; None if the store has no etags.
    """

    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An object in a listing: its name, size in bytes, and the ``etag`` that :class:`Stat` has.

    ``modified`` is when it was written, in seconds since 1970; None if the store does not know.
    """

    name: str
    size: int
    etag: str | None = None
    modified: float | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as read: its bytes, and what the store knows about it."""

    data: bytes
    stat: Stat


class Handle(ABC):
    """An object that is open for reading; the ``with`` statement closes it.

    ``stat`` describes the same version of the object that is read, so that an object can be
    rejected for its size before its content is fetched.
    """

    stat: Stat

    @abstractmethod
    def read(self, most: int | None = None) -> bytes:
        """Read all bytes, or at most the first ``most``; may be called only once."""

    @abstractmethod
    def close(self) -> None:
        """Release the file or connection, even if it has been read only partially."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Store(ABC):
    """Interface of all stores."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Location from which :func:`~fft_tool.stores.opening.open_store` reopens this store."""

    @abstractmethod
    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below the folder ``prefix``, sorted by name, without fetching any."""

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes in bytes of all objects below the folder ``prefix``, sorted."""
        return ((entry.name, entry.size) for entry in self.entries(prefix))

    def list_readable(self, on_fault: OnFault) -> Iterator[tuple[str, int]]:  # noqa: ARG002
        """List all objects; names that cannot be listed, and why, are passed to ``on_fault``.

        Only folders have such names: other stores list all of their objects or none.
        """
        return self.list()

    @abstractmethod
    def stat(self, name: str) -> Stat:
        """Return what the store knows about an object, without fetching it."""

    def exists(self, name: str) -> bool:
        """Whether there is an object of that name."""
        try:
            self.stat(name)
        except NotFound:
            return False
        return True

    @abstractmethod
    def open(self, name: str) -> Handle:
        """Open an object for reading; raises the same errors as :meth:`stat`."""

    def read(self, name: str) -> Stored:
        """Read an object."""
        with self.open(name) as handle:
            return Stored(handle.read(), handle.stat)

    @abstractmethod
    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing an existing one."""

    def write_file(
        self, name: str, path: Path, *, content_type: str = "application/octet-stream"
    ) -> None:
        """Write the bytes of a file, which should not be changed afterwards: they may be shared."""
        self.write(name, path.read_bytes(), content_type=content_type)

    @abstractmethod
    def create(
        self, name: str, data: bytes, *, content_type: str = "application/octet-stream"
    ) -> bool:
        """Write an object unless there is one of that name; return whether it was written.

        Of several callers at the same time, one succeeds. A caller whose connection broke may have
        written the object and yet be told False, so the content should say whose it is.
        """

    @abstractmethod
    def delete(self, name: str) -> None:
        """Delete an object; does nothing if there is none of that name."""


def as_folder(location: str) -> str:
    """Append a slash to a location unless it is empty or has one: the prefix of a folder."""
    return location if not location or location.endswith("/") else f"{location}/"
