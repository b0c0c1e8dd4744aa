"""A real browser, in which whatever a page should not do fails the test."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.support.running_service import RunningService

DESK = (1440, 900)
PHONE = (375, 740)
PATIENCE = 60_000  # milliseconds: machines of tests may be busy
SERIOUS = ("serious", "critical")

_IMAGES = """() => Promise.all([...document.images]
  .filter((each) => each.checkVisibility() && each.getBoundingClientRect().top <= innerHeight)
  .map((each) => each.decode()))"""

# The browser logs each refused request; a test that has one refused expects it.
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without windows, while the ``with`` statement lasts."""
    path = shutil.which("chromium")
    assert path, "chromium is not installed: apt-get install chromium"
    with sync_playwright() as playwright:
        # Its sandbox needs privileges that containers do not have; the pages are our own.
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextlib.contextmanager
def visiting(
    browser: Browser,
    service: RunningService,
    *,
    size: tuple[int, int] = DESK,
    refusals: bool = False,
    **options: Any,
) -> Iterator[Page]:
    """A page in a fresh profile; ``options`` are those of Playwright's contexts.

    Errors in scripts, violations of the content security policy and requests to other hosts fail
    the test, and so do refused requests, but where it says that there are ``refusals``.
    """
    width, height = size
    context = browser.new_context(
        base_url=service.url, viewport={"width": width, "height": height}, **options
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    faults: list[str] = []

    def logged(message: ConsoleMessage) -> None:
        if message.type == "error" and not (refusals and _REFUSED.match(message.text)):
            faults.append(f"{message.text} {message.location['url']}")

    def requested(request: Request) -> None:
        if not _is_own(request.url, service):
            faults.append(request.url)

    page.on("console", logged)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", requested)
    try:
        yield page
    finally:
        context.close()
    assert not faults, faults


def wait_for_images(page: Page) -> None:
    """Wait for the images in the window; those outside of it are not loaded."""
    page.evaluate(_IMAGES)


def check_accessible(page: Page) -> None:
    """Have axe look at the page: it finds nothing serious."""
    page.evaluate(_axe())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    assert [
        f"{each['id']}: {each['help']}: {[node['html'] for node in each['nodes']]}"
        for each in found["violations"]
        if each["impact"] in SERIOUS
    ] == []


def check_fits(page: Page) -> None:
    """Nothing is wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{wide} px wider than the window"


@cache
def _axe() -> str:
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def _is_own(url: str, service: RunningService) -> bool:
    return url.startswith((f"{service.url}/", "blob:", "data:"))
