"""Standard output, which is for data, and standard error, which is for people.

Either may be closed.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

from fft_tool.errors import NotAllowed, StoreFull
from fft_tool.printable import printable


def say(text: str) -> None:
    """Tell people something; stdout is for data."""
    if sys.stderr is not None:  # print() would take None for standard output
        with contextlib.suppress(OSError):  # nobody is left to be told
            print(f"fft-tool: {printable(text)}", file=sys.stderr)  # noqa: T201


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is there and is a terminal."""
    return stream is not None and stream.isatty()


def occupy_closed_streams() -> None:
    """Keep the numbers of closed standard streams from being given to files that are opened."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def forget_stdout() -> None:
    """Discard what is left in stdout's buffer, so that it cannot raise again at the end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_line(text: str) -> None:
    """Print a line of data."""
    encoding = sys.stdout.encoding if sys.stdout is not None else None
    put(f"{text}\n".encode(encoding or "utf-8", "backslashreplace"))


def put(data: bytes) -> None:
    """Write to stdout, whole: unbuffered, it may take a part at a time."""
    if sys.stdout is None:
        raise NotAllowed("standard output is closed")
    rest = memoryview(data)
    try:
        sys.stdout.flush()
        while rest:
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise StoreFull(f"standard output: {(exc.strerror or str(exc)).lower()}") from exc
