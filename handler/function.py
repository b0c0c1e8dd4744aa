"""The function: an event in, work, an answer out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fft_tool.errors import Aborted
from fft_tool.runs.child import Child
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store
from handler.answers import answer
from handler.deadline import Deadline
from handler.events import Delivery, Malformed, Message, Part, PassedOver, only_of, parse
from handler.log import Log
from handler.patience import Patience
from handler.result import Result
from handler.settings import Settings
from handler.work import Worker


class Context(Protocol):
    """What is used of the context that Lambda gives with each event."""

    aws_request_id: str
    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


# Receives of a message after which it is done when all others of its batch have been.
SUSPECT = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One part of a message; ``place`` is where in the delivery its result belongs."""

    place: tuple[int, int]
    message: Message
    part: Part


class Function:
    """Called by Lambda. It keeps nothing but its connections from one event to the next."""

    def __init__(
        self,
        settings: Settings,
        *,
        child: Child,
        open_bucket: Callable[[str, float], Store] | None = None,
    ) -> None:
        self._settings = settings
        self._worker = Worker(settings, open_bucket or _open_bucket, child)
        self._log = Log(settings.namespace)
        self._cold = True

    def __call__(self, event: Mapping[str, Any], context: Context) -> Any:
        """Do what an event asks for, and answer it as its sender expects."""
        self._log.begin(context.function_name, context.aws_request_id)
        delivery = only_of(parse(event), self._settings.buckets)
        results = self._do_all(_jobs(delivery), context)
        answered = [
            (message, [results[number, index] for index in range(len(message.parts))])
            for number, message in enumerate(delivery.messages)
        ]
        return answer(delivery, answered)

    def _do_all(self, jobs: Sequence[Job], context: Context) -> dict[tuple[int, int], Result]:
        """Do all parts, and log how each of them ended.

        What breaks off is tried once more when everything else has been done: an image that takes
        all memory or all time is to take them from no other.
        """
        whole, processors = self._deadline(context).seconds_to_work(), self._settings.processors
        results: dict[tuple[int, int], Result] = {}
        again: list[tuple[Job, Patience]] = []
        for job in jobs:
            deadline = self._deadline(context)
            patience = Patience(deadline.seconds_to_work, whole, processors)
            try:
                results[job.place] = self._do(job, deadline, patience)
            except Aborted as exc:
                self._log.broken_off(job.part, job.message, exc)
                again.append((job, patience))
        for job, first in again:
            deadline = self._deadline(context)
            deadline.broken_off = 1
            last = Patience(
                deadline.seconds_to_work, whole, processors, last=True, had=first.enough
            )
            results[job.place] = self._do(job, deadline, last)
        return results

    def _do(self, job: Job, deadline: Deadline, patience: Patience) -> Result:
        """Do one part and log how it ended; raises what a first try breaks off with."""
        result = self._do_part(job.part, deadline, patience)
        deadline.stop()
        self._log.result(result, deadline, job.message, cold=self._cold)
        self._cold = False
        return result

    def _deadline(self, context: Context) -> Deadline:
        return Deadline(context.get_remaining_time_in_millis, self._settings.reserve_ms)

    def _do_part(self, part: Part, deadline: Deadline, patience: Patience) -> Result:
        """Do one part; its errors affect its own message alone."""
        match part:
            case PassedOver():
                return Result(part, "ignored", part.reason)
            case Malformed():
                return Result(part, "failed", error=part.error)
        try:
            return self._worker.do(part, deadline, patience)
        except Aborted:
            raise
        except Exception as exc:  # noqa: BLE001  (logged, and its message handed back)
            return Result(part, "failed", error=exc)


def _jobs(delivery: Delivery) -> list[Job]:
    """Return the parts of all messages in order, those that were returned before last.

    What kept them from being answered must not affect their neighbours.
    """
    jobs = [
        Job((number, index), message, part)
        for number, message in enumerate(delivery.messages)
        for index, part in enumerate(message.parts)
    ]
    return sorted(jobs, key=lambda job: job.message.attempt >= SUSPECT)


def _open_bucket(name: str, patience: float) -> Store:
    return open_store(f"s3://{name}", patience=patience)
