"""Fixtures of the service: real parts below a folder of the test, and a client of its routes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.parts import Parts, make_parts
from service.settings import Settings
from tests.support.service import FixedClock, TestClient, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with everything below a folder of the test."""
    return settings_in(tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    """A clock that stands still until the test moves it."""
    return FixedClock()


@pytest.fixture
def parts(settings: Settings, clock: FixedClock) -> Iterator[Parts]:
    """The parts of a service: SQLite, folders, real processes."""
    made = make_parts(settings, clock)
    yield made
    made.close()


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    """A client of the routes; no worker runs beside it."""
    with TestClient(create_app(parts), base_url="http://127.0.0.1") as made:
        yield made
