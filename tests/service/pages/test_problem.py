"""Problems as pages, where people look; and as JSON for programs."""

from __future__ import annotations

import pytest

from service.app import create_app
from service.errors import Busy
from service.pages.rendering import POLICY
from service.parts import Parts
from tests.support.service import TestClient

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/assets/7", 404, "There is no asset 7."),
        ("/nowhere", 404, "There is nothing at this address"),
        ("/assets/none", 422, "should be a valid integer"),
        ("/?page=0", 422, "page"),
        ("/batches/none", 404, "There is no job &#39;none&#39;."),
    ],
)
def test_people_are_told_by_a_page(client: TestClient, path: str, status: int, says: str) -> None:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == POLICY
    assert says in answer.text
    assert '<a href="/">' in answer.text


def test_programs_are_told_by_json(client: TestClient) -> None:
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "image/avif,image/webp,*/*"}):
        answer = client.get("/assets/7", headers=headers)
        assert answer.headers["content-type"] == "application/problem+json"


def test_text_of_the_request_is_shown_as_text(client: TestClient) -> None:
    answer = client.get("/retrieve/artifact/1/<script>alert(1)<%2Fscript>", headers=HTML)
    assert "<script>alert" not in answer.text
    assert answer.status_code == 404


def test_a_fault_of_the_service_tells_nothing_of_itself(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app(parts)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret")

    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get("/broken", headers=HTML)
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "secret" not in answer.text
    assert "ZeroDivisionError" in caplog.text


def test_when_to_try_again_is_told_to_browsers_too(parts: Parts) -> None:
    app = create_app(parts)

    @app.get("/busy")
    def busy() -> None:
        raise Busy("all processes are busy", 7)

    with TestClient(app, base_url="http://127.0.0.1") as client:
        answer = client.get("/busy", headers=HTML)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert "Please try again in a moment" in answer.text
