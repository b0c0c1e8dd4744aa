"""S3 as a store. The prefix plus a name is the key, unchanged, whatever characters it contains.

Objects are accessed through obstore, which loads in 40 ms. obstore cannot represent some keys, and
would silently alter others. Such keys are accessed through boto3, which takes 400 ms to load and
is not installed by default. So are listings, in which any key may occur. Without boto3, accessing
such a key raises an error; everything else works the same.
"""

from __future__ import annotations

import importlib.util
import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, Protocol

from fft_tool.errors import NotAllowed, NotFound
from fft_tool.stores.base import Entry, Handle, Stat, Store, as_folder
from fft_tool.stores.s3_errors import Conflict, place_of
from fft_tool.stores.s3_obstore import Obstore, beyond_obstore

CHUNK = 1 << 18  # bytes read at a time
MOST_CONFLICTS = 5  # times that creating an object is attempted while others interfere
SHORTEST, REQUEST = 0.1, 30.0  # lower and upper bound on the timeout of a request, in seconds

# Path segments that are empty, "." or "..", and control characters.
_BEYOND_OBSTORE = re.compile(r"(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")

_SENDABLE_KEY = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_SENDABLE_TEXT = re.compile(r"[ -~]*")


class Body(Protocol):
    """The response to a request for an object, as returned by a client."""

    @property
    def stat(self) -> Stat:
        """What S3 knows about the object."""
        ...

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes as they arrive, at least ``size`` at a time."""
        ...

    def close(self) -> None:
        """Release the connection, closing it if there is unread data."""
        ...


class Client(Protocol):
    """A client for the objects of a bucket, by key."""

    def stat(self, key: str) -> Stat:
        """Return what S3 knows about an object."""
        ...

    def open(self, key: str) -> Body:
        """Request an object."""
        ...

    def write(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write an object."""
        ...

    def create(self, key: str, data: bytes, content_type: str) -> bool:
        """Write an object unless there is one; return whether it was written.

        Raises :class:`~fft_tool.stores.s3_errors.Conflict` if another request for the same key
        was in progress.
        """
        ...

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        ...

    def list(self, start: str) -> Iterator[Entry]:
        """Objects whose keys begin with ``start``, sorted; their names are whole keys."""
        ...


class S3Store(Store):
    """Objects below a prefix of an S3 bucket.

    ``AWS_ENDPOINT_URL``, ``AWS_REGION`` and the variables for credentials are honoured. Throttling,
    server errors and broken connections are retried with backoff for ``patience`` seconds. The
    timeout of a single request is ``patience``, but at most 30 seconds.
    """

    def __init__(
        self, bucket: str, prefix: str = "", *, profile: bool = False, patience: float = 20
    ) -> None:
        self.bucket, self.prefix = bucket, as_folder(prefix)
        patience = max(patience, SHORTEST)
        self._clients = _clients(bucket, patience, profile, _environment())

    @property
    def url(self) -> str:
        """Location from which :func:`~fft_tool.stores.opening.open_store` reopens this store."""
        url = f"s3://{self.bucket}/{self.prefix}"
        return url if url.endswith("//") else url.removesuffix("/")

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All objects below the folder ``prefix``, in S3's order.

        The empty objects that mark folders, whose keys end in a slash, are omitted.
        """
        start = self.prefix + as_folder(prefix)
        for entry in self._clients.list(start):
            if entry.name != start:
                yield replace(entry, name=entry.name.removeprefix(self.prefix))

    def stat(self, name: str) -> Stat:
        """Return what S3 knows about an object, without fetching it."""
        key = self._key(name)
        return self._clients.of(key).stat(key)

    def open(self, name: str) -> Handle:
        """Open an object for reading."""
        key = self._key(name)
        return _S3Handle(self._clients.of(key).open(key))

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing an existing one."""
        key = self._key(name)
        metadata = metadata or {}
        for entry, text in metadata.items():
            if not (_SENDABLE_KEY.fullmatch(entry) and _SENDABLE_TEXT.fullmatch(text)):
                raise NotAllowed(
                    f"{place_of(self.bucket, key)}: metadata {entry}={text!r}: "
                    "S3 accepts only printable ASCII"
                )
        self._clients.of(key).write(key, data, content_type, metadata)

    def create(
        self, name: str, data: bytes, *, content_type: str = "application/octet-stream"
    ) -> bool:
        """Write an object unless there is one of that name; return whether it was written.

        S3 decides, by ``If-None-Match: *``. After a conflict with another request, whether there
        is an object now is looked up; if there is none, the request is repeated.
        """
        key = self._key(name)
        client = self._clients.of(key)
        left = MOST_CONFLICTS
        while True:
            try:
                return client.create(key, data, content_type)
            except Conflict:
                left -= 1
                if self._clients.exists(key):
                    return False
                if not left:
                    raise

    def delete(self, name: str) -> None:
        """Delete an object; S3 does not say whether there was one."""
        key = self._key(name)
        self._clients.of(key).delete(key)

    def _key(self, name: str) -> str:
        key = self.prefix + name
        if not key:
            raise NotAllowed(f"s3://{self.bucket}: is a bucket: name an object in it")
        return key


