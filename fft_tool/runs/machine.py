"""Processors and memory of this machine, or of the container that this process runs in."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

MIB = 1 << 20

CGROUPS = Path("/")  # below which Linux shows the control groups

# Addresses that a thread takes for its stack, and for a heap of its own; it uses few of them.
_STACK, _HEAP = 8 * MIB, 128 * MIB
_LIBRARIES = 16 * MIB

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def usable_cores(cgroups: Path = CGROUPS) -> int:
    """Cores that this process may use, at least one; a container may have a share of them."""
    count: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    cores = len(count(0)) if count else os.cpu_count() or 1
    shares = [_share(text) for text in _settings(cgroups, "cpu", "cpu.max")]
    return max(1, min([cores, *(math.ceil(share) for share in shares if share)]))


def physical_memory(cgroups: Path = CGROUPS) -> int:
    """Bytes of memory in this machine or container; a terabyte where it does not say."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 1 << 40
    found = _settings(cgroups, "memory", "memory.max", "memory.limit_in_bytes")
    return min([memory, *(int(text) for text in found if text.isdecimal() and int(text))])


def _settings(cgroups: Path, controller: str, *names: str) -> Iterator[str]:
    """Settings of the control groups of this process and of those that enclose it.

    Version 2 has one hierarchy, version 1 one for each controller. Inside a container the paths of
    the host lead nowhere, and the container's own group is at the root.
    """
    try:
        lines = (cgroups / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number != "0" and controller not in controllers.split(","):
            continue
        root = cgroups / "sys/fs/cgroup" / (controller if number != "0" else "")
        group = root / path.strip("/")
        for folder in {root, group, *(up for up in group.parents if up.is_relative_to(root))}:
            for name in names:
                with contextlib.suppress(OSError, ValueError):
                    yield (folder / name).read_text("ascii").strip()


def _share(text: str) -> float | None:
    """Cores that ``cpu.max`` allows, ``quota period`` in microseconds; None if it is no limit."""
    quota, _, period = text.partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


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
    """Call Linux's ``prctl``; does nothing on other systems."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  (costs 3 ms)

        ctypes.CDLL(None).prctl(option, value)


def limit_addresses(bound: int) -> None:
    """Have the system refuse this process more addresses, which is a ``MemoryError``."""
    import resource  # noqa: PLC0415  (Unix alone has it)

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))
