"""Answers to every kind of caller, and the error codes of this door."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest

from fft_tool import errors as core
from fft_tool.errors import CorruptImage, FftToolError, NotAllowed, NotFound, StoreUnavailable
from handler import errors
from handler.answers import answer
from handler.errors import KeyTooLong, MalformedEvent, OutOfTime, Overwritten
from handler.events import Delivery, Kind, Malformed, Message, PassedOver, Task, parse
from handler.result import Outcome, Result
from tests.support.deliveries import handed_back, sample
from tests.support.samples import job

TASK = Task("scans", "input/a.png")
DONE = Result(
    TASK,
    "done",
    outputs=("output/a_phase.png", "output/a_magnitude.png", "output/a_metadata.json"),
    size=1234,
    sha256="0" * 64,
    etag='"e"',
    width=32,
    height=24,
)
REJECTED = Result(
    TASK,
    "rejected",
    error=CorruptImage("the file is truncated"),
    outputs=("output/a_metadata.json",),
    size=12,
    sha256="1" * 64,
    etag='"f"',
)
MISSING = Result(TASK, "missing", error=NotFound("s3://scans/input/a.png: does not exist"))
IGNORED = Result(PassedOver("S3's test event", "scans"), "ignored", "S3's test event")
FAILED = Result(TASK, "failed", error=StoreUnavailable("S3 does not answer"))
BUG = Result(TASK, "failed", error=ZeroDivisionError("division by zero"))
MALFORMED = Result(
    Malformed(MalformedEvent("tasks[0].s3Key is missing")),
    "failed",
    error=MalformedEvent("tasks[0].s3Key is missing"),
)
EVERY = (DONE, REJECTED, MISSING, IGNORED, FAILED, BUG, MALFORMED)


def answered(kind: Kind, *results: Result) -> Any:
    message = Message(tuple(result.part for result in results))
    return answer(Delivery(kind, (message,)), [(message, results)])


def to_queue(*messages: tuple[Result, ...]) -> list[str]:
    """Identifiers of the messages that are returned to the queue."""
    named = [
        (Message(tuple(result.part for result in results), f"message-{index}"), results)
        for index, results in enumerate(messages)
    ]
    delivery = Delivery(Kind.QUEUE, tuple(message for message, _ in named))
    return handed_back(answer(delivery, named))


def to_batch(*results: Result) -> Any:
    delivery = parse(job(*(f"input/{index}.png" for index in range(len(results)))))
    pairs = zip(delivery.messages, results, strict=True)
    return answer(delivery, [(message, (result,)) for message, result in pairs])


# Results as callers see them


def test_a_finished_object_is_reported_in_full() -> None:
    assert DONE.to_json() == {
        "bucket": "scans",
        "key": "input/a.png",
        "outcome": "done",
        "outputs": ["output/a_phase.png", "output/a_magnitude.png", "output/a_metadata.json"],
        "error": None,
        "reason": None,
        "source": {"bytes": 1234, "sha256": "0" * 64, "etag": '"e"'},
        "width": 32,
        "height": 24,
    }


@pytest.mark.parametrize("result", EVERY, ids=lambda result: result.code + result.outcome)
def test_every_outcome_is_reported_in_the_same_form(result: Result) -> None:
    told = result.to_json()
    assert list(told) == list(DONE.to_json())
    assert list(told["source"]) == ["bytes", "sha256", "etag"]
    assert json.loads(json.dumps(told, allow_nan=False)) == told


@pytest.mark.parametrize(
    ("result", "code", "message"),
    [
        (REJECTED, "corrupt-image", "the file is truncated"),
        (MISSING, "not-found", "s3://scans/input/a.png: does not exist"),
        (FAILED, "store-unavailable", "S3 does not answer"),
        (BUG, "bug", "division by zero"),
        (MALFORMED, "malformed-event", "tasks[0].s3Key is missing"),
    ],
)
def test_an_error_has_a_code_and_a_message(result: Result, code: str, message: str) -> None:
    assert result.to_json()["error"] == {"code": code, "message": message}


# Direct calls and notifications


@pytest.mark.parametrize("result", [DONE, REJECTED, MISSING, IGNORED])
def test_a_direct_call_returns_its_object(result: Result) -> None:
    assert answered(Kind.DIRECT, result) == result.to_json()


def test_a_notification_returns_all_its_objects() -> None:
    results = (DONE, REJECTED, MISSING, IGNORED)
    told = answered(Kind.NOTIFICATION, *results)
    assert told == {"results": [result.to_json() for result in results]}


@pytest.mark.parametrize("failed", [FAILED, BUG])
def test_a_failure_is_raised_if_nobody_reads_the_answer(failed: Result) -> None:
    assert failed.error
    with pytest.raises(type(failed.error)) as direct:
        answered(Kind.DIRECT, failed)
    with pytest.raises(type(failed.error)) as notified:
        answered(Kind.NOTIFICATION, DONE, failed, DONE)
    assert direct.value is notified.value is failed.error


def test_the_first_of_several_failures_is_raised() -> None:
    with pytest.raises(StoreUnavailable):
        answered(Kind.NOTIFICATION, REJECTED, FAILED, BUG)


# Queues


def test_only_failed_messages_are_returned_to_a_queue() -> None:
    messages = [(result,) for result in EVERY]
    failed = [
        f"message-{index}" for index, result in enumerate(EVERY) if result.outcome == "failed"
    ]
    assert to_queue(*messages) == failed == ["message-4", "message-5", "message-6"]


def test_an_empty_list_means_that_all_messages_succeeded() -> None:
    assert to_queue((DONE,), (REJECTED,), ()) == []


def test_a_message_is_returned_if_any_of_its_objects_failed() -> None:
    assert to_queue((DONE, FAILED, DONE), (DONE, REJECTED)) == ["message-0"]


# S3 Batch Operations


def test_a_batch_answer_repeats_the_identifiers_of_the_request() -> None:
    for name in ("batch_1", "batch_2"):
        event = sample(name)
        delivery = parse(event)
        told = answer(delivery, [(message, (DONE,)) for message in delivery.messages])
        assert told["invocationSchemaVersion"] == event["invocationSchemaVersion"]
        assert told["invocationId"] == event["invocationId"]
        assert [entry["taskId"] for entry in told["results"]] == [
            entry["taskId"] for entry in event["tasks"]
        ]
        assert set(told) == {
            *("invocationSchemaVersion", "treatMissingKeysAs", "invocationId", "results")
        }
        assert told["treatMissingKeysAs"] == "TemporaryFailure"


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (DONE, "Succeeded"),
        (IGNORED, "Succeeded"),
        (REJECTED, "PermanentFailure"),
        (MISSING, "PermanentFailure"),
        (MALFORMED, "PermanentFailure"),
        (FAILED, "TemporaryFailure"),
        (BUG, "TemporaryFailure"),
        (Result(TASK, "failed", error=OutOfTime("later")), "TemporaryFailure"),
        (Result(TASK, "failed", error=NotAllowed("access denied")), "TemporaryFailure"),
        (Result(TASK, "rejected", error=KeyTooLong("shorter")), "PermanentFailure"),
    ],
)
def test_only_a_retryable_error_is_a_temporary_failure(result: Result, code: str) -> None:
    (told,) = to_batch(result)["results"]
    assert set(told) == {"taskId", "resultCode", "resultString"}
    assert told["resultCode"] == code


def test_a_batch_result_lists_outputs_or_the_error() -> None:
    done, rejected, malformed = to_batch(DONE, REJECTED, MALFORMED)["results"]
    for name in DONE.outputs:
        assert name in done["resultString"]
    assert rejected["resultString"] == "rejected: corrupt-image: the file is truncated"
    assert "tasks[0].s3Key is missing" in malformed["resultString"]


def test_a_batch_result_is_cut_to_its_maximum_length() -> None:
    long = Result(TASK, "rejected", error=CorruptImage("x" * 5000))
    (told,) = to_batch(long)["results"]
    assert len(told["resultString"]) <= 1024


def test_every_outcome_has_a_code_for_batches() -> None:
    for outcome in Outcome.__args__:  # type: ignore[attr-defined]
        (told,) = to_batch(Result(TASK, outcome))["results"]
        assert told["resultCode"] in ("Succeeded", "TemporaryFailure", "PermanentFailure")


# Errors of this door


def leaves(module: Any) -> dict[str, type[FftToolError]]:
    """Errors that a module defines and that have no subclasses, by name."""
    return {
        name: kind
        for name, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, FftToolError)
        and kind.__module__ == module.__name__
        and not kind.__subclasses__()
    }


def test_error_codes_are_unique_across_this_door_and_the_core() -> None:
    here, there = leaves(errors), leaves(core)
    assert here
    codes = [kind.code for kind in (*here.values(), *there.values())]
    assert len(set(codes)) == len(codes)
    for kind in here.values():
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", kind.code)
        assert "code" in vars(kind), "inherited from nobody"
    assert not {"bug", *Outcome.__args__} & set(codes)  # type: ignore[attr-defined]


def test_the_documented_tree_of_errors_is_complete() -> None:
    drawn = re.findall(r"[├└]── (\w+) +([a-z-]+)", errors.__doc__ or "")
    assert dict(drawn) == {name: kind.code for name, kind in leaves(errors).items()}


def test_running_out_of_time_and_being_overwritten_are_the_only_transient_errors() -> None:
    assert {kind for kind in leaves(errors).values() if kind.transient} == {OutOfTime, Overwritten}
