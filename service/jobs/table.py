"""The table of jobs: what can happen to a job, each as one function within a transaction.

::

    enqueue ──> queued ──claim──> running ──finish──> done
                  ^                  │
                  ├── fail: 3 times, ┤ after 2, 4 and 8 s; also a worker that died (recover)
                  ├── give_back ─────┤ does not count as an attempt
                  └──── redrive ── failed <── fail: for good, with a row in poison_jobs

Only the worker that holds a job's lease can finish or fail it: one that was presumed dead, and
comes back after the job was given to another, changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.database.engine import Session
from service.database.tables import (
    DONE,
    FAILED,
    JOBS,
    POISON_JOBS,
    PRODUCT_IMAGES,
    QUEUED,
    RUNNING,
    WAITING,
)

PAUSES = (2, 4, 8)  # seconds before each retry
LEASE = 15.0  # seconds after which a job whose worker is silent is given to another

_ENQUEUE = sa.insert(JOBS).returning(JOBS.c.id)
_UNSET = {"worker": None, "lease_until": None}


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the table.

    ``attempts`` are those that have begun. ``error_message`` can be shown to anyone.
    """

    id: int
    kind: str
    asset_id: int | None
    image_id: int | None
    payload: Mapping[str, Any]
    state: str
    attempts: int
    due_at: datetime
    lease_until: datetime | None
    worker: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error_code: str | None
    error_message: str | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed: a ``code``, a ``message`` for anyone, and whether it always would."""

    code: str
    message: str
    permanent: bool = False


COLUMNS = [JOBS.c[each.name] for each in fields(Job)]
"""Columns of a :class:`Job`, which :func:`job_of` takes."""

LOST = Failure("killed", "the process that worked on it was killed")


def enqueue(
    session: Session,
    kind: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    asset_id: int | None = None,
    image_id: int | None = None,
) -> int:
    """Add a job in the caller's transaction, and return its id.

    Once the transaction is committed, call :meth:`service.jobs.queue.Queue.wake`.
    """
    row = {
        "kind": kind,
        "payload": dict(payload),
        "asset_id": asset_id,
        "image_id": image_id,
        "state": QUEUED,
        "attempts": 0,
        "due_at": now,
        "created_at": now,
    }
    return int(session.execute(_ENQUEUE, row).scalar_one())


def claim(session: Session, worker: str, kinds: Collection[str], *, now: datetime) -> Job | None:
    """Take the job of one of the kinds that has been due for longest; None if there is none.

    One statement: of several workers at once, each gets another job.
    """
    due = (
        sa.select(JOBS.c.id)
        .where(*_due(kinds, now))
        .order_by(JOBS.c.due_at, JOBS.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
    )
    taken = (
        sa.update(JOBS)
        .where(JOBS.c.id == due.scalar_subquery(), JOBS.c.state == QUEUED)
        .values(
            state=RUNNING,
            attempts=JOBS.c.attempts + 1,
            worker=worker,
            lease_until=_lease(now),
            started_at=now,
            finished_at=None,
        )
        .returning(*COLUMNS)
    )
    row = session.execute(taken).one_or_none()
    return None if row is None else job_of(row)


def is_due(session: Session, kinds: Collection[str], *, now: datetime) -> bool:
    """Whether :func:`claim` would find a job."""
    return bool(session.scalar(sa.select(sa.exists().where(*_due(kinds, now)))))


def renew(session: Session, worker: str, ids: Collection[int], *, now: datetime) -> None:
    """Renew the leases of jobs that a worker is running."""
    mine = sa.update(JOBS).where(JOBS.c.id.in_(ids), JOBS.c.worker == worker)
    session.execute(mine.where(JOBS.c.state == RUNNING).values(lease_until=_lease(now)))


def finish(session: Session, job: Job, *, now: datetime) -> bool:
    """Note that a job is done; return False if it is no longer the caller's."""
    values = {"state": DONE, "finished_at": now, "error_code": None, "error_message": None}
    return _settle(session, job, values)


