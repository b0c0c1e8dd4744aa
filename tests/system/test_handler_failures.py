"""Failures around the function: S3, time, races and bugs. No event is lost, no record is wrong."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.deliveries import batch, direct, handed_back, notification, queued
from tests.support.deployed import IMAGE, OTHER, Deployed, made
from tests.support.gateway import Deed, at, before, cut, refuse, slow
from tests.support.images import chunk, header, noise, png_bytes, png_file
from tests.support.runtime import Function, FunctionDied, environment
from tests.system.chaos.proxy import Answer, Meet, PassOn, Request

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")
pytest_plugins = ["tests.support.deployed_fixtures"]

KEYS = ("input/a.png", "input/b.png", "input/c.png")


@pytest.fixture
def three(deployed: Deployed) -> list[Any]:
    """Messages for three uploaded objects."""
    for key in KEYS:
        deployed.upload(key)
    return [notification(deployed.bucket.name, key) for key in KEYS]


# An S3 that fails


def test_only_messages_that_s3_refuses_are_returned(deployed: Deployed, three: list[Any]) -> None:
    deployed.upload("input/c.png", b"not an image")
    deployed.gateway.rule = at(refuse(403), "input/b.png")
    assert handed_back(deployed.send(queued(*three))) == ["m2"]
    lines = deployed.lines(3)
    assert [line["outcome"] for line in lines] == ["done", "failed", "rejected"]
    assert lines[1]["error"]["code"] == "not-allowed"
    assert {name.split("_")[0] for name in deployed.outputs()} == {"a", "c"}


def test_a_returned_message_succeeds_at_the_next_attempt(
    deployed: Deployed, three: list[Any]
) -> None:
    deployed.gateway.rule = at(refuse(403), "input/b.png")
    deployed.send(queued(*three))
    deployed.gateway.reset()
    assert handed_back(deployed.send(queued(three[1], attempt=2))) == []
    assert deployed.outputs() == made("a.png") | made("b.png") | made("c.png")
    (line,) = deployed.lines()
    assert (line["attempt"], line["Retried"]) == (2, 1)


def test_a_message_is_returned_whole_if_one_of_its_objects_fails(deployed: Deployed) -> None:
    for key in KEYS:
        deployed.upload(key)
    deployed.gateway.rule = at(refuse(403), "input/b.png")
    messages = queued(notification(deployed.bucket.name, *KEYS))
    assert handed_back(deployed.send(messages)) == ["m1"]
    assert deployed.outputs() == made("a.png") | made("c.png")


def test_a_failure_is_raised_if_the_caller_would_not_learn_of_it(deployed: Deployed) -> None:
    deployed.upload("input/a.png")
    deployed.gateway.rule = at(refuse(403), "input/a.png")
    bucket = deployed.bucket.name
    for event in (direct(bucket, "input/a.png"), notification(bucket, "input/a.png")):
        kind, message = deployed.function.invoke(event).raised
        assert kind == "NotAllowed"
        assert "input/a.png: access denied" in message


def test_a_batch_job_is_asked_to_retry(deployed: Deployed) -> None:
    deployed.upload("input/a.png")
    deployed.gateway.rule = at(refuse(403), "input/a.png")
    (result,) = deployed.send(batch(deployed.bucket.name, "input/a.png"))["results"]
    assert result["resultCode"] == "TemporaryFailure"
    assert result["resultString"].startswith("failed: ")
    assert "input/a.png: access denied" in result["resultString"]


Variant = Callable[[str], dict[str, Any]]


@pytest.fixture
def variant(tmp_path: Path, environ: dict[str, str]) -> Variant:
    """Options for a function that is modified by some lines of code."""

    def options(code: str) -> dict[str, Any]:
        (tmp_path / "variant.py").write_text(code)
        path = f"{tmp_path}:{environment('', '', 0)['PYTHONPATH']}"
        return {"handler": "variant.handle", "environ": {**environ, "PYTHONPATH": path}}

    return options


IMPATIENT = """
import handler.function
handler.function.PATIENCE = 0.5
from handler.entry import handle
"""


@pytest.mark.slow
def test_requests_to_an_unavailable_s3_are_retried_for_a_limited_time(
    deployed: Deployed, variant: Variant
) -> None:
    for key in KEYS[:2]:
        deployed.upload(key)
    deployed.gateway.rule = at(refuse(503), "input/a.png")
    messages = [notification(deployed.bucket.name, key) for key in KEYS[:2]]
    with Function(**variant(IMPATIENT)) as function:
        assert handed_back(function.invoke(queued(*messages)).returned) == ["m1"]
        line = function.log[0]
    assert deployed.gateway.keys("GET").count("input/a.png") > 1
    assert deployed.outputs() == made("b.png")
    assert line["error"]["code"] == "store-unavailable"


def lost(_: PassOn) -> None:
    """End the connection without an answer."""


PASSING: dict[str, Deed] = {
    "500": refuse(500),
    "503": refuse(503),
    "cut": cut,
    "lost": lost,
    "slow": slow(0.2),
}


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize(
    ("method", "key"),
    [
        ("GET", "input/a.png"),
        ("PUT", "output/a_phase.png"),
        ("PUT", "output/a_metadata.json"),
        ("HEAD", "input/a.png"),
    ],
)
def test_a_transient_fault_of_s3_does_not_affect_the_result(
    deployed: Deployed, fault: str, method: str, key: str
) -> None:
    deployed.upload("input/a.png")
    deployed.gateway.rule = at(PASSING[fault], key, method, times=1)
    assert deployed.do("input/a.png")["outcome"] == "done"
    assert deployed.outputs() == made("a.png")


@pytest.mark.parametrize("name", ["a_magnitude.png", "a_phase.png", "a_metadata.json"])
def test_the_record_is_written_only_after_all_outputs(deployed: Deployed, name: str) -> None:
    deployed.upload("input/a.png")
    deployed.gateway.rule = at(refuse(403), f"output/{name}", "PUT")
    message = notification(deployed.bucket.name, "input/a.png")
    assert handed_back(deployed.send(queued(message))) == ["m1"]
    assert "a_metadata.json" not in deployed.outputs()


# Uploads while the function is working


@pytest.mark.parametrize("key", ["output/a_magnitude.png", "output/a_metadata.json"])
def test_a_later_upload_during_the_work_wins(deployed: Deployed, key: str) -> None:
    deployed.upload("input/a.png")
    overwrite = before(lambda: deployed.upload("input/a.png", OTHER))
    deployed.gateway.rule = at(overwrite, key, "PUT", times=1)
    answer = deployed.do("input/a.png")
    assert (answer["width"], answer["height"]) == (17, 31)
    assert deployed.outputs() == made("a.png", OTHER)
    assert deployed.lines()[0]["restarts"] == 1


def test_a_later_upload_with_another_recipe_wins(deployed: Deployed) -> None:
    deployed.upload("input/a.png")
    overwrite = before(lambda: deployed.upload("input/a.png", IMAGE, {"window": "hann"}))
    deployed.gateway.rule = at(overwrite, "output/a_metadata.json", "PUT", times=1)
    deployed.do("input/a.png")
    assert deployed.outputs() == made("a.png", recipe="window=hann")


def test_a_bad_image_that_replaces_a_good_one_during_the_work_is_rejected(
    deployed: Deployed,
) -> None:
    deployed.upload("input/a.png")
    overwrite = before(lambda: deployed.upload("input/a.png", b"not an image"))
    deployed.gateway.rule = at(overwrite, "output/a_phase.png", "PUT", times=1)
    assert deployed.do("input/a.png")["outcome"] == "rejected"
    assert deployed.record("a")["outcome"] == "rejected"


@pytest.mark.slow
def test_a_source_that_keeps_changing_is_returned_after_few_restarts(deployed: Deployed) -> None:
    seeds = itertools.count()
    deployed.upload("input/a.png")
    overwrite = before(
        lambda: deployed.upload("input/a.png", png_bytes(noise((8, 8), seed=next(seeds))))
    )
    deployed.gateway.rule = at(overwrite, "output/a_metadata.json", "PUT")
    message = notification(deployed.bucket.name, "input/a.png")
    assert handed_back(deployed.send(queued(message))) == ["m1"]
    (line,) = deployed.lines()
    assert (line["error"]["code"], line["restarts"]) == ("source-overwritten", 2)


# Time


def test_without_time_all_messages_are_returned_unprocessed(
    deployed: Deployed, three: list[Any]
) -> None:
    answer = deployed.send(queued(*three), remaining=1.5)
    assert handed_back(answer) == ["m1", "m2", "m3"]
    assert deployed.gateway.asked == []
    assert {line["error"]["code"] for line in deployed.lines(3)} == {"out-of-time"}


def test_a_direct_caller_gets_an_error_if_there_is_no_time(deployed: Deployed) -> None:
    deployed.upload("input/a.png")
    answer = deployed.function.invoke(direct(deployed.bucket.name, "input/a.png"), remaining=1.5)
    kind, message = answer.raised
    assert kind == "OutOfTime"
    assert "FFT_RESERVE_MS" in message


@pytest.mark.slow
def test_when_time_runs_out_the_remaining_messages_are_returned(
    deployed: Deployed, three: list[Any]
) -> None:
    deployed.gateway.rule = at(slow(0.8), "input/b.png", "GET")
    assert handed_back(deployed.send(queued(*three), remaining=2.7)) == ["m2", "m3"]
    assert deployed.outputs() == made("a.png")
    assert deployed.gateway.keys("GET") == list(KEYS[:2])


@pytest.mark.slow
def test_a_hanging_request_delays_only_its_own_message(
    deployed: Deployed, three: list[Any], environ: dict[str, str]
) -> None:
    """If it were killed at its deadline, all messages of the batch would be retried."""
    over = threading.Event()
    deployed.gateway.rule = at(before(over.wait), "input/b.png", "GET")
    with Function(environ=environ) as function:
        try:
            answer = function.invoke(queued(*three), remaining=4)
        finally:
            over.set()
    assert handed_back(answer.returned) == ["m2"]
    assert deployed.outputs() == made("a.png") | made("c.png")


# Images that are too large


def test_an_image_is_checked_against_the_functions_memory_before_decoding(
    deployed: Deployed, environ: dict[str, str]
) -> None:
    image = png_file(header(12_000, 12_000), chunk(b"IDAT", b"not even looked at"))
    deployed.upload("input/a.png", image)
    with Function(memory=512, environ=environ) as small:
        answer = small.invoke(direct(deployed.bucket.name, "input/a.png")).returned
    assert answer["error"]["code"] == "too-much-memory"
    assert "MiB, at most 480 MiB are allowed" in answer["error"]["message"]
    assert deployed.record("a")["error"] == answer["error"]


def giant(size: int) -> Meet:
    """An S3 that reports this size for every source, and refuses to send its bytes."""

    def meet(request: Request, pass_on: PassOn) -> Answer:
        if not request.key.startswith("input/"):
            answer = pass_on()
            assert answer is not None
            return answer
        headers = {
            "Content-Length": str(size),
            "ETag": '"0"',
            "Last-Modified": "Fri, 20 Nov 2026 00:00:00 GMT",
        }
        return Answer(200, tuple(headers.items()), b"", whole=request.method == "HEAD")

    return meet


@pytest.mark.parametrize(
    ("size", "code"), [(1_900_000_000, "too-much-memory"), (5_000_000_000, "too-many-bytes")]
)
def test_an_object_that_is_too_large_is_not_even_fetched(
    deployed: Deployed, size: int, code: str
) -> None:
    deployed.gateway.rule = giant(size)
    answer = deployed.do("input/a.png")
    assert answer["outcome"] == "rejected"
    assert answer["error"]["code"] == code
    assert answer["source"]["bytes"] == deployed.record("a")["source"]["bytes"] == size
    assert deployed.record("a")["source"]["sha256"] is None
    assert deployed.gateway.keys("GET") == ["input/a.png"]


# Unexpected ends


def test_work_of_a_killed_process_is_completed_by_the_next(
    deployed: Deployed, environ: dict[str, str]
) -> None:
    deployed.upload("input/a.png")
    event = queued(notification(deployed.bucket.name, "input/a.png"))
    with Function(environ=environ) as victim:
        deployed.gateway.rule = at(before(victim.kill), "output/a_metadata.json", "PUT", times=1)
        with pytest.raises(FunctionDied):
            victim.invoke(event)
    deployed.gateway.reset()
    assert handed_back(deployed.send(event)) == []
    assert deployed.outputs() == made("a.png")


@pytest.mark.parametrize(
    ("place", "key"),
    [
        ("", "input/\ud800.png"),
        ("No Bucket?is=called#so", "input/a.png"),
        ("b" * 300, "input/a.png"),
    ],
    ids=["key that is no text", "bucket that is no name", "bucket with a long name"],
)
def test_a_message_with_an_impossible_name_is_returned_alone(
    deployed: Deployed, environ: dict[str, str], place: str, key: str
) -> None:
    deployed.upload("input/b.png")
    impossible = direct(place or deployed.bucket.name, key)
    possible = notification(deployed.bucket.name, "input/b.png")
    with Function(environ=environ) as function:
        answer = function.invoke(queued(impossible, possible)).returned
        assert function.log[0]["outcome"] == "failed"
    assert handed_back(answer) == ["m1"]
    assert deployed.outputs() == made("b.png")


BROKEN = """
from fft_tool.runs import child_process

