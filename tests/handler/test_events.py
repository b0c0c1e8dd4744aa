"""Events of every kind, intact and damaged, are parsed into one form or refused with a reason."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fft_tool.recipe import KEYS
from handler.errors import MalformedEvent
from handler.events import (
    Delivery,
    Kind,
    Malformed,
    Message,
    Part,
    PassedOver,
    Task,
    parse,
    restrict_to,
)
from tests.support.deliveries import queued, sample
from tests.support.samples import BUCKET, NAMES, call, job, put

Path = tuple[str | int, ...]

PASSED = "passed over"
MALFORMED = "malformed"
LEAF = "input/oak leaf.png"


def task(key: str, **recipe: Any) -> Task:
    return Task(BUCKET, key, recipe)


def upload(key: str) -> Task:
    """A task that comes from the event of an upload."""
    return Task(BUCKET, key, announced=True)


# Expected parts of each message of each sample.
EXPECTED: dict[str, tuple[Kind, list[list[Any]]]] = {
    "s3_put": (Kind.NOTIFICATION, [[upload("input/oak.png")]]),
    "s3_multipart": (Kind.NOTIFICATION, [[upload("input/Wiesengrün/Großes Ä + 50%.png")]]),
    "s3_several": (
        Kind.NOTIFICATION,
        [[upload("input/ferns/1.tif"), PASSED, upload("input/ferns/🌿.png")]],
    ),
    "s3_removed": (Kind.NOTIFICATION, [[PASSED]]),
    "s3_test": (Kind.NOTIFICATION, [[PASSED]]),
    "eventbridge_created": (Kind.NOTIFICATION, [[upload("input/a+b %20 Grün.png")]]),
    "eventbridge_deleted": (Kind.NOTIFICATION, [[PASSED]]),
    "sns": (Kind.NOTIFICATION, [[upload(LEAF)]]),
    "sqs_s3": (Kind.QUEUE, [[upload(LEAF)]]),
    "sqs_s3_test": (Kind.QUEUE, [[PASSED]]),
    "sqs_eventbridge": (Kind.QUEUE, [[upload("input/oak+leaf.png")]]),
    "sqs_sns": (Kind.QUEUE, [[upload(LEAF)]]),
    "sqs_several": (
        Kind.QUEUE,
        [
            [upload("input/1.png")],
            [MALFORMED],
            [upload("input/3.png"), upload("input/4.png")],
            [PASSED],
        ],
    ),
    "batch_1": (Kind.BATCH, [[task("input/oak leaf+1.png")]]),
    "batch_2": (
        Kind.BATCH,
        [
            [task(LEAF, bits="16", crop="square")],
            [task("input/Moos & Flechte.png", bits="16", crop="square")],
        ],
    ),
    "direct": (Kind.DIRECT, [[task("input/a+b %20.png")]]),
    "direct_recipe_object": (
        Kind.DIRECT,
        [[task("input/oak.png", crop="10,10,200,200", bits=16, phase=False)]],
    ),
    "direct_recipe_text": (
        Kind.DIRECT,
        [[task("input/oak.png", crop="square", bits="16", window="hann")]],
    ),
}


def summary_of(part: Part) -> Any:
    if isinstance(part, Task):
        return part
    return PASSED if isinstance(part, PassedOver) else MALFORMED


def malformed(event: Any) -> str:
    """The error message of an event that is refused."""
    with pytest.raises(MalformedEvent) as caught:
        parse(event)
    return str(caught.value)


def only_part(event: Any) -> Part:
    ((part,),) = (message.parts for message in parse(event).messages)
    return part


# Allowed buckets


@pytest.mark.parametrize("buckets", [set(), {BUCKET}, {"another", BUCKET}])
@pytest.mark.parametrize("name", NAMES)
def test_events_of_allowed_buckets_are_unchanged(name: str, buckets: set[str]) -> None:
    delivery = parse(sample(name))
    assert restrict_to(delivery, buckets) == delivery


@pytest.mark.parametrize("name", NAMES)
def test_another_bucket_is_refused_in_every_kind_of_event(name: str) -> None:
    delivery = parse(sample(name))
    refused = restrict_to(delivery, {"another"})
    assert (refused.kind, refused.envelope) == (delivery.kind, delivery.envelope)
    for message, before in zip(refused.messages, delivery.messages, strict=True):
        assert (message.identifier, message.attempt) == (before.identifier, before.attempt)
        if not any(part.bucket for part in before.parts):
            assert message == before
            continue
        for part in message.parts:
            assert isinstance(part, Malformed)
            assert part.bucket == BUCKET
            assert "herbarium-scans is not one of this function's (FFT_BUCKET" in str(part.error)


def test_a_message_about_two_buckets_is_refused_as_a_whole() -> None:
    event = put("input/1.png", "input/2.png")
    event["Records"][1]["s3"]["bucket"]["name"] = "stranger"
    (message,) = restrict_to(parse(event), {BUCKET}).messages
    (part,) = message.parts
    assert isinstance(part, Malformed)
    assert (part.bucket, part.key) == ("stranger", "input/2.png")


def test_names_of_buckets_are_compared_exactly() -> None:
    delivery = parse({"bucket": f"{BUCKET}.", "key": "input/a.png"})
    ((part,),) = (message.parts for message in restrict_to(delivery, {BUCKET}).messages)
    assert isinstance(part, Malformed)


# The samples


def test_samples_and_expectations_correspond() -> None:
    assert set(NAMES) == set(EXPECTED)


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_is_parsed_into_the_expected_parts(name: str) -> None:
    delivery = parse(sample(name))
    found = [[summary_of(part) for part in message.parts] for message in delivery.messages]
    assert (delivery.kind, found) == EXPECTED[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("sqs")])
def test_the_hashes_in_samples_of_queues_are_right(name: str) -> None:
    """SQS sends the MD5 of each body, which would not match if a sample were edited carelessly."""
    for record in sample(name)["Records"]:
        body = record["body"].encode()
        assert record["md5OfBody"] == hashlib.md5(body).hexdigest()  # noqa: S324  (SQS's own choice)


def test_messages_keep_the_identifiers_of_their_sender() -> None:
    for name, list_of, identifier in (
        ("sqs_several", "Records", "messageId"),
        ("batch_2", "tasks", "taskId"),
    ):
        event = sample(name)
        names = [message.identifier for message in parse(event).messages]
        assert names == [entry[identifier] for entry in event[list_of]]


def test_attempts_are_taken_from_the_receive_count() -> None:
    assert [message.attempt for message in parse(sample("sqs_several")).messages] == [2, 1, 1, 1]
    assert [message.attempt for message in parse(sample("sqs_eventbridge")).messages] == [3]


@pytest.mark.parametrize("count", [None, "", "many", "-1", "1.5", 3, [], "9" * 5000])
def test_an_invalid_receive_count_means_the_first_attempt(count: Any) -> None:
    event = queued(put(LEAF))
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = count
    (message,) = parse(event).messages
    assert message.attempt == 1
    assert message.parts == (upload(LEAF),)


def test_a_passed_over_part_has_a_reason_bucket_and_key() -> None:
    removed = only_part(sample("s3_removed"))
    assert isinstance(removed, PassedOver)
    assert "ObjectRemoved:DeleteMarkerCreated" in removed.reason
    assert (removed.bucket, removed.key) == (BUCKET, "input/oak.png")
    test = only_part(sample("s3_test"))
    assert isinstance(test, PassedOver)
    assert "test event" in test.reason
    assert test.bucket == BUCKET
    deleted = only_part(sample("eventbridge_deleted"))
    assert isinstance(deleted, PassedOver)
    assert "Object Deleted" in deleted.reason


def test_a_malformed_message_does_not_affect_the_others() -> None:
    delivery = parse(queued(put("input/1.png"), "{", put("input/2.png")))
    first, second, third = (message.parts for message in delivery.messages)
    assert (first, third) == ((upload("input/1.png"),), (upload("input/2.png"),))
    (part,) = second
    assert isinstance(part, Malformed)
    assert str(part.error) == "Records[1].body is not JSON"


def test_a_malformed_task_of_a_batch_does_not_affect_the_others() -> None:
    event = job("input/1.png", "input/2.png")
    event["tasks"][0]["s3Key"] = "input/%ff.png"
    first, second = parse(event).messages
    assert isinstance(first.parts[0], Malformed)
    assert first.identifier == "t1"
    assert second.parts == (task("input/2.png"),)


# Keys

keys = st.text(min_size=1)


@given(keys)
@settings(deadline=None)
@example("a+b")
@example("%20")
@example("100% & more/ä ö ü/😀\x00\x7f+.png")
def test_any_key_is_decoded_from_a_notification(key: str) -> None:
    assert only_part(put(key)) == upload(key)
    assert only_part(job(key)) == task(key)
    assert only_part(queued(put(key))) == upload(key)


@given(keys)
@settings(deadline=None)
@example("a+b")
@example("%20")
@example("%C3%BC")
def test_keys_of_eventbridge_and_direct_calls_are_not_decoded(key: str) -> None:
    event = sample("eventbridge_created")
    event["detail"]["object"]["key"] = key
    assert only_part(event) == upload(key)
    assert only_part(queued(event)) == upload(key)
    assert only_part(call(key)) == task(key)


@pytest.mark.parametrize("key", ["%ff", "%C3", "%ED%A0%80"])
def test_a_key_that_is_not_utf_8_is_refused(key: str) -> None:
    event = put("x")
    event["Records"][0]["s3"]["object"]["key"] = key
    assert malformed(event) == "Records[0].s3.object.key is not URL-encoded UTF-8"


@pytest.mark.parametrize("place", ["bucket", "key"])
def test_an_unpaired_surrogate_is_refused(place: str) -> None:
    """JSON can express it, but UTF-8 cannot, so no store, log or answer could contain it."""
    assert place in malformed(call("input/a.png") | {place: "x\ud800"})
    (message,) = parse(queued(call("input/a.png") | {place: "x\ud800"})).messages
    assert isinstance(message.parts[0], Malformed)


# Required fields


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.6", "2.10", "2.99"])
def test_every_minor_version_of_s3_events_is_accepted(version: str) -> None:
    event = put("input/a.png")
    event["Records"][0]["eventVersion"] = version
    assert only_part(event) == upload("input/a.png")


@pytest.mark.parametrize("version", ["1.0", "3.0", "20.1", "", "two", "x2.1", 2.1, None])
def test_another_major_version_is_refused(version: Any) -> None:
    event = put("input/a.png")
    event["Records"][0]["eventVersion"] = version
    assert "Records[0].eventVersion" in malformed(event)


@pytest.mark.parametrize("version", ["1.5", "3.0", "", None, 1.0])
def test_another_version_of_batch_operations_is_refused(version: Any) -> None:
    event = job("input/a.png")
    event["invocationSchemaVersion"] = version
    assert "invocationSchemaVersion" in malformed(event)


@pytest.mark.parametrize("identifier", [None, "", 7])
def test_a_batch_without_an_identifier_is_refused(identifier: Any) -> None:
    event = job("input/a.png")
    event["invocationId"] = identifier
    assert malformed(event).startswith("invocationId is ")


@pytest.mark.parametrize(
    "name",
    ["ObjectCreated:Put", "s3:ObjectCreated:Put", "ObjectCreated:Copy", "ObjectCreated:New"],
)
def test_every_kind_of_object_creation_is_a_task(name: str) -> None:
    event = put("input/a.png")
    event["Records"][0]["eventName"] = name
    assert only_part(event) == upload("input/a.png")


@pytest.mark.parametrize(
    "name", ["ObjectTagging:Put", "LifecycleExpiration:Delete", "ObjectRestore:Completed", "Put"]
)
def test_any_other_s3_event_is_passed_over(name: str) -> None:
    event = put("input/a.png")
    event["Records"][0]["eventName"] = name
    assert isinstance(only_part(event), PassedOver)


@pytest.mark.parametrize("source", ["aws.s3control", "my.app", None, 7])
def test_events_of_other_sources_on_the_bus_are_passed_over(source: Any) -> None:
    event = sample("eventbridge_created")
    event["source"] = source
    assert isinstance(only_part(event), PassedOver)


def test_a_message_without_an_identifier_is_refused() -> None:
    event = queued(put("input/1.png"), put("input/2.png"))
    del event["Records"][1]["messageId"]
    assert malformed(event) == "Records[1].messageId is missing"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("s3BucketArn", "arn:aws:s3:::"),
        ("s3BucketArn", "arn:aws:s3:eu-central-1:210987654321:accesspoint/scans"),
        ("s3Bucket", "scans/input"),
        ("s3Bucket", ""),
        ("s3Key", ""),
    ],
)
def test_a_batch_task_without_bucket_or_key_is_malformed(place: str, text: str) -> None:
    event = job("input/a.png")
    event["tasks"][0][place] = text
    part = only_part(event)
    assert isinstance(part, Malformed)
    assert f"tasks[0].{place}" in str(part.error)


@pytest.mark.parametrize("bucket", ["scans/input", "/", "../x"])
def test_a_bucket_name_cannot_be_a_path(bucket: str) -> None:
    assert "bucket" in malformed({"bucket": bucket, "key": "a.png"})


def test_unknown_keys_of_a_direct_call_are_reported() -> None:
    told = malformed(call("input/a.png", receipe="bits=16", Crop="square"))
    assert "'Crop', 'receipe'" in told
    assert "bucket, key, recipe" in told


@pytest.mark.parametrize(
    ("recipe", "told"),
    [
        ("bits=12 crop=x", ["bits='12'", "crop='x'"]),
        ({"bits": 12, "colr": True}, ["bits='12'", "colr='yes'"]),
        ("bits", ["bits", "key=value"]),
        ("bits=8 bits=16", ["bits", "twice"]),
        ({"crop": "square", "smart-crop": "5,5"}, ["smart-crop", "cannot be combined with crop"]),
        ({"crop": {"x": 1}}, ["crop"]),
        (["bits=16"], ["recipe should be"]),
        (16, ["recipe should be"]),
        (True, ["recipe should be"]),
    ],
)
def test_an_event_with_an_invalid_recipe_is_refused(recipe: Any, told: list[str]) -> None:
    message = malformed(call("input/a.png", recipe=recipe))
    assert "recipe" in message
    for word in told:
        assert word in message
    if isinstance(recipe, dict):
        event = sample("batch_2")
        event["job"]["userArguments"] = recipe
        assert "userArguments" in malformed(event)


@pytest.mark.parametrize("recipe", [None, {}, ""])
def test_an_event_without_a_recipe_overrides_nothing(recipe: Any) -> None:
    assert only_part(call("input/a.png", recipe=recipe)) == task("input/a.png")


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"hello": "world"},
        {"Records": []},
        {"Records": {}},
        {"Type": "SubscriptionConfirmation", "Message": "{}"},
        {"version": "2.0", "routeKey": "$default", "rawPath": "/", "body": "{}"},
    ],
)
def test_an_unsupported_event_is_refused_with_the_supported_kinds(event: Any) -> None:
    told = malformed(event)
    for word in ("S3", "EventBridge", "SQS", "SNS", "Batch", '{"bucket"'):
        assert word in told


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (None, "key is missing"),
        ("", "key is empty"),
        (7, "key is a number, should be text"),
        (True, "key is true or false, should be text"),
        (["a.png"], "key is a list, should be text"),
        ({"name": "a.png"}, "key is an object, should be text"),
    ],
)
def test_a_value_that_is_not_text_is_reported_with_its_type(key: Any, told: str) -> None:
    assert malformed(call("") | {"key": key}).startswith(told)


@pytest.mark.parametrize("event", [None, True, 7, 1.5, "text", [], [{}]])
def test_an_event_that_is_not_an_object_is_refused(event: Any) -> None:
    assert malformed(event).startswith("the event is ")


def test_a_fault_in_an_enclosed_event_is_reported_with_its_path() -> None:
    inner = put("input/a.png")
    inner["Records"][0]["s3"]["object"] = {}
    event = sample("sns")
    event["Records"].append(json.loads(json.dumps(event["Records"][0])))
    event["Records"][1]["Sns"]["Message"] = json.dumps(inner)
    outer, place = "Records[1].Sns.Message", "Records[0].s3.object.key is missing"
    assert malformed(event) == f"{outer}: {place}"
    second = parse(queued(put("input/b.png"), inner)).messages[1].parts[0]
    assert isinstance(second, Malformed)
    assert str(second.error) == f"Records[1].body: {place}"


# Damage

DROPPED = object()
DAMAGES: tuple[Any, ...] = (DROPPED, None, True, 7, -0.5, "", "text", [], [7], {})

# The fields that the parser reads. Damage to any other makes no difference.
LOOKED_AT = {
    *("Records", "eventSource", "EventSource", "eventVersion", "eventName"),
    *("s3", "bucket", "name", "object", "key", "eTag", "etag"),
    *("eventTime", "time", "SentTimestamp"),
    *("Event", "Bucket"),
    *("detail-type", "source", "detail"),
    *("messageId", "body", "attributes", "ApproximateReceiveCount"),
    *("Type", "Message", "Sns"),
    *("invocationSchemaVersion", "invocationId", "job", "userArguments"),
    *("tasks", "taskId", "s3Key", "s3Bucket", "s3BucketArn"),
    *("recipe", *(key.name for key in KEYS)),
}


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Paths of all values in an event, including JSON enclosed as text."""
    yield path
    if isinstance(value, str) and path and path[-1] in ("body", "Message"):
        value = json.loads(value) if value.startswith("{") else None
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


