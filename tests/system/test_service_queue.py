"""The queue in a real Redis: it wakes other processes, and may go away at any time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.jobs import queue as module
from service.jobs.queue import Queue, open_queue
from tests.support.redis_server import RedisServer, redis_server
from tests.support.service import settings_in


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
def queue(server: RedisServer, tmp_path: Path) -> Iterator[Queue]:
    made = open_queue(settings_in(tmp_path, REDIS_URL=server.url))
    yield made
    made.close()


def test_redis_is_used_where_it_answers(queue: Queue, tmp_path: Path) -> None:
    assert queue.place == "Redis"
    assert not list(tmp_path.glob("queue.db*"))


def test_one_process_wakes_another(queue: Queue, server: RedisServer, tmp_path: Path) -> None:
    """Here it has a queue of its own on the same server, as a process has."""
    other = open_queue(settings_in(tmp_path, REDIS_URL=server.url))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.wait, 60)
        queue.wake(1)
        assert waiting.result()
    other.close()


def test_waiting_ends_in_time_without_a_message(queue: Queue) -> None:
    assert not queue.wait(0.1)


def test_a_restart_is_not_noticed(queue: Queue, server: RedisServer) -> None:
    queue.wake(1)
    server.stop()
    server.start()
    queue.wake(2)
    assert queue.wait(60)


def test_while_redis_is_away_nobody_is_stopped_and_it_is_used_again_when_it_is_back(
    queue: Queue,
    server: RedisServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "AWAY", 0.2)
    server.stop()
    for n in range(100):
        queue.wake(n)
    assert not queue.wait(0.05)
    assert 1 <= caplog.text.count("the queue in Redis is away") < 100
    server.start()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: any(queue.wait(0.5) for _ in range(100)))
        while not waiting.done():
            queue.wake(1)
        assert waiting.result()
