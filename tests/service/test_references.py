"""Blobs and rows: whatever the timing, no row points to nothing and no blob is left over."""

from __future__ import annotations

import threading

import pytest

from service.database.tables import ASSETS, JOBS
from service.jobs.table import enqueue
from service.parts import Parts
from service.references import Blob, delete_unreferenced, keeping
from tests.support.service_assets import add_asset, blobs, rows

BLOB = Blob(b"some bytes", "image/png")


def test_a_blob_without_references_is_deleted(parts: Parts) -> None:
    parts.blobs.put(BLOB.data)
    assert delete_unreferenced(parts, BLOB.sha256)
    assert not parts.blobs.exists(BLOB.sha256)


def test_the_source_of_an_asset_is_not_deleted(parts: Parts) -> None:
    uploaded = add_asset(parts)
    assert not delete_unreferenced(parts, uploaded.content_hash)
    assert parts.blobs.exists(uploaded.content_hash)


@pytest.mark.parametrize(("state", "kept"), [("queued", True), ("failed", True), ("done", False)])
def test_what_a_job_needs_is_kept_until_it_is_done(parts: Parts, state: str, kept: bool) -> None:
    with keeping(parts, BLOB) as session:
        payload = {"source": BLOB.sha256}
        job_id = enqueue(session, "of-the-tests", payload, now=parts.clock.now())
        session.execute(JOBS.update().where(JOBS.c.id == job_id).values(state=state))
    assert delete_unreferenced(parts, BLOB.sha256) is not kept


def test_a_blob_is_there_before_the_row_that_refers_to_it(parts: Parts) -> None:
    with keeping(parts, BLOB):
        assert parts.blobs.read(BLOB.sha256) == BLOB.data


def test_a_blob_that_was_deleted_before_its_row_was_written_is_written_again(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep finds a blob without a row: between writing it and the transaction."""
    put = parts.blobs.put

    def put_and_lose(data: bytes, content_type: str, *, sha256: str, lasting: bool) -> str:
        name = put(data, content_type, sha256=sha256, lasting=lasting)
        monkeypatch.undo()
        assert delete_unreferenced(parts, name)
        return name

    monkeypatch.setattr(parts.blobs, "put", put_and_lose)
    with keeping(parts, BLOB):
        pass
    assert parts.blobs.read(BLOB.sha256) == BLOB.data


def test_a_transaction_that_fails_leaves_a_blob_for_the_sweep_and_no_row(parts: Parts) -> None:
    def fail() -> None:
        with keeping(parts, BLOB) as session:
            enqueue(session, "of-the-tests", {}, now=parts.clock.now())
            raise KeyError("in the middle")

    with pytest.raises(KeyError):
        fail()
    assert rows(parts, JOBS) == []
    assert delete_unreferenced(parts, BLOB.sha256)


def test_uploading_and_deleting_the_same_bytes_at_once_never_loses_them(parts: Parts) -> None:
    data = [b"\x89PNG\r\n\x1a\n" + bytes([number]) for number in range(10)]
    names = [Blob(each).sha256 for each in data]
    stop = threading.Event()

    def delete() -> None:
        while not stop.is_set():
            for name in names:
                delete_unreferenced(parts, name)

    deleter = threading.Thread(target=delete)
    deleter.start()
    try:
        for each in data:
            add_asset(parts, each)
    finally:
        stop.set()
        deleter.join()
    assert {row["content_hash"] for row in rows(parts, ASSETS)} == set(names) == blobs(parts)
