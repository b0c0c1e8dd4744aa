"""The function's process: start, end, requirements and log."""

from __future__ import annotations

import math
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import disk_of, obey_permissions
from tests.support.deliveries import direct, notification, queued
from tests.support.deployed import IMAGE, Deployed, made
from tests.support.gateway import at, refuse
from tests.support.images import chunk, noise, png_bytes
from tests.support.runtime import NAME, Function, FunctionDied, environment

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")
pytest_plugins = ["tests.support.deployed_fixtures"]

Json = dict[str, Any]


# Settings


def test_settings_change_where_and_how_the_function_works(
    deployed: Deployed, environ: dict[str, str]
) -> None:
    deployed.upload("scans/raw/a.png")
    deployed.upload("scans/raw/b.png", metadata={"window": "none", "origin": "Kew"})
    deployed.upload("scans/raw/large.png", png_bytes(noise((40, 40))))
    deployed.upload("input/c.png")
    settings = {
        "FFT_INPUT_PREFIX": "scans/raw",
        "FFT_OUTPUT_PREFIX": "scans/spectra/",
        "FFT_RECIPE": "bits=16 window=hann",
        "FFT_MAX_PIXELS": "1000",
        "FFT_FOREIGN_METADATA": "orig*",
        "FFT_METRICS_NAMESPACE": "herbarium",
        "FFT_RESERVE_MS": "5000",
    }
    keys = [*(f"scans/raw/{name}.png" for name in ("a", "b", "large")), "input/c.png"]
    with Function(environ={**environ, **settings}) as function:
        answer = function.invoke(notification(deployed.bucket.name, *keys)).returned
        late = function.invoke(direct(deployed.bucket.name, keys[0]), remaining=4.5).raised
        line = function.log[0]
    assert late[0] == "OutOfTime"
    outcomes = [result["outcome"] for result in answer["results"]]
    assert outcomes == ["done", "done", "rejected", "ignored"]
    assert "1,000 are accepted" in answer["results"][2]["error"]["message"]
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "herbarium"
    expected = made("a.png", recipe="bits=16 window=hann") | made("b.png", recipe="bits=16")
    written = {name: deployed.bucket.get(f"scans/spectra/{name}") for name in expected}
    assert written == expected


def test_all_wrong_settings_are_reported_before_the_first_event() -> None:
    wrong = {
        "FFT_INPUT_PREFIX": "images/",
        "FFT_OUTPUT_PREFIX": "images/spectra/",
        "FFT_RECIPE": "bits=12 windows=hann",
        "FFT_MAX_PIXELS": "many",
        "FFT_METRICS_NAMESPACE": "AWS/Lambda",
        "FFT_RESERVE_MS": "-1",
        "FFT_OUTPUT_PERFIX": "out/",
    }
    with Function(environ=wrong) as function:
        with pytest.raises(FunctionDied):
            function.invoke({})
        error = function.endpoint.init_error
        assert error is not None
        assert error["errorType"] == "SettingsError"
        for name, value in wrong.items():
            assert f"{name}={value!r}" in error["errorMessage"]
        for told in ("overlap", "bits='12'", "unknown key", "whole number", "known: FFT_BUCKET"):
            assert told in error["errorMessage"]


# Requirements and end of the process


def test_nothing_is_written_except_to_s3(
    deployed: Deployed, environ: dict[str, str], tmp_path: Path
) -> None:
    """Under stricter conditions than Lambda's: no folder is writable, and no file can grow."""

    def deprive() -> None:
        obey_permissions()
        disk_of(0)()

    tmp_path.chmod(0o555)
    nowhere = {"HOME": "/nonexistent", "TMPDIR": "/nonexistent"}
    deployed.upload("input/a.png", metadata={"histogram": "yes", "spectrum": "yes"})
    with Function(environ={**environ, **nowhere}, cwd=tmp_path, before=deprive) as function:
        answer = function.invoke(direct(deployed.bucket.name, "input/a.png")).returned
    assert answer["outcome"] == "done"
    assert deployed.outputs() == made("a.png", recipe="histogram=yes spectrum=yes")