def damaged(value: Any, path: Path, damage: Any) -> Any:
    """A copy with a different value at a path, or with none."""
    if not path:
        return damage
    if isinstance(value, str):
        return json.dumps(damaged(json.loads(value), path, damage))
    changed = copy.copy(value)
    if len(path) == 1 and damage is DROPPED:
        del changed[path[0]]
    else:
        changed[path[0]] = damaged(value[path[0]], path[1:], damage)
    return changed


def complaints(event: Any) -> list[str]:
    """Error messages of an event and of its messages; no other errors may occur."""
    try:
        delivery = parse(event)
    except MalformedEvent as exc:
        return [str(exc)]
    return [
        str(part.error)
        for message in delivery.messages
        for part in message.parts
        if isinstance(part, Malformed)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_reported_with_its_path_or_makes_no_difference(name: str) -> None:
    event = sample(name)
    before = complaints(event)
    for path in places(event):
        names = [step for step in path if isinstance(step, str)]
        for damage in DAMAGES[1 if not path else 0 :]:
            for told in complaints(damaged(event, path, damage)):
                known = told in before or "not a supported event" in told
                place = names[-1] if names else "the event"
                assert known or place.lower() in told.lower(), (path, damage, told)


@pytest.mark.parametrize("name", NAMES)
def test_unread_fields_make_no_difference(name: str) -> None:
    event = sample(name)
    messages = parse(event).messages
    looked_at = {path for path in places(event) if path and path[-1] in LOOKED_AT}
    for path in places(event):
        if path and isinstance(path[-1], str) and path not in looked_at:
            for damage in DAMAGES:
                assert same(parse(damaged(event, path, damage)).messages, messages), path


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("direct")])
def test_additional_fields_make_no_difference(name: str) -> None:
    event = sample(name)
    messages = parse(event).messages
    for path in places(event):
        found = at(event, path)
        if isinstance(found, dict) and "userArguments" not in path:
            extended = damaged(event, path, {**found, "new-field": {"a": [1]}})
            assert same(parse(extended).messages, messages), path


