"""What an execution of the state machine says: its steps, and how it ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fft_tool.results.outputs import Source
from service.errors import WorkflowFailed, WorkflowRejected
from service.operations.state_machine import STATES, check_end, steps_of, upload_name

EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:fft-images-workflow:abc"


def entered(name: str) -> dict[str, Any]:
    return {"type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}}


def left(name: str) -> dict[str, Any]:
    return {"type": "TaskStateExited", "stateExitedEventDetails": {"name": name}}


PLANNED = [{"type": "ExecutionStarted"}, entered("Start"), entered("Plan"), left("Plan")]


def statuses(*events: dict[str, Any]) -> dict[str, str]:
    """What each step is said to be, where it is not waiting."""
    first, *steps = steps_of(events, EXECUTION)
    assert first == {"name": "Start the workflow", "status": "done", "detail": "abc"}
    assert [each["name"] for each in steps] == list(STATES)
    return {each["name"]: each["status"] for each in steps if each["status"] != "waiting"}


def test_steps_follow_the_states_of_the_history() -> None:
    assert statuses() == {}
    assert statuses(*PLANNED[:3]) == {"Plan": "running"}
    branches = [*PLANNED, entered("Make"), entered("Process"), entered("Analyse original")]
    both = {"Plan": "done", "Process": "running", "Analyse original": "running"}
    assert statuses(*branches) == both
    assert statuses(*branches, left("Process")) == {**both, "Process": "done"}


def test_branches_that_the_history_does_not_name_last_as_long_as_their_state() -> None:
    made = [*PLANNED, entered("Make")]
    assert statuses(*made)["Process"] == "running"
    done = {"Plan": "done", "Process": "done", "Analyse original": "done"}
    assert statuses(*made, left("Make")) == done


def test_an_execution_that_starts_over_shows_it() -> None:
    again = [entered("Make"), left("Make"), entered("Finish"), left("Finish"), entered("Plan")]
    assert statuses(*PLANNED, *again) == {"Plan": "running"}


def ended(status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    return {"executionArn": EXECUTION, "status": status, **more}


def output(**message: Any) -> str:
    return json.dumps({"finished": {"message": message}})


def test_an_execution_that_was_done_is_no_error() -> None:
    check_end(ended(output=output(outcome="done")))


def test_a_rejection_is_permanent_and_says_why() -> None:
    error = {"code": "corrupt-image", "message": "the file ends too early"}
    with pytest.raises(WorkflowRejected, match="corrupt-image: the file ends too early") as caught:
        check_end(ended(output=output(outcome="rejected", error=error)))
    assert caught.value.permanent


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (ended("TIMED_OUT", error="States.Timeout"), "execution abc: timed out"),
        (ended("FAILED", cause="arn:aws:lambda:secret"), "execution abc: failed"),
        (ended(output="{}"), "another upload has replaced the image"),
    ],
)
def test_other_ends_may_be_tried_again(found: dict[str, Any], says: str) -> None:
    with pytest.raises(WorkflowFailed, match=says) as caught:
        check_end(found)
    assert not caught.value.permanent
    assert "secret" not in caught.value.public


def test_names_of_uploads_tell_the_image_and_the_operations() -> None:
    one = upload_name(Source("a.png", b"1"), "blur:3")
    assert one == upload_name(Source("a.png", b"1"), "blur:3")
    assert one != upload_name(Source("a.png", b"2"), "blur:3")
    assert one != upload_name(Source("a.png", b"1"), "blur:4")


def test_names_of_uploads_hold_nothing_that_a_client_could_use() -> None:
    hostile = upload_name(Source("../../<b>\n.png.operations.json", b""), "sepia")
    assert hostile.endswith("/b-png-operations-json")
    assert upload_name(Source("??", b""), "sepia").endswith("/image")
