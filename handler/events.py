"""Events of every kind that reaches the function, parsed into one internal form.

A *delivery* is the content of one invocation: messages, each of which succeeds or fails on its own.
A message has parts: *tasks*, parts that are *passed over*, and *malformed* parts, with the reason.
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

SOON = 10.0  # seconds; S3 usually sends the event of an upload earlier

DIRECT_KEYS = {"bucket", "key", "recipe"}
ITEMS = "Items"  # in the event of a Distributed Map, which handler/items.py parses
SKIP_EXISTING = "skip-existing"  # among the arguments of a job of S3 Batch Operations
_ARN = re.compile(r"arn:[a-z0-9-]+:s3:::")
_SURROGATE = re.compile(r"[\ud800-\udfff]")  # unpaired surrogates, which JSON allows
_COUNT = re.compile(r"[0-9]{1,9}")
_TIME = re.compile(r"[0-9]{1,15}")  # milliseconds


class Kind(Enum):
    """Who called, which determines the form of the answer."""

    DIRECT = "direct"
    NOTIFICATION = "notification"  # S3, EventBridge or SNS, without a queue in between
    QUEUE = "queue"
    BATCH = "batch"
    ITEMS = "items"  # a Distributed Map of Step Functions


@dataclass(frozen=True, slots=True)
class Task:
    """One object to be analysed; ``recipe`` overrides its metadata.

    With ``skip_existing``, nothing is done if its results are there.

    ``announced`` is True if the task comes from the event of an upload, so that every later upload
    has an event of its own. ``etag`` and ``uploaded`` (ISO 8601) describe the version that the
    event is about, where it says so; they do not change what has to be done.
    """

    bucket: str
    key: str
    recipe: Json = field(default_factory=dict)
    announced: bool = False
    skip_existing: bool = False
    etag: str = field(default="", compare=False)
    uploaded: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A part that is not for this function, and why; ``bucket`` and ``key`` if it has them."""

    reason: str
    bucket: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Malformed:
    """A part that cannot be parsed, and why."""

    error: MalformedEvent
    bucket: str = ""
    key: str = ""


Part = Task | PassedOver | Malformed


@dataclass(frozen=True, slots=True)
class Message:
    """The unit of success and failure: all its parts are done, or all are delivered again.

    ``identifier`` is the sender's; ``attempt`` counts deliveries, 1 if the sender does not;
    ``sent`` is when it entered its queue, in seconds since the epoch.
    """

    parts: tuple[Part, ...]
    identifier: str = ""
    attempt: int = 1
    sent: float | None = None

    def is_new(self, task: Task) -> bool:
        """Whether this message cannot have been processed before.

        The deliveries of a message that was moved back from the dead-letter queue are counted from
        1 again, but it was sent long after the upload.
        """
        if self.attempt > 1 or self.sent is None:
            return False
        try:
            uploaded = datetime.fromisoformat(task.uploaded).timestamp()
        except (ValueError, OverflowError, OSError):  # no time, or none of this era
            return False
        return -SOON <= self.sent - uploaded <= SOON


@dataclass(frozen=True, slots=True)
class Delivery:
    """The content of one invocation; ``envelope`` holds what the answer has to repeat."""

    kind: Kind
    messages: tuple[Message, ...]
    envelope: Json = field(default_factory=dict)


def parse(event: Any) -> Delivery:
    """Parse an event of any kind; :class:`MalformedEvent` says what is wrong with it."""
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


def restrict_to(delivery: Delivery, buckets: Collection[str]) -> Delivery:
    """Refuse messages that name any other bucket; an empty list allows every bucket.

    The function's role may allow more than is intended, and a sender of events may have no rights
    to the bucket at all. As with every other fault, a message is refused as a whole.
    """
    if not buckets:
        return delivery
    messages = tuple(_restrict(message, buckets) for message in delivery.messages)
    return replace(delivery, messages=messages)


def _restrict(message: Message, buckets: Collection[str]) -> Message:
    foreign = tuple(
        _foreign(part)
        for part in message.parts
        if not isinstance(part, Malformed) and part.bucket and part.bucket not in buckets
    )
    return replace(message, parts=foreign) if foreign else message


def _foreign(part: Task | PassedOver) -> Malformed:
    fault = f"the bucket {part.bucket} is not one of this function's (FFT_BUCKET, FFT_BUCKETS)"
    return Malformed(MalformedEvent(fault), part.bucket, part.key)