def test_only_the_first_object_of_a_process_is_a_cold_start(
    deployed: Deployed, environ: dict[str, str]
) -> None:
    keys = ("input/a.png", "input/b.png")
    for key in keys:
        deployed.upload(key)
    with Function(environ=environ) as function:
        for _ in range(2):
            function.invoke(notification(deployed.bucket.name, *keys))
        assert [line["cold"] for line in function.log] == [True, False, False, False]


def test_an_idle_process_ends_on_request(deployed: Deployed, environ: dict[str, str]) -> None:
    deployed.upload("input/a.png")
    with Function(environ=environ) as function:
        function.invoke(direct(deployed.bucket.name, "input/a.png"))
        function.process.terminate()
        assert function.process.wait(10) in (0, -signal.SIGTERM)


DUMPABLE = """
import ctypes
from handler.entry import handle

def dumpable(*_):
    return ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
"""


def test_the_memory_of_the_process_with_the_credentials_cannot_be_read(
    environ: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "variant.py").write_text(DUMPABLE)
    path = f"{tmp_path}:{environment('', '', 0)['PYTHONPATH']}"
    variables = {**environ, "PYTHONPATH": path}
    with Function("variant.dumpable", environ=variables) as function:
        assert function.invoke({}).returned == 0
    with Function("variant.dumpable", environ={**variables, "LOCAL_AWS": "here"}) as function:
        assert function.invoke({}).returned == 1


# The log


def test_every_object_has_one_log_line_with_its_outcome(deployed: Deployed) -> None:
    deployed.upload("input/a.png")
    began = time.time()
    answer = deployed.function.invoke(direct(deployed.bucket.name, "input/a.png"))
    lines = [line for line in deployed.function.log if line["requestId"] == answer.request_id]
    (line,) = lines
    steps = line["milliseconds"]
    told = {
        "level": "INFO",
        "bucket": deployed.bucket.name,
        "key": "input/a.png",
        "outcome": "done",
        "bytes": len(IMAGE),
        "width": 32,
        "height": 24,
        "cold": line["cold"],
        "attempt": 1,
        "restarts": 0,
        "error": None,
    }
    assert {name: line[name] for name in told} == told
    assert "input/a.png" in line["message"]
    assert set(steps) >= {"read", "decode", "transform", "paint", "encode", "certify", "write"}
    assert all(value >= 0 for value in steps.values())
    assert 0 < sum(steps.values()) <= line["total_ms"] * 1.01 + 1
    stamp = time.strptime(line["timestamp"].split(".")[0], "%Y-%m-%dT%H:%M:%S")
    assert line["timestamp"].endswith("Z")
    assert line["_aws"]["Timestamp"] / 1000 == pytest.approx(began, abs=60)
    assert time.strftime("%Y-%m-%dT%H:%M:%S", stamp) == line["timestamp"][:19]


def test_the_log_distinguishes_failures_from_rejections(deployed: Deployed) -> None:
    bucket = deployed.bucket.name
    deployed.upload("input/bad.png", b"not an image")
    deployed.upload("input/far.png")
    deployed.gateway.rule = at(refuse(403), "input/far.png")
    deployed.send(queued(*(notification(bucket, f"input/{n}.png") for n in ("bad", "far", "gone"))))
    bad, far, gone = deployed.lines(3)
    assert [line["outcome"] for line in (bad, far, gone)] == ["rejected", "failed", "missing"]
    assert bad["error"] == deployed.record("bad")["error"]
    assert far["error"]["code"] == "not-allowed"
    assert {bad["level"], far["level"], gone["level"]} <= {"WARN", "ERROR"}
    assert "not an image in a known format" in bad["message"]


SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"  # noqa: S105  (AWS's own example)
TOKEN = "FwoGZXIvYXdzEJr//////////wEaDEXAMPLE"  # noqa: S105


