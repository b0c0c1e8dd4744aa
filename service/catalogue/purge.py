"""Purging: renditions and artifacts that nobody has asked for in a while.

They are made again when somebody does, with the same bytes. Sources are never purged, nor anything
of an asset with a job that waits or runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.database.engine import Session
from service.database.tables import ARTIFACTS, JOBS, QUEUED, RENDITIONS, RUN_FILES, RUNNING
from service.parts import Parts
from service.references import REFERENCES, delete_unreferenced, named_by_job

AT_ONCE = 500  # rows of a transaction, so that others can write in between

_TABLES = (RENDITIONS, ARTIFACTS, RUN_FILES)


@dataclass(frozen=True, slots=True)
class Purged:
    """How many renditions and artifacts were purged, or would be, and the bytes that this frees.

    Files that operations made count as artifacts. Bytes that something else still needs are not
    freed: equal bytes are kept once.
    """

    renditions: int
    artifacts: int
    bytes: int


def purge(parts: Parts, *, days: int, dry_run: bool) -> Purged:
    """Purge what nobody has asked for in so many days; with ``dry_run``, only count it."""
    before = parts.clock.now() - timedelta(days=days)
    if dry_run:
        with parts.database.read() as session:
            counts = [_count(session, table, before) for table in _TABLES]
            return Purged(counts[0], sum(counts[1:]), _freed(session, before))
    counts, freed = [0 for _ in _TABLES], 0
    for place, table in enumerate(_TABLES):
        while rows := _delete_some(parts, table, before):
            counts[place] += len(rows)
            # At once: if this ended before, only the sweep would find these blobs, an hour later.
            sizes = {row.sha256: row.bytes for row in rows}
            freed += sum(n for sha256, n in sizes.items() if delete_unreferenced(parts, sha256))
    return Purged(counts[0], sum(counts[1:]), freed)


def _idle(table: sa.Table, before: datetime) -> sa.ColumnElement[bool]:
    """Whether a row was last asked for then or earlier, and its asset is not being worked on."""
    at_work = sa.exists().where(
        JOBS.c.asset_id == table.c.asset_id, JOBS.c.state.in_((QUEUED, RUNNING))
    )
    return sa.and_(table.c.asked_at <= before, ~at_work)


def _count(session: Session, table: sa.Table, before: datetime) -> int:
    found = sa.select(sa.func.count()).select_from(table).where(_idle(table, before))
    return int(session.execute(found).scalar_one())


def _freed(session: Session, before: datetime) -> int:
    """Bytes of the blobs to which nothing will refer."""
    going = sa.union(
        *(sa.select(table.c.sha256, table.c.bytes).where(_idle(table, before)) for table in _TABLES)
    ).subquery()
    needed = [named_by_job(going.c.sha256)]
    for column in REFERENCES:
        table, same = column.table, sa.exists().where(column == going.c.sha256)
        needed.append(same.where(~_idle(table, before)) if table in _TABLES else same)
    found = sa.select(sa.func.coalesce(sa.func.sum(going.c.bytes), 0)).where(~sa.or_(*needed))
    return int(session.execute(found).scalar_one())


def _delete_some(parts: Parts, table: sa.Table, before: datetime) -> Sequence[Any]:
    """Delete some rows; returns their blobs and sizes."""
    some = sa.select(table.c.id).where(_idle(table, before)).limit(AT_ONCE)
    gone = sa.delete(table).where(table.c.id.in_(some), _idle(table, before))
    with parts.database.begin() as session:
        return session.execute(gone.returning(table.c.sha256, table.c.bytes)).all()
