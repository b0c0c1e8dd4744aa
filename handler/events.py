"""Events: every kind that reaches the function, in one internal form.

A *delivery* is what one invocation brings: messages, each of which is answered for by itself. A
message has parts: *tasks*, what is *passed over*, and what is *malformed*, with the reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus

from fft_tool.errors import RecipeError
from fft_tool.recipe import Recipe, entries
from fft_tool.stores.opening import BUCKET_NAME
from handler.errors import MalformedEvent

Json = Mapping[str, Any]

SOON = 10.0  # seconds after an upload by which S3 has usually sent its event

DIRECT_KEYS = {"bucket", "key", "recipe"}
_ARN = re.compile(r"arn:[a-z0-9-]+:s3:::")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # halves of characters, which JSON lets through
_COUNT = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(r"[0-9]{1,15}")  # milliseconds


class Kind(Enum):
    """Who has called, and so how to answer."""

    DIRECT = "direct"
    NOTIFICATION = "notification"  # S3, EventBridge or SNS, without a queue between
    QUEUE = "queue"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Task:
    """One object to be analysed; ``recipe`` overrides what its metadata say.

    ``announced`` is whether an event of its upload asks for it, as an event of its own will ask for
    each later version. ``etag`` and ``uploaded`` (ISO 8601) are of the version that the event tells
    of, where it tells them; they do not matter for what is to be done.
    """

    bucket: str
    key: str
    recipe: Json = field(default_factory=dict)
    announced: bool = False
    etag: str = field(default="", compare=False)
    uploaded: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something that is not for this function, and why; ``bucket`` and ``key`` where it has any."""

    reason: str
    bucket: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message that cannot be understood, and why."""

    error: MalformedEvent
    bucket: str = ""
    key: str = ""


Part = Task | PassedOver | Malformed


@dataclass(frozen=True, slots=True)
class Message:
    """What is answered for as one: done together, or handed back together.

    ``identifier`` is the sender's; ``attempt`` counts deliveries, as far as the sender does;
    ``sent`` is when it came into its queue, in seconds since the epoch.
    """

    parts: tuple[Part, ...]
    identifier: str = ""
    attempt: int = 1
    sent: float | None = None

    def is_new(self, task: Task) -> bool:
        """Whether nobody can have worked on this message before.

        A message that is sent back from the dead letters counts its deliveries anew, but it is sent
        long after the upload.
        """
        if self.attempt > 1 or self.sent is None:
            return False
        try:
            uploaded = datetime.fromisoformat(task.uploaded).timestamp()
        except ValueError:
            return False
        return -SOON <= self.sent - uploaded <= SOON


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one invocation brings; ``envelope`` is what the answer has to repeat."""

    kind: Kind
    messages: tuple[Message, ...]
    envelope: Json = field(default_factory=dict)


def parse(event: Any) -> Delivery:
    """Read an event of any kind; :class:`MalformedEvent` says what is wrong with it."""
    event = _object(event, "the event")
    if "tasks" in event:
        return _batch(event)
    records = event.get("Records")
    if isinstance(records, list) and _comes_from(records, "aws:sqs"):
        messages = tuple(_message(record, index) for index, record in enumerate(records))
        return Delivery(Kind.QUEUE, messages)
    parts = tuple(_parts(event))
    kind = Kind.DIRECT if DIRECT_KEYS & event.keys() else Kind.NOTIFICATION
    return Delivery(kind, (Message(parts),))


def only_of(delivery: Delivery, buckets: Collection[str]) -> Delivery:
    """Refuse what names another bucket than these; any bucket will do where there are none.

    The function's rights may reach further than it is meant to, and who may send it an event may
    have none at all. As with every other fault, a message is refused as a whole.
    """
    if not buckets:
        return delivery
    messages = tuple(_only_of(message, buckets) for message in delivery.messages)
    return replace(delivery, messages=messages)


def _only_of(message: Message, buckets: Collection[str]) -> Message:
    strangers = tuple(
        _stranger(part)
        for part in message.parts
        if not isinstance(part, Malformed) and part.bucket and part.bucket not in buckets
    )
    return replace(message, parts=strangers) if strangers else message


