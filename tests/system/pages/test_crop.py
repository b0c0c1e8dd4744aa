"""The crop page in a browser: mouse, touch, keys and fields make one box, and exactly its crop."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from fft_tool.cropping import AtMost, crop, find_salient
from fft_tool.image.region import Box
from fft_tool.results.outputs import Source
from tests.support.browser import DESK, PHONE, check_accessible, check_fits, visiting
from tests.support.images import noise, png_bytes
from tests.support.running_service import RunningService, running_service, uploaded

pytestmark = pytest.mark.slow

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"
SIDES = ("x", "y", "width", "height")
WHOLE = (40, 30, 320, 240)  # what the page proposes first


def scene() -> bytes:
    """400 × 300 pixels, so that two pixels of the screen show one; something red stands out."""
    pixels = noise((300, 400, 3), seed=4) // 16
    pixels[180:220, 260:310] = (230, 40, 30)
    return png_bytes(pixels)


SCENE = scene()


@pytest.fixture(scope="module")
def asset(service: RunningService) -> str:
    """Address of the page of an image."""
    return added(service)


def added(service: RunningService, name: str = "scene.png") -> str:
    with service.client() as client:
        asset = uploaded(client, name, SCENE)
    assert asset["status"] == "done"
    return f"/assets/{asset['asset_id']}/crop"


def box_of(page: Page) -> tuple[int, ...]:
    return tuple(int(page.input_value(f"[name={name}]")) for name in SIDES)


def drawn(page: Page) -> tuple[int, ...]:
    """The box as it is drawn over the image."""
    shape = page.get_attribute("[data-edge]", "d") or ""
    x, y, width, height = map(int, re.findall(r"-?\d+", shape)[:4])
    return x, y, width, height


def drag(page: Page, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag the mouse between places in pixels of the image."""
    page.evaluate("scrollTo(0, 0)")
    place = page.locator("[data-stage]").bounding_box()
    assert place
    scale = place["width"] / 400
    page.mouse.move(place["x"] + scale * start[0], place["y"] + scale * start[1])
    page.mouse.down()
    page.mouse.move(place["x"] + scale * end[0], place["y"] + scale * end[1], steps=4)
    page.mouse.up()


def made(page: Page) -> bytes:
    """The crop that the page shows in the end."""
    link = page.get_by_role("link", name="Download")
    expect(link).to_be_visible()
    address = link.get_attribute("href")
    return page.request.get(address or "").body()


def expected(box: tuple[int, ...]) -> bytes:
    return crop(Source("a", SCENE), Box(*box)).data


def test_a_box_is_drawn_moved_and_resized_by_mouse_and_cropped_exactly(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service) as page:
        page.goto(asset)
        assert box_of(page) == drawn(page) == WHOLE
        drag(page, (20, 10), (220, 160))
        assert box_of(page) == drawn(page) == (20, 10, 200, 150)
        drag(page, (120, 85), (150, 95))
        assert box_of(page) == drawn(page) == (50, 20, 200, 150)
        drag(page, (250, 170), (270, 200))
        assert box_of(page) == drawn(page) == (50, 20, 220, 180)
        drag(page, (50, 110), (33, 110))
        assert box_of(page) == drawn(page) == (33, 20, 237, 180)
        drag(page, (100, 100), (600, 700))  # it stops at the border of the image
        assert box_of(page) == drawn(page) == (163, 120, 237, 180)
        page.fill("[name=product_id]", "ABC-123")
        page.get_by_role("button", name="Crop to the box").click()
        assert made(page) == expected((163, 120, 237, 180))
        page.reload()
        assert box_of(page) == drawn(page) == (163, 120, 237, 180)
        assert page.input_value("[name=product_id]") == "ABC-123"
        assert made(page) == expected((163, 120, 237, 180))


