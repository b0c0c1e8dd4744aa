"""The spectrum studio as it is sent, and what it asks the service for."""

from __future__ import annotations

import html
import json
import re

import httpx
import numpy as np
import pytest

from service.database.tables import MASKS
from service.parts import Parts
from service.references import delete_unreferenced
from tests.support.images import png_bytes
from tests.support.service import TestClient
from tests.support.service_assets import add_asset, add_done, blobs, photo, rows

SHAPE = (150, 200)


def mask(seed: int = 0, shape: tuple[int, int] = SHAPE) -> bytes:
    levels = np.full(shape, 255, np.uint8)
    levels[seed : seed + 20, 30:60] = 0
    return png_bytes(levels)


def send(client: TestClient, data: bytes, asset: int = 1) -> httpx.Response:
    return client.post(f"/pages/masks/{asset}", files={"mask": ("mask.png", data)})


def test_the_script_is_told_what_it_needs(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    page = client.get("/assets/1/studio").text
    found = re.search(r'data-studio="([^"]*)"', page)
    assert found
    facts = json.loads(html.unescape(found[1]))
    assert (facts["asset"], facts["width"], facts["height"]) == (1, 200, 150)
    assert all(option in page for option in ('value="luma"', 'value="red"', 'value="blue"'))


def test_without_scripts_a_filter_as_text_shows_its_picture(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    page = client.get("/assets/1/studio", params={"filter": "notch:8,90"}).text
    address = "/retrieve/artifact/1/filtered?filter=notch%3A8%2C90"
    assert f'<img src="{address}"' in page
    assert client.get(address).headers["content-type"] == "image/png"
    assert "fft-tool analyze photo.png --histogram --filter notch:8,90 --metadata" in page


def test_a_filter_that_cannot_be_read_is_told_and_stays_in_the_form(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    page = client.get("/assets/1/studio", params={"filter": 'nutch:8"><b>'}).text
    assert 'role="alert"' in page
    assert "did you mean notch" in page
    assert 'value="nutch:8&#34;&gt;&lt;b&gt;"' in page
    assert "<b>" not in page.split("<main")[1].split("data-studio")[0]


def test_the_state_is_told_canonically(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    said = client.get("/pages/studio/1?filter=lowpass: 3.0 ,0.5%2Bnotch:8,270").json()
    assert said["filter"] == "lowpass:3+notch:8,90"
    answer = client.get("/pages/studio/1?filter=lowpass:1")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-recipe")


def test_an_image_that_is_not_analysed_has_no_studio_yet(client: TestClient, parts: Parts) -> None:
    add_asset(parts)
    assert "There is no spectrum yet" in client.get("/assets/1/studio").text
    assert client.get("/assets/2/studio").status_code == 404


def test_a_mask_is_kept_once_and_filters_under_its_name(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    first, second = send(client, mask()), send(client, mask())
    assert (first.status_code, first.json()) == (201, second.json())
    assert len(rows(parts, MASKS)) == 1
    said = first.json()
    assert said["filter"] == f"mask:mask-{said['sha256'][:8]}.png,{said['sha256']}"
    answer = client.get("/retrieve/artifact/1/filtered", params={"filter": said["filter"]})
    assert answer.headers["content-type"] == "image/png"
    assert client.get(f"/pages/masks/1/{said['sha256']}").content == mask()
    page = client.get("/assets/1/studio", params={"filter": said["filter"]}).text
    assert said["name"] in page


def test_a_mask_is_kept_as_long_as_its_image(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    sha256 = send(client, mask()).json()["sha256"]
    assert not delete_unreferenced(parts, sha256)
    assert sha256 in blobs(parts)


@pytest.mark.parametrize(
    ("data", "status", "says"),
    [
        (b"", 422, "the file is empty"),
        (b"GIF89a not a mask", 422, "grey PNG"),
        (mask(shape=(150, 199)), 422, "199 x 150"),
        (png_bytes(np.zeros((*SHAPE, 3), np.uint8)), 422, "has colour"),
        (mask()[:60], 422, "grey PNG"),
    ],
    ids=["empty", "other format", "other size", "colour", "cut short"],
)
def test_what_is_no_mask_for_the_image_is_refused(
    client: TestClient, parts: Parts, data: bytes, status: int, says: str
) -> None:
    add_done(parts)
    answer = send(client, data)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert rows(parts, MASKS) == []


def test_masks_of_another_image_do_not_count(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    add_done(parts, photo(1), name="other.png")
    said = send(client, mask()).json()
    answer = client.get("/retrieve/artifact/2/filtered", params={"filter": said["filter"]})
    assert answer.status_code == 422
    assert "asset 2 has no mask with the SHA-256" in answer.json()["detail"]
    assert client.get(f"/pages/masks/2/{said['sha256']}").status_code == 404


def test_a_mask_without_its_hash_is_refused(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    answer = client.get("/retrieve/artifact/1/filtered", params={"filter": "mask:repair.png"})
    assert answer.status_code == 422
    assert "needs its SHA-256" in answer.json()["detail"]
