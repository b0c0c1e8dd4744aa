"""One object: read it, make its outputs, write them, and make sure that they are of its latest.

S3 may tell of uploads twice and in any order, and two invocations may work on one key at a time.
Nobody has to know: whoever has written looks at the source once more, and starts over if it is no
longer what was read. The last one to write is then always one that has seen the latest version.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from fft_tool.errors import (
    BrokenOff,
    FftToolError,
    LimitExceeded,
    NotFound,
    TooCostly,
    TookTooLong,
)
from fft_tool.limits import FIXED_MEMORY
from fft_tool.parallel import run_all
from fft_tool.recipe import Recipe
from fft_tool.results import record
from fft_tool.results.naming import EXTENSIONS, RECORD, output_name
from fft_tool.results.outputs import Artifact, Source, Unread
from fft_tool.runs.child import REFUSALS, Analysed, Child
from fft_tool.stores.base import Stat, Store
from handler.errors import KeyTooLong, OutOfTime
from handler.events import Task
from handler.patience import Patience
from handler.result import Result
from handler.settings import Settings
from handler.watch import Watch

LONGEST_KEY = 1024  # bytes, a limit of S3


@dataclass(frozen=True, slots=True)
class TooMuch:
    """A source whose size alone is refused, before it is fetched."""

    source: Unread
    error: LimitExceeded


@dataclass(frozen=True, slots=True)
class Made:
    """What is to be written, in order, and the error where it is nothing but a rejection.

    ``width`` and ``height`` are None for an image that was refused.
    """

    artifacts: tuple[Artifact, ...]
    sha256: str | None
    width: int | None = None
    height: int | None = None
    error: FftToolError | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """Does tasks; ``open_bucket`` gives the store of a bucket, with so many seconds of patience.

    Images are decoded and analysed by the ``child``, which has no credentials.
    """

    settings: Settings
    open_bucket: Callable[[str, float], Store]
    child: Child

    def do(self, task: Task, watch: Watch, patience: Patience) -> Result:
        """Make the outputs of the latest version of an object; raises what is to be handed back.

        :class:`~fft_tool.errors.BrokenOff` is raised by a try that is not the last: another one
        tells whether the image is to blame.
        """
        reason = self._reason_to_ignore(task.key)
        if reason:
            return Result(task, "ignored", reason)
        too_long = self._name_too_long(task.key)
        if too_long:
            return Result(task, "rejected", error=too_long)
        while True:
            watch.step("read")
            try:
                stat, found = self._read(task, watch)
            except NotFound as exc:
                return Result(task, "missing", error=exc)
            made = self._make(task, stat, found, watch, patience)
            del found  # it may be large, and what it was made into is as well
            watch.step("write")
            keys = self._write(task, made, watch)
            watch.step("check")
            if self._is_latest(task, stat, watch):
                return _result(task, stat, made, keys)
            watch.restarts += 1

    def _reason_to_ignore(self, key: str) -> str:
        inputs, outputs = self.settings.input_prefix, self.settings.output_prefix
        if key.startswith(outputs):
            return f"it is a result, below {outputs}"
        if not key.startswith(inputs):
            return f"it is not below {inputs}"
        if key.endswith("/"):
            return "it is a folder"
        return ""

    def _read(self, task: Task, watch: Watch) -> tuple[Stat, Source | TooMuch]:
        """Fetch an object, unless its size alone tells that it is too much."""
        name = task.key.removeprefix(self.settings.input_prefix)
        seen: list[Stat] = []

        def accept(stat: Stat) -> None:
            seen.append(stat)
            self.settings.limits.check_bytes(stat.size)
            self.settings.limits.check_memory(FIXED_MEMORY + 2 * stat.size)  # here and in the child

        try:
            data = self._store(task, watch).read(task.key, accept=accept).data
            found: Source | TooMuch = Source(name, data)
        except LimitExceeded as exc:
            found = TooMuch(Unread(name, seen[-1].size), exc)
        return seen[-1], found

    def _make(
        self, task: Task, stat: Stat, found: Source | TooMuch, watch: Watch, patience: Patience
    ) -> Made:
        """Have the image analysed; what is refused becomes a record that says so."""
        source = found.source if isinstance(found, TooMuch) else found
        recipe = None
        try:
            recipe = self.settings.recipe_of(stat.metadata, task.recipe)
            if isinstance(found, TooMuch):
                return _rejection(found.source, recipe, found.error)
            return _made(self._analyse(found, recipe, watch, patience))
        except REFUSALS as exc:  # everything else is handed back
            return _rejection(source, recipe, exc)

    def _analyse(
        self, source: Source, recipe: Recipe, watch: Watch, patience: Patience
    ) -> Analysed:
        """Have the child do it; what has broken off twice is too costly."""
        watch.step("decode")
        try:
            return self.child.run(
                source,
                recipe,
                self.settings.limits_beside(source.size),
                patience=patience,
                on_step=watch.step,
            )
        except BrokenOff as exc:
            watch.broken_off += 1
            if not patience.last:
                raise
            if isinstance(exc, TookTooLong) and not patience.enough:
                raise OutOfTime(
                    "the invocation has too little time left for this image: handed back; if it "
                    "recurs, give the function more time or memory"
                ) from exc
            raise TooCostly(f"this image was given up at the second try: {exc}") from exc

    def _name_too_long(self, key: str) -> KeyTooLong | None:
        """Tell of a key so long that S3 would refuse the keys of its outputs, the record's too."""
        name = key.removeprefix(self.settings.input_prefix)
        lengths = [len(self._key(output_name(name, kind)).encode()) for kind in EXTENSIONS]
        if max(lengths) <= LONGEST_KEY:
            return None
        return KeyTooLong(
            f"the keys of its results would have up to {max(lengths):,} bytes, S3 allows "
            f"{LONGEST_KEY:,}: upload it under a shorter key"
        )

    def _write(self, task: Task, made: Made, watch: Watch) -> tuple[str, ...]:
        """Write the artifacts side by side, and the record when all of them are there."""

        def write(artifact: Artifact) -> str:
            key = self._key(artifact.name)
            store = self._store(task, watch)
            store.write(key, artifact.data, content_type=artifact.content_type)
            watch.wrote(len(artifact.data))
            return key

        *pictures, last = made.artifacts
        keys = run_all([partial(write, picture) for picture in pictures], threads=len(pictures))
        return (*keys, write(last))

    def _is_latest(self, task: Task, stat: Stat, watch: Watch) -> bool:
        """Whether an object is still what was read; one that has gone has no later version.

        The ETag alone would not do: the same image with another recipe has the same one.
        """
        try:
            return self._store(task, watch).stat(task.key) == stat
        except NotFound:
            return True

    def _store(self, task: Task, watch: Watch) -> Store:
        return self.open_bucket(task.bucket, watch.patience())

    def _key(self, name: str) -> str:
        return self.settings.output_prefix + name


def _rejection(source: Source | Unread, recipe: Recipe | None, error: FftToolError) -> Made:
    document = record.rejected(source, recipe, error)
    name = output_name(source.name, RECORD)
    artifact = Artifact(RECORD, name, record.to_bytes(document))
    return Made((artifact,), source.sha256, error=error)


def _made(analysed: Analysed) -> Made:
    return Made(analysed.artifacts, analysed.sha256, analysed.width, analysed.height)


def _result(task: Task, stat: Stat, made: Made, keys: tuple[str, ...]) -> Result:
    return Result(
        task,
        "rejected" if made.error else "done",
        error=made.error,
        outputs=keys,
        size=stat.size,
        sha256=made.sha256,
        etag=stat.etag,
        width=made.width,
        height=made.height,
    )
