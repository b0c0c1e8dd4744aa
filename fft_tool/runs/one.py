"""One source, from store to store: the use case of every door."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from fft_tool.errors import FftToolError, LimitExceeded, NotFound
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.parallel import run_all
from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD, output_name
from fft_tool.results.record import to_bytes
from fft_tool.results.values import Artifact, OversizedSource, Source
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Stat, Store

Result = Literal["done", "rejected", "missing", "failed", "skipped", "planned"]


@dataclass(frozen=True, slots=True)
class Input:
    """Where a source is: its ``key`` in a store, and the ``name`` that outputs are called after."""

    store: Store
    key: str
    name: str

    def read(self, limits: Limits | None = None) -> Source:
        """Fetch the source, unless it has more bytes than ``limits`` accept."""
        return Source(self.name, read_within(self.store, self.key, limits or Limits()))


@dataclass(frozen=True, slots=True)
class Analysed:
    """What was made of a source: artifacts in the order in which they are to be written.

    ``width`` and ``height`` are those of the upright image, in pixels.
    """

    artifacts: tuple[Artifact, ...]
    record: Mapping[str, Any] | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None


# Analyses a source; None means that its results exist already.
Work = Callable[[Source, Recipe], Analysed | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one source.

    done: its artifacts are written. rejected: it can never be analysed, and a record says so.
    missing: it is not there. failed: it could not be analysed this time. skipped: its results are
    there already. planned: it would be analysed. The last four leave the target as it was, but for
    artifacts that were written before a failure. ``error`` says why it was not done.

    ``outputs`` are the names of what was written; ``stat`` is what the source's store keeps about
    the version that was read.
    """

    source: str
    result: Result
    outputs: tuple[str, ...] = ()
    error: FftToolError | None = None
    record: Mapping[str, Any] | None = None
    artifacts: tuple[Artifact, ...] = ()
    stat: Stat | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None

    def to_json(self) -> dict[str, Any]:
        """One line for machines."""
        return {
            "source": self.source,
            "outcome": self.result,
            "outputs": list(self.outputs),
            "error": self.error and {"code": self.error.code, "message": str(self.error)},
        }


def process(
    source: Input,
    target: Store | None,
    recipe: Recipe | Callable[[Stat], Recipe],
    limits: Limits,
    work: Work,
    *,
    copies: int = 1,
    writers: int = 1,
    recorded: bool = True,
    on_step: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Read a source, analyse it, and write its artifacts, the record last.

    Every :class:`~fft_tool.errors.FftToolError` becomes part of the outcome. A source that is
    refused leaves a record that says so, and the record of an earlier run does not stay; without
    ``recorded``, or where neither the recipe asks for a record nor the target has one, there is
    nothing to write.

    Parameters
    ----------
    source, target
        Where it is read and where its artifacts go; without a target they are in the outcome.
    recipe
        What to do with it, or a function that tells from what the store keeps about the source.
    limits
        What is accepted. The size is held against them before the content is fetched.
    work
        Analyses it, for instance by :func:`fft_tool.pipeline.run`.
    copies
        How many copies of the source's bytes are in memory while it is analysed.
    writers
        How many artifacts are written at a time.
    on_step
        Told each step's name as it begins: "read", those of ``work``, and "write".
    """
    try:
        on_step("read")
        stat, found = _read(source, limits, copies)
    except FftToolError as exc:
        result: Result = "missing" if isinstance(exc, NotFound) else "failed"
        return Outcome(source.name, result, error=exc)
    chosen = None
    try:
        chosen = recipe(stat) if callable(recipe) else recipe
        if isinstance(found, _TooLarge):
            raise found.error
        made = work(found, chosen)
    except FftToolError as exc:
        if not exc.permanent:
            return Outcome(source.name, "failed", error=exc, stat=stat)
        refused = found.source if isinstance(found, _TooLarge) else found
        return _reject(refused, chosen, exc, stat, target if recorded else None, on_step)
    if made is None:
        return Outcome(source.name, "skipped", stat=stat)
    del found  # it may be large, and so is what was made of it
    try:
        return _deliver(source.name, made, stat, target, writers, on_step)
    except FftToolError as exc:
        return Outcome(source.name, "failed", error=exc, stat=stat)


@dataclass(frozen=True, slots=True)
class _TooLarge:
    """A source that is refused by its size alone, before it is fetched."""

    source: OversizedSource
    error: LimitExceeded


def _read(source: Input, limits: Limits, copies: int) -> tuple[Stat, Source | _TooLarge]:
    with source.store.open(source.key) as handle:
        stat = handle.stat
        try:
            limits.check_bytes(stat.size)
            limits.check_memory(FIXED_MEMORY + copies * stat.size)
        except LimitExceeded as exc:
            return stat, _TooLarge(OversizedSource(source.name, stat.size), exc)
        return stat, Source(source.name, handle.read())


def _deliver(
    name: str,
    made: Analysed,
    stat: Stat,
    target: Store | None,
    writers: int,
    on_step: Callable[[str], None],
) -> Outcome:
    """Write what was made, or put it into the outcome."""
    outcome = Outcome(
        name,
        "done",
        record=made.record,
        stat=stat,
        sha256=made.sha256,
        width=made.width,
        height=made.height,
    )
    if target is None:
        return replace(outcome, artifacts=made.artifacts)
    on_step("write")
    return replace(outcome, outputs=_write(target, made.artifacts, writers))


def _write(target: Store, artifacts: Sequence[Artifact], writers: int) -> tuple[str, ...]:
    """Write the artifacts, and the last of them when all the others are there."""

    def write(artifact: Artifact) -> str:
        target.write(artifact.name, artifact.data, content_type=artifact.content_type)
        return artifact.name

    if not artifacts:
        return ()
    *others, last = artifacts
    names = run_all([partial(write, artifact) for artifact in others], threads=writers)
    return (*names, write(last))


def _reject(
    source: Source | OversizedSource,
    recipe: Recipe | None,
    error: FftToolError,
    stat: Stat,
    target: Store | None,
    on_step: Callable[[str], None],
) -> Outcome:
    """Leave a record of the refusal."""
    from fft_tool.results.recording import rejected  # noqa: PLC0415  (loads the record's model)

    outcome = Outcome(source.name, "rejected", error=error, stat=stat, sha256=source.sha256)
    name = output_name(source.name, RECORD)
    try:
        if target is None or not (recipe is None or recipe.metadata or _exists(target, name)):
            return outcome
        on_step("write")
        document = to_bytes(rejected(source, recipe, error))
        return replace(outcome, outputs=_write(target, [Artifact(RECORD, name, document)], 1))
    except FftToolError as exc:  # from the store
        return Outcome(source.name, "failed", error=exc, stat=stat)


def _exists(store: Store, name: str) -> bool:
    try:
        store.stat(name)
    except NotFound:
        return False
    return True
