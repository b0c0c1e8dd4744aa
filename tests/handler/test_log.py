"""Log lines: one object, one line, one JSON object, with CloudWatch's metrics inside it."""

from __future__ import annotations

import io
import re
import sys
import time
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from fft_tool.errors import CorruptImage, NotAllowed, NotFound, StoreUnavailable
from handler.deadline import Deadline
from handler.errors import MalformedEvent, OutOfTime
from handler.events import Malformed, Message, PassedOver, Task
from handler.log import Log
from handler.result import Result
from tests.support.samples import FUNCTION, REQUEST, lines

Json = dict[str, Any]

TASK = Task("scans", "input/a.png")
DONE = Result(
    TASK, "done", outputs=("1", "2", "3"), size=99, sha256="0" * 64, etag="e", width=32, height=24
)
REJECTED = Result(TASK, "rejected", error=CorruptImage("truncated"), outputs=("1",), size=9)
MISSING = Result(TASK, "missing", error=NotFound("does not exist"))
IGNORED = Result(PassedOver("S3's test event", "scans"), "ignored", "S3's test event")
FAILED = Result(TASK, "failed", error=StoreUnavailable("S3 does not answer"))
MALFORMED = Result(
    Malformed(MalformedEvent("Records[0].body is not JSON")),
    "failed",
    error=MalformedEvent("Records[0].body is not JSON"),
)
SUPERSEDED = Result(TASK, "superseded", "a later version has been uploaded")
EVERY = (DONE, REJECTED, MISSING, SUPERSEDED, IGNORED, FAILED, MALFORMED)
COUNTED = (DONE, REJECTED, FAILED, MALFORMED)

WRITTEN = (300, 200, 11)  # sizes of the writes that every deadline of these tests has counted

FIELDS = [
    *("timestamp", "level", "message", "requestId", "messageId", "bucket", "key", "outcome"),
    *("bytes", "width", "height", "outputs", "bytes_written", "milliseconds", "total_ms", "cold"),
    *("attempt", "restarts", "broken_off", "error", "reason"),
]

