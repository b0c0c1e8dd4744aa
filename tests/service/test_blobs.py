"""Blobs: kept under their hash, once for equal bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from fft_tool.errors import NotFound
from fft_tool.stores.base import Store
from fft_tool.stores.folder import FolderStore
from fft_tool.stores.memory import MemoryStore
from service.blobs import BlobEntry, Blobs


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FolderStore(tmp_path / "new") if request.param == "folder" else MemoryStore()


@pytest.fixture
def blobs(store: Store) -> Blobs:
    return Blobs(store)


def test_a_blob_is_read_by_the_hash_of_its_bytes(blobs: Blobs, tmp_path: Path) -> None:
    assert blobs.read(blobs.put(b"some bytes")) == b"some bytes"
    file = tmp_path / "file"
    file.write_bytes(b"of a file")
    sha256 = hashlib.sha256(b"of a file").hexdigest()
    blobs.put_file(file, sha256, "image/png")
    file.unlink()
    assert blobs.read(sha256, len(b"of a file")) == b"of a file"


def test_equal_bytes_are_kept_once(blobs: Blobs) -> None:
    assert blobs.put(b"equal") == blobs.put(b"equal", "image/png")
    assert len(list(blobs.entries())) == 1


def test_equal_bytes_are_written_again_so_that_time_does_not_tell_they_were_there() -> None:
    class Counting(MemoryStore):
        written = 0

        def write(
            self,
            name: str,
            data: bytes,
            *,
            content_type: str = "",
            metadata: Mapping[str, str] | None = None,
        ) -> None:
            self.written += 1
            super().write(name, data, content_type=content_type, metadata=metadata)

    store = Counting()
    for _ in range(2):
        Blobs(store).put(b"equal")
    assert store.written == 2


def test_deleting_leaves_no_blob_and_may_be_done_twice(blobs: Blobs) -> None:
    name = blobs.put(b"short-lived")
    assert blobs.exists(name)
    for _ in range(2):
        blobs.delete(name)
    assert not blobs.exists(name)
    with pytest.raises(NotFound):
        blobs.read(name)


def test_all_blobs_are_listed_with_their_sizes(blobs: Blobs, store: Store) -> None:
    assert list(blobs.entries()) == []
    names = sorted(blobs.put(bytes(size)) for size in range(3))
    store.write("blobs/readme", b"not a blob")
    store.write("elsewhere/ab/file", b"nor this")
    assert [entry.sha256 for entry in blobs.entries()] == names
    assert {entry.size for entry in blobs.entries()} == {0, 1, 2}


def test_a_folder_knows_when_a_blob_was_written(tmp_path: Path) -> None:
    blobs = Blobs(FolderStore(tmp_path))
    blobs.put(b"dated")
    [entry] = blobs.entries()
    assert entry == BlobEntry(entry.sha256, 5, (tmp_path / _path(entry.sha256)).stat().st_mtime)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "g" * 64, "0" * 63, "0" * 65])
def test_nothing_but_a_hash_names_a_blob(blobs: Blobs, name: str) -> None:
    with pytest.raises(NotFound):
        blobs.read(name)
    with pytest.raises(NotFound):
        blobs.delete(name)


def _path(sha256: str) -> str:
    return f"blobs/{sha256[:2]}/{sha256}"


def test_a_blob_that_is_cut_short_counts_as_missing(blobs: Blobs, store: Store) -> None:
    name = blobs.put(b"some bytes")
    store.write(f"blobs/{name[:2]}/{name}", b"some")
    with pytest.raises(NotFound, match="only 4 of 10 bytes are left"):
        blobs.read(name, 10)
