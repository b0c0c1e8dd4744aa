"""The gallery and the page of an image, as they are sent: without scripts, and without trust."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fft_tool.report.details import name_of
from service.pages.rendering import POLICY
from service.parts import Parts
from service.samples import images_in
from tests.support.service import TestClient, work_off
from tests.support.service_assets import TENANT, add_asset, add_done, photo

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"


def test_an_empty_gallery_explains_itself(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "No images yet" in page.text
    assert 'action="/pages/samples"' in page.text


def test_without_sample_images_an_empty_gallery_tells_how_to_get_some(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "fft-service seed http://127.0.0.1" in client.get("/").text
    answer = client.post("/pages/samples", files={"tenant_name": (None, TENANT)})
    assert answer.status_code == 404
    assert "there are no sample images" in answer.text


def test_the_sample_images_are_added_at_once(client: TestClient, parts: Parts) -> None:
    form = {"tenant_name": (None, TENANT)}
    answer = client.post("/pages/samples", files=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    samples = images_in(Path("input_images"))
    page = client.get("/").text
    assert all(name_of(path.name) in page for path in samples)
    assert f"{len(samples)} images" in page
    assert "pages/samples" not in page
    stored = {path.stat().st_ino for path in Path(parts.settings.storage_path).rglob("*")}
    assert not stored & {path.stat().st_ino for path in samples}  # copies, not links


def test_images_are_shown_with_what_their_records_say(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    page = client.get("/").text
    assert "200 × 150 px" in page
    assert 'src="/retrieve/rendition/1/card"' in page
    assert "1 image" in page


def test_an_upload_without_scripts_leads_to_the_page_of_the_image(
    client: TestClient, parts: Parts
) -> None:
    files = {"file": ("photo.png", photo())}
    answer = client.post("/", files=files, data={"tenant_name": TENANT}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/assets/1")
    assert "in the queue" in client.get("/assets/1").text
    work_off(parts)
    assert "What the spectrum says" in client.get("/assets/1").text


def test_the_page_of_an_image_has_all_that_the_report_has(client: TestClient, parts: Parts) -> None:
    add_done(parts)
    page = client.get("/assets/1").text
    for heading in ("What the spectrum says", "Pixels", "Measures", "Downloads"):
        assert heading in page
    assert "fft-tool analyze photo.png --histogram --metadata -o results" in page
    assert "outputs = ft.analyze(&#34;photo.png&#34;, histogram=True, metadata=True)" in page
    for address in re.findall(r'(?:href|src)="(/[^"]*)"', page):
        assert client.get(address).status_code == 200, address


def test_an_image_that_failed_says_why(client: TestClient, parts: Parts) -> None:
    add_asset(parts, photo()[:2000])
    work_off(parts)
    assert 'role="alert"' in client.get("/assets/1").text
    assert "failed" in client.get("/").text


def test_hostile_names_are_shown_as_text(client: TestClient, parts: Parts) -> None:
    add_asset(parts, name=HOSTILE)
    work_off(parts)
    for path in ("/", "/assets/1", "/pages/cards/1", f"/?q={HOSTILE}"):
        page = client.get(path).text
        assert "<img src=x" not in page
        assert "&lt;img" in page


@pytest.mark.parametrize("path", ["/", "/assets/1"])
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(
    client: TestClient, parts: Parts, path: str
) -> None:
    add_done(parts)
    page = client.get(path)
    assert page.headers["content-security-policy"] == POLICY
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", page.text)
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page.text)


def test_a_search_that_cannot_be_read_is_told_and_all_images_are_shown(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    page = client.get("/?q=perod<3").text
    assert "perod cannot be compared" in page
    assert "200 × 150 px" in page


def test_static_files_are_kept_for_ever_under_their_version(client: TestClient) -> None:
    page = client.get("/").text
    for address in re.findall(r'(?:href|src)="(/static/[^"]*)"', page):
        answer = client.get(address)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        again = client.get(address, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    assert client.get("/static/..%2f..%2fsettings.py").status_code == 404


def test_the_first_view_is_below_100_kilobytes(client: TestClient, parts: Parts) -> None:
    for number in range(48):
        add_asset(parts, photo(number, (16, 16)), name=f"{number}.png")
    page = client.get("/")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]*)"', page.text)) | {"/static/live.js"}
    sizes = [len(client.get(address).content) for address in files]
    assert len(page.content) + sum(sizes) < 100_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = client.post(
        "/",
        files={"file": ("photo.png", photo())},
        data={"tenant_name": TENANT},
        headers=headers,
        follow_redirects=False,
    )
    assert answer.status_code == status
