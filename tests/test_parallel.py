"""Row blocks on threads: each row exactly once, results in order, and errors propagated."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fft_tool.parallel import (
    BLOCK_BYTES,
    map_in_order,
    map_rows,
    rows_per_block,
    run_all,
    worth_threads,
)

THREADS = st.sampled_from((1, 2, 3, 8))


@settings(max_examples=60, deadline=None)
@given(height=st.integers(0, 100), rows=st.integers(1, 120), threads=THREADS)
def test_every_row_is_worked_on_once_and_results_are_in_order(
    height: int, rows: int, threads: int
) -> None:
    spans = map_rows(lambda start, stop: (start, stop), height, rows, threads=threads)
    assert [row for start, stop in spans for row in range(start, stop)] == list(range(height))
    assert all(0 < stop - start <= rows for start, stop in spans)


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 100), rows=st.integers(1, 50), threads=THREADS)
def test_blocks_are_the_same_for_any_number_of_threads(
    height: int, rows: int, threads: int
) -> None:
    def cut(count: int) -> list[tuple[int, int]]:
        return map_rows(lambda start, stop: (start, stop), height, rows, threads=count)

    assert cut(threads) == cut(1)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("error", [ValueError("row 7"), KeyboardInterrupt()])
def test_a_failure_reaches_the_caller_as_it_was_raised(threads: int, error: BaseException) -> None:
    def work(start: int, _: int) -> None:
        if start == 7:
            raise error

    with pytest.raises(type(error)) as caught:
        map_rows(work, 20, 1, threads=threads)
    assert caught.value is error


@pytest.mark.parametrize("threads", [1, 3])
def test_no_block_is_begun_after_a_failure(threads: int) -> None:
    begun: list[int] = []

    def work(start: int, _: int) -> None:
        begun.append(start)
        raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        map_rows(work, 1000, 1, threads=threads)
    assert len(begun) <= threads


def test_threads_work_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=10)
    map_rows(lambda _, __: meeting.wait(), 6, 1, threads=3)


def test_a_thread_is_not_started_for_a_single_block() -> None:
    seen: set[int] = set()
    map_rows(lambda _, __: seen.add(threading.get_ident()), 3, 1, threads=3)
    assert seen == {threading.get_ident()}


def test_tasks_run_at_the_same_time_and_return_in_order() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def task(name: str) -> str:
        meeting.wait()
        return name

    assert run_all([lambda: task("a"), lambda: task("b")], threads=2) == ["a", "b"]


@pytest.mark.parametrize(("size", "threads"), [(0, 1), (BLOCK_BYTES, 1), (8 * BLOCK_BYTES, 4)])
def test_compiled_routines_get_threads_by_the_size_of_their_data(size: int, threads: int) -> None:
    assert worth_threads(size, 4) == threads


def test_no_more_threads_than_asked_for_and_none_left_behind() -> None:
    before = threading.active_count()
    seen: set[int] = set()
    map_rows(lambda _, __: seen.add(threading.get_ident()), 200, 1, threads=2)
    assert len(seen) <= 2
    assert threading.active_count() == before


def test_a_single_thread_is_that_of_the_caller() -> None:
    assert map_rows(lambda _, __: threading.get_ident(), 3, 1) == [threading.get_ident()] * 3


@settings(deadline=None)
@given(row_bytes=st.integers(0, 1 << 40))
def test_a_block_has_at_least_a_row_and_otherwise_fits_its_budget(row_bytes: int) -> None:
    rows = rows_per_block(row_bytes)
    assert rows == 1 or rows * row_bytes <= BLOCK_BYTES or row_bytes == 0
    assert rows >= 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_items_whichever_is_first(threads: int) -> None:
    later = threading.Event()

    def work(item: int) -> int:
        if item == 0 and threads > 1:
            assert later.wait(10)
        if item == 1:
            later.set()
        return item * item

    assert list(map_in_order(work, range(20), threads=threads)) == [i * i for i in range(20)]


def test_no_more_items_are_worked_on_at_a_time_than_there_are_threads() -> None:
    lock, now, most = threading.Lock(), 0, 0

    def work(_: int) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        with lock:
            now -= 1

    list(map_in_order(work, range(200), threads=3))
    assert most <= 3


@pytest.mark.parametrize("threads", [1, 2])
def test_items_are_dropped_if_iteration_stops_or_fails(threads: int) -> None:
    done = []

    def work(item: int) -> int:
        if item == 3:
            raise ValueError("item 3")
        done.append(item)
        return item

    with pytest.raises(ValueError, match="item 3"):
        list(map_in_order(work, range(5000), threads=threads))
    assert len(done) < 5000
