"""Batches on the local AWS: functions, state machine, and what starts it.

Rows are written to files, and to the database at ``DATABASE_URL`` if that is set.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial

from handler.batches_settings import BatchesSettings
from tools.local_aws.clients import arn
from tools.local_aws.resource import NAME, SECONDS, Cloud, Resource, make_function, role
from tools.local_aws.state_machines import FOLDER, make_state_machine, render, state_machine_arn

BATCHES = f"{NAME}-batches"  # of the queue, the state machine, the topic, the rule, the schedule
DEAD_LETTERS = f"{BATCHES}-dead-letters"
STEPS = ("sweep", "detect", "count", "publish")

ATTEMPTS = 3  # deliveries before an event becomes a dead letter
BATCH = 100  # most events that are one look at their jobs
SWEEP_MINUTES = 1


def function(step: str) -> str:
    """Name of the function of a step."""
    return f"{BATCHES}-{step}"


FUNCTIONS: Mapping[str, str] = {function(step): f"handler.batches_entry.{step}" for step in STEPS}


def definition() -> str:
    """The definition of the state machine."""
    functions = {step: arn("lambda", f"function:{function(step)}") for step in STEPS[1:]}
    path = FOLDER / "batches.asl.json"
    return render(path, partition="aws", topic=arn("sns", BATCHES), **functions)


STATE_MACHINES: Mapping[str, Callable[[], str]] = {BATCHES: definition}


def _make_function(cloud: Cloud, step: str) -> None:
    own = {"BATCHES_STATE_MACHINE": state_machine_arn(BATCHES)}
    if os.environ.get("DATABASE_URL"):
        own["DATABASE_URL"] = os.environ["DATABASE_URL"]
    BatchesSettings.from_environ({**cloud.environment, **own})  # raises if any is wrong
    make_function(cloud, function(step), FUNCTIONS[function(step)], **own)


def _topic(cloud: Cloud) -> None:
    cloud.aws.sns.create_topic(Name=BATCHES)


def _state_machine(cloud: Cloud) -> None:
    make_state_machine(cloud, BATCHES, definition())


def _queue(cloud: Cloud) -> None:
    redrive = {"deadLetterTargetArn": arn("sqs", DEAD_LETTERS), "maxReceiveCount": ATTEMPTS}
    attributes = {"VisibilityTimeout": str(SECONDS), "RedrivePolicy": json.dumps(redrive)}
    cloud.aws.sqs.create_queue(QueueName=DEAD_LETTERS)
    cloud.aws.sqs.create_queue(QueueName=BATCHES, Attributes=attributes)


def _queue_to_sweep(cloud: Cloud) -> None:
    cloud.aws.functions.create_event_source_mapping(
        FunctionName=function("sweep"),
        EventSourceArn=arn("sqs", BATCHES),
        BatchSize=BATCH,
        MaximumBatchingWindowInSeconds=1,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": 2},
    )


def _rule(cloud: Cloud) -> None:
    prefix = BatchesSettings.from_environ(cloud.environment).prefix
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created", "Object Deleted"],
        "detail": {"bucket": {"name": [NAME]}, "object": {"key": [{"prefix": prefix}]}},
    }
    cloud.aws.events.put_rule(Name=BATCHES, EventPattern=json.dumps(pattern))
    target = {"Id": "queue", "Arn": arn("sqs", BATCHES)}
    cloud.aws.events.put_targets(Rule=BATCHES, Targets=[target])


def _schedule(cloud: Cloud) -> None:
    unit = "minute" if SWEEP_MINUTES == 1 else "minutes"
    cloud.aws.scheduler.create_schedule(
        Name=BATCHES,
        ScheduleExpression=f"rate({SWEEP_MINUTES} {unit})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": arn("lambda", f"function:{function('sweep')}"),
            "RoleArn": role(BATCHES),
            "Input": json.dumps({"bucket": NAME}),
        },
    )


RESOURCES: tuple[Resource, ...] = (
    *(Resource(f"function {step}", partial(_make_function, step=step)) for step in STEPS),
    Resource("topic of batches", _topic),
    Resource("state machine of batches", _state_machine),
    Resource("queue of batches", _queue),
    Resource("queue → sweep", _queue_to_sweep),
    Resource("EventBridge → queue", _rule),
    Resource("schedule → sweep", _schedule),
)
