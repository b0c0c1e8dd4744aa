"""The gallery and the page of an image in a browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.images import noise, png_bytes
from tests.support.running_service import RunningService

pytestmark = pytest.mark.slow


def picture(seed: int, name: str) -> dict[str, object]:
    data = png_bytes(noise((96, 128), seed=seed))
    return {"name": name, "mimeType": "image/png", "buffer": data}


def test_files_are_uploaded_and_their_cards_follow_the_jobs(
    browser: Browser, service: RunningService
) -> None:
    with visiting(browser, service) as page:
        page.goto("/")
        files = [picture(1, "first.png"), picture(2, "<b>second.png")]
        page.set_input_files("[data-files]", files)  # type: ignore[arg-type]
        cards = page.locator(".card[data-status=done]")
        expect(cards).to_have_count(2)
        expect(page.get_by_text("128 × 96 px")).to_have_count(2)
        page.get_by_role("link", name="first.png").click()
        expect(page.get_by_role("heading", name="What the spectrum says")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_both_pages_are_accessible_and_fit(
    browser: Browser, service: RunningService, size: tuple[int, int], scheme: str
) -> None:
    with visiting(browser, service, size=size, color_scheme=scheme) as page:
        for path in ("/", "/assets/1"):
            page.goto(path)
            check_accessible(page)
            check_fits(page)