# The specification of the embedded metric format, and PutMetricData's rules for namespaces.
EMF = Draft202012Validator(
    {
        "type": "object",
        "required": ["_aws"],
        "properties": {
            "_aws": {
                "type": "object",
                "required": ["Timestamp", "CloudWatchMetrics"],
                "additionalProperties": False,
                "properties": {
                    "Timestamp": {"type": "integer", "minimum": 10**12, "maximum": 10**13},
                    "CloudWatchMetrics": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["Namespace", "Dimensions", "Metrics"],
                            "additionalProperties": False,
                            "properties": {
                                "Namespace": {
                                    "type": "string",
                                    "maxLength": 255,
                                    "pattern": "^[^:].*$",
                                },
                                "Dimensions": {
                                    "type": "array",
                                    "minItems": 1,
                                    "items": {
                                        "type": "array",
                                        "maxItems": 30,
                                        "items": {
                                            "type": "string",
                                            "minLength": 1,
                                            "maxLength": 250,
                                        },
                                    },
                                },
                                "Metrics": {
                                    "type": "array",
                                    "maxItems": 100,
                                    "items": {
                                        "type": "object",
                                        "required": ["Name"],
                                        "additionalProperties": False,
                                        "properties": {
                                            "Name": {
                                                "type": "string",
                                                "minLength": 1,
                                                "maxLength": 1024,
                                            },
                                            "Unit": {"enum": ["Bytes", "Count", "Milliseconds"]},
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            }
        },
    }
)
LARGEST = 256 << 10  # bytes of a log event from which metrics are taken


class Written:
    """Lines of a log that writes to this process's stdout."""

    def __init__(self, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self._capture = capsysbinary
        self.log = Log("spectra/test")
        self.log.begin(FUNCTION, REQUEST)

    def line(self, result: Result, *, attempt: int = 1, cold: bool = False) -> Json:
        """The line for a result."""
        deadline = Deadline(lambda: 60_000, 2000)
        deadline.step("read")
        deadline.step("write")
        for count in WRITTEN:
            deadline.wrote(count)
        deadline.stop()
        message = Message((result.part,), attempt=attempt)
        self.log.result(result, deadline, message, cold=cold)
        (line,) = self.lines()
        return line

    def raw(self) -> bytes:
        return self._capture.readouterr().out

    def lines(self) -> list[Json]:
        return lines(self.raw())


@pytest.fixture
def written(capsysbinary: pytest.CaptureFixture[bytes]) -> Written:
    return Written(capsysbinary)


def name_of(result: Result) -> str:
    return f"{result.outcome} {type(result.part).__name__}"


# Fields


@pytest.mark.parametrize("result", EVERY, ids=name_of)
def test_a_line_has_every_field_in_a_stable_order(written: Written, result: Result) -> None:
    line = written.line(result)
    assert list(line)[: len(FIELDS)] == FIELDS
    assert line["outcome"] == result.outcome
    assert line["bucket"] == result.part.bucket
    assert line["key"] == result.part.key
    assert line["requestId"] == REQUEST


def test_a_line_describes_the_outcome_of_an_object(written: Written) -> None:
    line = written.line(DONE, attempt=3, cold=True)
    assert line["level"] == "INFO"
    assert (line["bytes"], line["width"], line["height"], line["outputs"]) == (99, 32, 24, 3)
    assert list(line["milliseconds"]) == ["read", "write"]
    assert all(isinstance(spent, float) for spent in line["milliseconds"].values())
    assert line["total_ms"] >= sum(line["milliseconds"].values()) - 0.2
    assert line["cold"] is True
    assert line["attempt"] == 3
    assert line["restarts"] == 0
    assert line["error"] is None


@pytest.mark.parametrize(
    ("result", "level", "code"),
    [
        (DONE, "INFO", None),
        (IGNORED, "INFO", None),
        (REJECTED, "WARN", "corrupt-image"),
        (MISSING, "WARN", "not-found"),
        (FAILED, "WARN", "store-unavailable"),
        (Result(TASK, "failed", error=OutOfTime("later")), "WARN", "out-of-time"),
        (Result(TASK, "failed", error=NotAllowed("denied")), "ERROR", "not-allowed"),
        (MALFORMED, "ERROR", "malformed-event"),
        (Result(TASK, "failed", error=ZeroDivisionError("0")), "ERROR", "bug"),
    ],
)
def test_the_level_shows_what_needs_attention(
    written: Written, result: Result, level: str, code: str | None
) -> None:
    line = written.line(result)
    assert line["level"] == level
    assert (line["error"] or {}).get("code") == code


@pytest.mark.parametrize("result", EVERY, ids=name_of)
def test_the_message_is_a_sentence_about_the_object(written: Written, result: Result) -> None:
    message = written.line(result)["message"]
    assert message.startswith((result.part.key or result.part.bucket or "event") + ": ")
    assert result.outcome in message
    assert result.message in message


def test_the_timestamp_is_the_current_time_in_the_format_of_lambda(written: Written) -> None:
    before = time.time()
    line = written.line(DONE)
    after = time.time()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    stamp = line["_aws"]["Timestamp"] / 1000
    assert before - 0.001 <= stamp <= after + 0.001
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(int(stamp)))
    assert line["timestamp"].startswith(whole[:-3])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1795166047.512, "2026-11-20T09:14:07.512Z"),
        (1795166047.9996, "2026-11-20T09:14:08.000Z"),
        (1795166047.0, "2026-11-20T09:14:07.000Z"),
    ],
)
def test_timestamps_have_milliseconds(
    written: Written, monkeypatch: pytest.MonkeyPatch, seconds: float, text: str
) -> None:
    monkeypatch.setattr("handler.log.time.time", lambda: seconds)
    written.log.write("INFO", "x", {})
    (line,) = written.lines()
    assert line["timestamp"] == text


def test_lines_have_the_id_of_the_current_invocation(written: Written) -> None:
    written.log.begin(FUNCTION, "another")
    assert written.line(DONE)["requestId"] == "another"


# Form


@pytest.mark.parametrize(
    "text",
    [
        "two\nlines",
        "\r\n",
        "tab\t\x00\x1b[31m",
        'a "quote"\\',
        "Großes Ä",
        "😀",
        "\ud800",
        "\u2028",
    ],
)
def test_any_text_stays_on_one_line(written: Written, text: str) -> None:
    part = Task("scans", f"input/{text}")
    line = written.line(Result(part, "failed", error=StoreUnavailable(f"what is {text}")))
    assert line["key"] == part.key
    assert line["error"]["message"] == f"what is {text}"


@pytest.mark.parametrize(
    "result",
    [
        Result(TASK, "failed", error=MalformedEvent("x" * 900_000)),
        Result(TASK, "failed", error=ZeroDivisionError("ü" * 900_000)),
        Result(PassedOver("x" * 900_000), "ignored", "x" * 900_000),
        Result(Task("scans", "😀" * 200_000), "rejected", error=CorruptImage("x")),
        Result(Task("b" * 300_000, "input/a.png"), "missing", error=NotFound("no")),
    ],
)
def test_a_line_is_always_short_enough_for_its_metrics(written: Written, result: Result) -> None:
    deadline = Deadline(lambda: 60_000, 2000)
    written.log.result(result, deadline, Message((result.part,)), cold=False)
    raw = written.raw()
    (line,) = lines(raw)
    assert len(raw) <= LARGEST
    assert line["outcome"] == result.outcome


def test_lines_are_flushed_after_anything_printed_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The process may be frozen as soon as it has answered."""
    raw = io.BytesIO()
    stdout = io.TextIOWrapper(io.BufferedWriter(raw, 1 << 16), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    print("before", end="\n")  # noqa: T201  (what a library may do)
    log = Log("x")
    log.begin(FUNCTION, REQUEST)
    log.write("INFO", "größer", {})
    first, rest = raw.getvalue().split(b"\n", 1)
    assert first == b"before"
    assert "größer".encode() in rest, "as people read it"
    assert lines(rest)[0]["message"] == "größer"


def test_a_line_has_no_other_fields(written: Written) -> None:
    line = written.line(DONE)
    assert set(line) == {*FIELDS, "_aws", "FunctionName", *METRICS}


# Bugs


def test_a_bug_is_logged_with_its_traceback_as_lambda_does(written: Written) -> None:
    def deep() -> None:
        raise ZeroDivisionError("by zero")

    try:
        deep()
    except ZeroDivisionError as exc:
        line = written.line(Result(TASK, "failed", error=exc))
    assert line["errorType"] == "ZeroDivisionError"
    assert line["errorMessage"] == "by zero"
    assert any("in deep" in place for place in line["stackTrace"])
    assert all(isinstance(place, str) for place in line["stackTrace"])


@pytest.mark.parametrize("result", EVERY, ids=name_of)
def test_an_expected_error_has_no_stack_trace(written: Written, result: Result) -> None:
    assert "stackTrace" not in written.line(result)


# Metrics

METRICS = (
    *("Processed", "Rejected", "Failed", "Retried", "BrokenOff", "BytesWritten", "Duration"),
    "Pixels",
)


@pytest.mark.parametrize("result", COUNTED, ids=name_of)
def test_metrics_follow_the_embedded_metric_format(written: Written, result: Result) -> None:
    line = written.line(result, attempt=2)
    assert not [fault.message for fault in EMF.iter_errors(line)]
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "spectra/test"
    for metric in directive["Metrics"]:
        value = line[metric["Name"]]
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
    for names in directive["Dimensions"]:
        for name in names:
            assert isinstance(line[name], str)
            assert line[name]
    assert directive["Dimensions"] == [["FunctionName"]]
    assert line["FunctionName"] == FUNCTION


def metrics(line: Json) -> Json:
    """Values of the metrics that a line defines."""
    directives = line.get("_aws", {}).get("CloudWatchMetrics", [])
    return {
        metric["Name"]: line[metric["Name"]]
        for directive in directives
        for metric in directive["Metrics"]
    }


def test_an_object_that_is_done_counts_with_its_pixels(written: Written) -> None:
    line = written.line(DONE)
    assert metrics(line) == {
        "Processed": 1,
        "Rejected": 0,
        "Failed": 0,
        "Retried": 0,
        "BrokenOff": 0,
        "BytesWritten": sum(WRITTEN),
        "Duration": line["total_ms"],
        "Pixels": 32 * 24,
    }
    units = {
        metric["Name"]: metric["Unit"] for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert units == dict.fromkeys(METRICS, "Count") | {
        "BytesWritten": "Bytes",
        "Duration": "Milliseconds",
    }


@pytest.mark.parametrize(
    ("result", "name"),
    [(REJECTED, "Rejected"), (FAILED, "Failed"), (MALFORMED, "Failed")],
    ids=["rejected", "failed", "malformed"],
)
def test_an_object_that_is_not_done_counts_once_and_has_no_duration(
    written: Written, result: Result, name: str
) -> None:
    counts = dict.fromkeys(("Processed", "Rejected", "Failed", "Retried", "BrokenOff"), 0)
    counts["BytesWritten"] = sum(WRITTEN)
    assert metrics(written.line(result)) == counts | {name: 1}


@pytest.mark.parametrize("result", COUNTED, ids=name_of)
def test_a_second_attempt_is_counted_as_retried(written: Written, result: Result) -> None:
    assert metrics(written.line(result, attempt=1))["Retried"] == 0
    assert metrics(written.line(result, attempt=2))["Retried"] == 1
    assert metrics(written.line(result, attempt=9))["Retried"] == 1


@pytest.mark.parametrize("result", [MISSING, IGNORED], ids=name_of)
def test_ignored_and_missing_objects_are_logged_but_not_counted(
    written: Written, result: Result
) -> None:
    line = written.line(result)
    assert set(line) == set(FIELDS)
