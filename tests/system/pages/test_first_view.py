"""The first view of each page: little to load, and nothing moves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import DESK, PHONE, visiting
from tests.support.first_view import first_view
from tests.support.running_service import RunningService
from tests.support.sample_service import sample_service

pytestmark = pytest.mark.slow

PAGES = (
    *("/", "/assets/1", "/assets/1/studio", "/assets/1/operations?operations=blur:3"),
    *("/assets/1/crop", "/compare?first=1&second=2", "/jobs/all", "/tenants", "/batches"),
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with sample_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", PAGES)
def test_it_takes_less_than_100_kilobytes_and_nothing_moves(
    browser: Browser, service: RunningService, path: str, size: tuple[int, int]
) -> None:
    with visiting(browser, service, size=size) as page:
        view = first_view(page, path)
    assert view.bytes < 100_000
    assert view.moved < 0.001  # parts of a pixel
