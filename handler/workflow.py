"""The steps of the workflow on AWS: each is called by a state of the state machine.

Which execution comes first does not matter. S3 may tell of an upload twice and in any order, and
two executions may work on one key at a time. Before a step writes, it looks whether the source is
still what the plan was made for; after the manifest has been written, the last step looks once
more. If it was overwritten, what has been written may have replaced results of a later version, and
the state machine starts over with the latest. The last one to write has therefore always seen the
latest version, as in :mod:`handler.work`.

Only the first step may end quietly because of a later upload: it has written nothing, and that
upload has an execution of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fft_tool import errors
from fft_tool.errors import Aborted, FftToolError, NotFound
from fft_tool.mask_files import no_masks, resolve_masks
from fft_tool.operations.registry import MOST_OPERATIONS, OPERATIONS
from fft_tool.recipe import Recipe
from fft_tool.runs.child import Child
from fft_tool.stores.base import Store
from fft_tool.workflows.manifest import manifest_step, reject
from fft_tool.workflows.plan import Plan, folder_of, is_latest, make_plan, manifest_name
from fft_tool.workflows.requests import SIDECAR, is_sidecar, read_request
from fft_tool.workflows.steps import COMBINED, Step, analyse_step, process_step
from handler.bucket import Folder, OpenBucket
from handler.deadline import Deadline
from handler.errors import KeyTooLong, MalformedEvent
from handler.events import Message
from handler.function import Context, bucket_store
from handler.log import Log
from handler.result import Outcome, Result
from handler.settings import Settings
from handler.states import Superseded, state_error
from handler.work import LONGEST_KEY
from handler.workflow_call import Call
from handler.workflow_work import ContainedWork

Json = dict[str, Any]

RESULTS = "workflow/"
"""Folder of the results below the output prefix."""

LATER = "a later version has been uploaded: the execution that it started leads to its results"

# The longest name of a result within its folder.
_LONGEST_NAME = max(len(f"independent/{MOST_OPERATIONS}-{name}.png") for name in OPERATIONS)


class Workflow:
    """The functions of the workflow, ``plan`` to ``reject``, as Lambda calls them.

    From one call to the next they keep their connections. ``child`` gives the process that decodes
    images, which not all of them need.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        child: Callable[[], Child],
        open_bucket: OpenBucket | None = None,
    ) -> None:
        self._settings, self._child = settings, child
        self._open_bucket = open_bucket or bucket_store
        self._log = Log(settings.namespace)
        self._cold = True

    def plan(self, event: Mapping[str, Any], context: Context) -> Json:
        """Make the plan from the object's head, before any of its content is read."""
        return self._call(event, context, _plan)

    def process(self, event: Mapping[str, Any], context: Context) -> Json:
        """Apply the operations: all in sequence, and each alone."""
        return self._call(event, context, _process)

    def analyse(self, event: Mapping[str, Any], context: Context) -> Json:
        """Analyse the original or the combined image."""
        return self._call(event, context, _analyse)

    def finish(self, event: Mapping[str, Any], context: Context) -> Json:
        """Write the manifest, and look whether it is that of the latest version."""
        return self._call(event, context, _finish)

    def reject(self, event: Mapping[str, Any], context: Context) -> Json:
        """Write a manifest that says why there are no results."""
        return self._call(event, context, _reject)

    def _call(
        self, event: Mapping[str, Any], context: Context, step: Callable[[_Job], Json]
    ) -> Json:
        """Take a step, log its outcome, and raise errors under names that the states match."""
        self._log.begin(context.function_name, context.aws_request_id)
        call = Call.of(event)
        if self._settings.buckets and call.bucket not in self._settings.buckets:
            raise MalformedEvent(
                f"the bucket {call.bucket} is not one of this function's (FFT_BUCKET, FFT_BUCKETS)"
            )
        self._log.begin(context.function_name, context.aws_request_id, **call.told)
        deadline = Deadline(context.get_remaining_time_in_millis, self._settings.reserve_ms)
        job = _Job(self._settings, self._open_bucket, self._child, self._log, call, deadline)
        try:
            answer = step(job)
        except Exception as exc:  # noqa: BLE001  (logged, and raised under a name that states match)
            self._tell(job, _outcome_of(exc), exc)
            raise _raised(exc) from None
        self._tell(job, job.outcome, job.error)
        return answer

    def _tell(self, job: _Job, outcome: Outcome, error: Exception | None) -> None:
        """Write the line of a step."""
        job.deadline.stop()
        work, quiet = job.work, outcome in ("superseded", "ignored")
        result = Result(
            job.call.part,
            outcome,
            reason=str(error) if quiet else "",
            error=None if quiet else error,
            outputs=job.outputs,
            size=job.size,
            sha256=job.sha256,
            etag=job.call.etag,
            width=work.width,
            height=work.height,
        )
        message = Message((job.call.part,), attempt=job.call.attempt)
        job.deadline.restarts = job.call.round
        self._log.result(result, job.deadline, message, cold=self._cold)
        self._cold = False


