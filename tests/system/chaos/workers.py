"""Workers: processes of the real function, which may be killed at any point and are replaced."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from tests.support.runtime import Function

SECONDS = 60  # after which a request under way is a fault of the test


class Worker:
    """One process. It signs its requests to S3 with its name, so that they can be told apart."""

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
        """Kill the process wherever it is; whether it was alive."""
        with self._news:
            if self.killed:
                return False
            self.killed = True
        self.function.kill()
        return True

    def said_of(self, key: str) -> str:
        """What became of the work on an object, by the function's log."""
        if self.killed:
            return f"{self.name} is dead"
        lines = [line["message"] for line in self.function.log if line.get("key") == key]
        return str(lines[-1]) if lines else "nothing was said"

    @contextlib.contextmanager
    def requesting(self) -> Iterator[None]:
        """Surround a request of this worker, until it is to be answered."""
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
        """Whether S3 has yet to answer any of its requests."""
        with self._news:
            return self._requests > 0

    def wait_for_requests(self) -> None:
        """Wait until S3 is done with all requests of a worker that is dead.

        Its messages come back minutes later, when none of them has any effect any more.
        """
        with self._news:
            assert self._news.wait_for(lambda: not self._requests, SECONDS)
