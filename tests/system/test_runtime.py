"""The emulated Lambda runtime behaves like Lambda, since other tests depend on it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.runtime import NAME, Endpoint, Function, FunctionDied, TimedOut, environment

pytest.importorskip("awslambdaric", reason="Amazon's client exists for Linux only")

PROGRAM = """
import logging, os, threading, time

def echo(event, context):
    return event

def about(event, context):
    logging.warning("a warning of the logging module")
    print("plain words")
    return {
        "request": context.aws_request_id,
        "function": context.function_name,
        "memory": context.memory_limit_in_mb,
        "arn": context.invoked_function_arn,
        "remaining": context.get_remaining_time_in_millis(),
        "environ": dict(os.environ),
        "cwd": os.getcwd(),
    }

def fail(event, context):
    raise LookupError("nothing there: grün")

def die(event, context):
    os._exit(3)

def hang(event, context):
    print("hanging", flush=True)
    threading.Event().wait()

def long(event, context):
    for number in range(4000):
        print("{" + f'"number": {number}, "text": "' + "x" * 100 + '"}')
    return "x" * 2_000_000

def nan(event, context):
    return float("nan")
"""

Starting = Callable[..., Function]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starting]:
    """Start functions of the program above; all are stopped at the end."""
    (tmp_path / "program.py").write_text(PROGRAM)
    started: list[Function] = []

    def start(name: str, **options: Any) -> Function:
        environ = {"PYTHONPATH": str(tmp_path), **options.pop("environ", {})}
        started.append(Function(f"program.{name}", environ=environ, **options))
        return started[-1]

    yield start
    for function in started:
        function.stop()


def test_events_and_results_pass_unchanged(start: Starting) -> None:
    function = start("echo")
    events: tuple[Any, ...] = ({"a": [1, 2.5, None, True, "ü😀\n"]}, [], "text", 0, None)
    for event in events:
        answer = function.invoke(event)
        assert answer.returned == event
        assert answer.seconds > 0


def test_the_function_receives_the_context_and_environment_of_lambda(
    start: Starting, tmp_path: Path
) -> None:
    function = start("about", memory=512, environ={"FFT_X": "y"}, cwd=tmp_path)
    answer = function.invoke({}, remaining=30)
    seen = answer.returned
    environ = seen["environ"]
    assert seen["request"] == answer.request_id
    assert seen["function"] == NAME
    assert seen["memory"] == environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "512"
    assert seen["arn"].endswith(f":function:{NAME}")
    assert 0 < seen["remaining"] <= 30_001  # both ends round
    assert environ["FFT_X"] == "y"
    assert Path(seen["cwd"]) == tmp_path


def test_nothing_of_the_developers_environment_reaches_the_function(
    start: Starting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("HOME", "/home/me")
    seen = start("about").invoke({}).returned["environ"]
    expected = {*environment("", "", 0), "_X_AMZN_TRACE_ID", "LC_CTYPE"}
    assert set(seen) <= expected


def test_an_error_is_reported_with_type_message_and_traceback(start: Starting) -> None:
    function = start("fail")
    answer = function.invoke({})
    assert answer.raised == ("LookupError", "nothing there: grün")
    assert answer.error is not None
    assert "in fail" in answer.error["stackTrace"][0]
    assert function.invoke({}).raised[0] == "LookupError", "the process lives on"


def test_lines_written_before_the_answer_are_in_the_log_with_it(start: Starting) -> None:
    function = start("about")
    for count in (1, 2, 3):
        request = function.invoke({}).request_id
        assert len(function.log) == count
        assert function.log[-1]["message"] == "a warning of the logging module"
        assert function.log[-1]["requestId"] == request
        assert function.text.count("plain words") == count


def test_much_output_and_a_large_result_do_not_block(start: Starting) -> None:
    function = start("long")
    assert len(function.invoke({}).returned) == 2_000_000
    assert [line["number"] for line in function.log] == list(range(4000))


def test_a_result_that_is_not_json_is_an_error(start: Starting) -> None:
    with pytest.raises(AssertionError, match="NaN"):
        start("nan").invoke({})


def test_events_of_several_threads_are_answered_one_at_a_time(
    start: Starting,
) -> None:
    function = start("echo")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(function.invoke, range(40)))
    assert [answer.returned for answer in answers] == list(range(40))
    assert len({answer.request_id for answer in answers}) == 40


# Processes that end


@pytest.mark.parametrize("handler", ["absent", "absent.module"])
def test_a_function_that_cannot_start_reports_why_and_dies(start: Starting, handler: str) -> None:
    function = start(handler)
    with pytest.raises(FunctionDied, match="ended with 1"):
        function.invoke({})
    assert function.endpoint.init_error is not None
    assert "absent" in function.endpoint.init_error["errorMessage"]
    assert set(function.endpoint.init_error) >= {"errorType", "errorMessage", "stackTrace"}


def test_a_process_that_exits_during_an_event_is_reported(start: Starting) -> None:
    function = start("die")
    with pytest.raises(FunctionDied):
        function.invoke({})
    assert function.process.wait() == 3
    with pytest.raises(FunctionDied, match="ended with 3"):
        function.invoke({})


def test_a_process_that_is_killed_during_an_event_is_reported(start: Starting) -> None:
    function = start("hang")
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function.invoke, {})
        while "hanging" not in function.text:
            assert not future.done()
        function.kill()
        with pytest.raises(FunctionDied):
            future.result()


def test_a_process_that_is_killed_while_idle_is_reported(start: Starting) -> None:
    function = start("echo")
    function.invoke({})
    function.kill()
    with pytest.raises(FunctionDied, match="ended with -9"):
        function.invoke({})


def test_a_process_that_exceeds_its_deadline_is_killed(start: Starting) -> None:
    function = start("hang")
    with pytest.raises(TimedOut, match="no answer after 0"):
        function.invoke({}, remaining=0.2)
    assert function.process.returncode == -signal.SIGKILL
    with pytest.raises(FunctionDied):
        function.invoke({})


def test_the_output_of_a_dead_process_is_reported_with_its_death(start: Starting) -> None:
    function = start("hang")
    with pytest.raises(TimedOut) as caught:
        function.invoke({}, remaining=0.2)
    assert "hanging" in caught.value.__notes__[0]


def test_stopping_twice_is_harmless_and_leaves_nothing(start: Starting) -> None:
    before = threading.active_count()
    function = start("echo")
    function.invoke({})
    port = int(function.endpoint.address.rpartition(":")[2])
    function.stop()
    function.stop()
    assert function.process.returncode == -signal.SIGTERM
    assert threading.active_count() == before
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_process_that_cannot_be_started_leaves_nothing(tmp_path: Path) -> None:
    before = threading.active_count()
    with pytest.raises(FileNotFoundError):
        Function("program.echo", cwd=tmp_path / "not there")
    assert threading.active_count() == before


# The endpoint alone


def test_the_endpoint_serves_any_process(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    with Endpoint() as endpoint:
        environ = {**environment("", endpoint.address, 128), "PYTHONPATH": str(tmp_path)}
        command = [sys.executable, "-m", "awslambdaric", "program.echo"]
        with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE) as process:
            assert endpoint.invoke([1]).returned == [1]
            process.kill()
        with pytest.raises(FunctionDied, match="nobody asked"):
            endpoint.invoke([2], patience=0.1)


def test_a_lost_connection_means_that_the_process_has_ended() -> None:
    with Endpoint() as endpoint, ThreadPoolExecutor(1) as pool:
        future = pool.submit(endpoint.invoke, {})
        client = http.client.HTTPConnection(endpoint.address)
        client.request("GET", "/2018-06-01/runtime/invocation/next")
        assert client.getresponse().read() == b"{}"
        client.close()
        with pytest.raises(FunctionDied, match="closed"):
            future.result()


def test_an_answer_to_another_event_is_refused() -> None:
    with Endpoint() as endpoint:
        client = http.client.HTTPConnection(endpoint.address)
        client.request(
            "POST", f"/2018-06-01/runtime/invocation/{os.urandom(4).hex()}/response", "1"
        )
        assert client.getresponse().status == 400
        client.close()


def test_closing_the_endpoint_releases_a_waiting_process() -> None:
    with Endpoint() as endpoint:
        client = http.client.HTTPConnection(endpoint.address)
        client.request("GET", "/2018-06-01/runtime/invocation/next")
    with pytest.raises(ConnectionError):
        client.getresponse()
    client.close()
