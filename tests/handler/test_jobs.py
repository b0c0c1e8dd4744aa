"""Keys that are remembered because they are overwritten often."""

from __future__ import annotations

from handler.events import Task
from handler.jobs import MOST_RESTLESS, RESTLESS_SECONDS, Restless


def test_an_overwritten_key_is_remembered_for_a_minute() -> None:
    now = [100.0]
    restless = Restless(lambda: now[0])
    task, other = Task("scans", "input/a.png"), Task("scans", "input/b.png")
    assert task not in restless
    restless.note(task)
    now[0] += RESTLESS_SECONDS - 1
    assert task in restless
    assert other not in restless
    assert Task("another", "input/a.png") not in restless
    now[0] += 1
    assert task not in restless


def test_at_most_a_thousand_keys_are_remembered() -> None:
    restless = Restless(lambda: 0.0)
    tasks = [Task("scans", f"input/{number}.png") for number in range(MOST_RESTLESS + 1)]
    for task in tasks:
        restless.note(task)
        restless.note(tasks[1])
    assert tasks[0] not in restless
    assert all(task in restless for task in tasks[1:])
