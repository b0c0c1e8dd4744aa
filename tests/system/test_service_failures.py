"""A service that is killed, or whose database, queue or disk fails: nothing lost or doubled."""

from __future__ import annotations

import contextlib
import resource
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from fft_tool.codec import png_encode
from fft_tool.stores.folder import PART_PREFIX
from service.clock import Clock
from service.database.engine import Session
from service.database.tables import ASSETS, RENDITIONS
from service.jobs.sweep import sweep
from service.parts import Parts, make_parts
from service.references import REFERENCES
from service.settings import Settings
from tests.support.postgres import postgres
from tests.support.redis_server import redis_server
from tests.support.running_service import RunningService, finished_asset, running_service, until
from tests.support.service import FixedClock

pytestmark = pytest.mark.slow


def image(seed: int, side: int = 32) -> bytes:
    """A PNG of noise, which no two seeds share."""
    noise = np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)
    return png_encode.encode(noise)


def upload(client: httpx.Client, data: bytes) -> httpx.Response:
    return client.post("/upload/", files={"file": ("a.png", data)}, data={"tenant_name": "acme"})


@contextlib.contextmanager
def parts_of(service: RunningService, *, hours: float = 2) -> Iterator[Parts]:
    """Parts of a service, some hours later."""
    later = FixedClock(Clock().now() + timedelta(hours=hours))
    parts = make_parts(Settings.from_environ(service.environ), later)
    try:
        yield parts
    finally:
        parts.close()


def check_that_nothing_is_left_over(service: RunningService) -> None:
    """After a sweep, every file is one that a row refers to, and every row has its file."""
    with parts_of(service) as parts:
        sweep(parts)
        with parts.database.read() as session:
            rows = {name for column in REFERENCES for name in session.scalars(sa.select(column))}
        assert {blob.sha256 for blob in parts.blobs.entries()} == rows
    assert service.temporary_files() == []
    assert list(service.folder.rglob(f"{PART_PREFIX}*")) == []


@dataclass
class Load:
    """Uploads of different images, one after another, in some threads until it is stopped."""

    service: RunningService
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[int] = field(default_factory=set)
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self, threads: int = 2) -> Iterator[None]:
        workers = [threading.Thread(target=self._upload, args=[n]) for n in range(threads)]
        for each in workers:
            each.start()
        try:
            yield
        finally:
            self._ended.set()
            for each in workers:
                each.join()

    def wait_for(self, status: int, count: int = 1) -> None:
        """Wait for so many more answers of a status."""
        wanted = self.statuses[status] + count
        until(lambda: self.statuses[status] >= wanted)

    def _upload(self, number: int) -> None:
        seed = number
        with self.service.client() as client:
            while not self._ended.wait(0.02):
                seed += 1000
                answer = upload(client, image(seed))
                self.statuses[answer.status_code] += 1
                if answer.status_code == 200:
                    self.accepted.add(answer.json()["asset_id"])

    def check_that_all_is_done(self) -> None:
        with self.service.client() as client:
            assets = [finished_asset(client, asset_id) for asset_id in sorted(self.accepted)]
        assert {asset["status"] for asset in assets} == {"done"}
        assert all(len(asset["renditions"]) == 3 for asset in assets)


def test_a_service_that_is_killed_in_the_midst_of_a_job_does_it_again(tmp_path: Path) -> None:
    data = image(1, side=3000)
    with running_service(tmp_path) as service, service.client() as client:
        asset_id = upload(client, data).json()["asset_id"]
        until(lambda: status_of(client, asset_id) == "running")
        service.kill()
    with running_service(tmp_path) as service, service.client() as client:
        assert status_of(client, asset_id) == "running", "nobody knows it yet"
        asset = finished_asset(client, asset_id)
        again = upload(client, data).json()
        assert (asset["status"], asset["job"]["attempts"]) == ("done", 2)
        assert (again["asset_id"], again["status"]) == (asset_id, "done")
        presets = [each["preset"] for each in asset["renditions"]]
        assert sorted(presets) == ["card", "thumb", "zoom"]
        check_that_nothing_is_left_over(service)


def status_of(client: httpx.Client, asset_id: int) -> str:
    return str(client.get(f"/retrieve/asset/{asset_id}").json()["status"])