@dataclass(slots=True)
class _Job:
    """One call of a step: where it reads and writes, and what its log line tells."""

    settings: Settings
    open_bucket: OpenBucket
    child: Callable[[], Child]
    log: Log
    call: Call
    deadline: Deadline
    work: ContainedWork = field(init=False)
    outcome: Outcome = "done"
    error: Exception | None = None
    outputs: tuple[str, ...] = ()
    size: int | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        self.work = ContainedWork(
            self.settings,
            self.child,
            self.deadline,
            before_writing=self.check_latest,
            on_aborted=self._broken_off,
        )

    @property
    def name(self) -> str:
        """Name of the image below the workflow's prefix; a sidecar is about its image."""
        return self.call.key.removeprefix(self.settings.workflow_prefix).removesuffix(SIDECAR)

    @property
    def sources(self) -> Store:
        """The folder of images."""
        return self._folder(self.settings.workflow_prefix)

    @property
    def target(self) -> Store:
        """The folder of results."""
        return self._folder(self.settings.output_prefix + RESULTS)

    def planned(self) -> Plan:
        """The plan for the latest version of the source."""
        stat = self.sources.stat(self.name)
        own = replace(stat, metadata=self.settings.own_metadata(stat.metadata))
        request = read_request(self.sources, self.name, own)
        self.settings.check_allowed(request.recipe)
        recipe = {**_differing(self.settings.recipe), **request.recipe}
        plan = make_plan(self.name, request.operations, recipe, stat)
        resolve_masks(plan.recipe, no_masks)
        too_long = self.key_too_long()
        if too_long:
            raise too_long
        return plan

    def check_latest(self) -> None:
        """Raise an error unless the source is still what the plan was made for."""
        if not is_latest(self.call.plan, self.planned):
            raise errors.Superseded(f"{self.call.key}: overwritten since the work on it began")

    def key_too_long(self) -> KeyTooLong | None:
        """An error if the keys of the results would be longer than S3 allows."""
        prefix = f"{self.settings.output_prefix}{RESULTS}{folder_of(self.name)}/"
        length = len(prefix.encode()) + _LONGEST_NAME
        if length <= LONGEST_KEY:
            return None
        return KeyTooLong(
            f"the keys of its results would take up to {length:,} bytes, and S3 allows "
            f"{LONGEST_KEY:,}: upload it under a shorter key"
        )

    def wrote(self, step: Step) -> Json:
        """Note what a step has written; returns what is passed on."""
        folder = f"{self.settings.output_prefix}{RESULTS}{folder_of(self.name)}"
        self.outputs = tuple(f"{folder}/{file.name}" for file in step.files)
        self.sha256 = step.source_sha256
        return step.to_json()

    def finished(self, known: Plan | FftToolError, error: FftToolError | None) -> Json:
        """The end of a round: whether there has to be another, and what to tell of this one."""
        self.deadline.step("check")
        again = not is_latest(known, self.planned)
        name = f"{self.settings.output_prefix}{RESULTS}{manifest_name(self.name)}"
        return {
            "again": again,
            "message": {
                "outcome": "rejected" if error else "done",
                "bucket": self.call.bucket,
                "key": self.settings.workflow_prefix + self.name,
                "etag": self.call.etag,
                "version": self.call.version,
                "execution": self.call.execution,
                "manifest": None if isinstance(error, KeyTooLong) else name,
                "error": error and {"code": error.code, "message": str(error)},
            },
        }

    def _folder(self, prefix: str) -> Folder:
        return Folder(self.open_bucket, self.call.bucket, prefix, self.deadline)

    def _broken_off(self, error: Aborted) -> None:
        self.log.broken_off(self.call.part, Message((), attempt=self.call.attempt), error)


