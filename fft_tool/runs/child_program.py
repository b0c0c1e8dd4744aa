"""The program that a :class:`~fft_tool.runs.child.Child` runs: reads images, writes artifacts.

=========  =======================================================================
reads      a recipe, memory limit and number of threads; then one task after another
writes     "ready"; then for each task its steps, its artifacts and what it found, or the error
=========  =======================================================================

A task is one entry in :data:`TASKS`, with the sources that follow its header,
and the masks of its recipe.
"""

from __future__ import annotations

import os
import resource
import signal
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from functools import partial
from io import FileIO
from typing import TYPE_CHECKING

from fft_tool import pipeline
from fft_tool.codec.header import Header
from fft_tool.errors import FftToolError
from fft_tool.limits import Limits
from fft_tool.mask_files import UNRESOLVED, resolve_masks
from fft_tool.recipe import Recipe
from fft_tool.results.outputs import Artifact, Source
from fft_tool.runs import frames, machine
from fft_tool.validate import Json

if TYPE_CHECKING:
    from fft_tool.spectrum.masks import MaskFile

Send = Callable[..., None]

_MAX_FILES = 4096
_FRAMES, _LONGEST = 50, 4000  # stack frames and characters of the message when reporting a bug


def main() -> None:
    """Serve requests until the parent closes the pipe."""
    os.closerange(3, _MAX_FILES)  # descriptors that the parent's libraries may have left open
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent handles them, and ends this process
        signal.signal(number, signal.SIG_IGN)
    requests = open(0, "rb", closefd=False)  # noqa: SIM115  (a pipe has no path)
    send = partial(frames.send, FileIO(os.dup(1), "w", closefd=False))
    hello = frames.receive(requests)
    if hello is None:
        return
    os.nice(hello["niceness"])
    pipeline.warm_up(Recipe.parse_text(hello["recipe"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound = machine.address_bound(hello["memory"], threads=hello["threads"])
    _discard_output()
    send({"ready": True})
    while head := frames.receive(requests):
        if bound is not None:
            machine.limit_addresses(bound - head["bytes"])  # the parent holds the sources as well
        sources = [
            Source(name, requests.read(size), base=base)
            for (name, base), size in zip(head["names"], head["sizes"], strict=True)
        ]
        masks = {sha256: requests.read(size) for sha256, size in head["masks"].items()}
        # Ends a run that never finishes, in case the parent has died.
        signal.setitimer(signal.ITIMER_REAL, head["seconds"])
        if not _answer(sources, masks, head, hello["threads"], send):
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        del sources, masks


def _discard_output() -> None:
    """Discard further output: decoders' messages about untrusted data do not belong in the log."""
    with open(os.devnull, "wb") as null:  # noqa: PTH123  (pathlib has no benefit here)
        for stream in (1, 2):
            os.dup2(null.fileno(), stream)


def _answer(
    sources: Sequence[Source], masks: Mapping[str, bytes], head: Json, threads: int, send: Send
) -> bool:
    """Do a task and send what comes of it, or an error; return whether the process can continue."""
    try:
        task = _Task(sources, masks, head, _limits(head), threads, send)
        send({"done": TASKS[head["task"]](task)})
    except MemoryError:
        send({"out_of_memory": True})
        return False  # the remaining memory may be fragmented
    except FftToolError as exc:
        faults = [astuple(fault) for fault in getattr(exc, "faults", ())]
        send({"refused": exc.code, "message": str(exc), "faults": faults})
    except Exception as exc:  # noqa: BLE001  (sent to the parent, which logs it)
        stack = traceback.format_tb(exc.__traceback__)[-_FRAMES:]
        send({"bug": type(exc).__name__, "message": str(exc)[:_LONGEST], "stack": stack})
    return True


def _limits(head: Json) -> Limits:
    return Limits(**{**head["limits"], "formats": tuple(head["limits"]["formats"])})


@dataclass(frozen=True, slots=True)
class _Task:
    """A task from the parent: its sources, the header with its arguments, and the way back.

    ``masks`` are the files of the recipe's masks, by their SHA-256.
    """

    sources: Sequence[Source]
    masks: Mapping[str, bytes]
    head: Json
    limits: Limits
    threads: int
    send: Send
    headers: list[Header] = field(default_factory=list)

    @property
    def source(self) -> Source:
        return self.sources[0]

    @property
    def recipe(self) -> Recipe:
        recipe = Recipe.parse_text(self.head["recipe"])
        return resolve_masks(recipe, self._read_mask)

    def _read_mask(self, mask: MaskFile) -> bytes:
        if mask.sha256 is None or mask.sha256 not in self.masks:
            raise ValueError(UNRESOLVED)
        return self.masks[mask.sha256]

    def on_step(self, name: str) -> None:
        self.send({"step": name})

    def on_header(self, header: Header) -> None:
        self.headers.append(header)
        self.send({"pixels": header.width * header.height})

    def deliver(self, artifacts: Iterable[Artifact]) -> Json:
        """Send artifacts; returns what is told of their source at the end."""
        for artifact in artifacts:
            self.send({"artifact": artifact.kind}, artifact.data)
        height, width = self.headers[0].shape
        return {"sha256": self.source.sha256, "width": width, "height": height}


def _analyse(task: _Task) -> Json:
    outputs = pipeline.run(
        task.source,
        task.recipe,
        task.limits,
        threads=task.threads,
        on_step=task.on_step,
        on_header=task.on_header,
    )
    return task.deliver(outputs)


def _operate(task: _Task) -> Json:
    from fft_tool.operations.registry import parse_operations  # noqa: PLC0415  (few tasks need it)
    from fft_tool.operations.run import run_operations  # noqa: PLC0415  (as above)

    span = task.head["range"]
    outputs = run_operations(
        task.source,
        parse_operations(task.head["operations"]),
        task.limits,
        frame=task.head["frame"],
        value_range=span and tuple(span),
        threads=task.threads,
        on_step=task.on_step,
        on_header=task.on_header,
    )
    return task.deliver(outputs)


def _preview(task: _Task) -> Json:
    from fft_tool.image.presets import Preset  # noqa: PLC0415  (few tasks need it)
    from fft_tool.operations.preview import draw_preview  # noqa: PLC0415  (as above)
    from fft_tool.operations.registry import parse_operations  # noqa: PLC0415  (as above)

    made = draw_preview(
        task.source,
        parse_operations(task.head["operations"]),
        Preset(*task.head["preset"]),
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    task.send({"artifact": made.preset}, made.data)
    return {"made": [made.format, made.width, made.height]}


def _compare(task: _Task) -> Json:
    compared = pipeline.run_comparison(
        task.sources[0],
        task.sources[1],
        task.recipe,
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    return compared.to_json()


def _count(task: _Task) -> Json:
    counts = pipeline.run_counts(
        task.source, task.recipe, task.limits, threads=task.threads, on_header=task.on_header
    )
    return {"black": counts.black, "white": counts.white}


def _render(task: _Task) -> Json:
    from fft_tool.image.presets import Preset  # noqa: PLC0415  (few tasks need it)
    from fft_tool.rendering import render  # noqa: PLC0415  (as above)

    made = render(
        task.source,
        [Preset(*preset) for preset in task.head["presets"]],
        task.head["format"],
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    for each in made:
        task.send({"artifact": each.preset}, each.data)
    return {"made": [[each.format, each.width, each.height] for each in made]}


def _crop(task: _Task) -> Json:
    from fft_tool.cropping import AtMost, crop  # noqa: PLC0415  (few tasks need it)
    from fft_tool.image.region import Box  # noqa: PLC0415  (as above)

    box = task.head.get("box")
    made = crop(
        task.source,
        Box(*box) if box else AtMost(*task.head["at_most"]),
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    task.send({"artifact": "crop"}, made.data)
    return {"box": astuple(made.box)}


def _compare_renditions(task: _Task) -> Json:
    from fft_tool.comparing import compare_renditions  # noqa: PLC0415  (few tasks need it)
    from fft_tool.image.presets import Preset  # noqa: PLC0415  (as above)

    whole, found = compare_renditions(
        task.sources[0],
        task.sources[1],
        [Preset(*preset) for preset in task.head["presets"]],
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    presets = {name: likeness.to_json() for name, likeness in found.items()}
    return {"whole": whole.to_json(), "presets": presets}


def _compare_sources(task: _Task) -> Json:
    from fft_tool.comparing import compare_sources  # noqa: PLC0415  (few tasks need it)

    found = compare_sources(
        task.sources[0],
        task.sources[1],
        task.recipe,
        task.limits,
        fit=task.head["fit"],
        threads=task.threads,
        on_header=task.on_header,
    )
    return found.to_json()


def _picture_difference(task: _Task) -> Json:
    from fft_tool.comparing import picture_difference  # noqa: PLC0415  (few tasks need it)

    made = picture_difference(
        task.sources[0],
        task.sources[1],
        task.recipe,
        task.limits,
        fit=task.head["fit"],
        threads=task.threads,
        on_header=task.on_header,
    )
    task.send({"artifact": "difference"}, made)
    return {}


def _find_salient(task: _Task) -> Json:
    from fft_tool.cropping import AtMost, find_salient  # noqa: PLC0415  (few tasks need it)

    found = find_salient(
        task.source,
        AtMost(*task.head["at_most"]),
        task.limits,
        threads=task.threads,
        on_header=task.on_header,
    )
    task.send({"artifact": "saliency"}, found.picture)
    return {"box": astuple(found.box)}


TASKS: dict[str, Callable[[_Task], Json]] = {
    "analyse": _analyse,
    "operate": _operate,
    "preview": _preview,
    "compare": _compare,
    "compare_renditions": _compare_renditions,
    "compare_sources": _compare_sources,
    "picture_difference": _picture_difference,
    "count": _count,
    "render": _render,
    "crop": _crop,
    "find_salient": _find_salient,
}
"""What a child can do: sends artifacts, if there are any, and returns what it found."""
