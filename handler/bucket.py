"""Folders of a bucket, whose requests are retried only as long as the deadline allows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from fft_tool.stores.base import Entry, Handle, Stat, Store
from handler.deadline import Deadline
from handler.errors import Overwritten

# Opens the store of a bucket by name; failed requests are retried for this many seconds.
OpenBucket = Callable[[str, float], Store]


@dataclass(frozen=True, slots=True)
class Folder(Store):
    """The objects below a prefix of a bucket; counts the bytes that are written.

    If ``etags`` are given, opening an object that has none of them raises
    :class:`~handler.errors.Overwritten`.
    """

    open_bucket: OpenBucket
    bucket: str
    prefix: str
    deadline: Deadline
    etags: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Address of the folder."""
        return f"s3://{self.bucket}/{self.prefix}"

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below ``prefix``."""
        for entry in self._store().entries(self.prefix + prefix):
            yield replace(entry, name=entry.name.removeprefix(self.prefix))

    def stat(self, name: str) -> Stat:
        """Size, ETag and metadata of an object."""
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
        """Write an object, replacing an existing one."""
        key = self.prefix + name
        self._store().write(key, data, content_type=content_type, metadata=metadata)
        self.deadline.wrote(len(data))

    def create(
        self, name: str, data: bytes, *, content_type: str = "application/octet-stream"
    ) -> bool:
        """Write an object unless there is one of that name; return whether it was written."""
        created = self._store().create(self.prefix + name, data, content_type=content_type)
        if created:
            self.deadline.wrote(len(data))
        return created

    def delete(self, name: str) -> None:
        """Delete an object, if there is one."""
        self._store().delete(self.prefix + name)

    def _store(self) -> Store:
        return self.open_bucket(self.bucket, self.deadline.seconds_for_store())
