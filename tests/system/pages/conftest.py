"""Fixtures of the pages: a browser, and a service in which everybody is an administrator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import chromium
from tests.support.running_service import RunningService, running_service


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service for the tests of one module."""
    with running_service(tmp_path_factory.mktemp("service")) as running:
        yield running
