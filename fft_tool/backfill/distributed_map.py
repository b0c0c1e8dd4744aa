"""The engine ``map``: a Distributed Map of Step Functions over the listing of a bucket.

The state machine is part of the deployment (terraform/state_machines/backfill.asl.json). Each child
execution invokes the function with a batch of objects; what fails is written in parts beside the
results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from fft_tool.backfill.aws import Aws, Exists
from fft_tool.backfill.parts import FOLDER, Line, read_parts
from fft_tool.backfill.run import Order, Progress, Started
from fft_tool.errors import EngineRefused, NotFound
from fft_tool.stores.base import Store, as_folder
from fft_tool.stores.opening import open_store

STATE_MACHINE = re.compile(r"arn:[a-z-]+:states:([a-z0-9-]+):\d{12}:stateMachine:[\w-]{1,80}")
EXECUTION = re.compile(r"(arn:[a-z-]+:states:([a-z0-9-]+):\d{12}):execution:([\w-]+):([\w-]+)")

_BROKEN_OFF = ("FAILED", "TIMED_OUT", "ABORTED")


class DistributedMap:
    """Runs of one state machine.

    ``profile`` is that of :func:`~fft_tool.stores.opening.open_store`. How far a run is comes from
    its map runs; the failures come from the parts, and from child executions that failed as a
    whole, such as one whose function ran out of memory.
    """

    def __init__(self, state_machine: str, *, profile: bool = False) -> None:
        found = STATE_MACHINE.fullmatch(state_machine)
        if found is None:
            raise EngineRefused(f"{state_machine!r} is not the ARN of a state machine")
        self._arn, self._profile = state_machine, profile
        self._aws = Aws(found[1])

    @classmethod
    def of_run(cls, run_id: str, *, profile: bool = False) -> DistributedMap:
        """Engine of a run, given its ID, which is the ARN of an execution."""
        found = EXECUTION.fullmatch(run_id)
        if found is None:
            raise EngineRefused(f"{run_id!r} is not the ARN of an execution")
        return cls(f"{found[1]}:stateMachine:{found[3]}", profile=profile)

    name = "map"

    @property
    def deployment(self) -> Mapping[str, str]:
        """The flag that names the state machine."""
        return {"--state-machine": self._arn}

    def start(self, order: Order) -> Started:
        """Start a run; if one of the same name was started before, nothing is started."""
        told = json.dumps(self._input(order))
        try:
            answer = self._aws.ask(
                self._aws.states.start_execution,
                stateMachineArn=self._arn,
                name=order.run,
                input=told,
            )
        except Exists:
            run_id = f"{self._arn.replace(':stateMachine:', ':execution:')}:{order.run}"
            return Started(run_id, ended_before=True)
        return Started(str(answer["executionArn"]))

    def progress(self, run_id: str) -> Progress:
        """How far a run is, by the counts of its map runs."""
        execution = self._execution(run_id)
        counts = [
            self._aws.ask(self._aws.states.describe_map_run, mapRunArn=run)["itemCounts"]
            for run in self._map_runs(run_id)
        ]
        ended = execution["status"] != "RUNNING"
        fault = ""
        if execution["status"] in _BROKEN_OFF:
            told = (execution.get("error"), execution.get("cause"))
            fault = ": ".join(filter(None, told)) or str(execution["status"]).lower()
        return Progress(
            sum(count["total"] for count in counts) if counts else None,
            sum(count["succeeded"] for count in counts),
            sum(count[name] for count in counts for name in ("failed", "timedOut", "aborted")),
            ended,
            fault,
        )

    def order(self, run_id: str) -> Order:
        """What a run was started for, from the input of its execution."""
        told = json.loads(self._execution(run_id)["input"])
        names = Order.__dataclass_fields__.keys() & told.keys() - {"keys"}
        return Order(**{name: told[name] for name in names})

    def failures(self, run_id: str) -> Iterator[Line]:
        """The objects that failed: those in the parts, and those of children that broke off."""
        seen: set[str] = set()
        results, run = self.results(run_id)
        for lines in read_parts(results, run):
            for line in lines:
                if line.failed:
                    seen.add(line.key)
                    yield line
        for line in self._broken_off(run_id):
            if line.key not in seen:
                yield line

    def results(self, run_id: str) -> tuple[Store, str]:
        """Store of the results, which holds the parts, and the name of the run."""
        execution = self._execution(run_id)
        order = self.order(run_id)
        output = json.loads(execution.get("output") or "{}")
        if "output_prefix" not in output:
            raise EngineRefused(f"{run_id}: has not succeeded, so where its parts are is not known")
        url = f"s3://{order.bucket}/{output['output_prefix']}"
        return open_store(url, profile=self._profile), order.run

    def _input(self, order: Order) -> dict[str, Any]:
        """Input of an execution; a list of keys goes into an object of its own."""
        told = {**asdict(order), "keys": None, "batch": order.per_invocation}
        told["recipe"] = dict(order.recipe)
        if order.keys is None:
            return told
        name = f"{FOLDER}{order.run}/keys.jsonl"
        lines = "".join(f"{json.dumps({'key': key})}\n" for key in order.keys)
        store = open_store(f"s3://{order.bucket}", profile=self._profile)
        store.write(name, lines.encode(), content_type="application/jsonl")
        return told | {"keys": name}

    def _execution(self, run_id: str) -> dict[str, Any]:
        try:
            return self._aws.ask(self._aws.states.describe_execution, executionArn=run_id)
        except EngineRefused as exc:
            if "ExecutionDoesNotExist" in str(exc):
                raise NotFound(
                    f"{run_id}: there is no such run, or it is over 90 days old"
                ) from exc
            raise

    def _map_runs(self, run_id: str) -> list[str]:
        states = self._aws.states
        found = self._aws.pages(states.list_map_runs, "mapRuns", "nextToken", executionArn=run_id)
        return [str(each["mapRunArn"]) for each in found]

    def _broken_off(self, run_id: str) -> Iterator[Line]:
        """Objects of child executions that failed as a whole."""
        states = self._aws.states
        for run in self._map_runs(run_id):
            for status in _BROKEN_OFF:
                asked = {"mapRunArn": run, "statusFilter": status}
                for child in self._aws.pages(
                    states.list_executions, "executions", "nextToken", **asked
                ):
                    told = self._execution(child["executionArn"])
                    items = json.loads(told["input"]).get("Items", [])
                    reason = f"{told.get('error', status)}: {told.get('cause', '')}".rstrip(": ")
                    for item in items:
                        yield Line(item["key"], "failed", "broken-off", reason)


def prefix_of(url: str) -> tuple[str, str]:
    """Bucket and prefix, with a slash at its end, of ``s3://bucket/prefix``."""
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, as_folder(prefix)
