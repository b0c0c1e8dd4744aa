"""Work on the images of a workflow in a child process, as the function for uploads does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fft_tool.errors import Aborted
from fft_tool.limits import Limits
from fft_tool.operations.operation import Operation
from fft_tool.operations.registry import format_operations
from fft_tool.recipe import Recipe
from fft_tool.results.compared import Compared
from fft_tool.results.outputs import Source
from fft_tool.runs.child import Child
from fft_tool.runs.one import Analysed
from fft_tool.workflows.steps import Work
from handler.deadline import Deadline
from handler.patience import Patience, given_up
from handler.settings import Settings

Made = TypeVar("Made")


class ContainedWork(Work):
    """Works on images in a child process, which may break off once.

    ``before_writing`` is called before results are written, ``on_aborted`` with the first error.
    ``width`` and ``height`` are those of the image that was read last.
    """

    copies = 2  # here and in the child

    def __init__(
        self,
        settings: Settings,
        child: Callable[[], Child],
        deadline: Deadline,
        *,
        before_writing: Callable[[], None],
        on_aborted: Callable[[Aborted], None],
    ) -> None:
        super().__init__(on_step=self._step)
        self._settings, self._child, self._deadline = settings, child, deadline
        self._before_writing, self._on_aborted = before_writing, on_aborted
        self._whole = deadline.seconds_to_work()
        self.width: int | None = None
        self.height: int | None = None

    def operate(
        self, source: Source, operations: tuple[Operation, ...], recipe: Recipe, _: Limits
    ) -> Analysed:
        """Apply operations; ``recipe`` chooses the frame and the range of values."""
        text, limits = format_operations(operations), self._settings.limits_beside(source.size)

        def operate(patience: Patience) -> Analysed:
            return self._child().run_operations(
                source,
                text,
                limits,
                frame=recipe.frame,
                value_range=recipe.range,
                patience=patience,
                on_step=self._deadline.step,
            )

        return self._measured(self._twice(operate))

    def analyse(self, source: Source, recipe: Recipe, _: Limits) -> Analysed:
        """Analyse an image."""
        limits = self._settings.limits_beside(source.size)

        def analyse(patience: Patience) -> Analysed:
            return self._child().run(
                source, recipe, limits, patience=patience, on_step=self._deadline.step
            )

        return self._measured(self._twice(analyse))

    def compare(self, first: Source, second: Source, recipe: Recipe, _: Limits) -> Compared:
        """Compare an image with one that was made from it."""
        limits = self._settings.limits_beside(first.size + second.size)
        self._deadline.step("compare")
        return self._twice(
            lambda patience: self._child().compare(first, second, recipe, limits, patience=patience)
        )

    def _twice(self, work: Callable[[Patience], Made]) -> Made:
        """Do something that may break off; if it does so again, the image is too costly."""
        left, processors = self._deadline.seconds_to_work, self._settings.processors
        first = Patience(left, self._whole, processors)
        try:
            return work(first)
        except Aborted as exc:
            self._deadline.broken_off += 1
            self._on_aborted(exc)
        last = first.again()
        try:
            return work(last)
        except Aborted as exc:
            self._deadline.broken_off += 1
            raise given_up(exc, last) from exc

    def _measured(self, made: Analysed) -> Analysed:
        self.width, self.height = made.width, made.height
        return made

    def _step(self, name: str) -> None:
        if name == "write":
            self._deadline.step("look")
            self._before_writing()
        self._deadline.step(name)
