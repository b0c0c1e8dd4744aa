"""The look at jobs, of which both triggers make use: events of uploads, and the schedule.

An event leads to a look at its job; the schedule, to a look at every job. A job that is complete
and not yet published is given to the state machine. Looking twice does no harm: the execution is
named after the job and its state, and AWS starts one execution of a name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from fft_tool.batches.aws import Machine, execution_name
from fft_tool.batches.revisions import latest_marker, published_revision
from fft_tool.batches.survey import Survey, find_jobs, survey
from fft_tool.errors import FftToolError, NotFound
from handler.answers import answer
from handler.batches import MOST_REASONS, Steps, text_in
from handler.batches_settings import BatchesSettings
from handler.deadline import Deadline
from handler.errors import OutOfTime
from handler.events import Malformed, Part, parse, restrict_to
from handler.log import Log, stack_of
from handler.result import Result

HOUR = 3600.0  # seconds

# waiting: incomplete. overdue: incomplete for too long. gone: there are no files any more.
Outcome = Literal["started", "running", "given-up", "waiting", "overdue", "published", "gone"]

WARNINGS = ("overdue", "given-up")


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a job found."""

    bucket: str
    job: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    waited_hours: float | None = None

    def __str__(self) -> str:
        told = f"{self.job}: {self.outcome}"
        if self.waited_hours is not None:
            told += f" (the last upload was {self.waited_hours:.1f} h ago)"
        return f"{told}: {'; '.join(self.reasons)}" if self.reasons else told

    def to_json(self) -> dict[str, Any]:
        """The result as it is logged and returned."""
        return {
            "bucket": self.bucket,
            "job": self.job,
            "outcome": self.outcome,
            "reasons": list(self.reasons[:MOST_REASONS]),
        }


