"""Messages between two processes: a head in JSON, and the bytes that belong to it.

What comes from the other side is data and nothing else: unlike a pickle, it can run nothing.
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


def send(stream: FileIO, head: Mapping[str, Any], body: bytes = b"") -> None:
    """Write a message; ``bytes`` in its head is the length of its body."""
    text = json.dumps({**head, "bytes": len(body)}).encode()
    for part in (_LENGTH.pack(len(text)) + text, body):
        rest = memoryview(part)
        while rest:
            rest = rest[stream.write(rest) :]


def receive(stream: BinaryIO) -> Json | None:
    """Read the head of a message, whose body comes next; None when the other side has ended.

    Raises ``ValueError`` if it is no such message.
    """
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (count,) = _LENGTH.unpack(length)
    if count > LONGEST_HEAD:
        raise ValueError(f"a head of {count:,} bytes")
    text = stream.read(count)
    if len(text) < count:
        return None
    head = json.loads(text)
    if not isinstance(head, dict):
        raise ValueError("a head that is no object")  # noqa: TRY004  (what it is made of is wrong)
    return head
