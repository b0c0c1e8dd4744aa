"""POST /compare/{id}: numbers of the core, for every preset and for the originals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fft_tool as ft
from fft_tool.codec.image_file import encode_image
from fft_tool.codec.picture_encode import encode
from service.parts import Parts
from tests.support.images import pink_noise
from tests.support.service import TestClient

SCENE = pink_noise((450, 600), seed=3)


def png(pixels: NDArray[Any]) -> bytes:
    return encode_image(pixels, int(np.iinfo(pixels.dtype).max))


def uploaded(client: TestClient, data: bytes, tenant: str = "acme") -> int:
    answer = client.post(
        "/upload/", files={"file": ("scene.png", data)}, data={"tenant_name": tenant}
    )
    assert answer.status_code == 200, answer.text
    asset_id: int = answer.json()["asset_id"]
    return asset_id


def compared(client: TestClient, asset_id: int, data: bytes) -> Any:
    answer = client.post(f"/compare/{asset_id}", files={"file": ("other.png", data)})
    assert answer.status_code == 200, answer.text
    return json.loads(answer.text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_the_numbers_are_those_of_the_core(client: TestClient) -> None:
    asset_id = uploaded(client, png(SCENE))
    moved = np.roll(SCENE, (3, -5), axis=(0, 1))
    found = compared(client, asset_id, png(moved))
    assert found["asset_id"] == asset_id
    whole, expected = found["originals"], ft.compare(SCENE, moved)
    assert (whole["width"], whole["height"], whole["fitted"]) == (600, 450, False)
    assert whole["psnr_db"] == pytest.approx(expected.psnr)
    assert whole["range"] == 255
    assert whole["ssim"] == pytest.approx(expected.ssim)
    assert whole["correlation"] == pytest.approx(expected.correlation)
    assert whole["shift"]["right"] == pytest.approx(-5, abs=0.05)
    assert whole["shift"]["down"] == pytest.approx(3, abs=0.05)
    assert whole["shift"]["reliable"]
    curve = ft.ring_correlation(SCENE, moved)
    assert whole["ring_correlation"]["correlation"] == pytest.approx(curve.correlation, abs=1e-6)
    assert whole["ring_correlation"]["resolution"]["0.143"] == pytest.approx(curve.resolution())
    sizes = {each["preset"]: (each["width"], each["height"]) for each in found["presets"]}
    assert sizes == {"thumb": (100, 75), "card": (400, 300), "zoom": (600, 450)}
    # What is not made smaller is compared as it came.
    zoom = found["presets"][-1]
    assert {name: zoom[name] for name in ("psnr_db", "ssim", "hash_distance")} == {
        name: whole[name] for name in ("psnr_db", "ssim", "hash_distance")
    }
    # A shift by some pixels is less of one in a small copy.
    psnr = {each["preset"]: each["psnr_db"] for each in found["presets"]}
    assert psnr["thumb"] > psnr["card"] > psnr["zoom"]


def test_a_copy_is_identical_in_every_size(client: TestClient) -> None:
    data = png(np.dstack([SCENE, SCENE // 2, 255 - SCENE]))
    found = compared(client, uploaded(client, data), data)
    for each in (*found["presets"], found["originals"]):
        assert each["identical"]
        assert each["psnr_db"] is None
        assert each["ssim"] == pytest.approx(1)
        assert each["hash_distance"] == 0
    assert found["originals"]["shift"]["peak"] == pytest.approx(1, abs=1e-3)
    resolution = found["originals"]["ring_correlation"]["resolution"]
    assert resolution == {"0.143": 0.5, "half-bit": 0.5}


def test_a_compressed_copy_of_half_the_size_is_still_the_same_picture(client: TestClient) -> None:
    asset_id = uploaded(client, png(SCENE))
    small = ft.apply_operations(SCENE, "resize:50%")
    found = compared(client, asset_id, encode(np.asarray(small, np.uint8), "jpeg"))
    assert found["originals"]["fitted"]
    assert (found["originals"]["width"], found["originals"]["height"]) == (300, 225)
    assert [each["fitted"] for each in found["presets"]] == [False, True, True]
    for each in found["presets"]:
        assert each["hash_distance"] <= 4
        assert each["psnr_db"] > 30


def test_another_aspect_is_fitted_and_said(client: TestClient) -> None:
    found = compared(client, uploaded(client, png(SCENE)), png(SCENE[:, :300]))
    sizes = [(each["width"], each["height"], each["fitted"]) for each in found["presets"]]
    assert sizes == [(67, 75, True), (267, 300, True), (300, 450, True)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_constant_and_tiny_images_give_no_numbers_where_there_are_none(
    client: TestClient, dtype: Any
) -> None:
    asset_id = uploaded(client, png(np.full((3, 4), 7, np.uint8)))
    whole = compared(client, asset_id, png(np.full((3, 4), 9, dtype)))["originals"]
    assert whole["range"] == np.iinfo(dtype).max
    assert (whole["ssim"], whole["correlation"], whole["shift"]) == (None, None, None)
    assert whole["ring_correlation"]["resolution"] == {"0.143": None, "half-bit": None}
    assert not whole["identical"]


def test_nothing_is_kept(client: TestClient, parts: Parts) -> None:
    asset_id = uploaded(client, png(SCENE))
    before = {entry.sha256 for entry in parts.blobs.entries()}
    compared(client, asset_id, png(SCENE[::-1]))
    assert {entry.sha256 for entry in parts.blobs.entries()} == before
    assert not list(parts.settings.temporary.iterdir())


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty-image"),
        (b"no image at all", 415, "unknown-format"),
        (png(SCENE)[:5000], 422, "corrupt-image"),
    ],
)
def test_what_is_no_image_is_refused(
    client: TestClient, data: bytes, status: int, code: str
) -> None:
    asset_id = uploaded(client, png(SCENE))
    answer = client.post(f"/compare/{asset_id}", files={"file": ("other.png", data)})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_unknown_asset_is_not_here(client: TestClient) -> None:
    answer = client.post("/compare/7", files={"file": ("other.png", png(SCENE))})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
