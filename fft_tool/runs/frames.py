"""Messages between two processes: a JSON header, followed by a body of bytes.

Unlike a pickle, a message from the other process cannot execute code.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from io import FileIO
from typing import Any, BinaryIO

from fft_tool.validate import Json

_LENGTH = struct.Struct(">I")
LONGEST_HEAD = 1 << 20  # bytes


def send(stream: FileIO, head: Mapping[str, Any], *bodies: bytes) -> None:
    """Write a message; ``bytes`` in its header is the length of all its bodies together."""
    text = json.dumps({**head, "bytes": sum(map(len, bodies))}).encode()
    for part in (_LENGTH.pack(len(text)) + text, *bodies):
        rest = memoryview(part)
        while rest:
            rest = rest[stream.write(rest) :]


def receive(stream: BinaryIO) -> Json | None:
    """Read the header of a message, which precedes its body; None if the other side has closed.

    Raises ``ValueError`` if it is not a valid header.
    """
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (count,) = _LENGTH.unpack(length)
    if count > LONGEST_HEAD:
        raise ValueError(f"header of {count:,} bytes")
    text = stream.read(count)
    if len(text) < count:
        return None
    head = json.loads(text)
    if not isinstance(head, dict):
        raise ValueError("header is not an object")  # noqa: TRY004  (a value from outside)
    return head
