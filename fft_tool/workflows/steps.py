"""The steps of a workflow, from store to store. Each may be run twice: the same bytes are written.

::

    process ───────┐
                   ├── analyse the combined image ── manifest
    analyse the ───┘
    original image

The command line runs them in a row, and the state machine on AWS one in each of its states. What
happens inside an image, which may be hostile, is done by :class:`Work`; a door that contains it in
another process passes its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

from fft_tool.errors import CropOutside, Superseded
from fft_tool.limits import Limits
from fft_tool.operations.operation import Operation
from fft_tool.recipe import Recipe
from fft_tool.results.compared import Compared
from fft_tool.results.outputs import Outputs
from fft_tool.results.values import Remark, Source
from fft_tool.runs.one import Analysed, Input, Outcome, process
from fft_tool.stores.base import Stat, Store
from fft_tool.validate import Json
from fft_tool.workflows.plan import Plan, folder_of

Which = Literal["original", "combined"]

COMBINED = "combined.png"
"""Name of the combined image in the folder of the results."""

WRITERS = 4
"""Number of files that a step writes at the same time."""


class Work:
    """What is done with the content of images; by default in this process.

    ``copies`` is how many copies of a source's bytes that takes. ``on_step`` is called with the
    name of each step as it begins.
    """

    copies = 1

    def __init__(
        self, *, threads: int = 1, on_step: Callable[[str], None] = lambda _: None
    ) -> None:
        self.threads, self.on_step = threads, on_step

    def operate(
        self, source: Source, operations: tuple[Operation, ...], recipe: Recipe, limits: Limits
    ) -> Analysed:
        """Apply operations; ``recipe`` chooses the frame and the range of values."""
        from fft_tool.operations.run import run_operations  # noqa: PLC0415  (loads numpy)

        return _analysed(
            source,
            run_operations(
                source,
                operations,
                limits,
                frame=recipe.frame,
                value_range=recipe.range,
                threads=self.threads,
                on_step=self.on_step,
            ),
        )

    def analyse(self, source: Source, recipe: Recipe, limits: Limits) -> Analysed:
        """Analyse an image."""
        from fft_tool import pipeline  # noqa: PLC0415  (loads numpy)

        outputs = pipeline.run(source, recipe, limits, threads=self.threads, on_step=self.on_step)
        return _analysed(source, outputs)

    def compare(self, first: Source, second: Source, recipe: Recipe, limits: Limits) -> Compared:
        """Compare an image with one that was made from it."""
        from fft_tool import pipeline  # noqa: PLC0415  (loads numpy)

        return pipeline.run_comparison(first, second, recipe, limits, threads=self.threads)


@dataclass(frozen=True, slots=True)
class File:
    """A file that a step has written; ``name`` is relative to the folder of the results."""

    name: str
    role: str
    content_type: str
    size: int
    sha256: str

    def to_json(self) -> Json:
        """Return plain values."""
        return {
            "name": self.name,
            "role": self.role,
            "content_type": self.content_type,
            "bytes": self.size,
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`."""
        names = ("name", "role", "content_type", "bytes", "sha256")
        return cls(*(values[name] for name in names))


