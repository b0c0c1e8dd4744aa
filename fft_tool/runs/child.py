"""Work on images in a child process, so that no image can bring down the caller.

An image is analysed, changed by operations, compared with another, cropped, or its pixels are
counted. The process has a memory limit, and is killed at its deadline. It has no access to secrets:
its environment contains only what Python needs, and it communicates only bytes, over pipes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from fft_tool.errors import (
    FftToolError,
    Killed,
    OperationFault,
    OperationsError,
    RecipeError,
    RecipeFault,
    TookTooLong,
)
from fft_tool.limits import Limits
from fft_tool.mask_files import data_of_masks
from fft_tool.recipe import Recipe
from fft_tool.results.compared import Compared
from fft_tool.results.naming import output_of
from fft_tool.results.outputs import Artifact, Source, output_kinds
from fft_tool.runs import frames
from fft_tool.runs.child_process import Process
from fft_tool.runs.one import Analysed
from fft_tool.validate import Json, one_of, whole

if TYPE_CHECKING:
    from fft_tool.cropping import AtMost, Cropped, Salient
    from fft_tool.image.counting import Counts
    from fft_tool.image.presets import Preset, Rendition
    from fft_tool.image.region import Box
    from fft_tool.results.likeness import Comparison, Likeness

# Takes the number of pixels (0 while unknown); returns the time that may be taken from now, in
# seconds.
Patience = Callable[[int], float]
OnStep = Callable[[str], None]

T = TypeVar("T")

START_SECONDS = 60.0

_INVALID_REPLY = "the worker process sent an invalid reply"

_GRACE = 5.0  # seconds
_LARGEST = 1 << 40  # maximum bytes of an artifact, if there is no other limit
_COLOURS = ("black", "white")


class ChildBug(Exception):
    """An unexpected exception in the child process: its type's name and its ``stack``."""

    def __init__(self, type_name: str, message: str, stack: list[str]) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name, self.stack = type_name, stack


@dataclass(frozen=True, slots=True)
class _Task:
    """What the process has to do: a name in :data:`fft_tool.runs.child_program.TASKS`.

    ``head`` is what it needs to know beside the ``sources`` and the ``recipe``, if there is one.
    ``artifacts`` are the kinds and names of what it makes, in order.
    """

    name: str
    sources: Sequence[Source]
    head: Json = field(default_factory=dict)
    artifacts: Sequence[tuple[str, str]] = ()
    recipe: Recipe | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind, _ in self.artifacts)


@dataclass(frozen=True, slots=True)
class _Reply:
    """What the process answered: artifacts with the names expected, and ``found``, unverified."""

    artifacts: tuple[Artifact, ...]
    found: Json


