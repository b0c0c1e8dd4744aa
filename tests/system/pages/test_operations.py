"""Operations in a browser: a list built by mouse and keys, run, and equal to the command line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.running_service import RunningService, until
from tests.support.sample_service import SAMPLES, asset_of, sample_service

pytestmark = pytest.mark.slow

NAME = "landscape_striped.png"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with sample_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def number(service: RunningService) -> int:
    return asset_of(service, NAME)


def operations_in(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("operations", [""])[0]


def expect_operations(page: Page, text: str) -> None:
    names = [each.partition(":")[0] for each in text.split(",")]
    expect(page.locator(".step b")).to_have_text(names)
    page.wait_for_url(lambda url: parse_qs(urlsplit(url).query).get("operations") == [text])


def test_a_list_made_by_mouse_and_keys_gives_the_bytes_of_the_command_line(
    browser: Browser, service: RunningService, number: int, tmp_path: Path
) -> None:
    with visiting(browser, service) as page:
        page.goto(f"/assets/{number}/operations?operations=blur,sepia,invert")
        page.locator("[data-grip]").first.drag_to(page.locator(".step").nth(2))
        expect_operations(page, "sepia,invert,blur")
        sigma = page.locator('[name="value-3-0"]')
        sigma.fill("7")
        expect_operations(page, "sepia,invert,blur:7")
        sigma.press("Alt+ArrowUp")
        expect_operations(page, "sepia,blur:7,invert")
        page.get_by_role("button", name="Remove invert").click()
        expect_operations(page, "sepia,blur:7")
        page.go_back()
        expect(page.locator(".step b")).to_have_text(["sepia", "blur", "invert"])
        page.go_forward()
        expect(page.locator(".step b")).to_have_text(["sepia", "blur"])
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator(".two-by-two figure")).to_have_count(4)
        with page.expect_download() as waiting:
            page.get_by_role("link", name="combined.png", exact=True).click()
        (tmp_path / NAME).write_bytes((SAMPLES / NAME).read_bytes())
        words = shlex.split(page.locator("[data-command]").inner_text())
        command = [sys.executable, "-m", "fft_tool", *words[1:]]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        made = tmp_path / "results" / "landscape_striped"
        assert waiting.value.path().read_bytes() == (made / "combined.png").read_bytes()
        manifest = json.loads((made / "manifest.json").read_bytes())
        means = [f"{manifest[side]['mean']:.2f}" for side in ("before", "after")]
        assert page.locator("[data-mean]").all_inner_texts()[:2] == means


@pytest.mark.parametrize(
    "options",
    [
        {"size": DESK},
        {"size": PHONE, "color_scheme": "dark"},
    ],
    ids=["desk", "phone, dark"],
)
def test_pages_fit_and_are_accessible(
    browser: Browser, service: RunningService, number: int, options: dict[str, Any]
) -> None:
    with visiting(browser, service, **options) as page:
        page.goto(f"/assets/{number}/operations?operations=destripe,contrast:1.4,crop:9999,0,9,9")
        expect(page.get_by_role("alert")).to_be_visible()
        check_accessible(page)
        check_fits(page)
        page.goto(f"/assets/{number}/operations?operations=destripe,contrast:1.4")
        page.get_by_role("button", name="Run", exact=True).click()
        expect(page.locator(".two-by-two figure")).to_have_count(4)
        check_accessible(page)
        check_fits(page)


def test_without_scripts_a_form_does_the_same(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto(f"/assets/{number}/operations")
        page.get_by_label("Add an operation").select_option("blur")
        page.get_by_role("button", name="Add").click()
        page.locator('[name="value-1-0"]').fill("4")
        page.get_by_role("button", name="Set").click()
        assert operations_in(page) == "blur:4"
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_url(re.compile(r"/operations/\d+$"))
        until(lambda: page.reload() and page.locator(".two-by-two figure").count() == 4)
