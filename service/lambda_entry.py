"""The service as two functions of AWS Lambda: ``handle`` answers requests, ``work`` does jobs.

Nothing that an instance keeps on its disk is seen by another one: the database is PostgreSQL, the
storage S3, and the folder of product images, if there is one, a network file system. ``handle``
wakes ``work`` by an asynchronous call. A schedule also calls it, for what the calls have missed.

Beside the settings of the service, two variables are read: ``SERVICE_SECRET_ARN``, a secret in
Secrets Manager with settings that nobody else may read, as a JSON object; and
``SERVICE_WORK_FUNCTION``, the name of the function of ``work``.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from fft_tool.batches.aws import read_secret
from fft_tool.errors import SettingsError
from service.app import create_app
from service.jobs.kinds import Kinds
from service.jobs.queue import Queue
from service.jobs.sweep import recover, sweep
from service.jobs.worker import FINISHING, Worker
from service.log import log_to
from service.parts import Parts, make_parts
from service.settings import Settings
from service.work import WORK

SECRET, FUNCTION = "SERVICE_SECRET_ARN", "SERVICE_WORK_FUNCTION"

RESERVE = 2 * FINISHING  # seconds before the end of an invocation at which no job is begun
LOOKING = 0.2  # seconds between two looks whether all jobs are done

Event = Mapping[str, Any]

_log = logging.getLogger(__name__)


class CallingQueue(Queue):
    """Wakes the function that does the jobs by an asynchronous call; nobody waits for it."""

    def __init__(self, function: str, client: Any) -> None:
        self.place = f"function {function}"
        self._function, self._client = function, client
        self._closed = threading.Event()

    def wake(self, job_id: int) -> None:
        """Call the function; without the call, its schedule finds the job within a minute."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (with boto3)

        try:
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"job_id": job_id}),
            )
        except (BotoCoreError, ClientError) as exc:
            _log.warning("%s cannot be called, job %d waits: %s", self.place, job_id, exc)

    def wait(self, seconds: float) -> bool:
        """Wait until time is over: a call is a new invocation, and wakes nobody here."""
        self._closed.wait(seconds)
        return False

    def close(self) -> None:
        """End all waiting."""
        self._closed.set()


def settings_of(environ: Mapping[str, str], read: Callable[[str], str] = read_secret) -> Settings:
    """Settings from the environment and the secret that it names."""
    settings = Settings.from_environ({**environ, **_secret_settings(environ, read)})
    faults = []
    if not settings.database_url.startswith("postgres"):
        faults.append("DATABASE_URL: should be postgresql://…, for files of a function are lost")
    if not settings.storage_path.startswith("s3://"):
        faults.append(
            "STORAGE_PATH: should be s3://BUCKET/PREFIX, for files of a function are lost"
        )
    if settings.worker != "none":
        faults.append("WORKER: should be none, for functions stop between two requests")
    if faults:
        raise SettingsError(faults)
    return settings


def _secret_settings(environ: Mapping[str, str], read: Callable[[str], str]) -> dict[str, str]:
    arn = environ.get(SECRET)
    if not arn:
        return {}
    form = 'a JSON object of settings such as {"SECRET_KEY": "…", "DATABASE_URL": "…"}'
    try:
        found = json.loads(read(arn))
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise SettingsError([f"{SECRET}: the secret should be {form}"])
    return found


def make_handle(parts: Parts) -> Callable[[Event, Any], dict[str, Any]]:
    """The function that answers events of an HTTP API."""
    from mangum import Mangum  # noqa: PLC0415  (only in Lambda)

    handle: Callable[[Any, Any], dict[str, Any]] = Mangum(
        create_app(parts, any_host=True), lifespan="off"
    )
    return handle


def do_jobs(parts: Parts, seconds: float, kinds: Kinds = WORK) -> None:
    """Do the jobs that are due, until there are none or some seconds are over."""
    end = time.monotonic() + seconds
    recover(parts)
    worker = Worker(parts, kinds)
    worker.start()
    while time.monotonic() < end and not worker.is_idle():
        time.sleep(LOOKING)
    worker.stop()


@cache
def _parts() -> Parts:
    log_to(sys.stderr)
    parts = make_parts(settings_of(os.environ))
    function = os.environ.get(FUNCTION)
    if not function:
        return parts
    import boto3  # noqa: PLC0415  (takes half a second)

    return replace(parts, queue=CallingQueue(function, boto3.client("lambda")))


@cache
def _handle() -> Callable[[Event, Any], dict[str, Any]]:
    return make_handle(_parts())


def handle(event: Event, context: Any) -> dict[str, Any]:
    """Answer a request."""
    return _handle()(event, context)


def work(event: Event, context: Any) -> None:
    """Do the jobs that are due; the event ``{"sweep": true}`` also deletes what is left over."""
    if event.get("sweep"):
        sweep(_parts())
    do_jobs(_parts(), context.get_remaining_time_in_millis() / 1000 - RESERVE)


# While a function starts, it has more processor time than its memory setting pays for, and wrong
# settings are reported before the first request.
if "AWS_LAMBDA_RUNTIME_API" in os.environ:
    _handle() if os.environ.get("_HANDLER", "").endswith(".handle") else _parts()
