"""The function: parses an event, does the work, and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from fft_tool.errors import Aborted
from fft_tool.runs.child import Child
from fft_tool.stores.base import Store
from fft_tool.stores.opening import open_store
from handler.answers import Answered, answer
from handler.bucket import Folder
from handler.deadline import Deadline
from handler.events import ITEMS, Delivery, Malformed, Part, PassedOver, parse, restrict_to
from handler.jobs import Job, Place, Restless, jobs_of
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


SHARED = "another message of this batch is about the same object, which was processed once for all"


class Function:
    """Called by Lambda.

    From one event to the next it keeps its connections, and which keys are overwritten often.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        child: Child,
        open_bucket: Callable[[str, float], Store] | None = None,
    ) -> None:
        self._settings = settings
        self._open_bucket = open_bucket or bucket_store
        self._worker = Worker(settings, self._open_bucket, child)
        self._log = Log(settings.namespace)
        self._restless = Restless()
        self._cold = True

    def __call__(self, event: Mapping[str, Any], context: Context) -> Any:
        """Process an event, and answer in the form that its sender expects."""
        self._log.begin(context.function_name, context.aws_request_id)
        if isinstance(event, Mapping) and ITEMS in event:
            return self._do_items(event, context)
        delivery = restrict_to(parse(event), self._settings.buckets)
        return answer(delivery, self._answered(delivery, context))

    def _do_items(self, event: Mapping[str, Any], context: Context) -> Any:
        """Process a batch of a Distributed Map, and write what failed beside the results."""
        from handler import items  # noqa: PLC0415  (only backfills need it)

        delivery = items.parse(event)
        answered = self._answered(restrict_to(delivery, self._settings.buckets), context)
        prefix = self._settings.output_prefix
        lines = list(items.failures(answered, prefix))
        if lines:
            place = Folder(self._open_bucket, delivery.bucket, prefix, self._deadline(context))
            items.write(place, delivery, lines)
        return answer(delivery, answered)

    def _answered(self, delivery: Delivery, context: Context) -> list[Answered]:
        """Process a delivery; each message with the results of its parts."""
        results = self._do_all(delivery, context)
        return [
            (message, [results[number, index] for index in range(len(message.parts))])
            for number, message in enumerate(delivery.messages)
        ]

    def _do_all(self, delivery: Delivery, context: Context) -> dict[Place, Result]:
        """Process all jobs, and log the outcome of each.

        Work that breaks off is tried once more after everything else: an image that uses up memory
        or time must not take it from the others.
        """
        whole, processors = self._deadline(context).seconds_to_work(), self._settings.processors
        results: dict[Place, Result] = {}
        again: list[tuple[Job, Patience]] = []
        for job in sorted(jobs_of(delivery), key=self._goes_last):
            deadline = self._deadline(context)
            patience = Patience(deadline.seconds_to_work, whole, processors)
            try:
                etags = job.etags if job.part in self._restless else frozenset()
                results |= self._do(job, deadline, patience, etags)
            except Aborted as exc:
                self._log.broken_off(job.part, job.messages[0], exc)
                again.append((job, patience))
        for job, first in again:
            deadline = self._deadline(context)
            deadline.broken_off = 1
            last = replace(first.again(), seconds_left=deadline.seconds_to_work)
            # Any version: the first try may have left outdated outputs.
            results |= self._do(job, deadline, last, frozenset())
        return results

    def _goes_last(self, job: Job) -> bool:
        """Whether a job could delay the others: often returned, or overwritten again and again.

        The latter has usually been overwritten once more by then, which leaves nothing to do.
        """
        return job.is_suspect or len(job.places) > 1 or job.part in self._restless

    def _do(
        self, job: Job, deadline: Deadline, patience: Patience, etags: frozenset[str]
    ) -> dict[Place, Result]:
        """Process one job and log its outcome; a first try may raise ``Aborted``."""
        result = self._do_part(job.part, deadline, patience, etags)
        deadline.stop()
        if deadline.restarts or (result.outcome == "superseded" and result.etag):
            self._restless.note(job.part)  # seen to be overwritten
        self._log.result(result, deadline, job.messages[0], cold=self._cold)
        self._cold = False
        others = result if result.outcome == "failed" else Result(job.part, "ignored", SHARED)
        for message in job.messages[1:]:
            self._log.result(others, Deadline(lambda: 0, 0), message, cold=False)
        return {job.places[0]: result, **dict.fromkeys(job.places[1:], others)}

    def _deadline(self, context: Context) -> Deadline:
        return Deadline(context.get_remaining_time_in_millis, self._settings.reserve_ms)

    def _do_part(
        self, part: Part, deadline: Deadline, patience: Patience, etags: frozenset[str]
    ) -> Result:
        """Process one part; its errors affect only its own message."""
        match part:
            case PassedOver():
                return Result(part, "ignored", part.reason)
            case Malformed():
                return Result(part, "failed", error=part.error)
        try:
            return self._worker.do(part, deadline, patience, etags)
        except Aborted:
            raise
        except Exception as exc:  # noqa: BLE001  (logged, and its message is delivered again)
            return Result(part, "failed", error=exc)


def bucket_store(name: str, patience: float) -> Store:
    """Store of a bucket, whose requests are retried for ``patience`` seconds."""
    return open_store(f"s3://{name}", patience=patience)
