"""Paths that name file descriptors, pipes and devices instead of regular files.

They are written to directly. Replacing one by a regular file, as is done for files in a folder,
would break it for everybody.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fft_tool.errors import NotAllowed
from fft_tool.stores.folder import translated

STDIN, STDOUT = 0, 1

_NAMES = {"/dev/stdin": STDIN, "/dev/stdout": STDOUT, "/dev/stderr": 2}
_NUMBERED = re.compile(r"/(?:dev|proc/self)/fd/(\d{1,9})")
_MOST_LINKS = 40


def descriptor_of(location: str) -> int | None:
    """Descriptor that ``/dev/stdout``, ``/dev/fd/3`` or a link to such a name refers to, if any.

    >>> descriptor_of("/dev/fd/63"), descriptor_of("page.html")
    (63, None)
    """
    path = location
    for _ in range(_MOST_LINKS):
        path = os.path.abspath(path)  # noqa: PTH100  (links are followed one at a time)
        if path in _NAMES:
            return _NAMES[path]
        if found := _NUMBERED.fullmatch(path):
            return int(found[1])
        try:
            path = os.path.join(os.path.dirname(path), os.readlink(path))  # noqa: PTH115, PTH118, PTH120
        except OSError:
            return None
    return None


def is_special(location: str) -> bool:
    """Whether a path names something that exists and is neither a regular file nor a folder."""
    if descriptor_of(location) is not None:
        return True
    try:
        mode = Path(location).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def write_special(location: str, data: bytes) -> None:
    """Write to a descriptor, pipe or device; a named pipe waits for its reader."""
    number = descriptor_of(location)
    with _errors(location):
        if number is None and stat.S_ISBLK(Path(location).stat().st_mode):
            raise NotAllowed(f"{location}: is a disk, which would be overwritten")
        target = os.dup(number) if number is not None else os.open(location, os.O_WRONLY)
        with open(target, "wb", buffering=0) as file:  # noqa: PTH123
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) or 0 :]


def open_descriptor(location: str, number: int) -> BinaryIO:
    """Open a descriptor for reading; the descriptor itself stays open."""
    with _errors(location):
        return open(os.dup(number), "rb")  # noqa: PTH123


@contextlib.contextmanager
def _errors(location: str) -> Iterator[None]:
    """Translate operating system errors, except for a pipe without a reader."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise translated(exc, location) from exc
