"""What a state of the workflow's state machine passes to the function that it calls.

::

    {"state": "Process", "attempt": 0, "execution": "…", "task": {
        "bucket": …, "object": {"key": …, "etag": …, "version-id": …}, "round": 0,
        "plan": …, "made": […], "analysed": …, "error": …}}

The task grows from state to state. It holds names and hashes only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fft_tool.stores.opening import BUCKET_NAME
from fft_tool.workflows.plan import Plan
from fft_tool.workflows.steps import Step
from handler.errors import MalformedEvent
from handler.events import Task
from handler.states import Fault, caught

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call by a state: its name, how often it has been retried, and the task.

    ``etag`` and ``version`` are those of the upload that started the execution; ``round`` counts
    how often the work was started over.
    """

    state: str
    attempt: int
    execution: str
    bucket: str
    key: str
    etag: str
    version: str
    round: int
    task: Json
    which: Literal["original", "combined"]

    @classmethod
    def of(cls, event: Any) -> Call:
        """Parse an event; :class:`~handler.errors.MalformedEvent` says what is wrong with it."""
        event = _object(event, "the event")
        task = _object(event.get("task"), "task")
        about = _object(task.get("object"), "task.object")
        bucket = _text(task, "task", "bucket")
        if not BUCKET_NAME.fullmatch(bucket):
            raise MalformedEvent(f"task.bucket is {bucket!r}, should be the name of a bucket")
        which = event.get("which", "original")
        if which not in ("original", "combined"):
            raise MalformedEvent(f"which is {which!r}, should be original or combined")
        return cls(
            state=_text(event, "", "state"),
            attempt=_count(event, "attempt") + 1,
            execution=_text(event, "", "execution"),
            bucket=bucket,
            key=_text(about, "task.object", "key"),
            etag=str(about.get("etag") or "").strip('"'),
            version=str(about.get("version-id") or ""),
            round=_count(task, "round"),
            task=task,
            which=which,
        )

    @property
    def part(self) -> Task:
        """The object that the call is about."""
        return Task(self.bucket, self.key, etag=self.etag)

    @property
    def told(self) -> dict[str, str]:
        """What every log line of the call tells."""
        return {
            "state": self.state,
            "execution": self.execution,
            "etag": self.etag,
            "version": self.version,
        }

    @property
    def is_planned(self) -> bool:
        """Whether a plan has been made."""
        return "plan" in self.task

    @property
    def plan(self) -> Plan:
        """The plan that the first step has made."""
        return Plan.from_json(_object(self.task.get("plan"), "task.plan"))

    @property
    def made(self) -> tuple[Step, Step]:
        """What became of the two parallel steps: process, and analyse the original."""
        made = self.task.get("made")
        if not isinstance(made, list) or len(made) != 2:
            raise MalformedEvent("task.made should be a list of two steps")
        processed, original = (Step.from_json(_object(each, "task.made")) for each in made)
        return processed, original

    @property
    def combined(self) -> Step:
        """What became of the analysis of the combined image."""
        analysed = _object(self.task.get("analysed"), "task.analysed")
        return Step.from_json(_object(analysed.get("combined"), "task.analysed.combined"))

    @property
    def fault(self) -> Fault:
        """The error that led to this state."""
        return caught(_object(self.task.get("error"), "task.error"))


def _object(value: Any, place: str) -> Json:
    if not isinstance(value, dict):
        raise MalformedEvent(f"{place} should be an object")
    return value


def _text(values: Json, place: str, name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedEvent(f"{place and place + '.'}{name} should be a text that is not empty")
    return value


def _count(values: Json, name: str) -> int:
    value = values.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedEvent(f"{name} is {value!r}, should be a count")
    return value
