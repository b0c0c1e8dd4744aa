"""Events and outputs through Amazon's own runtime client and an S3 server."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fft_tool.results import record as records
from tests.support.deliveries import (
    Event,
    batch,
    direct,
    encoded,
    eventbridge,
    handed_back,
    notification,
    queued,
    sample,
    sns,
    sns_in_queue,
)
from tests.support.deployed import IMAGE, OTHER, Deployed, made
from tests.support.faulty import BOMB, FAULTY, Faulty

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")
pytest_plugins = ["tests.support.deployed_fixtures"]

RECORDS = Draft202012Validator(records.schema())


# Every kind of event, and how its sender recognises success and rejection.

Make = Callable[[str, str], Event]


def _in_queue(make: Make) -> Make:
    return lambda bucket, key: queued(make(bucket, key))


def _by_sns(make: Make) -> Make:
    return lambda bucket, key: sns(make(bucket, key))


def _batch_2(bucket: str, key: str) -> Event:
    return batch(bucket, key, version=2)


QUEUES: dict[str, Make] = {
    "S3 in a queue": _in_queue(notification),
    "EventBridge in a queue": _in_queue(eventbridge),
    "SNS in a queue": lambda bucket, key: sns_in_queue(notification(bucket, key)),
}
BATCHES: dict[str, Make] = {"S3 Batch 1.0": batch, "S3 Batch 2.0": _batch_2}
OTHERS: dict[str, Make] = {
    "S3": notification,
    "EventBridge": eventbridge,
    "SNS": _by_sns(notification),
    "SNS with EventBridge": _by_sns(eventbridge),
}
KINDS = {**QUEUES, **BATCHES, **OTHERS, "direct": direct}


def verdict(kind: str, answer: Any) -> str:
    """The meaning of an answer about one object for this kind of sender."""
    if kind in QUEUES:
        return "again" if handed_back(answer) == ["m1"] else "done with"
    if kind in BATCHES:
        (result,) = answer["results"]
        assert result["taskId"] == "t1"
        return str(result["resultCode"])
    (result,) = answer["results"] if kind in OTHERS else [answer]
    return str(result["outcome"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_leads_to_an_analysis(deployed: Deployed, kind: str) -> None:
    deployed.upload("input/plants/forest.png")
    answer = deployed.send(KINDS[kind](deployed.bucket.name, "input/plants/forest.png"))
    assert verdict(kind, answer) in ("done", "done with", "Succeeded")
    assert deployed.outputs() == made("plants/forest.png")


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_of_sender_retries_a_bad_image(deployed: Deployed, kind: str) -> None:
    deployed.upload("input/bad.png", b"not an image")
    answer = deployed.send(KINDS[kind](deployed.bucket.name, "input/bad.png"))
    assert verdict(kind, answer) in ("rejected", "done with", "PermanentFailure")
    assert list(deployed.outputs()) == ["bad_metadata.json"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_deleted_object_is_not_a_failure(deployed: Deployed, kind: str) -> None:
    answer = deployed.send(KINDS[kind](deployed.bucket.name, "input/gone.png"))
    assert verdict(kind, answer) in ("missing", "done with", "PermanentFailure")
    assert deployed.outputs() == {}
    assert deployed.lines()[-1]["outcome"] == "missing"


# Outputs


def test_outputs_are_those_of_the_command_line_byte_for_byte(
    deployed: Deployed, by_command_line: dict[str, bytes]
) -> None:
    assert deployed.outputs_of_all() == by_command_line


def test_outputs_have_their_content_types_and_the_record_comes_last(deployed: Deployed) -> None:
    deployed.upload("input/a/forest.png", metadata={"spectrum": "yes"})
    answer = deployed.do("input/a/forest.png")
    base = "output/a/forest_"
    types = {name: deployed.bucket.head(name)["ContentType"] for name in answer["outputs"]}
    assert types == {
        f"{base}magnitude.png": "image/png",
        f"{base}phase.png": "image/png",
        f"{base}spectrum.npz": "application/x-npz",
        f"{base}metadata.json": "application/json",
    }
    assert deployed.gateway.keys("PUT")[-1] == f"{base}metadata.json"
    assert set(deployed.gateway.keys("PUT")) == set(types)


def test_a_direct_caller_gets_a_description_of_source_and_outputs(deployed: Deployed) -> None:
    deployed.upload("input/forest.png")
    answer = deployed.do("input/forest.png")
    record = deployed.record("forest")
    etag = deployed.bucket.head("input/forest.png")["ETag"]
    assert answer == {
        "bucket": deployed.bucket.name,
        "key": "input/forest.png",
        "outcome": "done",
        "outputs": answer["outputs"],
        "error": None,
        "reason": None,
        "source": {"bytes": len(IMAGE), "sha256": record["source"]["sha256"], "etag": etag},
        "width": 32,
        "height": 24,
    }
    assert not list(RECORDS.iter_errors(record))


def test_the_same_event_twice_gives_the_same_bytes(deployed: Deployed) -> None:
    deployed.upload("input/forest.png")
    event = queued(notification(deployed.bucket.name, "input/forest.png"))
    deployed.send(event)
    first = deployed.outputs()
    assert handed_back(deployed.send(event)) == []
    assert deployed.outputs() == first


KEYS = ["two words.png", "a+b.png", "100%.png", "%20+.png", "Ä/ß.png", "😀.png", "x" * 960 + ".png"]


@pytest.mark.parametrize("name", KEYS, ids=lambda name: name[:10])
def test_any_key_works_in_every_kind_of_event(deployed: Deployed, name: str) -> None:
    bucket, key = deployed.bucket.name, f"input/{name}"
    deployed.upload(key)
    for event in (notification(bucket, key), eventbridge(bucket, key)):
        assert deployed.send(event)["results"][0]["outcome"] == "done"
    assert deployed.do(key)["outcome"] == "done"
    assert set(deployed.outputs()) == set(made(name))


def test_a_key_whose_outputs_would_be_too_long_is_refused_with_the_reason(
    deployed: Deployed,
) -> None:
    key = "input/" + "x" * 1010 + ".png"
    deployed.upload(key)
    answer = deployed.do(key)
    assert answer["outcome"] == "rejected"
    assert "1,024" in answer["error"]["message"]
    assert deployed.gateway.keys("PUT") == []


# Recipes


def test_metadata_sets_the_recipe(deployed: Deployed) -> None:
    metadata = {"crop": "2,3,16,9", "window": "hann", "bits": "16", "smart-crop": "none"}
    deployed.upload("input/a.png", metadata=metadata)
    deployed.do("input/a.png")
    assert deployed.outputs() == made("a.png", recipe="crop=2,3,16,9 window=hann bits=16")


@pytest.mark.parametrize("recipe", [{"bits": 16, "window": "hann"}, "bits=16 window=hann"])
def test_a_callers_recipe_overrides_the_metadata(deployed: Deployed, recipe: Any) -> None:
    deployed.upload("input/a.png", metadata={"window": "tukey", "detrend": "mean"})
    deployed.do("input/a.png", recipe=recipe)
    assert deployed.outputs() == made("a.png", recipe="detrend=mean window=hann bits=16")


def test_arguments_of_a_batch_job_apply_to_all_its_objects(deployed: Deployed) -> None:
    keys = ["input/a.png", "input/b.png"]
    for key in keys:
        deployed.upload(key)
    arguments = {"bits": "16", "crop": "square"}
    answer = deployed.send(batch(deployed.bucket.name, *keys, version=2, arguments=arguments))
    assert [result["resultCode"] for result in answer["results"]] == ["Succeeded"] * 2
    recipe = "bits=16 crop=square"
    assert deployed.outputs() == made("a.png", recipe=recipe) | made("b.png", recipe=recipe)


def test_foreign_metadata_is_ignored(deployed: Deployed) -> None:
    deployed.upload("input/a.png", metadata={"mtime": "1763640000.5", "s3cmd-attrs": "uid:1000"})
    deployed.do("input/a.png")
    assert deployed.outputs() == made("a.png")


def test_a_bad_recipe_is_rejected_with_every_fault_named(deployed: Deployed) -> None:
    metadata = {"crop": "round", "bits": "12", "windows": "hann", "metadata": "no"}
    deployed.upload("input/a.png", metadata=metadata)
    answer = deployed.do("input/a.png")
    assert answer["outcome"] == "rejected"
    assert answer["error"]["code"] == "bad-recipe"
    for key, value in metadata.items():
        if key != "metadata":  # valid by itself, so it is reported only without other faults
            assert f"{key}={value!r}" in answer["error"]["message"]
    assert list(deployed.outputs()) == ["a_metadata.json"]
    assert deployed.record("a")["error"] == answer["error"]


def test_a_recipe_without_record_is_refused(deployed: Deployed) -> None:
    deployed.upload("input/a.png", metadata={"metadata": "no"})
    answer = deployed.do("input/a.png")
    assert answer["error"]["code"] == "bad-recipe"
    assert "metadata='no'" in answer["error"]["message"]


# Bad images


@pytest.mark.parametrize("faulty", FAULTY, ids=lambda faulty: faulty.name)
def test_a_faulty_image_is_rejected_without_outputs(deployed: Deployed, faulty: Faulty) -> None:
    key = f"input/folder/{faulty.name}"
    deployed.upload(key, faulty.data)
    answer = deployed.do(key)
    assert answer["outcome"] == "rejected"
    assert re.search(faulty.told, answer["error"]["message"])
    (name,) = deployed.outputs()
    record = deployed.record(
        f"folder/{name.removeprefix('folder/').removesuffix('_metadata.json')}"
    )
    assert not list(RECORDS.iter_errors(record))
    assert record["outcome"] == "rejected"
    assert record["error"] == answer["error"]
    assert record["artifacts"] == []
    assert record["source"]["name"] == f"folder/{faulty.name}"


def test_a_good_image_replaces_a_rejected_one(deployed: Deployed) -> None:
    deployed.upload("input/a.png", BOMB)
    deployed.do("input/a.png")
    deployed.upload("input/a.png", OTHER)
    deployed.do("input/a.png")
    assert deployed.outputs() == made("a.png", OTHER)


# Events that are not for the function


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("output/forest_magnitude.png", "result"),
        ("output/folder/", "result"),
        ("input/folder/", "folder"),
        ("elsewhere/a.png", "not below input/"),
        ("input", "not below input/"),
    ],
)
def test_other_keys_are_ignored_and_logged(deployed: Deployed, key: str, told: str) -> None:
    deployed.upload(key)
    before = deployed.bucket.keys()
    answer = deployed.send(queued(notification(deployed.bucket.name, key)))
    assert handed_back(answer) == []
    assert deployed.bucket.keys() == before
    assert deployed.gateway.asked == []
    (line,) = deployed.lines()
    assert (line["outcome"], line["key"]) == ("ignored", key)
    assert told in line["message"]


def test_results_are_never_analysed(deployed: Deployed) -> None:
    """Prevents an endless loop, even if every output triggers an event."""
    deployed.upload("input/a.png")
    deployed.do("input/a.png")
    after = deployed.outputs()
    keys = [f"output/{name}" for name in after]
    deployed.send(queued(*[notification(deployed.bucket.name, key) for key in keys]))
    assert deployed.outputs() == after
    assert {line["outcome"] for line in deployed.lines(len(keys))} == {"ignored"}


@pytest.mark.parametrize("name", ["s3_test", "eventbridge_deleted", "s3_removed"])
def test_other_events_of_s3_are_ignored_and_logged(deployed: Deployed, name: str) -> None:
    (result,) = deployed.send(sample(name))["results"]
    assert result["outcome"] == "ignored"
    assert handed_back(deployed.send(queued(sample(name)))) == []
    assert [line["outcome"] for line in deployed.lines(2)] == ["ignored", "ignored"]
    assert deployed.gateway.asked == []


# Malformed events

MALFORMED: dict[str, tuple[Any, str]] = {
    "empty": ({}, "not a supported event"),
    "null": (None, "the event is null, should be an object"),
    "list": ([], "the event is a list"),
    "no key": ({"bucket": "scans"}, "key is missing"),
    "number for a key": ({"bucket": "scans", "key": 7}, "key is a number, should be text"),
    "misspelt": ({"bucket": "scans", "key": "k", "recipes": {}}, "'recipes': unknown"),
    "bad recipe": ({"bucket": "scans", "key": "k", "recipe": {"bits": 9}}, "recipe: bits='9'"),
    "no records": ({"Records": []}, "not a supported event"),
    "other service": ({"Records": [{"eventSource": "aws:kinesis"}]}, "'aws:kinesis'"),
    "no identifier": (
        {"Records": [{"eventSource": "aws:sqs", "body": ""}]},
        "messageId is missing",
    ),
    "batch 3.0": ({"invocationSchemaVersion": "3.0", "tasks": []}, "'3.0', should be 1.0 or 2.0"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_event_is_refused_with_its_reason(deployed: Deployed, name: str) -> None:
    event, told = MALFORMED[name]
    kind, message = deployed.function.invoke(event).raised
    assert kind == "MalformedEvent"
    assert told in message


def test_events_of_another_major_version_are_refused(deployed: Deployed) -> None:
    event = notification(deployed.bucket.name, "input/a.png")
    event["Records"][0]["eventVersion"] = "3.0"
    assert "'3.0', should be 2.x" in deployed.function.invoke(event).raised[1]
    assert handed_back(deployed.send(queued(event))) == ["m1"]


def test_a_malformed_message_is_returned_and_the_others_are_done(deployed: Deployed) -> None:
    bucket = deployed.bucket.name
    deployed.upload("input/a.png")
    bodies = ("Hello", '{"Records": 1}', notification(bucket, "input/a.png"), "[]")
    assert handed_back(deployed.send(queued(*bodies))) == ["m1", "m2", "m4"]
    assert deployed.outputs() == made("a.png")
    lines = deployed.lines(4)
    assert [line["outcome"] for line in lines] == ["failed", "failed", "done", "failed"]
    assert {line["error"]["code"] for line in lines if line["error"]} == {"malformed-event"}


def test_a_malformed_task_of_a_batch_fails_permanently_and_the_others_are_done(
    deployed: Deployed,
) -> None:
    deployed.upload("input/a.png")
    event = batch(deployed.bucket.name, "input/a.png", "input/b.png")
    event["tasks"][1]["s3Key"] = "%FF"
    codes = [result["resultCode"] for result in deployed.send(event)["results"]]
    assert codes == ["Succeeded", "PermanentFailure"]


def test_a_batch_is_answered_in_the_form_that_s3_expects(deployed: Deployed) -> None:
    deployed.upload("input/a b.png")
    deployed.upload("input/bad.png", b"")
    event = batch(deployed.bucket.name, "input/a b.png", "input/bad.png", "input/gone.png")
    assert event["tasks"][0]["s3Key"] == encoded("input/a b.png") == "input/a+b.png"
    answer = deployed.send(event)
    results = answer.pop("results")
    assert answer == {
        "invocationSchemaVersion": "1.0",
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": event["invocationId"],
    }
    assert [set(result) for result in results] == [{"taskId", "resultCode", "resultString"}] * 3
    assert [result["taskId"] for result in results] == ["t1", "t2", "t3"]
    assert "output/a b_metadata.json" in results[0]["resultString"]
    assert results[1]["resultString"] == "rejected: empty-image: the file is empty"
