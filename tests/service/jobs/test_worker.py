"""The worker: what comes of jobs that succeed, fail, take long, or have a bug in them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from fft_tool.codec import png_encode
from fft_tool.errors import CorruptImage, DatabaseUnavailable, StoreFull, StoreUnavailable
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from service.clock import Clock
from service.database.engine import Database
from service.jobs import table, worker
from service.jobs.kinds import Kinds
from service.jobs.table import Job
from service.jobs.worker import NICENESS, Worker
from service.parts import Parts, make_parts
from service.settings import Settings
from tests.support.local_cloud import wait_until
from tests.support.service import FixedClock
from tests.support.service_jobs import KIND, add_job, does, job_of, poisoned, states

IMAGE = Source("a.png", png_encode.encode(np.zeros((64, 64), np.uint8)))
RETRIES = 3


def work_off(parts: Parts, kinds: Kinds) -> int:
    """Do all jobs that are due, in this thread."""
    return Worker(parts, kinds).work_off()


def raises(error: Exception) -> Kinds:
    def fail(_: Job) -> None:
        raise error

    return does(fail)


@pytest.fixture
def live(settings: Settings) -> Iterator[Parts]:
    """Parts with the clock of this machine."""
    parts = make_parts(settings, Clock())
    yield parts
    parts.close()


@contextmanager
def working(parts: Parts, kinds: Kinds) -> Iterator[Worker]:
    made = Worker(parts, kinds)
    made.start()
    try:
        yield made
    finally:
        made.stop(0)


def until(parts: Parts, wanted: list[str]) -> None:
    """Wait until the jobs have these states."""
    wait_until(lambda: states(parts) == wanted, lambda: f"{states(parts)} instead of {wanted}")


# What comes of jobs


def test_jobs_are_done_in_order(parts: Parts) -> None:
    done: list[int] = []
    ids = [add_job(parts) for _ in range(3)]
    assert work_off(parts, does(lambda job: done.append(job.id))) == 3
    assert (done, states(parts)) == (ids, ["done"] * 3)


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (StoreUnavailable("s3://secret: timeout"), "store-unavailable", "is not responding"),
        (StoreFull("/secret: disk full"), "store-full", "the storage cannot be used"),
        (ZeroDivisionError("secret"), "internal", "an unexpected error, which has been logged"),
    ],
    ids=["transient", "full", "bug"],
)
def test_what_may_pass_is_tried_again_and_told_without_internals(
    parts: Parts, clock: FixedClock, error: Exception, code: str, told: str
) -> None:
    job_id = add_job(parts)
    for _ in range(RETRIES):
        assert work_off(parts, raises(error)) == 1
        assert states(parts) == ["queued"]
        clock.advance(10)
    work_off(parts, raises(error))
    job = job_of(parts, job_id)
    assert (job.state, job.error_code) == ("failed", code)
    assert told in str(job.error_message)
    assert "secret" not in str(poisoned(parts))


def test_an_image_that_is_at_fault_is_not_tried_again(parts: Parts) -> None:
    job_id = add_job(parts)
    work_off(parts, raises(CorruptImage("the IDAT chunk is cut off")))
    assert poisoned(parts) == [(job_id, "corrupt-image", "the IDAT chunk is cut off", 1)]


def test_a_bug_is_logged_with_its_traceback(parts: Parts, caplog: pytest.LogCaptureFixture) -> None:
    add_job(parts)
    work_off(parts, raises(ZeroDivisionError("by nobody")))
    assert "raise error" in caplog.text
    assert "ZeroDivisionError: by nobody" in caplog.text


def test_a_bug_in_the_process_is_logged_with_the_traceback_from_there(
    parts: Parts, caplog: pytest.LogCaptureFixture
) -> None:
    def ask_for_nonsense(_: Parts, __: Job, child: Child) -> None:
        span = (None, None)  # where numbers should be
        limits = parts.settings.limits
        child.run_operations(IMAGE, "invert", limits, patience=lambda _: 60, value_range=span)  # type: ignore[arg-type]

    add_job(parts)
    work_off(parts, {KIND: ask_for_nonsense})
    assert states(parts) == ["queued"]
    assert "child_program.py" in caplog.text


def test_work_of_the_image_happens_in_a_process_that_gives_way(parts: Parts) -> None:
    niceness: list[int] = []

    def analyse(_: Parts, __: Job, child: Child) -> None:
        child.run(IMAGE, Recipe(), parts.settings.limits, patience=lambda _: 60)
        niceness.extend(process.nice() for process in psutil.Process().children())

    add_job(parts)
    work_off(parts, {KIND: analyse})
    assert states(parts) == ["done"]
    assert NICENESS in niceness


def test_a_process_that_is_killed_costs_one_attempt(parts: Parts, clock: FixedClock) -> None:
    def be_killed_once(_: Parts, job: Job, child: Child) -> None:
        if job.attempts == 1:
            child.start()
            child.abort()
        child.run(IMAGE, Recipe(), parts.settings.limits, patience=lambda _: 60)

    job_id = add_job(parts)
    work_off(parts, {KIND: be_killed_once})
    assert job_of(parts, job_id).error_code == "killed"
    clock.advance(2)
    work_off(parts, {KIND: be_killed_once})
    assert (job_of(parts, job_id).state, job_of(parts, job_id).attempts) == ("done", 2)


# The worker in its threads


def test_a_wake_up_that_is_lost_costs_no_job(live: Parts) -> None:
    with working(live, does(lambda _: None)):
        add_job(live, wake=False)
        until(live, ["done"])


def test_as_many_jobs_at_once_as_the_settings_say(live: Parts) -> None:
    together = threading.Barrier(live.settings.workers)
    with working(live, does(lambda _: together.wait(60))):
        for _ in range(2 * live.settings.workers):
            add_job(live)
        until(live, ["done"] * 2 * live.settings.workers)


def test_the_lease_of_a_long_job_is_renewed(live: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "LEASE", 0.3)
    monkeypatch.setattr(worker, "RENEWING", 0.05)
    runs: list[int] = []
    finish = threading.Event()

    def take_long(job: Job) -> None:
        runs.append(job.attempts)
        finish.wait(60)

    with working(live, does(take_long)):
        job_id = add_job(live)
        wait_until(lambda: bool(runs))
        first = job_of(live, job_id).lease_until
        assert first is not None
        wait_until(lambda: lease_is_after(live, job_id, first.timestamp() + 0.6))
        finish.set()
        until(live, ["done"])
    assert runs == [1]


def lease_is_after(parts: Parts, job_id: int, time: float) -> bool:
    lease = job_of(parts, job_id).lease_until
    return lease is not None and lease.timestamp() > time


def test_a_job_that_ends_soon_is_finished_before_the_worker_stops(live: Parts) -> None:
    begun, finish = threading.Event(), threading.Event()

    def work(_: Job) -> None:
        begun.set()
        finish.wait(60)

    made = Worker(live, does(work))
    made.start()
    add_job(live)
    add_job(live)
    add_job(live)
    assert begun.wait(60)
    timer = threading.Timer(0.2, finish.set)
    timer.start()
    made.stop(60)
    timer.join()
    assert set(states(live)) <= {"done", "queued"}
    assert "done" in states(live)
    assert "queued" in states(live), "no more are taken"


def test_a_job_that_takes_longer_is_given_back_without_counting(live: Parts) -> None:
    begun = threading.Event()

    def never_end(parts: Parts, _: Job, child: Child) -> None:
        begun.set()
        while True:
            child.run(IMAGE, Recipe(), parts.settings.limits, patience=lambda _: 60)

    made = Worker(live, {KIND: never_end})
    made.start()
    job_id = add_job(live)
    assert begun.wait(60)
    made.stop(0)
    job = job_of(live, job_id)
    assert (job.state, job.attempts, job.worker) == ("queued", 0, None)
    assert not [thread for thread in threading.enumerate() if thread.name == "worker"]


class Fragile:
    """A database that is away when it is told to be."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.away = False

    def begin(self, *, lasting: bool = True) -> object:
        return self._checked(lambda: self.database.begin(lasting=lasting))

    def read(self) -> object:
        return self._checked(self.database.read)

    def close(self) -> None:
        self.database.close()

    def _checked(self, open_: Callable[[], object]) -> object:
        if self.away:
            raise DatabaseUnavailable("it is away")
        return open_()


