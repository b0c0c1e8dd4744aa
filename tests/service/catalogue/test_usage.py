"""Usage: what is counted of whom."""

from __future__ import annotations

import re
from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy as sa

from service.catalogue.masks import keep_mask
from service.catalogue.usage import JobTimes, Space, usage_of, usage_of_all
from service.database.tables import ARTIFACTS, JOBS, RENDITIONS, RUN_FILES
from service.errors import NotHere
from service.latency import Kind
from service.operations.runs import ask_run
from service.parts import Parts
from tests.support.images import png_bytes
from tests.support.service import FixedClock, work_off
from tests.support.service_assets import TENANT, add_asset, add_done, photo, rows


def test_a_tenant_s_usage_is_what_it_keeps(parts: Parts) -> None:
    add_done(parts)
    add_asset(parts, photo(1))
    found = usage_of(parts, TENANT, TENANT)
    assert found.assets == Space(2, len(photo()) + len(photo(1)))
    for table, space in ((RENDITIONS, found.renditions), (ARTIFACTS, found.artifacts)):
        sizes = [row["bytes"] for row in rows(parts, table)]
        assert space == Space(len(sizes), sum(sizes))
    assert found.bytes == found.assets.bytes + found.renditions.bytes + found.artifacts.bytes
    assert found.jobs == {"queued": 1, "running": 0, "done": 1, "failed": 0}


def test_files_of_operations_and_masks_count_as_artifacts(parts: Parts) -> None:
    asset_id = add_done(parts)
    before = usage_of(parts, TENANT, TENANT).artifacts
    ask_run(parts, asset_id, "invert", TENANT)
    work_off(parts)
    mask = png_bytes(np.full((150, 200), 255, np.uint8))
    keep_mask(parts, asset_id, mask, TENANT)
    made = [row["bytes"] for row in rows(parts, RUN_FILES)] + [len(mask)]
    after = usage_of(parts, TENANT, TENANT).artifacts
    assert after == Space(before.count + len(made), before.bytes + sum(made))


def test_what_others_keep_does_not_count(parts: Parts) -> None:
    add_done(parts, tenant="other")
    add_asset(parts)
    found = usage_of(parts, TENANT, None)
    assert (found.assets.count, found.renditions, found.artifacts) == (1, Space(), Space())
    assert found.jobs == {"queued": 1, "running": 0, "done": 0, "failed": 0}
    assert found.times == JobTimes()


@pytest.mark.parametrize(
    ("name", "tenant"), [("nobody", None), ("acme", "other"), ("", "other"), ("a\0", None)]
)
def test_a_tenant_that_is_unknown_or_somebody_else_is_not_here(
    parts: Parts, name: str, tenant: str | None
) -> None:
    add_asset(parts)
    with pytest.raises(NotHere, match=re.escape(f"there is no tenant {name!r}")):
        usage_of(parts, name, tenant)


def test_failed_jobs_are_counted(parts: Parts) -> None:
    add_asset(parts, photo()[:-40])
    work_off(parts)
    assert usage_of(parts, TENANT, TENANT).jobs["failed"] == 1


def test_times_of_jobs_are_from_their_beginning_to_their_end(
    parts: Parts, clock: FixedClock
) -> None:
    for seed in range(4):
        add_asset(parts, photo(seed, (20, 20)))
    now = clock.now()
    with parts.database.begin() as session:
        for number in range(1, 5):
            values = {
                "state": "done",
                "started_at": now,
                "finished_at": now + timedelta(seconds=number),
            }
            session.execute(sa.update(JOBS).where(JOBS.c.id == number).values(values))
    assert usage_of(parts, TENANT, None).times == JobTimes(4, 2.5, 2.0, 4.0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        ([], JobTimes(0, None, None, None)),
        ([2.0], JobTimes(1, 2.0, 2.0, 2.0)),
        ([float(n) for n in range(1, 101)], JobTimes(100, 50.5, 50.0, 95.0)),
    ],
)
def test_percentiles_are_times_that_occurred(seconds: list[float], expected: JobTimes) -> None:
    assert JobTimes.of(reversed(seconds)) == expected


def test_usage_of_all_is_the_sum_of_all(parts: Parts) -> None:
    add_done(parts)
    add_done(parts, photo(1), tenant="other")
    parts.times.note("GET", "/healthz", 200, 0.25)
    found = usage_of_all(parts)
    assert [each.tenant for each in found.tenants] == ["acme", "other"]
    assert found.total.bytes == sum(each.bytes for each in found.tenants)
    assert found.total.jobs == {"queued": 0, "running": 0, "done": 2, "failed": 0}
    assert found.requests[Kind("GET", "/healthz", 200)].count == 1
    assert found.tenants[0] == usage_of(parts, TENANT, None)


def test_an_empty_service_has_no_usage(parts: Parts) -> None:
    found = usage_of_all(parts)
    assert (found.tenants, found.total.bytes, found.total.times) == ((), 0, JobTimes())