child_process.PROGRAM = '''
from fft_tool import pipeline
from fft_tool.runs import child_program

sound = pipeline.run

def broken(source, *arguments, **options):
    if "unlucky" in source.name:
        return 1 / 0
    return sound(source, *arguments, **options)

pipeline.run = broken
child_program.main()
'''

from handler.entry import handle
"""


def test_a_bug_affects_only_its_object_and_is_logged_with_its_traceback(
    deployed: Deployed, variant: Variant
) -> None:
    bucket, keys = deployed.bucket.name, ("input/a.png", "input/unlucky.png", "input/b.png")
    for key in keys:
        deployed.upload(key)
    messages = [notification(bucket, key) for key in keys]
    with Function(**variant(BROKEN)) as function:
        assert handed_back(function.invoke(queued(*messages)).returned) == ["m2"]
        line = function.log[1]
        kind, _ = function.invoke(direct(bucket, "input/unlucky.png")).raised
        assert function.invoke(direct(bucket, "input/a.png")).returned["outcome"] == "done"
    assert kind == "ChildBug"
    assert deployed.outputs() == made("a.png") | made("b.png")
    assert (line["outcome"], line["level"]) == ("failed", "ERROR")
    assert (line["error"]["code"], line["errorType"]) == ("bug", "ZeroDivisionError")
    assert any("in broken" in place for place in line["stackTrace"])
    assert line["Failed"] == 1
