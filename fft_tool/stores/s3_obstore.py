"""S3 through obstore, which is fast to import and to use, for keys that it can represent."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import obstore
from obstore import exceptions
from obstore.store import S3Store as Store

from fft_tool.errors import MissingExtra, NotAllowed, StoreError
from fft_tool.stores.base import Entry, Stat
from fft_tool.stores.s3_errors import Exists, place_of, refusal, unusable

PART = 16 << 20  # bytes; larger objects are uploaded in parts of this size
CONNECTING = 5.0  # seconds that connecting may take
PARTS_AT_ONCE = 2  # few, so that each part completes within its timeout on a slow connection

# Attributes of an object that are not user-defined metadata.
_OWN_ATTRIBUTES = (
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Cache-Control",
    "Storage-Class",
)


class Obstore:
    """The objects of a bucket.

    Times are in seconds: ``patience`` in total, ``request`` for a single request. ``credentials``
    overrides the environment.
    """

    def __init__(
        self, bucket: str, patience: float, request: float, credentials: Any = None
    ) -> None:
        self._bucket = bucket
        options: dict[str, Any] = {"credential_provider": credentials} if credentials else {}
        with _errors(bucket):
            self._store = Store(
                bucket,
                # A plain HTTP endpoint is used only if AWS_ENDPOINT_URL names one.
                client_options={
                    "allow_http": True,
                    "connect_timeout": timedelta(seconds=min(CONNECTING, request)),
                    "timeout": timedelta(seconds=request),
                },
                # Retries are limited in time, not in number. Pauses grow from a tenth of a second,
                # but stay short enough not to exceed the total time by much.
                retry_config={
                    "max_retries": 10_000,
                    "retry_timeout": timedelta(seconds=patience),
                    "backoff": {"max_backoff": timedelta(seconds=min(15, max(patience / 4, 0.2)))},
                },
                **options,
            )

    def stat(self, key: str) -> Stat:
        """Return what S3 knows about an object."""
        with _errors(self._bucket, key):
            return _stat(obstore.get(self._store, key, options={"head": True}))

    def open(self, key: str) -> Body:
        """Request an object."""
        with _errors(self._bucket, key):
            return Body(obstore.get(self._store, key), self._bucket, key)

    def write(self, key: str, data: bytes, content_type: str, metadata: Mapping[str, str]) -> None:
        """Write an object."""
        attributes: Any = {"Content-Type": content_type, **metadata}
        with _errors(self._bucket, key):
            obstore.put(
                self._store,
                key,
                data,
                attributes=attributes,
                chunk_size=PART,
                max_concurrency=PARTS_AT_ONCE,
            )

    def create(self, key: str, data: bytes, content_type: str) -> bool:
        """Write an object unless there is one; return whether it was written."""
        attributes: Any = {"Content-Type": content_type}
        try:
            with _errors(self._bucket, key):
                obstore.put(
                    self._store,
                    key,
                    data,
                    attributes=attributes,
                    mode="create",
                    use_multipart=False,  # uploads in parts are not conditional
                )
        except Exists:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete an object, if there is one."""
        with _errors(self._bucket, key):
            obstore.delete(self._store, key)

    def list(self, start: str) -> Iterator[Entry]:
        """Objects below the folder ``start``, sorted; all keys must be representable.

        obstore strips a slash from the beginning or end of a key.
        """
        folder = start.removesuffix("/")
        with _errors(self._bucket, start):
            try:
                for page in obstore.list(self._store, folder or None):
                    for entry in page:
                        if entry["path"] != folder:  # the folder's own marker, without its slash
                            modified = entry["last_modified"].timestamp()
                            yield Entry(entry["path"], entry["size"], entry["e_tag"], modified)
            except exceptions.InvalidPathError as exc:
                raise beyond_obstore(f"a key below {place_of(self._bucket, start)}") from exc


class Body:
    """The response to a request for an object; obstore resumes after a broken connection."""

    def __init__(self, result: obstore.GetResult, bucket: str, key: str) -> None:
        self.stat = _stat(result)
        self._result: obstore.GetResult | None = result
        self._bucket, self._key = bucket, key

    def chunks(self, size: int) -> Iterator[bytes]:
        """Yield the bytes as they arrive, at least ``size`` at a time."""
        if self._result is not None:
            with _errors(self._bucket, self._key):
                yield from self._result.stream(min_chunk_size=size)

    def close(self) -> None:
        """Release the connection, even if a stored traceback still refers to this object."""
        self._result = None


def beyond_obstore(what: str) -> MissingExtra:
    """Error for a key that only boto3 can represent, if it is not installed."""
    return MissingExtra(f"{what}: needs boto3: pip install 'fft-pipeline[aws]'")


def _stat(result: obstore.GetResult) -> Stat:
    metadata = {
        str(key): str(value)
        for key, value in result.attributes.items()
        if key not in _OWN_ATTRIBUTES
    }
    return Stat(result.meta["size"], metadata, result.meta["e_tag"])


@contextlib.contextmanager
def _errors(bucket: str, key: str = "") -> Iterator[None]:
    """Translate errors of obstore."""
    try:
        yield
    except (exceptions.InvalidPathError, ValueError) as exc:
        raise unusable(bucket, key) from exc
    except (exceptions.BaseError, OSError) as exc:
        raise _translated(exc, bucket, key) from exc


def _translated(exc: Exception, bucket: str, key: str) -> StoreError:
    """Translate by the HTTP status, which obstore gives only in the text of its message."""
    text = str(exc)
    if status := re.search(r"non-2xx status code: (\d{3})", text):
        code = re.search(r"<Code>(\w+)</Code>", text[status.end() :])
        return refusal(bucket, key, int(status[1]), code and code[1])
    if isinstance(exc, exceptions.UnauthenticatedError):
        return refusal(bucket, key, 401)
    if "Received redirect" in text:
        return refusal(bucket, key, 301)
    if "InvalidMetadata" in text:
        return NotAllowed(f"{place_of(bucket, key)}: its metadata are not plain ASCII")
    return refusal(bucket, key, None)