def _parts(event: Json) -> Iterator[Part]:
    """Parts of an event that is not a batch of messages."""
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
            "not a supported event: should come from S3, EventBridge, SQS, SNS or S3 Batch "
            'Operations, or be {"bucket": …, "key": …}'
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
    bucket = bucket_in(record, "s3.bucket.name", place)
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
            f"{event.get('source')!r} {kind!r} is not the creation of an object in S3",
            _text_or_nothing(event, "detail.bucket.name"),
            _text_or_nothing(event, "detail.object.key"),
        )
    bucket, key = bucket_in(event, "detail.bucket.name"), _text(event, "detail.object.key")
    etag = _text_or_nothing(event, "detail.object.etag")
    return Task(bucket, key, announced=True, etag=etag, uploaded=_text_or_nothing(event, "time"))


def _direct(event: Json) -> Task:
    unknown = sorted(event.keys() - DIRECT_KEYS)
    if unknown:
        raise MalformedEvent(
            f"{', '.join(map(repr, unknown))}: unknown; known: bucket, key, recipe"
        )
    return Task(
        bucket_in(event, "bucket"), _text(event, "key"), overrides(event.get("recipe"), "recipe")
    )


def _enclosed(text: str, place: str) -> Iterator[Part]:
    """Parts of an event that is enclosed in another one as text."""
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
    """One message of a queue; it must have an identifier, which the answer refers to."""
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
    arguments = job.get("userArguments") if isinstance(job, Mapping) else None
    skip = isinstance(arguments, Mapping) and arguments.get(SKIP_EXISTING) == "yes"
    if isinstance(arguments, Mapping):
        arguments = {name: value for name, value in arguments.items() if name != SKIP_EXISTING}
    wanted = Task("", "", overrides(arguments, "userArguments"), skip_existing=skip)
    messages = tuple(_batch_task(entry, index, wanted) for index, entry in enumerate(tasks))
    return Delivery(Kind.BATCH, messages, event)


def _batch_task(entry: Any, index: int, wanted: Task) -> Message:
    place = f"tasks[{index}]"
    task = _object(entry, place)
    identifier = _text(task, "taskId", place)
    try:
        key = _decoded(_text(task, "s3Key", place), f"{place}.s3Key")
        if "s3Bucket" in task:
            bucket = bucket_in(task, "s3Bucket", place)
        else:
            bucket = bucket_in(task, "s3BucketArn", place)
    except MalformedEvent as exc:
        return Message((Malformed(exc),), identifier)
    return Message((replace(wanted, bucket=bucket, key=key),), identifier)


def overrides(value: Any, place: str) -> Json:
    """Keys of the recipe that an event sets, checked to be valid."""
    if value is None:
        return {}
    try:
        given = entries(value) if isinstance(value, str) else value
        if isinstance(given, Mapping):
            Recipe.parse(given, base=Recipe(metadata=True))  # as every recipe is here
            return given
    except RecipeError as exc:
        raise MalformedEvent(f"{place}: {exc}") from exc
    raise MalformedEvent(f"{place} should be an object or text such as bits=16 crop=square")


def _comes_from(records: Sequence[Any], source: str) -> bool:
    return any(isinstance(record, Mapping) and _source(record) == source for record in records)


def _source(record: Json) -> Any:
    return record.get("eventSource", record.get("EventSource"))


def _decoded(key: str, place: str) -> str:
    """Undo the URL encoding in which S3 sends keys."""
    try:
        return unquote_plus(key, errors="strict")
    except UnicodeDecodeError as exc:
        raise MalformedEvent(f"{place} is not URL-encoded UTF-8") from exc


def _object(value: Any, place: str) -> Json:
    if not isinstance(value, Mapping):
        raise MalformedEvent(f"{place} is {_kind_of(value)}, should be an object")
    return value


def bucket_in(value: Json, path: str, place: str = "") -> str:
    """Name of a bucket, also from its ARN, checked to be a valid bucket name."""
    name = _ARN.sub("", _text(value, path, place), count=1)
    if not BUCKET_NAME.fullmatch(name):
        raise MalformedEvent(f"{place}.{path} is {name!r}, not a valid bucket name".lstrip("."))
    return name


def _text(value: Json, path: str, place: str = "") -> str:
    """Text at a dotted path, which must exist and must not be empty."""
    found: Any = value
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str) and found and _SURROGATE.search(found) is None:
        return found
    fault = "is missing" if found is None else f"is {_kind_of(found)}, should be text"
    raise MalformedEvent(f"{place}.{path} {fault}".lstrip("."))


def _text_or_nothing(value: Json, path: str) -> str:
    """Text at a dotted path; empty if there is none."""
    try:
        return _text(value, path)
    except MalformedEvent:
        return ""


def _kind_of(value: Any) -> str:
    if isinstance(value, str):
        return "not Unicode" if value else "empty"
    names = {bool: "true or false", list: "a list", dict: "an object"}
    return "null" if value is None else names.get(type(value), "a number")
