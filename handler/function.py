"""The function: parses an event, does the work, and answers."""

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
from handler.events import Delivery, Malformed, Message, Part, PassedOver, parse, restrict_to
from handler.log import Log
from handler.patience import Patience
from handler.result import Result
from handler.settings import Settings
from handler.work import Worker


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str
    function_name: str

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation."""
        ...


# From this attempt on, a message is processed after all others of its batch.
SUSPECT_ATTEMPT = 3


@dataclass(frozen=True, slots=True)
class Job:
    """One part of a message; ``place`` is its position in the delivery: message, part."""

    place: tuple[int, int]
    message: Message
    part: Part


class Function:
    """Called by Lambda. Nothing but connections is kept from one event to the next."""

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
        """Process an event, and answer in the form that its sender expects."""
        self._log.begin(context.function_name, context.aws_request_id)
        delivery = restrict_to(parse(event), self._settings.buckets)
        results = self._do_all(_jobs(delivery), context)
        answered = [
            (message, [results[number, index] for index in range(len(message.parts))])
            for number, message in enumerate(delivery.messages)
        ]
        return answer(delivery, answered)

    def _do_all(self, jobs: Sequence[Job], context: Context) -> dict[tuple[int, int], Result]:
        """Process all parts, and log the outcome of each.

        Work that breaks off is tried once more after everything else: an image that uses up memory
        or time must not take it from the others.
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
        """Process one part and log its outcome; a first try may raise ``BrokenOff``."""
        result = self._do_part(job.part, deadline, patience)
        deadline.stop()
        self._log.result(result, deadline, job.message, cold=self._cold)
        self._cold = False
        return result

    def _deadline(self, context: Context) -> Deadline:
        return Deadline(context.get_remaining_time_in_millis, self._settings.reserve_ms)

    def _do_part(self, part: Part, deadline: Deadline, patience: Patience) -> Result:
        """Process one part; its errors affect only its own message."""
        match part:
            case PassedOver():
                return Result(part, "ignored", part.reason)
            case Malformed():
                return Result(part, "failed", error=part.error)
        try:
            return self._worker.do(part, deadline, patience)
        except Aborted:
            raise
        except Exception as exc:  # noqa: BLE001  (logged, and its message is delivered again)
            return Result(part, "failed", error=exc)


def _jobs(delivery: Delivery) -> list[Job]:
    """Return the parts of all messages in order, with repeatedly failed messages last.

    Whatever kept them from being answered must not affect the other messages.
    """
    jobs = [
        Job((number, index), message, part)
        for number, message in enumerate(delivery.messages)
        for index, part in enumerate(message.parts)
    ]
    return sorted(jobs, key=lambda job: job.message.attempt >= SUSPECT_ATTEMPT)


def _open_bucket(name: str, patience: float) -> Store:
    return open_store(f"s3://{name}", patience=patience)
