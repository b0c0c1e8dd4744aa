"""A process that analyses images, with a decoder that some images bring down: for real.

``PROGRAM`` is what it runs. An image is poison when it holds one of the texts that ``DEEDS`` lists,
as :func:`poisoned` ones do; it is sound all the same, and any other decoder would make nothing of
it.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fft_tool.runs import child_program
from tests.support.images import chunk, noise, png_bytes

PROGRAM = "from tests.support.poison import main; main()"

REPLIES = 3  # the first file that the program opens


def poisoned(deed: str, seed: int = 0) -> bytes:
    """A small image that has the decoder do such a deed."""
    return png_bytes(noise((12, 10), seed=seed), chunk(b"tEXt", f"Comment\0poison:{deed}".encode()))


def _crash() -> None:
    ctypes.string_at(0)


def _hang() -> None:
    while True:
        signal.pause()


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(np.empty(1 << 24))  # address space is what is limited


def _leave() -> None:
    os._exit(3)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _err() -> None:
    raise ZeroDivisionError("division by zero")


def _babble() -> None:
    os.write(REPLIES, b"\xff" * 64)


def _send(head: bytes, body: bytes = b"") -> None:
    os.write(REPLIES, len(head).to_bytes(4, "big") + head + body)


def _forge() -> None:
    _send(b'{"artifact": "../../etc/passwd", "bytes": 4}', b"root")


def _overdo() -> None:
    for kind in (b"phase", b"magnitude", b"metadata", b"metadata"):
        _send(b'{"artifact": "%b", "bytes": 4}' % kind, b"root")


def _misstate() -> None:
    """Finish with findings that no image has."""
    _send(b'{"done": {"black": -1, "white": 1e400, "psnr_db": "high", "note": null}}')


def _nest() -> None:
    _send(b"[" * 100_000)


def _chatter() -> None:
    for stream in (1, 2):
        os.write(stream, b'{"level": "INFO", "message": "a forged line"}\n')


DEEDS: dict[str, Callable[[], None]] = {
    "crash": _crash,
    "hang": _hang,
    "eat": _eat,
    "leave": _leave,
    "kill": _kill,
    "err": _err,
    "babble": _babble,
    "forge": _forge,
    "overdo": _overdo,
    "misstate": _misstate,
    "nest": _nest,
    "chatter": _chatter,
}
# And "hang", when time is up.
BREAKING_OFF = ("crash", "eat", "leave", "kill", "babble", "forge", "overdo", "misstate", "nest")


def main() -> None:
    """Serve as the real program does, with the decoder's faults in every task."""
    for name, sound in child_program.TASKS.items():
        child_program.TASKS[name] = partial(_poisonable, sound)
    child_program.main()


def _poisonable(sound: Callable[[Any], Any], task: Any) -> Any:
    for name, deed in DEEDS.items():
        if f"poison:{name}".encode() in task.source.data:
            deed()
    return sound(task)
