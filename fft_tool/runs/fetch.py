"""Reading of objects and streams up to a maximum size."""

from __future__ import annotations

from typing import BinaryIO

from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.stores.base import Store
from fft_tool.stores.folder import translated

_HEAD = 4096  # bytes, enough to detect the format
_AT_ONCE = 1 << 20  # bytes


def read_within(store: Store, name: str, limits: Limits) -> bytes:
    """Read an object; raise before fetching it if it has more bytes than ``limits`` accept."""
    with store.open(name) as handle:
        limits.check_bytes(handle.stat.size)
        return handle.read()


def check_start(store: Store, name: str) -> None:
    """Raise an ``ImageError`` if an object does not begin like an image."""
    from fft_tool.codec.sniffing import sniff  # noqa: PLC0415  (loads numpy)

    with store.open(name) as handle:
        sniff(handle.read(_HEAD))


def read_stream(stream: BinaryIO, name: str, limits: Limits) -> bytes:
    """Read an image from a stream of unknown length, called ``name`` in messages.

    Raises an error after the first bytes if they are not those of an image, and as soon as more has
    been read than ``limits`` accept.
    """
    from fft_tool.codec.sniffing import sniff  # noqa: PLC0415  (loads numpy)

    data = bytearray()
    try:
        while chunk := stream.read(_AT_ONCE if len(data) >= _HEAD else _HEAD - len(data)):
            data += chunk
            if len(data) == _HEAD:
                sniff(bytes(data))
            limits.check_bytes(len(data))
            limits.check_memory(FIXED_MEMORY + len(data))
    except OSError as exc:
        raise translated(exc, name) from exc
    return bytes(data)
