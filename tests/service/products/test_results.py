"""The folder of results: files appear whole, and nothing outside of it is ever read."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fft_tool.errors import NotAllowed, StoreUnavailable
from fft_tool.stores.folder import FolderStore
from service.errors import NotHere
from service.parts import Parts
from service.products.results import Results
from tests.support.service import TestClient

SECRET = b"not to be read"
JPEG = b"\xff\xd8\xff and so on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder, with a secret beside it."""
    (tmp_path / "secret.jpg").write_bytes(SECRET)
    made = tmp_path / "results"
    made.mkdir()
    (made / "a-1.jpg").write_bytes(JPEG)
    (made / "sub").mkdir()
    (made / "sub" / "b-2.jpeg").write_bytes(JPEG)
    (made / ".hidden.jpg").write_bytes(SECRET)
    (made / ".fft-tool-0.part").write_bytes(SECRET)
    (made / "notes.txt").write_bytes(SECRET)
    (made / "folder.jpg").mkdir()
    (made / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (made / "out").symlink_to(tmp_path)
    (made / "loop.jpg").symlink_to(made / "loop.jpg")
    (made / "dangling.jpg").symlink_to(made / "nothing.jpg")
    (made / "inside.jpg").symlink_to(made / "a-1.jpg")
    os.mkfifo(made / "pipe.jpg")
    return made


HOSTILE = [
    "../secret.jpg",
    "sub/../../secret.jpg",
    "sub/../a-1.jpg",
    "./a-1.jpg",
    "sub//b-2.jpeg",
    "/a-1.jpg",
    "//etc/passwd.jpg",
    "..",
    ".",
    "",
    "/",
    "..\\secret.jpg",
    "sub\\b-2.jpeg",
    "%2e%2e/secret.jpg",
    "..%2fsecret.jpg",
    "%252e%252e%252fsecret.jpg",
    "..%c0%afsecret.jpg",
    "\uff0e\uff0e/secret.jpg",
    "a-1.jpg\0",
    "a-1.jpg\0.txt",
    "\0.jpg",
    "a-1.jpg\n",
    "a-1.jpg ",
    "a-1.jpg.",
    "a-1.jpg::$DATA",
    "CON.jpg",
    "NUL",
    "com1.jpg",
    "C:\\windows\\a.jpg",
    "file:///etc/passwd.jpg",
    "~/a.jpg",
    "\ud800.jpg",
    ".hidden.jpg",
    ".fft-tool-0.part",
    "notes.txt",
    "folder.jpg",
    "sub",
    "out.jpg",
    "out/secret.jpg",
    "loop.jpg",
    "dangling.jpg",
    "pipe.jpg",
    "x" * 300 + ".jpg",
    "x/" * 3000 + "a.jpg",
    "nothing.jpg",
]


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: ascii(path)[:40])
def test_no_path_leads_out_and_all_refusals_are_alike(folder: Path, path: str) -> None:
    with pytest.raises(NotHere) as refused:
        Results(folder).read(path)
    assert str(refused.value) == "there is no such image, or it is not ready yet"


@pytest.mark.parametrize("path", ["a-1.jpg", "sub/b-2.jpeg", "inside.jpg"])
def test_images_of_the_folder_are_read(folder: Path, path: str) -> None:
    assert Results(folder).read(path).data == JPEG


@given(st.text())
def test_whatever_is_read_is_an_image_of_the_folder(path: str) -> None:
    with pytest.raises(NotHere):
        Results(Path("/")).read(path)


def test_a_socket_is_not_opened(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.jpg"))
        with pytest.raises(NotHere):
            Results(folder).read("s.jpg")


def test_an_image_appears_whole(tmp_path: Path) -> None:
    """Whoever reads at any moment sees nothing, or all of one version."""
    results = Results(tmp_path)
    versions = [bytes([number]) * 200_000 for number in range(2)]
    done = threading.Event()

    def write() -> None:
        for number in range(100):
            results.write("a-1.jpg", versions[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = set()
    while not done.is_set():
        try:
            seen.add(results.read("a-1.jpg").data)
        except NotHere:
            assert not seen, "it does not disappear"
    writer.join()
    assert seen <= set(versions)
    assert [path.name for path in tmp_path.iterdir()] == ["a-1.jpg"]


def test_a_file_is_on_the_disk_before_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In this order, for after a loss of power a name without bytes would count as an image."""
    happened = []
    replace, synchronise = Path.replace, os.fsync

    def replaced(path: Path, target: Path) -> Path:
        happened.append("rename")
        return replace(path, target)

    def synchronised(descriptor: int) -> None:
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file"  # noqa: PTH112
        happened.append(kind)
        synchronise(descriptor)

    monkeypatch.setattr(Path, "replace", replaced)
    monkeypatch.setattr(os, "fsync", synchronised)
    Results(tmp_path).write("a-1.jpg", JPEG)
    assert happened == ["file", "rename", "folder"]


def test_a_folder_that_does_not_answer_is_not_an_image_that_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: FolderStore, name: str) -> None:
        raise StoreUnavailable(f"{name}: stale file handle")

    monkeypatch.setattr(FolderStore, "open", away)
    with pytest.raises(StoreUnavailable):
        Results(folder).read("a-1.jpg")


def test_nothing_is_written_outside(folder: Path) -> None:
    with pytest.raises(NotAllowed):
        Results(folder).write("out/b.jpg", JPEG)


# Over HTTP, where a path may be written in many ways.


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: ascii(path)[:40])
@pytest.mark.parametrize("spelling", ["plain", "quoted", "quoted twice"])
def test_no_address_leads_out(
    parts: Parts, client: TestClient, folder: Path, path: str, spelling: str
) -> None:
    link = parts.settings.processed_images
    link.rmdir()
    link.symlink_to(folder)
    text = path.encode(errors="replace").decode()
    address = quote(text) if spelling == "plain" else quote(text, safe="")
    address = quote(address, safe="") if spelling == "quoted twice" else address
    answer = client.get(f"/images/{address}")
    assert SECRET not in answer.content
    assert answer.status_code in {404, 200}
    if answer.status_code == 200:  # the client itself has taken . and .. out of the address
        assert answer.content == JPEG or answer.url.path == "/"
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert str(folder) not in answer.text
