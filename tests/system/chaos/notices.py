"""S3's events as messages of a queue: sent directly, or through EventBridge or SNS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from hashlib import md5
from typing import Any
from urllib.parse import quote_plus

from tests.support.cloud import REGION
from tests.system.chaos.dice import Dice
from tests.system.chaos.load import INPUT, OUTPUT, Version
from tests.system.chaos.queue import Message

ACCOUNT = "123456789012"
TIME = "2026-11-20T12:00:00.000Z"
SENT = "1795176000500"  # half a second later
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads"

# Messages that can never be processed: they end in the dead-letter queue.
MALFORMED = ("{", "[]", '{"hello": "world"}', '{"Records": [{"eventSource": "aws:s3"}]}')


def sqs_event(batch: Sequence[Message]) -> dict[str, Any]:
    """Lambda's event for a batch of messages."""
    return {
        "Records": [
            {
                "messageId": message.identifier,
                "receiptHandle": f"{message.identifier}-{message.received}",
                "body": message.body,
                "attributes": {
                    "ApproximateReceiveCount": str(message.received),
                    "SentTimestamp": SENT,
                    "SenderId": ACCOUNT,
                    "ApproximateFirstReceiveTimestamp": SENT,
                },
                "messageAttributes": {},
                "md5OfBody": md5(message.body.encode(), usedforsecurity=False).hexdigest(),
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE_ARN,
                "awsRegion": REGION,
            }
            for message in batch
        ]
    }


def created(dice: Dice, bucket: str, key: str, version: Version) -> str:
    """An event for the creation of an object, in one of its possible forms."""
    etag = md5(version.data, usedforsecurity=False).hexdigest()
    facts: dict[str, Any] = {"size": len(version.data), "sequencer": f"{version.number:016X}"}
    match dice.between(0, 9, "way", key, version.number):
        case 0:
            return json.dumps(
                {
                    "version": "0",
                    "id": "17793124-05d4-b198-2fde-7ededc63b103",
                    "detail-type": "Object Created",
                    "source": "aws.s3",
                    "account": ACCOUNT,
                    "time": TIME,
                    "region": REGION,
                    "resources": [f"arn:aws:s3:::{bucket}"],
                    "detail": {
                        "version": "0",
                        "bucket": {"name": bucket},
                        "object": {"key": key, "etag": etag, **facts},
                        "reason": "PutObject",
                    },
                }
            )
        case 1:
            enclosed = json.dumps(notification(bucket, key, eTag=etag, **facts))
            return json.dumps(
                {
                    "Type": "Notification",
                    "MessageId": "dc1e94d9-56c5-5e96-808d-cc7f68faa162",
                    "TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:uploads",
                    "Subject": "Amazon S3 Notification",
                    "Message": enclosed,
                    "Timestamp": TIME,
                }
            )
    return json.dumps(notification(bucket, key, eTag=etag, **facts))


def notification(
    bucket: str, key: str, *, name: str = "ObjectCreated:Put", **facts: Any
) -> dict[str, Any]:
    """A notification as S3 itself sends it."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": TIME,
        "eventName": name,
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": quote_plus(key), **facts},
        },
    }
    return {"Records": [record]}


def ignorable(bucket: str, known: str) -> Iterator[str]:
    """Messages that the function should ignore; ``known`` is the key of an existing object."""
    yield json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": bucket})
    yield json.dumps(notification(bucket, known, name="ObjectRemoved:Delete"))
    for key in (f"{INPUT}never put.png", f"{INPUT}folder/", f"{OUTPUT}x.png", "elsewhere/x.png"):
        yield json.dumps(notification(bucket, key, size=1, eTag="0"))
