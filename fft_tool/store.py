"""Stores: where sources come from and artifacts go. A folder, ``s3://bucket/prefix``, or memory.

Names are relative to the store, with ``/`` between folders. Objects are written whole or not at
all. Whatever the operating system or an S3 client raises comes out as one of the
:class:`~fft_tool.errors.StoreError` leaves. S3 itself is in :mod:`fft_tool.s3`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from fft_tool.errors import NotAllowed, NotFound, StoreError, StoreFull, StoreUnavailable
from fft_tool.limits import Limits

_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

PART_PREFIX = ".fft-tool-"
BUCKET_NAME = re.compile(r"[A-Za-z0-9._-]{3,255}")  # old buckets may have capitals and underscores


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


def open_store(location: str | Path, *, profile: bool = False, patience: float = 20) -> Store:
    """Open the store that ``location`` names: ``s3://bucket/prefix``, ``memory:`` or a folder.

    ``profile`` has S3 credentials looked up as the AWS command line does (profiles, SSO, roles),
    by boto3, rather than in the usual environment variables only. ``patience`` is how long, in
    seconds, S3 is asked again before it counts as unavailable.
    """
    text = str(location)
    if text == "memory:":
        return MemoryStore()
    scheme, separator, rest = text.partition("://")
    if not separator:
        return FolderStore(Path(text))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not BUCKET_NAME.fullmatch(bucket):
        raise NotFound(f"{text}: not a store, should be a folder or s3://bucket/prefix")
    from fft_tool.s3 import S3Store  # noqa: PLC0415  (costs 40 ms)

    return S3Store(bucket, prefix, profile=profile, patience=patience)


def read_within(store: Store, name: str, limits: Limits) -> bytes:
    """Read an object, unless it has more bytes than ``limits`` accept: then nothing is fetched."""
    return store.read(name, accept=lambda stat: limits.check_bytes(stat.size)).data


def as_folder(location: str) -> str:
    """Text that what lies in a folder begins with: the folder's own, with a slash at its end."""
    return location if not location or location.endswith("/") else f"{location}/"


class MemoryStore:
    """Objects in a dictionary: for tests, and for doors that keep nothing."""

    url = "memory:"

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self._lock = threading.Lock()

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all objects below the folder ``prefix``, sorted."""
        with self._lock:
            entries = sorted((name, stored.stat.size) for name, stored in self.objects.items())
        return (entry for entry in entries if entry[0].startswith(as_folder(prefix)))

    def stat(self, name: str) -> Stat:
        """Tell what is kept about an object."""
        return self._find(name).stat

    def read(self, name: str, *, first: int | None = None, accept: Accept | None = None) -> Stored:
        """Read an object, or only its ``first`` bytes, if ``accept`` does not refuse it."""
        stored = self._find(name)
        if accept is not None:
            accept(stored.stat)
        return Stored(stored.data[:first], stored.stat)

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
        content_type: str = "application/octet-stream",  # noqa: ARG002  (nobody asks for it)
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        """Write an object, replacing what is there."""
        stat = Stat(len(data), dict(metadata or {}), os.urandom(16).hex())
        with self._lock:
            self.objects[name] = Stored(bytes(data), stat)


class FolderStore:
    """Files below a folder, which is made when the first one is written.

    Only what is in it: links that lead out of it are not followed, and neither pipes nor devices
    are opened.
    """

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
        top = self._path_inside(prefix.rstrip("/")) if prefix else self.root
        return iter(sorted(self._walk(top)))

    def _walk(self, top: Path) -> Iterator[tuple[str, int]]:
        if not top.is_dir():
            return
        for folder, folders, files in os.walk(top, onerror=_raise_os_error):
            folders[:] = (name for name in folders if not name.startswith("."))
            for file in (name for name in files if not name.startswith(".")):
                path = Path(folder, file)
                if path.is_symlink() and not self._is_inside(path):
                    continue
                with contextlib.suppress(FileNotFoundError):  # gone since it was listed
                    found = path.stat()
                    if stat.S_ISREG(found.st_mode):
                        yield path.relative_to(self.root).as_posix(), found.st_size

    def stat(self, name: str) -> Stat:
        """Tell what is kept about a file that can be read: its size."""
        with _open(self._path_inside(name)) as file:
            return _stat(file)

    def read(self, name: str, *, first: int | None = None, accept: Accept | None = None) -> Stored:
        """Read a file, or only its ``first`` bytes, if ``accept`` does not refuse it."""
        path = self._path_inside(name)
        with _open(path) as file:
            stat = _stat(file)
            if accept is not None:
                accept(stat)
            with _os_errors(str(path)):
                return Stored(file.read(-1 if first is None else first), stat)

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
        if not self._is_inside(path.parent):  # a link in place of the file is replaced
            raise NotAllowed(f"{path}: leads out of {self.root}")
        with contextlib.suppress(OSError):  # there need not be anything yet
            _refuse_special(path, path.stat().st_mode)
        part = path.with_name(f"{PART_PREFIX}{os.urandom(16).hex()}.part")
        with _os_errors(str(path)):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(data)
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise

    def _path_inside(self, name: str) -> Path:
        """Path of a file that is to be opened, and is in this folder whatever links there are."""
        path = self._path(name)
        if not self._is_inside(path):
            raise NotAllowed(f"{path}: leads out of {self.root}")
        return path

    def _is_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # links in a circle
            return False

    def _path(self, name: str) -> Path:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise NotAllowed(f"{name}: leads out of {self.root}")
        if "\0" in name or Path("in", name).as_posix() != f"in/{name}":
            raise NotAllowed(f"{name!r}: not a name that files can have")
        return self.root / name


def _open(path: Path) -> BinaryIO:
    with _os_errors(str(path)):
        _refuse_special(path, path.stat().st_mode)  # to open a device may do something to it
        # Whoever opens a pipe waits for somebody to write into it, unless told not to.
        file = open(os.open(path, os.O_RDONLY | _AT_ONCE), "rb")  # noqa: PTH123, SIM115
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    file.close()
    _refuse_special(path, mode)  # which it has become since
    raise NotAllowed(f"{path}: is a folder")


def _refuse_special(path: Path, mode: int) -> None:
    """Refuse pipes, sockets and devices: reading one may never end, replacing one breaks it."""
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise NotAllowed(f"{path}: is no regular file; - is standard input or output")


def _stat(file: BinaryIO) -> Stat:
    return Stat(os.fstat(file.fileno()).st_size)


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
