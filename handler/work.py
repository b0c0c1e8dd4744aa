"""One object: its outputs are made, and made again until they belong to its latest version.

S3 may deliver events twice and in any order, and two invocations may process one key at a time. No
locks are needed. Each invocation checks the source twice after reading it:

- Before writing. If the source has been overwritten, nothing is written. If the task came from the
  event of an upload, it ends here: the later upload has an event of its own, and whoever processes
  that one writes after everything that has been written here.
- After writing. If the source has been overwritten, the outputs may have replaced later ones, so
  the work starts over. The last one to write has therefore always seen the latest version.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

from fft_tool.errors import Aborted, NotFound
from fft_tool.recipe import Recipe
from fft_tool.results.naming import EXTENSIONS, output_name
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from fft_tool.runs.completeness import is_current
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.stores.base import Stat
from handler.bucket import Folder, OpenBucket
from handler.deadline import Deadline
from handler.errors import KeyTooLong, Overwritten
from handler.events import Task
from handler.patience import Patience, given_up
from handler.result import Result
from handler.settings import Settings

LONGEST_KEY = 1024  # bytes, the limit of S3
MOST_RESTARTS = 2  # in one invocation, before an object is returned

SUPERSEDED = "a later version has been uploaded: the event of that upload leads to its results"

CURRENT = "its results are there already: same source, recipe and version"


@dataclass(frozen=True, slots=True)
class Worker:
    """Processes tasks; ``open_bucket`` opens the store of a bucket.

    Images are decoded and analysed by the ``child``, which has no credentials.
    """

    settings: Settings
    open_bucket: OpenBucket
    child: Child

    def do(
        self,
        task: Task,
        deadline: Deadline,
        patience: Patience,
        etags: frozenset[str] = frozenset(),
    ) -> Result:
        """Make the outputs of the latest version of an object; raises errors that need a retry.

        If ``etags`` are given, only these versions are processed: any other is left to the event of
        its upload. An attempt that is not the last raises :class:`~fft_tool.errors.Aborted`: the
        next one shows whether the image is to blame.
        """
        reason = self._reason_to_ignore(task.key)
        if reason:
            return Result(task, "ignored", reason)
        too_long = self._name_too_long(task.key)
        if too_long:
            return Result(task, "rejected", error=too_long)
        while True:
            outcome = self._process(task, deadline, patience, etags)
            if outcome.result == "skipped":
                return Result(task, "ignored", CURRENT)
            if outcome.result == "missing":
                return Result(task, "missing", error=outcome.error)
            if isinstance(outcome.error, Overwritten):
                if task.announced:
                    read = outcome.stat.etag if outcome.stat else None
                    return Result(task, "superseded", SUPERSEDED, etag=read)
            elif outcome.result == "failed" and outcome.error:
                raise outcome.error
            else:
                deadline.step("check")
                if self._is_latest(task, outcome.stat, deadline):
                    return self._result(task, outcome)
            self._start_over(deadline)
            etags = frozenset()  # what has been written must not stay

    def _start_over(self, deadline: Deadline) -> None:
        if deadline.restarts == MOST_RESTARTS:
            raise Overwritten(
                f"it was overwritten {MOST_RESTARTS + 1} times during processing: returned"
                " to be retried; if every version is to be analysed, use different keys"
            )
        deadline.restarts += 1

    def _process(
        self, task: Task, deadline: Deadline, patience: Patience, etags: frozenset[str]
    ) -> Outcome:
        name = task.key.removeprefix(self.settings.input_prefix)
        sources = self._folder(task, self.settings.input_prefix, deadline)
        results = self._folder(task, self.settings.output_prefix, deadline)
        read: list[Stat] = []

        def recipe(stat: Stat) -> Recipe:
            read.append(stat)
            return self.settings.recipe_of(stat.metadata, task.recipe)

        def work(source: Source, recipe: Recipe) -> Analysed:
            return self._analyse(source, recipe, deadline, patience)

        def step(name: str) -> None:
            if name == "write":
                deadline.step("look")
                if not self._is_latest(task, read[0], deadline):
                    raise Overwritten("it was overwritten before its results were written")
            deadline.step(name)

        return process(
            Input(replace(sources, etags=etags), name, name),
            results,
            recipe,
            self.settings.limits,
            work,
            copies=2,  # here and in the child
            writers=len(EXTENSIONS),
            on_step=step,
            is_current=partial(is_current, results, name) if task.skip_existing else None,
        )

    def _analyse(
        self, source: Source, recipe: Recipe, deadline: Deadline, patience: Patience
    ) -> Analysed:
        """Analyse an image in the child; if it breaks off twice, the image is too costly."""
        deadline.step("decode")
        try:
            return self.child.run(
                source,
                recipe,
                self.settings.limits_beside(source.size),
                patience=patience,
                on_step=deadline.step,
            )
        except Aborted as exc:
            deadline.broken_off += 1
            if not patience.last:
                raise
            raise given_up(exc, patience) from exc

    def _reason_to_ignore(self, key: str) -> str:
        inputs, outputs = self.settings.input_prefix, self.settings.output_prefix
        if key.startswith(outputs):
            return f"it is a result, below {outputs}"
        if not key.startswith(inputs):
            return f"it is not below {inputs}"
        if key.endswith("/"):
            return "it is a folder"
        return ""

    def _name_too_long(self, key: str) -> KeyTooLong | None:
        """Return an error if the keys of the outputs would be longer than S3 allows."""
        name = key.removeprefix(self.settings.input_prefix)
        prefix = self.settings.output_prefix
        lengths = [len((prefix + output_name(name, kind)).encode()) for kind in EXTENSIONS]
        if max(lengths) <= LONGEST_KEY:
            return None
        return KeyTooLong(
            f"the keys of its results would take up to {max(lengths):,} bytes, and S3 allows "
            f"{LONGEST_KEY:,}: upload it under a shorter key"
        )

    def _is_latest(self, task: Task, read: Stat | None, deadline: Deadline) -> bool:
        """Whether an object is still what was read; a deleted one has no later version.

        The ETag alone is not enough: the same image with another recipe has the same ETag.
        """
        try:
            return self._folder(task, "", deadline).stat(task.key) == read
        except NotFound:
            return True

    def _folder(self, task: Task, prefix: str, deadline: Deadline) -> Folder:
        return Folder(self.open_bucket, task.bucket, prefix, deadline)

    def _result(self, task: Task, outcome: Outcome) -> Result:
        return Result(
            task,
            "rejected" if outcome.error else "done",
            error=outcome.error,
            outputs=tuple(self.settings.output_prefix + name for name in outcome.outputs),
            size=outcome.stat.size if outcome.stat else None,
            sha256=outcome.sha256,
            etag=outcome.stat.etag if outcome.stat else None,
            width=outcome.width,
            height=outcome.height,
        )