def _plan(job: _Job) -> Json:
    call, prefix = job.call, job.settings.workflow_prefix
    if not call.key.startswith(prefix) or call.key.endswith("/"):
        raise _Ignored(f"{call.key} is not an image below {prefix}")
    job.deadline.step("plan")
    plan = job.planned()
    if call.round == 0 and call.etag and not is_sidecar(call.key):
        current = (plan.etag or "").strip('"')
        if current != call.etag:
            raise errors.Superseded(LATER)
    job.size = plan.size
    about = {name: call.task[name] for name in ("bucket", "object", "round") if name in call.task}
    return {**about, "plan": plan.to_json()}


def _process(job: _Job) -> Json:
    plan = job.call.plan
    job.size = plan.size
    return job.wrote(process_step(job.sources, job.target, plan, job.settings.limits, job.work))


def _analyse(job: _Job) -> Json:
    call, plan = job.call, job.call.plan
    job.size = plan.size
    known = call.made[0].file(COMBINED).sha256 if call.which == "combined" else None
    step = analyse_step(
        job.sources,
        job.target,
        plan,
        job.settings.limits,
        job.work,
        which=call.which,
        combined_sha256=known,
    )
    return job.wrote(step)


def _finish(job: _Job) -> Json:
    plan = job.call.plan
    job.size = plan.size
    job.deadline.step("look")
    job.check_latest()
    job.deadline.step("write")
    manifest = manifest_step(job.target, plan, *job.call.made, job.call.combined)
    job.sha256 = manifest["source"]["sha256"]
    answer = job.finished(plan, None)
    job.outputs = (answer["message"]["manifest"],)
    return answer


def _reject(job: _Job) -> Json:
    """Write the refusal of a plan that was made, or of an object for which none can be made."""
    job.deadline.step("look")
    if job.call.is_planned:
        job.check_latest()
        plan: Plan | str = job.call.plan
        known: Plan | FftToolError = job.call.plan
        error = job.call.fault.error()
    else:
        plan, known = job.name, _refusal(job)
        error = known
    if not isinstance(error, KeyTooLong):  # for its manifest the key would be too long as well
        job.deadline.step("write")
        reject(job.target, plan, error)
    job.outcome, job.error = "rejected", error
    return job.finished(known, error)


def _refusal(job: _Job) -> FftToolError:
    """Why no plan can be made; if one can be made by now, the work starts over."""
    try:
        job.planned()
    except FftToolError as exc:
        if exc.permanent:
            return exc
        raise
    raise errors.Superseded(f"{job.call.key}: what is asked for it has changed meanwhile")


class _Ignored(Exception):
    """The object is not for the workflow."""


def _outcome_of(error: Exception) -> Outcome:
    match error:
        case _Ignored():
            return "ignored"
        case errors.Superseded():
            return "superseded"
        case NotFound():
            return "missing"
        case FftToolError(permanent=True):
            return "rejected"
    return "failed"


def _raised(error: Exception) -> Exception:
    """The exception for the state machine: nothing is left to do for an object that is missing."""
    if isinstance(error, (NotFound, _Ignored)):
        return Superseded(str(error))
    return state_error(error) if isinstance(error, FftToolError) else error


def _differing(recipe: Recipe) -> dict[str, str]:
    """Keys in which the function's recipe differs from the default."""
    plain = Recipe(metadata=True).texts()
    return {key: text for key, text in recipe.texts().items() if text != plain[key]}
