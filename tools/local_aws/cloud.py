"""Resources of the local AWS: a bucket whose uploads go through a queue to the function."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handler.settings import Settings
from tools.clients import start_failure
from tools.errors import ToolError
from tools.local_aws.clients import ACCOUNT, LocalAws, arn
from tools.local_aws.package import zipped

NAME = "fft-images"  # of the bucket, the queue and the function
DEAD_LETTERS = f"{NAME}-dead-letters"
LOG_GROUP = f"/aws/lambda/{NAME}"

HANDLER = "handler.entry.handle"
MEMORY_MB = 1769  # one vCPU
SECONDS = 60  # timeout of an invocation, and time until a failed message is delivered again
ATTEMPTS = 3  # deliveries before a message becomes a dead letter
BATCH = 5  # most objects per invocation
CONCURRENCY = 2  # most invocations at a time; the lowest limit that AWS accepts


@dataclass(frozen=True)
class Cloud:
    """The emulator that the resources are created in, and the function's code and environment."""

    aws: LocalAws
    code: Path
    environment: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """The environment, parsed as the function parses it."""
        return Settings.from_environ(self.environment)


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource, and a function that creates it."""

    name: str
    make: Callable[[Cloud], None]


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
    """Update the function's code and environment."""
    functions = cloud.aws.functions
    functions.update_function_configuration(
        FunctionName=NAME, Environment={"Variables": dict(cloud.environment)}
    )
    functions.update_function_code(FunctionName=NAME, ZipFile=zipped(cloud.code))


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
    cloud.aws.functions.create_function(
        FunctionName=NAME,
        Runtime=f"python3.{sys.version_info.minor}",
        Handler=HANDLER,
        Role=f"arn:aws:iam::{ACCOUNT}:role/{NAME}",
        Code={"ZipFile": zipped(cloud.code)},
        MemorySize=MEMORY_MB,
        Timeout=SECONDS,
        Environment={"Variables": dict(cloud.environment)},
    )


def _queue_to_function(cloud: Cloud) -> None:
    cloud.aws.functions.create_event_source_mapping(
        FunctionName=NAME,
        EventSourceArn=arn("sqs", NAME),
        BatchSize=BATCH,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        ScalingConfig={"MaximumConcurrency": CONCURRENCY},
    )


def _bucket_to_queue(cloud: Cloud) -> None:
    below = {"Name": "prefix", "Value": cloud.settings.input_prefix}
    rule = {
        "QueueArn": arn("sqs", NAME),
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [below]}},
    }
    cloud.aws.s3.put_bucket_notification_configuration(
        Bucket=NAME, NotificationConfiguration={"QueueConfigurations": [rule]}
    )


# Each may depend on those before it.
RESOURCES = (
    Resource("bucket", _bucket),
    Resource("queue for dead letters", _dead_letters),
    Resource("queue", _queue),
    Resource("function", _function),
    Resource("queue → function", _queue_to_function),
    Resource("bucket → queue", _bucket_to_queue),
)
