"""The front of the local AWS answers only the user who started it."""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import json
import stat
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.images import noise, png_bytes
from tests.support.local_cloud import Laptop, started
from tools.local_aws.cloud import FUNCTIONS
from tools.local_aws.front import Front, with_error_types
from tools.local_aws.resource import NAME

KEY, PORT = "LOCAL0123456789ABCDEF", 4566
SIGNED = f"AWS4-HMAC-SHA256 Credential={KEY}/20261127/eu-central-1/s3/aws4_request, Signature=0"
OWN = {"host": f"127.0.0.1:{PORT}", "authorization": SIGNED}


def status(headers: Mapping[str, str], query: str = "", kind: str = "http") -> int:
    """Status that the front returns for a request; the emulator behind it always returns 200."""
    sent: list[Any] = []

    async def emulator(*_: Any) -> None:
        sent.append({"status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "query_string": query.encode(),
    }
    front = Front(emulator, KEY, PORT)
    asyncio.run(front(scope, emulator, send))  # type: ignore[arg-type]
    first = sent[0]
    return int(first.get("status", first.get("code")))


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        (OWN, ""),
        ({**OWN, "host": f"localhost:{PORT}"}, ""),
        ({**OWN, "origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"}, ""),
        ({"host": OWN["host"]}, f"X-Amz-Credential={KEY}%2F20261127%2Feu-central-1%2Fs3"),
        ({"host": OWN["host"], "x-amz-security-token": KEY}, ""),
        ({"host": OWN["host"], "sec-fetch-site": "none"}, f"X-Amz-Security-Token={KEY}"),
    ],
)
def test_requests_with_the_key_are_answered(headers: dict[str, str], query: str) -> None:
    assert status(headers, query) == 200


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"host": OWN["host"]}, ""),
        ({**OWN, "authorization": SIGNED.replace("F/", "0/")}, ""),
        ({**OWN, "authorization": "AWS4-HMAC-SHA256 Credential=/"}, ""),
        ({**OWN, "authorization": "AWS4-HMAC-SHA256 Credential=ü/"}, ""),
        ({**OWN, "authorization": f"Basic {KEY}"}, ""),
        ({"host": OWN["host"]}, "X-Amz-Credential=local/20261127"),
        ({**OWN, "host": "evil.example"}, ""),
        ({**OWN, "host": f"evil.example:{PORT}"}, ""),
        ({**OWN, "host": "127.0.0.1"}, ""),
        ({"authorization": SIGNED}, ""),
        ({**OWN, "origin": "https://evil.example"}, ""),
        ({**OWN, "origin": "null"}, ""),
        ({**OWN, "origin": "http://127.0.0.1:8000"}, ""),
        ({**OWN, "sec-fetch-site": "cross-site"}, ""),
        ({**OWN, "sec-fetch-site": "same-site"}, ""),
    ],
)
def test_all_other_requests_are_refused(headers: dict[str, str], query: str) -> None:
    assert status(headers, query) == 403
    assert status(headers, query, "websocket") == 1008


# The emulator itself, behind it


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    with started(tmp_path_factory.mktemp("front") / "state") as place:
        yield place


