"""Events as AWS delivers them, made of the samples in ``events/``, about a test's own objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

Event = dict[str, Any]

SAMPLES = Path(__file__).parents[1] / "events"


def sample(name: str) -> Event:
    """A sample event, to be changed at will."""
    event: Event = json.loads((SAMPLES / f"{name}.json").read_bytes())
    return event


def notification(bucket: str, *keys: str, name: str = "ObjectCreated:Put", etag: str = "") -> Event:
    """S3's own notification of one or more objects; without the sample's ETag, which they lack."""
    records = []
    for key in keys:
        (record,) = sample("s3_put")["Records"]
        record["eventName"] = name
        record["s3"]["bucket"] = {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
        record["s3"]["object"]["key"] = encoded(key)
        record["s3"]["object"]["eTag"] = etag
        records.append(record)
    return {"Records": records}


def eventbridge(bucket: str, key: str) -> Event:
    """EventBridge's event of a new object."""
    event = sample("eventbridge_created")
    event["detail"]["bucket"]["name"] = bucket
    event["detail"]["object"]["key"] = key
    del event["detail"]["object"]["etag"]  # that of another object
    return event


def sns(event: Event) -> Event:
    """An event handed on by SNS, straight to the function."""
    parcel = sample("sns")
    parcel["Records"][0]["Sns"]["Message"] = json.dumps(event)
    return parcel


def sns_in_queue(event: Event) -> Event:
    """An event handed on by SNS through a queue."""
    (record,) = sample("sqs_sns")["Records"]
    return queued({**json.loads(record["body"]), "Message": json.dumps(event)})


def queued(*bodies: Event | str, attempt: int = 1) -> Event:
    """Messages of a queue, whose identifiers are m1, m2, …."""
    records = []
    for number, body in enumerate(bodies, 1):
        (record,) = sample("sqs_s3")["Records"]
        record["messageId"] = f"m{number}"
        record["body"] = body if isinstance(body, str) else json.dumps(body)
        record["attributes"]["ApproximateReceiveCount"] = str(attempt)
        records.append(record)
    return {"Records": records}


def handed_back(answer: Any) -> list[str]:
    """Identifiers of the messages that a queue is told to deliver again."""
    assert answer.keys() == {"batchItemFailures"}
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def batch(bucket: str, *keys: str, version: int = 1, arguments: Event | None = None) -> Event:
    """Part of a job of S3 Batch Operations, whose tasks are t1, t2, …."""
    event = sample(f"batch_{version}")
    where = {"s3BucketArn": f"arn:aws:s3:::{bucket}"} if version == 1 else {"s3Bucket": bucket}
    event["tasks"] = [
        {"taskId": f"t{number}", "s3Key": encoded(key), "s3VersionId": None, **where}
        for number, key in enumerate(keys, 1)
    ]
    if version == 2:
        event["job"]["userArguments"] = arguments or {}
    return event


def direct(bucket: str, key: str, **more: Any) -> Event:
    """A caller's own request, or a state machine's."""
    return {"bucket": bucket, "key": key, **more}


def encoded(key: str) -> str:
    """A key as S3 writes it into its events."""
    return quote_plus(key, safe="/")
