"""Counting of the pixels of a job's images, one image at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from fft_tool.batches.survey import ImageRef
from fft_tool.errors import Aborted, FftToolError, JobChanged, NotFound
from fft_tool.image.counts import Counts
from fft_tool.limits import Limits
from fft_tool.recipe import Recipe
from fft_tool.results.values import Source
from fft_tool.runs.one import Outcome
from fft_tool.stores.base import Store, as_folder
from fft_tool.validate import Json

if TYPE_CHECKING:
    from fft_tool.results.outputs import Outputs

_LONGEST = 300  # characters of a message

# Counts the pixels of a source; raises the errors of ``pipeline.run_counts``.
Count = Callable[[Source, Recipe, Limits], Counts]


@dataclass(frozen=True, slots=True)
class Counted:
    """An image of a job and its counts or, if it cannot be read, the ``code`` and ``message``."""

    batch: int
    name: str
    counts: Counts | None = None
    code: str = ""
    message: str = ""

    def to_json(self) -> Json:
        """Return the counts as plain JSON values, small enough for a state machine."""
        head = {"batch": self.batch, "name": self.name}
        if self.counts is None:
            return {**head, "code": self.code, "message": self.message[:_LONGEST]}
        return {**head, "black": self.counts.black, "white": self.counts.white}

    @classmethod
    def from_json(cls, value: Json) -> Counted:
        """Read what :meth:`to_json` returned."""
        batch, name = value["batch"], value["name"]
        if "code" in value:
            return cls(batch, name, code=value["code"], message=value["message"])
        return cls(batch, name, Counts(value["black"], value["white"]))


def count_image(
    store: Store,
    folder: str,
    image: ImageRef,
    recipe: Recipe,
    limits: Limits | None = None,
    *,
    count: Count | None = None,
) -> Counted:
    """Count the black and white pixels of an image of the job in a ``folder`` of a store.

    An image that cannot be analysed, or whose analysis was aborted, is returned with the reason.
    Raises :class:`~fft_tool.errors.JobChanged` if the image is another version than that listed,
    or is gone, and the errors of the store. ``count`` may work in another process; by default it is
    :func:`fft_tool.pipeline.run_counts`.
    """
    limits = limits or Limits()
    place = as_folder(folder) + image.name
    try:
        with store.open(place) as handle:
            if image.etag is not None and handle.stat.etag != image.etag:
                raise JobChanged(f"{place}: overwritten since the job was listed")
            limits.check_bytes(handle.stat.size)
            source = Source(image.name, handle.read())
    except NotFound as exc:
        raise JobChanged(f"{place}: deleted since the job was listed") from exc
    except FftToolError as exc:
        if exc.permanent:
            return _unreadable(image, exc)
        raise
    try:
        counts = (count or _run_counts)(source, recipe, limits)
    except FftToolError as exc:
        if exc.permanent or isinstance(exc, Aborted):
            return _unreadable(image, exc)
        raise
    return Counted(image.batch, image.name, counts)


def _run_counts(source: Source, recipe: Recipe, limits: Limits) -> Counts:
    from fft_tool.pipeline import run_counts  # noqa: PLC0415  (loads numpy)

    return run_counts(source, recipe, limits)


def as_operation(source: Source, recipe: Recipe, limits: Limits, *, threads: int = 1) -> Outputs:
    """Count the pixels of a source, as :func:`fft_tool.runs.many.run_batch` calls operations."""
    from fft_tool.pipeline import run_counts  # noqa: PLC0415  (loads numpy)
    from fft_tool.results.outputs import Outputs  # noqa: PLC0415  (loads the registry)

    return Outputs((), asdict(run_counts(source, recipe, limits, threads=threads)))


def counted_of(image: ImageRef, outcome: Outcome) -> Counted | None:
    """Counts of an image from the outcome of :func:`as_operation`; None if it failed this time.

    Raises :class:`~fft_tool.errors.JobChanged` as :func:`count_image` does.
    """
    error, stat = outcome.error, outcome.stat
    other = stat is not None and image.etag is not None and stat.etag != image.etag
    if other or isinstance(error, NotFound):
        raise JobChanged(f"{outcome.source}: changed while the job was counted: start again")
    if outcome.record is not None:
        return Counted(image.batch, image.name, Counts(**outcome.record))
    if error is not None and (error.permanent or isinstance(error, Aborted)):
        return _unreadable(image, error)
    return None


def _unreadable(image: ImageRef, error: FftToolError) -> Counted:
    return Counted(image.batch, image.name, code=error.code, message=error.public)
