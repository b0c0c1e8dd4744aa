"""The service as it runs for others: a process of its own, reached over HTTP and sockets."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.support.command import Finished, environment
from tests.support.service import environ_in

T = TypeVar("T")

SECONDS = 60  # after which a service, or a job, is stuck
_SERVING = re.compile(r"serving at http://([0-9.]+):(\d+)")


@dataclass(frozen=True)
class RunningService:
    """A service that runs, with everything that it keeps below ``folder``."""

    process: subprocess.Popen[bytes]
    folder: Path
    environ: dict[str, str]
    host: str
    port: int

    @property
    def url(self) -> str:
        """Address, without a slash at its end."""
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> str:
        """What it has written until now."""
        return (self.folder / "log").read_text("utf-8")

    def client(self, key: str | None = None) -> httpx.Client:
        """A client, with the key of a tenant or an administrator."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=SECONDS, trust_env=False)

    def command(self, *words: str) -> Finished:
        """Run ``fft-service`` with these words, and the settings of this service."""
        done = subprocess.run(
            [sys.executable, "-m", "service", *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        return Finished(done.returncode, done.stdout, done.stderr.decode())

    def kill(self) -> None:
        """End it as a loss of power would."""
        self.process.kill()
        self.process.wait()

    def temporary_files(self) -> list[str]:
        """Uploads that are arriving now, or were left behind."""
        return sorted(path.name for path in (self.folder / "temporary").glob("upload-*"))


@contextlib.contextmanager
def running_service(folder: Path, **variables: str) -> Iterator[RunningService]:
    """Run a service while the ``with`` statement lasts, and see that it stops cleanly."""
    given = environ_in(folder, **{"WORKER": "in-process", "RATE_LIMIT": "0", **variables})
    environ = environment(**given)
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve"], cwd=folder, env=environ, stderr=stream
        )
    try:
        found = until(lambda: _SERVING.search(_log_of(process, log)))
        yield RunningService(process, folder, environ, found[1], int(found[2]))
        if process.poll() != -signal.SIGKILL:  # by the test
            process.send_signal(signal.SIGTERM)
            assert process.wait(SECONDS) == 0, log.read_text("utf-8")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def until(condition: Callable[[], T | None]) -> T:
    """Ask until the answer is not false, and return it."""
    end = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
    return found


def uploaded(client: httpx.Client, name: str, data: bytes, tenant: str = "acme") -> dict[str, Any]:
    """Upload an image and wait until its job has ended; returns the asset."""
    form = {"tenant_name": tenant}
    answer = client.post("/upload/", files={"file": (name, data)}, data=form)
    return finished_asset(client, answer.raise_for_status().json()["asset_id"])


def finished_asset(client: httpx.Client, asset_id: int) -> dict[str, Any]:
    """An asset whose job has ended, well or not, as the service describes it."""

    def ended() -> dict[str, Any] | None:
        asset: dict[str, Any] = client.get(f"/retrieve/asset/{asset_id}").raise_for_status().json()
        return asset if asset["status"] in ("done", "failed") else None

    return until(ended)


def _log_of(process: subprocess.Popen[bytes], log: Path) -> str:
    text = log.read_text("utf-8")
    assert process.poll() is None, text
    return text
