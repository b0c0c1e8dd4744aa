"""Workers: processes of the real function, which may be killed at any time and are replaced."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from tests.support.runtime import Function

SECONDS = 60  # after which a pending request is a fault of the test


class Worker:
    """One process, which signs its requests with its name, so that they can be attributed."""

    def __init__(self, name: str, endpoint: str) -> None:
        self.name = name
        self.killed = False
        self._requests = 0
        self._news = threading.Condition()
        self.function = Function(
            environ={
                "AWS_ACCESS_KEY_ID": name,
                "AWS_ENDPOINT_URL": endpoint,
                "OPENBLAS_NUM_THREADS": "1",
            }
        )

    def kill(self) -> bool:
        """Kill the process; returns whether it was alive."""
        with self._news:
            if self.killed:
                return False
            self.killed = True
        self.function.kill()
        return True

    def log_of(self, key: str) -> str:
        """The last message about an object in the function's log."""
        if self.killed:
            return f"{self.name} is dead"
        lines = [line["message"] for line in self.function.log if line.get("key") == key]
        return str(lines[-1]) if lines else "nothing was logged"

    @contextlib.contextmanager
    def requesting(self) -> Iterator[None]:
        """Count a request of this worker as pending."""
        with self._news:
            self._requests += 1
        try:
            yield
        finally:
            with self._news:
                self._requests -= 1
                self._news.notify_all()

    @property
    def has_requests(self) -> bool:
        """Whether any of its requests is pending."""
        with self._news:
            return self._requests > 0

    def wait_for_requests(self) -> None:
        """Wait until S3 has completed all requests of a dead worker.

        In SQS its messages would become visible minutes later, after these requests have ended.
        """
        with self._news:
            assert self._news.wait_for(lambda: not self._requests, SECONDS)
