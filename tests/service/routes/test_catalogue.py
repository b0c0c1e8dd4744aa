"""The catalogue over HTTP: answers, caching, negotiation, and who may see what."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from service.app import create_app
from service.keys import make_key
from service.parts import Parts, make_parts
from service.routes.files import disposition
from tests.support.service import FixedClock, TestClient, settings_in, work_off
from tests.support.service_assets import TENANT, add_asset, add_done, photo

PROBLEM = "application/problem+json"


def send(client: TestClient, data: bytes | None = None, **more: Any) -> Any:
    files = {"file": ("photo.png", photo() if data is None else data)}
    return client.post("/upload/", files=files, data={"tenant_name": TENANT}, **more)


def problem(answer: Any, status: int, code: str) -> str:
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    assert answer.json()["code"] == code
    detail: str = answer.json()["detail"]
    return detail


# Upload


def test_the_source_is_sent_as_it_was_uploaded(client: TestClient, parts: Parts) -> None:
    add_asset(parts, name="été.png")
    answer = client.get("/retrieve/source/1")
    assert answer.content == photo()
    assert answer.headers["content-type"] == "image/png"
    assert "filename*=UTF-8''%C3%A9t%C3%A9.png" in answer.headers["content-disposition"]
    assert client.get("/retrieve/asset/1").json()["url"] == "/retrieve/source/1"
    assert client.get("/retrieve/source/2").status_code == 404


def test_an_upload_is_answered_with_its_asset_and_job(client: TestClient, parts: Parts) -> None:
    answer = send(client)
    sha256 = hashlib.sha256(photo()).hexdigest()
    expected = {"asset_id": 1, "status": "queued", "content_hash": sha256, "job_id": 1}
    assert (answer.status_code, answer.json()) == (200, expected)
    work_off(parts)
    assert send(client).json() == {**expected, "status": "done"}


def test_the_asset_tells_what_there_is_and_where(client: TestClient, parts: Parts) -> None:
    send(client)
    work_off(parts)
    found = client.get("/retrieve/asset/1").json()
    assert (found["tenant_name"], found["name"], found["status"]) == (TENANT, "photo.png", "done")
    assert found["job"] == {"job_id": 1, "state": "done", "attempts": 1, "error": None}
    for each in (*found["renditions"], *found["artifacts"]):
        answer = client.get(each["url"])
        assert answer.status_code == 200
        assert len(answer.content) == each["bytes"]
        assert answer.headers["content-type"] == each["content_type"]


def test_addresses_of_artifacts_lead_to_those_of_their_recipe(
    client: TestClient, parts: Parts
) -> None:
    add_done(parts)
    filtering = (
        "/retrieve/artifact/1/filtered?filter=bandpass:4,16%2Bnotch:8,90&colour=yes&offset=mid"
    )
    assert client.get(filtering).status_code == 200
    assert client.get("/retrieve/artifact/1/crop?crop=pct:0,0,50,50").status_code == 200
    for each in client.get("/retrieve/asset/1").json()["artifacts"]:
        answer = client.get(each["url"])
        assert (answer.status_code, len(answer.content)) == (200, each["bytes"])
    assert len(client.get("/retrieve/asset/1").json()["artifacts"]) == 4 + 5 + 5


def test_a_job_that_failed_tells_why(client: TestClient, parts: Parts) -> None:
    send(client, photo()[:-40])
    work_off(parts)
    found = client.get("/retrieve/asset/1").json()
    assert found["status"] == "failed"
    assert found["job"]["error"]["code"] == "corrupt-image"
    assert (found["width"], found["renditions"]) == (None, [])
    detail = problem(client.get("/retrieve/rendition/1/thumb"), 422, "corrupt-image")
    assert "PNG is truncated" in detail


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "empty-image"),
        (b"not an image", 415, "unknown-format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 415, "unknown-format"),
    ],
)
def test_what_is_no_image_is_refused_by_its_content(
    client: TestClient, data: bytes, status: int, code: str
) -> None:
    problem(send(client, data), status, code)
    problem(client.get("/retrieve/asset/1"), 404, "not-found")


@pytest.mark.parametrize(
    "fields",
    [{}, {"tenant_name": ""}, {"tenant_name": " acme"}, {"tenant_name": "a", "more": "b"}],
)
def test_a_form_with_other_fields_is_refused(client: TestClient, fields: dict[str, str]) -> None:
    answer = client.post("/upload/", files={"file": ("a.png", photo())}, data=fields)
    problem(answer, 422, "bad-request")


# Retrieval


@pytest.fixture
def done(client: TestClient, parts: Parts) -> TestClient:
    """A client of a service that has an asset, whose job is done."""
    add_done(parts)
    return client


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "image/jpeg"),
        ("image/avif,image/webp,*/*;q=0.8", "image/avif"),
        ("image/webp,*/*;q=0.8", "image/webp"),
        ("text/html", "image/jpeg"),
    ],
)
def test_a_rendition_is_of_the_type_that_the_client_would_rather_have(
    done: TestClient, accept: str, content_type: str
) -> None:
    answer = done.get("/retrieve/rendition/1/thumb", headers={"Accept": accept})
    assert answer.headers["content-type"] == content_type
    assert answer.headers["vary"] == "Accept"
    assert Image.open(io.BytesIO(answer.content)).size == (100, 75)


def test_a_file_has_a_tag_by_which_it_is_not_sent_again(done: TestClient) -> None:
    for url in ("/retrieve/rendition/1/card", "/retrieve/artifact/1/phase"):
        answer = done.get(url)
        tag = answer.headers["etag"]
        assert tag == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        assert answer.headers["cache-control"] == "private, max-age=86400"
        for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = done.get(url, headers={"If-None-Match": given})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            assert again.headers["cache-control"] == answer.headers["cache-control"]
        assert done.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_head_is_answered_with_the_headers_of_get(done: TestClient) -> None:
    for url in ("/retrieve/rendition/1/card", "/retrieve/artifact/1/record"):
        got, head = done.get(url), done.head(url)
        assert (head.status_code, head.content) == (200, b"")
        ignored = {"x-request-id"}
        assert {k: v for k, v in head.headers.items() if k not in ignored} == {
            k: v for k, v in got.headers.items() if k not in ignored
        }


def test_files_are_sent_with_types_of_ours_and_never_run(done: TestClient) -> None:
    answer = done.get("/retrieve/artifact/1/record")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == 'inline; filename="photo_metadata.json"'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("forest.png", 'inline; filename="forest.png"'),
        (
            'a"b\r\nX: y.png',
            "inline; filename=\"a_b_X_y.png\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y.png",
        ),
        ("../../etc/passwd", 'inline; filename="passwd"'),
        ("...", 'inline; filename="image"'),
        ("\udce9.png", "inline; filename=\"_.png\"; filename*=UTF-8''%3F.png"),
    ],
)
def test_file_names_are_safe(name: str, expected: str) -> None:
    assert disposition(name) == expected


def test_a_name_in_any_script_comes_through(client: TestClient, parts: Parts) -> None:
    add_done(parts, name="森 été.png")
    answer = client.get("/retrieve/rendition/1/thumb")
    assert answer.headers["content-disposition"] == (
        "inline; filename=\"_t__thumb.jpg\"; filename*=UTF-8''%E6%A3%AE%20%C3%A9t%C3%A9_thumb.jpg"
    )


def test_what_was_purged_at_the_moment_of_sending_is_made_again(
    done: TestClient, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = done.get("/retrieve/rendition/1/card").content
    read = parts.blobs.read

    def purge_first(sha256: str, size: int) -> bytes:
        monkeypatch.undo()
        assert done.post("/purge/?days=0").json()["renditions"] == 3
        return read(sha256, size)

    monkeypatch.setattr(parts.blobs, "read", purge_first)
    assert done.get("/retrieve/rendition/1/card").content == expected


@pytest.mark.parametrize("left", [None, b"", b"cut sho"])
def test_what_a_loss_of_power_left_of_a_file_is_made_again(
    done: TestClient, parts: Parts, left: bytes | None
) -> None:
    whole = done.get("/retrieve/rendition/1/thumb").content
    for blob in parts.blobs.entries():
        name = f"blobs/{blob.sha256[:2]}/{blob.sha256}"
        if parts.blobs.read(blob.sha256) == whole:
            parts.blobs.store.delete(name)
            if left is not None:
                parts.blobs.store.write(name, left)
    assert done.get("/retrieve/rendition/1/thumb").content == whole


def test_an_image_that_a_loss_of_power_cut_short_can_be_uploaded_again(
    client: TestClient, parts: Parts, clock: FixedClock
) -> None:
    sha256 = send(client).json()["content_hash"]
    parts.blobs.store.write(f"blobs/{sha256[:2]}/{sha256}", photo()[:1000])
    for seconds in (0, 2, 4, 8):
        clock.advance(seconds)
        work_off(parts)
    job = client.get("/retrieve/asset/1").json()["job"]
    assert (job["state"], job["error"]["code"]) == ("failed", "not-found")
    assert send(client).json()["status"] == "queued"
    work_off(parts)
    assert client.get("/retrieve/asset/1").json()["status"] == "done"


def test_an_artifact_of_another_recipe_is_made_at_once(done: TestClient) -> None:
    answer = done.get("/retrieve/artifact/1/magnitude?bits=16&crop=0,0,60,40")
    image = Image.open(io.BytesIO(answer.content))
    assert (image.mode, image.size) == ("I;16", (60, 40))
    spectrum = np.load(io.BytesIO(done.get("/retrieve/artifact/1/spectrum").content))
    assert any(spectrum[name].shape == (150, 101) for name in spectrum.files)


@pytest.mark.parametrize(
    ("path", "status", "code", "said"),
    [
        ("artifact/1/magnitud", 404, "not-found", "did you mean magnitude?"),
        ("artifact/1/filtered", 422, "bad-recipe", "lowpass:P"),
        ("artifact/1/crop", 422, "bad-recipe", "crop or smart-crop"),
        ("artifact/1/phase?bits=9&windw=hann", 422, "bad-recipe", "did you mean window?"),
        ("artifact/1/phase?bits=8&bits=16", 422, "bad-recipe", "given twice"),
        ("artifact/1/phase?crop=0,0,999,999", 422, "crop-outside", "150"),
        ("artifact/2/phase", 404, "not-found", "there is no asset 2"),
        ("rendition/1/tumb", 404, "not-found", "did you mean thumb?"),
        ("rendition/2/thumb", 404, "not-found", "there is no asset 2"),
        ("rendition/one/thumb", 422, "bad-request", "asset_id"),
        ("asset/0", 422, "bad-request", "asset_id"),
        ("asset/9223372036854775807", 404, "not-found", "there is no asset"),
        ("asset/9223372036854775808", 422, "bad-request", "asset_id"),
        ("asset/1%00", 422, "bad-request", "asset_id"),
    ],
)
def test_what_is_wrong_with_a_request_is_told(
    done: TestClient, path: str, status: int, code: str, said: str
) -> None:
    assert said in problem(done.get(f"/retrieve/{path}"), status, code)


def test_every_fault_of_a_recipe_is_in_a_list(done: TestClient) -> None:
    answer = done.get("/retrieve/artifact/1/phase?bits=9&windw=hann&scale=cubic")
    assert len(answer.json()["faults"]) == 3


# Who may see what


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[Parts]:
    """A service where requests need keys."""
    made = make_parts(settings_in(tmp_path, AUTHENTICATION="keys"))
    yield made
    made.close()


def test_a_tenant_sees_only_its_own_and_others_as_what_does_not_exist(keyed: Parts) -> None:
    keys = {name: make_key(keyed, name) for name in ("acme", "other")}
    mine, theirs = ({"Authorization": f"Bearer {keys[name]}"} for name in ("acme", "other"))
    with TestClient(create_app(keyed), base_url="http://127.0.0.1") as client:
        assert send(client, headers=mine).status_code == 200
        work_off(keyed)
        paths = [
            "/retrieve/asset/{}",
            "/retrieve/rendition/{}/thumb",
            "/retrieve/artifact/{}/record",
            "/retrieve/artifact/{}/record?window=hann",
        ]
        for path in paths:
            assert client.get(path.format(1), headers=mine).status_code == 200
            foreign = client.get(path.format(1), headers=theirs)
            unknown = client.get(path.format(77), headers=theirs)
            assert problem(foreign, 404, "not-found").replace("1", "77") == problem(
                unknown, 404, "not-found"
            )
            problem(client.get(path.format(1)), 401, "not-authenticated")
        problem(send(client, headers=theirs), 403, "forbidden")
        problem(send(client), 401, "not-authenticated")
