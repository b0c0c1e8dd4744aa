"""What this machine has, and how much of its memory a process may take."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

MIB = 1 << 20

# Addresses that a thread takes for its stack, and for a heap of its own; it uses few of them.
_STACK, _HEAP = 8 * MIB, 128 * MIB
_LIBRARIES = 16 * MIB

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


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


def address_bound(most: int | None, *, threads: int, heaps: int = 0) -> int | None:
    """Give the bytes of addresses for this process, if it is to take at most ``most`` of memory.

    A process holds more addresses than memory: what it holds already is let be, and so is what
    ``threads`` take for their stacks and ``heaps`` for theirs, and what is yet to be loaded. None
    is no bound; only Linux holds to one.
    """
    if most is None or sys.platform != "linux":
        return None
    size, resident = Path("/proc/self/statm").read_text("ascii").split()[:2]
    page = os.sysconf("SC_PAGE_SIZE")
    held = int(size) * page + threads * _STACK + heaps * _HEAP + _LIBRARIES
    return held + max(0, most - int(resident) * page)


def hide_memory() -> None:
    """Keep other processes of the same user from looking into this one, where Linux runs.

    Its environment, with the credentials in it, is else there for all of them to read.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def end_with_parent() -> None:
    """Have this process killed when the one that started it ends, however that ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    """Tell Linux something about this process; other systems have nothing of the kind."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  (costs 3 ms)

        ctypes.CDLL(None).prctl(option, value)


def limit_addresses(bound: int) -> None:
    """Have the system refuse this process more addresses, which is a ``MemoryError``."""
    import resource  # noqa: PLC0415  (Unix alone has it)

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))
