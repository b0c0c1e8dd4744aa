"""Processing of one source from store to store, shared by command line, Lambda and service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from fft_tool import __version__
from fft_tool.errors import FftToolError, ImageError, LimitExceeded, NotFound
from fft_tool.limits import FIXED_MEMORY, Limits
from fft_tool.parallel import run_all
from fft_tool.recipe import Recipe
from fft_tool.results.naming import RECORD, output_of
from fft_tool.results.record import to_bytes
from fft_tool.results.values import Artifact, OversizedSource, Remark, Source
from fft_tool.runs.fetch import read_within
from fft_tool.stores.base import Handle, Stat, Store

_LARGE = 16 << 20  # bytes; what is smaller is fetched before it is looked at

Result = Literal["done", "rejected", "missing", "failed", "skipped", "planned"]


class LastRead:
    """The file that was read last, so that its pages need not be fetched and hashed one by one."""

    def __init__(self) -> None:
        self._place: tuple[str, str, Stat] | None = None
        self._source = Source("", b"")

    def source(self, store: Store, handle: Handle, key: str, name: str) -> Source:
        """Return the source that ``handle`` is open for; read only if it is another version."""
        place = (store.url, key, handle.stat)
        if place != self._place or handle.stat.etag is None:
            self._place, self._source = None, Source("", b"")  # not two files at a time
            self._source = Source(name, handle.read())
            self._place = place
        return self._source


@dataclass(frozen=True, slots=True)
class Input:
    """A source in a store: its ``key`` there, and the ``name`` from which outputs are named.

    ``page`` is set if each page of the file is analysed on its own. ``last_read`` then keeps the
    file between runs. ``base`` is that of :class:`~fft_tool.results.values.Source`.
    """

    store: Store
    key: str
    name: str
    page: int | None = None
    last_read: LastRead | None = None
    base: str | None = None

    def read(self, limits: Limits | None = None) -> Source:
        """Fetch the source, unless it has more bytes than ``limits`` accept."""
        return Source(
            self.name, read_within(self.store, self.key, limits or Limits()), base=self.base
        )


@dataclass(frozen=True, slots=True)
class Analysed:
    """Results of analysing a source: artifacts in the order in which to write them.

    ``width`` and ``height`` are those of the upright image, in pixels; ``remarks`` are what people
    should know of the source.
    """

    artifacts: tuple[Artifact, ...]
    record: Mapping[str, Any] | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    remarks: tuple[Remark, ...] = ()


# Analyses a source; returns None if its results already exist.
Work = Callable[[Source, Recipe], Analysed | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome for one source.

    done: its artifacts were written. rejected: it can never be analysed, and a record says so.
    missing: it does not exist. failed: it could not be analysed this time. skipped: its results
    already exist. planned: it would be analysed. The last four leave the target unchanged, except
    for artifacts written before a failure. ``error`` says why it was not analysed.

    ``outputs`` are the names of the objects written; ``stat`` is what the source's store knows
    about the version that was read; ``remarks`` are what people should know of it.
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
    remarks: tuple[Remark, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain JSON values."""
        return {
            "source": self.source,
            "outcome": self.result,
            "outputs": list(self.outputs),
            "exact": self._exact(),
            "error": self.error and {"code": self.error.code, "message": str(self.error)},
            **({"remarks": [remark.text for remark in self.remarks]} if self.remarks else {}),
        }

    def _exact(self) -> bool | None:
        """Whether the artifacts reproduce the grey levels; None if no certificate says so."""
        certificate = (self.record or {}).get("certificate")
        return certificate and bool(certificate["exact"])


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
    check_start: Callable[[Input], None] = lambda _: None,
    is_current: Callable[[Stat, Recipe], bool] | None = None,
) -> Outcome:
    """Read a source, analyse it, and write its artifacts, the record last.

    Every :class:`~fft_tool.errors.FftToolError` becomes part of the outcome. For a rejected source,
    a record that says so is written, replacing the record of an earlier run. No record is written
    without ``recorded``, or if the recipe does not ask for one and the target does not have one.

    Parameters
    ----------
    source, target
        Where to read the source and write its artifacts; without a target, the outcome holds them.
    recipe
        The recipe, or a function that derives it from what the store knows about the source.
    limits
        Limits on the source. The size is checked before the content is fetched.
    work
        Analyses the source, for instance with :func:`fft_tool.pipeline.run`.
    copies
        Number of copies of the source's bytes in memory during the analysis.
    writers
        Number of artifacts to write in parallel.
    recorded
        Whether to write a record if the source is rejected.
    check_start
        Called before a large source is fetched; raises an ``ImageError`` if its first bytes are not
        those of an image.
    on_step
        Called with the name of each step as it begins: "read", those of ``work``, and "write".
    is_current
        Whether the target already holds the results of this version of the source, which is then
        not fetched: see :func:`fft_tool.runs.completeness.is_current`.
    """
    try:
        on_step("read")
        current = _current(source, recipe, is_current) if is_current else None
        stat, found = current or _read(source, limits, copies, check_start)
    except FftToolError as exc:
        result: Result = "missing" if isinstance(exc, NotFound) else "failed"
        return Outcome(source.name, result, error=exc)
    chosen = None
    try:
        chosen = recipe(stat) if callable(recipe) else recipe
        if isinstance(found, _Refused):
            raise found.error
        made = work(found, chosen) if found else None
    except FftToolError as exc:
        if not exc.permanent or found is None:
            return Outcome(source.name, "failed", error=exc, stat=stat)
        refused = found.source if isinstance(found, _Refused) else found
        return _reject(refused, chosen, exc, stat, target if recorded else None, on_step)
    if made is None:
        return Outcome(source.name, "skipped", stat=stat)
    del found  # may be as large as the artifacts
    try:
        return _deliver(source.name, made, stat, target, writers, on_step, mark_of(stat, chosen))
    except FftToolError as exc:
        return Outcome(source.name, "failed", error=exc, stat=stat)


