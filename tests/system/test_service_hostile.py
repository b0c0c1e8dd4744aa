"""The service among clients that are wrong, slow, curious or gone."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from service.middleware import HEADERS
from tests.support.http_wire import (
    BOUNDARY,
    END,
    answer_of,
    connected,
    exchange,
    get,
    part,
    post,
    received_from,
    reset,
)
from tests.support.images import noise, png_bytes
from tests.support.running_service import (
    RunningService,
    finished_asset,
    running_service,
    until,
)

pytestmark = pytest.mark.slow

SUITE = Path(__file__).parents[1] / "corpora" / "pngsuite"
MOST = 1 << 20  # bytes of an upload
SECRET = b"nobody outside may read this"
IMAGE = png_bytes(noise((40, 60)))


@dataclass(frozen=True)
class Keys:
    """Keys of two tenants, and of an administrator."""

    acme: str
    rival: str
    administrator: str


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """A service with keys and short times, which never meets an error of its own."""
    folder = tmp_path_factory.mktemp("service")
    with running_service(
        folder,
        AUTHENTICATION="keys",
        MAX_UPLOAD_BYTES=str(MOST),
        UPLOAD_IDLE_SECONDS="2",
        UPLOAD_SECONDS="4",
    ) as running:
        (folder / "secret.jpg").write_bytes(SECRET)
        yield running
        lines = [json.loads(line) for line in running.log.splitlines()]
        assert not [line for line in lines if line["level"] == "error" or line.get("status") == 500]
        assert running.temporary_files() == []


@pytest.fixture(scope="module")
def keys(service: RunningService) -> Keys:
    def made(*words: str) -> str:
        return service.command("keys", "make", *words).lines[0]

    return Keys(made("--tenant", "acme"), made("--tenant", "rival"), made("--administrator"))


@pytest.fixture(scope="module")
def acme(service: RunningService, keys: Keys) -> Iterator[httpx.Client]:
    with service.client(keys.acme) as client:
        yield client


@pytest.fixture(scope="module")
def rival(service: RunningService, keys: Keys) -> Iterator[httpx.Client]:
    with service.client(keys.rival) as client:
        yield client


@pytest.fixture(scope="module")
def administrator(service: RunningService, keys: Keys) -> Iterator[httpx.Client]:
    with service.client(keys.administrator) as client:
        yield client


@pytest.fixture(scope="module")
def asset_id(acme: httpx.Client) -> int:
    """A finished asset of the tenant acme."""
    number: int = upload(acme, IMAGE).raise_for_status().json()["asset_id"]
    assert finished_asset(acme, number)["status"] == "done"
    return number


def upload(
    client: httpx.Client, data: bytes, name: str = "a.png", tenant: str = "acme"
) -> httpx.Response:
    return client.post("/upload/", files={"file": (name, data)}, data={"tenant_name": tenant})


def authorised(keys: Keys) -> str:
    return f"Authorization: Bearer {keys.acme}"


# The same bytes many times


def test_simultaneous_uploads_of_the_same_bytes_give_one_asset(
    service: RunningService, acme: httpx.Client
) -> None:
    data = png_bytes(noise((30, 31)))
    before = acme.get("/metrics/tenant/acme").json()["assets"]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: upload(acme, data), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    told = [answer.json() for answer in answers]
    assert len({(each["asset_id"], each["job_id"], each["content_hash"]) for each in told}) == 1
    asset = finished_asset(acme, told[0]["asset_id"])
    assert (asset["status"], asset["job"]["attempts"]) == ("done", 1)
    assert acme.get("/metrics/tenant/acme").json()["assets"] == before + 1
    blobs = (service.folder / "storage").rglob(told[0]["content_hash"])
    assert len(list(blobs)) == 1


# PngSuite


def is_taken(answer: httpx.Response) -> bool:
    """Whether an upload was taken; if not, it was refused as no image."""
    if answer.status_code == 200:
        return True
    assert (answer.status_code, answer.json()["code"]) == (415, "unknown-format")
    return False


def test_pngsuite_is_done_and_its_corrupt_files_are_poison(
    acme: httpx.Client, administrator: httpx.Client
) -> None:
    files = {path.name: path.read_bytes() for path in sorted(SUITE.glob("*.png"))}
    corrupt = {name for name in files if name.startswith("x")}
    assert (len(files), len(corrupt)) == (175, 14)
    with ThreadPoolExecutor(8) as pool:
        answers = dict(
            zip(files, pool.map(lambda name: upload(acme, files[name], name), files), strict=True)
        )
    taken = {name: answer.json() for name, answer in answers.items() if is_taken(answer)}
    assert set(files) - set(taken) <= corrupt, "what is refused at once has no PNG signature"
    assets = {name: finished_asset(acme, each["asset_id"]) for name, each in taken.items()}

    for name in set(files) - corrupt:
        width, height = struct.unpack(">II", files[name][16:24])
        asset = assets[name]
        assert (asset["status"], asset["width"], asset["height"]) == ("done", width, height), name
        assert {each["preset"] for each in asset["renditions"]} == {"thumb", "card", "zoom"}
    poison = {each["job_id"]: each for each in listed(administrator, "/jobs/poison?limit=1000")}
    for name in set(taken) & corrupt:
        job = assets[name]["job"]
        assert assets[name]["status"] == "failed", name
        assert job["attempts"] == 1, "what can never succeed is not tried again"
        assert job["error"]["code"] == poison[job["job_id"]]["reason_code"] == "corrupt-image"
        assert len(job["error"]["message"]) > 20, "a sentence, not a word"
    assert set(taken) & corrupt, "some of them look like a PNG"


def listed(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    found = client.get(path).raise_for_status().json()
    return found if isinstance(found, list) else next(v for v in found.values() if v is not None)


# Clients that are slow, never end, or go away


def test_an_upload_that_stops_is_ended(service: RunningService, keys: Keys) -> None:
    body = part("file", IMAGE, "a.png")
    sent = post("/upload/", body[:-40], authorised(keys), length=len(body) + 1000)
    answer = answer_of(exchange(service, sent))
    assert (answer.status, json.loads(answer.body)["code"]) == (408, "too-slow")


def test_an_upload_that_trickles_is_ended(service: RunningService, keys: Keys) -> None:
    sent = post("/upload/", part("file", b"", "a.png")[:-2], authorised(keys), length=MOST)
    with connected(service) as connection:
        connection.sendall(sent)
        connection.settimeout(0.3)
        received, end = b"", time.monotonic() + 60
        while not received and time.monotonic() < end:
            connection.sendall(b".")
            try:
                received = connection.recv(1 << 16)
            except TimeoutError:
                continue
    assert answer_of(received).status == 408


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_an_upload_without_end_is_ended(
    service: RunningService, keys: Keys, *, chunked: bool
) -> None:
    some = bytes(1 << 16)
    head = post("/upload/", b"", authorised(keys), length=1 << 40)
    if chunked:
        head = head.replace(b"Content-Length: %d" % (1 << 40), b"Transfer-Encoding: chunked")
    first = part("file", b"", "a.png")[:-2]
    pieces = [first, *[some] * 64]
    if chunked:
        pieces = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    answer = answer_of(exchange(service, head, *pieces))
    assert (answer.status, json.loads(answer.body)["code"]) == (413, "too-large")


def test_a_client_that_goes_away_leaves_no_file(service: RunningService, keys: Keys) -> None:
    # More than is collected before it is written.
    body = part("file", bytes(MOST - 1000), "a.png")
    sent = post("/upload/", body, authorised(keys), length=len(body) + 500)
    for _ in range(10):
        with connected(service) as connection:
            connection.sendall(sent)
            reset(connection)
    until(lambda: service.log.count('"status": 400') >= 1)
    until(lambda: service.temporary_files() == [])


def test_connections_without_a_request_do_not_keep_others_waiting(
    service: RunningService, acme: httpx.Client
) -> None:
    idle = [connected(service) for _ in range(100)]
    for connection in idle:
        connection.__enter__().sendall(b"GET /healthz HT")
    assert acme.get("/healthz").status_code == 200
    for connection in idle:
        connection.__exit__(None, None, None)


# Addresses


PREFIXES = ("/images/", "/retrieve/rendition/1/", "/retrieve/artifact/1/", "/metrics/tenant/", "/")
UPWARDS = (
    *("..", "%2e%2e", ".%2e", "%252e%252e", "..%00", "..;", "...", "....", "%c0%ae%c0%ae"),
    *("..%5c", "..\\", "%uff0e%uff0e", "%ef%bc%8e%ef%bc%8e", "..%20", "..%09", "..%0d%0a"),
)
SEPARATORS = ("/", "%2f", "%252f", "\\", "%5c", "//", "/./", "%c0%af", "%e2%88%95")
ENDS = ("secret.jpg", "secret.jpg%00.jpg", "service.db", "storage", "etc/passwd", "")


def spellings(folder: Path) -> Iterator[str]:
    """Ways out of a folder."""
    for upward in UPWARDS:
        for separator in SEPARATORS:
            yield f"{upward}{separator}secret.jpg"
            yield f"a{separator}{upward}{separator}{upward}{separator}secret.jpg"
    for end in ENDS:
        for start in (f"{folder}/", f"/{folder}/", f"file://{folder}/", "/", "//", "C:\\", "~/"):
            yield f"{start}{end}"
    yield from ("%00", "%", "%zz", ".", "./", "a" * 5000, "%ff%fe", "\x7f", "a/" * 2000, "CON", "?")


@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_path_leads_out_of_the_folders(service: RunningService, keys: Keys, prefix: str) -> None:
    key = authorised(keys).encode()
    targets = [f"{prefix}{path}".encode() for path in spellings(service.folder)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda each: exchange(service, get(each, key)), targets))
    for target, received in zip(targets, answers, strict=True):
        assert SECRET not in received, target
        assert b"SQLite" not in received, target
        answer = answer_of(received)
        expected = (200,) if target == b"/?" else (400, 404, 405, 422, 431)  # 200: the gallery
        assert answer.status in expected, (target, answer.status)
        assert str(service.folder).encode() not in answer.body.replace(target, b""), target


# Answers


def test_every_answer_has_the_headers(
    service: RunningService, acme: httpx.Client, asset_id: int
) -> None:
    rendition = f"/retrieve/rendition/{asset_id}/thumb"
    tag = acme.get(rendition).headers["ETag"]
    with service.client() as stranger:
        answers = [
            acme.get("/healthz"),
            acme.get("/readyz"),
            acme.get("/openapi.json"),
            acme.get("/nothing"),
            acme.get("/upload/"),
            acme.post("/upload/", content=b"x"),
            acme.get(f"/retrieve/asset/{asset_id}"),
            acme.get("/retrieve/asset/x"),
            acme.get(rendition),
            acme.head(rendition),
            acme.get(rendition, headers={"If-None-Match": tag}),
            acme.get(f"/retrieve/artifact/{asset_id}/record"),
            acme.get("/metrics"),
            acme.get("/metrics/tenant/acme"),
            acme.get("/images/a.jpg"),
            stranger.get(f"/retrieve/asset/{asset_id}"),
        ]
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 304, 401, 403, 404, 405, 415, 422}
    for answer in answers:
        for name, text in HEADERS.items():
            cached = name == "Cache-Control" and answer.url.path.startswith("/retrieve/r")
            assert answer.headers[name] == text or cached or "artifact" in answer.url.path
        assert answer.headers["X-Request-Id"]
        assert "Server" not in answer.headers
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["X-Request-Id"]


# Names of files


NAMES = {
    "control": "a\x01\x1b[31mred\x7f.png",
    "lines": "a\r\nSet-Cookie: b=c.png",
    "right-to-left": "a\u202egnp.exe",
    "slashes": "../../etc/passwd",
    "backslashes": "..\\..\\windows\\win.ini",
    "long": "n" * 10_000,
    "empty": "",
    "dots": "..",
    "quotes": 'a"; filename="b.exe',
    "nul": "a\0b.png",
    "unicode": "été 图像 🙂.png",
    "not-utf-8": "\udcff\udcfe.png",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_names_of_files_do_no_harm(service: RunningService, keys: Keys, name: str) -> None:
    data = png_bytes(noise((8, 9), seed=len(name)))
    raw = name.replace('"', "%22").replace("\r\n", "%0D%0A").encode("utf-8", "surrogateescape")
    file = part("file", data, "@").replace(b"@", raw, 1)
    body = file + part("tenant_name", b"acme") + END
    answer = answer_of(exchange(service, post("/upload/", body, authorised(keys))))
    if answer.status != 200:  # what no client that keeps to the standard would send
        assert (answer.status, json.loads(answer.body)["code"]) == (422, "bad-request")
        assert name in (NAMES["control"], NAMES["nul"], NAMES["long"])
        return
    with service.client(keys.acme) as client:
        asset = finished_asset(client, json.loads(answer.body)["asset_id"])
        assert asset["status"] == "done"
        assert asset["name"].isprintable()
        assert 0 < len(asset["name"]) <= 255
        assert not set(asset["name"]) & set("/\\")
        for address in (asset["renditions"][0]["url"], asset["artifacts"][0]["url"]):
            sent = client.get(address)
            assert sent.headers["Content-Disposition"].isascii()
            assert "Set-Cookie" not in sent.headers


# Forms


def malformed() -> dict[str, tuple[bytes, str]]:
    """Forms that are wrong, with their media types."""
    good = part("file", IMAGE, "a.png") + part("tenant_name", b"acme")
    usual = f"multipart/form-data; boundary={BOUNDARY}"
    return {
        "empty": (b"", usual),
        "no-end": (good, usual),
        "only-end": (END, usual),
        "other-boundary": (good + END, "multipart/form-data; boundary=other"),
        "no-boundary": (good + END, "multipart/form-data"),
        "long-boundary": (good + END, f"multipart/form-data; boundary={'b' * 500}"),
        "not-a-form": (good + END, "application/json"),
        "urlencoded": (b"tenant_name=acme", "application/x-www-form-urlencoded"),
        "no-file": (part("tenant_name", b"acme") + END, usual),
        "no-tenant": (part("file", IMAGE, "a.png") + END, usual),
        "twice": (part("tenant_name", b"acme") + good + END, usual),
        "unknown-field": (part("other", b"x") + good + END, usual),
        "many-parts": (part("other", b"x") * 5000 + END, usual),
        "no-disposition": (good.replace(b"Content-Disposition", b"X-Disposition") + END, usual),
        "no-name": (good.replace(b'name="file"', b"") + END, usual),
        "attachment": (good.replace(b"form-data", b"attachment") + END, usual),
        "long-header": (
            good.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * 9999 + b"\r\n\r\n", 1),
            usual,
        ),
        "bare-newlines": (good.replace(b"\r\n", b"\n") + END, usual),
        "base64": (
            good.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n", 1) + END,
            usual,
        ),
        "nested": (
            good.replace(b"\r\n\r\n", b"\r\nContent-Type: multipart/mixed\r\n\r\n", 1)[:-9] + END,
            usual,
        ),
        "field-not-utf-8": (
            part("file", IMAGE, "a.png") + part("tenant_name", b"\xff") + END,
            usual,
        ),
        "long-field": (part("file", IMAGE, "a.png") + part("tenant_name", b"a" * 99_999), usual),
        "nul-field": (part("file", IMAGE, "a.png") + part("tenant_name", b"a\0") + END, usual),
        "not-an-image": (
            part("file", b"hello", "a.png") + part("tenant_name", b"acme") + END,
            usual,
        ),
        "empty-file": (part("file", b"", "a.png") + part("tenant_name", b"acme") + END, usual),
    }


MALFORMED = malformed()


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_forms_are_refused(service: RunningService, keys: Keys, case: str) -> None:
    body, kind = MALFORMED[case]
    sent = post("/upload/", body, authorised(keys), content_type=kind)
    answer = answer_of(exchange(service, sent))
    assert answer.status in (408, 413, 415, 422), answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(json.loads(answer.body)["detail"]) > 15


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nBad Header: y\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X: " + b"y" * (1 << 20) + b"\r\n\r\n",
        post("/upload/", b"zz\r\n", "Transfer-Encoding: chunked"),
    ],
    ids=["tls", "no-target", "version", "length", "header", "long-header", "two-lengths"],
)
def test_what_is_not_http_is_refused(service: RunningService, sent: bytes) -> None:
    with connected(service) as connection:
        connection.settimeout(30)
        try:
            connection.sendall(sent)
            received = received_from(connection)
        except ConnectionError:
            received = b""
    assert not received or answer_of(received).status in (400, 401, 431, 505)
    with service.client() as client:
        assert client.get("/healthz").status_code == 200


# Two tenants


def without_request_id(answer: httpx.Response) -> tuple[int, dict[str, Any], set[str]]:
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, body, set(answer.headers)


def test_what_another_has_is_as_unknown_as_what_nobody_has(
    rival: httpx.Client, asset_id: int
) -> None:
    def asked(number: int) -> list[str]:
        answers = [
            rival.get(f"/retrieve/asset/{number}"),
            rival.get(f"/retrieve/rendition/{number}/thumb"),
            rival.get(f"/retrieve/rendition/{number}/nothing"),
            rival.get(f"/retrieve/artifact/{number}/magnitude"),
            rival.get(f"/retrieve/artifact/{number}/magnitude?crop=0,0,8,8"),
            rival.get(f"/retrieve/artifact/{number}/magnitude?crop=0,0,8000,8"),
            rival.post(f"/compare/{number}", files={"file": ("a.png", IMAGE)}),
            rival.head(f"/retrieve/rendition/{number}/thumb"),
        ]
        assert {answer.status_code for answer in answers} == {404}
        told = [repr(without_request_id(answer)) for answer in answers[:-1]]
        return [text.replace(str(number), "N") for text in told]

    assert asked(asset_id) == asked(987654)


def test_usage_of_another_is_as_unknown_as_that_of_nobody(rival: httpx.Client) -> None:
    of_acme = without_request_id(rival.get("/metrics/tenant/acme"))
    of_nobody = without_request_id(rival.get("/metrics/tenant/nobody"))
    assert repr(of_acme).replace("acme", "T") == repr(of_nobody).replace("nobody", "T")
    assert of_acme[0] == 404


def test_uploading_what_another_has_tells_nothing_of_it(rival: httpx.Client, asset_id: int) -> None:
    answer = upload(rival, IMAGE, tenant="rival").raise_for_status().json()
    assert answer["status"] == "queued", "as for bytes that nobody has"
    assert answer["asset_id"] != asset_id
    asset = finished_asset(rival, answer["asset_id"])
    assert (asset["status"], asset["tenant_name"]) == ("done", "rival")


def test_a_key_is_good_for_its_tenant_only(
    acme: httpx.Client, rival: httpx.Client, service: RunningService
) -> None:
    assert upload(rival, IMAGE, tenant="acme").status_code == 403
    for method, path in (
        ("GET", "/metrics"),
        ("POST", "/purge/"),
        ("GET", "/jobs"),
        ("GET", "/jobs/1"),
        ("GET", "/jobs/poison"),
        ("POST", "/jobs/1/redrive"),
    ):
        assert acme.request(method, path).status_code == 403, path
    with service.client("fft_" + "a" * 43) as forger:
        assert forger.get("/retrieve/asset/1").status_code == 401


def test_a_revoked_key_is_not_valid_any_more(service: RunningService) -> None:
    key = service.command("keys", "make", "--tenant", "former", "--label", "to be revoked").lines[0]
    with service.client(key) as client:
        assert client.get("/metrics/tenant/former").status_code == 200
        line = next(
            text for text in service.command("keys", "list").lines if "to be revoked" in text
        )
        assert service.command("keys", "revoke", line.split("\t")[0]).code == 0
        assert client.get("/metrics/tenant/former").status_code == 401


# Sample images


def test_seeding_fills_a_service(
    service: RunningService, keys: Keys, repository: Path, acme: httpx.Client
) -> None:
    words = ("seed", service.url, "--images", str(repository / "input_images"), "--tenant", "acme")
    assert service.command(*words).messages[-1].endswith("give a key that allows it with --key")
    seeded = service.command(*words, "--key", keys.acme)
    assert (seeded.code, seeded.err) == (0, "")
    images = sorted((repository / "input_images").glob("*.png"))
    assert seeded.lines[-1] == f"{len(images)} done, 0 failed"
    for path, line in zip(images, seeded.lines[:-1], strict=True):
        name, number, state, made = line.split("\t")
        assert (name, state, made) == (path.name, "done", "3 renditions, 4 artifacts")
        asset = acme.get(f"/retrieve/asset/{number.removeprefix('asset ')}").json()
        assert asset["bytes"] == path.stat().st_size
    assert service.command(*words, "--key", keys.acme).out == seeded.out, "nothing is made twice"