def _stranger(part: Task | PassedOver) -> Malformed:
    told = f"the bucket {part.bucket} is not one of this function's (FFT_BUCKET, FFT_BUCKETS)"
    return Malformed(MalformedEvent(told), part.bucket, part.key)


def _parts(event: Json) -> Iterator[Part]:
    """Tasks of an event that is not itself a parcel of messages."""
    if event.get("Event") == "s3:TestEvent":
        bucket = event.get("Bucket")
        yield PassedOver("S3's test event", bucket if isinstance(bucket, str) else "")
    elif "detail-type" in event:
        yield _from_eventbridge(event)
    elif DIRECT_KEYS & event.keys():
        yield _direct(event)
    elif event.get("Type") == "Notification" and "Message" in event:
        yield from _enclosed(_text(event, "Message"), "Message")
    else:
        yield from _from_records(event)


def _from_records(event: Json) -> Iterator[Part]:
    records = event.get("Records")
    if not isinstance(records, list) or not records:
        raise MalformedEvent(
            "not an event that is understood: should be of S3, EventBridge, SQS, SNS or S3 Batch "
            'Operations, or {"bucket": …, "key": …}'
        )
    for index, entry in enumerate(records):
        place = f"Records[{index}]"
        record = _object(entry, place)
        if _source(record) == "aws:sns":
            yield from _enclosed(_text(record, "Sns.Message", place), f"{place}.Sns.Message")
        elif _source(record) == "aws:s3":
            yield _from_s3(record, place)
        else:
            raise MalformedEvent(
                f"{place}.eventSource is {_source(record)!r}, should be aws:s3 or aws:sns here"
            )


def _from_s3(record: Json, place: str) -> Part:
    version = _text(record, "eventVersion", place)
    if version.partition(".")[0] != "2":
        raise MalformedEvent(f"{place}.eventVersion is {version!r}, should be 2.x")
    name = _text(record, "eventName", place)
    bucket = _bucket(record, "s3.bucket.name", place)
    key = _decoded(_text(record, "s3.object.key", place), f"{place}.s3.object.key")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return PassedOver(f"{name} is not the creation of an object", bucket, key)
    etag = _text_or_nothing(record, "s3.object.eTag")
    return Task(
        bucket, key, announced=True, etag=etag, uploaded=_text_or_nothing(record, "eventTime")
    )


def _from_eventbridge(event: Json) -> Part:
    kind = _text(event, "detail-type")
    if event.get("source") != "aws.s3" or kind != "Object Created":
        return PassedOver(
            f"{event.get('source')!r} {kind!r} is not the creation of an object in S3"
        )
    bucket, key = _bucket(event, "detail.bucket.name"), _text(event, "detail.object.key")
    etag = _text_or_nothing(event, "detail.object.etag")
    return Task(bucket, key, announced=True, etag=etag, uploaded=_text_or_nothing(event, "time"))


def _direct(event: Json) -> Task:
    unknown = sorted(event.keys() - DIRECT_KEYS)
    if unknown:
        raise MalformedEvent(
            f"{', '.join(map(repr, unknown))}: unknown; known: bucket, key, recipe"
        )
    return Task(
        _bucket(event, "bucket"), _text(event, "key"), _overrides(event.get("recipe"), "recipe")
    )