@dataclass(frozen=True, slots=True)
class _Refused:
    """A source that is rejected for its size or its first bytes, before it is fetched."""

    source: OversizedSource
    error: FftToolError


def _read(
    source: Input, limits: Limits, copies: int, check_start: Callable[[Input], None]
) -> tuple[Stat, Source | _Refused]:
    with source.store.open(source.key) as handle:
        stat = handle.stat
        try:
            limits.check_bytes(stat.size)
            limits.check_memory(FIXED_MEMORY + copies * stat.size)
            if stat.size > _LARGE:
                check_start(source)
        except (ImageError, LimitExceeded) as exc:
            big = OversizedSource(source.name, stat.size, page=source.page, base=source.base)
            return stat, _Refused(big, exc)
        if source.last_read is None:
            return stat, Source(source.name, handle.read(), source.page, source.base)
        file = source.last_read.source(source.store, handle, source.key, source.name)
        return stat, file.at_page(source.page)


def _current(
    source: Input,
    recipe: Recipe | Callable[[Stat], Recipe],
    is_current: Callable[[Stat, Recipe], bool],
) -> tuple[Stat, None] | None:
    """What the store knows about a source whose results are there; None if they are not."""
    stat = source.store.stat(source.key)
    try:
        chosen = recipe(stat) if callable(recipe) else recipe
    except FftToolError:  # the record has to say so
        return None
    return (stat, None) if is_current(stat, chosen) else None


def mark_of(stat: Stat, recipe: Recipe) -> dict[str, str]:
    """Metadata of a record that say which version of the source it belongs to.

    They are kept beside the record, since an ETag depends on how a file was uploaded, and the
    record only on its bytes. Empty if the store of the source has no ETags.
    """
    if stat.etag is None:
        return {}
    return {
        "source-etag": stat.etag.strip('"'),
        "recipe-sha256": recipe.sha256,
        "tool-version": __version__,
    }


def _deliver(
    name: str,
    made: Analysed,
    stat: Stat,
    target: Store | None,
    writers: int,
    on_step: Callable[[str], None],
    mark: Mapping[str, str],
) -> Outcome:
    """Write the artifacts, or put them into the outcome."""
    outcome = Outcome(
        name,
        "done",
        record=made.record,
        stat=stat,
        sha256=made.sha256,
        width=made.width,
        height=made.height,
        remarks=(
            *made.remarks,
            *(remark for artifact in made.artifacts for remark in artifact.remarks),
        ),
    )
    if target is None:
        return replace(outcome, artifacts=made.artifacts)
    on_step("write")
    return replace(outcome, outputs=_write(target, made.artifacts, writers, mark))


def _write(
    target: Store,
    artifacts: Sequence[Artifact],
    writers: int,
    mark: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Write the artifacts, the last one after all the others have been written."""

    def write(artifact: Artifact) -> str:
        metadata = mark if artifact.kind == RECORD else None
        target.write(
            artifact.name, artifact.data, content_type=artifact.content_type, metadata=metadata
        )
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
    """Write a record of the rejection."""
    from fft_tool.results.recording import rejected  # noqa: PLC0415  (loads the record's model)

    outcome = Outcome(source.name, "rejected", error=error, stat=stat, sha256=source.sha256)
    name = output_of(source, RECORD)
    try:
        if target is None or not (recipe is None or recipe.metadata or target.exists(name)):
            return outcome
        on_step("write")
        document = to_bytes(rejected(source, recipe, error))
        return replace(outcome, outputs=_write(target, [Artifact(RECORD, name, document)], 1))
    except FftToolError as exc:  # from the store
        return Outcome(source.name, "failed", error=exc, stat=stat)