class _S3Handle(Handle):
    def __init__(self, body: Body) -> None:
        self._body, self.stat = body, body.stat

    def read(self, most: int | None = None) -> bytes:
        # Not a range request, which fails for an empty object.
        at_once = CHUNK if most is None else min(max(most, 1), CHUNK)
        return _joined(self._body.chunks(at_once), most)

    def close(self) -> None:
        self._body.close()


class _Clients:
    """The clients of a bucket, and the choice between them."""

    def __init__(self, bucket: str, patience: float, profile: bool) -> None:
        self._bucket, self._times = bucket, (patience, min(patience, REQUEST))
        self._obstore = Obstore(bucket, *self._times, _credentials() if profile else None)

    def of(self, key: str) -> Client:
        """Return the client for a key; raises an error if none can access it."""
        if not _BEYOND_OBSTORE.search(key):
            return self._obstore
        if not _has_boto3():
            raise beyond_obstore(place_of(self._bucket, key))
        return self._boto3

    def list(self, start: str) -> Iterator[Entry]:
        """Objects whose keys begin with ``start``, without folder markers."""
        if _has_boto3():
            for entry in self._boto3.list(start):
                if entry.size or not entry.name.endswith("/"):
                    yield entry
            return
        client = self.of(start.removesuffix("/")) if start else self._obstore
        for entry in client.list(start):
            # obstore lists folder markers, too, but without the slash in which their keys end.
            if entry.size or self.exists(entry.name):
                yield entry

    def exists(self, key: str) -> bool:
        """Whether there is an object with this key."""
        try:
            self.of(key).stat(key)
        except NotFound:
            return False
        return True

    @cached_property
    def _boto3(self) -> Client:
        from fft_tool.stores.s3_boto3 import Boto3  # noqa: PLC0415  (takes 400 ms)

        return Boto3(self._bucket, *self._times)


@lru_cache(maxsize=64)
def _clients(
    bucket: str,
    patience: float,
    profile: bool,
    environment: tuple[tuple[str, str], ...],  # noqa: ARG001  (part of the cache key)
) -> _Clients:
    """Clients of a bucket, cached because opening connections is slow."""
    return _Clients(bucket, patience, profile)


def _environment() -> tuple[tuple[str, str], ...]:
    """All environment variables that the clients read."""
    names = (n for n in os.environ if n.upper().startswith("AWS_") or n.upper().endswith("_PROXY"))
    return tuple((name, os.environ[name]) for name in sorted(names))


def _has_boto3() -> bool:
    return importlib.util.find_spec("boto3") is not None


def _credentials() -> Any:
    if not _has_boto3():
        return None
    from fft_tool.stores.s3_boto3 import credentials_for_obstore  # noqa: PLC0415  (takes 400 ms)

    return credentials_for_obstore()


def _joined(chunks: Iterable[bytes], first: int | None) -> bytes:
    """Join chunks, or only the ``first`` bytes, without holding two copies in memory."""
    buffer = io.BytesIO()
    for chunk in chunks:
        buffer.write(chunk)
        if first is not None and buffer.tell() >= first:
            buffer.truncate(first)
            break
    return buffer.getvalue()
