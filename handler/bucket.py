"""Folders of a bucket, asked for as long as the deadline of the message allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fft_tool.stores.base import Handle, Stat, Store
from handler.deadline import Deadline
from handler.errors import Overwritten

# Gives the store of a bucket that is asked again for so many seconds.
OpenBucket = Callable[[str, float], Store]


@dataclass(frozen=True, slots=True)
class Folder(Store):
    """What is below a prefix of a bucket; counts the bytes that are written.

    Where ``etags`` are given, an object that has none of them is not opened:
    :class:`~handler.errors.Overwritten` is raised.
    """

    open_bucket: OpenBucket
    bucket: str
    prefix: str
    deadline: Deadline
    etags: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"s3://{self.bucket}/{self.prefix}"

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below ``prefix``."""
        for key, size in self._store().list(self.prefix + prefix):
            yield key.removeprefix(self.prefix), size

    def stat(self, name: str) -> Stat:
        """Tell what is kept about an object."""
        return self._store().stat(self.prefix + name)

    def open(self, name: str) -> Handle:
        """Open an object for reading."""
        handle = self._store().open(self.prefix + name)
        if self.etags and (handle.stat.etag or "").strip('"') not in self.etags:
            handle.close()
            raise Overwritten(f"{self.prefix}{name}: overwritten before it was read")
        return handle

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        key = self.prefix + name
        self._store().write(key, data, content_type=content_type, metadata=metadata)
        self.deadline.wrote(len(data))

    def _store(self) -> Store:
        return self.open_bucket(self.bucket, self.deadline.seconds_for_store())
