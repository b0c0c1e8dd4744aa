"""Signing in with a key in a browser: who sees what, and sessions that end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import PHONE, check_accessible, check_fits, visiting
from tests.support.running_service import RunningService, running_service, uploaded
from tests.support.sample_service import SAMPLES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service that requires keys, with an image of one tenant."""
    folder: Path = tmp_path_factory.mktemp("service")
    with running_service(folder, AUTHENTICATION="keys") as running:
        with running.client(make_key(running, "--tenant", "acme")) as client:
            uploaded(client, "text.png", (SAMPLES / "text.png").read_bytes())
        yield running


def make_key(service: RunningService, *who: str) -> str:
    """Make a key as an operator does."""
    made = service.command("keys", "make", *who)
    assert made.code == 0, made.err
    key: str = re.findall(r"\S{40,}", made.out.decode())[0]
    return key


def sign_in(page: Page, key: str) -> None:
    page.get_by_label("Key").fill(key)
    page.get_by_role("button", name="Sign in").click()


def test_a_key_leads_to_the_page_that_was_asked_for_and_signing_out_ends_the_session(
    browser: Browser, service: RunningService
) -> None:
    key = make_key(service, "--tenant", "acme")
    with visiting(browser, service, refusals=True) as page:
        page.goto("/assets/1/operations?operations=blur:3")
        sign_in(page, "wrong")
        expect(page.get_by_role("alert")).to_contain_text("key")
        sign_in(page, key)
        expect(page.locator(".step b")).to_have_text(["blur"])
        cookie: Any = page.context.cookies()[0]
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Key")).to_be_visible()
        page.context.add_cookies([cookie])  # kept by somebody: it is worth nothing any more
        page.goto("/")
        expect(page.get_by_label("Key")).to_be_visible()


def test_a_revoked_key_ends_its_sessions(browser: Browser, service: RunningService) -> None:
    key = make_key(service, "--tenant", "acme", "--label", "lost")
    listed = service.command("keys", "list").out.decode()
    number = next(line.split()[0] for line in listed.splitlines() if "lost" in line)
    with visiting(browser, service, refusals=True) as page:
        page.goto("/")
        sign_in(page, key)
        expect(page.get_by_role("heading", name="Gallery")).to_be_visible()
        assert service.command("keys", "revoke", number).code == 0
        page.reload()
        expect(page.get_by_label("Key")).to_be_visible()


def test_a_tenant_sees_its_own_and_nothing_of_administrators(
    browser: Browser, service: RunningService
) -> None:
    with visiting(browser, service, refusals=True) as page:
        page.goto("/tenants")
        sign_in(page, make_key(service, "--tenant", "other"))
        expect(page.get_by_role("heading", name="Usage")).to_be_visible()
        pages = page.get_by_role("navigation", name="Pages").get_by_role("link")
        assert pages.all_inner_texts() == ["Gallery", "Compare", "Usage"]
        page.goto("/jobs/all")
        expect(page.get_by_role("heading", name="This is not allowed")).to_be_visible()
        check_accessible(page)
        page.goto("/assets/1")
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_it_works_without_scripts_on_a_phone_in_the_dark(
    browser: Browser, service: RunningService
) -> None:
    key = make_key(service, "--administrator")
    with visiting(browser, service, size=PHONE, color_scheme="dark", refusals=True) as page:
        page.goto("/sign-in")
        check_accessible(page)
        check_fits(page)
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto("/jobs/all")
        page.get_by_label("Key").focus()
        page.keyboard.type(key)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
