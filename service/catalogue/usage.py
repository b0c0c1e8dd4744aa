"""Usage: what tenants keep here, and how long the work on it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import sqlalchemy as sa

from service.database.engine import Session
from service.database.tables import (
    ARTIFACTS,
    ASSETS,
    DONE,
    JOBS,
    MASKS,
    PRODUCT_IMAGES,
    RENDITIONS,
    RUN_FILES,
    STATES,
    TENANTS,
)
from service.errors import NotHere
from service.latency import Kind, Times
from service.parts import Parts

LATEST = 1000
"""Jobs, the last ones that were done, of which times are told."""


@dataclass(frozen=True, slots=True)
class Space:
    """Number of files, and their bytes. What is kept once for several is counted for each."""

    count: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class JobTimes:
    """Seconds from the beginning of jobs to their end, the last attempt only.

    ``count`` jobs were looked at: the last :data:`LATEST` ones. The others are None if there are
    none; ``p50`` and ``p95`` are the times within which so many per cent of them were done.
    """

    count: int = 0
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> JobTimes:
        """Sum up times.

        >>> JobTimes.of([3.0, 1.0, 2.0])
        JobTimes(count=3, mean=2.0, p50=2.0, p95=3.0)
        """
        times = sorted(seconds)
        if not times:
            return cls()
        p50, p95 = (times[ceil(share * len(times)) - 1] for share in (0.5, 0.95))
        return cls(len(times), sum(times) / len(times), p50, p95)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a tenant keeps, and its jobs by state; ``tenant`` is None for all together.

    Files that operations made, and masks, count as artifacts.
    """

    tenant: str | None
    assets: Space
    renditions: Space
    artifacts: Space
    jobs: Mapping[str, int]
    times: JobTimes

    @property
    def bytes(self) -> int:
        """Bytes of everything."""
        return self.assets.bytes + self.renditions.bytes + self.artifacts.bytes


@dataclass(frozen=True, slots=True)
class UsageOfAll:
    """Usage of all together, and of each tenant; and the requests that this process answered."""

    total: Usage
    tenants: tuple[Usage, ...]
    requests: Mapping[Kind, Times]


def usage_of(parts: Parts, name: str, tenant: str | None) -> Usage:
    """Usage of the tenant called ``name``, for a ``tenant`` (None: an administrator) who asks.

    Raises :class:`~service.errors.NotHere`, also if somebody else is meant.
    """
    unknown = NotHere(f"there is no tenant {name[:200]!r}")
    # PostgreSQL cannot even be asked for names with a NUL.
    if not name.isprintable() or (tenant is not None and tenant != name):
        raise unknown
    with parts.database.read() as session:
        found = sa.select(TENANTS.c.id).where(TENANTS.c.name == name)
        tenant_id = session.execute(found).scalar()
        if tenant_id is None:
            raise unknown
        return _Counts(session, tenant_id).usage(name, tenant_id)


def usage_of_all(parts: Parts) -> UsageOfAll:
    """Usage of all tenants, and the times of requests."""
    with parts.database.read() as session:
        counts = _Counts(session, None)
        found = sa.select(TENANTS.c.name, TENANTS.c.id).order_by(TENANTS.c.name)
        tenants = tuple(counts.usage(name, tenant) for name, tenant in session.execute(found))
    return UsageOfAll(counts.total(), tenants, parts.times.all())


class _Counts:
    """What is counted of all tenants, or of one. Product crops may belong to nobody (None)."""

    def __init__(self, session: Session, tenant_id: int | None) -> None:
        self._assets = _space(session, ASSETS, ASSETS, tenant_id)
        joined = ASSETS.join
        self._renditions = _space(session, joined(RENDITIONS), RENDITIONS, tenant_id)
        kinds = (ARTIFACTS, RUN_FILES, MASKS)
        self._artifacts = _together(
            [_space(session, joined(table), table, tenant_id) for table in kinds]
        )
        self._jobs = _jobs(session, tenant_id)
        self._times = _times(session, tenant_id)

    def usage(self, name: str, tenant_id: int) -> Usage:
        """Usage of one tenant."""
        return Usage(
            name,
            self._assets.get(tenant_id, Space()),
            self._renditions.get(tenant_id, Space()),
            self._artifacts.get(tenant_id, Space()),
            {state: self._jobs.get((tenant_id, state), 0) for state in STATES},
            JobTimes.of(self._times.get(tenant_id, ())),
        )

    def total(self) -> Usage:
        """Usage of all together."""
        jobs = dict.fromkeys(STATES, 0)
        for (_, state), count in self._jobs.items():
            jobs[state] += count
        return Usage(
            None,
            _sum(self._assets.values()),
            _sum(self._renditions.values()),
            _sum(self._artifacts.values()),
            jobs,
            JobTimes.of(seconds for times in self._times.values() for seconds in times),
        )


def _sum(spaces: Iterable[Space]) -> Space:
    values = list(spaces)
    return Space(sum(each.count for each in values), sum(each.bytes for each in values))


def _together(several: Sequence[Mapping[int, Space]]) -> dict[int, Space]:
    """Spaces of several kinds, summed for each tenant."""
    tenants = {tenant for spaces in several for tenant in spaces}
    return {each: _sum(spaces.get(each, Space()) for spaces in several) for each in tenants}


def _space(
    session: Session, joined: sa.FromClause, table: sa.Table, tenant_id: int | None
) -> dict[int, Space]:
    """Rows of a table and their bytes, by tenant."""
    tenant = ASSETS.c.tenant_id
    count, size = sa.func.count(), sa.func.sum(table.c.bytes)
    found = sa.select(tenant, count, size).select_from(joined).group_by(tenant)
    if tenant_id is not None:
        found = found.where(tenant == tenant_id)
    return {each: Space(count, int(size)) for each, count, size in session.execute(found)}


_owner = sa.func.coalesce(ASSETS.c.tenant_id, PRODUCT_IMAGES.c.tenant_id)
_JOBS = JOBS.outerjoin(ASSETS, JOBS.c.asset_id == ASSETS.c.id).outerjoin(
    PRODUCT_IMAGES, JOBS.c.image_id == PRODUCT_IMAGES.c.id
)


def _jobs(session: Session, tenant_id: int | None) -> dict[tuple[int | None, str], int]:
    """Number of jobs by tenant and state."""
    columns = (_owner, JOBS.c.state)
    found = sa.select(*columns, sa.func.count()).select_from(_JOBS).group_by(*columns)
    if tenant_id is not None:
        found = found.where(_owner == tenant_id)
    return {(each, state): count for each, state, count in session.execute(found)}


def _times(session: Session, tenant_id: int | None) -> dict[int | None, list[float]]:
    """Seconds that the latest jobs took, by tenant."""
    found = sa.select(_owner, JOBS.c.started_at, JOBS.c.finished_at).select_from(_JOBS)
    found = found.where(JOBS.c.state == DONE).order_by(JOBS.c.finished_at.desc()).limit(LATEST)
    if tenant_id is not None:
        found = found.where(_owner == tenant_id)
    times: dict[int | None, list[float]] = {}
    for each, started, finished in session.execute(found):
        times.setdefault(each, []).append((finished - started).total_seconds())
    return times
