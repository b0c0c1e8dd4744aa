"""What all stores have in common.

Names are relative to the store, with ``/`` between folders. Objects are written whole or not at
all. Whatever the operating system or an S3 client raises comes out as one of the
:class:`~fft_tool.errors.StoreError` leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Stat:
    """What a store keeps about an object, without its content.

    ``size`` is in bytes. ``metadata`` are the user's own entries (``x-amz-meta-*`` on S3, keys
    without that prefix); ``etag`` changes with the content, None where the store has none.
    """

    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


Accept = Callable[[Stat], None]


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as read: its bytes, or the first of them, and what the store keeps about it."""

    data: bytes
    stat: Stat


class Store(Protocol):
    """The interface that all stores have."""

    @property
    def url(self) -> str:
        """Text from which :func:`open_store` makes this store again."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes in bytes of all objects below the folder ``prefix``, sorted."""
        ...

    def stat(self, name: str) -> Stat:
        """Tell what is kept about an object, without fetching it."""
        ...

    def read(self, name: str, *, first: int | None = None, accept: Accept | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes.

        ``accept`` is told what is kept about the object before its content is fetched. What it
        raises refuses the object, and comes out as it is.
        """
        ...

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        ...


def as_folder(location: str) -> str:
    """Text that what lies in a folder begins with: the folder's own, with a slash at its end."""
    return location if not location or location.endswith("/") else f"{location}/"