@dataclass(frozen=True, slots=True)
class Step:
    """What a step has done.

    ``source_sha256`` is the hash of the image that it read, ``compared`` what the analysis of the
    combined image found by comparing it with the original, and ``remarks`` are for people.
    """

    source_sha256: str
    files: tuple[File, ...]
    compared: Compared | None = None
    remarks: tuple[Remark, ...] = ()

    def file(self, name: str) -> File:
        """Return the file of that name."""
        return next(file for file in self.files if file.name == name)

    def to_json(self) -> Json:
        """Return plain values, less than 10 kB for twenty operations."""
        return {
            "source_sha256": self.source_sha256,
            "files": [file.to_json() for file in self.files],
            "compared": self.compared and self.compared.to_json(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read the values of :meth:`to_json`."""
        compared = values["compared"]
        return cls(
            values["source_sha256"],
            tuple(File.from_json(file) for file in values["files"]),
            compared and Compared.from_json(compared),
        )


def process_step(
    sources: Store, target: Store, plan: Plan, limits: Limits, work: Work | None = None
) -> Step:
    """Apply the operations: each alone, and all in sequence."""
    work = work or Work()
    folder = folder_of(plan.name)

    def operate(source: Source, recipe: Recipe) -> Analysed:
        made = work.operate(source, plan.operations, recipe, limits)
        artifacts = (replace(each, name=f"{folder}/{each.name}") for each in made.artifacts)
        return replace(made, artifacts=tuple(artifacts))

    source = Input(sources, plan.place, plan.name)
    runner = _Runner(target, plan, limits, work)
    outcome, files = runner.run(source, runner.of_version, operate, role=str, recorded=False)
    return _step(outcome, files)


def analyse_step(
    sources: Store,
    target: Store,
    plan: Plan,
    limits: Limits,
    work: Work | None = None,
    *,
    which: Which,
    combined_sha256: str | None = None,
) -> Step:
    """Analyse the original or the combined image, and compare the latter with the former.

    ``combined_sha256`` is the hash of the combined image that the plan has led to. Another run of
    the workflow may have replaced it, which raises :class:`~fft_tool.errors.Superseded`.
    """
    work = work or Work()
    runner = _Runner(target, plan, limits, work)
    name = f"{folder_of(plan.name)}/{which}"

    def analyse(source: Source, recipe: Recipe) -> Analysed:
        return work.analyse(source, recipe, limits)

    if which == "original":
        source = Input(sources, plan.place, plan.name, base=name)
        found = runner.run(source, runner.of_version, analyse, role="original_{}".format)
        return _step(*found)

    compared = Compared()

    def compare_and_analyse(source: Source, recipe: Recipe) -> Analysed:
        nonlocal compared
        if combined_sha256 not in (None, source.sha256):
            raise Superseded(f"{source.name}: replaced by another run of the workflow")
        original = Source(plan.name, _read(sources, plan, limits))
        compared = work.compare(original, source, plan.recipe, limits)
        return analyse(source, recipe)

    made = replace(plan.recipe, frame=None, range=None)  # those of the original
    source = Input(target, f"{name}.png", f"{name}.png")
    outcome, files = runner.run(source, made, compare_and_analyse, role="combined_{}".format)
    if outcome.result == "missing":
        raise Superseded(f"{source.name}: removed by another run of the workflow")
    if isinstance(outcome.error, CropOutside):
        raise CropOutside(f"the combined image: {outcome.error}")
    return replace(_step(outcome, files), compared=compared)


def _read(sources: Store, plan: Plan, limits: Limits) -> bytes:
    """Read the version of the source that a plan is for."""
    with sources.open(plan.place) as handle:
        plan.check_version(handle.stat)
        limits.check_bytes(handle.stat.size)
        return handle.read()


@dataclass(frozen=True, slots=True)
class _Runner:
    """Runs one image of a plan, and lists the files that are made of it."""

    target: Store
    plan: Plan
    limits: Limits
    work: Work

    def run(
        self,
        source: Input,
        recipe: Recipe | Callable[[Stat], Recipe],
        work: Callable[[Source, Recipe], Analysed],
        *,
        role: Callable[[str], str],
        recorded: bool = True,
    ) -> tuple[Outcome, list[File]]:
        """Run an image; ``role`` gives that of a file of a kind."""
        files: list[File] = []
        inside = len(folder_of(self.plan.name)) + 1

        def listed(source: Source, recipe: Recipe) -> Analysed:
            made = work(source, recipe)
            for each in made.artifacts:
                size, name = len(each.data), each.name[inside:]
                files.append(File(name, role(each.kind), each.content_type, size, each.sha256))
            return made

        outcome = process(
            source,
            self.target,
            recipe,
            self.limits,
            listed,
            copies=self.work.copies,
            writers=WRITERS,
            recorded=recorded,
            on_step=self.work.on_step,
        )
        return outcome, files

    def of_version(self, stat: Stat) -> Recipe:
        """Recipe of the original, if it is the version that the plan is for."""
        self.plan.check_version(stat)
        return self.plan.recipe


def _step(outcome: Outcome, files: Sequence[File]) -> Step:
    """What has been done; raises the error of an image that was refused or failed."""
    if outcome.error:
        raise outcome.error
    return Step(str(outcome.sha256), tuple(files), remarks=outcome.remarks)


def _analysed(source: Source, outputs: Outputs) -> Analysed:
    return Analysed(
        outputs.artifacts, outputs.record, sha256=source.sha256, remarks=outputs.remarks
    )
