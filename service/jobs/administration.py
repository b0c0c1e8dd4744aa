"""What an administrator sees of jobs, and can do about those that failed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

import sqlalchemy as sa

from service.database.tables import JOBS, POISON_JOBS, STATES
from service.errors import NotFailed, NotHere
from service.jobs import table
from service.jobs.table import Job
from service.parts import Parts

MOST = 1000
"""Entries of a list at most."""


@dataclass(frozen=True, slots=True)
class PoisonJob:
    """Why a job has failed for good, and when it was queued again, if it was."""

    id: int
    job_id: int
    kind: str
    reason_code: str
    reason: str
    attempts: int
    created_at: datetime
    redriven_at: datetime | None


def list_jobs(
    parts: Parts, *, state: str | None = None, before: int | None = None, limit: int = MOST
) -> tuple[Job, ...]:
    """Jobs, the latest first: those in a ``state``, with ids below ``before``."""
    found = sa.select(*table.COLUMNS).order_by(JOBS.c.id.desc()).limit(limit)
    if state is not None:
        found = found.where(JOBS.c.state == state)
    if before is not None:
        found = found.where(JOBS.c.id < before)
    with parts.database.read() as session:
        return tuple(map(table.job_of, session.execute(found)))


def count_jobs(parts: Parts) -> dict[str, int]:
    """Number of jobs in each state."""
    found = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)
    with parts.database.read() as session:
        counts = {str(state): int(count) for state, count in session.execute(found)}
    return {state: counts.get(state, 0) for state in STATES}


def list_poison(
    parts: Parts, *, before: int | None = None, limit: int = MOST
) -> tuple[PoisonJob, ...]:
    """Failures of jobs that were not queued again since, the latest first."""
    columns = [POISON_JOBS.c[each.name] for each in fields(PoisonJob)]
    found = sa.select(*columns).where(POISON_JOBS.c.redriven_at.is_(None))
    if before is not None:
        found = found.where(POISON_JOBS.c.id < before)
    with parts.database.read() as session:
        rows = session.execute(found.order_by(POISON_JOBS.c.id.desc()).limit(limit))
        return tuple(PoisonJob(*row) for row in rows)


def find_job(parts: Parts, job_id: int) -> Job:
    """A job; raises :class:`~service.errors.NotHere`."""
    with parts.database.read() as session:
        job = table.find(session, job_id)
    if job is None:
        raise NotHere(f"there is no job {job_id}")
    return job


def redrive_job(parts: Parts, job_id: int) -> Job:
    """Queue a failed job again, with all of its attempts.

    Raises :class:`~service.errors.NotHere`, and :class:`~service.errors.NotFailed` for a job in any
    other state.
    """
    with parts.database.begin() as session:
        redriven = table.redrive(session, job_id, now=parts.clock.now())
    job = find_job(parts, job_id)
    if not redriven:
        raise NotFailed(f"job {job_id} is {job.state}: only a failed job can be queued again")
    parts.queue.wake(job_id)
    return job
