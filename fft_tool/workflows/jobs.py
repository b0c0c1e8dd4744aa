"""Workflows of many sources: what :func:`fft_tool.runs.many.run_batch` does with each of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from fft_tool import pipeline
from fft_tool.admission import admit
from fft_tool.codec.header import Header
from fft_tool.codec.image_file import open_image
from fft_tool.errors import CropOutside, FftToolError
from fft_tool.limits import Limits
from fft_tool.operations.operation import Layout, Operation
from fft_tool.operations.prediction import admit as admit_operations
from fft_tool.operations.run import run_operations
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Artifact, Outputs, Source, output_kinds
from fft_tool.runs.fetch import read_within
from fft_tool.runs.many import Job, time_limit
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.stores.base import Store
from fft_tool.workflows.manifest import files_listed
from fft_tool.workflows.plan import Plan, file_names, folder_of, manifest_name
from fft_tool.workflows.run import run_workflow
from fft_tool.workflows.steps import Work


@dataclass(frozen=True, slots=True)
class WorkflowJob(Job):
    """Runs the workflow with these ``operations`` on each source."""

    operations: tuple[Operation, ...] = ()

    def run(
        self, source: Input, recipe: Recipe, target: Store | None, on_step: Callable[[str], None]
    ) -> Outcome:
        """Run the workflow on one source; its errors become part of the outcome."""
        if target is None:
            raise ValueError("a workflow needs a target")
        if self.dry_run:
            return process(source, None, recipe, self.limits, self._planned, recorded=False)
        if self.skip_existing:
            try:
                existing = self._exists(source, recipe, target)
            except FftToolError:
                existing = False  # the run reports it
            if existing:
                return Outcome(source.name, "skipped")

        def plan() -> Plan:
            return self._plan(source, recipe)

        with time_limit(self.timeout):
            work = Work(threads=self.threads, on_step=on_step)
            return run_workflow(
                source.store, target, source.name, self.limits, plan=plan, work=work
            )

    def _plan(self, source: Input, recipe: Recipe) -> Plan:
        stat = source.store.stat(source.key)
        return Plan(source.name, self.operations, recipe, stat.size, stat.etag, source.key)

    def _planned(self, source: Source, recipe: Recipe) -> Analysed:
        """Check everything that can be checked before decoding."""
        plan_workflow(source, self.operations, recipe, self.limits)
        names = file_names(source.name, self.operations, recipe)
        return Analysed(tuple(Artifact("planned", name, b"") for name in names))

    def _exists(self, source: Input, recipe: Recipe, target: Store) -> bool:
        data = read_within(source.store, source.key, self.limits)
        plan = self._plan(source, recipe)
        return is_complete(target, plan, Source(source.name, data).sha256)


@dataclass(frozen=True, slots=True)
class Combine:
    """Makes only the combined image, in the form of :attr:`fft_tool.runs.many.Job.operation`."""

    operations: tuple[Operation, ...]

    def __call__(
        self, source: Source, recipe: Recipe, limits: Limits | None = None, *, threads: int = 1
    ) -> Outputs:
        """Apply the operations in sequence."""
        outputs = run_operations(
            source,
            self.operations,
            limits,
            frame=recipe.frame,
            value_range=recipe.range,
            threads=threads,
        )
        return replace(outputs, artifacts=outputs.artifacts[-1:])


def plan_workflow(
    source: Source, operations: tuple[Operation, ...], recipe: Recipe, limits: Limits
) -> None:
    """Raise the error of a workflow that would be refused before decoding."""
    image = open_image(source.data, limits, frame=recipe.frame or 1, value_range=recipe.range)
    predicted = admit_operations(image.header, operations, limits)
    pipeline.plan(source, recipe, limits)
    made = replace(recipe, frame=None, range=None)
    name = f"{folder_of(source.name)}/combined"
    try:
        admit(_header(predicted.combined[-1]), name, made, limits, output_kinds(made))
    except CropOutside as exc:
        raise CropOutside(f"the combined image: {exc}") from None


def _header(layout: Layout) -> Header:
    """Header of the file of an image that has not been made yet."""
    depth, size = 8 * layout.sample, layout.bytes
    return Header("png", layout.width, layout.height, layout.channels, depth, file_bytes=size)


def is_complete(target: Store, plan: Plan, source_sha256: str) -> bool:
    """Whether ``target`` already holds what the workflow would write, whole and unchanged."""
    try:
        data = target.read(manifest_name(plan.name)).data
        files = files_listed(data, plan, source_sha256)
        folder = folder_of(plan.name)
        return bool(files) and all(
            hashlib.sha256(target.read(f"{folder}/{name}").data).hexdigest() == sha256
            for name, sha256 in files.items()
        )
    except FftToolError:
        return False
