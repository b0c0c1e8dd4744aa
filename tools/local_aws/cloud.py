"""Resources of the local AWS: a bucket whose uploads go through a queue to the function.

The resources of the other parts follow, each from its own module.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

from handler.settings import Settings
from tools.clients import start_failure
from tools.errors import ToolError
from tools.local_aws import backfill, batches, workflow
from tools.local_aws.clients import ACCOUNT, LocalAws, arn
from tools.local_aws.resource import (
    NAME,
    SECONDS,
    Cloud,
    Resource,
    make_function,
    refresh_function,
)
from tools.local_aws.state_machines import refresh_state_machine

DEAD_LETTERS = f"{NAME}-dead-letters"

HANDLER = "handler.entry.handle"
ATTEMPTS = 3  # deliveries before a message becomes a dead letter
BATCH = 5  # most objects per invocation
CONCURRENCY = 2  # most invocations at a time; the lowest limit that AWS accepts


def own_settings() -> dict[str, str]:
    """Settings of the function, from this environment: ``FFT_RECIPE=bits=16 make up``.

    Unless they name a bucket, the function accepts only events of the local bucket.
    """
    found = {name: value for name, value in os.environ.items() if name.startswith("FFT_")}
    if not {"FFT_BUCKET", "FFT_BUCKETS"} & found.keys():
        found["FFT_BUCKET"] = NAME
    Settings.from_environ(found)  # raises if any is wrong
    return found


def make(cloud: Cloud) -> None:
    """Create all resources, in order."""
    for resource in RESOURCES:
        resource.make(cloud)


def refresh(cloud: Cloud) -> None:
    """Update the code and environment of all functions, and the definitions of state machines."""
    for name in FUNCTIONS:
        refresh_function(cloud, name)
    for name, definition in STATE_MACHINES.items():
        refresh_state_machine(cloud, name, definition())


def check_function(aws: LocalAws) -> None:
    """Invoke the function to check that it starts."""
    reason = start_failure(aws.functions, NAME, bucket=NAME)
    if reason:
        raise ToolError(f"the function does not start: {reason}; fix that and run `make up` again")


def settings_of_function(aws: LocalAws) -> Settings:
    """Settings of the function as it is deployed."""
    found = aws.functions.get_function_configuration(FunctionName=NAME)
    return Settings.from_environ(found.get("Environment", {}).get("Variables", {}))


def depth(aws: LocalAws, queue: str) -> tuple[int, int]:
    """Numbers of visible and of invisible messages in a queue.

    A message is invisible while it is processed, and until a failed attempt is repeated.
    """
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    url = aws.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    found = aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
    waiting, in_work = (int(found[name]) for name in names)
    return waiting, in_work


def _bucket(cloud: Cloud) -> None:
    where = {"LocationConstraint": cloud.aws.s3.meta.region_name}
    cloud.aws.s3.create_bucket(Bucket=NAME, CreateBucketConfiguration=where)


def _dead_letters(cloud: Cloud) -> None:
    cloud.aws.sqs.create_queue(QueueName=DEAD_LETTERS)


def _queue(cloud: Cloud) -> None:
    redrive = {"deadLetterTargetArn": arn("sqs", DEAD_LETTERS), "maxReceiveCount": ATTEMPTS}
    attributes = {
        "VisibilityTimeout": str(SECONDS),
        "RedrivePolicy": json.dumps(redrive),
        "Policy": json.dumps(_bucket_may_send()),
    }
    cloud.aws.sqs.create_queue(QueueName=NAME, Attributes=attributes)


def _bucket_may_send() -> dict[str, Any]:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn("sqs", NAME),
        "Condition": {
            "ArnEquals": {"aws:SourceArn": f"arn:aws:s3:::{NAME}"},
            "StringEquals": {"aws:SourceAccount": ACCOUNT},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _function(cloud: Cloud) -> None:
    make_function(cloud, NAME, HANDLER)


def _queue_to_function(cloud: Cloud) -> None:
    cloud.aws.functions.create_event_source_mapping(
        FunctionName=NAME,
        EventSourceArn=arn("sqs", NAME),
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": CONCURRENCY},
    )


def _bucket_to_others(cloud: Cloud) -> None:
    below = {"Name": "prefix", "Value": cloud.settings.input_prefix}
    rule = {
        "QueueArn": arn("sqs", NAME),
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [below]}},
    }
    cloud.aws.s3.put_bucket_notification_configuration(
        Bucket=NAME,
        NotificationConfiguration={"QueueConfigurations": [rule], "EventBridgeConfiguration": {}},
    )


# The handler of each function, by name.
FUNCTIONS = {
    NAME: HANDLER,
    **backfill.FUNCTIONS,
    **workflow.FUNCTIONS,
    **batches.FUNCTIONS,
}

# The definition of each state machine, by name.
STATE_MACHINES: Mapping[str, Callable[[], str]] = {
    **backfill.STATE_MACHINES,
    **workflow.STATE_MACHINES,
    **batches.STATE_MACHINES,
}

# Each may depend on those before it.
RESOURCES = (
    Resource("bucket", _bucket),
    Resource("queue for dead letters", _dead_letters),
    Resource("queue", _queue),
    Resource("function", _function),
    Resource("queue → function", _queue_to_function),
    Resource("bucket → queue and EventBridge", _bucket_to_others),
    *backfill.RESOURCES,
    *workflow.RESOURCES,
    *batches.RESOURCES,
)
