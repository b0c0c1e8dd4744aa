"""Standard output, which is for data, and standard error, which is for people."""

from __future__ import annotations

import contextlib
import os
import sys

from fft_tool.errors import StoreFull
from fft_tool.printable import printable


def say(text: str) -> None:
    """Tell people something; stdout is for data."""
    print(f"fft-tool: {printable(text)}", file=sys.stderr)  # noqa: T201


def forget_stdout() -> None:
    """Let what is left in stdout's buffer vanish, so that it cannot raise again at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_line(text: str) -> None:
    """Print a line of data."""
    sys.stdout.flush()
    put(f"{text}\n".encode(sys.stdout.encoding or "utf-8", "backslashreplace"))


def put(data: bytes) -> None:
    """Write to stdout, whole: unbuffered, it may take a part at a time."""
    rest = memoryview(data)
    try:
        while rest:
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        raise
    except OSError as exc:
        raise StoreFull(f"standard output: {(exc.strerror or str(exc)).lower()}") from exc
