"""Runs of operations by the state machine on AWS: upload the image, follow its execution.

The image is uploaded as anybody's would be, with its operations as metadata, so that the execution
is the one which EventBridge starts. Its name tells the image and the operations: the same ones
lead to the same results in the same place.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from fft_tool.backfill.aws import Aws, Exists
from fft_tool.results.outputs import Source
from fft_tool.stores.base import Store
from fft_tool.stores.s3 import S3Store
from fft_tool.validate import Json
from fft_tool.workflows.executions import execution_name, input_of, is_about
from fft_tool.workflows.requests import OPERATIONS, SIDECAR, placed
from service.errors import WorkflowFailed, WorkflowRejected

PAUSE = 0.5  # seconds between two looks at an execution
UNTIL_STARTED = 15.0  # seconds for EventBridge to start one, before it is started directly
LONGEST = 900.0  # seconds until an execution has to have ended

STATES = ("Plan", "Process", "Analyse original", "Analyse combined", "Finish")
"""States of the state machine that do something, in order."""

_BRANCHES = {"Make": ("Process", "Analyse original")}  # of the state that runs both at once
_RESTART = "Plan"  # entered again when the image has been replaced meanwhile

Tell = Callable[[Sequence[Json]], None]

log = logging.getLogger(__name__)


class StateMachine:
    """A state machine, with the places where it finds images and leaves results.

    ``place`` is where uploads start it, and ``results`` the store of its results.
    """

    def __init__(self, arn: str, place: str, results: Store) -> None:
        self.results = results
        bucket, _, prefix = place.removeprefix("s3://").partition("/")
        self._arn, self._inputs = arn, S3Store(bucket, prefix)
        self._aws = Aws(arn.split(":")[3])

    def run(self, source: Source, operations: str, attempt: str, tell: Tell) -> str:
        """Run operations on an image; return the name by which its results are found.

        ``tell`` is called with the steps whenever they have changed. ``attempt`` tells apart
        executions that are started directly.
        """
        name = upload_name(source, operations)
        known = set(self._executions())
        etag = self._upload(name, source, operations)
        execution = self._execution_of(name, etag, known, attempt)
        self._follow(execution, tell)
        return name

    def _upload(self, name: str, source: Source, operations: str) -> str:
        metadata, sidecar = placed({OPERATIONS: operations})
        if sidecar is not None:
            self._inputs.write(name + SIDECAR, sidecar, content_type="application/json")
        self._inputs.write(name, source.data, metadata=metadata)
        return self._inputs.stat(name).etag or ""

    def _executions(self) -> list[str]:
        """The latest executions."""
        states = self._aws.states
        found = self._aws.ask(states.list_executions, stateMachineArn=self._arn, maxResults=1000)
        return [each["executionArn"] for each in found["executions"]]

    def _execution_of(self, name: str, etag: str, known: set[str], attempt: str) -> str:
        """The execution that EventBridge has started for an upload, or else one of our own."""
        key = self._inputs.prefix + name
        directly = time.monotonic() + UNTIL_STARTED
        while time.monotonic() < directly:
            for execution in self._executions():
                if execution not in known and is_about(
                    self._describe(execution)["input"], key, etag
                ):
                    return execution
                known.add(execution)
            time.sleep(PAUSE)
        return self._start(key, etag, attempt)

    def _start(self, key: str, etag: str, attempt: str) -> str:
        named = execution_name(key, etag, attempt)
        try:
            started = self._aws.ask(
                self._aws.states.start_execution,
                stateMachineArn=self._arn,
                name=named,
                input=input_of(self._inputs.bucket, key, etag),
            )
        except Exists:
            return f"{self._arn.replace(':stateMachine:', ':execution:')}:{named}"
        return str(started["executionArn"])

    def _follow(self, execution: str, tell: Tell) -> None:
        """Tell of each step until the execution has ended; raise an error unless it was done."""
        told: list[Json] = []
        until = time.monotonic() + LONGEST
        while True:
            found = self._describe(execution)
            steps = steps_of(self._history(execution), execution)
            if steps != told:
                tell(steps)
                told = steps
            if found["status"] != "RUNNING":
                return check_end(found)
            if time.monotonic() > until:
                name = execution.rpartition(":")[2]
                raise WorkflowFailed(f"execution {name}: still running after {LONGEST:g} s")
            time.sleep(PAUSE)

    def _describe(self, execution: str) -> Json:
        return self._aws.ask(self._aws.states.describe_execution, executionArn=execution)

    def _history(self, execution: str) -> Iterable[Json]:
        asked = {"executionArn": execution, "maxResults": 1000, "includeExecutionData": False}
        history = self._aws.states.get_execution_history
        return self._aws.pages(history, "events", "nextToken", **asked)


def upload_name(source: Source, operations: str) -> str:
    """Name under which an image is uploaded for these operations.

    >>> upload_name(Source("Straße 1.png", b"..."), "blur:3")
    'service/2d2dd79ee2ec6f35/Stra-e-1-png'
    """
    digest = hashlib.sha256(hashlib.sha256(source.data).digest() + operations.encode()).hexdigest()
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", source.name)[:80].strip("-") or "image"
    return f"service/{digest[:16]}/{plain}"


def steps_of(events: Iterable[Mapping[str, Any]], execution: str) -> list[Json]:
    """The states that do something, with what the history of an execution says of each.

    The history need not tell of states in branches: they are running while their branches are.
    """
    status = dict.fromkeys(STATES, "waiting")
    for event in events:
        entered = event.get("stateEnteredEventDetails", {}).get("name")
        left = event.get("stateExitedEventDetails", {}).get("name")
        if entered == _RESTART:
            status = dict.fromkeys(STATES, "waiting")
        for name in _BRANCHES.get(entered, (entered,)):
            if name in status:
                status[name] = "running"
        for name in _BRANCHES.get(left, (left,)):
            if name in status:
                status[name] = "done"
    named = execution.rpartition(":")[2]
    return [{"name": "Start the workflow", "status": "done", "detail": named}] + [
        {"name": name, "status": word} for name, word in status.items()
    ]


def check_end(found: Mapping[str, Any]) -> None:
    """Raise an error unless an execution that has ended has led to results."""
    name = found["executionArn"].rpartition(":")[2]
    if found["status"] != "SUCCEEDED":
        log.warning("execution %s: %s: %s", name, found.get("error"), found.get("cause"))
        raise WorkflowFailed(f"execution {name}: {found['status'].lower().replace('_', ' ')}")
    message = json.loads(found["output"]).get("finished", {}).get("message")
    if message is None:
        raise WorkflowFailed(f"execution {name}: another upload has replaced the image")
    if message["outcome"] == "rejected":
        error = message["error"]
        raise WorkflowRejected(f"{error['code']}: {error['message']}")
