"""Reading of objects up to a maximum size."""

from __future__ import annotations

from fft_tool.limits import Limits
from fft_tool.stores.base import Store


def read_within(store: Store, name: str, limits: Limits) -> bytes:
    """Read an object; raise before fetching it if it has more bytes than ``limits`` accept."""
    with store.open(name) as handle:
        limits.check_bytes(handle.stat.size)
        return handle.read()
