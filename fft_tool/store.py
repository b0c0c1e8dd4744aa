"""Stores: where sources come from and artifacts go. A folder, ``s3://bucket/prefix``, or memory.

Names are relative to the store, with ``/`` between folders. Objects are written whole or not at
all. Whatever the operating system or the S3 client raises comes out as one of the
:class:`~fft_tool.errors.StoreError` leaves.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from fft_tool.errors import NotAllowed, NotFound, StoreError, StoreFull, StoreUnavailable

PART_PREFIX = ".fft-tool-"

# What S3 keeps beside an object that is not the user's own metadata.
_OWN_ATTRIBUTES = (
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Type",
    "Cache-Control",
    "Storage-Class",
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as read: its bytes, and what the store keeps beside them.

    ``metadata`` are the user's own entries (``x-amz-meta-*`` on S3, keys without that prefix);
    ``etag`` changes with the content, None where the store has none.
    """

    data: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)
    etag: str | None = None


class Store(Protocol):
    """The interface that all stores have."""

    @property
    def url(self) -> str:
        """Text from which :func:`open_store` makes this store again."""
        ...

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes in bytes of all objects below the folder ``prefix``, sorted."""
        ...

    def read(self, name: str, *, first: int | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes."""
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


def open_store(location: str | Path, *, profile: bool = False) -> Store:
    """Open the store that ``location`` names: ``s3://bucket/prefix``, ``memory:`` or a folder.

    ``profile`` has S3 credentials looked up as the AWS command line does (profiles, SSO, roles),
    by boto3, rather than in the usual environment variables only.
    """
    text = str(location)
    if text == "memory:":
        return MemoryStore()
    scheme, separator, rest = text.partition("://")
    if not separator:
        return FolderStore(Path(text))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise NotFound(f"{text}: not a store, should be a folder or s3://bucket/prefix")
    return S3Store(bucket, prefix.strip("/"), profile=profile)


class MemoryStore:
    """Objects in a dictionary: for tests, and for doors that keep nothing."""

    url = "memory:"

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._lock = threading.Lock()

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below the folder ``prefix``, sorted."""
        with self._lock:
            entries = sorted((name, len(stored.data)) for name, stored in self.objects.items())
        return (entry for entry in entries if _below(entry[0], prefix))

    def read(self, name: str, *, first: int | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes."""
        try:
            stored = self.objects[name]
        except KeyError:
            raise NotFound(f"{name}: does not exist") from None
        return Stored(stored.data[:first], stored.metadata, stored.etag)

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (nobody asks for it)
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        with self._lock:
            self.objects[name] = Stored(bytes(data), dict(metadata or {}), os.urandom(16).hex())


