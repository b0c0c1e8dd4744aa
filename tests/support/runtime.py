"""The function as Lambda runs it: a process with Amazon's client, asking a Runtime API.

A :class:`Function` stands for one execution environment. It answers one event at a time; once its
process has ended, Lambda would make a new environment for the next event, and so has a test to.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.cloud import REGION
from tests.support.runtime_api import (
    NAME,
    NOTHING,
    Answer,
    Endpoint,
    FunctionDied,
    TimedOut,
    strict_json,
)

__all__ = ["NAME", "Answer", "Endpoint", "Function", "FunctionDied", "TimedOut", "strict_json"]

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10  # after which a process that was asked to end is killed


class Function:
    """A process that waits for events as in Lambda, started at once; see :func:`environment`.

    ``words`` are what is started in place of Amazon's client; ``before`` is called in the new
    process.
    """

    def __init__(
        self,
        handler: str = "handler.entry.handle",
        *,
        words: Sequence[str] = (),
        memory: int = 1769,
        environ: Mapping[str, str] = NOTHING,
        cwd: Path | None = None,
        before: Callable[[], None] | None = None,
    ) -> None:
        self.endpoint = Endpoint(self.kill)
        self._written = bytearray()
        self._reading = threading.Lock()
        try:
            self.process = subprocess.Popen(
                words or [sys.executable, "-W", "error", "-m", "awslambdaric", handler],
                bufsize=0,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**environment(handler, self.endpoint.address, memory), **environ},
                cwd=cwd or ROOT,
                preexec_fn=before,  # noqa: PLW1509  (no other way to change the process itself)
            )
        except BaseException:
            self.endpoint.close()
            raise
        assert self.process.stdout is not None
        self._pipe = self.process.stdout
        os.set_blocking(self._pipe.fileno(), False)
        self._watcher = threading.Thread(target=self._watch)
        self._watcher.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def invoke(self, event: Any, *, remaining: float = 60.0, patience: float = 60.0) -> Answer:
        """Have an event answered; see :meth:`Endpoint.invoke`."""
        try:
            return self.endpoint.invoke(event, remaining=remaining, patience=patience)
        except FunctionDied as exc:
            exc.add_note(f"what the process wrote last:\n{self.written[-2000:]}")
            raise

    def kill(self) -> None:
        """End the process as a failing machine would: at once, wherever it is."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the process and close the endpoint; a second time does no harm."""
        self.process.terminate()
        try:
            self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._watcher.join()
        self.endpoint.close()

    @property
    def log(self) -> list[dict[str, Any]]:
        """JSON lines that the process has written, up to the last event's answer at least."""
        return [strict_json(line) for line in self._lines() if line.startswith("{")]

    @property
    def text(self) -> str:
        """All other lines."""
        return "\n".join(line for line in self._lines() if not line.startswith("{"))

    def _lines(self) -> list[str]:
        return self.written.split("\n")

    @property
    def written(self) -> str:
        """Everything that the process has written, in one piece."""
        with self._reading:
            if not self._pipe.closed:  # there may be what the watcher has yet to see
                self._drain()
            return self._written.decode()

    def _watch(self) -> None:
        """Keep the pipe from filling up, and tell the endpoint of the end."""
        while not self._pipe.closed:
            select.select([self._pipe], [], [])
            with self._reading:
                if self._drain():
                    self._pipe.close()
        self.endpoint.end(f"the process has ended with {self.process.wait()}")

    def _drain(self) -> bool:
        """Take what there is to read; whether there will be no more."""
        while piece := self._pipe.read(1 << 16):
            self._written += piece
        return piece == b""


def environment(handler: str, address: str, memory: int) -> dict[str, str]:
    """What Lambda sets, and nothing else but where Python and the project are."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_FUNCTION_NAME": NAME,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/20/[$LATEST]0123456789abcdef0123456789abcdef",
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "LANG": "en_US.UTF-8",
        "PATH": os.environ["PATH"],
        "PYTHONPATH": path,
        "TZ": ":UTC",
        "_HANDLER": handler,
    }
