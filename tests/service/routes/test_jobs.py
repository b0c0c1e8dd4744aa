"""What administrators see of jobs over HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fft_tool.errors import CorruptImage
from service.app import create_app
from service.jobs.worker import Worker
from service.keys import make_key
from service.parts import Parts
from tests.support.service import TestClient
from tests.support.service_jobs import KIND, add_job, does, states


def do_all(parts: Parts, *, bad: frozenset[int] = frozenset()) -> None:
    """Do all jobs; those that are bad fail."""

    def work(job_id: int) -> None:
        if job_id in bad:
            raise CorruptImage("the file ends too early")

    Worker(parts, does(lambda job: work(job.id))).work_off()


def ids(client: TestClient, query: str = "") -> list[int]:
    return [job["job_id"] for job in client.get(f"/jobs{query}").json()]


def test_jobs_are_listed_latest_first_and_page_by_page(client: TestClient, parts: Parts) -> None:
    for _ in range(5):
        add_job(parts)
    assert ids(client) == [5, 4, 3, 2, 1]
    assert ids(client, "?limit=2") == [5, 4]
    assert ids(client, "?limit=2&before=4") == [3, 2]


def test_jobs_are_listed_by_state(client: TestClient, parts: Parts) -> None:
    add_job(parts)
    add_job(parts)
    do_all(parts, bad=frozenset({2}))
    add_job(parts)
    found = {state: ids(client, f"?state={state}") for state in ("queued", "done", "failed")}
    assert found == {"queued": [3], "done": [1], "failed": [2]}


def test_a_job_tells_why_it_failed(client: TestClient, parts: Parts) -> None:
    job_id = add_job(parts, {"private": "detail"})
    do_all(parts, bad=frozenset({job_id}))
    time = parts.clock.now().isoformat().replace("+00:00", "Z")
    assert client.get(f"/jobs/{job_id}").json() == {
        "job_id": job_id,
        "kind": KIND,
        "state": "failed",
        "attempts": 1,
        "asset_id": None,
        "image_id": None,
        **dict.fromkeys(("created_at", "due_at", "started_at", "finished_at"), time),
        "error": {"code": "corrupt-image", "message": "the file ends too early"},
    }


def test_a_poisoned_job_is_listed_until_it_is_queued_again(
    client: TestClient, parts: Parts
) -> None:
    job_id = add_job(parts)
    do_all(parts, bad=frozenset({job_id}))
    (poison,) = client.get("/jobs/poison").json()
    assert (poison["job_id"], poison["reason_code"], poison["reason"], poison["attempts"]) == (
        *(job_id, "corrupt-image"),
        *("the file ends too early", 1),
    )
    answer = client.post(f"/jobs/{job_id}/redrive")
    assert (answer.status_code, answer.json()["state"], answer.json()["attempts"]) == (
        *(200, "queued"),
        0,
    )
    assert client.get("/jobs/poison").json() == []
    do_all(parts)
    assert states(parts) == ["done"]


def test_only_a_failed_job_can_be_queued_again(client: TestClient, parts: Parts) -> None:
    job_id = add_job(parts)
    do_all(parts)
    answer = client.post(f"/jobs/{job_id}/redrive")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-failed")
    assert answer.json()["detail"] == "job 1 is done: only a failed job can be queued again"


@pytest.mark.parametrize(("method", "path"), [("GET", "/jobs/9"), ("POST", "/jobs/9/redrive")])
def test_a_job_that_does_not_exist(client: TestClient, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    "path",
    [
        *("/jobs/0", "/jobs/-1", "/jobs/one", f"/jobs/{1 << 63}", "/jobs?state=lost"),
        *("/jobs?limit=0", "/jobs?limit=1001", "/jobs?before=0", f"/jobs?before={1 << 63}"),
        "/jobs/poison?limit=none",
    ],
)
def test_a_request_of_another_form_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (
        422,
        "application/problem+json",
    )


def test_the_largest_number_is_only_not_there(client: TestClient) -> None:
    assert client.get(f"/jobs/{(1 << 63) - 1}").status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/jobs"), ("GET", "/jobs/1"), ("GET", "/jobs/poison"), ("POST", "/jobs/1/redrive")],
)
def test_jobs_are_for_administrators(parts: Parts, method: str, path: str) -> None:
    job_id = add_job(parts)
    do_all(parts, bad=frozenset({job_id}))
    closed = replace(parts, settings=replace(parts.settings, authentication="keys"))
    key = {whose: make_key(parts, whose, "") for whose in ("acme", None)}
    with TestClient(create_app(closed), base_url="http://127.0.0.1") as client:
        statuses = [
            client.request(method, path, headers=headers).status_code
            for headers in (
                {},
                {"Authorization": f"Bearer {key['acme']}"},
                {"Authorization": f"Bearer {key[None]}"},
            )
        ]
    assert statuses == [401, 403, 200]
