"""Standard output, for data, and standard error, for messages. Either may be closed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TextIO

from fft_tool.errors import NotAllowed, StoreFull
from fft_tool.printable import printable


def say(text: str) -> None:
    """Print a message to standard error."""
    if sys.stderr is not None:  # print(file=None) would print to standard output
        with contextlib.suppress(OSError):  # there is nowhere else to report it
            print(f"fft-tool: {printable(text)}", file=sys.stderr)  # noqa: T201


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a standard stream is open and is a terminal."""
    return stream is not None and stream.isatty()


def occupy_closed_streams() -> None:
    """Prevent files from being opened under the numbers of closed standard streams."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # uses the lowest free number


def forget_stdout() -> None:
    """Discard what is left in the buffer of stdout, so that it does not raise again at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_line(text: str) -> None:
    """Print a line of data."""
    encoding = sys.stdout.encoding if sys.stdout is not None else None
    put(f"{text}\n".encode(encoding or "utf-8", "backslashreplace"))


def put(data: bytes) -> None:
    """Write all data to stdout, which may accept only a part at a time if it is unbuffered."""
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
