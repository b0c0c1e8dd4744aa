"""``drop --workflow``: upload images for the workflow, and follow it until it has ended."""

from __future__ import annotations

import json
import mimetypes
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fft_tool.operations.registry import format_operations, parse_operations
from fft_tool.printable import printable
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Source
from fft_tool.runs.sources import find_sources
from fft_tool.workflows.executions import is_about
from fft_tool.workflows.plan import folder_of, manifest_name
from fft_tool.workflows.requests import OPERATIONS, SIDECAR, placed
from handler.workflow import RESULTS
from tools.errors import ToolError
from tools.local_aws.clients import LocalAws
from tools.local_aws.cloud import settings_of_function
from tools.local_aws.resource import LOG_GROUP, NAME
from tools.local_aws.state_machines import state_machine_arn
from tools.local_aws.workflow import WORKFLOW, start_workflow
from tools.log_tail import Tail
from tools.say import say

PAUSE = 0.1  # seconds between two requests
UNTIL_STARTED = 10.0  # seconds for EventBridge to start an execution, before it is started directly
NOTHING_TO_DO = "Nothing to do"  # the state in which an execution ends that has made nothing

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """An uploaded source."""

    key: str
    source: Source
    etag: str
    started: float  # seconds since the epoch

    @property
    def name(self) -> str:
        """Its name, for people."""
        return printable(self.source.name)


class WorkflowBucket:
    """The bucket whose uploads below the workflow's prefix start the workflow."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._settings = settings_of_function(aws)
        self._machine = state_machine_arn(WORKFLOW)
        self._log = Tail(aws.logs, LOG_GROUP, int(time.time() * 1000))
        self._lines: list[Json] = []  # of executions that have not been reported yet

    def drop(
        self, files: Sequence[str], operations: str, recipe: Mapping[str, str], seconds: float
    ) -> bool:
        """Upload files with their operations; True if the workflow has ended well for all of them.

        Bad operations, a bad recipe or a missing file are errors before anything is uploaded.
        """
        texts = Recipe.parse(recipe).texts()
        asked = {key: texts[key] for key in recipe}
        asked |= {OPERATIONS: format_operations(parse_operations(operations))}
        sources = [ref.read() for ref in find_sources(files, stdin=None)]
        known = {execution["executionArn"] for execution in self._executions()}
        uploads = [self._put(source, asked) for source in sources]
        ended = [self._follow(upload, known, seconds) for upload in uploads]
        return all(ended)

    def _put(self, source: Source, asked: Mapping[str, str]) -> Upload:
        """Upload a source; what is asked for it goes into a sidecar if it is too long for S3."""
        key = self._settings.workflow_prefix + source.name
        metadata, beside = placed(asked)
        sidecar = {"Bucket": NAME, "Key": key + SIDECAR}
        if beside is None:
            self._aws.s3.delete_object(**sidecar)  # an earlier one would override the metadata
        else:
            self._aws.s3.put_object(**sidecar, Body=beside)
        started = time.time()
        answer = self._aws.s3.put_object(
            Bucket=NAME,
            Key=key,
            Body=source.data,
            ContentType=mimetypes.guess_type(source.name)[0] or "application/octet-stream",
            Metadata=metadata,
        )
        keys = "".join(f"  {name}={text}" for name, text in asked.items())
        second = "" if beside is None else f" and {printable(key + SIDECAR)}"
        say(f"{printable(source.name)} → s3://{NAME}/{printable(key)}{second}{keys}")
        return Upload(key, source, answer["ETag"].strip('"'), started)

    def _follow(self, upload: Upload, known: set[str], seconds: float) -> bool:
        """Report the steps of an upload's execution as they end, then its outcome."""
        deadline = time.monotonic() + seconds
        execution = self._execution_of(upload, known, deadline)
        while True:
            found = self._aws.states.describe_execution(executionArn=execution)
            self._report_steps(upload, execution)
            if found["status"] != "RUNNING":
                return self._report_end(upload, execution, found)
            if time.monotonic() > deadline:
                raise ToolError(
                    f"no outcome of {printable(upload.key)} within the time limit: see `make logs` "
                    f"(execution {execution.rpartition(':')[2]})"
                )
            time.sleep(PAUSE)

    def _execution_of(self, upload: Upload, known: set[str], deadline: float) -> str:
        """The execution that EventBridge has started for an upload, or else one of our own."""
        directly = time.monotonic() + UNTIL_STARTED
        while time.monotonic() < min(directly, deadline):
            for execution in self._executions():
                name = execution["executionArn"]
                if name not in known and self._is_about(name, upload):
                    return str(name)
            time.sleep(PAUSE)
        say(f"{upload.name}: EventBridge has not started the workflow, so it is started directly")
        return start_workflow(self._aws, upload.key, upload.etag)

    def _executions(self) -> list[Json]:
        """The latest executions."""
        found = self._aws.states.list_executions(stateMachineArn=self._machine, maxResults=1000)
        return list(found["executions"])

    def _is_about(self, execution: str, upload: Upload) -> bool:
        found = self._aws.states.describe_execution(executionArn=execution)
        return is_about(found["input"], upload.key, upload.etag)

    def _report_steps(self, upload: Upload, execution: str) -> None:
        """Report the functions' log lines. The history has no names of states in branches here."""
        self._lines += filter(None, (line.summary for line in self._log.read()))
        name = execution.rpartition(":")[2]
        for line in [each for each in self._lines if each.get("execution") == name]:
            self._lines.remove(line)
            state, outcome = str(line["state"]), line["outcome"]
            error = line.get("error") or {}
            told = error.get("message") or line.get("reason") or ""
            what = "" if outcome == "done" else f"  {outcome}: {printable(told)}"
            say(f"{upload.name}: {printable(state):16} {line['total_ms']:6.0f} ms{what}")

    def _history(self, execution: str) -> Iterator[Json]:
        pages = self._aws.states.get_paginator("get_execution_history")
        for page in pages.paginate(executionArn=execution):
            yield from page["events"]

    def _report_end(self, upload: Upload, execution: str, found: Json) -> bool:
        if found["status"] != "SUCCEEDED":
            error = ": ".join(filter(None, (found.get("error"), found.get("cause"))))
            say(f"{upload.name}: the workflow {found['status'].lower()}: {printable(error)}")
            return False
        if any(_entered(event) == NOTHING_TO_DO for event in self._history(execution)):
            say(f"{upload.name}: superseded: a later upload has replaced it, or it was deleted")
            return False
        message = json.loads(found["output"])["finished"]["message"]
        if message["outcome"] == "rejected":
            error = message["error"]
            say(f"{upload.name}: rejected: {error['code']}: {printable(error['message'])}")
        else:
            passed = found["stopDate"].timestamp() - upload.started
            say(f"{upload.name}: done {passed:.1f} s after the upload")
        if message["manifest"]:
            self._print_links(upload)
        return bool(message["outcome"] == "done")

    def _print_links(self, upload: Upload) -> None:
        prefix = self._settings.output_prefix + RESULTS
        manifest = prefix + manifest_name(upload.source.name)
        body = self._aws.s3.get_object(Bucket=NAME, Key=manifest)["Body"].read()
        folder = prefix + folder_of(upload.source.name)
        for file in json.loads(body)["files"]:
            print(self._aws.url(NAME, f"{folder}/{file['name']}"))
        print(self._aws.url(NAME, manifest))


def _entered(event: Json) -> str:
    """The state that an event of a history says was entered."""
    return str(event.get("stateEnteredEventDetails", {}).get("name", ""))
