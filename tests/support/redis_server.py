"""A Redis server of the tests' own, on a port of its own, with nothing on disk."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import redis

from tests.support.local_cloud import free_port, wait_until


@dataclass
class RedisServer:
    """A server, and what is needed to stop and start it again."""

    program: str
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, empty, and wait until it answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp"]  # noqa: S108  (nothing is written)
        self.process = subprocess.Popen([self.program, *words], stdout=subprocess.DEVNULL)
        wait_until(self._answers)

    def stop(self) -> None:
        """Stop the server as a crash would; what it holds is lost."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with contextlib.closing(redis.Redis(port=self.port)) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False


@contextlib.contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Run a server while the ``with`` statement lasts; skip the test where there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    server = RedisServer(program, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
