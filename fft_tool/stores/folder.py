"""A folder as a store."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from pathlib import Path
from typing import BinaryIO

from fft_tool.errors import NotAllowed, NotFound, StoreError, StoreFull, StoreUnavailable
from fft_tool.stores.base import Entry, Handle, OnFault, Stat, Store

_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


PART_PREFIX = ".fft-tool-"


class FolderStore(Store):
    """Files below a folder, which is created by the first write.

    Access is confined to the folder: symbolic links that lead out of it are not followed, and pipes
    and devices are not opened. Writing to a link inside the folder writes to its target.

    With ``durable``, a file that has been written survives a loss of power: its bytes and its name
    are on the disk, which takes some milliseconds, before :meth:`write` returns.
    """

    def __init__(self, root: Path, *, durable: bool = False) -> None:
        self.root = root
        self._durable = durable

    @property
    def url(self) -> str:
        """The folder's path."""
        return str(self.root)

    def entries(self, prefix: str = "") -> Iterator[Entry]:
        """All files below the folder ``prefix``, sorted by name, without hidden files.

        Links to folders are not followed, as they may form a loop. Anything that cannot be listed,
        such as a folder without read permission, is an error.
        """
        if not prefix:
            self._check_root()
        top = self._path_inside(prefix.rstrip("/")) if prefix else self.root
        return iter(self._sorted(top, _raise_fault))

    def list_readable(self, on_fault: OnFault) -> Iterator[tuple[str, int]]:
        """List all files; what cannot be listed below the folder is passed to ``on_fault``."""
        self._check_root()
        return ((entry.name, entry.size) for entry in self._sorted(self.root, on_fault))

    def _check_root(self) -> None:
        with _os_errors(str(self.root)):
            if not self.root.is_dir():
                raise NotFound(f"{self.root}: no such folder")
            os.scandir(self.root).close()

    def _sorted(self, top: Path, on_fault: OnFault) -> list[Entry]:
        return sorted(self._walk(top, on_fault), key=attrgetter("name"))

    def _walk(self, top: Path, on_fault: OnFault) -> Iterator[Entry]:
        def tell(path: Path, exc: OSError, end: str = "") -> None:
            name = path.relative_to(self.root).as_posix() + end
            on_fault(name, translated(exc, str(path)))

        def tell_folder(exc: OSError) -> None:
            tell(Path(exc.filename), exc, "/")

        if not is_folder(top):
            return
        for folder, folders, files in os.walk(top, onerror=tell_folder):
            folders[:] = (name for name in folders if not name.startswith("."))
            for file in (name for name in files if not name.startswith(".")):
                path = Path(folder, file)
                try:
                    status = self._status(path)
                except OSError as exc:
                    tell(path, exc)
                    continue
                if status is not None:
                    name = path.relative_to(self.root).as_posix()
                    yield Entry(name, status.st_size, _version(status), status.st_mtime)

    def _status(self, path: Path) -> os.stat_result | None:
        """Status of a regular file inside this folder; None for anything else."""
        if path.is_symlink() and self._leads_out(path):
            return None
        try:
            found = path.stat()
        except FileNotFoundError:  # deleted since it was listed, or a dangling link
            return None
        return found if stat.S_ISREG(found.st_mode) else None

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
        self._put(name, lambda part: part.write_bytes(data))

    def write_file(
        self,
        name: str,
        path: Path,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (implied by the name)
    ) -> None:
        """Write the bytes of a file: as a second name of it if the system allows that."""

        def fill(part: Path) -> None:
            try:
                part.hardlink_to(path)
            except OSError:  # another disk, or a file system without hard links
                shutil.copyfile(path, part)

        self._put(name, fill)

    def _put(self, name: str, fill: Callable[[Path], object]) -> None:
        path = self._path_inside(name)
        with _os_errors(str(path)):
            with contextlib.suppress(FileNotFoundError):  # there need not be anything yet
                _refuse_special(path, path.stat().st_mode)
            target = path.resolve() if path.is_symlink() else path
            with _part_of(target) as part:
                fill(part)
                if self._durable:
                    _synchronise(part)
                part.replace(target)
                if self._durable:
                    _synchronise(target.parent)

    def create(
        self,
        name: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002  (implied by the name)
    ) -> bool:
        """Write a file unless there is one of that name; return whether it was written.

        The file appears with its content: it is written under a temporary name, to which the
        system then adds the final one, unless that is taken. A symbolic link counts as a file.
        """
        path = self._path_inside(name)
        with _os_errors(str(path)):
            with contextlib.suppress(FileNotFoundError):  # as it should be, or a dangling link
                mode = path.stat().st_mode
                _refuse_special(path, mode)
                if stat.S_ISDIR(mode):
                    raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
                return False
            with _part_of(path) as part:
                part.write_bytes(data)
                with contextlib.suppress(FileExistsError):
                    os.link(part, path)
                    return True
            return False

    def delete(self, name: str) -> None:
        """Delete a file, or the link of that name; folders stay, also empty ones."""
        path = self._path_inside(name)
        with _os_errors(str(path)):
            with contextlib.suppress(FileNotFoundError):
                _refuse_special(path, path.stat().st_mode)
            path.unlink(missing_ok=True)

    def _path_inside(self, name: str) -> Path:
        """Path of a file, which must be inside this folder after resolving links."""
        path = self._path(name)
        if self._leads_out(path):
            raise NotAllowed(f"{path}: leads out of {self.root}")
        return path

    def _leads_out(self, path: Path) -> bool:
        try:
            return not path.resolve().is_relative_to(self.root.resolve())
        except (OSError, RuntimeError):  # a loop of links, which leads nowhere
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
        self.stat = Stat(status.st_size, etag=_version(status))

    def read(self, most: int | None = None) -> bytes:
        # Not beyond the size by which it was judged: something may be appending to it.
        size = self.stat.size
        with _os_errors(str(self._path)):
            return self._file.read(size if most is None else min(most, size))

    def close(self) -> None:
        self._file.close()


def _version(status: os.stat_result) -> str:
    return f"{status.st_ino:x}-{status.st_mtime_ns:x}-{status.st_size:x}"


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Temporary name in the folder of a file; whatever has that name at the end is deleted."""
    part = path.with_name(f"{PART_PREFIX}{os.urandom(16).hex()}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _synchronise(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_folder(path: Path) -> bool:
    """Whether a path names a folder; not if that cannot be found out."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path, *, otherwise: bool = False) -> bool:
    """Whether a path names a regular file; ``otherwise`` if that cannot be found out."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return otherwise


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
        raise translated(exc, place) from exc


def _raise_fault(_: str, error: StoreError) -> None:
    raise error


def translated(exc: OSError, place: str) -> StoreError:
    """Error for what the operating system says about a place."""
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