def test_neither_secrets_nor_the_contents_of_images_are_logged(
    deployed: Deployed, environ: dict[str, str]
) -> None:
    bucket = deployed.bucket.name
    comment = chunk(b"tEXt", b"Comment\0confidential")
    deployed.upload("input/a.png", png_bytes(noise((8, 8)), comment))
    deployed.upload("input/bad.png", b"confidential")
    deployed.upload("input/far.png", b"confidential")
    secrets = {"AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": TOKEN}
    deployed.gateway.rule = at(refuse(403), "input/far.png")
    with Function(environ={**environ, **secrets}) as function:
        for name in ("a", "bad", "far", "gone"):
            function.invoke(direct(bucket, f"input/{name}.png"))
        function.invoke({"bucket": bucket})
        written = function.written
    with Function(environ={**environ, **secrets, "FFT_RECIPE": "bits=9"}) as function:
        with pytest.raises(FunctionDied):
            function.invoke({})
        written += function.written
    assert written.count("\n") >= 6
    for secret in (SECRET, TOKEN, "confidential", "Signature", "AWS4-HMAC"):
        assert secret not in written


# Metrics, as CloudWatch reads them from the log:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

UNITS = {"Count", "Milliseconds", "Seconds", "Bytes", "None"}


def metrics(line: Json) -> dict[str, float]:
    """Metrics of a line, which has to conform to the specification."""
    metadata = line["_aws"]
    assert metadata.keys() == {"Timestamp", "CloudWatchMetrics"}
    assert isinstance(metadata["Timestamp"], int)
    assert abs(time.time() * 1000 - metadata["Timestamp"]) < 2 * 3600 * 1000
    values = {}
    for directive in metadata["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Namespace"]) <= 1024
        assert 1 <= len(directive["Metrics"]) <= 100
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(
                isinstance(line[name], str) and 0 < len(line[name]) <= 1024 for name in dimensions
            )
        for metric in directive["Metrics"]:
            assert {"Name"} <= metric.keys() <= {"Name", "Unit", "StorageResolution"}
            assert metric.get("Unit", "None") in UNITS
            value = line[metric["Name"]]
            assert type(value) in (int, float)
            assert math.isfinite(value)
            values[metric["Name"]] = value
    return values


def test_metrics_are_as_cloudwatch_reads_them(deployed: Deployed) -> None:
    bucket = deployed.bucket.name
    deployed.upload("input/a.png")
    deployed.upload("input/bad.png", b"not an image")
    deployed.upload("input/far.png")
    deployed.gateway.rule = at(refuse(403), "input/far.png")
    messages = [notification(bucket, f"input/{name}.png") for name in ("a", "bad", "far")]
    deployed.send(queued(*messages, attempt=3))
    good, bad, far = deployed.lines(3)
    assert good["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "fft-pipeline"
    assert good["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["FunctionName"]]
    assert good["FunctionName"] == NAME
    counted = {"Processed": 1, "Rejected": 0, "Failed": 0, "Retried": 1, "Pixels": 32 * 24}
    counted["BrokenOff"] = 0
    counted["BytesWritten"] = sum(map(len, made("a.png").values()))
    assert metrics(good) == counted | {"Duration": good["total_ms"]}
    assert 0 < metrics(bad)["BytesWritten"] < 2000, "its record alone"
    assert metrics(far)["BytesWritten"] == 0
    assert metrics(bad) | {"Processed": 0, "Rejected": 1, "Failed": 0, "Retried": 1} == metrics(bad)
    assert metrics(far) | {"Processed": 0, "Rejected": 0, "Failed": 1, "Retried": 1} == metrics(far)


def test_ignored_objects_are_not_counted(deployed: Deployed) -> None:
    deployed.send(notification(deployed.bucket.name, "output/a.png", "elsewhere/b.png"))
    for line in deployed.lines(2):
        assert "_aws" not in line or not any(metrics(line).values())