def ask(
    laptop: Laptop, method: str, path: str, headers: Mapping[str, str], body: bytes = b""
) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", laptop.port, timeout=30)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def malicious_function() -> bytes:
    """A request that creates a function and that a web page can send without a preflight."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("evil.py", "def handle(*_): return 'here I am'")
    wish = {
        "FunctionName": "evil",
        "Runtime": "python3.11",
        "Handler": "evil.handle",
        "Role": "arn:aws:iam::000000000000:role/evil",
        "Code": {"ZipFile": base64.b64encode(code.getvalue()).decode()},
    }
    return json.dumps(wish).encode()


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain", "Origin": "https://evil.example"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/plain", "Host": "evil.example"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=local/20261127/eu-central-1/lambda/x, x"},
    ],
)
def test_neither_a_web_page_nor_a_request_without_the_key_can_create_a_function(
    laptop: Laptop, headers: dict[str, str]
) -> None:
    said, body = ask(laptop, "POST", "/2015-03-31/functions", headers, malicious_function())
    assert said == 403
    assert b"refused by the local AWS" in body
    names = [one["FunctionName"] for one in laptop.aws.functions.list_functions()["Functions"]]
    assert set(names) == set(FUNCTIONS)


@pytest.mark.slow
def test_a_web_page_is_refused_even_with_the_key(laptop: Laptop) -> None:
    signed = f"AWS4-HMAC-SHA256 Credential={laptop.key}/x, x"
    path = "/2015-03-31/functions"
    assert ask(laptop, "GET", path, {"Authorization": signed})[0] == 200
    foreign = {"Origin": "https://evil.example", "Authorization": signed}
    assert ask(laptop, "GET", path, foreign)[0] == 403
    assert ask(laptop, "GET", "/_ministack/health", {})[0] == 403


@pytest.mark.slow
def test_a_printed_link_works_in_a_browser(laptop: Laptop) -> None:
    image = png_bytes(noise((8, 8)))
    laptop.put("input/one.png", image)
    link = laptop.aws.url(NAME, "input/one.png").partition(f":{laptop.port}")[2]
    assert ask(laptop, "GET", link, {}) == (200, image)
    assert ask(laptop, "GET", link.partition("?")[0], {})[0] == 403


@pytest.mark.slow
def test_presigned_links_of_any_client_work(laptop: Laptop) -> None:
    laptop.put("other/note.txt", b"here")
    place = {"Bucket": NAME, "Key": "other/note.txt"}
    url = laptop.aws.s3.generate_presigned_url("get_object", Params=place)
    link = url.partition(f":{laptop.port}")[2]
    assert ask(laptop, "GET", link, {}) == (200, b"here")
    assert ask(laptop, "GET", link.replace(laptop.key, "LOCAL"), {})[0] == 403


@pytest.mark.slow
def test_an_uploaded_page_cannot_run_scripts_in_a_browser(
    laptop: Laptop,
) -> None:
    laptop.put("other/page.html", b"<script>alert(1)</script>")
    url = laptop.aws.url(NAME, "other/page.html")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url) as answer:
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.slow
def test_other_users_of_the_machine_cannot_read_what_is_kept(laptop: Laptop) -> None:
    assert stat.S_IMODE(laptop.state.stat().st_mode) == 0o700
    for path in laptop.state.rglob("*"):
        if path.is_file():
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    assert stat.S_IMODE((laptop.state / "state.json").stat().st_mode) == 0o600


# Errors of functions.


TRACE = """Traceback (most recent call last):
  File "/code/handler/workflow.py", line 108, in process
handler.states.Rejected: corrupt-image: at byte 3
and later"""


@pytest.mark.parametrize(
    ("message", "log", "told"),
    [
        ("corrupt-image: at byte 3\nand later", TRACE, "Rejected"),
        ("corrupt-image: at byte 3\nand later", f"a line\n{TRACE}\n", "Rejected"),
        ("", "Traceback\nKeyboardInterrupt", "KeyboardInterrupt"),
        ("another", TRACE, "Runtime.HandlerError"),
        ("Task timed out", "", "Runtime.HandlerError"),
    ],
)
def test_a_failed_function_is_reported_by_the_class_of_its_exception(
    message: str, log: str, told: str
) -> None:
    body = {"errorMessage": message, "errorType": "Runtime.HandlerError"}
    result = with_error_types(lambda: {"body": body, "error": True, "log": log})()
    assert result["body"]["errorType"] == told


def test_what_a_function_returns_is_left_alone() -> None:
    result = {"body": {"errorMessage": "at byte 3", "errorType": "mine"}, "log": TRACE}
    assert with_error_types(lambda: dict(result))() == result
