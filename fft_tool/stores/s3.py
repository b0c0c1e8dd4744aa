"""S3 as a store. A name below the prefix is a key as it stands, whatever characters it has.

Objects go through obstore, which is there in 40 ms. Keys that it cannot express, some of which it
would silently alter, go through boto3 (400 ms, and not installed by default); so do lists, for any
key may turn up in them.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Protocol

from fft_tool.errors import NotAllowed
from fft_tool.stores.base import Accept, Stat, Stored, as_folder
from fft_tool.stores.s3_errors import place_of
from fft_tool.stores.s3_obstore import Obstore, beyond_obstore

CHUNK = 1 << 18  # bytes that are read at once
SHORTEST, REQUEST = 0.1, 30.0  # seconds that one request may take at least and at most

# Segments that are empty, "." or "..", and control characters.
_BEYOND_OBSTORE = re.compile(r"(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")

_SENDABLE_KEY = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_SENDABLE_TEXT = re.compile(r"[ -~]*")


class Body(Protocol):
    """An object that S3 has begun to send."""

    @property
    def stat(self) -> Stat:
        """What S3 keeps about it."""
        ...

    def chunks(self, size: int) -> Iterator[bytes]:
        """Give its bytes as they come, at least ``size`` at a time."""
        ...

    def close(self) -> None:
        """Let go of the connection, which ends if there is more to come."""
        ...


class Client(Protocol):
    """A way to reach the objects of a bucket, by their keys."""

    def stat(self, key: str) -> Stat:
        """Tell what S3 keeps about an object."""
        ...

    def open(self, key: str) -> Body:
        """Have S3 begin to send an object."""
        ...

    def write(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write an object."""
        ...

    def list(self, start: str) -> Iterator[tuple[str, int]]:
        """Keys that begin with ``start``, sorted, and sizes."""
        ...


class S3Store:
    """Objects below a prefix of an S3 bucket.

    ``AWS_ENDPOINT_URL``, ``AWS_REGION`` and the credentials' variables are honoured. Throttling,
    server errors and broken connections are retried with backoff for ``patience`` seconds; one
    request takes no longer than that, nor than 30 seconds.
    """

    def __init__(
        self, bucket: str, prefix: str = "", *, profile: bool = False, patience: float = 20
    ) -> None:
        self.bucket, self.prefix = bucket, as_folder(prefix)
        patience = max(patience, SHORTEST)
        self._times = patience, min(patience, REQUEST)
        self._obstore = Obstore(bucket, *self._times, _credentials() if profile else None)

    @property
    def url(self) -> str:
        """Text from which :func:`~fft_tool.stores.base.open_store` makes this store again."""
        url = f"s3://{self.bucket}/{self.prefix}"
        return url if url.endswith("//") else url.removesuffix("/")

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below the folder ``prefix``, in S3's order.

        Without boto3, the slash that a key begins or ends with is lost, and any other key that
        obstore cannot express stops the list.
        """
        start = self.prefix + as_folder(prefix)
        for key, size in self._lister(start).list(start):
            if key != start:  # the mark of the folder itself
                yield key.removeprefix(self.prefix), size

    def stat(self, name: str) -> Stat:
        """Tell what S3 keeps about an object, without fetching it."""
        key = self._key(name)
        return self._client(key).stat(key)

    def read(self, name: str, *, first: int | None = None, accept: Accept | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes, if ``accept`` does not refuse it."""
        key = self._key(name)
        with contextlib.closing(self._client(key).open(key)) as body:
            if accept is not None:
                accept(body.stat)
            # Not by a range, which an empty object answers with an error.
            at_once = CHUNK if first is None else min(max(first, 1), CHUNK)
            return Stored(_joined(body.chunks(at_once), first), body.stat)

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        key = self._key(name)
        metadata = metadata or {}
        for entry, text in metadata.items():
            if not (_SENDABLE_KEY.fullmatch(entry) and _SENDABLE_TEXT.fullmatch(text)):
                raise NotAllowed(
                    f"{place_of(self.bucket, key)}: metadata {entry}={text!r}: "
                    "S3 keeps printable ASCII only"
                )
        self._client(key).write(key, data, content_type, metadata)

    def _key(self, name: str) -> str:
        key = self.prefix + name
        if not key:
            raise NotAllowed(f"s3://{self.bucket}: is a bucket, name an object in it")
        return key

    def _client(self, key: str) -> Client:
        if not _BEYOND_OBSTORE.search(key):
            return self._obstore
        if not _has_boto3():
            raise beyond_obstore(place_of(self.bucket, key))
        return self._boto3

    def _lister(self, start: str) -> Client:
        if _has_boto3():
            return self._boto3
        return self._client(start.removesuffix("/")) if start else self._obstore

    @cached_property
    def _boto3(self) -> Client:
        from fft_tool.stores.s3_boto3 import Boto3  # noqa: PLC0415  (costs 400 ms)

        return Boto3(self.bucket, *self._times)


def _has_boto3() -> bool:
    return importlib.util.find_spec("boto3") is not None


def _credentials() -> Any:
    if not _has_boto3():
        return None
    from fft_tool.stores.s3_boto3 import credentials_for_obstore  # noqa: PLC0415  (costs 400 ms)

    return credentials_for_obstore()


def _joined(chunks: Iterable[bytes], first: int | None) -> bytes:
    """Join chunks, or as many as give the ``first`` bytes; never holds two copies of them."""
    buffer = io.BytesIO()
    for chunk in chunks:
        buffer.write(chunk)
        if first is not None and buffer.tell() >= first:
            buffer.truncate(first)
            break
    return buffer.getvalue()
