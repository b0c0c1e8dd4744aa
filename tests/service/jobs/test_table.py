"""What can happen to a job."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from service.database.tables import POISON_JOBS, PRODUCT_IMAGES
from service.jobs import table
from service.jobs.table import LEASE, LOST, PAUSES, Failure, Job
from service.parts import Parts
from tests.support.service import FixedClock
from tests.support.service_jobs import KIND, add_job, job_of, poisoned, states

AWAY = Failure("store-unavailable", "the storage is not responding")
BROKEN = Failure("corrupt-image", "the image is damaged", permanent=True)


def claim(parts: Parts, worker: str = "me") -> Job | None:
    with parts.database.begin() as session:
        return table.claim(session, worker, (KIND,), now=parts.clock.now())


def taken(parts: Parts, worker: str = "me") -> Job:
    job = claim(parts, worker)
    assert job is not None
    return job


def finish(parts: Parts, job: Job) -> bool:
    with parts.database.begin() as session:
        return table.finish(session, job, now=parts.clock.now())


def fail(parts: Parts, job: Job, failure: Failure) -> str | None:
    with parts.database.begin() as session:
        return table.fail(session, job, failure, now=parts.clock.now())


def recover(parts: Parts) -> list[Job]:
    with parts.database.begin() as session:
        return table.recover(session, now=parts.clock.now())


def redrive(parts: Parts, job_id: int) -> bool:
    with parts.database.begin() as session:
        return table.redrive(session, job_id, now=parts.clock.now())


def poison(parts: Parts) -> int:
    job_id = add_job(parts)
    fail(parts, taken(parts), BROKEN)
    return job_id


def test_a_job_is_committed_with_what_it_is_about(parts: Parts) -> None:
    def add_and_fail() -> None:
        with parts.database.begin() as session:
            table.enqueue(session, KIND, {}, now=parts.clock.now())
            raise LookupError

    with pytest.raises(LookupError):
        add_and_fail()
    assert states(parts) == []


def test_a_job_goes_through_its_states(parts: Parts, clock: FixedClock) -> None:
    job_id = add_job(parts, {"size": [1, 2]})
    began = clock.now()
    assert job_of(parts, job_id).state == "queued"
    clock.advance(1)
    job = taken(parts)
    assert (job.id, job.state, job.attempts, job.payload) == (
        job_id,
        "running",
        1,
        {"size": [1, 2]},
    )
    clock.advance(1)
    assert finish(parts, job)
    done = job_of(parts, job_id)
    assert (done.state, done.worker, done.lease_until) == ("done", None, None)
    assert [done.created_at, done.started_at, done.finished_at] == [
        began + timedelta(seconds=n) for n in range(3)
    ]


def test_jobs_are_taken_in_order_and_by_one_worker_each(parts: Parts) -> None:
    ids = [add_job(parts) for _ in range(40)]
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda n: taken(parts, f"worker {n}"), range(40)))
    assert sorted(job.id for job in jobs) == ids
    assert claim(parts) is None


def test_jobs_of_other_kinds_are_left_to_others(parts: Parts) -> None:
    with parts.database.begin() as session:
        table.enqueue(session, "of-a-later-version", {}, now=parts.clock.now())
    assert claim(parts) is None


def test_a_failed_attempt_is_repeated_three_times_with_growing_pauses(
    parts: Parts, clock: FixedClock
) -> None:
    job_id = add_job(parts)
    for number, pause in enumerate(PAUSES, 1):
        assert fail(parts, taken(parts), AWAY) == "queued"
        told = job_of(parts, job_id)
        assert (told.attempts, told.error_code) == (number, "store-unavailable")
        clock.advance(pause - 0.001)
        assert claim(parts) is None
        clock.advance(0.001)
    assert fail(parts, taken(parts), AWAY) == "failed"
    assert poisoned(parts) == [(job_id, AWAY.code, AWAY.message, 4)]
    clock.advance(3600)
    assert claim(parts) is None


def test_success_after_a_failure_leaves_no_error(parts: Parts, clock: FixedClock) -> None:
    job_id = add_job(parts)
    fail(parts, taken(parts), AWAY)
    clock.advance(2)
    finish(parts, taken(parts))
    done = job_of(parts, job_id)
    assert (done.state, done.attempts, done.error_code, done.error_message) == (
        *("done", 2),
        *(None, None),
    )


def test_what_can_never_succeed_is_poisoned_at_once(parts: Parts) -> None:
    job_id = add_job(parts)
    assert fail(parts, taken(parts), BROKEN) == "failed"
    assert poisoned(parts) == [(job_id, "corrupt-image", "the image is damaged", 1)]


def test_a_job_whose_worker_is_silent_is_given_to_another(parts: Parts, clock: FixedClock) -> None:
    add_job(parts)
    dead = taken(parts, "dead")
    clock.advance(LEASE)
    assert recover(parts) == []
    clock.advance(0.001)
    assert [job.worker for job in recover(parts)] == ["dead"]
    clock.advance(PAUSES[0])
    alive = taken(parts, "alive")
    assert not finish(parts, dead), "it comes back too late"
    assert fail(parts, dead, BROKEN) is None
    assert (states(parts), poisoned(parts)) == (["running"], [])
    assert finish(parts, alive)


def test_a_lease_that_is_renewed_does_not_run_out(parts: Parts, clock: FixedClock) -> None:
    add_job(parts)
    job = taken(parts)
    for _ in range(4):
        clock.advance(LEASE / 2)
        with parts.database.begin() as session:
            table.renew(session, "me", [job.id], now=clock.now())
        assert recover(parts) == []
    assert finish(parts, job)


def test_another_worker_cannot_renew_a_lease(parts: Parts, clock: FixedClock) -> None:
    add_job(parts)
    job = taken(parts)
    clock.advance(LEASE / 2)
    with parts.database.begin() as session:
        table.renew(session, "another", [job.id], now=clock.now())
    clock.advance(LEASE / 2 + 0.001)
    assert len(recover(parts)) == 1


def test_a_job_that_kills_its_workers_is_poisoned(parts: Parts, clock: FixedClock) -> None:
    job_id = add_job(parts)
    for pause in (*PAUSES, 0):
        taken(parts)
        clock.advance(LEASE + 1)
        assert len(recover(parts)) == 1
        clock.advance(pause)
    assert poisoned(parts) == [(job_id, LOST.code, LOST.message, 4)]


def test_a_job_that_is_given_back_has_lost_no_attempt(parts: Parts) -> None:
    job_id = add_job(parts)
    job = taken(parts)
    with parts.database.begin() as session:
        assert table.give_back(session, job, now=parts.clock.now())
    assert job_of(parts, job_id).attempts == 0
    assert not finish(parts, job)
    assert taken(parts, "another").attempts == 1
    assert not finish(parts, job), "it is another's now, in the same attempt"


def test_an_attempt_that_was_taken_away_does_not_end_the_next_of_the_same_worker(
    parts: Parts, clock: FixedClock
) -> None:
    add_job(parts)
    first = taken(parts)
    clock.advance(LEASE + 1)
    recover(parts)
    clock.advance(PAUSES[0])
    second = taken(parts)
    assert not finish(parts, first)
    assert finish(parts, second)


def test_a_poisoned_job_can_be_driven_again(parts: Parts, clock: FixedClock) -> None:
    job_id = poison(parts)
    clock.advance(60)
    assert redrive(parts, job_id)
    again = taken(parts)
    assert (again.id, again.attempts, again.error_code) == (job_id, 1, None)
    with parts.database.read() as session:
        assert session.execute(sa.select(POISON_JOBS.c.redriven_at)).scalars().all() == [
            clock.now()
        ]


def test_only_one_of_many_redrives_counts(parts: Parts) -> None:
    job_id = poison(parts)
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: redrive(parts, job_id), range(4))) == 1


def test_a_job_that_has_not_failed_cannot_be_driven_again(parts: Parts) -> None:
    job_id = add_job(parts)
    assert not redrive(parts, job_id)
    assert not redrive(parts, 99)
    finish(parts, taken(parts))
    assert not redrive(parts, job_id)


def test_a_product_image_fails_and_waits_again_with_its_job(parts: Parts) -> None:
    image = {
        "product_id": "ABC-123",
        "mode": "smart",
        "path": "a.jpg",
        "state": "waiting",
        "created_at": parts.clock.now(),
    }
    with parts.database.begin() as session:
        statement = sa.insert(PRODUCT_IMAGES).values(image).returning(PRODUCT_IMAGES.c.id)
        image_id = session.execute(statement).scalar_one()
        job_id = table.enqueue(session, KIND, {}, now=parts.clock.now(), image_id=image_id)
    fail(parts, taken(parts), BROKEN)
    assert image_of(parts) == ("failed", BROKEN.code, BROKEN.message)
    redrive(parts, job_id)
    assert image_of(parts) == ("waiting", None, None)


def image_of(parts: Parts) -> tuple[str, str | None, str | None]:
    columns = PRODUCT_IMAGES.c
    with parts.database.read() as session:
        row = session.execute(
            sa.select(columns.state, columns.error_code, columns.error_message)
        ).one()
    return row[0], row[1], row[2]
