"""Take the pictures of ``docs/pages.md`` in the tests' browser: ``python -m docs.pages_pictures``.

The service that is shown runs with the sample images, a job of batches, and files that fail.
"""

from __future__ import annotations

import argparse
import io
import math
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect

from fft_tool.cli.main import main as fft_tool
from tests.support.browser import PHONE, chromium, visiting, wait_for_images
from tests.support.running_service import RunningService, uploaded
from tests.support.sample_service import SAMPLES, asset_of, sample_service
from tools.batch_images import known_images, write_job

TARGET = Path(__file__).parent / "images"
WINDOW = (1200, 800)
GAP = 24  # pixels between the pictures of phones
QUALITY = 82  # of WebP: lines stay sharp at a tenth of PNG's bytes

Steps = Callable[[Page], None]


@dataclass(frozen=True)
class View:
    """A view: its address, what is done there before it is shown, and how much of it is shown."""

    path: str
    steps: Steps = lambda _: None
    height: int = WINDOW[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Take all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description="Take the pictures of the pages.")
    parser.add_argument("names", nargs="*", help="views, by default all")
    parser.add_argument("--into", type=Path, default=TARGET, help="folder of the pictures")
    parser.add_argument("--phone", action="store_true", help="each view on a phone, in the dark")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, service_with_everything(Path(folder)) as service:
        views = views_of(service)
        wanted = options.names or list(views)
        with chromium() as browser:
            for name in wanted:
                picture = taken(browser, service, views[name], phone=options.phone)
                save(picture, options.into / f"page_{name}.webp")
            if not options.names and not options.phone:
                phones = [taken(browser, service, views[name], phone=True) for name in ON_PHONES]
                save(beside(phones), options.into / "page_phones.webp")
    return 0


@contextmanager
def service_with_everything(folder: Path) -> Iterator[RunningService]:
    """A service in which every page has something to show."""
    database = folder / "batches.db"
    count_leaves(folder / "batches" / "leaves", database)
    (folder / "service").mkdir()
    with sample_service(
        folder / "service", BATCHES_DATABASE_URL=f"sqlite:///{database}"
    ) as service:
        with service.client() as client:
            scan = (SAMPLES / "micrograph.png").read_bytes()
            for name, kept in {"scan-0117.png": 9000, "scan-0241.png": 12_000}.items():
                uploaded(client, name, scan[:kept], "lab")
            uploaded(client, "balloons.png", (SAMPLES / "colour.png").read_bytes(), "lab")
        yield service


def count_leaves(job: Path, database: Path) -> None:
    """Count a job, and once more after a broken image was replaced, as if it lay in a bucket."""
    images = list(known_images())
    for latest in (replace(images[-1], data=images[-1].data[:100]), images[-1]):
        write_job(job, [*images[:-1], latest])
        fft_tool(["batch", str(job), "--database", f"sqlite:///{database}", "--quiet"])
    with closing(sqlite3.connect(database)) as connection, connection:
        place = "s3://fft-images/batches/leaves/"
        connection.execute("UPDATE batch_stats SET source_prefix = ?", (place,))


def views_of(service: RunningService) -> Mapping[str, View]:
    """Every view by its name."""
    striped = asset_of(service, "landscape_striped.png")
    plain = asset_of(service, "landscape.png")
    colour = asset_of(service, "colour.png")
    micrograph = asset_of(service, "micrograph.png")
    return {
        "gallery": View("/"),
        "image": View(f"/assets/{micrograph}", point_at_a_ring, height=1150),
        "studio": View(f"/assets/{striped}/studio?filter=notch:8,90", wait_until_exact),
        "operations": View(f"/assets/{colour}/operations?operations=rotate:12,contrast:1.4,sepia"),
        "run": View(
            f"/assets/{striped}/operations?operations=destripe,contrast:1.6", run, height=1000
        ),
        "crop": View(f"/assets/{colour}/crop", find_salient),
        "compare": View(f"/compare?first={plain}&second={striped}", height=1250),
        "jobs": View("/jobs/all", height=700),
        "tenants": View("/tenants", height=700),
        "batches": View("/batches/leaves", height=900),
    }


ON_PHONES = ("gallery", "studio", "crop", "run")


def point_at_a_ring(page: Page) -> None:
    """Point at a wave of the lattice: 10.39 px, 38° from the horizontal."""
    spectrum = page.locator("[data-spectrum]")
    width, height = spectrum.evaluate("(each) => [each.clientWidth, each.clientHeight]")
    angle = math.radians(38)
    across, up = math.cos(angle) / 10.39, math.sin(angle) / 10.39
    spectrum.hover(position={"x": width * (0.5 + across), "y": height * (0.5 - up)})


def wait_until_exact(page: Page) -> None:
    """Wait for the image that the service makes."""
    expect(page.locator("[data-state]")).to_contain_text("Exact")


def run(page: Page) -> None:
    """Run the operations, and wait for what they make."""
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".two-by-two figure")).to_have_count(4)


def find_salient(page: Page) -> None:
    """Find what stands out, with the map over the image."""
    find = page.get_by_role("button", name="Find what stands out")
    for name, pixels in {"Width": "240", "Height": "180"}.items():
        page.get_by_label(name, exact=True).fill(pixels)
    find.click()
    expect(find).to_be_enabled()


def taken(browser: Browser, service: RunningService, view: View, *, phone: bool) -> Image.Image:
    """Take a picture of a view; on a phone it is dark, as high as the phone is."""
    size = PHONE if phone else (WINDOW[0], view.height)
    dark: dict[str, Any] = {"color_scheme": "dark", "device_scale_factor": 2}
    with visiting(browser, service, size=size, **dark if phone else {}) as page:
        page.goto(view.path)
        view.steps(page)
        page.evaluate("scrollTo(0, 0)")
        wait_for_images(page)
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def beside(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures side by side, at their size on the screen."""
    width, height = PHONE
    sheet = Image.new("RGB", (len(pictures) * (width + GAP) - GAP, height), "white")
    for place, picture in enumerate(pictures):
        sheet.paste(picture.resize(PHONE, Image.Resampling.LANCZOS), (place * (width + GAP), 0))
    return sheet


def save(picture: Image.Image, path: Path) -> None:
    """Write a picture as WebP."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, quality=QUALITY, method=6)
    sys.stdout.write(f"{path.name}: {path.stat().st_size / 1000:.0f} kB\n")


if __name__ == "__main__":
    sys.exit(main())
