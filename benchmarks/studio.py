"""The latency of the spectrum studio, from what a hand does to what the eye sees."""

from __future__ import annotations

import io
import statistics
from collections.abc import Sequence

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from rows import digits
from table import Goal, Row, Section

from tests.support.browser import chromium, visiting
from tests.support.images import pink_noise
from tests.support.running_service import RunningService, uploaded

SIDES = (512, 1024, 2048)
JUDGED = 1024
FAST = Goal("≤", 200, "ms")

HOW = (
    "A notch is put into the spectrum of a grey image of 8 bits, and dragged wider. The preview is "
    "timed from a movement of the pointer to the picture that answers it, the exact picture from "
    "the release of the button: the service decodes the image, fits and subtracts the wave, "
    "encodes a PNG, and the browser decodes it. Medians of all movements and releases."
)

# Times of the last event that asks for a picture, and of the pictures, in milliseconds.
_WATCH = """() => {
  const root = document.querySelector("[data-studio]");
  const canvas = document.querySelector("[data-spectrum]");
  window.waits = { drawn: [], exact: [] };
  const asked = {};
  canvas.addEventListener("pointermove", () => { asked.drawn ??= performance.now(); }, true);
  canvas.addEventListener("pointerup", () => { asked.exact = performance.now(); }, true);
  new MutationObserver((changes) => requestAnimationFrame(() => {
    for (const { attributeName } of changes) {
      const name = attributeName.slice("data-".length);
      if (asked[name] === undefined) continue;
      window.waits[name].push(performance.now() - asked[name]);
      delete asked[name];
    }
  })).observe(root, { attributeFilter: ["data-drawn", "data-exact"] });
}"""


def studio_section(service: RunningService, actions: int, sides: Sequence[int] = SIDES) -> Section:
    """Times of the preview and of the exact picture, for images of some sides."""
    rows: list[Row] = []
    with chromium() as browser:
        for side in sides:
            preview, exact = _waits(browser, service, _uploaded(service, side), actions)
            goal = FAST if side == JUDGED else None
            rows += [
                Row(
                    f"{side}², preview",
                    f"{digits(preview)} ms",
                    value=preview,
                    unit="ms",
                    goal=goal,
                ),
                Row(f"{side}², exact", f"{digits(exact)} ms", value=exact, unit="ms"),
            ]
    return Section("Spectrum studio", HOW, tuple(rows))


def _uploaded(service: RunningService, side: int) -> int:
    """The number of a new image with a wave in it."""
    levels = pink_noise((side, side), seed=side).astype(float)
    levels += 12 * np.cos(2 * np.pi * np.arange(side) / 8)[:, None]
    file = io.BytesIO()
    Image.fromarray(levels.clip(0, 255).astype(np.uint8)).save(file, "png")
    with service.client() as client:
        return int(uploaded(client, f"studio_{side}.png", file.getvalue())["asset_id"])


def _waits(
    browser: Browser, service: RunningService, number: int, actions: int
) -> tuple[float, float]:
    with visiting(browser, service) as page:
        page.goto(f"/assets/{number}/studio")
        expect(page.locator("[data-ready]")).to_be_attached()
        page.evaluate(_WATCH)
        for action in range(actions):
            _drag(page, action)
            page.get_by_role("button", name="Undo").click()
            expect(page.locator("[data-state]")).to_have_text("The image as it came in")
        found = page.evaluate("window.waits")
    return statistics.median(found["drawn"]), statistics.median(found["exact"])


def _drag(page: Page, action: int) -> None:
    """Put a notch, at another place each time, drag it wider, and wait for the exact picture."""
    box = page.locator("[data-spectrum]").bounding_box()
    if box is None:
        raise LookupError("the spectrum is not shown")
    x, y = box["x"] + box["width"] * (0.6 + 0.02 * action), box["y"] + 0.4 * box["height"]
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 5):
        page.mouse.move(x + 6 * step, y)
        page.wait_for_timeout(250)  # milliseconds: as slow as a hand that watches
    page.mouse.up()
    expect(page.locator("[data-state]")).to_have_text("Exact, as the command below makes it")
