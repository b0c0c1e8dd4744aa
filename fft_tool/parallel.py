"""Row blocks on threads: how the pure modules use more than one core.

numpy, the FFT kernel and the compressor release the GIL, so plain threads are enough. Block
boundaries do not depend on the number of threads, so neither do results.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")
Item = TypeVar("Item")

BLOCK_BYTES = 1 << 19  # half a MiB of input: block and temporaries fit into a core's L2 cache


def rows_per_block(row_bytes: int) -> int:
    """Number of rows that fit into one block, at least one."""
    return max(1, BLOCK_BYTES // max(1, row_bytes))


def map_rows(work: Callable[[int, int], T], height: int, rows: int, *, threads: int = 1) -> list[T]:
    """Call ``work(start, stop)`` for consecutive blocks of ``rows`` rows; results in order."""
    spans = [(start, min(start + rows, height)) for start in range(0, height, rows)]
    # Starting a thread takes about as long as processing a block: each gets at least two blocks.
    return _map_spans(work, spans, min(threads, len(spans) // 2))


def run_all(tasks: Sequence[Callable[[], T]], *, threads: int = 1) -> list[T]:
    """Run independent tasks; results in order."""
    spans = [(index, index + 1) for index in range(len(tasks))]
    return _map_spans(lambda index, _: tasks[index](), spans, min(threads, len(tasks)))


def map_in_order(
    work: Callable[[Item], T], items: Sequence[Item], *, threads: int = 1
) -> Iterator[T]:
    """Yield ``work(item)`` for each item, in order, as soon as it is known.

    At most ``threads`` items are worked on at a time. If iteration stops early, those in progress
    are finished and the rest dropped.
    """
    if threads <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  (takes 20 ms)

    pool = ThreadPoolExecutor(threads)
    try:
        yield from pool.map(work, items)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def worth_threads(size: int, threads: int) -> int:
    """Number of threads worth using in a compiled routine that works on ``size`` bytes."""
    return max(1, min(threads, size // (2 * BLOCK_BYTES)))


def _map_spans(
    work: Callable[[int, int], T], spans: list[tuple[int, int]], workers: int
) -> list[T]:
    if workers <= 1:
        return list(itertools.starmap(work, spans))
    return _map_on_threads(work, spans, workers)


def _map_on_threads(
    work: Callable[[int, int], T], spans: list[tuple[int, int]], workers: int
) -> list[T]:
    results: dict[int, T] = {}
    failures: list[BaseException] = []
    todo = iter(enumerate(spans))
    lock = threading.Lock()

    def worker() -> None:
        while not failures:
            with lock:
                index, span = next(todo, (-1, (0, 0)))
            if index < 0:
                return
            try:
                results[index] = work(*span)
            except BaseException as exc:  # noqa: BLE001  (raised in the caller's thread below)
                failures.append(exc)

    helpers = [threading.Thread(target=worker, daemon=True) for _ in range(workers - 1)]
    for helper in helpers:
        helper.start()
    worker()
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]
    return [results[index] for index in range(len(spans))]
