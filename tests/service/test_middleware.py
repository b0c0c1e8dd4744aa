"""What every answer has: headers, an id, a line in the log, a time; and the end of an upload."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from fastapi import FastAPI, Response

from service import middleware
from service.app import create_app
from service.latency import Kind
from service.middleware import HEADERS, LINGER_BYTES, Envelope
from service.parts import Parts
from tests.support.service import TestClient


@pytest.fixture
def app(parts: Parts) -> FastAPI:
    return create_app(parts)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/openapi.json"])
def test_every_answer_has_the_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert HEADERS.items() <= {name.title(): text for name, text in headers.items()}.items()
    assert "server" not in headers


def test_a_route_may_set_its_own(app: FastAPI) -> None:
    @app.get("/cached")
    def cached() -> Response:
        return Response(headers={"Cache-Control": "private, max-age=60"})

    with TestClient(app, base_url="http://127.0.0.1") as client:
        headers = client.get("/cached").headers
    assert headers["cache-control"] == "private, max-age=60"
    assert headers["x-content-type-options"] == "nosniff"


def test_every_request_has_an_id_of_its_own(client: TestClient) -> None:
    ids = {
        client.get("/healthz", headers={"X-Request-Id": "7"}).headers["x-request-id"] for _ in "ab"
    }
    assert len(ids) == 2
    assert "7" not in ids, "clients do not choose what the log says"


def test_a_request_is_one_line_of_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service.requests")
    secret = {"Authorization": "Bearer fft_hunter2"}
    answer = client.post("/healthz?key=hunter2", headers=secret, content=b"hunter2")
    (record,) = [record for record in caplog.records if record.name == "service.requests"]
    told = vars(record)
    assert (told["method"], told["status"]) == ("POST", 405)
    assert told["request_id"] == answer.headers["x-request-id"]
    assert "hunter2" not in record.getMessage()
    assert "hunter2" not in str(told)


def test_requests_are_counted_by_route_and_not_by_address(client: TestClient, parts: Parts) -> None:
    for path in ("/healthz", "/healthz?x=1", "/no", "/where"):
        client.get(path)
    counted = {kind: times.count for kind, times in parts.times.all().items()}
    assert counted == {Kind("GET", "/healthz", 200): 2, Kind("GET", "other", 404): 2}


# The end of an upload that was refused before all of it came


def exchange(parts: Parts, *, more: bool, headers: dict[str, str], asks: bool) -> Any:
    """Messages sent for a request that is refused, and the bytes received of its body."""
    sent: list[dict[str, Any]] = []
    received = [0]

    async def receive() -> dict[str, Any]:
        received[0] += 1 << 20
        return {"type": "http.request", "body": b"a" * (1 << 20), "more_body": more}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if asks:
            await receive()
        answer = Response(b"no", status_code=429)
        await answer(scope, receive, send)

    raw = [(name.encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": "POST", "headers": raw}
    asyncio.run(Envelope(application, parts.times)(scope, receive, send))
    return sent, received[0]


CHUNKED = {"transfer-encoding": "chunked"}


@pytest.mark.parametrize("asks", [True, False])
def test_the_answer_is_out_before_the_rest_is_received_and_dropped(
    parts: Parts, *, asks: bool
) -> None:
    sent, received = exchange(parts, more=False, headers=CHUNKED, asks=asks)
    assert received == 1 << 20
    assert [message.get("body") for message in sent][1] == b"no"
    assert sent[-1].get("more_body", False) is False


def test_an_endless_rest_is_received_up_to_a_limit(parts: Parts) -> None:
    sent, received = exchange(parts, more=True, headers=CHUNKED, asks=False)
    assert LINGER_BYTES <= received <= LINGER_BYTES + (1 << 20)
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_client_that_waits_to_be_asked_for_the_body_is_not_asked(parts: Parts) -> None:
    headers = {"content-length": "5000000", "expect": "100-continue"}
    sent, received = exchange(parts, more=True, headers=headers, asks=False)
    assert received == 0
    assert (b"connection", b"close") in sent[0]["headers"]


def test_a_request_without_a_body_keeps_its_connection(parts: Parts) -> None:
    sent, received = exchange(parts, more=False, headers={}, asks=False)
    assert received == 0
    assert b"connection" not in dict(sent[0]["headers"])


def test_a_client_that_stops_is_not_waited_for(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "LINGER_IDLE", 0.01)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()
        return {}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "headers": [(b"content-length", b"9")]}
    app = Response(b"no", status_code=429)
    asyncio.run(Envelope(app, parts.times)(scope, receive, send))
    assert sent[-1] == {"type": "http.response.body"}