def test_everything_is_done_by_keys(browser: Browser, service: RunningService, asset: str) -> None:
    with visiting(browser, service) as page:
        page.goto(asset)
        page.get_by_role("link", name="Compare").last.focus()
        page.keyboard.press("Tab")
        for key in ("ArrowRight", "Shift+ArrowDown", "ArrowUp"):
            page.keyboard.press(key)
        assert box_of(page) == drawn(page) == (41, 39, 320, 240)
        for key in ("Alt+ArrowLeft", "Alt+Shift+ArrowUp"):
            page.keyboard.press(key)
        assert box_of(page) == drawn(page) == (41, 39, 319, 230)
        page.keyboard.press("Tab")  # the upper left corner
        for key in ("ArrowRight", "Shift+ArrowDown"):
            page.keyboard.press(key)
        assert box_of(page) == drawn(page) == (42, 49, 318, 220)
        for _ in range(30):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == "product_id":
                break
        page.keyboard.type("by-keys")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert made(page) == expected((42, 49, 318, 220))


def test_a_box_is_resized_moved_and_drawn_by_touch(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service, size=PHONE, has_touch=True, is_mobile=True) as page:
        page.goto(asset)
        touch = page.context.new_cdp_session(page)

        def swipe(*places: tuple[float, float]) -> None:
            stage = page.locator("[data-stage]").bounding_box()
            assert stage
            scale = stage["width"] / 400
            for number, (x, y) in enumerate(places):
                point = {"x": stage["x"] + scale * x, "y": stage["y"] + scale * y}
                kind = "touchMove" if number else "touchStart"
                touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

        def check(*wanted: int) -> None:
            # A finger points to whole pixels of the screen, each of which shows more than one.
            found = box_of(page)
            assert drawn(page) == found
            assert np.abs(np.subtract(found, wanted)).max() <= 2, found

        swipe((360, 270), (300, 200), (200, 170))  # the lower right corner
        check(40, 30, 160, 140)
        swipe((120, 100), (110, 90), (100, 85))
        check(20, 15, 160, 140)
        swipe((260, 200), (300, 260), (390, 290))
        check(260, 200, 130, 90)