def fail(session: Session, job: Job, failure: Failure, *, now: datetime) -> str | None:
    """Note that an attempt failed: the job is queued again, or poisoned.

    Returns its new state, or None if it is no longer the caller's.
    """
    again = not failure.permanent and job.attempts <= len(PAUSES)
    told = {"error_code": failure.code, "error_message": failure.message}
    if again:
        due = now + timedelta(seconds=PAUSES[job.attempts - 1])
        return QUEUED if _settle(session, job, {"state": QUEUED, "due_at": due, **told}) else None
    if not _settle(session, job, {"state": FAILED, "finished_at": now, **told}):
        return None
    poison = {
        "job_id": job.id,
        "kind": job.kind,
        "reason_code": failure.code,
        "reason": failure.message,
        "attempts": job.attempts,
        "created_at": now,
    }
    session.execute(sa.insert(POISON_JOBS).values(poison))
    _set_image(session, job.image_id, {"state": FAILED, **told})
    return FAILED


def give_back(session: Session, job: Job, *, now: datetime) -> bool:
    """Queue a job again that its worker has no time to finish: not counted as an attempt."""
    return _settle(session, job, {"state": QUEUED, "due_at": now, "attempts": job.attempts - 1})


def recover(session: Session, *, now: datetime) -> list[Job]:
    """Fail the attempts of workers that are silent; return the jobs as they were."""
    lost = (
        sa.select(*COLUMNS)
        .where(JOBS.c.state == RUNNING, JOBS.c.lease_until < now)
        .order_by(JOBS.c.id)
        .with_for_update(skip_locked=True)
    )
    jobs = [job_of(row) for row in session.execute(lost)]
    for job in jobs:
        fail(session, job, LOST, now=now)
    return jobs


def has_lost(session: Session, *, now: datetime) -> bool:
    """Whether :func:`recover` would find a job."""
    lost = sa.exists().where(JOBS.c.state == RUNNING, JOBS.c.lease_until < now)
    return bool(session.scalar(sa.select(lost)))


def redrive(session: Session, job_id: int, *, now: datetime) -> bool:
    """Queue a failed job again, as if it had never been tried; return whether it had failed."""
    values = {"state": QUEUED, "attempts": 0, "due_at": now, "finished_at": None}
    clean = {"error_code": None, "error_message": None}
    failed = sa.update(JOBS).where(JOBS.c.id == job_id, JOBS.c.state == FAILED)
    row = session.execute(failed.values(**values, **clean).returning(JOBS.c.image_id)).one_or_none()
    if row is None:
        return False
    open_ones = sa.update(POISON_JOBS).where(
        POISON_JOBS.c.job_id == job_id, POISON_JOBS.c.redriven_at.is_(None)
    )
    session.execute(open_ones.values(redriven_at=now))
    _set_image(session, row.image_id, {"state": WAITING, **clean})
    return True


def find(session: Session, job_id: int) -> Job | None:
    """The job of an id, or None."""
    row = session.execute(sa.select(*COLUMNS).where(JOBS.c.id == job_id)).one_or_none()
    return None if row is None else job_of(row)


def job_of(row: sa.Row[Any]) -> Job:
    """The job of a row of :data:`COLUMNS`."""
    return Job(**row._asdict())


def _due(kinds: Collection[str], now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return JOBS.c.state == QUEUED, JOBS.c.kind.in_(kinds), JOBS.c.due_at <= now


def _lease(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE)


def _settle(session: Session, job: Job, values: Mapping[str, Any]) -> bool:
    """Change a job and end its lease, if it still is that of this worker and attempt."""
    mine = sa.update(JOBS).where(
        JOBS.c.id == job.id,
        JOBS.c.state == RUNNING,
        JOBS.c.worker == job.worker,
        JOBS.c.attempts == job.attempts,
    )
    return session.execute(mine.values(**_UNSET, **values)).rowcount == 1


def _set_image(session: Session, image_id: int | None, values: Mapping[str, Any]) -> None:
    """Keep the product image that a job makes, if any, in step with the job."""
    if image_id is not None:
        of_job = sa.update(PRODUCT_IMAGES).where(PRODUCT_IMAGES.c.id == image_id)
        session.execute(of_job.values(**values))