class Child:
    """A process that works on images, which is replaced when it ends.

    Use it from one thread at a time. ``start`` returns immediately, so that the caller can do other
    work while libraries are loaded; ``prepare`` waits until the process is ready. A ``process``
    that has already been started may be passed in.

    Every method that works on an image does so within the time that ``patience`` gives, and raises
    the errors of the function of the core that it stands for. It also raises
    :class:`~fft_tool.errors.Killed` or :class:`~fft_tool.errors.TookTooLong` if the process ended
    or was killed; a new process then takes the next image.
    """

    def __init__(self, process: Process | None = None) -> None:
        self._started = process
        self._hello: Json = {}
        self._ready = False

    def start(self) -> None:
        """Start the process, unless it has been started."""
        if self._started is None:
            self._started, self._ready = Process(), False

    @property
    def is_prepared(self) -> bool:
        """Whether ``prepare`` has been called."""
        return bool(self._hello)

    def prepare(
        self, recipe: Recipe, *, memory: int | None = None, threads: int = 1, niceness: int = 0
    ) -> None:
        """Prepare the process for a recipe, with a limit of ``memory`` bytes (None: no limit).

        ``niceness`` is how far it gives way to other processes: 0 (not at all) to 19.
        """
        self._hello = {
            "recipe": str(recipe),
            "memory": memory,
            "threads": threads,
            "niceness": niceness,
        }
        self.start()
        self._greet()
        self._await_ready(START_SECONDS)

    def abort(self) -> None:
        """Kill the process from another thread: the method at work raises ``Killed``."""
        process = self._started
        if process is not None:
            process.kill()

    def run(
        self,
        source: Source,
        recipe: Recipe,
        limits: Limits,
        *,
        patience: Patience,
        on_step: OnStep = lambda _: None,
    ) -> Analysed:
        """Analyse an image as :func:`fft_tool.pipeline.run` does."""
        expected = [(kind, output_of(source, kind)) for kind in output_kinds(recipe)]
        task = _Task("analyse", [source], artifacts=expected, recipe=recipe)
        return self._do(task, _analysed, limits, patience, on_step)

    def run_operations(
        self,
        source: Source,
        operations: str,
        limits: Limits,
        *,
        frame: int | None = None,
        value_range: tuple[float, float] | None = None,
        patience: Patience,
        on_step: OnStep = lambda _: None,
    ) -> Analysed:
        """Apply operations, as :func:`fft_tool.operations.run.run_operations` does."""
        from fft_tool.operations.naming import COMBINED, INDEPENDENT, plan_operations  # noqa: PLC0415  (few need it)
        from fft_tool.operations.registry import parse_operations  # noqa: PLC0415  (as above)

        names = plan_operations(parse_operations(operations))
        kinds = [*[INDEPENDENT] * (len(names) - 1), COMBINED]
        head = {"operations": operations, "frame": frame, "range": value_range}
        task = _Task("operate", [source], head, tuple(zip(kinds, names, strict=True)))
        return self._do(task, _analysed, limits, patience, on_step)

    def count(
        self, source: Source, recipe: Recipe, limits: Limits, *, patience: Patience
    ) -> Counts:
        """Count black and white pixels, as :func:`fft_tool.pipeline.run_counts` does."""
        from fft_tool.image.counting import Counts  # noqa: PLC0415  (loads numpy)

        task = _Task("count", [source], recipe=recipe)

        def counts(reply: _Reply) -> Counts:
            return Counts(*(whole(reply.found[name], 0, limits.max_pixels) for name in _COLOURS))

        return self._do(task, counts, limits, patience)

    def render(
        self,
        source: Source,
        presets: Sequence[Preset],
        picture_format: str,
        limits: Limits,
        *,
        patience: Patience,
    ) -> tuple[Rendition, ...]:
        """Make renditions, as :func:`fft_tool.rendering.render` does."""
        head = {
            "presets": [(each.name, each.width, each.height) for each in presets],
            "format": picture_format,
        }
        task = _Task("render", [source], head, [(each.name, each.name) for each in presets])

        def renditions(reply: _Reply) -> tuple[Rendition, ...]:
            made = zip(presets, reply.artifacts, reply.found["made"], strict=True)
            return tuple(_rendition(*each) for each in made)

        return self._do(task, renditions, limits, patience)

    def preview(
        self,
        source: Source,
        operations: str,
        preset: Preset,
        limits: Limits,
        *,
        patience: Patience,
    ) -> Rendition:
        """Show what operations make, as :func:`fft_tool.operations.preview.draw_preview` does."""
        head = {
            "operations": operations,
            "preset": (preset.name, preset.width, preset.height),
        }
        task = _Task("preview", [source], head, [(preset.name, preset.name)])
        return self._do(
            task,
            lambda reply: _rendition(preset, reply.artifacts[0], reply.found["made"]),
            limits,
            patience,
        )

    def compare(
        self, first: Source, second: Source, recipe: Recipe, limits: Limits, *, patience: Patience
    ) -> Compared:
        """Compare two images, as :func:`fft_tool.pipeline.run_comparison` does."""
        task = _Task("compare", [first, second], recipe=recipe)
        return self._do(task, lambda reply: Compared.from_json(reply.found), limits, patience)

    def compare_sources(
        self,
        first: Source,
        second: Source,
        recipe: Recipe,
        limits: Limits,
        *,
        fit: bool = False,
        patience: Patience,
    ) -> Comparison:
        """Compare two images, as :func:`fft_tool.comparing.compare_sources` does."""
        from fft_tool.results.likeness import Comparison  # noqa: PLC0415  (few need it)

        task = _Task("compare_sources", [first, second], {"fit": fit}, recipe=recipe)
        return self._do(task, lambda reply: Comparison.from_json(reply.found), limits, patience)

    def picture_difference(
        self,
        first: Source,
        second: Source,
        recipe: Recipe,
        limits: Limits,
        *,
        fit: bool = False,
        patience: Patience,
    ) -> bytes:
        """Picture differences, as :func:`fft_tool.comparing.picture_difference` does."""
        made = [("difference", "difference")]
        task = _Task("picture_difference", [first, second], {"fit": fit}, made, recipe)
        return self._do(task, lambda reply: reply.artifacts[0].data, limits, patience)

    def compare_renditions(
        self,
        first: Source,
        second: Source,
        presets: Sequence[Preset],
        limits: Limits,
        *,
        patience: Patience,
    ) -> tuple[Comparison, Mapping[str, Likeness]]:
        """Compare images in all sizes, as :func:`fft_tool.comparing.compare_renditions` does."""
        from fft_tool.results.likeness import Comparison, Likeness  # noqa: PLC0415  (few need it)

        head = {"presets": [(each.name, each.width, each.height) for each in presets]}

        def found(reply: _Reply) -> tuple[Comparison, Mapping[str, Likeness]]:
            whole, shown = reply.found["whole"], reply.found["presets"]
            likeness = {each.name: Likeness.from_json(shown[each.name]) for each in presets}
            return Comparison.from_json(whole), likeness

        task = _Task("compare_renditions", [first, second], head)
        return self._do(task, found, limits, patience)

    def crop(
        self, source: Source, region: Box | AtMost, limits: Limits, *, patience: Patience
    ) -> Cropped:
        """Cut out a region as JPEG, as :func:`fft_tool.cropping.crop` does."""
        from fft_tool.cropping import Cropped  # noqa: PLC0415  (few need it)
        from fft_tool.image.region import Box  # noqa: PLC0415  (as above)

        head = {"box" if isinstance(region, Box) else "at_most": astuple(region)}
        task = _Task("crop", [source], head, [("crop", "crop")])

        def cropped(reply: _Reply) -> Cropped:
            return Cropped(Box(*_box(reply)), reply.artifacts[0].data)

        return self._do(task, cropped, limits, patience)

    def find_salient(
        self, source: Source, size: AtMost, limits: Limits, *, patience: Patience
    ) -> Salient:
        """Find the most salient region, as :func:`fft_tool.cropping.find_salient` does."""
        from fft_tool.cropping import Salient  # noqa: PLC0415  (few need it)
        from fft_tool.image.region import Box  # noqa: PLC0415  (as above)

        task = _Task(
            "find_salient", [source], {"at_most": astuple(size)}, [("saliency", "saliency")]
        )

        def salient(reply: _Reply) -> Salient:
            return Salient(Box(*_box(reply)), reply.artifacts[0].data)

        return self._do(task, salient, limits, patience)

    def _do(
        self,
        task: _Task,
        read: Callable[[_Reply], T],
        limits: Limits,
        patience: Patience,
        on_step: OnStep = lambda _: None,
    ) -> T:
        """Have a task done; ``read`` takes from the reply what has the expected form."""
        try:
            if self._started is None or self._started.has_ended():
                self._replace()
            longest = patience(limits.max_pixels)
            try:
                self._await_ready(longest)
            except Killed:  # before it was ready: nothing was asked of it yet
                self._replace()
                self._await_ready(longest)
            with self._process.deadline(patience(0)) as extend:
                self._ask(task, limits, longest)
                reply = self._answer(task, limits, patience, extend, on_step)
            with _checked():
                return read(reply)
        except BaseException as exc:
            refused = isinstance(exc, FftToolError) and exc.permanent
            if not refused and not isinstance(exc, ChildBug):  # otherwise it can continue
                self._replace()
            raise

    def close(self) -> None:
        """End the process."""
        if self._started is not None:
            self._started.end()
            self._started = None

    @property
    def _process(self) -> Process:
        if self._started is None:
            raise RuntimeError("there is no process: it was not started, or was closed")
        return self._started

    def _replace(self) -> None:
        """Start a new process, which gets ready while the caller continues."""
        self.close()
        self.start()
        self._greet()

    def _greet(self) -> None:
        self._send(self._hello)

    def _await_ready(self, seconds: float) -> None:
        if not self._ready:
            with self._process.deadline(seconds):
                self._receive()
            self._ready = True

    def _ask(self, task: _Task, limits: Limits, longest: float) -> None:
        masks = data_of_masks(task.recipe) if task.recipe else {}
        head = {
            **task.head,
            "task": task.name,
            "recipe": str(task.recipe or ""),
            "masks": {sha256: len(data) for sha256, data in masks.items()},
            "names": [[source.name, source.base] for source in task.sources],
            "sizes": [source.size for source in task.sources],
            "limits": asdict(limits),
            "seconds": longest + _GRACE,
        }
        self._send(head, *(source.data for source in task.sources), *masks.values())

    def _answer(
        self,
        task: _Task,
        limits: Limits,
        patience: Patience,
        extend: Callable[[float], None],
        on_step: OnStep,
    ) -> _Reply:
        """Read the answer. Do not trust it: a decoder may have been compromised."""
        artifacts: list[Artifact] = []
        left = limits.max_output_bytes if limits.max_output_bytes is not None else _LARGEST
        while True:
            match self._receive():
                case {"step": str(name)}:
                    on_step(name[:40])
                case {"pixels": int(pixels)}:
                    extend(patience(min(pixels, limits.max_pixels)))
                case {"artifact": str(kind), "bytes": int(count)} if (
                    task.kinds[len(artifacts) :][:1] == (kind,) and 0 <= count <= left
                ):
                    left -= count
                    name = task.artifacts[len(artifacts)][1]
                    artifacts.append(Artifact(kind, name, self._body(count)))
                case {"done": dict(found)} if len(artifacts) == len(task.artifacts):
                    return _Reply(tuple(artifacts), found)
                case {"refused": str(code), "message": str(message), "faults": [*faults]}:
                    with _checked():
                        refusal = _refusal(code, message, faults)
                    raise refusal
                case {"out_of_memory": True}:
                    raise Killed("it needed more memory than this function has")
                case {"bug": str(name), "message": str(message), "stack": [*stack]}:
                    raise ChildBug(name, message, [str(line) for line in stack])
                case _:
                    raise Killed(_INVALID_REPLY)

    def _send(self, head: Json, *bodies: bytes) -> None:
        # The process may have ended in the meantime; reading the answer will report that.
        with suppress(BrokenPipeError):
            frames.send(self._process.requests, head, *bodies)

    def _receive(self) -> Json:
        try:
            head = frames.receive(self._process.replies)
        except (ValueError, RecursionError) as exc:
            raise Killed(_INVALID_REPLY) from exc
        if head is None:
            raise self._aborted()
        return head

    def _aborted(self) -> FftToolError:
        """Error that says why the process closed its pipe."""
        reason = self._process.ending()
        return TookTooLong(reason) if self._process.expired else Killed(reason)

    def _body(self, count: int) -> bytes:
        data = self._process.replies.read(count)
        if len(data) < count:
            raise self._aborted()
        return data


