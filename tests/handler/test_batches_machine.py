"""The definition of the state machine: every failure is retried with jitter, and leaves a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tools.local_aws.batches import definition

Json = dict[str, Any]
MACHINE: Json = json.loads(definition())


def states(machine: Json, inside: str = "") -> Iterator[tuple[str, Json]]:
    """All states with their names, those inside of maps included."""
    for name, state in machine["States"].items():
        yield inside + name, state
        if "ItemProcessor" in state:
            yield from states(state["ItemProcessor"], f"{name}/")


ALL = dict(states(MACHINE))
TASKS = {name: state for name, state in ALL.items() if state["Type"] == "Task"}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_is_retried_with_backoff_and_full_jitter(name: str) -> None:
    (retry,) = TASKS[name]["Retry"]
    assert retry["JitterStrategy"] == "FULL"
    assert retry["BackoffRate"] > 1
    assert retry["MaxAttempts"] >= 5
    assert retry["MaxDelaySeconds"] <= 180
    known = {"Transient", "Lambda.TooManyRequestsException", "Lambda.ServiceException"}
    assert known <= set(retry["ErrorEquals"]) or retry["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, state in ALL.items()
        if state["Type"] in ("Task", "Map") and "/" not in name and name != "Record the failure"
    ],
)
def test_whatever_fails_is_recorded(name: str) -> None:
    last = ALL[name]["Catch"][-1]
    assert last["ErrorEquals"] == ["States.ALL"]
    assert last["Next"] == "Record the failure"
    assert last["ResultPath"] == "$.failure", "the job is still in the input"


def test_a_failure_that_is_recorded_still_fails_the_execution() -> None:
    assert ALL["Record the failure"]["Next"] == "Failed"
    assert ALL["Failed"]["Type"] == "Fail"


def test_the_database_may_be_away_for_ten_minutes() -> None:
    """The delays without jitter, which on average halves them."""
    (retry,) = TASKS["Publish"]["Retry"]
    delays = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** attempt, retry["MaxDelaySeconds"])
        for attempt in range(retry["MaxAttempts"])
    ]
    assert sum(delays) / 2 > 10 * 60


def test_both_maps_count_the_same_items() -> None:
    inline, distributed = ALL["Count"], ALL["Count distributed"]
    assert inline["ItemSelector"] == distributed["ItemSelector"]
    assert TASKS["Count/Count a part"] | {"Catch": 0} == (
        TASKS["Count distributed/Count one part"] | {"Catch": 0}
    )
    assert "ResultWriter" in distributed, "results of many items are more than a payload"
    assert inline["ResultPath"] is distributed["ResultPath"] is None


def test_every_state_can_be_reached_and_every_next_state_exists() -> None:
    for machine in (
        MACHINE,
        *(ALL[name]["ItemProcessor"] for name in ("Count", "Count distributed")),
    ):
        reached, todo = set(), [machine["StartAt"]]
        while todo:
            name = todo.pop()
            if name in reached:
                continue
            reached.add(name)
            state = machine["States"][name]
            ways = [state, *state.get("Catch", ()), *state.get("Choices", ())]
            todo += [way["Next"] for way in ways if "Next" in way]
            todo += [state["Default"]] if "Default" in state else []
        assert reached == set(machine["States"])
