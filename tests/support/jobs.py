"""Jobs of batches for tests: stores filled with small images, and their rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from fft_tool.batches.counting import Counted
from fft_tool.batches.origin import Origin
from fft_tool.batches.revisions import Marker, detect
from fft_tool.batches.rows import Row, statistics
from fft_tool.batches.shape import JobShape
from fft_tool.image.counts import Counts
from fft_tool.stores.base import Store
from fft_tool.stores.memory import MemoryStore
from tests.support.images import png_bytes

NOW = "2026-11-30T12:00:00Z"
SMALL = JobShape(batches=2, images=3)


def image(black: int, white: int) -> bytes:
    """A PNG of one row with so many black and white pixels."""
    return png_bytes(np.repeat(np.array([[0, 255]], np.uint8), [black, white], axis=1))


def names(shape: JobShape = SMALL) -> list[str]:
    """Names of all images of a job."""
    return [
        f"batch_{batch}/img_{number}.png"
        for batch in range(1, shape.batches + 1)
        for number in range(1, shape.images + 1)
    ]


def fill(store: Store, job: str, files: Iterable[str] | Mapping[str, bytes]) -> None:
    """Write files into the folder of a job; by default, the n-th image has n black pixels."""
    if not isinstance(files, Mapping):
        files = {name: image(order, 10) for order, name in enumerate(files, start=1)}
    for name, data in files.items():
        store.write(f"{job}/{name}", data)


def complete_job(job: str = "leaves") -> tuple[Store, Store, Marker]:
    """A store with a complete job, one for its results, and the marker of its first revision."""
    sources, target = MemoryStore(), MemoryStore()
    fill(sources, job, names())
    marker = detect(sources, target, job, SMALL, now=lambda: NOW).marker
    assert marker is not None
    return sources, target, marker


def counted_of(marker: Marker, black: int = 1) -> list[Counted]:
    """Counts of all images of a marker, made up."""
    return [
        Counted(image.batch, image.name, Counts(black + order, 10))
        for order, image in enumerate(marker.images)
    ]


def rows_of(
    job: str = "leaves", *, revision: int = 1, black: int = 5, key: str = "k", at: str = NOW
) -> tuple[Row, ...]:
    """Rows of a revision of a job of two batches, the second without any readable image."""
    origin = Origin(job, f"s3://bucket/batches/{job}/", key, revision, at)
    images = [Counted(1, f"batch_1/{n}.png", Counts(black + n, 10)) for n in range(3)]
    return statistics([*images, Counted(2, "batch_2/a.png", code="corrupt-image")], origin, 2)
