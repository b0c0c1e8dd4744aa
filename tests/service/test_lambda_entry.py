"""The service as Lambda functions: settings, requests, jobs and the call between the two."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fft_tool.errors import SettingsError
from fft_tool.runs.child import Child
from service.jobs import table
from service.jobs.table import Job
from service.lambda_entry import CallingQueue, do_jobs, make_handle, settings_of
from service.parts import Parts
from tests.support.http_api import http_event, json_of
from tests.support.service import FixedClock

GOOD = {
    "HOST": "0.0.0.0",  # noqa: S104  (as in the image)
    "AUTHENTICATION": "keys",
    "STORAGE_PATH": "s3://images/service",
    "WORKER": "none",
    "SERVICE_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:service",
}
SECRET = {"SECRET_KEY": 32 * "k", "DATABASE_URL": "postgresql://service:s3cret@db.example/service"}


@pytest.fixture(autouse=True)
def event_loop() -> Iterator[None]:
    """The loop of the thread, which Mangum would open itself and leave open."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


def test_settings_come_from_the_environment_and_the_secret() -> None:
    asked = []

    def read(arn: str) -> str:
        asked.append(arn)
        return json.dumps(SECRET)

    settings = settings_of(GOOD, read)
    assert asked == [GOOD["SERVICE_SECRET_ARN"]]
    assert settings.secret_key == SECRET["SECRET_KEY"]
    assert settings.database_url == SECRET["DATABASE_URL"]


@pytest.mark.parametrize("text", ["", "s3cret", "[]", '{"SECRET_KEY": 1}'])
def test_a_secret_of_another_form_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(
        SettingsError, match="SERVICE_SECRET_ARN: the secret should be a JSON"
    ) as it:
        settings_of(GOOD, lambda _: text)
    assert "s3cret" not in str(it.value)


def test_all_settings_that_would_lose_data_are_refused_together() -> None:
    environ = {**GOOD, "STORAGE_PATH": "storage", "WORKER": "in-process"}
    secret = {"SECRET_KEY": 32 * "k"}
    with pytest.raises(SettingsError) as it:
        settings_of(environ, lambda _: json.dumps(secret))
    names = [fault.partition(":")[0] for fault in it.value.faults]
    assert names == ["DATABASE_URL", "STORAGE_PATH", "WORKER"]


def test_without_a_secret_key_it_does_not_start() -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY is the default"):
        settings_of({**GOOD, "SERVICE_SECRET_ARN": ""})


def test_it_answers_the_events_of_an_http_api(parts: Parts) -> None:
    handle = make_handle(parts)
    answer = handle(http_event("GET", "/healthz"), None)
    assert (answer["statusCode"], json_of(answer)) == (200, {"status": "healthy"})
    assert answer["headers"]["x-content-type-options"] == "nosniff"


def test_problems_are_answered_as_problems(parts: Parts) -> None:
    answer = make_handle(parts)(http_event("GET", "/no/such/route"), None)
    assert answer["statusCode"] == 404
    assert answer["headers"]["content-type"].startswith("application/problem+json")
    assert json_of(answer)["status"] == 404


def test_jobs_are_done_until_there_are_none(parts: Parts, clock: FixedClock) -> None:
    done = []

    def note(_parts: Parts, job: Job, _child: Child) -> None:
        done.append(job.id)

    with parts.database.begin() as session:
        ids = [table.enqueue(session, "asset", {}, now=clock.now()) for _ in range(3)]
    do_jobs(parts, 60, {"asset": note})
    assert sorted(done) == ids
    with parts.database.read() as session:
        assert {found.state for found in (table.find(session, each) for each in ids) if found} == {
            "done"
        }


class Functions:
    """A client of Lambda that notes what it is asked for."""

    def __init__(self, error: Exception | None = None) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error = error

    def invoke(self, **call: Any) -> None:
        self.calls.append(call)
        if self.error:
            raise self.error


def test_a_job_is_announced_by_a_call_that_nobody_waits_for() -> None:
    functions = Functions()
    CallingQueue("service-work", functions).wake(7)
    (call,) = functions.calls
    assert call["InvocationType"] == "Event"
    assert call["FunctionName"] == "service-work"
    assert json.loads(call["Payload"]) == {"job_id": 7}


def test_a_call_that_fails_is_logged_and_does_not_fail_the_upload(
    caplog: pytest.LogCaptureFixture,
) -> None:
    error = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")
    CallingQueue("service-work", Functions(error)).wake(7)
    assert "function service-work cannot be called, job 7 waits" in caplog.text
