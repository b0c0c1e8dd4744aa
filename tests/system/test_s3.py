"""S3 beyond the common behaviour of stores: unusual keys, a faulty server, memory."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fft_tool.errors import (
    MissingExtra,
    NoSuchBucket,
    NotAllowed,
    NotFound,
    StoreError,
    StoreUnavailable,
)
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store
from fft_tool.stores.s3_obstore import Obstore
from tests.stores.test_stores import NAMES, filled, reaches
from tests.support.cloud import REGION, Bucket, Request, answering, begin, serving
from tests.support.command import environment

# Keys that obstore refuses or alters. S3 accepts a newline too, moto does not.
AWKWARD = [
    *("a//b.png", "/a.png", "//a.png", "a/", "a//", "/", "//"),
    *("./a.png", "a/./b.png", "a/.", ".", "../a.png", "a/../b.png", "../../a", "..", "a/.."),
    *("tab\there.png", "\x01.png", "del\x7f.png", "a\rb.png", "ü//😀 +%.png"),
]
KEYS = ["a", "./a"]  # one for each of the two clients
LITTLE = 0.3  # seconds for retries
LONGEST = 20  # seconds that a test waits for an event

Opener = Callable[..., Store]


def requests(store: Store, name: str = "a") -> list[Callable[[], object]]:
    """Every kind of request that a store makes."""
    return [*reaches(store, name), lambda: list(store.list())]


@pytest.fixture
def served(aws_keys: None, monkeypatch: pytest.MonkeyPatch) -> Opener:  # noqa: ARG001
    """Open a store that finds S3 at a URL."""

    def opened(url: str, patience: float = 60) -> Store:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        return open_store("s3://bucket", patience=patience)

    return opened


@pytest.fixture
def _no_boto3(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide boto3, except from the tests' own client."""
    bucket.keys()
    monkeypatch.setitem(sys.modules, "boto3", None)


# Keys


def test_content_type_and_metadata_are_sent_to_s3(bucket: Bucket) -> None:
    store = open_store(f"{bucket.url}/out")
    store.write("a b.png", b"data", content_type="image/png", metadata={"crop": "square"})
    assert bucket.keys() == ["out/a b.png"]
    told = bucket.head("out/a b.png")
    assert (told["ContentType"], told["Metadata"]) == ("image/png", {"crop": "square"})


@pytest.mark.parametrize("name", [*NAMES, *AWKWARD])
def test_names_are_used_as_keys_unchanged(bucket: Bucket, name: str) -> None:
    store = open_store(bucket.url)
    store.write(name, b"ours", content_type="image/png", metadata={"crop": "square"})
    told = bucket.head(name)
    assert (told["ContentType"], told["Metadata"]) == ("image/png", {"crop": "square"})
    assert (bucket.keys(), bucket.get(name)) == ([name], b"ours")
    bucket.put(name, b"theirs", window="hann")
    assert store.read(name).data == b"theirs"
    with store.open(name) as handle:
        assert handle.read(3) == b"the"
    assert store.read(name).stat == store.stat(name)
    assert store.stat(name).metadata == {"window": "hann"}
    assert list(store.list()) == [(name, 6)]


@pytest.mark.parametrize("name", [*NAMES, *AWKWARD])
def test_an_object_of_any_name_is_created_only_once(bucket: Bucket, name: str) -> None:
    store = open_store(bucket.url)
    assert store.create(name, b"first", content_type="application/json")
    assert not store.create(name, b"second")
    assert (bucket.keys(), bucket.get(name)) == ([name], b"first")
    assert bucket.head(name)["ContentType"] == "application/json"
    (entry,) = store.entries()
    assert (entry.name, entry.size, entry.etag) == (name, 5, bucket.head(name)["ETag"])


def test_a_large_object_is_created_only_once(bucket: Bucket) -> None:
    """Uploads in parts are not conditional."""
    store, data = open_store(bucket.url), bytes(20 << 20)
    assert store.create("a", data)
    assert not store.create("a", b"second")
    assert bucket.get("a") == data


