"""Forms with files: what is received, what is refused on the way, and that nothing is left."""

from __future__ import annotations

import asyncio
import errno
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect, Request

from fft_tool.errors import FftToolError, StoreFull
from fft_tool.limits import MIB
from service.errors import BadRequest, NotMultipart, TooLarge, TooSlow
from service.uploads import (
    FIELD_BYTES,
    FILENAME,
    FRAME_BYTES,
    HEADER_BYTES,
    Form,
    UploadLimits,
    receive_form,
)

BOUNDARY = "5a1d"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
LIMITS = UploadLimits(size=5 * MIB, seconds=60, idle_seconds=60, folder=Path())

Receive = Callable[[], Awaitable[dict[str, Any]]]


def part(name: str, data: bytes, *, filename: str | None = None, more: str = "") -> bytes:
    said = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename else "")
    head = f"--{BOUNDARY}\r\nContent-Disposition: {said}\r\n{more}\r\n"
    return head.encode() + data + b"\r\n"


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


FILE = part("file", b"image", filename="a.png")
TENANT = part("tenant_name", b"acme")


def stream(data: bytes, size: int = 64 << 10) -> Receive:
    """Bytes that arrive in pieces, as a server hands them on."""
    pieces = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
    left = iter(enumerate(pieces, 1))

    async def receive() -> dict[str, Any]:
        number, piece = next(left)
        return {"type": "http.request", "body": piece, "more_body": number < len(pieces)}

    return receive


def request(receive: Receive, *, kind: str = TYPE, **headers: str) -> Request:
    given = {"content-type": kind, **headers}
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in given.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def read(folder: Path, asked: Request, **limits: Any) -> Form:
    """The form of a request with a file and the name of a tenant."""
    chosen = {"size": 5 * MIB, "seconds": 60, "idle_seconds": 60, **limits}
    made = UploadLimits(folder=folder, **chosen)
    return asyncio.run(receive_form(asked, made, files=("file",), fields=("tenant_name",)))


def refused(kind: type[FftToolError], folder: Path, asked: Request, **limits: Any) -> str:
    """Message of the error that ends an upload, which leaves nothing."""
    with pytest.raises(kind) as caught:
        read(folder, asked, **limits)
    assert list(folder.iterdir()) == []
    return caught.value.public


# What is received


@pytest.mark.parametrize("size", [0, 1, 1000, MIB, 3 * MIB + 1])
@pytest.mark.parametrize("pieces", [64 << 10, 1 << 20])
def test_a_file_arrives_whole(tmp_path: Path, size: int, pieces: int) -> None:
    data = bytes(range(251)) * (size // 251 + 1)
    data = data[:size]
    sent = body(part("file", data, filename="forest.png"), TENANT)
    form = read(tmp_path, request(stream(sent, pieces)))
    received = form.files["file"]
    assert received.path.read_bytes() == data
    assert (received.size, received.filename) == (size, "forest.png")
    assert received.sha256 == hashlib.sha256(data).hexdigest()
    assert form.fields == {"tenant_name": "acme"}
    form.delete()
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=200) | st.sampled_from([b"\r\n--5a1d", b"--5a1d--\r\n", b"\r\n--5a1"]),
    tenant=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40),
    size=st.integers(1, 90),
)
def test_pieces_may_be_cut_anywhere(tmp_path: Path, data: bytes, tenant: str, size: int) -> None:
    parts = part("tenant_name", tenant.encode()), part("file", data, filename="x")
    if f"\r\n--{BOUNDARY}".encode() in b"\r\n" + data or f"--{BOUNDARY}" in tenant:
        return  # then it would not be a form
    form = read(tmp_path, request(stream(body(*parts), size)))
    assert form.files["file"].path.read_bytes() == data
    assert form.fields["tenant_name"] == tenant
    form.delete()


def test_two_files_that_arrive_one_after_the_other_do_not_mix(tmp_path: Path) -> None:
    limits = UploadLimits(size=MIB, seconds=60, idle_seconds=60, folder=tmp_path)
    sent = body(part("a", b"1" * 5000, filename="a"), part("b", b"2" * 7000, filename="b"))
    form = asyncio.run(receive_form(request(stream(sent, 999)), limits, files=("a", "b")))
    found = {name: received.path.read_bytes() for name, received in form.files.items()}
    assert found == {"a": b"1" * 5000, "b": b"2" * 7000}
    form.delete()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\a.png", "a.png"),
        ("a" * 300, "a" * FILENAME),
        ("grün.png", "grün.png"),
        ("a\x1b[31m.png", "a[31m.png"),
    ],
)
def test_of_a_filename_only_what_is_harmless_is_kept(tmp_path: Path, sent: str, kept: str) -> None:
    form = read(tmp_path, request(stream(body(part("file", b"x", filename=sent), TENANT))))
    assert form.files["file"].filename == kept
    assert form.files["file"].path.parent == tmp_path, "whatever the client says"
    form.delete()


def test_others_cannot_read_what_arrives(tmp_path: Path) -> None:
    form = read(tmp_path, request(stream(body(FILE, TENANT))))
    assert form.files["file"].path.stat().st_mode & 0o077 == 0
    form.delete()


# What is refused


