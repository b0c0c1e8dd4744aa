"""Pages for administrators: jobs, tenants, batches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fft_tool.batches.database import publish_rows
from service.app import create_app
from service.database.tables import JOBS
from service.parts import Parts, make_parts
from tests.support.jobs import rows_of
from tests.support.service import FixedClock, TestClient, settings_in, work_off
from tests.support.service_assets import add_asset, add_done, photo, rows

DAY = 86_400


def redrive(client: TestClient, job: str) -> tuple[int, str]:
    answer = client.post("/jobs/all", files={"job": (None, job)}, follow_redirects=False)
    return answer.status_code, answer.headers.get("location", "")


@pytest.fixture
def failed(parts: Parts) -> Parts:
    """One job that is done, two that failed for good."""
    add_done(parts)
    for seed in (1, 2):
        add_asset(parts, photo(seed)[:3000], name="<b>broken.png")
    work_off(parts)
    return parts


def test_jobs_that_failed_are_told_with_their_reasons(client: TestClient, failed: Parts) -> None:
    assert [row["state"] for row in rows(failed, JOBS)] == ["done", "failed", "failed"]
    page = client.get("/jobs/all").text
    assert page.count("Try again") == 2
    assert "Failed for good" in page
    assert 'href="/assets/2"' in page
    assert "Failed 2" in page
    assert "Done 1" in page


def test_one_job_or_all_are_queued_again(client: TestClient, failed: Parts) -> None:
    assert redrive(client, "2") == (303, "/jobs/all?redriven=1")
    assert redrive(client, "2") == (303, "/jobs/all?redriven=0")  # it waits already
    assert redrive(client, "all") == (303, "/jobs/all?redriven=1")
    assert [row["state"] for row in rows(failed, JOBS)] == ["done", "queued", "queued"]
    page = client.get("/jobs/all?redriven=1").text
    assert "1 job queued again" in page
    assert "Failed for good" not in page


@pytest.mark.parametrize("job", ["", "none", "-1", "9" * 30, "²"])
def test_what_is_no_job_is_refused(client: TestClient, job: str) -> None:
    assert redrive(client, job)[0] == 422
    assert redrive(client, "77")[0] == 404


def test_jobs_are_shown_page_by_page(client: TestClient, parts: Parts) -> None:
    for number in range(52):
        add_asset(parts, photo(number, (16, 16)))
    page = client.get("/jobs/all?state=queued").text
    assert page.count("<tr>") == 51
    assert 'before=3"' in page
    older = client.get("/jobs/all?state=queued&before=3").text
    assert older.count("<tr>") == 3
    assert "There are no jobs in this state" in client.get("/jobs/all?state=running").text


def test_usage_is_told_now_and_by_day(client: TestClient, parts: Parts, clock: FixedClock) -> None:
    add_done(parts)
    clock.advance(3 * DAY)
    add_done(parts, photo(1), tenant="<i>other")
    add_asset(parts, photo(2)[:3000], tenant="<i>other")
    work_off(parts)
    page = client.get("/tenants").text
    assert "1 images from" in page
    assert "2 images from" in page
    assert "1 failures from" in page
    assert "2026-12-01: 1 images" in page
    assert "2026-12-04: 2 images" in page
    assert "<i>other" not in page


def test_before_the_first_image_there_is_no_usage(client: TestClient) -> None:
    assert "No images yet" in client.get("/tenants").text


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[TestClient]:
    """A service that shows two revisions of a job of batches."""
    url = f"sqlite:///{tmp_path}/batches.db"
    publish_rows(url, rows_of("leaves/<b>spring"))
    later = {"revision": 2, "black": 9, "key": "other", "at": "2026-12-01T09:00:00Z"}
    publish_rows(url, rows_of("leaves/<b>spring", **later))  # type: ignore[arg-type]
    parts = make_parts(settings_in(tmp_path, BATCHES_DATABASE_URL=url), FixedClock())
    with TestClient(create_app(parts), base_url="http://127.0.0.1") as client:
        yield client
    parts.close()


def test_each_job_is_listed_with_its_latest_revision(counted: TestClient) -> None:
    page = counted.get("/batches").text
    assert page.count("<tr>") == 2
    assert 'href="/batches/leaves/%3Cb%3Espring"' in page
    assert "2026-12-01 09:00" in page
    assert "<b>spring" not in page


def test_rows_plots_and_what_is_missing_are_shown(counted: TestClient) -> None:
    page = counted.get("/batches/leaves/%3Cb%3Espring").text
    assert page.count("<svg") == 2
    assert "batch 2: 3 fewer" in page
    assert ">10.0<" in page  # the mean of 9, 10 and 11 black pixels
    first = counted.get("/batches/leaves/%3Cb%3Espring?revision=1").text
    assert ">6.0<" in first
    assert 'href="/batches/leaves/%3Cb%3Espring?revision=2"' in first
    for path in ("leaves", "leaves/%3Cb%3Espring?revision=3", "%00"):
        assert counted.get(f"/batches/{path}").status_code == 404


def test_without_a_database_the_page_tells_how_to_name_one(client: TestClient) -> None:
    assert "BATCHES_DATABASE_URL" in client.get("/batches").text
