"""What all stores have in common.

Names are relative to the store, with ``/`` between folders. Objects are written whole or not at
all. Whatever the operating system or an S3 client raises comes out as one of the
:class:`~fft_tool.errors.StoreError` leaves.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from fft_tool.errors import StoreError

# Told the name of what cannot be listed, a folder's with a slash at its end, and the reason.
OnFault = Callable[[str, StoreError], None]


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store keeps about an object, without its content.

    ``size`` is in bytes. ``metadata`` are the user's own entries (``x-amz-meta-*`` on S3, keys
    without that prefix); ``etag`` changes with the content, None where the store has none.
    """

    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as read: its bytes, and what the store keeps about it."""

    data: bytes
    stat: Stat


class Handle(ABC):
    """An object that is open for reading; closed when the ``with`` block ends.

    ``stat`` is what the store keeps about the very version that is read, so that an object can be
    refused by its size before its content is fetched.
    """

    stat: Stat

    @abstractmethod
    def read(self, most: int | None = None) -> bytes:
        """Read all bytes, or at most the first ``most`` of them; called once."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file or connection, also when only some of it has been read."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Store(ABC):
    """The interface that all stores have."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Text from which :func:`~fft_tool.stores.opening.open_store` opens this store again."""

    @abstractmethod
    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes in bytes of all objects below the folder ``prefix``, sorted."""

    def list_readable(self, on_fault: OnFault) -> Iterator[tuple[str, int]]:  # noqa: ARG002
        """List all objects, but for what cannot be listed, of which ``on_fault`` is told.

        In stores other than folders all can be listed, or nothing.
        """
        return self.list()

    @abstractmethod
    def stat(self, name: str) -> Stat:
        """Tell what is kept about an object, without fetching it."""

    @abstractmethod
    def open(self, name: str) -> Handle:
        """Open an object for reading; raises what :meth:`stat` raises."""

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
        """Write an object, replacing what is there."""


def as_folder(location: str) -> str:
    """Text that what lies in a folder begins with: the folder's own, with a slash at its end."""
    return location if not location or location.endswith("/") else f"{location}/"
