"""The spectrum studio in a browser: what it makes is what the command line makes."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.running_service import RunningService, uploaded
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


def test_pointing_tells_micrometres_where_the_size_of_a_pixel_is_known(
    browser: Browser, service: RunningService
) -> None:
    file = io.BytesIO()
    rows, columns = np.ogrid[:HEIGHT, :WIDTH]
    wave = 100 + 50 * np.cos(2 * np.pi * (columns - rows) / 8)  # upwards to the right
    image = Image.fromarray(wave.round().astype(np.uint8))
    image.save(file, "png", dpi=(2540, 1270))  # pixels of 10 by 20 micrometres
    with service.client() as client:
        number = uploaded(client, "section.png", file.getvalue())["asset_id"]
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.mouse.move(*place(spectrum, WIDTH // 8, HEIGHT // 8))
        reading = page.locator("[data-reading]")
        expect(reading).to_contain_text("Period 5.657 px at 45.0°")
        # fx = 1/80 and fy = 1/160 cycles per micrometre
        expect(reading).to_contain_text("71.55 µm, 0.01398 cycles per µm · at 26.6° in space")
        page.locator("[data-peak]").first.click()  # what the record found is the same wave
        expect_exact(page)
        assert filter_in(page).startswith("notch:5.65")


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


def test_stripes_at_an_angle_are_removed_as_on_the_command_line(
    browser: Browser, service: RunningService, number: int, tmp_path: Path
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.keyboard.press("s")
        expect(page.get_by_role("radio", name="Stripes")).to_be_checked()
        click(page, spectrum, 0, HEIGHT / PERIOD)
        expect_exact(page)
        assert filter_in(page) == "stripe:90"
        _, data = download(page, "Filtered image")
        assert data == by_command_line(page, tmp_path)
        page.get_by_role("button", name="Undo").click()
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        drag(page, spectrum, (0, 48), (64, 48))  # turned to 1/8 across, 1/8 up
        expect_exact(page)
        assert filter_in(page) == "stripe:45"


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


@pytest.mark.parametrize("text", ["nutch:8,90", "notch:8,90+lowpass:1", "mask:a.png"])
def test_text_that_is_refused_is_told_and_changes_nothing(
    browser: Browser, service: RunningService, number: int, text: str
) -> None:
    with visiting(browser, service, refusals=True) as page:
        open_studio(page, number, "?filter=notch:8,90")
        expect_exact(page)
        field = page.get_by_label("Filter", exact=True)
        field.fill(text)
        page.get_by_role("button", name="Show").click()
        expect(page.locator("[data-fault]")).to_contain_text(text.rpartition("+")[2])
        expect(field).to_have_value(text)
        expect_exact(page)
        assert filter_in(page) == "notch:8,90"
        assert page.get_by_role("button", name="Undo").is_disabled()


def test_a_number_that_is_refused_is_told_and_undone(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, refusals=True) as page:
        open_studio(page, number, "?filter=lowpass:3")
        expect_exact(page)
        page.get_by_label("Period").fill("1")
        page.get_by_label("Period").press("Tab")
        expect(page.locator("[data-fault]")).to_contain_text("PERIOD must be from 2 px")
        page.get_by_role("button", name="Undo").click()
        expect_exact(page)
        assert filter_in(page) == "lowpass:3"


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("filter=nutch:8,90", "did you mean notch"),
        (f"filter=mask:a.png,{'0' * 64}", "has no mask with the SHA-256"),
        ("channel=purple", "should be one of luma"),
    ],
    ids=["filter", "mask", "channel"],
)
def test_a_link_that_cannot_be_followed_says_why(
    browser: Browser, service: RunningService, number: int, query: str, says: str
) -> None:
    with visiting(browser, service, refusals=True) as page:
        open_studio(page, number, f"?{query}")
        expect(page.locator("[data-fault]")).to_contain_text(says)
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        assert page.url.endswith(query)


def test_a_channel_has_its_own_spectrum_and_can_be_undone(
    browser: Browser, service: RunningService
) -> None:
    number = asset_of(service, "colour.png")
    with visiting(browser, service) as page:
        open_studio(page, number, "?filter=lowpass:6")
        expect_exact(page)
        with page.expect_response(lambda answer: "magnitude?channel=red" in answer.url):
            page.get_by_label("Channel").select_option("red")
        expect(page.locator("[data-command]")).to_contain_text("--channel red")
        expect_exact(page)
        page.get_by_role("button", name="Undo").click()
        expect(page.get_by_label("Channel")).to_have_value("luma")
        expect(page.locator("[data-command]")).not_to_contain_text("--channel")
        expect_exact(page)


def test_two_fingers_zoom_and_put_nothing(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, size=PHONE, has_touch=True) as page:
        spectrum = open_studio(page, number)
        x, y = place(spectrum, 60, 48)
        before = spectrum.screenshot()
        session = page.context.new_cdp_session(page)

        def touch(kind: str, *fingers: tuple[float, float]) -> None:
            points = [{"x": x, "y": y, "id": place} for place, (x, y) in enumerate(fingers)]
            session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        touch("touchStart", (x, y))
        touch("touchStart", (x, y), (x + 40, y))
        for step in range(1, 5):
            touch("touchMove", (x - 8 * step, y), (x + 40 + 8 * step, y))
        touch("touchEnd")
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        expect(page.locator("[data-filters] li")).to_have_count(0)
        assert filter_in(page) == ""
        assert spectrum.screenshot() != before


def test_a_ring_that_is_dragged_back_to_its_centre_leaves_nothing(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.keyboard.press("r")
        drag(page, spectrum, (32, 0), (64, 0), (0, 0))
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        expect(page.locator("[data-filters] li")).to_have_count(0)


def test_what_is_set_while_a_picture_is_being_made_is_what_is_shown(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number, "?filter=notch:8,90")
        expect_exact(page)
        held: list[Route] = []

        def hold_the_first(route: Route) -> None:
            if held:
                route.continue_()
            else:
                held.append(route)

        page.route("**/pages/studio/**", hold_the_first)
        page.get_by_role("button", name="Remove Notch 1").click()
        expect(page.locator("[data-filters] li")).to_have_count(0)
        click(page, spectrum, 0, 96)
        expect_exact(page)
        shown = filter_in(page)
        assert shown.startswith("notch:")
        with page.expect_response("**/pages/studio/**") as late:
            held[0].continue_()
        late.value.finished()
        page.evaluate("new Promise((shown) => setTimeout(() => requestAnimationFrame(shown)))")
        expect_exact(page)
        assert filter_in(page) == shown


def test_a_mask_that_cannot_be_kept_is_taken_back(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service, refusals=True) as page:
        spectrum = open_studio(page, number)
        page.route("**/pages/masks/*", lambda route: route.fulfill(status=422, body="{}"))
        page.keyboard.press("b")
        drag(page, spectrum, (-20, 48), (20, 48))
        expect(page.locator("[data-fault]")).to_contain_text("status 422")
        expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        assert filter_in(page) == ""


def test_a_quick_stroke_has_no_gaps(browser: Browser, service: RunningService, number: int) -> None:
    with visiting(browser, service) as page:
        spectrum = open_studio(page, number)
        page.keyboard.press("b")
        page.get_by_label("Brush", exact=True).last.fill("4")
        page.mouse.move(*place(spectrum, -100, 60))
        page.mouse.down()
        page.mouse.move(*place(spectrum, 100, 60))  # in one event
        page.mouse.up()
        expect_exact(page)
        _, data = download(page, "mask-")
    levels = np.asarray(Image.open(io.BytesIO(data)))
    assert levels.shape == (HEIGHT, WIDTH)
    row = levels[HEIGHT // 2 - 60]
    assert not row[WIDTH // 2 - 100 : WIDTH // 2 + 101].any()
    assert np.array_equal(levels[1:, 1:], levels[1:, 1:][::-1, ::-1])  # and its mirror


def test_what_was_removed_is_the_difference_of_the_exact_pictures(
    browser: Browser, service: RunningService, number: int
) -> None:
    with visiting(browser, service) as page:
        open_studio(page, number, "?filter=notch:8,90")
        expect_exact(page)
        with service.client() as client:
            before = client.get(f"/retrieve/source/{number}").content
            after = client.get(f"/retrieve/artifact/{number}/filtered?filter=notch:8,90").content
        one, two = (np.asarray(Image.open(io.BytesIO(each)), int) for each in (before, after))
        factor = 120 // abs(one - two).max()
        page.get_by_text("Removed", exact=True).click()
        says = f"What was removed, × {factor} around middle grey"
        expect(page.locator("[data-state]")).to_contain_text(says)


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
