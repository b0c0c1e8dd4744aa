"""A folder as a store."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from fft_tool.errors import NotAllowed, NotFound, StoreError, StoreFull, StoreUnavailable
from fft_tool.stores.base import Handle, Stat, Store

_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


PART_PREFIX = ".fft-tool-"


class FolderStore(Store):
    """Files below a folder, which is created by the first write.

    Access is confined to the folder: symbolic links that lead out of it are not followed, and pipes
    and devices are not opened.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.root)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Names and sizes of all files below the folder ``prefix``, sorted, without hidden files.

        Links to folders are not followed, as they may form a loop.
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
                with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                    found = path.stat()
                    if stat.S_ISREG(found.st_mode):
                        yield path.relative_to(self.root).as_posix(), found.st_size

    def stat(self, name: str) -> Stat:
        """Return the size of a readable file."""
        with self.open(name) as handle:
            return handle.stat

    def open(self, name: str) -> Handle:
        """Open a file for reading."""
        path = self._path_inside(name)
        return _FileHandle(path, _open(path))

    def write(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (implied by the name)
        metadata: Mapping[str, str] | None = None,  # noqa: ARG002  (files have none)
    ) -> None:
        """Write a file atomically, under a temporary name that is then renamed."""
        path = self._path(name)
        if not self._is_inside(path.parent):  # if the file itself is a link, it is replaced
            raise NotAllowed(f"{path}: leads out of {self.root}")
        with contextlib.suppress(OSError):  # the file need not exist yet
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
        """Path of a file to open, which must be inside this folder after resolving links."""
        path = self._path(name)
        if not self._is_inside(path):
            raise NotAllowed(f"{path}: leads out of {self.root}")
        return path

    def _is_inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # a loop of links
            return False

    def _path(self, name: str) -> Path:
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise NotAllowed(f"{name}: leads out of {self.root}")
        if "\0" in name or Path("in", name).as_posix() != f"in/{name}":
            raise NotAllowed(f"{name!r}: not a valid file name")
        return self.root / name


class _FileHandle(Handle):
    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        status = os.fstat(file.fileno())
        version = f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"
        self.stat = Stat(status.st_size, etag=version)

    def read(self, most: int | None = None) -> bytes:
        with _os_errors(str(self._path)):
            return self._file.read(-1 if most is None else most)

    def close(self) -> None:
        self._file.close()


def _open(path: Path) -> BinaryIO:
    with _os_errors(str(path)):
        _refuse_special(path, path.stat().st_mode)  # opening a device may have side effects
        # Without O_NONBLOCK, opening a pipe would block until it has a writer.
        descriptor = os.open(path, os.O_RDONLY | _NON_BLOCKING)
        file = open(descriptor, "rb")  # noqa: PTH123, SIM115  (no path; the caller closes it)
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return file
    file.close()
    _refuse_special(path, mode)  # it was replaced in the meantime
    raise NotAllowed(f"{path}: is a folder")


def _refuse_special(path: Path, mode: int) -> None:
    """Reject pipes, sockets and devices: reading one may block, replacing one would break it."""
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise NotAllowed(f"{path}: is not a regular file; - is standard input or output")


@contextlib.contextmanager
def _os_errors(place: str) -> Iterator[None]:
    """Translate errors of the operating system."""
    try:
        yield
    except OSError as exc:
        raise _translated(exc, place) from exc


def _raise_os_error(exc: OSError) -> None:
    """Report a folder that cannot be listed, instead of skipping it."""
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