def _rendition(preset: Preset, artifact: Artifact, made: Any) -> Rendition:
    """A picture in the size of a preset, if what is told of it has the expected form."""
    from fft_tool.codec.picture_formats import PICTURE_FORMATS  # noqa: PLC0415  (few need it)
    from fft_tool.image.presets import Rendition  # noqa: PLC0415  (as above)

    name, width, height = made
    return Rendition(
        preset.name,
        one_of(name, PICTURE_FORMATS),
        whole(width, 1, preset.width),
        whole(height, 1, preset.height),
        artifact.data,
    )


def _analysed(reply: _Reply) -> Analysed:
    """Artifacts and what was found of the source."""
    sha256, width, height = (reply.found[name] for name in ("sha256", "width", "height"))
    return Analysed(
        reply.artifacts,
        sha256=str(sha256)[:64],
        width=whole(width, 1, _LARGEST),
        height=whole(height, 1, _LARGEST),
    )


def _box(reply: _Reply) -> tuple[int, int, int, int]:
    """Position and size of a region in pixels."""
    x, y, width, height = (whole(side, 0, _LARGEST) for side in reply.found["box"])
    return x, y, width, height


@contextmanager
def _checked() -> Iterator[None]:
    """What a process found has to have the expected form."""
    try:
        yield
    except (IndexError, KeyError, TypeError, ValueError) as exc:
        raise Killed(_INVALID_REPLY) from exc


def _refusal(code: str, message: str, faults: Any) -> FftToolError:
    """Rebuild the error that the core raised in the other process."""
    if code == RecipeError.code:
        return RecipeError([RecipeFault(*map(str, fault[:3])) for fault in faults])
    if code == OperationsError.code:
        return OperationsError(
            [OperationFault(int(fault[0]), *map(str, fault[1:3])) for fault in faults]
        )
    for leaf in _leaves(FftToolError):
        if leaf.permanent and leaf.code == code:
            return leaf(message)
    return Killed(_INVALID_REPLY)


def _leaves(base: type[FftToolError]) -> Iterator[type[FftToolError]]:
    for subclass in base.__subclasses__():
        yield from _leaves(subclass)
        yield subclass
