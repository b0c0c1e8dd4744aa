"""Usage over time: what came in each day, and how jobs ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from service.database.engine import Session
from service.database.tables import ASSETS, DONE, FAILED, JOBS, TENANTS
from service.parts import Parts

DAYS = 90
"""Days that are looked back, today included."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC: images that came in, their bytes, and jobs of images that ended."""

    day: date
    images: int = 0
    bytes: int = 0
    done: int = 0
    failed: int = 0


def by_day(parts: Parts, tenant: str | None) -> dict[str, tuple[Day, ...]]:
    """The last :data:`DAYS` days of a tenant (None: of each), the oldest first, by its name."""
    today = parts.clock.now().date()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    since = parts.clock.now() - timedelta(days=DAYS)
    with parts.database.read() as session:
        came = _per_day(session, ASSETS.c.created_at, since, tenant, sa.func.sum(ASSETS.c.bytes))
        ended = {
            state: _per_day(session, JOBS.c.finished_at, since, tenant, state=state)
            for state in (DONE, FAILED)
        }
    names = {name for counts in (came, *ended.values()) for name, _ in counts}
    return {
        name: tuple(
            Day(
                day,
                *came.get((name, day), (0, 0)),
                done=ended[DONE].get((name, day), (0, 0))[0],
                failed=ended[FAILED].get((name, day), (0, 0))[0],
            )
            for day in days
        )
        for name in names
    }


def _per_day(
    session: Session,
    moment: sa.ColumnElement[datetime],
    since: datetime,
    tenant: str | None,
    total: sa.ColumnElement[Any] | None = None,
    *,
    state: str | None = None,
) -> Mapping[tuple[str, date], tuple[int, int]]:
    """Rows whose moment lies in a day, and a total of theirs, by the tenant's name and the day."""
    day = _day_of(session, moment)
    joined = TENANTS.join(ASSETS)
    if state is not None:
        joined = joined.join(JOBS, JOBS.c.asset_id == ASSETS.c.id)
    found = (
        sa.select(TENANTS.c.name, day, sa.func.count(), sa.literal(0) if total is None else total)
        .select_from(joined)
        .where(moment >= since)
        .group_by(TENANTS.c.name, day)
    )
    if tenant is not None:
        found = found.where(TENANTS.c.name == tenant)
    if state is not None:
        found = found.where(JOBS.c.state == state)
    return {
        (name, date.fromisoformat(str(text))): (int(count), int(size))
        for name, text, count, size in session.execute(found)
    }


def _day_of(session: Session, moment: sa.ColumnElement[datetime]) -> sa.ColumnElement[Any]:
    """The day of a moment in UTC, on either database."""
    if session.dialect.name == "postgresql":
        return sa.func.date(sa.func.timezone("UTC", moment))
    return sa.func.date(moment)
