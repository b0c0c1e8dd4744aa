"""What tests of the service share: settings below a folder, and a clock that stands still."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

with warnings.catch_warnings():  # it would rather have a later httpx
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient as TestClient  # noqa: PLC0414  (is imported from here)

from service.clock import Clock
from service.jobs.worker import Worker
from service.parts import Parts
from service.settings import Settings
from service.work import WORK


class FixedClock(Clock):
    """A clock that only moves when it is told to."""

    def __init__(self, time: datetime = datetime(2026, 12, 1, 12, tzinfo=UTC)) -> None:
        self.time = time

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Move on."""
        self.time += timedelta(seconds=seconds)


def environ_in(folder: Path, **variables: str) -> dict[str, str]:
    """Environment of a service that keeps everything below a folder."""
    return {
        "DATABASE_URL": f"sqlite:///{folder}/service.db",
        "STORAGE_PATH": str(folder / "storage"),
        "PROCESSED_IMAGES": str(folder / "processed_images"),
        "TEMPORARY_PATH": str(folder / "temporary"),
        "WORKER": "none",
        "WORKERS": "2",
        "PORT": "0",
        **variables,
    }


def settings_in(folder: Path, **variables: str) -> Settings:
    """Settings of such a service."""
    return Settings.from_environ(environ_in(folder, **variables))


def work_off(parts: Parts) -> int:
    """Do all jobs that are due now; return how many were."""
    return Worker(parts, WORK).work_off()
