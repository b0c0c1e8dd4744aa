"""The catalogue on a real PostgreSQL: simultaneous uploads, and purging while others write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from fft_tool.rendering import DEFAULT
from service.catalogue.artifacts import find_artifact
from service.catalogue.purge import purge
from service.catalogue.renditions import find_rendition
from service.catalogue.usage import usage_of, usage_of_all
from service.database.tables import ARTIFACTS, ASSETS, JOBS, RENDITIONS, TENANTS
from service.parts import Parts, make_parts
from service.references import Blob, delete_unreferenced, keeping
from tests.support.images import pink_noise, png_bytes
from tests.support.postgres import Postgres, postgres
from tests.support.service import FixedClock, settings_in, work_off
from tests.support.service_assets import TENANT, add_asset, add_done, blobs, rows


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as running:
        yield running


@pytest.fixture
def parts(server: Postgres, tmp_path: Path) -> Iterator[Parts]:
    """The parts of a service whose tables are in PostgreSQL, and empty."""
    server.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    made = make_parts(settings_in(tmp_path, DATABASE_URL=server.url()), FixedClock())
    yield made
    made.close()


def test_fifty_uploads_of_the_same_bytes_at_once_are_one_asset_and_one_job(parts: Parts) -> None:
    with ThreadPoolExecutor(50) as pool:
        uploaded = set(pool.map(lambda _: add_asset(parts), range(50)))
    assert len(uploaded) == 1
    assert [len(rows(parts, table)) for table in (TENANTS, ASSETS, JOBS)] == [1, 1, 1]
    assert work_off(parts) == 1
    assert {row["content_hash"] for row in rows(parts, ASSETS)} <= blobs(parts)


def test_purging_tells_and_does_the_same(parts: Parts) -> None:
    pixels = pink_noise((40, 40))
    add_done(parts, png_bytes(pixels, filtering=0))
    add_done(parts, png_bytes(pixels, filtering=1), tenant="other")
    kept = (
        find_rendition(parts, 1, "thumb", DEFAULT, TENANT),
        find_artifact(parts, 1, "record", {}, TENANT),
    )
    size = sum(entry.size for entry in parts.blobs.entries())
    told = purge(parts, days=0, dry_run=True)
    assert (told.renditions, told.artifacts) == (6, 8)
    assert purge(parts, days=0, dry_run=False) == told
    assert size - sum(entry.size for entry in parts.blobs.entries()) == told.bytes
    assert kept == (
        find_rendition(parts, 1, "thumb", DEFAULT, TENANT),
        find_artifact(parts, 1, "record", {}, TENANT),
    )


def test_usage_is_counted_by_tenant(parts: Parts) -> None:
    add_done(parts)
    add_asset(parts, tenant="other")
    mine, all_together = usage_of(parts, TENANT, TENANT), usage_of_all(parts)
    assert (mine.assets.count, mine.renditions.count, mine.artifacts.count) == (1, 3, 4)
    assert mine in all_together.tenants
    assert all_together.total.jobs == {"queued": 1, "running": 0, "done": 1, "failed": 0}


def test_writing_and_deleting_the_same_bytes_at_once_loses_no_blob_that_a_row_needs(
    parts: Parts,
) -> None:
    """Four threads make assets of the same few bytes, while four others delete whatever they can.

    Assets are removed again, so that blobs come and go all the time.
    """
    data = [Blob(b"\x89PNG\r\n\x1a\n" + bytes([number])) for number in range(3)]
    stop = threading.Event()
    missing = list[str]()

    def create(number: int) -> None:
        for place in range(40):
            blob = data[place % len(data)]
            asset_id = add_asset(parts, blob.data, tenant=f"tenant-{number}").asset_id
            if not parts.blobs.exists(blob.sha256):
                missing.append(blob.sha256)
            with parts.database.begin() as session:
                session.execute(sa.delete(JOBS).where(JOBS.c.asset_id == asset_id))
                session.execute(sa.delete(ASSETS).where(ASSETS.c.id == asset_id))

    def delete(_: int) -> None:
        while not stop.is_set():
            for blob in data:
                delete_unreferenced(parts, blob.sha256)

    with ThreadPoolExecutor(8) as pool:
        deleting = [pool.submit(delete, number) for number in range(4)]
        try:
            list(pool.map(create, range(4)))
        finally:
            stop.set()
        for each in deleting:
            each.result()
    assert missing == []


def test_transactions_that_keep_the_same_blobs_do_not_wait_for_each_other_for_ever(
    parts: Parts,
) -> None:
    pair = [Blob(b"one"), Blob(b"two")]
    together = threading.Barrier(2)

    def keep(order: list[Blob]) -> None:
        together.wait()
        for _ in range(30):
            with keeping(parts, *order):
                pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(keep, (pair, pair[::-1])))


def test_purging_while_renditions_are_made_leaves_no_row_without_its_blob(parts: Parts) -> None:
    add_done(parts)
    stop = threading.Event()

    def purge_all() -> None:
        while not stop.is_set():
            purge(parts, days=0, dry_run=False)

    purger = threading.Thread(target=purge_all)
    purger.start()
    try:
        for _ in range(6):
            with parts.database.begin() as session:  # as if the job had been queued again
                session.execute(sa.update(JOBS).values(state="queued", attempts=0))
            assert work_off(parts) == 1
    finally:
        stop.set()
        purger.join()
    for table in (RENDITIONS, ARTIFACTS):
        for row in rows(parts, table):
            assert parts.blobs.exists(row["sha256"])
