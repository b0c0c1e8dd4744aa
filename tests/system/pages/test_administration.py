"""Pages for administrators in a browser: jobs that are tried again, tenants, batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from fft_tool.batches.database import publish_rows
from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.images import noise, png_bytes
from tests.support.jobs import rows_of
from tests.support.running_service import RunningService, running_service, until, uploaded

pytestmark = pytest.mark.slow

JOB = "leaves/<b>spring"
LARGE = png_bytes(np.tile(noise((500, 500)), (8, 8)))  # needs more than 64 MiB


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with an image of each of two tenants, one of which fails, and rows of batches."""
    folder: Path = tmp_path_factory.mktemp("service")
    url = f"sqlite:///{folder}/batches.db"
    publish_rows(url, rows_of(JOB))
    publish_rows(url, rows_of(JOB, revision=2, black=9, key="later"))
    with running_service(folder, BATCHES_DATABASE_URL=url) as running:
        with running.client() as client:
            uploaded(client, "sound.png", png_bytes(noise((40, 50))))
            uploaded(client, "<i>broken.png", png_bytes(noise((40, 50)))[:900], "other")
        yield running


def test_a_job_that_failed_for_good_is_tried_again_and_succeeds(
    browser: Browser, tmp_path: Path
) -> None:
    """It needed more memory than it was given, until the service was started with more."""
    with running_service(tmp_path, IMAGE_MEMORY="64") as narrow:
        with narrow.client() as client:
            uploaded(client, "large.png", LARGE)
        with visiting(browser, narrow) as page:
            page.goto("/jobs/all")
            expect(page.locator(".failures li")).to_contain_text("memory")
            page.get_by_role("button", name="Try job 1 again").click()
            expect(page.get_by_role("status")).to_have_text("1 job queued again.")
            page.goto("/jobs/all")
            expect(page.locator(".failures li")).to_contain_text("memory")  # and fails again
    with running_service(tmp_path) as wide, visiting(browser, wide) as page:
        page.goto("/jobs/all")
        page.get_by_role("button", name="Try all again").focus()
        page.keyboard.press("Enter")
        expect(page.locator("tbody .badge")).to_have_text(["done"])  # told as it happens
        expect(page.locator(".failures")).to_have_count(0)


def test_without_scripts_a_job_is_tried_again(browser: Browser, service: RunningService) -> None:
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto("/jobs/all")
        page.get_by_role("button", name="Try job 2 again").click()
        expect(page.get_by_role("status")).to_have_text("1 job queued again.")
        until(lambda: page.goto("/jobs/all") and page.locator(".failures li").count())


def test_usage_is_told_of_each_tenant(browser: Browser, service: RunningService) -> None:
    with visiting(browser, service) as page:
        page.goto("/tenants")
        assert page.locator(".tenant h2").all_inner_texts() == ["acme", "other"]
        current = page.get_by_role("navigation", name="Pages").locator("[aria-current]")
        expect(current).to_have_text("Tenants")
        expect(page.locator(".tenant").nth(1)).to_contain_text("Failures")
        page.get_by_role("link", name="acme").click()
        expect(page.locator(".card")).to_have_count(1)


def test_batches_lead_to_their_rows_and_revisions(
    browser: Browser, service: RunningService
) -> None:
    with visiting(browser, service) as page:
        page.goto("/batches")
        page.get_by_role("link", name=JOB).click()
        expect(page.locator("figure svg")).to_have_count(2)
        expect(page.get_by_text("batch 2: 3 fewer")).to_be_visible()
        mean = page.locator("tbody tr").first.locator("td").nth(2)
        expect(mean).to_have_text("10.0")
        page.get_by_role("link", name="Revision 1").click()
        expect(mean).to_have_text("6.0")


@pytest.mark.parametrize(
    "options",
    [{"size": DESK}, {"size": PHONE, "color_scheme": "dark"}],
    ids=["desk", "phone, dark"],
)
@pytest.mark.parametrize("path", ["/jobs/all", "/tenants", "/batches", f"/batches/{JOB}"])
def test_pages_are_accessible_and_fit(
    browser: Browser, service: RunningService, path: str, options: dict[str, Any]
) -> None:
    with visiting(browser, service, **options) as page:
        page.goto(path)
        check_accessible(page)
        check_fits(page)