def test_a_service_that_is_killed_in_the_midst_of_an_upload_leaves_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path) as service, half_an_upload(service):
        until(lambda: [size for size in sizes(service) if size])
        service.kill()
        assert len(service.temporary_files()) == 1
    with running_service(tmp_path) as service:
        with parts_of(service, hours=0) as parts:
            assert sweep(parts).files == 0, "it might still be arriving"
        check_that_nothing_is_left_over(service)
        with parts_of(service) as parts, parts.database.read() as session:
            assert rows_of(session, ASSETS) == 0


def sizes(service: RunningService) -> list[int]:
    """Bytes of the uploads that are arriving."""
    folder = service.folder / "temporary"
    return [(folder / name).stat().st_size for name in service.temporary_files()]


@contextlib.contextmanager
def half_an_upload(service: RunningService) -> Iterator[None]:
    """Send the first half of a file, and keep the connection."""
    half = 4 << 20
    head = (
        f"POST /upload/ HTTP/1.1\r\nHost: {service.host}\r\nContent-Length: {2 * half}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    )
    with socket.create_connection((service.host, service.port)) as connection:
        connection.sendall(head.encode() + bytes(half))
        yield


def test_while_redis_restarts_uploads_are_accepted_and_all_of_them_done(tmp_path: Path) -> None:
    with redis_server() as redis, running_service(tmp_path, REDIS_URL=redis.url) as service:
        load = Load(service)
        with load.running():
            load.wait_for(200)
            redis.stop()
            load.wait_for(200, 5)
            redis.start()
            load.wait_for(200, 5)
        assert set(load.statuses) == {200}
        load.check_that_all_is_done()
        check_that_nothing_is_left_over(service)
        assert "queue in Redis is away" in service.log


def test_while_postgresql_restarts_uploads_are_refused_and_what_was_accepted_is_done(
    tmp_path: Path,
) -> None:
    with postgres() as server, running_service(tmp_path, DATABASE_URL=server.url()) as service:
        load = Load(service)
        with load.running():
            load.wait_for(200, 5)
            server.stop()
            load.wait_for(503, 2)
            with service.client() as client:
                assert client.get("/healthz").status_code == 200
                assert client.get("/readyz").json()["missing"] == ["database"]
            server.start()
            load.wait_for(200, 5)
        assert set(load.statuses) == {200, 503}
        load.check_that_all_is_done()
        # An upload whose connection broke while it was committed may have been accepted.
        assert int(server.query("SELECT count(*) FROM assets")) >= len(load.accepted)
        until(lambda: server.query("SELECT count(*) FROM jobs WHERE state <> 'done'") == "0")
        check_that_nothing_is_left_over(service)


def test_a_disk_that_is_full_for_a_while_loses_nothing(tmp_path: Path) -> None:
    with running_service(tmp_path) as service, service.client() as client:
        before = finished_asset(client, upload(client, image(1)).json()["asset_id"])
        with full_disk(service):
            large = upload(client, image(2, side=2000))
            assert (large.status_code, large.json()["code"]) == (507, "store-full")
            small = [upload(client, image(seed)) for seed in range(3, 13)]
            assert {answer.status_code for answer in small} <= {200, 503, 507}
            assert {answer.status_code for answer in small} - {200}
        assert client.get("/readyz").status_code == 200
        accepted = [answer.json()["asset_id"] for answer in small if answer.status_code == 200]
        for asset_id in [
            *accepted,
            *(upload(client, image(seed)).json()["asset_id"] for seed in range(2, 13)),
        ]:
            assert finished_asset(client, asset_id)["status"] == "done"
        assert finished_asset(client, before["asset_id"]) == before
        check_that_nothing_is_left_over(service)
        with parts_of(service) as parts, parts.database.read() as session:
            assert rows_of(session, ASSETS) == 12
            assert rows_of(session, RENDITIONS) == 36


def rows_of(session: Session, table: sa.Table) -> int:
    """Number of rows of a table."""
    return session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


@contextlib.contextmanager
def full_disk(service: RunningService) -> Iterator[None]:
    """Have the service's files not grow any more, as on a disk that is full."""
    whole = resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (40_000, whole[1]))
    try:
        yield
    finally:
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, whole)