def at(value: Any, path: Path) -> Any:
    """The value at a path."""
    for step in path:
        value = (json.loads(value) if isinstance(value, str) else value)[step]
    return value


def same(some: tuple[Message, ...], others: tuple[Message, ...]) -> bool:
    """Whether messages are equal, with errors compared by their text."""
    return repr(some) == repr(others)


# Arbitrary JSON

WORDS = st.sampled_from(
    [
        *("aws:s3", "aws:sqs", "aws:sns", "aws.s3", "Object Created", "Notification"),
        *("2.1", "1.0", "2.0", "s3:TestEvent", "ObjectCreated:Put", "a%20b", "%ff", "bits=16"),
        *(json.dumps(sample(name)) for name in ("s3_put", "s3_test", "eventbridge_created")),
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | WORDS


def grown(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(sorted(LOOKED_AT)) | st.text()
    return st.lists(children, max_size=3) | st.dictionaries(names, children, max_size=6)


@given(st.recursive(LEAVES, grown, max_leaves=30))
@settings(max_examples=200, deadline=None)
def test_any_json_is_parsed_or_refused_with_a_reason(event: Any) -> None:
    for told in complaints(event):
        assert told


@given(st.recursive(LEAVES, grown, max_leaves=10).map(json.dumps) | st.text())
@settings(max_examples=100, deadline=None)
def test_the_body_of_a_message_affects_only_that_message(body: str) -> None:
    delivery = parse(queued(body, put(LEAF)))
    assert delivery.messages[1].parts == (upload(LEAF),)
    assert isinstance(delivery, Delivery)


@pytest.mark.parametrize("depth", [1, 5, 12])
def test_nested_events_are_unpacked(depth: int) -> None:
    event = put(LEAF)
    for _ in range(depth):
        event = {"Type": "Notification", "Message": json.dumps(event)}
    assert only_part(event) == upload(LEAF)
    assert only_part(queued(event)) == upload(LEAF)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "1" * 10_000])
def test_hostile_json_is_refused(text: str) -> None:
    (message,) = parse(queued(text)).messages
    assert isinstance(message.parts[0], Malformed)


# The version that an event is about


@pytest.mark.parametrize(
    ("name", "etag"),
    [
        ("sqs_s3", "35ef510cead117c1cf0773cf65a3b319"),
        ("sqs_sns", "fe89157f5445ec04c1559644146c3dc5"),
    ],
)
def test_the_etag_of_an_event_is_read(name: str, etag: str) -> None:
    (message,) = parse(sample(name)).messages
    (part,) = message.parts
    assert isinstance(part, Task)
    assert part.etag == etag
    assert message.is_new(part)


@pytest.mark.parametrize(
    ("changes", "new"),
    [
        ({}, True),
        ({"SentTimestamp": "1795166057000"}, True),  # 9.6 s after the upload
        ({"SentTimestamp": "1795166058000"}, False),
        ({"SentTimestamp": "1795166000000"}, False),
        ({"SentTimestamp": "soon"}, False),
        ({"SentTimestamp": None}, False),
        ({"ApproximateReceiveCount": "2"}, False),
    ],
)
def test_a_message_is_new_if_delivered_once_and_sent_soon_after_the_upload(
    changes: dict[str, Any], new: bool
) -> None:
    event = sample("sqs_s3")
    event["Records"][0]["attributes"] |= changes
    (message,) = parse(event).messages
    (part,) = message.parts
    assert isinstance(part, Task)
    assert message.is_new(part) is new


@pytest.mark.parametrize("time", ["", "yesterday", None, 7, "0001-01-01T00:00:00"])
def test_a_message_without_a_time_of_the_upload_is_not_new(time: Any) -> None:
    event = put(LEAF)
    event["Records"][0]["eventTime"] = time
    (message,) = parse(queued(event)).messages
    (part,) = message.parts
    assert isinstance(part, Task)
    assert not message.is_new(part)
