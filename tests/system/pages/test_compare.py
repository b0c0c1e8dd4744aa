"""The compare page in a browser: divider, flicker, and the numbers of the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.command import tool
from tests.support.images import pink_noise, png_bytes
from tests.support.running_service import RunningService, uploaded

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"
SCENE = pink_noise((300, 400), seed=7)
NOISY = np.clip(SCENE + np.random.default_rng(2).normal(0, 25, SCENE.shape), 0, 255).astype(
    np.uint8
)
IMAGES = {
    "first.png": png_bytes(SCENE),
    "second.png": png_bytes(NOISY),
    "half.png": png_bytes(SCENE[::2, ::2]),
    HOSTILE: png_bytes(SCENE[:, :200]),
}


@pytest.fixture(scope="module")
def images(service: RunningService) -> dict[str, int]:
    """Numbers of the images in the service, by their names."""
    found = {}
    with service.client() as client:
        for name, data in IMAGES.items():
            asset = uploaded(client, name, data)
            assert asset["status"] == "done"
            found[name] = asset["asset_id"]
    return found


def address(images: dict[str, int], first: str = "first.png", second: str = "second.png") -> str:
    return f"/compare?first={images[first]}&second={images[second]}"


def uncovered(page: Page) -> float:
    """Part of the first image that the second one leaves to be seen, in per cent."""
    shape = page.evaluate("document.querySelector('[data-over]').style.clipPath")
    return float(shape.removeprefix("inset(0px 0px 0px ").removesuffix("%)"))


def test_images_are_chosen_and_their_numbers_are_those_of_the_command_line(
    browser: Browser, service: RunningService, images: dict[str, int], tmp_path: Path
) -> None:
    with visiting(browser, service) as page:
        page.goto(f"/assets/{images['first.png']}")
        page.get_by_role("navigation", name="Views").get_by_role("link", name="Compare").click()
        page.get_by_role("link", name="second.png").click()
        expect(page.get_by_role("heading", name="What the numbers say")).to_be_visible()
        rows = page.locator(".numbers tbody tr").all()
        shown = {
            row.locator("th").inner_text(): row.locator("td").first.inner_text() for row in rows
        }
        page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
    for name in ("first.png", "second.png"):
        (tmp_path / name).write_bytes(IMAGES[name])
    lines = tool("compare", "first.png", "second.png", cwd=tmp_path).lines
    assert shown == dict(line.split(maxsplit=1) for line in lines)


def test_the_divider_is_moved_by_mouse_and_by_keys(
    browser: Browser, service: RunningService, images: dict[str, int]
) -> None:
    with visiting(browser, service) as page:
        page.goto(address(images))
        layers = page.locator("[data-layers]")
        place = layers.bounding_box()
        assert place
        assert uncovered(page) == 50
        page.mouse.move(place["x"] + 20, place["y"] + 30)
        page.mouse.down()
        page.mouse.move(place["x"] + place["width"] / 4, place["y"] + 30, steps=3)
        page.mouse.up()
        assert uncovered(page) == 25
        divider = page.get_by_label("Divider")
        divider.focus()
        page.keyboard.press("ArrowRight")
        assert uncovered(page) == 26
        page.keyboard.press("End")
        assert uncovered(page) == 100


def test_flicker_shows_one_after_the_other_never_faster_than_twice_a_second(
    browser: Browser, service: RunningService, images: dict[str, int]
) -> None:
    with visiting(browser, service) as page:
        page.clock.install()
        page.goto(address(images))
        page.get_by_role("radio", name="flicker").check()
        page.get_by_label("Seconds for each").focus()
        page.keyboard.press("Home")
        page.evaluate("""() => {
            window.changes = 0;
            const over = document.querySelector("[data-over]");
            new MutationObserver((seen) => { changes += seen.length; })
                .observe(over, { attributeFilter: ["style"] });
        }""")
        page.clock.run_for(10_000)
        changes = page.evaluate("changes")
        assert 10 <= changes <= 20
        page.keyboard.press("f")  # by hand, from now on
        before = page.locator("[data-shown]").inner_text()
        page.clock.run_for(5000)
        expect(page.locator("[data-shown]")).to_have_text(before)
        page.keyboard.press("f")
        expect(page.locator("[data-shown]")).not_to_have_text(before)


def test_nothing_moves_by_itself_for_those_who_want_less_motion(
    browser: Browser, service: RunningService, images: dict[str, int]
) -> None:
    with visiting(browser, service, reduced_motion="reduce") as page:
        page.clock.install()
        page.goto(address(images))
        page.get_by_role("radio", name="flicker").check()
        shown = page.locator("[data-shown]")
        expect(shown).to_have_text("first image")
        page.clock.run_for(10_000)
        expect(shown).to_have_text("first image")
        page.get_by_role("button", name="Show the other").click()
        expect(shown).to_have_text("second image")
        expect(page.get_by_alt_text("Second: second.png").first).to_be_visible()


def test_without_scripts_the_pictures_stand_side_by_side(
    browser: Browser, service: RunningService, images: dict[str, int]
) -> None:
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto("/compare")
        page.select_option("[name=first]", str(images["first.png"]))
        page.select_option("[name=second]", str(images["second.png"]))
        page.get_by_role("button", name="Compare").click()
        for text in ("First: first.png", "Second: second.png"):
            expect(page.locator(".beside").get_by_alt_text(text)).to_be_visible()
        expect(page.get_by_alt_text("Absolute differences")).to_be_visible()
        expect(page.get_by_role("img", name="Fourier ring correlation")).to_be_visible()
        expect(page.locator("[data-stack]")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_is_accessible_and_fits_whatever_it_shows(
    browser: Browser,
    service: RunningService,
    images: dict[str, int],
    size: tuple[int, int],
    scheme: Any,
) -> None:
    pairs = [("first.png", "second.png"), ("first.png", "half.png"), ("first.png", HOSTILE)]
    addresses = ["/compare", f"/compare?first={images[HOSTILE]}"]
    with visiting(browser, service, size=size, color_scheme=scheme) as page:
        for path in (*addresses, *(address(images, *pair) for pair in pairs)):
            page.goto(path)
            check_accessible(page)
            check_fits(page)
            assert page.locator("img[src=x]").count() == 0
