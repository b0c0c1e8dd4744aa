"""Workers as processes of their own, which are killed, stopped and cut off in the midst of jobs."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from service.clock import Clock
from service.database.tables import TENANTS
from service.parts import Parts, make_parts
from service.settings import Settings
from tests.support.command import environment
from tests.support.local_cloud import wait_until
from tests.support.postgres import postgres
from tests.support.redis_server import redis_server
from tests.support.service import environ_in
from tests.support.service_jobs import add_job, job_of, poisoned, states

SECONDS = 60  # after which a worker is stuck


@dataclass
class Scene:
    """A service without a server: its parts, and workers that come and go."""

    folder: Path
    environ: dict[str, str]
    parts: Parts

    def add(self, count: int = 1) -> list[int]:
        return [add_job(self.parts, {"folder": str(self.folder)}) for _ in range(count)]

    @property
    def begun(self) -> list[int]:
        """Jobs that were begun, as often as they were."""
        path = self.folder / "begun"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def go(self) -> None:
        """Let jobs end, and all that begin from now on."""
        (self.folder / "go").touch()

    @property
    def results(self) -> list[str]:
        with self.parts.database.read() as session:
            found = session.execute(sa.select(TENANTS.c.name).order_by(TENANTS.c.id))
            return list(found.scalars())

    def wait_for(self, *wanted: str) -> None:
        wait_until(lambda: states(self.parts) == list(wanted), self.tell)

    def tell(self) -> str:
        """What there is to say if something does not come about."""
        return f"{states(self.parts)}\n{(self.folder / 'log').read_text()}"

    @contextlib.contextmanager
    def worker(self, *, finishing: float = 10) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker, unless it is ended before."""
        environ = environment(**self.environ, FINISHING=str(finishing))
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.support.job_worker"],
                env=environ,
                stderr=log,
                cwd=self.folder,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def scene_in(folder: Path, **variables: str) -> Iterator[Scene]:
    environ = environ_in(folder, **variables)
    parts = make_parts(Settings.from_environ(environ), Clock())
    try:
        yield Scene(folder, environ, parts)
    finally:
        parts.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as made:
        yield made


@pytest.mark.slow
def test_a_job_whose_worker_is_killed_is_done_again_with_one_result(scene: Scene) -> None:
    (job_id,) = scene.add()
    with scene.worker() as first:
        wait_until(lambda: scene.begun == [job_id], scene.tell)
        children = psutil.Process(first.pid).children()
        first.kill()
        first.wait()
        _, alive = psutil.wait_procs(children, SECONDS)
        assert children
        assert not alive, "the processes that work on images end with their worker"
        assert job_of(scene.parts, job_id).state == "running", "nobody knows it yet"
        scene.go()
        with scene.worker():
            scene.wait_for("done")
    assert scene.begun == [job_id, job_id]
    assert scene.results == [f"result of job {job_id}"]
    assert job_of(scene.parts, job_id).attempts == 2


@pytest.mark.slow
def test_a_job_that_kills_every_worker_is_poisoned(scene: Scene) -> None:
    (job_id,) = scene.add()
    for times in range(1, 5):
        with scene.worker() as worker:
            wait_until(lambda times=times: len(scene.begun) == times, scene.tell)  # type: ignore[misc]
            worker.kill()
            worker.wait()
    with scene.worker():
        scene.wait_for("failed")
    assert poisoned(scene.parts) == [
        (job_id, "killed", "the process that worked on it was killed", 4)
    ]
    assert scene.results == []


@pytest.mark.slow
def test_a_worker_that_was_only_asleep_changes_nothing_when_it_comes_back(scene: Scene) -> None:
    """As a machine that was suspended: its lease has run out, and another has done the job."""
    (job_id,) = scene.add()
    with scene.worker() as first:
        wait_until(lambda: scene.begun == [job_id], scene.tell)
        first.send_signal(signal.SIGSTOP)
        scene.go()
        with scene.worker():
            scene.wait_for("done")
            finished = job_of(scene.parts, job_id)
            first.send_signal(signal.SIGCONT)
            wait_until(lambda: "taken away" in (scene.folder / "log").read_text(), scene.tell)
    assert job_of(scene.parts, job_id) == finished
    assert scene.results == [f"result of job {job_id}"]


@pytest.mark.slow
def test_sigterm_lets_a_job_end_that_ends_soon(scene: Scene) -> None:
    (job_id,) = scene.add()
    with scene.worker(finishing=SECONDS) as worker:
        wait_until(lambda: scene.begun == [job_id], scene.tell)
        worker.terminate()
        scene.go()
        assert worker.wait(SECONDS) == 0
    assert states(scene.parts) == ["done"]


@pytest.mark.slow
def test_sigterm_gives_back_a_job_that_takes_longer(scene: Scene) -> None:
    (job_id,) = scene.add()
    with scene.worker(finishing=0.1) as worker:
        wait_until(lambda: scene.begun == [job_id], scene.tell)
        worker.terminate()
        assert worker.wait(SECONDS) == 0
    job = job_of(scene.parts, job_id)
    assert (job.state, job.attempts) == ("queued", 0)
    scene.go()
    with scene.worker():
        scene.wait_for("done")
    assert scene.results == [f"result of job {job_id}"]


@pytest.mark.slow
def test_two_workers_never_do_one_job_both(scene: Scene) -> None:
    scene.go()
    ids = scene.add(30)
    with scene.worker(), scene.worker():
        scene.wait_for(*["done"] * 30)
    assert sorted(scene.begun) == ids


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_while_redis_restarts(tmp_path: Path) -> None:
    with redis_server() as redis, scene_in(tmp_path, REDIS_URL=redis.url) as scene, scene.worker():
        scene.go()
        assert scene.parts.queue.place == "Redis"
        scene.add(10)
        redis.stop()
        scene.add(10)
        redis.start()
        ids = scene.add(10)
        scene.wait_for(*["done"] * 30)
    assert sorted(scene.begun) == list(range(1, ids[-1] + 1))


@pytest.mark.slow
def test_nothing_is_lost_or_done_twice_while_postgresql_restarts(tmp_path: Path) -> None:
    with (
        postgres() as server,
        scene_in(tmp_path, DATABASE_URL=server.url()) as scene,
        scene.worker() as worker,
    ):
        held, others = scene.add(2), scene.add(8)
        wait_until(lambda: set(scene.begun) == set(held), scene.tell)
        server.stop()
        scene.go()
        wait_until(lambda: "no job can be taken" in (tmp_path / "log").read_text(), scene.tell)
        server.start()
        scene.wait_for(*["done"] * 10)
        assert worker.poll() is None
        assert sorted(scene.results) == sorted(f"result of job {n}" for n in held + others)
        assert server.query("SELECT count(*) FROM poison_jobs") == "0"
