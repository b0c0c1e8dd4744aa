"""Reading what is not larger than is accepted."""

from __future__ import annotations

from fft_tool.limits import Limits
from fft_tool.stores.base import Store


def read_within(store: Store, name: str, limits: Limits) -> bytes:
    """Read an object, unless it has more bytes than ``limits`` accept: then nothing is fetched."""
    return store.read(name, accept=lambda stat: limits.check_bytes(stat.size)).data
