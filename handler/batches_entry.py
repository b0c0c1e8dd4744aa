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
from handler.function import Context, open_bucket_named
from handler.log import Log
from handler.patience import Patience
from handler.states import as_states

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


steps = Steps(settings, open_bucket_named, prepared, Database(settings))
looks = Sweep(settings, steps, log, Machine(settings.state_machine))

Step = Callable[[Mapping[str, Any], Deadline], dict[str, Any]]


def detect(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Survey a job, and start or resume its revision; or record why its execution failed."""
    return _run(steps.fail if "failure" in event else steps.detect, event, context)


def count(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Count the images of a part of a revision."""

    def step(event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        whole = deadline.seconds_to_work()
        patience = Patience(deadline.seconds_to_work, whole, common.processors)
        return steps.count(event, deadline, patience)

    return _run(step, event, context)


def publish(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Publish the rows of a revision."""
    return _run(steps.publish, event, context)


def sweep(event: Any, context: Context) -> Any:
    """Look at the jobs that an event is about, or at all jobs of a bucket."""
    log.begin(context.function_name, context.aws_request_id)
    return looks(event, Deadline(context.get_remaining_time_in_millis, common.reserve_ms))


def _run(step: Step, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Run a step; its errors are those of a state machine, and one line of the log tells of it."""
    log.begin(context.function_name, context.aws_request_id)
    deadline = Deadline(context.get_remaining_time_in_millis, common.reserve_ms)
    about = {name: event.get(name) for name in ("bucket", "job", "revision", "part")}
    try:
        with as_states():
            answer = step(event, deadline)
    except Exception as exc:
        deadline.stop()
        line = {**_shown(about), "milliseconds": deadline.milliseconds, "error": str(exc)}
        log.write("WARN", f"{event.get('job')}: {type(exc).__name__}: {exc}", line)
        raise
    deadline.stop()
    line = {
        **_shown({**about, **answer}),
        "milliseconds": deadline.milliseconds,
        "total_ms": deadline.total_ms,
        "broken_off": deadline.broken_off,
    }
    log.write("INFO", f"{event.get('job')}: {step.__name__}", line)
    return answer


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values that are short enough for the log."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | str) or name == "reasons"
    }
