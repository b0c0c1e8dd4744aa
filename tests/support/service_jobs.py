"""A kind of job of the tests' own, and what tests of jobs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from service.database.tables import JOBS, POISON_JOBS
from service.jobs import table
from service.jobs.table import Job
from service.parts import Parts

KIND = "of-the-tests"


def add_job(parts: Parts, payload: Mapping[str, Any] | None = None, *, wake: bool = True) -> int:
    """Add a job, and wake a worker."""
    with parts.database.begin() as session:
        job_id = table.enqueue(session, KIND, payload or {}, now=parts.clock.now())
    if wake:
        parts.queue.wake(job_id)
    return job_id


def job_of(parts: Parts, job_id: int) -> Job:
    """A job that there is."""
    with parts.database.read() as session:
        job = table.find(session, job_id)
    assert job is not None
    return job


def states(parts: Parts) -> list[str]:
    """States of all jobs, in order of their ids."""
    with parts.database.read() as session:
        return list(session.execute(sa.select(JOBS.c.state).order_by(JOBS.c.id)).scalars())


def poisoned(parts: Parts) -> list[tuple[int, str, str, int]]:
    """Job, code, reason and attempts of all poisoned jobs."""
    told = POISON_JOBS.c
    columns = (told.job_id, told.reason_code, told.reason, told.attempts)
    with parts.database.read() as session:
        found = session.execute(sa.select(*columns).order_by(told.id))
        return [(row[0], row[1], row[2], row[3]) for row in found]


def does(work: Callable[[Job], object]) -> dict[str, Any]:
    """Kinds of jobs: one, whose work needs neither parts nor child."""
    return {KIND: lambda _parts, job, _child: work(job)}
