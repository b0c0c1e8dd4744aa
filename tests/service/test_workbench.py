"""The workbench: so many at once, a few that wait, and the others are told to come back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from fft_tool import Limits, Recipe, Source
from fft_tool.codec import png_encode
from fft_tool.errors import CorruptImage, TookTooLong
from fft_tool.runs.child import Child, Patience
from service.errors import Busy
from service.workbench import WAITING, Workbench
from tests.support.images import noise

IMAGE = Source("a.png", png_encode.encode(noise((32, 32))))
BROKEN = Source("b.png", IMAGE.data[:200])


@pytest.fixture
def bench() -> Iterator[Workbench]:
    made = Workbench(1, seconds=60, memory=None)
    yield made
    made.close()


def analyse(source: Source) -> Callable[[Child, Patience], int | None]:
    return lambda child, patience: child.run(source, Recipe(), Limits(), patience=patience).width


def test_work_is_done_by_a_process_that_is_used_again(bench: Workbench) -> None:
    seen: list[Child] = []

    def work(child: Child, patience: Patience) -> int | None:
        seen.append(child)
        return child.run(IMAGE, Recipe(), Limits(), patience=patience).width

    assert [bench.run(work) for _ in range(3)] == [32] * 3
    assert len(set(map(id, seen))) == 1


def test_an_error_of_an_image_does_not_end_the_bench(bench: Workbench) -> None:
    with pytest.raises(CorruptImage):
        bench.run(analyse(BROKEN))
    assert bench.run(analyse(IMAGE)) == 32


def test_work_that_takes_too_long_is_ended() -> None:
    bench = Workbench(1, seconds=0.0, memory=None)
    with pytest.raises((TookTooLong, Busy)):
        bench.run(analyse(IMAGE))
    bench.close()


def test_a_few_wait_and_the_next_is_refused(bench: Workbench) -> None:
    go, begun = threading.Event(), threading.Event()
    results: list[int] = []

    def hold(child: Child, patience: Patience) -> int:  # noqa: ARG001
        begun.set()
        go.wait(60)
        return 1

    threads = [
        threading.Thread(target=lambda: results.append(bench.run(hold))) for _ in range(1 + WAITING)
    ]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    while bench.free_places:  # until all of them have come
        time.sleep(0.001)
    with pytest.raises(Busy, match="too many images") as caught:
        bench.run(hold)
    assert caught.value.retry_after > 0
    go.set()
    for thread in threads:
        thread.join()
    assert results == [1] * (1 + WAITING)
    assert bench.run(analyse(IMAGE)) == 32


def test_those_who_wait_for_too_long_are_refused() -> None:
    bench = Workbench(1, seconds=0.3, memory=None)
    go, begun = threading.Event(), threading.Event()

    def hold(child: Child, patience: Patience) -> None:  # noqa: ARG001
        begun.set()
        go.wait(60)

    thread = threading.Thread(target=bench.run, args=(hold,))
    thread.start()
    assert begun.wait(60)
    with pytest.raises(Busy, match="took too long"):
        bench.run(hold)
    go.set()
    thread.join()
    bench.close()


def test_a_bench_that_was_closed_keeps_no_process(bench: Workbench) -> None:
    children: list[Child] = []

    def work(child: Child, patience: Patience) -> None:  # noqa: ARG001
        children.append(child)
        bench.close()

    bench.run(work)
    with pytest.raises(RuntimeError, match="closed"):
        _ = children[0]._process  # noqa: SLF001  (nothing else tells)
