"""The definitions of the state machines: complete, retried with jitter, and drawn as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import loaded
from tools.errors import ToolError
from tools.local_aws.state_machines import FOLDER, render

Json = dict[str, Any]

PATHS = sorted(FOLDER.glob("*.asl.json"))
WORKFLOW = json.loads((FOLDER / "workflow.asl.json").read_text("utf-8"))


def states(machine: Json) -> Iterator[tuple[str, Json]]:
    """All states, also those inside others."""
    for name, state in machine["States"].items():
        yield name, state
        inside = [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
        for branch in [*state.get("Branches", ()), *inside]:
            yield from states(branch)


@pytest.fixture(scope="module")
def drawing(repository: Path) -> Any:
    return loaded(repository / "docs" / "state_machines.py")


def test_there_is_a_definition() -> None:
    assert FOLDER / "workflow.asl.json" in PATHS


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_retry_backs_off_with_full_jitter(path: Path) -> None:
    for name, state in states(json.loads(path.read_text("utf-8"))):
        for retrier in state.get("Retry", ()):
            if retrier.get("MaxAttempts") != 0:
                assert retrier["JitterStrategy"] == "FULL", name
                assert retrier["BackoffRate"] >= 1.5, name


def test_every_step_retries_throttling_and_transient_faults_but_not_refusals() -> None:
    tasks = [state for _, state in states(WORKFLOW) if "lambda:invoke" in state.get("Resource", "")]
    assert len(tasks) == 6  # the images are analysed in two states
    for task in tasks:
        never, *others = task["Retry"]
        assert never == {"ErrorEquals": ["Rejected", "Superseded"], "MaxAttempts": 0}
        retried = {name for retrier in others for name in retrier["ErrorEquals"]}
        assert {"Lambda.TooManyRequestsException", "Transient", "States.ALL"} <= retried


def test_every_refusal_leads_to_a_manifest_that_says_so() -> None:
    for name in ("Plan", "Make", "Analyse combined", "Finish"):
        caught = {
            error: catcher["Next"]
            for catcher in WORKFLOW["States"][name]["Catch"]
            for error in catcher["ErrorEquals"]
        }
        assert caught["Rejected"] == "Reject"
        assert caught["Superseded"] == ("Nothing to do" if name == "Plan" else "Overwritten")


def test_a_value_that_is_missing_or_not_used_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "one.asl.json"
    path.write_text('{"Resource": "${function}"}')
    assert json.loads(render(path, function='a"b')) == {"Resource": 'a"b'}
    with pytest.raises(ToolError, match="values missing: function; values not used: other"):
        render(path, other="x")


def test_a_placeholder_outside_of_a_string_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "one.asl.json"
    path.write_text('{"MaxConcurrency": ${most}}')
    with pytest.raises(ToolError, match="is not JSON"):
        render(path, most="x")


# Drawings.


def test_every_drawing_is_up_to_date(drawing: Any) -> None:
    for path, text in drawing.pictures().items():
        assert path.exists(), f"{path.name} is missing: run python docs/state_machines.py"
        assert path.read_text("utf-8") == text, f"{path.name}: run python docs/state_machines.py"


def test_a_drawing_shows_every_state_and_no_two_in_one_place(drawing: Any) -> None:
    for path in PATHS:
        machine = json.loads(path.read_text("utf-8"))
        text = drawing.svg(machine, "title")
        for name, _ in states(machine):
            assert f">{name}</text>" in text
        found = drawing.drawn(machine)
        boxes = [box for box in found.boxes.values() if box.state is not None]
        for number, one in enumerate(boxes):
            for other in boxes[number + 1 :]:
                apart_x = abs(one.x - other.x) >= (one.width + other.width) / 2
                apart_y = abs(one.y - other.y) >= (one.height + other.height) / 2
                assert apart_x or apart_y, (path.name, one.name, other.name)
        assert all(box.x + box.width / 2 <= found.width for box in boxes)
