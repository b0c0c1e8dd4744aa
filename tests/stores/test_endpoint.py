"""An endpoint at which nobody answers is named at once."""

from __future__ import annotations

import socket
import threading

import pytest

from fft_tool.errors import NotAllowed, StoreUnavailable
from fft_tool.stores import endpoint
from fft_tool.stores.endpoint import check_endpoint


@pytest.fixture
def dead() -> str:
    """URL of a port of this machine at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_aws_itself_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", None)
    check_endpoint()


def test_one_that_answers_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        check_endpoint()


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_one_where_nobody_listens_is_named(
    dead: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, dead)
    with pytest.raises(StoreUnavailable, match=f"{dead}: connection refused: is {variable} right"):
        check_endpoint()


def test_one_that_does_not_answer_is_named_after_a_moment(
    dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forever = threading.Event()

    def wait(*_: object, **__: object) -> None:
        forever.wait()
        raise OSError

    monkeypatch.setattr(socket, "create_connection", wait)
    monkeypatch.setenv("AWS_ENDPOINT_URL", dead)
    with pytest.raises(StoreUnavailable, match=r"no answer within 0\.1 s"):
        check_endpoint(0.1)
    forever.set()
    assert endpoint.SECONDS < 5


@pytest.mark.parametrize(
    "url", ["localhost:9000", "http://", "http://host:port", "ftp://host", "http://["]
)
def test_what_is_no_address_is_told(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    with pytest.raises(NotAllowed, match="should be like http://"):
        check_endpoint()


def test_one_behind_a_proxy_is_the_proxy_s_affair(
    dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", dead)
    monkeypatch.setenv("http_proxy", "http://proxy:1")
    monkeypatch.delenv("NO_PROXY")
    monkeypatch.delenv("no_proxy", raising=False)
    check_endpoint()
