"""Processors and memory of this machine, or of the container in which this process runs."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from fft_tool.limits import MIB

CGROUPS = Path("/")  # root of the file system that shows the control groups

# Address space that a thread reserves for its stack and its heap; most of it is never used.
_STACK, _HEAP = 8 * MIB, 128 * MIB
_LIBRARIES = 16 * MIB

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4


def usable_cores(cgroups: Path = CGROUPS) -> int:
    """Number of cores that this process may use, at least one; honours container limits."""
    count: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    cores = len(count(0)) if count else os.cpu_count() or 1
    shares = [_share(text) for text in _settings(cgroups, "cpu", "cpu.max")]
    return max(1, min([cores, *(math.ceil(share) for share in shares if share)]))


def physical_memory(cgroups: Path = CGROUPS) -> int:
    """Bytes of memory in this machine or container; a terabyte if unknown."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        memory = 1 << 40
    found = _settings(cgroups, "memory", "memory.max", "memory.limit_in_bytes")
    return min([memory, *(int(text) for text in found if text.isdecimal() and int(text))])


def _settings(cgroups: Path, controller: str, *names: str) -> Iterator[str]:
    """Settings of this process's control groups and all of their ancestors.

    Version 2 has one hierarchy, version 1 has one for each controller. Inside a container, the
    host's paths do not exist, and the container's own group is the root.
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
    """Cores allowed by ``cpu.max`` (``quota period``, in microseconds); None if unlimited."""
    quota, _, period = text.partition(" ")
    return int(quota) / int(period) if quota.isdecimal() and period.isdecimal() else None


def address_bound(most: int | None, *, threads: int, heaps: int = 0) -> int | None:
    """Address space limit, in bytes, that keeps this process to ``most`` bytes of memory.

    A process reserves more address space than it uses memory. The limit therefore adds what it has
    reserved so far, the stacks of ``threads``, ``heaps`` of threads, and libraries still to be
    loaded. None means no limit; systems other than Linux do not enforce one.
    """
    if most is None or sys.platform != "linux":
        return None
    size, resident = Path("/proc/self/statm").read_text("ascii").split()[:2]
    page = os.sysconf("SC_PAGE_SIZE")
    held = int(size) * page + threads * _STACK + heaps * _HEAP + _LIBRARIES
    return held + max(0, most - int(resident) * page)


def hide_memory() -> None:
    """Keep other processes of the same user from inspecting this one (Linux only).

    Otherwise they could read its environment, which may contain credentials.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def end_with_parent() -> None:
    """Have this process killed when its parent ends, for whatever reason (Linux only)."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    """Call Linux's ``prctl``; does nothing on other systems."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  (takes 3 ms)

        ctypes.CDLL(None).prctl(option, value)


def limit_addresses(bound: int) -> None:
    """Limit the address space of this process; exceeding it raises ``MemoryError``."""
    import resource  # noqa: PLC0415  (Unix only)

    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (bound if hard < 0 else min(bound, hard), hard))