def test_what_came_of_a_job_is_written_when_the_database_is_back(
    live: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "AWAY", 0.05)
    fragile = Fragile(live.database)
    parts: Parts = replace(live, database=fragile)  # type: ignore[arg-type]
    runs: list[int] = []

    def go_away(job: Job) -> None:
        runs.append(job.id)
        fragile.away = True
        back.start()

    def come_back() -> None:
        fragile.away = False

    back = threading.Timer(0.5, come_back)
    with working(parts, does(go_away)):
        add_job(live)
        until(live, ["done"])
    assert len(runs) == 1


def test_the_worker_says_that_it_cannot_take_jobs_and_goes_on(
    live: Parts, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(worker, "AWAY", 0.05)
    fragile = Fragile(live.database)
    fragile.away = True
    parts: Parts = replace(live, database=fragile)  # type: ignore[arg-type]
    with working(parts, does(lambda _: None)):
        add_job(live)
        wait_until(lambda: "no job can be taken: it is away" in caplog.text)
        fragile.away = False
        until(live, ["done"])


def test_each_end_of_a_job_is_logged_with_its_number(
    parts: Parts, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO)
    job_id = add_job(parts, {"path": str(tmp_path)})
    work_off(parts, does(lambda _: None))
    records = [vars(each) for each in caplog.records if "job_id" in vars(each)]
    assert [(each["job_id"], each["kind"]) for each in records] == [(job_id, KIND)]
    assert f"job {job_id} ({KIND}): done after" in caplog.text
    assert str(tmp_path) not in caplog.text
