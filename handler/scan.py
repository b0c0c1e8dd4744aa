"""The scan: a row of the table for each object of a batch, and nothing written beside.

One bad image is a row with its error. The rows of a batch are written as one part, see
:mod:`handler.items`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fft_tool.backfill.parts import SCAN, Line, row_of, row_of_failure
from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD
from fft_tool.results.record import from_bytes
from fft_tool.results.values import Source
from fft_tool.runs.child import Child
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.stores.base import Stat
from handler import items
from handler.bucket import Folder, OpenBucket
from handler.deadline import Deadline
from handler.events import Malformed, Part, PassedOver, Task, restrict_to
from handler.function import Context
from handler.log import Log
from handler.patience import Patience
from handler.result import Result
from handler.settings import Settings


class Scan:
    """Called by Step Functions with a batch of objects; answers with the number of each outcome."""

    def __init__(self, settings: Settings, *, child: Child, open_bucket: OpenBucket) -> None:
        self._settings, self._child, self._open_bucket = settings, child, open_bucket
        self._log = Log(settings.namespace)

    def __call__(self, event: Mapping[str, Any], context: Context) -> dict[str, int]:
        """Scan a batch of objects, and write their rows."""
        self._log.begin(context.function_name, context.aws_request_id)
        batch = items.parse(event)
        parts = [each.parts[0] for each in restrict_to(batch, self._settings.buckets).messages]
        # Images end earlier than the invocation, so that there is always time to write their rows.
        deadline = self._deadline(context, 2)
        patience = self._patience(deadline)
        lines = [
            self._line(part, deadline, patience) for part in parts if not self._is_passed_over(part)
        ]
        deadline.stop()
        prefix = self._settings.output_prefix
        place = Folder(self._open_bucket, batch.bucket, prefix, self._deadline(context, 1))
        items.write(place, batch, lines)
        counts = dict(Counter(line.outcome for line in lines))
        told = {"run": batch.run, "images": len(lines), "outcomes": counts}
        spent = {"milliseconds": deadline.milliseconds, "total_ms": deadline.total_ms}
        self._log.write("INFO", f"{len(lines)} images scanned", told | spent)
        return counts

    def _is_passed_over(self, part: Part) -> bool:
        """Whether it is an object that a listing names beside the images."""
        return isinstance(part, PassedOver) or part.key.startswith(self._settings.output_prefix)

    def _line(self, part: Part, deadline: Deadline, patience: Patience) -> Line:
        """Scan one object; its errors affect only its own line."""
        if isinstance(part, Malformed):
            return _failure(part, "failed", part.error)
        task = part if isinstance(part, Task) else Task(part.bucket, part.key)
        try:
            outcome, recipe = self._process(task, deadline, patience)
        except Exception as exc:  # noqa: BLE001  (in the child or here: the other images go on)
            return _failure(task, "failed", exc)
        if outcome.error is None:
            record = next(a.data for a in outcome.artifacts if a.kind == RECORD)
            return Line(task.key, "done", row=row_of(from_bytes(record)))
        return _failure(task, outcome.result, outcome.error, outcome, recipe)

    def _process(
        self, task: Task, deadline: Deadline, patience: Patience
    ) -> tuple[Outcome, Recipe | None]:
        """Analyse an object without writing anything."""
        chosen: list[Recipe] = []

        def recipe(stat: Stat) -> Recipe:
            chosen.append(self._settings.recipe_of(stat.metadata, {**task.recipe, **SCAN}))
            return chosen[0]

        def work(source: Source, recipe: Recipe) -> Analysed:
            limits = self._settings.limits_beside(source.size)
            return self._child.run(source, recipe, limits, patience=patience, on_step=deadline.step)

        sources = Folder(self._open_bucket, task.bucket, "", deadline)
        outcome = process(
            Input(sources, task.key, _name(task.key, self._settings)),
            None,
            recipe,
            self._settings.limits,
            work,
            copies=2,  # here and in the child
            on_step=deadline.step,
        )
        return outcome, chosen[0] if chosen else None

    def _deadline(self, context: Context, reserves: int) -> Deadline:
        reserve_ms = reserves * self._settings.reserve_ms
        return Deadline(context.get_remaining_time_in_millis, reserve_ms)

    def _patience(self, deadline: Deadline) -> Patience:
        """Time for each image: several times what any takes, so that one cannot use up the rest."""
        whole = deadline.seconds_to_work()
        return Patience(deadline.seconds_to_work, whole, self._settings.processors)


def _name(key: str, settings: Settings) -> str:
    """Name of a source, as it stands in records."""
    return key.removeprefix(settings.input_prefix)


def _failure(
    part: Part,
    outcome: str,
    error: Exception,
    known: Outcome | None = None,
    recipe: Recipe | None = None,
) -> Line:
    """Return the line of an object that could not be analysed, and its row with the error."""
    result = Result(part, "failed", error=error)
    row = row_of_failure(
        known.source if known else part.key,
        outcome,
        error,
        recipe=recipe,
        size=known.stat.size if known and known.stat else None,
        sha256=known.sha256 if known else None,
    )
    return Line(part.key, outcome, result.code, result.message, row)
