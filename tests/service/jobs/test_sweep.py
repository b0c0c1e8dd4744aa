"""The sweep: what is lost is found, what nothing refers to is deleted, and nothing else."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fft_tool.stores.folder import PART_PREFIX
from service.clock import Clock
from service.database.tables import ARTIFACTS, ASSETS, RENDITIONS, TENANTS
from service.jobs import table
from service.jobs.sweep import OLD, Swept, sweep
from service.parts import Parts
from service.references import Blob, keeping
from tests.support.service import FixedClock
from tests.support.service_jobs import KIND, add_job, poisoned, states

NOTHING = Swept(0, 0, 0)


@pytest.fixture(autouse=True)
def _now(clock: FixedClock) -> None:
    """Files have the time of this machine, so the test begins with it."""
    clock.time = Clock().now()


def later(clock: FixedClock) -> None:
    clock.advance(OLD.total_seconds() + 1)


def test_a_service_that_has_done_nothing_is_left_as_it_is(parts: Parts) -> None:
    assert sweep(parts) == NOTHING


def test_jobs_of_a_dead_worker_are_found(parts: Parts, clock: FixedClock) -> None:
    add_job(parts)
    with parts.database.begin() as session:
        table.claim(session, "dead", (KIND,), now=clock.now())
    assert sweep(parts) == NOTHING
    clock.advance(60)
    assert sweep(parts) == Swept(1, 0, 0)
    assert (states(parts), poisoned(parts)) == (["queued"], [])


def test_a_blob_that_nothing_refers_to_is_deleted_once_it_is_old(
    parts: Parts, clock: FixedClock
) -> None:
    orphan = parts.blobs.put(b"orphan")
    assert sweep(parts) == NOTHING
    assert parts.blobs.exists(orphan), "its row may be about to be written"
    later(clock)
    assert sweep(parts) == Swept(0, 1, 0)
    assert not parts.blobs.exists(orphan)


def test_blobs_that_rows_refer_to_stay(parts: Parts, clock: FixedClock) -> None:
    now = clock.now()
    blobs = [Blob(data) for data in (b"source", b"rendition", b"artifact", b"waiting")]
    names = [blob.sha256 for blob in blobs]
    common = {"asset_id": 1, "content_type": "", "bytes": 1, "created_at": now, "asked_at": now}
    with keeping(parts, *blobs) as session:
        session.execute(sa.insert(TENANTS).values(name="a", created_at=now))
        asset = {"tenant_id": 1, "name": "", "content_type": "", "bytes": 1, "created_at": now}
        session.execute(sa.insert(ASSETS).values(content_hash=names[0], **asset))
        size = {"width": 1, "height": 1}
        session.execute(
            sa.insert(RENDITIONS).values(
                preset="thumb", format="png", sha256=names[1], **size, **common
            )
        )
        session.execute(
            sa.insert(ARTIFACTS).values(
                kind="record", recipe="", name="", sha256=names[2], **common
            )
        )
        table.enqueue(session, KIND, {"source": names[3]}, now=now)
    later(clock)
    assert sweep(parts) == NOTHING
    assert all(parts.blobs.exists(name) for name in names)


def test_more_blobs_than_are_asked_for_at_once(
    parts: Parts, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.jobs.sweep.AT_ONCE", 4)
    for n in range(11):
        parts.blobs.put(b"%d" % n)
    later(clock)
    assert sweep(parts) == Swept(0, 11, 0)


@pytest.mark.parametrize("name", ["upload-x", f"{PART_PREFIX}x.part"])
def test_old_temporary_files_are_deleted(parts: Parts, clock: FixedClock, name: str) -> None:
    path = parts.settings.temporary / name
    path.touch()
    assert sweep(parts) == NOTHING
    later(clock)
    assert sweep(parts) == Swept(0, 0, 1)
    assert not path.exists()


def test_files_that_were_not_finished_are_deleted(parts: Parts, clock: FixedClock) -> None:
    parts.blobs.put(b"finished")
    storage = Path(parts.settings.storage_path)
    part = f"{PART_PREFIX}x.part"
    folder = next((storage / "blobs").iterdir())
    unfinished = [folder / part, parts.settings.processed_images / "a" / part]
    for path in unfinished:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert sweep(parts) == NOTHING
    later(clock)
    assert sweep(parts) == Swept(0, 1, 2)
    assert not any(path.exists() for path in unfinished)


def test_other_files_stay(parts: Parts, clock: FixedClock) -> None:
    result = parts.settings.processed_images / "shoe.jpg"
    folder = parts.settings.temporary / "folder"
    result.touch()
    folder.mkdir()
    (parts.settings.temporary / "queue.db").touch()
    (parts.settings.temporary / "queue.db-wal").touch()
    os.utime(result, (0, 0))
    later(clock)
    assert sweep(parts) == NOTHING


def test_the_file_of_an_upload_that_may_still_be_running_stays(
    parts: Parts, clock: FixedClock
) -> None:
    day = replace(parts, settings=replace(parts.settings, upload_seconds=86_400))
    (parts.settings.temporary / "upload-x").touch()
    later(clock)
    assert sweep(day) == NOTHING
    clock.advance(2 * 86_400)
    assert sweep(day) == Swept(0, 0, 1)


def test_what_was_done_is_told_in_a_sentence() -> None:
    assert str(Swept(1, 2, 3)) == "1 jobs taken back, 2 blobs and 3 files deleted"
