"""The spectrum studio in a browser: what it makes is what the command line makes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.running_service import RunningService
from tests.support.sample_service import SAMPLES, asset_of, sample_service

pytestmark = pytest.mark.slow

NAME = "landscape_striped.png"
WIDTH, HEIGHT = 512, 384
PERIOD = 8  # of its stripes, which are horizontal


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    with sample_service(tmp_path_factory.mktemp("service")) as running:
        yield running


@pytest.fixture(scope="module")
def number(service: RunningService) -> int:
    return asset_of(service, NAME)


def open_studio(page: Page, number: int, query: str = "") -> Locator:
    page.goto(f"/assets/{number}/studio{query}")
    expect(page.locator("[data-ready]")).to_be_attached()
    return page.locator("[data-spectrum]")


def place(spectrum: Locator, kx: float, ky: float) -> tuple[float, float]:
    """Where a coefficient is in the window; ky is upwards."""
    spectrum.scroll_into_view_if_needed()
    box = spectrum.bounding_box()
    assert box
    across, down = (WIDTH // 2 + kx + 0.5) / WIDTH, (HEIGHT // 2 - ky + 0.5) / HEIGHT
    return box["x"] + box["width"] * across, box["y"] + box["height"] * down


def click(page: Page, spectrum: Locator, kx: float, ky: float) -> None:
    page.mouse.click(*place(spectrum, kx, ky))


def drag(page: Page, spectrum: Locator, *stops: tuple[float, float]) -> None:
    page.mouse.move(*place(spectrum, *stops[0]))
    page.mouse.down()
    for stop in stops[1:]:
        page.mouse.move(*place(spectrum, *stop), steps=3)
    page.mouse.up()


def expect_exact(page: Page) -> None:
    expect(page.locator("[data-state]")).to_have_text("Exact, as the command below makes it")


def filter_in(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query).get("filter", [""])[0]


def download(page: Page, link: str) -> tuple[str, bytes]:
    with page.expect_download() as waiting:
        page.locator("[data-downloads]").get_by_role("link", name=link).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def by_command_line(page: Page, folder: Path) -> bytes:
    """The filtered image that the command makes which the page shows."""
    (folder / NAME).write_bytes((SAMPLES / NAME).read_bytes())
    words = shlex.split(page.locator("[data-command]").inner_text())
    assert words[0] == "fft-tool"
    command = [sys.executable, "-m", "fft_tool", *words[1:]]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return next((folder / "results").glob("*_filtered.png")).read_bytes()


def test_pointing_at_a_known_wave_tells_its_period_and_its_angle(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        reading = page.locator("[data-reading]")
        page.mouse.move(*place(spectrum, 0, HEIGHT / PERIOD))
        expect(reading).to_contain_text("Period 8 px at 90.0°")
        page.mouse.move(*place(spectrum, WIDTH // 8, HEIGHT // 8))
        expect(reading).to_contain_text("Period 5.657 px at 45.0°")
        page.mouse.move(*place(spectrum, -(WIDTH // 8), HEIGHT // 8))
        expect(reading).to_contain_text("at 135.0°")
        page.mouse.move(*place(spectrum, 0, 0))
        expect(reading).to_contain_text("The mean of the image")


def test_a_notch_put_by_mouse_gives_the_bytes_of_the_command_line(
    browser: Browser, service: RunningService, number: int, tmp_path: Path
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        click(page, spectrum, 1, HEIGHT / PERIOD + 1)  # not quite there: the peak is found
        expect_exact(page)
        assert filter_in(page) == "notch:8,90"
        name, data = download(page, "Filtered image")
        assert name == "landscape_striped_filtered.png"
        assert data == by_command_line(page, tmp_path)


def test_a_painted_mask_gives_the_bytes_of_the_command_line(
    browser: Browser, service: RunningService, number: int, tmp_path: Path
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.get_by_text("Brush", exact=True).first.click()
        drag(page, spectrum, (-20, 48), (20, 48))
        expect_exact(page)
        _, data = download(page, "Filtered image")
        name, mask = download(page, "mask-")
        assert f"mask:{name}," in filter_in(page)
        (tmp_path / name).write_bytes(mask)
        assert data == by_command_line(page, tmp_path)
        page.reload()  # the mask is there when the page is opened again
        expect_exact(page)
        page.get_by_text("Erase", exact=True).click()
        page.get_by_label("Brush", exact=True).last.fill("200")
        click(page, spectrum, 0, 0)
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")


def test_rings_are_dragged_and_fields_set_them_exactly(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.get_by_text("Keep a ring").click()
        drag(page, spectrum, (32, 0), (64, 0))
        expect_exact(page)
        assert filter_in(page) == "bandpass:8,16"
        page.get_by_label("Longest").fill("20")
        page.get_by_label("Longest").press("Tab")
        expect_exact(page)
        assert filter_in(page) == "bandpass:8,20"
        page.get_by_role("button", name="Remove Ring 1").click()
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")


def test_undo_survives_a_reload_and_a_link_gives_the_same(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        click(page, spectrum, 0, 48)
        expect_exact(page)
        page.get_by_text("Low-pass").click()
        click(page, spectrum, 128, 0)
        expect_exact(page)
        both = filter_in(page)
        assert both == "notch:8,90+lowpass:4"
        link = page.url
        page.reload()
        expect_exact(page)
        page.keyboard.press("Control+z")
        expect(page.get_by_label("Filter", exact=True)).to_have_value("notch:8,90")
        page.get_by_role("button", name="Redo").click()
        expect(page.get_by_label("Filter", exact=True)).to_have_value(both)
    with visiting(browser, service) as page:
        page.goto(link)
        expect_exact(page)
        assert filter_in(page) == both


def test_found_waves_are_taken_out_by_a_button(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        open_studio(page, number)
        page.locator("[data-peak]").first.click()
        expect_exact(page)
        assert filter_in(page).startswith("notch:8")
        page.get_by_text("Removed", exact=True).click()
        expect(page.locator("[data-state]")).to_contain_text("What was removed, × ")


def test_everything_works_by_keys_alone(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        spectrum.focus()
        for _ in range(4):
            page.keyboard.press("Shift+ArrowUp")
        for _ in range(8):
            page.keyboard.press("ArrowUp")
        expect(page.locator("[data-spoken]")).to_contain_text("Period 8 px at 90.0°")
        page.keyboard.press("Enter")
        expect_exact(page)
        assert filter_in(page) == "notch:8,90"
        page.keyboard.press("l")
        expect(page.get_by_role("radio", name="Low-pass")).to_be_checked()
        page.keyboard.press("+")
        page.keyboard.press("Control+z")
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")


def test_what_is_refused_is_told_and_nothing_is_lost(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, refusals=True) as page:
        open_studio(page, number, "?filter=notch:8,90")
        expect_exact(page)
        page.get_by_label("Filter", exact=True).fill("notch:8,90+lowpass:1")
        page.get_by_role("button", name="Show").click()
        expect(page.locator("[data-fault]")).to_contain_text("PERIOD must be from 2 px")
        page.get_by_role("button", name="Undo").click()
        expect_exact(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_is_accessible_and_fits(
    browser: Browser, service: RunningService, number: int, size: tuple[int, int], scheme: str
) -> None:
    with visiting(browser, service, size=size, color_scheme=scheme) as page:
        open_studio(page, number, "?filter=stripe:90%2Bbandpass:4,40")
        expect_exact(page)
        check_accessible(page)
        check_fits(page)


def test_without_scripts_there_is_a_form(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto(f"/assets/{number}/studio")
        page.get_by_label("Filter", exact=True).fill("notch:8,90")
        page.get_by_role("button", name="Show").click()
        expect(page.get_by_alt_text("landscape_striped.png, filtered")).to_be_visible()