def conflicting(conflicts: int, *, exists: bool, asked: list[str]) -> Callable[[Request], None]:
    """Answer so many requests to write with 409; ``exists`` is whether there is an object."""

    def answer(request: Request) -> None:
        asked.append(request.command)
        assert request.command == "HEAD" or request.headers["If-None-Match"] == "*"
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        if request.command == "HEAD":
            begin(request, 0, status=200 if exists else 404)
        elif asked.count("PUT") <= conflicts:
            begin(request, 0, status=409)
        else:
            begin(request, 0, status=412 if exists else 200)

    return answer


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize("name", KEYS)
def test_who_meets_another_writer_is_told_how_it_ended(
    served: Opener, name: str, exists: bool
) -> None:
    asked: list[str] = []
    with serving(conflicting(2, exists=exists, asked=asked)) as url:
        assert served(url).create(name, b"data") is not exists
    assert "PUT" in asked


@pytest.mark.parametrize("name", KEYS)
def test_endless_conflicts_are_a_transient_error(served: Opener, name: str) -> None:
    asked: list[str] = []
    with serving(conflicting(10_000, exists=False, asked=asked)) as url:
        store = served(url, LITTLE)
        with pytest.raises(StoreUnavailable, match="being written by somebody else") as caught:
            store.create(name, b"data")
    assert caught.value.transient


def test_similar_keys_are_different_objects(bucket: Bucket) -> None:
    others = ("a", "a.png", "b.png", "a/b.png")
    for other in others:
        bucket.put(other, b"other")
    store = open_store(bucket.url)
    for name in AWKWARD:
        for reach in reaches(store, name)[:3]:
            with pytest.raises(NotFound):
                reach()
        store.write(name, b"ours")
    assert {bucket.get(name) for name in AWKWARD} == {b"ours"}
    assert {bucket.get(other) for other in others} == {b"other"}


keys = st.text(
    st.sampled_from("/.~%\\ aü\t\x00\x7f\x85😀") | st.characters(codec="utf-8"), min_size=1
)
numbers = itertools.count()


@pytest.mark.slow
def test_any_text_is_a_distinct_key(bucket: Bucket) -> None:
    store = open_store(bucket.url)

    @given(keys.filter(lambda key: "\n" not in key))  # not supported by moto
    @example("%2e%2e/a")
    @settings(max_examples=100, deadline=None)
    def check(key: str) -> None:
        store.write(key, b"")
        assert bucket.keys() == [key]
        bucket.delete(key)

    check()


@pytest.mark.parametrize(
    ("key", "sent"),
    [("a\nb", "a%0Ab"), ("./a", "./a"), ("a/../b", "a/../b"), ("/a", "/a"), ("a/", "a/")],
)
def test_keys_are_sent_unchanged(served: Opener, key: str, sent: str) -> None:
    asked: list[str] = []
    with answering(200, asked=asked) as url:
        assert served(url).read(key).data == b"data"
    assert asked == [f"GET /bucket/{sent} HTTP/1.1"]


@pytest.mark.parametrize("prefix", ["/", "//", "/in", "in//", "in//deep", "./in", "in/..", "\x01"])
def test_a_prefix_may_have_unusual_characters(bucket: Bucket, prefix: str) -> None:
    store = open_store(f"{bucket.url}/{prefix}")
    begin = prefix if prefix.endswith("/") else f"{prefix}/"
    filled(store, {"a.png": b"data", "/b.png": b""})
    bucket.put("in/a.png", b"other")
    bucket.put("a.png", b"other")
    assert set(bucket.keys()) == {f"{begin}a.png", f"{begin}/b.png", "in/a.png", "a.png"}
    assert [name for name, _ in store.list()] == ["/b.png", "a.png"]
    again = open_store(store.url)
    assert again.url == store.url
    assert again.read("a.png").data == b"data"


def test_a_bucket_is_not_an_object(bucket: Bucket) -> None:
    for reach in reaches(open_store(bucket.url), ""):
        with pytest.raises(NotAllowed, match="name an object in it"):
            reach()