def _enclosed(text: str, place: str) -> Iterator[Part]:
    """Tasks of an event that came as text inside another one."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise MalformedEvent(f"{place} is not JSON") from exc
    inner = _object(event, place)
    try:
        yield from _parts(inner)
    except MalformedEvent as exc:
        raise MalformedEvent(f"{place}: {exc}") from exc


def _message(entry: Any, index: int) -> Message:
    """One message of a queue; it must have an identifier, by which it is answered."""
    place = f"Records[{index}]"
    record = _object(entry, place)
    identifier = _text(record, "messageId", place)
    attributes = record.get("attributes")
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, Mapping) else None
    attempt = int(count) if isinstance(count, str) and _COUNT.fullmatch(count) else 1
    time = attributes.get("SentTimestamp") if isinstance(attributes, Mapping) else None
    sent = int(time) / 1000 if isinstance(time, str) and _TIME.fullmatch(time) else None
    try:
        parts = tuple(_enclosed(_text(record, "body", place), f"{place}.body"))
    except MalformedEvent as exc:
        return Message((Malformed(exc),), identifier, attempt)
    return Message(parts, identifier, attempt, sent)


def _batch(event: Json) -> Delivery:
    version = _text(event, "invocationSchemaVersion")
    if version not in ("1.0", "2.0"):
        raise MalformedEvent(f"invocationSchemaVersion is {version!r}, should be 1.0 or 2.0")
    _text(event, "invocationId")
    tasks = event["tasks"]
    if not isinstance(tasks, list) or not tasks:
        raise MalformedEvent("tasks should be a list of at least one task")
    job = event.get("job")
    overrides = _overrides(
        job.get("userArguments") if isinstance(job, Mapping) else None, "userArguments"
    )
    messages = tuple(_batch_task(entry, index, overrides) for index, entry in enumerate(tasks))
    return Delivery(Kind.BATCH, messages, event)


def _batch_task(entry: Any, index: int, overrides: Json) -> Message:
    place = f"tasks[{index}]"
    task = _object(entry, place)
    identifier = _text(task, "taskId", place)
    try:
        key = _decoded(_text(task, "s3Key", place), f"{place}.s3Key")
        if "s3Bucket" in task:
            bucket = _bucket(task, "s3Bucket", place)
        else:
            bucket = _bucket(task, "s3BucketArn", place)
    except MalformedEvent as exc:
        return Message((Malformed(exc),), identifier)
    return Message((Task(bucket, key, overrides),), identifier)


def _overrides(value: Any, place: str) -> Json:
    """What an event asks of the recipe, found to be possible."""
    if value is None:
        return {}
    try:
        overrides = entries(value) if isinstance(value, str) else value
        if isinstance(overrides, Mapping):
            Recipe.parse(overrides)
            return overrides
    except RecipeError as exc:
        raise MalformedEvent(f"{place}: {exc}") from exc
    raise MalformedEvent(f"{place} should be an object or text such as bits=16 crop=square")


def _comes_from(records: Sequence[Any], source: str) -> bool:
    return any(isinstance(record, Mapping) and _source(record) == source for record in records)


def _source(record: Json) -> Any:
    return record.get("eventSource", record.get("EventSource"))


def _decoded(key: str, place: str) -> str:
    """Undo the form encoding in which S3 sends keys."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as exc:
        raise MalformedEvent(f"{place} is not encoded UTF-8") from exc


def _object(value: Any, place: str) -> Json:
    if not isinstance(value, Mapping):
        raise MalformedEvent(f"{place} is {_kind_of(value)}, should be an object")
    return value


def _bucket(value: Json, path: str, place: str = "") -> str:
    """Name of a bucket, or the end of its ARN, checked to be a legal bucket name."""
    name = _ARN.sub("", _text(value, path, place), count=1)
    if not BUCKET_NAME.fullmatch(name):
        raise MalformedEvent(f"{place}.{path} is {name!r}, which no bucket is called".lstrip("."))
    return name


def _text(value: Json, path: str, place: str = "") -> str:
    """Text at a dotted path, which has to be there and not to be empty."""
    found: Any = value
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str) and found and _SURROGATE.search(found) is None:
        return found
    told = "is missing" if found is None else f"is {_kind_of(found)}, should be text"
    raise MalformedEvent(f"{place}.{path} {told}".lstrip("."))


def _text_or_nothing(value: Json, path: str) -> str:
    """Text at a dotted path; empty where there is none."""
    try:
        return _text(value, path)
    except MalformedEvent:
        return ""


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "not Unicode" if value else "empty"
    names = {bool: "true or false", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), "a number")
