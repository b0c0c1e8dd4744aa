"""The page that crops, as forms without scripts use it, and what its scripts ask for."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from PIL import Image

from fft_tool.cropping import crop
from fft_tool.image.region import Box
from fft_tool.results.outputs import Source
from service.app import create_app
from service.pages.rendering import POLICY
from service.parts import Parts, make_parts
from tests.support.images import noise, opened, png_bytes, saved
from tests.support.service import FixedClock, TestClient, settings_in, work_off
from tests.support.service_assets import add_asset, add_done, photo

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"
BOX = {"x": "10", "y": "20", "width": "30", "height": "40"}


def post(client: TestClient, action: str, **changed: str) -> Any:
    """Send the form as a browser without scripts does."""
    typed = {**BOX, "product_id": "ABC-123", "action": action, **changed}
    parts = {name: (None, text) for name, text in typed.items()}
    return client.post("/assets/1/crop", files=parts, follow_redirects=False)


def query_of(answer: Any) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    address = urlsplit(answer.headers["location"])
    assert address.path == "/assets/1/crop"
    return dict(parse_qsl(address.query))


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return html.unescape(found[1])


def code_of(page: str, name: str) -> str:
    found = re.search(rf"<code data-{name}>(.*?)</code>", page, re.DOTALL)
    assert found, name
    return html.unescape(found[1])


def test_a_form_without_scripts_leads_to_its_crop(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    answer = post(client, "manual")
    assert query_of(answer) == {**BOX, "product_id": "ABC-123", "image": "1"}
    page = client.get(answer.headers["location"]).text
    address = re.search(r'href="(/images/[^"]*)" download', page)
    assert address
    expected = crop(Source("a", photo()), Box(10, 20, 30, 40)).data
    assert client.get(address[1]).content == expected
    assert "30 × 40 px" in page
    for name, text in {**BOX, "product_id": "ABC-123"}.items():
        assert value_of(page, name) == text


def test_a_smart_crop_without_scripts_shows_its_box_and_is_ready_after_its_job(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    answer = post(client, "smart", width="80", height="60")
    query = query_of(answer)
    assert (query["width"], query["height"], query["map"]) == ("80", "60", "yes")
    page = client.get(answer.headers["location"]).text
    assert "is being made" in page
    assert 'src="/pages/saliency/1"' in page
    work_off(parts)
    page = client.get(answer.headers["location"]).text
    address = re.search(r'href="(/images/[^"]*)" download', page)
    assert address
    box = Box(*(int(query[name]) for name in ("x", "y", "width", "height")))
    assert client.get(address[1]).content == crop(Source("a", photo()), box).data


def test_finding_what_stands_out_makes_nothing_and_needs_no_product(
    client: TestClient, parts: Parts
) -> None:
    grey = noise((120, 160)) // 16
    grey[70:90, 110:130] = 230
    add_done(parts, png_bytes(grey))
    query = query_of(post(client, "find", product_id="", width="40", height="30"))
    x, y = int(query["x"]), int(query["y"])
    assert x <= 120 <= x + 40
    assert y <= 80 <= y + 30
    assert not list(parts.settings.processed_images.glob("*.jpg"))
    found = client.get("/pages/salient-box/1?width=40&height=30").json()
    assert {name: str(value) for name, value in found.items()} == {
        name: query[name] for name in BOX
    }


def test_the_picture_of_saliency_has_the_aspect_of_the_image(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    answer = client.get("/pages/saliency/1")
    assert answer.headers["content-type"] == "image/png"
    assert opened(answer.content).size == (384, 288)


def test_box_and_picture_agree_for_a_photo_that_exif_turns(
    client: TestClient, parts: Parts
) -> None:
    upright = np.zeros((60, 90, 3), np.uint8)
    upright[10:30, 50:80] = (200, 40, 40)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
    add_done(parts, saved(stored, "JPEG", exif=exif, quality=95), name="turned.jpg")
    page = client.get("/assets/1/crop").text
    assert 'data-width="90" data-height="60"' in page
    shown = opened(client.get("/retrieve/rendition/1/zoom").content)
    assert shown.size == (90, 60)
    answer = post(client, "manual", x="55", y="15", width="20", height="10")
    page = client.get(answer.headers["location"]).text
    address = re.search(r'src="(/images/[^"]*)"', page)
    assert address
    levels = np.asarray(opened(client.get(address[1]).content)).astype(int)
    assert np.abs(levels - (200, 40, 40)).max() < 12


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"x": "180"}, "The crop 180,20,30,40 extends to column 210"),
        ({"width": "0"}, "Crop_box.width: should be a whole number from 1"),
        ({"y": "-1"}, "Crop_box.y: should be a whole number from 0"),
        ({"height": "4.5"}, "not 4.5"),
        ({"x": "<b>"}, "not &lt;b&gt;"),
        ({"product_id": " "}, "Product_info.product_id: should be printable text"),
    ],
)
def test_what_is_refused_is_told_beside_what_was_typed(
    client: TestClient, parts: Parts, changed: dict[str, str], says: str
) -> None:
    add_done(parts)
    answer = post(client, "manual", **changed)
    assert answer.status_code == 422
    assert says in answer.text
    assert "<b>" not in answer.text.replace("<b></b>", "")
    for name, text in {**BOX, "product_id": "ABC-123", **changed}.items():
        assert value_of(answer.text, name) == text


def test_the_python_of_the_page_gives_the_same_bytes(
    client: TestClient, parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_done(parts, name="it's \\ a\nphoto.png")
    page = client.get(post(client, "manual").headers["location"]).text
    address = re.search(r'src="(/images/[^"]*)"', page)
    assert address
    monkeypatch.chdir(tmp_path)
    Path("it's \\ a\nphoto.png").write_bytes(photo())
    exec(compile(code_of(page, "python"), "page", "exec"), {})  # noqa: S102  (what is shown runs)
    assert Path("crop.jpg").read_bytes() == client.get(address[1]).content


def test_the_limit_is_shown_with_the_moment_when_it_ends_and_nothing_is_lost(
    tmp_path: Path, clock: FixedClock
) -> None:
    parts = make_parts(settings_in(tmp_path, RATE_LIMIT="1", RATE_SECONDS="600"), clock)
    try:
        client = TestClient(create_app(parts), base_url="http://127.0.0.1", client=("10.0.0.7", 1))
        add_done(parts)
        assert post(client, "manual").status_code == 303
        clock.advance(30)
        refused = post(client, "manual", product_id="Second")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "570")
        assert "in 10 minutes, at 12:10 UTC" in refused.text
        assert value_of(refused.text, "product_id") == "Second"
        assert post(client, "find").status_code == 303  # makes nothing
        clock.advance(570)
        assert post(client, "manual", product_id="Second").status_code == 303
    finally:
        parts.close()


def test_an_image_that_waits_or_failed_says_so(client: TestClient, parts: Parts) -> None:
    add_asset(parts)
    assert "It is in the queue" in client.get("/assets/1/crop").text
    add_asset(parts, photo(1)[:2000])
    work_off(parts)
    assert 'role="alert"' in client.get("/assets/2/crop").text


def test_crops_and_images_that_do_not_exist_are_not_found(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    addresses = ("/assets/7/crop", "/assets/1/crop?image=7", "/pages/saliency/7")
    assert [client.get(each).status_code for each in addresses] == [404] * 3
    assert post(client, "nothing").status_code == 422


@pytest.fixture
def page(client: TestClient, parts: Parts) -> str:
    add_done(parts, name=HOSTILE)
    answer = post(client, "manual", product_id=HOSTILE)
    text: str = client.get(answer.headers["location"]).text
    return text


def test_hostile_names_are_shown_as_text_and_nothing_is_inline(
    client: TestClient, page: str
) -> None:
    assert "<img src=x" not in page
    assert page.count("&lt;img") >= 3
    ours = page.replace(" onerror=alert(1)&gt;", "")  # of the name
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", ours)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page)
    assert client.get("/assets/1/crop").headers["content-security-policy"] == POLICY
