"""The queue in a file: it wakes, and never stops anybody."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fft_tool.errors import BadDatabase
from service.jobs.queue import open_queue, queue_file
from service.parts import Parts
from service.settings import Settings
from tests.support.service import settings_in


def test_what_is_woken_before_is_not_lost(parts: Parts) -> None:
    parts.queue.wake(1)
    parts.queue.wake(2)
    assert [parts.queue.wait(60), parts.queue.wait(60), parts.queue.wait(0.01)] == [
        *(True, True),
        False,
    ]


def test_one_process_wakes_another(parts: Parts, settings: Settings) -> None:
    """Here it has a queue of its own on the same file, as a process has."""
    other = open_queue(settings)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(other.wait, 60)
        parts.queue.wake(1)
        assert waiting.result()
    other.close()


def test_messages_hold_numbers_and_nothing_that_would_be_executed(parts: Parts) -> None:
    parts.queue.wake(17)
    assert parts.queue._storage.enqueued_items() == [b"17"]  # noqa: SLF001  (what is in the file)


def test_closing_ends_the_waiting(parts: Parts) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(parts.queue.wait, 3600)
        threading.Event().wait(0.1)
        parts.queue.close()
        assert not waiting.result()


def test_the_file_is_next_to_that_of_the_database(tmp_path: Path) -> None:
    assert queue_file(settings_in(tmp_path)) == tmp_path / "queue.db"
    elsewhere = settings_in(tmp_path, DATABASE_URL="postgresql://a:b@host/name")
    assert queue_file(elsewhere) == tmp_path / "temporary/queue.db"


def test_without_redis_a_file_is_used_and_a_warning_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = "redis://:pa55word@127.0.0.1:1/0"
    queue = open_queue(settings_in(tmp_path, REDIS_URL=url))
    queue.wake(1)
    assert queue.wait(60)
    queue.close()
    assert "Redis does not answer, the queue is kept in a file instead" in caplog.text
    assert "pa55word" not in caplog.text


def test_a_file_that_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    (tmp_path / "queue.db").mkdir()
    with pytest.raises(BadDatabase, match=r"queue\.db: the queue cannot be opened"):
        open_queue(settings_in(tmp_path))


def test_a_file_that_is_damaged_stops_nobody(
    parts: Parts, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    for path in queue_file(settings).parent.glob("queue.db*"):
        path.write_bytes(b"It is not a database.\n" * 1000)
    parts.queue.wake(1)
    parts.queue.wake(2)
    assert not parts.queue.wait(0.01)
    assert caplog.text.count("is away") == 1, "told once, then left alone for a while"