@pytest.mark.parametrize(
    ("key", "text"), [("crop", "ü"), ("crop", "a\nb"), ("ü", "1"), ("a b", "1"), ("", "1")]
)
@pytest.mark.parametrize("name", KEYS)
def test_metadata_that_cannot_be_sent_is_refused(
    bucket: Bucket, name: str, key: str, text: str
) -> None:
    with pytest.raises(NotAllowed, match=f"metadata {key}="):
        open_store(bucket.url).write(name, b"", metadata={key: text})
    assert bucket.keys() == []


@pytest.mark.parametrize("name", ["\ud800", "./\ud800"])
def test_a_name_that_is_not_unicode_is_refused(bucket: Bucket, name: str) -> None:
    for reach in reaches(open_store(bucket.url), name):
        with pytest.raises(NotAllowed, match="not a valid name"):
            reach()


# Lists


def test_long_lists_are_paginated(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    store = open_store(f"{bucket.url}/in")
    filled(store, {f"{number:02}": b"" for number in range(20)})
    assert len(bucket.keys()) == 3
    assert [name for name, _ in store.list()] == [f"{number:02}" for number in range(20)]


@pytest.mark.slow
def test_unusual_keys_are_listed_exactly_once(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    present = sorted({*NAMES, *AWKWARD, "a", "b", "z"}, key=str.encode)
    for key in present:
        bucket.put(key, b"data")
        bucket.put(f"in/{key}", b"data")
    assert [name for name, _ in open_store(f"{bucket.url}/in").list()] == present
    there = list(open_store(bucket.url).list())
    assert there == [
        (key, 4) for key in sorted(present + [f"in/{k}" for k in present], key=str.encode)
    ]
    within = [name for name, _ in open_store(bucket.url).list("in/a/")]
    assert within == [f"in/{key}" for key in present if key.startswith("a/") and key != "a/"]
    assert list(open_store(bucket.url).list("in/a//")) == [("in/a//b.png", 4)]


def test_folder_markers_of_the_console_are_harmless(bucket: Bucket) -> None:
    for key in ("plants/", "plants/a.png", "plants/deep/", "plants/deep/b.png"):
        bucket.put(key, b"")
    names = [name for name, _ in open_store(f"{bucket.url}/plants").list()]
    assert names == ["a.png", "deep/b.png"]
    names = [name for name, _ in open_store(f"{bucket.url}/plants").list("deep")]
    assert names == ["deep/b.png"]


# boto3 is loaded only where it is needed


def loaded_by(code: str) -> set[str]:
    program = f"import sys\nfrom fft_tool.stores.opening import *\n{code}\nprint(*sys.modules)"
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, text=True)
    return set(done.stdout.split())


def test_no_client_is_loaded_before_it_is_needed(bucket: Bucket) -> None:
    assert not loaded_by("open_store('folder')") & {"obstore", "boto3", "fft_tool.stores.s3"}
    store = f"store = open_store({bucket.url!r})\nstore.write('a', b'')\nstore.stat('a')"
    loaded = loaded_by(f"{store}\nstore.read('a')")
    assert "obstore" in loaded
    assert "boto3" not in loaded
    assert "boto3" in loaded_by(f"{store}\nstore.write('./a', b'')")


def test_threads_may_load_boto3_at_the_same_time(bucket: Bucket) -> None:
    store = open_store(bucket.url)
    names = [f"./{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.write(name, b""), names))
    assert bucket.keys() == names


@pytest.mark.usefixtures("_no_boto3")
def test_without_boto3_ordinary_keys_work(bucket: Bucket) -> None:
    store = filled(open_store(f"{bucket.url}/in"), {"a.png": b"data", "deep/b.png": b""})
    assert store.read("a.png").data == b"data"
    assert list(store.list()) == [("a.png", 4), ("deep/b.png", 0)]
    assert list(store.list("deep")) == [("deep/b.png", 0)]
    assert store.create("new", b"1")
    assert not store.create("new", b"2")
    for entry in store.entries():
        assert entry.etag == store.stat(entry.name).etag == bucket.head(f"in/{entry.name}")["ETag"]
        assert entry.modified is not None


@pytest.mark.usefixtures("_no_boto3")
def test_without_boto3_unusual_keys_say_how_to_install_it(bucket: Bucket) -> None:
    store = open_store(f"{bucket.url}/in")
    bucket.put("in/a//b.png", b"")
    told = r"in/a//b\.png: needs boto3: pip install 'fft-pipeline\[aws\]'"
    for reach in reaches(store, "a//b.png"):
        with pytest.raises(MissingExtra, match=told):
            reach()
    with pytest.raises(MissingExtra, match=r"a key below s3://.*/in/: needs boto3"):
        list(store.list())
    for prefix in ("a/", "/", "/in", ".."):
        with pytest.raises(MissingExtra, match="needs boto3"):
            list(open_store(f"{bucket.url}/{prefix}").list("/"))


# Credentials


def test_without_credentials_the_error_says_what_to_set() -> None:
    with pytest.raises(NotAllowed, match="set AWS_ACCESS_KEY_ID"):
        open_store("s3://bucket", profile=True)


def test_a_missing_profile_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(NotAllowed, match="`aws configure`"):
        open_store("s3://bucket", profile=True)


@pytest.mark.parametrize("name", KEYS)
def test_credentials_are_found_where_the_aws_command_line_keeps_them(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    keys = "[default]\naws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "credentials").write_text(keys)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    open_store(bucket.url, profile=True).write(name, b"data")
    assert bucket.get(name) == b"data"


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("name", KEYS)
@pytest.mark.usefixtures("aws_keys")
def test_requests_are_signed_for_the_region_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, profile: bool
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = us-west-1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    signed: list[str] = []

    def answer(request: Request) -> None:
        signed.append(request.headers["Authorization"])
        begin(request, 0)

    with serving(answer) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        open_store("s3://bucket", profile=profile).stat(name)
    assert f"/{REGION}/s3/" in signed[0]


@pytest.mark.parametrize("name", ["./a", "a/..", "../a"])
@pytest.mark.usefixtures("aws_keys")
def test_a_proxy_cannot_change_a_key(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A request to an HTTP proxy contains a URL, in which clients resolve dot segments."""
    asked: list[str] = []
    with answering(200, asked=asked) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.test")
        monkeypatch.setenv("http_proxy", url)
        store = open_store("s3://bucket", patience=1)
        for reach in reaches(store, name):
            with pytest.raises(NotAllowed, match="set NO_PROXY"):
                reach()
        assert asked == []
        assert store.read("a//b").data == b"data"


# Refused requests


@pytest.mark.parametrize("name", KEYS)
def test_a_missing_bucket_is_not_a_missing_object(bucket: Bucket, name: str) -> None:
    store = open_store(f"{bucket.url}-other/prefix")
    stat, *others = requests(store, name)
    for reach in others:
        with pytest.raises(NoSuchBucket) as caught:
            reach()
        assert str(caught.value) == f"{bucket.url}-other: the bucket does not exist"
    with pytest.raises(NotFound, match=f"{bucket.url}-other/prefix/"):
        stat()  # the only information from S3


REFUSALS = {
    401: "access denied",
    403: "access denied",
    400: "S3 does not accept the request",
}


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("name", KEYS)
def test_a_refused_request_is_reported_briefly(served: Opener, status: int, name: str) -> None:
    with answering(status) as url:
        for reach in requests(served(url), name):
            with pytest.raises(NotAllowed) as caught:
                reach()
            place, told = str(caught.value).rsplit(": ", 1)
            assert place in ("s3://bucket/", f"s3://bucket/{name}")
            assert told == REFUSALS[status]


def test_a_bucket_in_another_region_is_reported(served: Opener) -> None:
    with answering(301) as url:
        for reach in reaches(served(url), "a"):
            with pytest.raises(NotAllowed, match="in another region: set AWS_REGION to that one"):
                reach()


@pytest.mark.parametrize(
    ("code", "kind", "told"),
    [
        ("NoSuchBucket", NoSuchBucket, "bucket does not exist"),
        ("KeyTooLongError", NotAllowed, "the key is too long"),
        ("ExpiredToken", NotAllowed, "the credentials have expired"),
        ("AuthorizationHeaderMalformed", NotAllowed, "set AWS_REGION"),
        pytest.param(
            *("RequestTimeout", StoreUnavailable, "try again later"), marks=pytest.mark.slow
        ),
    ],
)
@pytest.mark.parametrize("name", KEYS)
def test_the_error_code_of_s3_takes_precedence_over_the_status(
    served: Opener, name: str, code: str, kind: type[StoreError], told: str
) -> None:
    text = f"<Error><Code>{code}</Code><Message>chatter</Message></Error>".encode()

    def answer(request: Request) -> None:
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        begin(request, len(text), status=400)
        request.wfile.write(text)

    with serving(answer) as url:
        _, *others = requests(served(url, LITTLE), name)
        for reach in others:
            with pytest.raises(kind, match=told) as caught:
                reach()
            assert "chatter" not in str(caught.value)


@pytest.mark.parametrize("name", KEYS)
def test_secrets_stay_out_of_messages_and_tracebacks(
    served: Opener, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token")
    with answering(403) as url:
        for reach in requests(served(url), name):
            with pytest.raises(NotAllowed) as caught:
                reach()
            text = "".join(traceback.format_exception(caught.value))
            assert "a-secret" not in text
            assert "a-token" not in text


def test_control_characters_in_a_message_are_escaped(bucket: Bucket) -> None:
    with pytest.raises(NotFound) as caught:
        open_store(bucket.url).read("\x1b[31m\tred\x85.png")
    assert str(caught.value) == bucket.url + r"/\x1b[31m\tred\x85.png: does not exist"


# A server that misbehaves


@pytest.mark.slow
@pytest.mark.parametrize("name", KEYS)
def test_throttling_and_server_errors_are_retried(served: Opener, name: str) -> None:
    for number, status in enumerate((429, 500, 502, 503)):
        with answering(status, status, 200) as url:
            requests(served(url), name)[number]()


@pytest.mark.slow
@pytest.mark.parametrize("name", KEYS)
def test_retries_end_after_the_given_time(served: Opener, name: str) -> None:
    for number, status in enumerate((429, 500, 502, 503, 503)):
        asked: list[str] = []
        with answering(status, asked=asked) as url:
            reach = requests(served(url, LITTLE), name)[number]
            with pytest.raises(
                StoreUnavailable, match="S3 is not responding as expected"
            ) as caught:
                reach()
        assert asked  # the number depends on the speed of the machine
        assert caught.value.transient


@pytest.mark.parametrize("patience", [0, -1])
@pytest.mark.parametrize("name", KEYS)
def test_without_time_for_retries_one_request_is_made(
    served: Opener, name: str, patience: float
) -> None:
    asked: list[str] = []
    with answering(503, asked=asked) as url, pytest.raises(StoreUnavailable):
        served(url, patience).stat(name)
    assert asked


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A port that nobody listens on."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused


@pytest.mark.slow
@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("name", KEYS)
def test_a_server_that_is_gone_or_silent_is_unavailable(
    served: Opener, port: socket.socket, listens: bool, name: str
) -> None:
    if listens:
        port.listen(100)  # and never accepts
    store = served(f"http://127.0.0.1:{port.getsockname()[1]}", LITTLE)
    for reach in requests(store, name):
        with pytest.raises(StoreUnavailable, match="S3 is not responding as expected"):
            reach()


DATA = bytes(range(256)) * 4096


def breaking(
    times: int, etags: Iterator[str], *, silent: bool = False
) -> Callable[[Request], None]:
    """Close the connection, or stop sending, in the middle of a body, this many times."""
    left = itertools.chain(itertools.repeat(True, times), itertools.repeat(False))

    def answer(request: Request) -> None:
        start = int(request.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        headers = {"ETag": next(etags)}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(DATA) - 1}/{len(DATA)}"
        begin(request, len(DATA) - start, headers, status=206 if start else 200)
        breaks = next(left)
        request.wfile.write(DATA[start : start + 400_000] if breaks else DATA[start:])
        if breaks and silent:
            request.rfile.read(1)  # until the client gives up

    return answer


def test_a_broken_connection_is_retried(served: Opener) -> None:
    with serving(breaking(2, itertools.repeat('"1"'))) as url:
        assert served(url).read("a").data == DATA


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("silent", [False, True])
def test_an_incomplete_object_is_an_error(served: Opener, name: str, silent: bool) -> None:
    answer = breaking(1, map('"{}"'.format, itertools.count()), silent=silent)
    with serving(answer) as url, pytest.raises(StoreUnavailable, match="S3 is not responding"):
        served(url, LITTLE).read(name)


@pytest.mark.parametrize("name", KEYS)
def test_an_object_can_be_refused_before_its_body_is_read(served: Opener, name: str) -> None:
    judged, dropped = threading.Event(), threading.Event()
    size = 1 << 30

    def answer(request: Request) -> None:
        begin(request, size, {"x-amz-meta-crop": "square"})
        assert judged.wait(LONGEST)
        try:
            for _ in range(size >> 20):
                request.wfile.write(bytes(1 << 20))
        except OSError:
            dropped.set()

    with serving(answer) as url:
        with served(url).open(name) as handle:
            assert (handle.stat.size, handle.stat.metadata) == (size, {"crop": "square"})
            judged.set()
        assert dropped.wait(LONGEST), f"although {handle} is still at hand"


def test_a_process_has_one_client_per_bucket(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    class Counted(Obstore):
        def __init__(self, name: str, *times: float) -> None:
            made.append(name)
            super().__init__(name, *times)

    monkeypatch.setattr("fft_tool.stores.s3.Obstore", Counted)
    for prefix in ("in", "out", "in"):
        open_store(f"{bucket.url}/{prefix}", patience=7).write("a", b"data")
    assert made == [bucket.name]


def test_folder_markers_are_not_listed_by_either_client(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("in/", "in/plants/", "in/empty.png", "in/plants/a.png"):
        bucket.put(key, b"data" if key.endswith("a.png") else b"")
    listed = [("empty.png", 0), ("plants/a.png", 4)]
    assert list(open_store(f"{bucket.url}/in").list()) == listed
    monkeypatch.setattr("fft_tool.stores.s3._has_boto3", lambda: False)
    assert list(open_store(f"{bucket.url}/in").list()) == listed


# Large objects

LARGE = 64 << 20
PROGRAM = """
import resource, sys
from fft_tool.stores.opening import open_store
url, name, what, size = sys.argv[1:]
store = open_store(url)
data = bytes(int(size))
store.stat(name)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before = peak()
if what == "read":
    assert store.read(name).data == data
else:
    store.write(name, data)
print((peak() - before) * 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted otherwise")
@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize(("what", "copies"), [("read", 1), ("write", 0)])
def test_no_second_copy_of_an_object_is_held(
    bucket: Bucket, name: str, what: str, copies: int
) -> None:
    bucket.put(name, bytes(LARGE))
    command = [sys.executable, "-c", PROGRAM, bucket.url, name, what, str(LARGE)]
    peak = int(subprocess.check_output(command, env=environment()))
    assert peak < (copies + 0.3) * LARGE


@pytest.mark.slow
@pytest.mark.parametrize("size", [16 << 20, (16 << 20) + 1, 40 << 20])
def test_a_multipart_upload_is_complete(bucket: Bucket, size: int) -> None:
    data = os.urandom(size)
    store = open_store(bucket.url)
    store.write("a", data, content_type="image/png", metadata={"crop": "square"})
    assert bucket.get("a") == data
    assert store.stat("a").size == size
    assert store.stat("a").metadata == {"crop": "square"}
    assert bucket.head("a")["ContentType"] == "image/png"
