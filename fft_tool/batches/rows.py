"""The rows of a job: statistics of its pixel counts, for each batch and colour."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_type_hints

from fft_tool.batches.counting import Counted
from fft_tool.batches.origin import Origin
from fft_tool.image.counts import Counts
from fft_tool.results.table import Column, csv_file, parquet_file
from fft_tool.validate import Json

Colour = Literal["black", "white"]
COLOURS: tuple[Colour, ...] = ("black", "white")
SCHEMA = "fft-tool/batch-stats/1"


def _field(description: str, unit: str = "") -> Any:
    return field(metadata={"description": description, "unit": unit})


@dataclass(frozen=True, slots=True)
class Row:
    """Statistics of the black or the white pixels of the images of one batch."""

    id: str = _field("identity of the row, the same whenever it is computed")
    job_id: str = _field("name of the job")
    batch_id: int = _field("number of the batch, from 1")
    color: str = _field("what was counted: black or white pixels")
    avg_pixels: float | None = _field("mean number of such pixels in an image", "px")
    std_pixels: float | None = _field("population standard deviation of that number", "px")
    min_pixels: int | None = _field("number of such pixels in the image that has fewest", "px")
    max_pixels: int | None = _field("number of such pixels in the image that has most", "px")
    images: int = _field("number of images that could be read and were counted")
    created_at: str = _field("when the revision was started, in UTC, ISO 8601")
    source_prefix: str = _field("where the images are")
    revision: int = _field("number of the revision, from 1; later ones replace earlier ones")

    def to_json(self) -> Json:
        """Return the row as plain JSON values."""
        return asdict(self)

    def statistics(self) -> tuple[float | None, float | None, int | None, int | None]:
        """Mean, deviation, smallest and largest."""
        return self.avg_pixels, self.std_pixels, self.min_pixels, self.max_pixels


def _columns() -> tuple[Column, ...]:
    hints = get_type_hints(Row)
    plain = {name: next(t for t in (str, int, float) if _holds(hints[name], t)) for name in hints}
    return tuple(
        Column(
            each.name,
            each.name,
            plain[each.name],
            each.metadata["description"],
            each.metadata["unit"],
        )
        for each in fields(Row)
    )


def _holds(annotation: Any, wanted: type) -> bool:
    return annotation is wanted or annotation == wanted | None


COLUMNS = _columns()


def statistics(counted: Iterable[Counted], origin: Origin, batches: int) -> tuple[Row, ...]:
    """Compute the rows of a job of so many ``batches``: two for each, black and white.

    >>> origin = Origin("leaves", "leaves/", "0", 1, "2026-11-30T12:00:00Z")
    >>> images = [Counted(1, "a.png", Counts(2, 2)), Counted(1, "b.png", Counts(4, 0))]
    >>> black, white = statistics(images, origin, 1)
    >>> black.avg_pixels, black.std_pixels, white.min_pixels, white.images
    (3.0, 1.0, 0, 2)

    Images without counts are left out. In a batch without any, ``images`` is 0 and the statistics
    are None.
    """
    of_batch: dict[int, list[Counts]] = {number: [] for number in range(1, batches + 1)}
    for image in counted:
        if image.counts is not None:
            of_batch[image.batch].append(image.counts)
    return tuple(
        _row(origin, batch, color, [getattr(each, color) for each in counts])
        for batch, counts in of_batch.items()
        for color in COLOURS
    )


def to_csv(rows: Iterable[Row]) -> bytes:
    """Write rows as CSV, as :func:`fft_tool.results.table.csv_file` does."""
    names = [column.name for column in COLUMNS]
    return csv_file(names, ([getattr(row, name) for name in names] for row in rows))


def to_parquet(rows: Iterable[Row]) -> bytes:
    """Write rows as Parquet, with types and column descriptions; requires pyarrow."""
    return parquet_file(COLUMNS, map(asdict, rows), {"schema": SCHEMA})


def _row(origin: Origin, batch: int, color: Colour, values: Sequence[int]) -> Row:
    mean, deviation = _moments(values)
    return Row(
        id=origin.row_id(batch, color),
        job_id=origin.job_id,
        batch_id=batch,
        color=color,
        avg_pixels=mean,
        std_pixels=deviation,
        min_pixels=min(values, default=None),
        max_pixels=max(values, default=None),
        images=len(values),
        created_at=origin.created_at,
        source_prefix=origin.source_prefix,
        revision=origin.revision,
    )


def _moments(values: Sequence[int]) -> tuple[float | None, float | None]:
    """Mean and population standard deviation: sums of whole numbers, divided once."""
    count = len(values)
    if not count:
        return None, None
    first, second = sum(values), sum(value * value for value in values)
    return first / count, math.sqrt(count * second - first * first) / count