class FolderStore:
    """Files below a folder, which is made when the first one is written."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.root)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all files below the folder ``prefix``, sorted, hidden ones left out.

        Links to folders are not followed: they may lead in a circle.
        """
        if not self.root.is_dir() and not prefix:
            raise NotFound(f"{self.root}: no such folder")
        return iter(sorted(self._walk(self._path(prefix))))

    def _walk(self, top: Path) -> Iterator[tuple[str, int]]:
        if not top.is_dir():
            return
        for folder, folders, files in os.walk(top, onerror=_raise_os_error):
            folders[:] = (name for name in folders if not name.startswith("."))
            for file in (name for name in files if not name.startswith(".")):
                path = Path(folder, file)
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    yield path.relative_to(self.root).as_posix(), path.stat().st_size

    def read(self, name: str, *, first: int | None = None) -> Stored:
        """Read a file, or only its ``first`` bytes."""
        path = self._path(name)
        with _os_errors(str(path)), path.open("rb") as file:
            return Stored(file.read(-1 if first is None else first))

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (the name tells)
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002  (files have none)
    ) -> None:
        """Write a file under a temporary name and rename it: readers see all of it or nothing."""
        path = self._path(name)
        part = path.with_name(f"{PART_PREFIX}{os.urandom(16).hex()}.part")
        with _os_errors(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(data)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def _path(self, name: str) -> Path:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise NotAllowed(f"{name}: leads out of {self.root}")
        if "\0" in name:
            raise NotAllowed(f"{name!r}: not a name that files can have")
        return self.root / name


class S3Store:
    """Objects below a prefix of an S3 bucket.

    ``AWS_ENDPOINT_URL``, ``AWS_REGION`` and the credentials' variables are honoured; throttling
    and server errors are retried with backoff.
    """

    def __init__(self, bucket: str, prefix: str = "", *, profile: bool = False) -> None:
        from obstore.store import S3Store as Client  # noqa: PLC0415  (imported only for S3)

        self.bucket, self.prefix, self.profile = bucket, prefix, profile
        options: dict[str, Any] = {"credential_provider": _boto3_credentials()} if profile else {}
        with _s3_errors(self.url):
            self._client = Client(
                bucket,
                # A plain-HTTP endpoint is only ever used when AWS_ENDPOINT_URL names one.
                client_options={"allow_http": True, "timeout": "30s"},
                retry_config={"max_retries": 5, "retry_timeout": timedelta(minutes=1)},
                **options,
            )

    @property
    def url(self) -> str:
        """Text from which :func:`open_store` makes this store again."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below the folder ``prefix``, in S3's order."""
        import obstore  # noqa: PLC0415

        skip = len(self._key(""))
        with _s3_errors(f"{self.url}/{prefix}"):
            for page in obstore.list(self._client, self._key(prefix).rstrip("/") or None):
                for entry in page:
                    yield entry["path"][skip:], entry["size"]

    def read(self, name: str, *, first: int | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes."""
        import obstore  # noqa: PLC0415

        with _s3_errors(f"{self.url}/{name}"):
            result = obstore.get(self._client, self._key(name))
            metadata = {
                str(key): str(value)
                for key, value in result.attributes.items()
                if key not in _OWN_ATTRIBUTES
            }
            if first is None:
                data = bytes(result.bytes())
            else:
                # Not by a range, which an empty object answers with an error.
                start = next(iter(result.stream(min_chunk_size=max(first, 1))), b"")
                data = bytes(start)[:first]
            return Stored(data, metadata, result.meta["e_tag"])

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        import obstore  # noqa: PLC0415

        attributes: Any = {"Content-Type": content_type, **(metadata or {})}
        with _s3_errors(f"{self.url}/{name}"):
            obstore.put(self._client, self._key(name), data, attributes=attributes)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name


def _below(name: str, prefix: str) -> bool:
    return not prefix or name.startswith(prefix.rstrip("/") + "/")


def _boto3_credentials() -> Any:
    try:
        import boto3  # noqa: PLC0415  (costs 400 ms, and servers have their keys elsewhere)
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415

        return Boto3CredentialProvider(boto3.session.Session())
    except ImportError:
        return None
    except ValueError:
        raise NotAllowed(
            "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
            "or run `aws configure`"
        ) from None


@contextlib.contextmanager
def _os_errors(place: str) -> Iterator[None]:
    """Translate what the operating system says."""
    try:
        yield
    except OSError as exc:
        raise _translated(exc, place) from exc


def _raise_os_error(exc: OSError) -> None:
    """Complain about a folder that cannot be listed, rather than pass it over."""
    raise _translated(exc, str(Path(exc.filename))) from exc


def _translated(exc: OSError, place: str) -> StoreError:
    reason = os.strerror(exc.errno).lower() if exc.errno else str(exc)
    return _class_of(exc.errno)(f"{place}: {reason}")


def _class_of(number: int | None) -> type[StoreError]:
    match number:
        case errno.ENOENT:
            return NotFound
        case errno.ENOSPC | errno.EDQUOT | errno.EFBIG:
            return StoreFull
        case errno.EIO | errno.ETIMEDOUT | errno.ESTALE | errno.EAGAIN:
            return StoreUnavailable
        case _:
            return NotAllowed


def _s3_error(place: str, chatter: str) -> StoreError:
    """Tell by the HTTP status what the client leaves untold when listing."""
    status = re.search(r"non-2xx status code: (\d{3})", chatter)
    match status and status[1]:
        case "404":
            return NotFound(f"{place}: does not exist")
        case "401" | "403":
            return NotAllowed(f"{place}: access denied")
        case _:
            return StoreUnavailable(f"{place}: S3 does not answer as it should, try again later")


@contextlib.contextmanager
def _s3_errors(place: str) -> Iterator[None]:
    """Translate what the S3 client says, keeping its chatter out of messages for people."""
    from obstore import exceptions  # noqa: PLC0415

    try:
        yield
    except (FileNotFoundError, exceptions.NotFoundError) as exc:
        raise NotFound(f"{place}: does not exist") from exc
    except (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as exc:
        raise NotAllowed(f"{place}: access denied") from exc
    except (exceptions.InvalidPathError, ValueError) as exc:
        raise NotAllowed(f"{place}: not a name that can be used here") from exc
    except (exceptions.BaseError, OSError) as exc:
        raise _s3_error(place, str(exc)) from exc