@dataclass(frozen=True)
class Sweep:
    """Looks at jobs, and starts the ``machine`` for those that are complete."""

    settings: BatchesSettings
    steps: Steps
    log: Log
    machine: Machine
    clock: Callable[[], float] = field(default=time.time)

    def __call__(self, event: Any, deadline: Deadline) -> Any:
        """Look at the job that ``{"bucket": …, "job": …}`` names, or at all jobs of a bucket.

        An event of S3 is about the job of its object; of several, each job is looked at once.
        """
        if isinstance(event, Mapping) and "bucket" in event and "key" not in event:
            return self._sweep(event, deadline)
        delivery = restrict_to(parse(event), self.settings.common.buckets)
        looks: dict[tuple[str, str], Exception | None] = {}
        answered = [
            (message, [self._result(part, looks, deadline) for part in message.parts])
            for message in delivery.messages
        ]
        return answer(delivery, answered)

    def _sweep(self, event: Mapping[str, Any], deadline: Deadline) -> dict[str, Any]:
        """Look at one job or at all; a job that cannot be looked at does not stop the others."""
        bucket = text_in(event, "bucket")
        alone = "job" in event
        jobs = [text_in(event, "job")] if alone else self._jobs(bucket, deadline)
        looks: list[Look] = []
        errors: list[Exception] = []
        for job in jobs:
            found = self._look_safely(bucket, job, deadline)
            if isinstance(found, Look):
                looks.append(found)
            elif isinstance(found, OutOfTime) and not alone:
                break  # the next sweep begins with another job
            else:
                errors.append(found)
        if not alone:
            self._log_summary(bucket, looks, len(errors), len(jobs))
        if errors:
            raise errors[0]
        return {"jobs": [look.to_json() for look in looks if look.outcome != "published"]}

    def _jobs(self, bucket: str, deadline: Deadline) -> list[str]:
        """All jobs, beginning anywhere: if there is not time for all, others come next time."""
        deadline.step("list")
        jobs = find_jobs(self.steps.place_of(bucket, "", deadline).sources)
        first = int(self.clock()) % max(len(jobs), 1)
        return jobs[first:] + jobs[:first]

    def _result(
        self,
        part: Part,
        looks: dict[tuple[str, str], Exception | None],
        deadline: Deadline,
    ) -> Result:
        """Look at the job of a part, unless that has been done for another one."""
        if isinstance(part, Malformed):
            self._log_error(part.bucket, part.key, part.error)
            return Result(part, "failed", error=part.error)
        job = self._job_of(part.key)
        if not job:
            return Result(part, "ignored", "it does not belong to a job")
        place = part.bucket, job
        if place not in looks:
            found = self._look_safely(*place, deadline)
            looks[place] = found if isinstance(found, Exception) else None
        error = looks[place]
        return Result(part, "failed" if error else "done", error=error)

    def _job_of(self, key: str) -> str:
        """Name of the job that an object belongs to; empty if it belongs to none."""
        prefix = self.settings.prefix
        job, slash, _ = key.removeprefix(prefix).partition("/")
        return job if key.startswith(prefix) and slash and not job.startswith(".") else ""

    def _look_safely(self, bucket: str, job: str, deadline: Deadline) -> Look | Exception:
        """Look at a job, and log the outcome, or the error."""
        try:
            look = self._look(bucket, job, deadline)
        except Exception as exc:  # noqa: BLE001  (logged, and raised once all jobs were looked at)
            self._log_error(bucket, job, exc)
            return exc
        if look.outcome != "published":
            level = "WARN" if look.outcome in WARNINGS else "INFO"
            self.log.write(level, str(look), look.to_json())
        return look

    def _look(self, bucket: str, job: str, deadline: Deadline) -> Look:
        deadline.step("look")
        place = self.steps.place_of(bucket, job, deadline)
        latest = latest_marker(place.results, job)
        try:
            found = survey(place.sources, job, self.settings.shape)
        except NotFound:
            return Look(bucket, job, "gone")
        if not found.complete:
            return self._incomplete(bucket, found)
        number = latest.number if latest else 0
        if latest is None or latest.key != found.key:
            number += 1
        elif published_revision(place.results, job) == number:
            return Look(bucket, job, "published")
        name = execution_name(job, number, found.key)
        deadline.step("start")
        outcome = self.machine.start(name, {"bucket": bucket, "job": job})
        reasons = ("every execution failed: see status.json",) if outcome == "given-up" else ()
        return Look(bucket, job, outcome, reasons)

    def _incomplete(self, bucket: str, found: Survey) -> Look:
        hours = None if found.changed is None else (self.clock() - found.changed) / HOUR
        overdue = hours is not None and hours > self.settings.waiting_hours
        outcome: Outcome = "overdue" if overdue else "waiting"
        return Look(bucket, found.job, outcome, tuple(found.reasons()), hours)

    def _log_summary(self, bucket: str, looks: Sequence[Look], failed: int, jobs: int) -> None:
        """Write the line of a sweep, from which CloudWatch takes the metrics of the alarms."""
        outcomes = [look.outcome for look in looks]
        values: dict[str, tuple[str, float]] = {
            "JobsWaiting": ("Count", outcomes.count("waiting")),
            "JobsOverdue": ("Count", outcomes.count("overdue")),
            "JobsGivenUp": ("Count", outcomes.count("given-up")),
            "JobsStarted": ("Count", outcomes.count("started")),
            "JobsNotReached": ("Count", jobs - len(looks) - failed),
        }
        line = {"bucket": bucket, "jobs": jobs, "failed": failed, **self.log.metrics(values)}
        told = ", ".join(f"{name} {value}" for name, (_, value) in values.items() if value)
        self.log.write("INFO", f"swept {jobs} jobs{': ' if told else ''}{told}", line)

    def _log_error(self, bucket: str, job: str, error: Exception) -> None:
        known = isinstance(error, FftToolError)
        level = "WARN" if getattr(error, "transient", False) else "ERROR"
        code = error.code if isinstance(error, FftToolError) else "bug"
        line = {"bucket": bucket, "job": job, "error": {"code": code, "message": str(error)}}
        self.log.write(level, f"{job}: {error}", line | ({} if known else stack_of(error)))
