"""Fixtures of the service: real parts below a folder of the test, and a client of its routes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.database.engine import Database
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


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables, which are copied faster than they are made."""
    file = tmp_path_factory.mktemp("tables") / "service.db"
    database = Database.open(f"sqlite:///{file}")
    database.migrate()
    database.close()
    return file


@pytest.fixture
def parts(settings: Settings, clock: FixedClock, tables: Path) -> Iterator[Parts]:
    """The parts of a service: SQLite, folders, real processes."""
    shutil.copyfile(tables, settings.database_url.removeprefix("sqlite:///"))
    made = make_parts(settings, clock)
    yield made
    made.close()


@pytest.fixture
def client(parts: Parts) -> Iterator[TestClient]:
    """A client of the routes; no worker runs beside it."""
    with TestClient(create_app(parts), base_url="http://127.0.0.1") as made:
        yield made
