"""The entry points of the functions for batches: ``handler.batches_entry.detect``, and so on.

Each is a function of its own, with the permissions that it needs; they share one image. Settings
are read while a function starts, so that a wrong one is reported before the first event.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from fft_tool.batches.aws import Machine
from fft_tool.runs.child import Child
from fft_tool.runs.machine import hide_memory, usable_cores
from handler.batches import Steps
from handler.batches_database import Database
from handler.batches_settings import BatchesSettings
from handler.batches_sweep import Sweep
from handler.deadline import Deadline
from handler.errors import MalformedEvent
from handler.function import Context, bucket_store
from handler.log import Log, stack_of
from handler.patience import Patience
from handler.states import Rejected, Superseded, Transient, as_states

logging.getLogger("botocore").setLevel(logging.WARNING)

# The local AWS finds its processes by their environment, and has no credentials to protect.
if "LOCAL_AWS" not in os.environ:
    hide_memory()

settings = BatchesSettings.from_environ(os.environ)
common = settings.common
log = Log(common.namespace)


@cache
def prepared() -> Child:
    """The process that decodes images, which only one of the functions needs."""
    child = Child()
    threads = common.threads(usable_cores())
    child.prepare(common.recipe, memory=common.child_memory, threads=threads)
    return child


steps = Steps(settings, bucket_store, prepared, Database(settings))
looks = Sweep(settings, steps, log, Machine(settings.state_machine))

SHOWN = ("bucket", "job", "revision", "part", "state", "reasons", "images", "notify")
Step = Callable[[Mapping[str, Any], Deadline], dict[str, Any]]


def detect(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Survey a job, and start or resume its revision; or record why its execution failed."""
    if isinstance(event, Mapping) and "failure" in event:
        return _run("fail", steps.fail, event, context)
    return _run("detect", steps.detect, event, context)


def count(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Count the images of a part of a revision."""

    def step(event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        whole = deadline.seconds_to_work()
        patience = Patience(deadline.seconds_to_work, whole, common.processors)
        return steps.count(event, deadline, patience)

    return _run("count", step, event, context)


def publish(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Publish the rows of a revision."""
    return _run("publish", steps.publish, event, context)


def sweep(event: Any, context: Context) -> Any:
    """Look at the jobs that an event is about, or at all jobs of a bucket."""
    log.begin(context.function_name, context.aws_request_id)
    return looks(event, Deadline(context.get_remaining_time_in_millis, common.reserve_ms))


def _run(name: str, step: Step, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Run a step; its errors are those of a state machine, and one line of the log tells of it."""
    log.begin(context.function_name, context.aws_request_id)
    if not isinstance(event, Mapping):
        raise MalformedEvent(f"the event is {event!r}, should be an object with bucket and job")
    deadline = Deadline(context.get_remaining_time_in_millis, common.reserve_ms)
    line: dict[str, Any] = {"step": name, **{key: event.get(key) for key in SHOWN}}
    answer: dict[str, Any] = {}
    try:
        with as_states():
            answer = step(event, deadline)
    except Exception as exc:
        told = f"{type(exc).__name__}: {exc}"
        line["error"] = {"code": type(exc).__name__, "message": str(exc)}
        if not isinstance(exc, Transient | Rejected | Superseded):
            line |= stack_of(exc)
        raise
    else:
        told = str(answer.get("state") or "done")
        line |= {key: answer[key] for key in SHOWN if key in answer}
    finally:
        deadline.stop()
        line |= {"milliseconds": deadline.milliseconds, "total_ms": deadline.total_ms}
        line["broken_off"] = deadline.broken_off
        level = "WARN" if "error" in line else "INFO"
        log.write(level, f"{event.get('job')}: {name}: {told}", line)
    return answer