@pytest.mark.parametrize(
    ("name", "ratio"),
    [("original", 4 / 3), ("1:1", 1), ("4:3", 4 / 3), ("3:2", 1.5), ("16:9", 16 / 9), ("4:5", 0.8)],
)
def test_an_aspect_is_kept_whatever_is_done_to_the_box(
    browser: Browser, service: RunningService, asset: str, name: str, ratio: float
) -> None:
    with visiting(browser, service) as page:
        page.goto(asset)
        page.get_by_role("radio", name=name, exact=True).check()

        def check() -> None:
            x, y, width, height = box_of(page)
            assert drawn(page) == (x, y, width, height)
            assert abs(width - height * ratio) <= max(0.5, ratio / 2)
            assert 0 <= x <= 400 - width
            assert 0 <= y <= 300 - height

        check()
        drag(page, (60, 260), (250, 90))
        check()
        x, y, width, height = box_of(page)
        drag(page, (x + width, y + height), (395, 295))
        check()
        x, y, width, height = box_of(page)
        drag(page, (x, y + height // 2), (x + 37, y + height // 2))
        check()
        page.locator("[data-handle=n]").focus()
        page.keyboard.press("Shift+ArrowDown")
        check()
        page.fill("[name=width]", "90")
        check()
        assert box_of(page)[2] == 90
        page.fill("[name=height]", "40")
        check()
        assert box_of(page)[3] == 40


def test_fields_and_box_follow_each_other(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service) as page:
        page.goto(asset)
        for name, value in zip(SIDES, ("7", "11", "123", "45"), strict=True):
            page.fill(f"[name={name}]", value)
        assert box_of(page) == drawn(page) == (7, 11, 123, 45)
        expect(page.locator("[data-size]")).to_contain_text("123 × 45 px")
        expect(page.locator("[data-command]")).to_contain_text("--crop 7,11,123,45 ")
        expect(page.locator("[data-python]")).to_contain_text("Box(7, 11, 123, 45)")
        page.fill("[name=width]", "")
        assert drawn(page) == (7, 11, 123, 45)
        page.fill("[name=width]", "9999")
        assert drawn(page) == (7, 11, 123, 45)
        page.keyboard.press("Tab")  # what reaches beyond the image is brought inside
        assert box_of(page) == drawn(page) == (0, 11, 400, 45)


def test_what_stands_out_is_shown_and_proposed_and_a_smart_crop_takes_it(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service) as page:
        page.goto(asset)
        page.fill("[name=width]", "100")
        page.fill("[name=height]", "80")
        page.get_by_role("button", name="Find what stands out").click()
        overlay = page.get_by_alt_text("What stands out, in orange")
        expect(overlay).to_be_visible()
        found = find_salient(Source("a", SCENE), AtMost(100, 80)).box
        box = (found.x, found.y, found.width, found.height)
        expect(page.locator("[name=x]")).to_have_value(str(found.x))
        assert box_of(page) == drawn(page) == box
        expect(page.locator("[data-salience]")).to_have_js_property("naturalWidth", 384)
        page.get_by_label("Show why").uncheck()
        expect(overlay).to_be_hidden()
        drag(page, (5, 5), (105, 85))
        page.fill("[name=product_id]", "smart")
        page.get_by_role("button", name="Smart crop").click()
        assert made(page) == expected(box)
        assert box_of(page) == drawn(page) == box


def test_the_limit_is_shown_kindly_and_recovered_from(browser: Browser, tmp_path: Path) -> None:
    limits = {"RATE_LIMIT": "1", "RATE_SECONDS": "5"}
    with (
        running_service(tmp_path, **limits) as limited,
        visiting(browser, limited, refusals=True) as page,
    ):
        page.goto(added(limited))
        page.fill("[name=product_id]", "first")
        button = page.get_by_role("button", name="Crop to the box")
        button.click()
        assert made(page) == expected(WHOLE)
        drag(page, (20, 10), (220, 160))
        page.fill("[name=product_id]", "second")
        button.click()
        told = page.locator("[data-told]")
        expect(told).to_contain_text("as many images as are accepted")
        expect(told.get_by_role("timer")).to_have_text(re.compile("0:0[1-5]"))
        expect(button).to_be_disabled()
        expect(page.get_by_role("button", name="Find what stands out")).to_be_enabled()
        check_accessible(page)
        expect(button).to_be_enabled()
        expect(told).to_contain_text("Everything is as you left it")
        assert page.input_value("[name=product_id]") == "second"
        assert box_of(page) == (20, 10, 200, 150)
        button.click()
        expect(page.get_by_role("definition").get_by_text("second", exact=True)).to_be_visible()
        assert made(page) == expected((20, 10, 200, 150))


def test_what_the_service_refuses_is_told_and_can_be_mended(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service, refusals=True) as page:
        page.goto(asset)
        page.fill("[name=product_id]", "  ")
        button = page.get_by_role("button", name="Crop to the box")
        button.click()
        expect(page.locator("[data-told]")).to_contain_text("should be printable text")
        page.fill("[name=product_id]", "mended")
        button.click()
        assert made(page) == expected(WHOLE)


def test_without_scripts_a_form_crops_and_finds(
    browser: Browser, service: RunningService, asset: str
) -> None:
    with visiting(browser, service, java_script_enabled=False) as page:
        page.goto(asset)
        page.fill("[name=x]", "7")
        page.fill("[name=product_id]", "without")
        page.get_by_role("button", name="Crop to the box").click()
        assert made(page) == expected((7, *WHOLE[1:]))
        assert drawn(page) == box_of(page) == (7, *WHOLE[1:])
        page.fill("[name=width]", "100")
        page.fill("[name=height]", "80")
        page.get_by_role("button", name="Find what stands out").click()
        expect(page.get_by_alt_text("What stands out, in orange")).to_be_visible()
        found = find_salient(Source("a", SCENE), AtMost(100, 80)).box
        assert box_of(page) == (found.x, found.y, found.width, found.height)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_is_accessible_and_fits_with_a_hostile_name(
    browser: Browser, service: RunningService, size: tuple[int, int], scheme: Any
) -> None:
    with visiting(browser, service, size=size, color_scheme=scheme) as page:
        page.goto(added(service, HOSTILE))
        page.fill("[name=product_id]", HOSTILE)
        page.get_by_role("button", name="Find what stands out").click()
        page.get_by_role("button", name="Crop to the box").click()
        made(page)
        check_accessible(page)
        check_fits(page)
        assert page.locator("img[src=x]").count() == 0
