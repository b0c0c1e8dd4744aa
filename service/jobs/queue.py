"""The queue that wakes workers: huey's storage, in Redis or in an SQLite file.

It carries ids of jobs as text, and nobody relies on it: a worker that is woken takes whatever job
is due, and looks for jobs from time to time without being woken. Messages may therefore be lost,
doubled, or left over from yesterday, and Redis may come and go.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from fft_tool.databases.addresses import address
from fft_tool.errors import BadDatabase
from service.settings import Settings

NAME = "fftservice"
FILE = "queue.db"

CONNECTING = 2  # seconds until Redis has to have answered
LOOKING = 0.05  # seconds between two looks into a file
AWAY = 5  # seconds for which a queue that did not answer is left alone

_log = logging.getLogger(__name__)


class Queue:
    """Wakes a worker, in this process or in another one; use it from any thread.

    ``storage`` is one of huey's, and ``faults`` are the exceptions that it raises when it is away.
    """

    def __init__(self, storage: Any, place: str, *faults: type[Exception]) -> None:
        self.place = place
        self._storage, self._faults = storage, faults
        self._away_until = 0.0
        self._closed = threading.Event()

    def wake(self, job_id: int) -> None:
        """Have a worker look for jobs that are due, because of this one.

        Does not raise: without the message, a worker finds the job a moment later.
        """
        if time.monotonic() < self._away_until:
            return
        try:
            self._storage.enqueue(b"%d" % job_id)
        except self._faults as exc:
            self._leave_alone(exc)

    def wait(self, seconds: float) -> bool:
        """Wait until a worker is to wake, or time is over; return whether it was woken."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self._closed.is_set():
            if time.monotonic() < self._away_until:
                self._closed.wait(left)
                break
            try:
                if self._storage.dequeue() is not None:
                    return True
            except self._faults as exc:
                self._leave_alone(exc)
                continue
            if not self._storage.blocking:
                self._closed.wait(min(LOOKING, left))
        return False

    def close(self) -> None:
        """Close the connections; whoever waits stops waiting."""
        self._closed.set()
        with suppress(*self._faults):
            self._storage.close()

    def _leave_alone(self, exc: Exception) -> None:
        """Do not ask again for a while: each request would wait for an answer."""
        self._away_until = time.monotonic() + AWAY
        _log.warning("the queue in %s is away, jobs wait for up to a second: %s", self.place, exc)


def open_queue(settings: Settings) -> Queue:
    """Open the queue that the settings name: Redis if it answers, otherwise a file."""
    if settings.redis_url:
        queue = _in_redis(settings.redis_url)
        if queue is not None:
            return queue
    return _in_file(queue_file(settings))


def queue_file(settings: Settings) -> Path:
    """File of the queue: next to the database if that is a file, otherwise in a folder."""
    url = address(settings.database_url)
    beside = Path(str(url.database)).parent if url.drivername == "sqlite" else settings.temporary
    return beside / FILE


def _in_redis(url: str) -> Queue | None:
    """A queue in Redis, or None if it does not answer."""
    from huey.storage import RedisStorage  # noqa: PLC0415  (only with Redis)
    from redis import ConnectionPool, RedisError  # noqa: PLC0415  (as above)
    from redis.backoff import NoBackoff  # noqa: PLC0415  (as above)
    from redis.retry import Retry  # noqa: PLC0415  (as above)

    pool = ConnectionPool.from_url(
        url,
        socket_connect_timeout=CONNECTING,
        socket_timeout=2 * CONNECTING,  # longer than huey waits for a message
        retry=Retry(NoBackoff(), 1),  # at once, with a new connection: Redis may have restarted
    )
    storage = RedisStorage(NAME, connection_pool=pool)
    storage.close = pool.disconnect  # huey leaves it to the garbage collector
    place = "Redis"  # the address may hold a password
    try:
        storage.conn.ping()
    except (RedisError, OSError) as exc:
        _log.warning("Redis does not answer, the queue is kept in a file instead: %s", exc)
        pool.disconnect()
        return None
    return Queue(storage, place, RedisError, OSError)


def _in_file(path: Path) -> Queue:
    from huey.storage import SqliteStorage  # noqa: PLC0415  (only without Redis)

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Messages need not survive a loss of power.
        storage = SqliteStorage(NAME, filename=str(path), fsync=False)
    except (OSError, sqlite3.Error) as exc:
        raise BadDatabase(f"{path}: the queue cannot be opened: {exc}") from exc
    return Queue(storage, path.name, sqlite3.Error)
