"""What this machine has."""

from __future__ import annotations

import os
from collections.abc import Callable


def usable_cores() -> int:
    """Cores that this process may use."""
    count: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(count(0)) if count else os.cpu_count() or 1


def physical_memory() -> int:
    """Bytes of memory in this machine; a terabyte where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 1 << 40
