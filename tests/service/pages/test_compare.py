"""The page that compares: choosing, numbers of the command line, and images that do not fit."""

from __future__ import annotations

import html
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fft_tool.cli.main import main
from service.pages.rendering import POLICY
from service.parts import Parts
from tests.support.images import chunk, opened, pink_noise, png_bytes
from tests.support.service import TestClient, work_off
from tests.support.service_assets import add_asset, add_done

HOSTILE = "<img src=x onerror=alert(1)>\"'.png"
SCENE = pink_noise((120, 160), seed=3)
NOISY = np.clip(SCENE + np.random.default_rng(1).normal(0, 20, SCENE.shape), 0, 255).astype(
    np.uint8
)


def add(parts: Parts, pixels: NDArray[Any], name: str) -> int:
    return add_done(parts, png_bytes(pixels), name=name)


def values_of(page: str) -> dict[str, str]:
    rows = re.findall(r'<th scope="row">(.*?)</th><td>(.*?)</td><td>(.+?)</td>', page)
    return {name: html.unescape(value) for name, value, _ in rows}


def test_the_numbers_are_those_of_the_command_line(
    client: TestClient, parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(parts, SCENE, "first.png")
    add(parts, NOISY, "second.png")
    page = client.get("/compare?first=1&second=2").text
    paths = [str(tmp_path / name) for name in ("first.png", "second.png")]
    for path, pixels in zip(paths, (SCENE, NOISY), strict=True):
        Path(path).write_bytes(png_bytes(pixels))
    assert main(["compare", *paths]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert values_of(page) == dict(lines)
    assert list(values_of(page))[:3] == ["size", "PSNR", "SSIM"]
    assert "fft-tool compare first.png second.png<" in page
    assert 'class="chart rings"' in page
    for address in re.findall(r'src="(/[^"]*)"', page):
        assert client.get(html.unescape(address)).status_code == 200, address


@pytest.mark.parametrize(("other", "told"), [(15_384_615, True), (10_000_000, False)])
def test_the_resolution_has_a_length_where_both_pixels_have_the_same(
    client: TestClient, parts: Parts, other: int, told: bool
) -> None:
    chance = np.random.default_rng(4)
    for density in (15_384_615, other):  # pixels to the metre: of 65 nm
        exposure = np.clip(SCENE + chance.normal(0, 50, SCENE.shape), 0, 255).astype(np.uint8)
        size = chunk(b"pHYs", struct.pack(">IIB", density, density, 1))
        add_done(parts, png_bytes(exposure, size))
    page = client.get("/compare?first=1&second=2").text
    found = re.search(r"period of ([0-9.]+) px(?: = ([0-9.]+) nm)?\.", page)
    assert found
    assert bool(found[2]) == told
    if told:
        assert float(found[2]) == pytest.approx(65 * float(found[1]), rel=0.01)


def test_the_difference_is_a_picture(client: TestClient, parts: Parts) -> None:
    add(parts, SCENE, "first.png")
    add(parts, NOISY, "second.png")
    answer = client.get("/pages/differences?first=1&second=2")
    assert answer.headers["content-type"] == "image/png"
    picture = np.asarray(opened(answer.content)).astype(float)
    difference = np.abs(SCENE.astype(float) - NOISY)
    assert np.array_equal(picture, np.rint(difference * (255 / difference.max())))


def test_sizes_that_differ_are_told_and_compared_at_a_common_one(
    client: TestClient, parts: Parts
) -> None:
    add(parts, SCENE, "first.png")
    add(parts, SCENE[::2, ::2], "half.png")
    page = client.get("/compare?first=1&second=2").text
    assert "They differ in size:" in page
    assert "scaled down to 80 × 60" in page
    assert values_of(page)["size"] == "80 × 60, scaled down to a common size"
    assert "fft-tool compare first.png half.png --fit" in page


def test_other_aspects_have_no_numbers_that_would_mean_nothing(
    client: TestClient, parts: Parts
) -> None:
    add(parts, SCENE, "first.png")
    add(parts, SCENE[:, :80], "narrow.png")
    page = client.get("/compare?first=1&second=2").text
    assert "Their aspects differ as well" in page
    assert list(values_of(page)) == ["hash"]
    assert "/pages/differences" not in page
    assert page.count("<figure>") == 2


def test_an_image_is_equal_to_itself(client: TestClient, parts: Parts) -> None:
    add(parts, SCENE, "first.png")
    page = client.get("/compare?first=1&second=1").text
    assert values_of(page)["PSNR"] == "none: the grey levels are equal"
    assert "Black everywhere" in page


def test_the_second_image_is_chosen_among_those_that_match(
    client: TestClient, parts: Parts
) -> None:
    add(parts, SCENE, "first.png")
    add(parts, NOISY, "second.png")
    add(parts, SCENE // 2, "third.png")
    page = client.get("/compare?first=1&q=third").text
    assert 'href="/compare?first=1&amp;second=3"' in page
    assert "second=2" not in page
    assert '<option value="1" selected>' in page  # though it does not match
    assert "No image matches" in client.get("/compare?q=nothing").text


def test_without_images_the_page_says_what_is_needed(client: TestClient, parts: Parts) -> None:
    assert "No images yet" in client.get("/compare").text
    add_asset(parts)  # has not been analysed
    assert "No images yet" in client.get("/compare").text


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("first=7", 404),
        ("first=x", 422),
        ("first=0", 422),
        ("first=" + "9" * 30, 422),
        ("q=a<", 200),
    ],
)
def test_what_does_not_exist_is_refused(client: TestClient, query: str, status: int) -> None:
    assert client.get(f"/compare?{query}").status_code == status


def test_an_image_that_cannot_be_read_is_told(client: TestClient, parts: Parts) -> None:
    add(parts, SCENE, "first.png")
    add_asset(parts, png_bytes(NOISY)[:3000], name="cut.png")
    answer = client.get("/compare?first=1&second=2")
    assert answer.status_code == 422
    assert 'role="alert">Cannot compare cut.png: it has not been analysed yet' in answer.text
    work_off(parts)
    answer = client.get("/compare?first=1&second=2")
    assert 'role="alert">Cannot compare cut.png: PNG is truncated' in answer.text


def test_the_python_of_the_page_gives_the_same_numbers(
    client: TestClient,
    parts: Parts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    add(parts, SCENE, "first.png")
    add(parts, NOISY, "second.png")
    page = client.get("/compare?first=1&second=2").text
    monkeypatch.chdir(tmp_path)
    Path("first.png").write_bytes(png_bytes(SCENE))
    Path("second.png").write_bytes(png_bytes(NOISY))
    code = re.findall(r"<code>(from .*?)</code>", page, re.DOTALL)[0]
    exec(compile(html.unescape(code), "page", "exec"), {})  # noqa: S102  (what is shown runs)
    shown = re.search(r"psnr_db=([0-9.]+)", capsys.readouterr().out)
    assert shown
    assert values_of(page)["PSNR"] == f"{float(shown[1]):.2f} dB, of white 255"


def test_hostile_names_are_shown_as_text_and_nothing_is_inline(
    client: TestClient, parts: Parts
) -> None:
    add(parts, SCENE, HOSTILE)
    add(parts, NOISY, HOSTILE)
    for query in ("", "?first=1", "?first=1&second=2", f"?q={HOSTILE}"):
        answer = client.get(f"/compare{query}")
        assert "<img src=x" not in answer.text
        ours = answer.text.replace(" onerror=alert(1)&gt;", "")  # of the name
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", ours)
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)
        assert answer.headers["content-security-policy"] == POLICY
