"""Product images over HTTP: good, bad and hostile requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fft_tool.errors import UsageError
from service.app import create_app
from service.keys import make_key
from service.parts import Parts, make_parts
from tests.support.images import noise, opened, png_bytes
from tests.support.service import FixedClock, TestClient, settings_in, work_off

IMAGE = png_bytes(noise((120, 160, 3)))
INFO, BOX = '{"product_id": "ABC-123"}', '{"x": 10, "y": 20, "width": 30, "height": 40}'
MANUAL, SMART = "/images/manual-crop", "/images/smart-crop"


def post(client: TestClient, address: str = MANUAL, data: bytes = IMAGE, **more: Any) -> Any:
    fields = {"product_info": more.pop("info", INFO), "crop_box": more.pop("box", BOX)}
    if address == SMART:
        del fields["crop_box"]
    return client.post(address, files={"source_image": ("a.png", data)}, data=fields, **more)


def problem_of(answer: Any) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == answer.status_code
    return problem


def test_a_manual_crop_is_there_at_once(client: TestClient) -> None:
    answer = post(client)
    assert answer.status_code == 200
    made = answer.json()
    assert made.keys() == {"image_id", "retrieval_url"}
    image = client.get(made["retrieval_url"])
    assert image.status_code == 200
    assert image.headers["content-type"] == "image/jpeg"
    assert image.headers["x-content-type-options"] == "nosniff"
    assert opened(image.content).size == (30, 40)


def test_a_smart_crop_is_there_after_its_job(client: TestClient, parts: Parts) -> None:
    answer = post(client, SMART, info='{"product_id": "x", "width": 50, "height": 20}')
    assert answer.status_code == 202
    made = answer.json()
    assert made.keys() == {"image_id", "retrieval_url"}
    status = f"/images/status/{made['image_id']}"
    assert problem_of(client.get(made["retrieval_url"]))["code"] == "not-found"
    assert client.get(status).json() == {"image_id": made["image_id"], "status": "waiting"}
    work_off(parts)
    assert opened(client.get(made["retrieval_url"]).content).size == (50, 20)
    assert client.get(status).json() == {"image_id": made["image_id"], "status": "ready"}


def test_a_failure_in_the_background_is_visible(client: TestClient, parts: Parts) -> None:
    made = post(client, SMART, IMAGE[:-40]).json()
    work_off(parts)
    status = client.get(f"/images/status/{made['image_id']}").json()
    assert status["status"] == "failed"
    assert status["error"]["code"] == "corrupt-image"
    assert "PNG is truncated" in status["error"]["message"]
    assert client.get(made["retrieval_url"]).status_code == 404


def test_an_image_has_a_strong_tag_that_saves_sending_it_again(client: TestClient) -> None:
    address = post(client).json()["retrieval_url"]
    image = client.get(address)
    tag = image.headers["etag"]
    assert not tag.startswith("W/")
    head = client.head(address)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == tag
    assert head.headers["content-length"] == str(len(image.content))
    for given in (tag, f'"other", {tag}', "*", f"W/{tag}"):
        known = client.get(address, headers={"If-None-Match": given})
        assert (known.status_code, known.content) == (304, b"")
        assert known.headers["etag"] == tag
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200
    assert client.head("/images/nothing.jpg").status_code == 404


@pytest.mark.parametrize("address", [MANUAL, SMART])
def test_every_fault_of_the_form_is_told_at_once(client: TestClient, address: str) -> None:
    problem = problem_of(post(client, address, info='{"product": 1}', box='{"x": -1}'))
    assert (problem["status"], problem["code"]) == (422, "bad-request")
    expected = {"product_info.product_id: is missing"}
    if address == MANUAL:
        expected |= {"crop_box.y: is missing", "crop_box.width: is missing"}
    assert expected <= set(problem["faults"])


def test_a_box_outside_is_told_with_the_size_of_the_image(client: TestClient) -> None:
    problem = problem_of(post(client, box='{"x": 0, "y": 0, "width": 161, "height": 1}'))
    assert (problem["status"], problem["code"]) == (422, "crop-outside")
    assert problem["detail"].endswith("the image has 160 x 120 pixels")


@pytest.mark.parametrize("address", [MANUAL, SMART])
@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"", 422, "empty-image"), (b"<svg/>", 415, "unknown-format")],
)
def test_what_is_not_an_image_is_refused(
    client: TestClient, address: str, data: bytes, status: int, code: str
) -> None:
    problem = problem_of(post(client, address, data))
    assert (problem["status"], problem["code"]) == (status, code)


@pytest.mark.parametrize(
    ("image_id", "status"), [("7", 404), ("0", 422), ("-1", 422), ("x", 422), ("9" * 30, 422)]
)
def test_a_status_of_nothing_is_a_problem(client: TestClient, image_id: str, status: int) -> None:
    assert problem_of(client.get(f"/images/status/{image_id}"))["status"] == status


def test_addresses_of_the_posts_are_not_images(client: TestClient) -> None:
    for address in (MANUAL, SMART, "/images/", "/images/status/"):
        assert problem_of(client.get(address))["status"] == 404


# The rate limit.


@pytest.fixture
def made_client(tmp_path: Path, clock: FixedClock) -> Iterator[Any]:
    """Make clients of services with other settings."""
    opened_parts: list[Parts] = []

    def make(**variables: str) -> TestClient:
        parts = make_parts(settings_in(tmp_path, **variables), clock)
        opened_parts.append(parts)
        return TestClient(create_app(parts), base_url="http://127.0.0.1", client=("10.0.0.7", 1))

    yield make
    for parts in opened_parts:
        parts.close()


def test_both_posts_count_together_and_refused_requests_count(
    made_client: Any, clock: FixedClock
) -> None:
    client = made_client(RATE_LIMIT="3")
    answers = [post(client), post(client, SMART), post(client, info="{}"), post(client)]
    assert [answer.status_code for answer in answers] == [200, 202, 422, 429]
    problem = problem_of(answers[-1])
    assert problem["code"] == "too-many-requests"
    assert problem["detail"] == (
        "this address has sent as many images as are accepted, 3 in an hour: try again in an hour"
    )
    assert answers[-1].headers["retry-after"] == "3600"
    clock.advance(3600)
    assert post(client).status_code == 200


def test_images_and_their_status_are_not_limited(made_client: Any) -> None:
    client = made_client(RATE_LIMIT="1")
    made = post(client).json()
    for _ in range(5):
        assert client.get(made["retrieval_url"]).status_code == 200
        assert client.get(f"/images/status/{made['image_id']}").status_code == 200


def test_the_limit_is_decided_before_anything_of_the_body_is_read(made_client: Any) -> None:
    client = made_client(RATE_LIMIT="1")
    assert post(client).status_code == 200
    read = []

    def body() -> Iterator[bytes]:
        for _ in range(1000):
            read.append(1)
            yield b"x" * 1000

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    unread = client.post(SMART, content=body(), headers=headers)
    assert unread.status_code == 429
    not_a_form = client.post(SMART, content=b"{}", headers={"Content-Type": "application/json"})
    assert not_a_form.status_code == 429
    endless = {**headers, "Content-Length": str(10**12)}
    assert client.post(SMART, content=b"", headers=endless).status_code == 429


def test_forwarded_addresses_count_only_behind_a_trusted_proxy(made_client: Any) -> None:
    def statuses(client: TestClient) -> list[int]:
        sent = [{"X-Forwarded-For": address} for address in ("192.0.2.1", "192.0.2.2", "192.0.2.2")]
        return [post(client, headers=headers).status_code for headers in sent]

    assert statuses(made_client(RATE_LIMIT="1")) == [200, 429, 429]
    assert statuses(made_client(RATE_LIMIT="1", TRUSTED_PROXIES="10.0.0.0/8")) == [200, 200, 429]


@pytest.mark.usefixtures("aws_keys")
def test_while_dynamodb_is_away_the_setting_decides(made_client: Any) -> None:
    endpoint = "http://127.0.0.1:1"
    away = {"RATE_TABLE": "limits", "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": endpoint}
    assert post(made_client(**away)).status_code == 200
    answer = post(made_client(**away, RATE_WITHOUT_TABLE="closed"))
    assert problem_of(answer)["code"] == "busy"
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"


def test_requests_without_a_key_are_refused_and_do_not_count(
    tmp_path: Path, clock: FixedClock
) -> None:
    settings = settings_in(tmp_path, AUTHENTICATION="keys", RATE_LIMIT="1")
    parts = make_parts(settings, clock)
    key = make_key(parts, "acme")
    client = TestClient(create_app(parts), base_url="http://127.0.0.1")
    assert post(client).status_code == 401
    headers = {"Authorization": f"Bearer {key}"}
    made = post(client, headers=headers)
    assert made.status_code == 200
    assert client.get(made.json()["retrieval_url"]).status_code == 200, "open to any client"
    assert post(client, headers=headers).status_code == 429
    assert post(client).status_code == 401
    parts.close()


def test_a_table_without_a_region_is_a_fault_of_the_settings(made_client: Any) -> None:
    with pytest.raises(UsageError, match="AWS_REGION"):
        made_client(RATE_TABLE="limits")


# The description.


def test_the_description_has_what_a_client_needs(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    manual, smart = paths[MANUAL]["post"], paths[SMART]["post"]
    for described, fields in ((manual, {"product_info", "crop_box"}), (smart, {"product_info"})):
        form = described["requestBody"]["content"]["multipart/form-data"]["schema"]
        assert form["properties"].keys() == {"source_image", *fields}
        assert {"413", "415", "422", "429"} <= described["responses"].keys()
    assert "200" in manual["responses"]
    assert "202" in smart["responses"]
    image = paths["/images/{image_path}"]["get"]
    assert "image/jpeg" in image["responses"]["200"]["content"]