@pytest.mark.parametrize(
    "kind",
    [
        "",
        "application/json",
        "multipart/mixed; boundary=5a1d",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "a" * 71,
        "application/x-www-form-urlencoded",
    ],
)
def test_only_forms_with_a_boundary_are_read(tmp_path: Path, kind: str) -> None:
    asked = request(stream(body(FILE, TENANT)), kind=kind)
    assert "multipart/form-data" in refused(NotMultipart, tmp_path, asked)


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (body(TENANT), "file: is missing"),
        (body(FILE), "tenant_name: is missing"),
        (body(FILE, TENANT, part("other", b"")), "'other': is not in this form, which has file"),
        (body(FILE, FILE, TENANT), "file: should be given once"),
        (body(FILE, TENANT, TENANT), "tenant_name: should be given once"),
        (body(FILE, part("tenant_name", b"\xff")), "tenant_name: should be text as UTF-8"),
        (body(FILE, part("tenant_name", b"a\0b")), "should not hold the character NUL"),
        (
            body(part("file", b"eA==", more="Content-Transfer-Encoding: base64\r\n"), TENANT),
            "file: should be sent as it is",
        ),
        (body(part("file", b"", more=f"X: {'a' * HEADER_BYTES}\r\n"), TENANT), "has headers of"),
        (body(part("file", b"", more="X: a\r\n" * 5000), TENANT), "cannot be read"),
        (FILE + TENANT, "ends too early"),
        (FILE[:-9], "ends too early"),
        (b"", "ends too early"),
        (b"nonsense", "cannot be read"),
        (b"--5a1d\r\nnonsense\r\n\r\n", "cannot be read"),
    ],
)
def test_a_form_that_is_not_as_it_should_be(tmp_path: Path, sent: bytes, told: str) -> None:
    assert told in refused(BadRequest, tmp_path, request(stream(sent)))


def test_everything_that_is_missing_is_told_together(tmp_path: Path) -> None:
    told = refused(BadRequest, tmp_path, request(stream(body())))
    assert told == "file: is missing from the form; tenant_name: is missing from the form"


def test_a_body_that_says_that_it_is_too_large_is_not_read(tmp_path: Path) -> None:
    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing is to be read")

    asked = request(receive, content_length=str(5 * MIB + FRAME_BYTES + 1))
    assert "more than the" in refused(TooLarge, tmp_path, asked)


def endless(begin: bytes) -> tuple[Receive, list[int]]:
    """A body that never ends, and the number of bytes that were asked for."""
    counted = [0]

    async def receive() -> dict[str, Any]:
        data = begin if not counted[0] else b"a" * 65536
        counted[0] += len(data)
        return {"type": "http.request", "body": data, "more_body": True}

    return receive, counted


@pytest.mark.parametrize(
    ("begin", "most"),
    [
        (part("file", b"", filename="x")[:-2], 5 * MIB),
        (part("tenant_name", b"")[:-2], FIELD_BYTES),
        (b"--5a1d\r\nContent-Disposition: ", HEADER_BYTES),
    ],
    ids=["file", "field", "header"],
)
def test_an_endless_upload_is_read_up_to_the_limit(tmp_path: Path, begin: bytes, most: int) -> None:
    receive, counted = endless(begin)
    refused(BadRequest if most == HEADER_BYTES else TooLarge, tmp_path, request(receive))
    assert counted[0] <= most + 2 * 65536 + len(begin)


def test_what_follows_the_form_counts_as_well(tmp_path: Path) -> None:
    receive, counted = endless(body(FILE, TENANT))
    refused(TooLarge, tmp_path, request(receive))
    assert counted[0] <= 5 * MIB + FRAME_BYTES + 65536


async def never() -> dict[str, Any]:
    await asyncio.Event().wait()
    return {}


def then(first: Iterable[bytes], last: Receive) -> Receive:
    """Pieces of a body, and what comes of asking for more."""
    pieces = iter(first)

    async def receive() -> dict[str, Any]:
        for piece in pieces:
            return {"type": "http.request", "body": piece, "more_body": True}
        return await last()

    return receive


BEGUN = part("file", b"a" * 2 * MIB, filename="x")[:-2]


def test_an_upload_that_pauses_for_too_long_ends(tmp_path: Path) -> None:
    asked = request(then([BEGUN], never))
    assert "nothing of the upload came" in refused(TooSlow, tmp_path, asked, idle_seconds=0.05)


def test_an_upload_that_trickles_ends(tmp_path: Path) -> None:
    async def trickle() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"a", "more_body": True}

    asked = request(then([BEGUN], trickle))
    told = refused(TooSlow, tmp_path, asked, seconds=0.2, idle_seconds=60)
    assert told == "the upload took longer than 0.2 seconds"


# On every way out, nothing is left


def test_a_client_that_goes_away_leaves_nothing(tmp_path: Path) -> None:
    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        read(tmp_path, request(then([BEGUN], gone)))
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_is_cancelled_leaves_nothing(tmp_path: Path) -> None:
    seen: list[int] = []

    async def main() -> None:
        begun = asyncio.Event()

        async def wait() -> dict[str, Any]:
            seen.append(len(list(tmp_path.iterdir())))  # noqa: ASYNC240  (a folder of the test)
            begun.set()
            return await never()

        asked = request(then([BEGUN], wait))
        limits = UploadLimits(5 * MIB, 60, 60, tmp_path)
        task = asyncio.create_task(receive_form(asked, limits, files=("file",)))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert seen == [1], "the first megabytes were written"
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("service.uploads.os.open", full)
    told = refused(StoreFull, tmp_path, request(stream(body(FILE, TENANT))))
    assert str(tmp_path) not in told
