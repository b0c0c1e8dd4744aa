"""What is made in the local AWS: a bucket whose uploads go through a queue to the function."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handler.settings import Settings
from tools.local_aws.aws import ACCOUNT, Aws, arn
from tools.local_aws.errors import LocalError
from tools.local_aws.package import zipped

NAME = "fft-images"  # of the bucket, the queue and the function
DEAD_LETTERS = f"{NAME}-dead-letters"
LOG_GROUP = f"/aws/lambda/{NAME}"

HANDLER = "handler.entry.handle"
MEMORY_MB = 1769  # one virtual processor
SECONDS = 60  # that an invocation may take; what fails comes back to the queue after as many
ATTEMPTS = 3  # after which a message is a dead letter
BATCH = 5  # most objects an invocation
AT_ONCE = 2  # most invocations at a time, the fewest that AWS lets one ask for


@dataclass(frozen=True)
class Cloud:
    """The resources, and what the function is told by its environment."""

    aws: Aws
    code: Path
    environment: Mapping[str, str]

    @property
    def settings(self) -> Settings:
        """The environment as the function understands it."""
        return Settings.from_environ(self.environment)


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing that is made, by its name for people."""

    name: str
    make: Callable[[Cloud], None]


def own_settings() -> dict[str, str]:
    """Settings for the function in this process's environment: ``FFT_RECIPE=bits=16 make up``.

    Unless they name a bucket, it works for the local one alone.
    """
    found = {name: value for name, value in os.environ.items() if name.startswith("FFT_")}
    if not {"FFT_BUCKET", "FFT_BUCKETS"} & found.keys():
        found["FFT_BUCKET"] = NAME
    Settings.from_environ(found)  # raises what is wrong with them
    return found


def make(cloud: Cloud) -> None:
    """Make everything, in order."""
    for resource in RESOURCES:
        resource.make(cloud)


def refresh(cloud: Cloud) -> None:
    """Give the function its code and its environment anew."""
    functions = cloud.aws.functions
    functions.update_function_configuration(
        FunctionName=NAME, Environment={"Variables": dict(cloud.environment)}
    )
    functions.update_function_code(FunctionName=NAME, ZipFile=zipped(cloud.code))


def try_function(aws: Aws) -> None:
    """Have the function answer a notification that is about nothing, as S3 sends one at first.

    What keeps it from starting is told nowhere else: such a failure leaves no line in its log.
    """
    event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": NAME}
    answer = aws.functions.invoke(FunctionName=NAME, Payload=json.dumps(event))
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        reason = json.loads(payload).get("errorMessage", "it does not say why")
        raise LocalError(f"the function does not work: {reason}; put it right and `make up` again")


def settings_of_function(aws: Aws) -> Settings:
    """How the function that is there has been told to work."""
    found = aws.functions.get_function_configuration(FunctionName=NAME)
    return Settings.from_environ(found.get("Environment", {}).get("Variables", {}))


def depth(aws: Aws, queue: str) -> tuple[int, int]:
    """How many messages of a queue wait, and how many are in work or wait to be tried again."""
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
        ScalingConfig={"MaximumConcurrency": AT_ONCE},
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


# Each needs some of those before it.
RESOURCES = (
    Resource("bucket", _bucket),
    Resource("queue for dead letters", _dead_letters),
    Resource("queue", _queue),
    Resource("function", _function),
    Resource("queue → function", _queue_to_function),
    Resource("bucket → queue", _bucket_to_queue),
)
